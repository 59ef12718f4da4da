/* payload.h: ENCRYPT_PAYLOAD: the encoded body of a record as a whole, whatever its format (docs/wire.md 2). What names
 * the schema, and Protobuf's message indexes, stay in clear in front of it. */
#ifndef FLEC_RUNTIME_PAYLOAD_H
#define FLEC_RUNTIME_PAYLOAD_H

#include "runtime/rules.h"

typedef struct rt_payload rt_payload;      /* keys and buffers of one codec; of one thread */
rt_payload *rt_payload_new(rt_keys *keys); /* keys: not owned */
void rt_payload_free(rt_payload *p);

/* Does any payload rule run in that direction? */
bool rt_payload_runs(const rt_rules *rs, bool read);

/* Append to out what the rules make of the n bytes of in, which lie outside out: sealing in list order, opening in
 * reverse. On an error out is what it was, and *failed the rule. skip: the name of a rule that does not run on this
 * record, or NULL.
 *
 * A rule that fails to seal passes the body on only where the emulated converter says so. One that fails to open never
 * does, whatever its onFailure: its ciphertext is no value of the schema, and could be taken for one. */
rt_code rt_payload_seal(rt_payload *p, const rt_rules *rs, const uint8_t *in, size_t n, fl_buf *out,
                        const rt_rule **failed, rt_error *err);
rt_code rt_payload_open(rt_payload *p, const rt_rules *rs, const char *skip, const uint8_t *in, size_t n, fl_buf *out,
                        const rt_rule **failed, rt_error *err);

#endif
