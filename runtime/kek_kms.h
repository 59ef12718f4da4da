/* kek_kms.h: the KMS of one KEK as an rt_kms: its key id, then the alternate ones in turn, for wrapping and unwrapping
 * alike (as the vendor's clients do). Parameters come from the KEK's kmsProps first, then from the client. */
#ifndef FLEC_RUNTIME_KEK_KMS_H
#define FLEC_RUNTIME_KEK_KMS_H

#include "runtime/registry.h"

/* params->ctx must outlive it; the KEK is copied. Drivers are opened when first needed, so errors may come with the
 * first wrap. */
rt_code rt_kek_kms_open(const rt_kek *kek, const rt_params *params, rt_kms **out, rt_error *err);

#endif
