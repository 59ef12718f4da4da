/* fields.h: what stands at a path in a record, plain and on the wire, and does a ciphertext open? Judged on the bytes,
 * apart from the engine's field programs: with the writer's schema, no rules, and the data keys of the registry. */
#ifndef FLEC_RUNTIME_TESTING_FIELDS_H
#define FLEC_RUNTIME_TESTING_FIELDS_H

#include "runtime/testing/world.h"
#include "schema/value.h"

typedef struct rt_rule_key { /* an ENCRYPT rule of a subject */
    const char *rule;
    rt_key_spec spec;
    bool payload;
} rt_rule_key;

typedef struct rt_fields { /* one side of one topic, opened for looking */
    rt_world *w;
    int side;
    const rt_plan_side *plan;
    rt_codec *codec; /* every key, no rules run: for schemas alone; NULL on a primitive side */
    rt_rule_key *rules;
    size_t nrules;
} rt_fields;

rt_code rt_fields_open(rt_fields *f, rt_world *w, const rt_plan_topic *topic, int side, rt_error *err);
void rt_fields_close(rt_fields *f);

/* The schema of a wire record by its id; NULL with *why. */
const sch_schema *rt_fields_schema(rt_fields *f, rt_bytes wire, const char **why);
/* What stands at a path of an encoded datum (of a wire record: rt_fields_body). false with *why. */
bool rt_fields_at(rt_fields *f, const sch_schema *s, rt_bytes body, const char *path, sch_ats *out, const char **why);
/* The content of a STRING or BYTES, as it is meant: without escapes of JSON. */
rt_bytes rt_fields_content(const sch_at *at, rt_bytes body);
/* Behind magic, schema id and message indexes; empty if there are none. */
rt_bytes rt_fields_body(const rt_fields *f, rt_bytes wire);

/* Opens a ciphertext by the rules of the side (only those of `kek`, if given) and compares. want NULL: opening is
 * enough. */
bool rt_fields_opens(rt_fields *f, const sch_at *at, const uint8_t *body, const char *kek, const rt_bytes *want);
/* The same for a body that is encrypted whole; wire: the record. */
bool rt_fields_payload_opens(rt_fields *f, rt_bytes wire, const char *kek, const rt_bytes *want);
/* Has it the shape of a ciphertext of any of the side's rules? */
bool rt_fields_shaped(rt_fields *f, const sch_at *at, const uint8_t *body, const char *kek);

#endif
