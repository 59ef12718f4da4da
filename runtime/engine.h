/* engine.h: records in, records out. A codec is one side of one topic: a subject version (schema, references, metadata,
 * rule set) compiled into a field program that walks the encoded bytes once, and the payload rules around it.
 *
 * What names the schema of a record (docs/wire.md 1): 00 and its id, or 01 and its GUID, in front of the body or, the
 * GUID, in a header of the record. All are read; 00 and id are written unless the codec's options say otherwise.
 *
 * Both directions append to `out`, which is cleared first, and on any error leave nothing in it: no record half
 * encrypted, no plaintext of a record that was refused. In the steady state nothing is allocated. A codec belongs to
 * one thread. */
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
    bool guid_framing;      /* write the newer form: the schema's GUID in a header, the body bare */
    bool dead_letters;      /* the caller sends what fails to the topics of onFailure DLQ (rt_codec_failure) */
    const char *dlq_topic;  /* of the settings, where rule and metadata name none; must stay as long as the codec */
} rt_codec_options;

/* Compiles. `subject` must have id set (registered). RT_REFUSED names a rule the engine cannot execute, or one that
 * would leave a tagged field in clear. refs are looked up in the registry. The codec keeps nothing of `subject`. */
rt_code rt_codec_open(rt_registry *registry, rt_keys *keys, const rt_subject *subject, const rt_codec_options *opt,
                      rt_codec **out, rt_error *err);
void rt_codec_close(rt_codec *c);

/* A record as it lies in Kafka. */
typedef struct rt_wire {
    const uint8_t *header; /* value of the header that names the schema, or NULL: there is none */
    size_t nheader;
    const uint8_t *p;
    size_t n;
    const char *skip_rule; /* value of the header __rule.name, or NULL: that rule failed on the record before, and is
                              not run on it again (a dead letter) */
} rt_wire;
#define RT_HEADER_KEY   "__key_schema_id"
#define RT_HEADER_VALUE "__value_schema_id"
#define RT_HEADER_RULE  "__rule.name"

/* body: the encoded value, no prefix. out: the wire record. header: what goes into the header that names the schema;
 * empty where the record names it itself. May be NULL unless guid_framing. */
rt_code rt_encrypt(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err);
rt_code rt_encrypt_framed(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, fl_buf *header, rt_error *err);
/* wire: prefix and body. out: the encoded value in the schema of the record's own id (see rt_codec_schema_for).
 * *schema_id may be NULL; it is below 0 where a GUID named the schema, and then stands for that schema in this codec
 * alone. Codecs for other ids of the subject are opened and kept as they appear; rules are those of the codec's subject
 * version (use.latest.version) unless read_writer_rules. */
rt_code rt_decrypt(rt_codec *c, const uint8_t *wire, size_t n, fl_buf *out, int *schema_id, rt_error *err);
rt_code rt_decrypt_framed(rt_codec *c, const rt_wire *w, fl_buf *out, int *schema_id, rt_error *err);

/* The rule that made the last record fail, if one did. */
typedef struct rt_failure {
    const char *rule, *mode, *subject; /* mode: "WRITE" or "READ" */
    const char *dlq;                   /* the topic that it sends failed records to, or NULL */
} rt_failure;
bool rt_codec_failure(const rt_codec *c, rt_failure *out);
/* The value with REDACTED in place of every text that rules seal: what may be shown of it. RT_REFUSED where all of it
 * is sealed (a payload rule), or a rule would have to seal what is no text. */
#define RT_REDACTED "<REDACTED>"
rt_code rt_codec_redact(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err);

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

/* Do the leaves that the program seals, their rules and KEKs, and its payload rule equal what the plan lists for this
 * side? RT_REFUSED names
 * the first difference. */
rt_code rt_codec_check_plan(rt_codec *c, const struct rt_plan_side *side, rt_error *err);

#endif
