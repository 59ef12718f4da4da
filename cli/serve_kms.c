/* serve_kms.c: which key services `flec serve` calls for shared KEKs, and as whom. */
#include "cli/serve_kms.h"

#include "runtime/plan.h"

rt_code cli_serve_kms_open(cli_serve_kms *k, const char *config, const char *build, rt_error *err)
{
    *k = (cli_serve_kms){.arena = fl_arena_new()};
    rt_code code = config ? rt_config_load(config, &k->config, err) : RT_OK;
    const char *plan = build ? fl_printf(k->arena, "%s/plan.json", build) : NULL;
    if (code == RT_OK && plan && fl_exists(plan)) /* a folder that is no build is refused when it is loaded */
        code = rt_plan_load(k->arena, plan, &k->plan, err);
    k->source = (rt_param_source){.config = k->config, .plan = k->plan};
    k->params = rt_param_source_params(&k->source);
    return code;
}

static bool own_kms(void *ctx, const rt_kek *kek)
{
    const cli_serve_kms *k = ctx;
    return k->config || (k->params.may_call(k->params.ctx, kek->kms_type, kek->kms_key_id) &&
                         rt_param_source_has(&k->source, kek->name, kek->kms_type));
}

rt_registry_options cli_serve_kms_options(const cli_serve_kms *k)
{
    return (rt_registry_options){.params = &k->params, .own_kms = own_kms, .own_kms_ctx = (void *)k};
}

void cli_serve_kms_say(const cli_serve_kms *k)
{
    size_t own = 0, shared = 0;
    if (k->config) {
        fl_log(FL_LOG_INFO, "all shared KEKs use their own key services (--config)");
        return;
    }
    for (size_t i = 0; k->plan && i < k->plan->nkeks; i++) {
        const rt_kek *kek = &k->plan->keks[i].kek;
        bool uses = kek->shared && own_kms((void *)k, kek);
        shared += kek->shared;
        own += uses;
        if (uses) /* a real key is used because of the environment alone: that is said aloud */
            fl_log(FL_LOG_WARN, "shared KEK %s uses its own key service, %s, with credentials of the environment",
                   kek->name, kek->kms_type);
    }
    if (own == shared && shared)
        return;
    fl_log(shared ? FL_LOG_WARN : FL_LOG_INFO,
           "%sshared KEKs: a key of this registry stands in for their key services, for tests: no credentials for "
           "them are in --config or the environment",
           own ? "other " : "");
}

void cli_serve_kms_close(cli_serve_kms *k)
{
    rt_config_free(k->config);
    fl_arena_free(k->arena);
}
