/* drivers.h: the KMS drivers, for the table in kms.c alone. */
#ifndef FLEC_RUNTIME_DRIVERS_H
#define FLEC_RUNTIME_DRIVERS_H

#include "runtime/kms.h"

typedef rt_code rt_kms_opener(const char *kek, const char *key_id, const rt_params *params, rt_kms **out,
                              rt_error *err);

rt_kms_opener rt_kms_local_open, rt_kms_aws_open, rt_kms_azure_open, rt_kms_gcp_open, rt_kms_vault_open;

/* The 16 bytes that the secret of the local KMS stands for: HKDF-SHA256, no salt, no info. An empty secret is allowed.
 */
bool rt_kms_local_derive(const fl_secret *secret, fl_secret *out);

#endif
