/* kms.h: the seam of the key management services. A driver wraps and unwraps the serialised Tink key proto of a DEK
 * under the key that a KEK names: local-kms, aws-kms, azure-kms, gcp-kms, hcvault (docs/kms.md). */
#ifndef FLEC_RUNTIME_KMS_H
#define FLEC_RUNTIME_KMS_H

#include "runtime/error.h"

/* Where a driver finds credentials: parameter names without prefix (facts: "secret", "access.key.id", …). Returned
 * values are secrets: the caller frees. An absent one has bytes == NULL.
 *
 * env: a variable of the environment by its name, for what no parameter is for; NULL: none is seen. may_call: whether
 * policy or configuration named this key id; NULL: they named none. A driver that calls over the network is opened for
 * such ids alone: neither a record nor a registry can name a host that flec then calls. check: why
 * `get` gives nothing for a parameter that is set; NULL: it never does. A driver with several ways to credentials must
 * not take the next one for a slip in the first. */
typedef struct rt_params {
    fl_secret (*get)(void *ctx, const char *kek, const char *name);
    void *ctx;
    fl_secret (*env)(void *ctx, const char *name);
    bool (*may_call)(void *ctx, const char *type, const char *key_id);
    rt_code (*check)(void *ctx, const char *kek, const char *name, rt_error *err);
} rt_params;

typedef struct rt_kms rt_kms; /* a client for one KEK */
struct rt_kms {
    rt_code (*wrap)(rt_kms *k, const fl_secret *plain, fl_buf *wrapped, rt_error *err);
    rt_code (*unwrap)(rt_kms *k, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err);
    void (*free)(rt_kms *k);
};

/* Picks the driver by type ("local-kms"). RT_NO_KEY if there is none, if nobody named the key id, or if credentials are
 * missing. params->ctx must outlive it. Opening calls no one. */
rt_code rt_kms_open(const char *kek, const char *type, const char *key_id, const rt_params *params, rt_kms **out,
                    rt_error *err);

/* Does the driver of this type call a service? */
bool rt_kms_remote(const char *type);
/* RT_NO_KEY with the key id in the message if it is one that nobody named. */
rt_code rt_kms_named(const char *kek, const char *type, const char *key_id, const rt_params *params, rt_error *err);

/* The Tink key proto (AesGcmKey field 3, AesSivKey field 2) around a raw key, and back. */
#include "runtime/aead.h"
fl_secret rt_tink_wrap(rt_alg alg, const fl_secret *raw);
rt_code rt_tink_unwrap(rt_alg alg, const fl_secret *proto, fl_secret *raw, rt_error *err);

#endif
