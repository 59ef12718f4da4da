/* engine.h: records in, records out. A codec is one side of one topic: a subject version (schema, references, metadata,
 * rule set) compiled into a field program that walks the encoded bytes once.
 *
 * Framing here is the vendor's prefix form: 00, schema id int32 big-endian, body. Both directions append to `out`,
 * which is cleared first, and on any error leave nothing in it: no record half encrypted, no plaintext of a record that
 * was refused. In the steady state nothing is allocated. A codec belongs to one thread. */
#ifndef FLEC_RUNTIME_ENGINE_H
#define FLEC_RUNTIME_ENGINE_H

#include "runtime/keys.h"
#include "schema/schema.h"

typedef struct rt_codec rt_codec;
struct rt_plan_side;

/* Client-side settings, as a Connect converter or client configuration can give them: docs/connect-emulation.md. Zero:
 * none. */
typedef struct rt_codec_options {
    bool disabled; /* rule.executors.*.disabled=true: rules do not run (only the emulated converter sets this) */
    bool on_failure_none_write; /* …onFailure=NONE: a failed rule passes the record on as it is (emulated converter
                                   only) */
    bool on_failure_none_read;
    bool read_only; /* nothing will be encrypted: what only writing refuses is allowed, and rt_encrypt refuses */
    bool read_writer_rules; /* decrypt: take the rules of the record's own schema id (flec decrypt --registry), not of
                               `subject` */
} rt_codec_options;

/* Compiles. `subject` must have id set (registered). RT_REFUSED names a rule the engine cannot execute, or one that
 * would leave a tagged field in clear. refs are looked up in the registry. The codec keeps nothing of `subject`. */
rt_code rt_codec_open(rt_registry *registry, rt_keys *keys, const rt_subject *subject, const rt_codec_options *opt,
                      rt_codec **out, rt_error *err);
void rt_codec_close(rt_codec *c);

/* body: the Avro datum, no prefix. out: the wire record. */
rt_code rt_encrypt(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err);
/* wire: 00, id, body. out: the Avro datum in the schema of the record's own id (see rt_codec_schema_for). Codecs for
 * other ids of the subject are opened and kept as they appear; rules are those of the codec's subject version
 * (use.latest.version) unless read_writer_rules. */
rt_code rt_decrypt(rt_codec *c, const uint8_t *wire, size_t n, fl_buf *out, int *schema_id, rt_error *err);

/* The parsed schema with which records of that id were written, NULL if no record of it was seen. */
const sch_schema *rt_codec_schema(rt_codec *c);
const sch_schema *rt_codec_schema_for(rt_codec *c, int schema_id);

/* The program as text, one instruction a line. An example is in docs/how-it-is-built.md. */
void rt_codec_print(const rt_codec *c, fl_buf *out);

/* The leaf paths that the program seals, with the rule and KEK: what `encrypted` of the plan must equal. */
typedef struct rt_sealed {
    const char *path, *rule, *kek;
} rt_sealed;
size_t rt_codec_sealed(const rt_codec *c, fl_arena *a, rt_sealed **out);

/* Do the leaves that the program seals, their rules and KEKs, equal what the plan lists for this side? RT_REFUSED names
 * the first difference. */
rt_code rt_codec_check_plan(rt_codec *c, const struct rt_plan_side *side, rt_error *err);

#endif
