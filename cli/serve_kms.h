/* serve_kms.h: which key services `flec serve` calls for shared KEKs, and as whom. */
#ifndef FLEC_CLI_SERVE_KMS_H
#define FLEC_CLI_SERVE_KMS_H

#include "runtime/config.h"

/* With --config every shared KEK uses its own key service. Without, one that the build's plan names does if the
 * environment (or the plan) holds credentials for its type; the registry's stand-in serves the others. */
typedef struct cli_serve_kms {
    rt_config *config; /* NULL: no --config */
    fl_arena *arena;
    rt_plan *plan; /* NULL: no --build */
    rt_param_source source;
    rt_params params;
} cli_serve_kms;

/* config, build: the options, or NULL. k must stay where it is until cli_serve_kms_close, which frees it whatever came
 * of the opening. */
rt_code cli_serve_kms_open(cli_serve_kms *k, const char *config, const char *build, rt_error *err);
/* k must outlive the registry. */
rt_registry_options cli_serve_kms_options(const cli_serve_kms *k);
/* Says which shared KEKs use what. */
void cli_serve_kms_say(const cli_serve_kms *k);
void cli_serve_kms_close(cli_serve_kms *k);

#endif
