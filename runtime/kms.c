/* kms.c: which driver serves a KMS type. */
#include "runtime/kms.h"

#include <string.h>

#include "runtime/drivers.h"

/* open NULL: a type that flec knows and this version has no driver for. */
static const struct driver {
    const char *type;
    rt_kms_opener *open;
} drivers[] = {
    {"local-kms", rt_kms_local_open}, {"aws-kms", NULL}, {"azure-kms", NULL}, {"gcp-kms", NULL}, {"hcvault", NULL},
};

rt_code rt_kms_open(const char *kek, const char *type, const char *key_id, const rt_params *params, rt_kms **out,
                    rt_error *err)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++) {
        if (strcmp(type, drivers[i].type) != 0)
            continue;
        if (drivers[i].open)
            return drivers[i].open(kek, key_id, params, out, err);
        return rt_fail(err, RT_NO_KEY,
                       "KEK %s: this version of flec has no driver for %s; use a KEK of type local-kms here", kek,
                       type);
    }
    return rt_fail(err, RT_NO_KEY,
                   "KEK %s: unknown KMS type %s; flec knows aws-kms, azure-kms, gcp-kms, hcvault, local-kms", kek,
                   type);
}
