/* kek_kms.h: the KMS of one KEK as an rt_kms: its key id, then the alternate ones in turn, for wrapping and unwrapping
 * alike (as the vendor's clients do).
 *
 * kmsProps come from a registry. Those of local-kms stand before the client's parameters, as in Java and JavaScript. Of
 * a key service's, only the alternate key ids and encrypt.azure.key.version.save count: a registry must not be able to
 * say who is trusted, in which namespace a key lies, or as whom it is used. Every key id must be one that policy or
 * configuration names. */
#ifndef FLEC_RUNTIME_KEK_KMS_H
#define FLEC_RUNTIME_KEK_KMS_H

#include "runtime/registry.h"

/* params->ctx must outlive it; the KEK is copied. Drivers are opened when first needed, so errors may come with the
 * first wrap. */
rt_code rt_kek_kms_open(const rt_kek *kek, const rt_params *params, rt_kms **out, rt_error *err);

#endif
