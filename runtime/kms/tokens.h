/* tokens.h: tokens of this process until they expire: access tokens, sessions, Vault logins. A token is found by who
 * asked with which credentials, so that two clients with different credentials never share one. Thread-safe. */
#ifndef FLEC_RUNTIME_KMS_TOKENS_H
#define FLEC_RUNTIME_KMS_TOKENS_H

#include "base/base.h"

typedef struct kms_token_id {
    char hex[65]; /* a salted digest: the credentials do not stay in it */
} kms_token_id;

/* Over all parts; one with bytes NULL differs from an empty one. */
kms_token_id kms_token_of(const fl_secret *const *parts, size_t n);
/* A copy, followed by a NUL that is not counted; the caller frees. false: none, or it is about to expire. */
bool kms_token_get(const kms_token_id *id, fl_secret *out);
/* life_s: as the service said. A tenth of it, at most a minute, is kept as a margin. */
void kms_token_put(const kms_token_id *id, const fl_secret *token, int64_t life_s);
/* Forgets it if it is still this one: another thread may have a newer one by now. */
void kms_token_drop(const kms_token_id *id, const fl_secret *token);

#endif
