/* kms.c: which driver serves a KMS type. */
#include "runtime/kms.h"

#include <string.h>

#include "runtime/drivers.h"

/* remote: it calls a service, and only of a key
 * id that policy or configuration names. */
static const struct driver {
    const char *type;
    rt_kms_opener *open;
    bool remote;
} drivers[] = {
    {"local-kms", rt_kms_local_open, false}, {"aws-kms", rt_kms_aws_open, true},
    {"azure-kms", rt_kms_azure_open, true},  {"gcp-kms", rt_kms_gcp_open, true},
    {"hcvault", rt_kms_vault_open, true},
};

static const struct driver *find(const char *type)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (!strcmp(type, drivers[i].type))
            return &drivers[i];
    return NULL;
}

bool rt_kms_remote(const char *type)
{
    const struct driver *d = find(type);
    return d && d->remote;
}

rt_code rt_kms_named(const char *kek, const char *type, const char *key_id, const rt_params *params, rt_error *err)
{
    if (!rt_kms_remote(type) || (params->may_call && params->may_call(params->ctx, type, key_id)))
        return RT_OK;
    return rt_fail(
        err, RT_NO_KEY,
        "KEK %s: nothing is called for key id %s: the plan has no %s KEK with it, and --config does not list "
        "it in flec.kms.key.ids",
        kek, key_id, type);
}

rt_code rt_kms_open(const char *kek, const char *type, const char *key_id, const rt_params *params, rt_kms **out,
                    rt_error *err)
{
    const struct driver *d = find(type);
    if (!d)
        return rt_fail(err, RT_NO_KEY,
                       "KEK %s: unknown KMS type %s; flec knows aws-kms, azure-kms, gcp-kms, hcvault, local-kms", kek,
                       type);
    rt_code code = rt_kms_named(kek, type, key_id, params, err);
    return code == RT_OK ? d->open(kek, key_id, params, out, err) : code;
}
