/* azure_token.h: access tokens for Azure Key Vault: a client's secret, a workload's federated token, a managed
 * identity. */
#ifndef FLEC_RUNTIME_KMS_AZURE_TOKEN_H
#define FLEC_RUNTIME_KMS_AZURE_TOKEN_H

#include "runtime/kms/remote.h"

typedef struct azure_token {
    fl_secret text;
    kms_token_id id; /* under which it is kept */
} azure_token;

/* resource: as "https://vault.azure.net". authority: as "https://login.microsoftonline.com". The caller frees text. */
rt_code azure_token_find(kms_remote *r, const char *resource, const char *authority, azure_token *out, rt_error *err);

#endif
