/* keys.h: the life of data encryption keys on one client: look up, create, rotate, unwrap, cache. One rt_keys is one
 * client (a writer, a reader with these KEKs): what it may not use it fails on, and never goes on in clear.
 *
 * Life cycle as the vendor's clients have it: KEK missing on write: created unshared if the rule names type and key id,
 * else refused; a conflict on creation: read again. Without rotation DEK version 1; with it the latest, and a new one
 * when whole days since its creation reach the limit, or when it has encrypted nearly 2^32 fields (seals.h). If making
 * it fails, the old one is used with a warning, and it is tried again after a minute. Reading never checks age, and
 * finds deleted keys.
 *
 * What is kept: as many contexts as options say, those used longest ago go first. Each is asked for again when a
 * twenty-fourth of its time is over and it is in use: in a thread of its own if the registry takes several threads, and
 * records go on under the context that is there. Out of reach (RT_IO): it stays, and a minute later it is tried again.
 * Refused, deleted: it goes, and the next record fails with the reason. At the end of its time it goes in any case, and
 * so does one that nobody uses. Contexts are wiped as they go.
 *
 * An rt_keys belongs to one thread. */
#ifndef FLEC_RUNTIME_KEYS_H
#define FLEC_RUNTIME_KEYS_H

#include "runtime/aead.h"
#include "runtime/key_share.h"
#include "runtime/registry.h"

typedef struct rt_keys rt_keys;

#define RT_KEYS_MOST     4096  /* far more than the rules of one record */
#define RT_KEYS_EXPIRY_S 86400 /* a day: asked for again each hour */
#define RT_KEYS_REFRESH  24    /* part of its time after which a context is asked for again */

typedef struct rt_keys_options {
    rt_registry *registry;                       /* not owned */
    rt_params params;                            /* KMS credentials of this client */
    bool (*may_use)(void *ctx, const char *kek); /* NULL: all. false: as if the KMS refused */
    void *may_use_ctx;
    int64_t (*now_ms)(void *ctx); /* NULL: the system's clock */
    void *now_ctx;
    size_t most;        /* contexts at once; 0: RT_KEYS_MOST. At least twice the rules of a record */
    bool makes_no_keks; /* one that is missing is refused, whatever the rule names: who may register it is another
                           matter */
    int64_t expiry_s; /* how long a context may be used; 0: RT_KEYS_EXPIRY_S; below 0: for ever, as the vendor's default
                         is */
    rt_key_share *share; /* unwrapped keys, of all clients with these params; or NULL. Not owned */
} rt_keys_options;

rt_keys *rt_keys_new(const rt_keys_options *opt);
void rt_keys_free(rt_keys *k);

/* What a rule says of its key. Strings are the caller's and must stay as long as the rt_keys. */
typedef struct rt_key_spec {
    const char *kek, *subject;
    const char *kms_type, *kms_key_id; /* NULL if the rule names none; must equal the registered KEK's otherwise */
    rt_alg alg;
    int expiry_days; /* 0: no rotation */
} rt_key_spec;

/* The key to write with now; *version goes into the prefix when expiry_days > 0. The context stays the cache's, and is
 * good until rt_keys_tend. Called per record: a hit is a pointer comparison and a clock check. */
rt_code rt_keys_for_write(rt_keys *k, const rt_key_spec *spec, rt_key **key, int32_t *version, rt_error *err);
/* version: 1 without rotation, else what the prefix said. */
rt_code rt_keys_for_read(rt_keys *k, const rt_key_spec *spec, int32_t version, rt_key **key, rt_error *err);

/* Between two records: takes in what was asked in the background, lets go what is past its time. Nothing that was given
 * out before is good afterwards, unless the epoch stayed the same. A flag and a clock where there is nothing to do. */
void rt_keys_tend(rt_keys *k);
/* Changes whenever a context that was given out may be gone, or is to be asked for again. While it stays the same, a
 * key to write without rotation, or to read a version, need not be asked for again. */
uint64_t rt_keys_epoch(const rt_keys *k);
/* For tests: waits until what is asked in the background is answered. */
void rt_keys_wait(rt_keys *k);

#endif
