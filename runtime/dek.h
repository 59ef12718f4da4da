/* dek.h: making and opening data encryption keys, for whoever holds the KEK's KMS: the client (keys.c), or for shared
 * KEKs the registry (store_deks.c). */
#ifndef FLEC_RUNTIME_DEK_H
#define FLEC_RUNTIME_DEK_H

#include "runtime/kms.h"

/* A new random key: *proto its Tink form (the caller frees), the result base64 of what the KMS made of it, in the
 * arena. */
rt_code rt_dek_make(rt_kms *kms, rt_alg alg, fl_arena *a, const char **encrypted, fl_secret *proto, rt_error *err);
/* What the KMS makes of a key that is there, in base64 in the arena. */
rt_code rt_dek_wrap(rt_kms *kms, const fl_secret *proto, fl_arena *a, const char **encrypted, rt_error *err);
/* The Tink form inside base64 `encrypted`; the caller frees. */
rt_code rt_dek_open(rt_kms *kms, const char *encrypted, fl_secret *proto, rt_error *err);

#endif
