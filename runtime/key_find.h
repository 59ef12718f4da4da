/* key_find.h: one exchange with registry and KMS that ends in an open key context: KEK, DEK, its material, made or
 * rotated where a writer needs it. What keys.c keeps, this file gets. It has no state, so that a thread of its own may
 * run it (key_refresh.h). */
#ifndef FLEC_RUNTIME_KEY_FIND_H
#define FLEC_RUNTIME_KEY_FIND_H

#include "runtime/keys.h"

typedef struct rt_key_want {
    const rt_keys_options *opt;
    const rt_key_spec *spec;
    bool write;
    int32_t asked; /* reading: the version */
    int32_t spent; /* writing: this version must not be used any longer (seals.h); 0: none */
} rt_key_want;

typedef struct rt_key_found {
    rt_key *key; /* the caller frees */
    int32_t version;
    int64_t ts; /* ms, of the DEK */
    bool stale; /* it should have been rotated, and could not be */
} rt_key_found;

rt_code rt_key_find(const rt_key_want *want, rt_key_found *out, rt_error *err);

/* Is a DEK of that age to be replaced by a writer? Whole days, as in Java and Go. */
bool rt_key_expired(const rt_keys_options *opt, const rt_key_spec *spec, int64_t ts);
int64_t rt_keys_now(const rt_keys_options *opt);

#endif
