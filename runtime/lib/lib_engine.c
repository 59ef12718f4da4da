/* lib_engine.c: engines of the C library: settings, plan, registry, and what codecs of several threads share. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/lib/lib.h"
#include "runtime/seals.h"

#define USAGE ((rt_code)FLEC_USAGE)

/* ---- settings ---- */

static const char *const own_names[] = {"flec.config.file", "flec.crypto", "flec.seals.file", "flec.kms.key.ids"};
enum { OWN_NAMES = sizeof own_names / sizeof *own_names };

/* A misspelt setting of flec's own would silently not count. Those of clients are many, and not all are flec's. */
static rt_code check_name(const char *name, rt_error *err)
{
    if (strncmp(name, "flec.", 5) != 0)
        return RT_OK;
    for (size_t i = 0; i < OWN_NAMES; i++)
        if (strcmp(name, own_names[i]) == 0)
            return RT_OK;
    const char *near = fl_nearest(name, own_names, OWN_NAMES);
    return rt_fail(err, USAGE, "there is no setting %s%s%s", name, near ? "; did you mean " : "", near ? near : "");
}

static const char *listed(const char *const *settings, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; settings && settings[i] && settings[i + 1]; i += 2)
        if (strcmp(settings[i], name) == 0)
            value = settings[i + 1];
    return value;
}

static rt_code read_settings(flec_engine *e, const char *const *settings, rt_error *err)
{
    for (size_t i = 0; settings && settings[i]; i += 2) {
        rt_code code = check_name(settings[i], err);
        if (code)
            return code;
        if (!settings[i + 1])
            return rt_fail(err, USAGE, "setting %s has no value", settings[i]);
    }
    rt_code code = rt_config_load(listed(settings, "flec.config.file"), &e->config, err);
    for (size_t i = 0; settings && settings[i] && !code; i += 2)
        rt_config_set(e->config, settings[i], settings[i + 1]);
    return code;
}

static rt_code use_crypto(const flec_engine *e, rt_error *err)
{
    const char *name = rt_config_get(e->config, "flec.crypto");
    rt_crypto crypto;
    if (!name)
        return RT_OK;
    if (!rt_crypto_parse(name, &crypto))
        return rt_fail(err, USAGE, "flec.crypto must be auto, openssl or ipsec-mb");
    return rt_crypto_use(crypto, err);
}

/* ---- plan and registry ---- */

static rt_code load_plan(flec_engine *e, const char *path, rt_error *err)
{
    struct stat st;
    if (!path)
        return RT_OK;
    if (!stat(path, &st) && S_ISDIR(st.st_mode))
        path = fl_printf(e->a, "%s/plan.json", path);
    rt_code code = rt_plan_load(e->a, path, &e->plan, err);
    if (!code)
        e->known = FL_NEW_N(e->a, bool, e->plan->ntopics);
    return code;
}

static rt_code register_plan(flec_engine *e, rt_error *err)
{
    rt_code code = rt_plan_register(e->plan, e->link.registry, e->a, err);
    for (size_t i = 0; !code && i < e->plan->ntopics; i++)
        e->known[i] = true;
    return code;
}

static rt_code open_registry(flec_engine *e, rt_error *err)
{
    rt_registry_options opt = {.now_ms = e->clock.now_ms, .now_ctx = e->clock.ctx};
    const char *text = rt_link_registry(NULL, e->config, e->plan);
    if (!text || !*text)
        return rt_fail(err, USAGE, "no registry is named: set schema.registry.url");
    rt_code code = rt_link_open(text, e->config, e->plan, &opt, &e->link, err);
    if (e->link.passing)
        return USAGE;
    return code || e->link.remote || !e->plan ? code : register_plan(e, err);
}

/* ---- the file of seals ---- */

static struct {
    pthread_mutex_t lock;
    char *file;
    size_t users;
} counting = {.lock = PTHREAD_MUTEX_INITIALIZER};

rt_code rt_lib_count(const char *file, rt_error *err)
{
    rt_code code = RT_OK;
    pthread_mutex_lock(&counting.lock);
    if (counting.users && strcmp(counting.file, file) != 0)
        code = rt_fail(err, RT_REFUSED,
                       "this process counts its encryptions in %.200s already, and cannot in %.200s as well: name one "
                       "in flec.seals.file of all engines",
                       counting.file, file);
    else if (!counting.users)
        code = rt_seals_keep(file, err);
    if (!code && !counting.users++)
        counting.file = fl_xstrdup(file);
    pthread_mutex_unlock(&counting.lock);
    return code;
}

void rt_lib_count_end(void)
{
    pthread_mutex_lock(&counting.lock);
    if (!--counting.users) {
        rt_seals_close();
        free(counting.file);
        counting.file = NULL;
    }
    pthread_mutex_unlock(&counting.lock);
}

void rt_lib_count_fork(rt_lib_fork when)
{
    if (when == RT_LIB_BEFORE) {
        pthread_mutex_lock(&counting.lock);
        return;
    }
    if (when == RT_LIB_CHILD) { /* seals.c leaves the file to the parent; engines that held it are the parent's */
        counting.users = 0;
        free(counting.file);
        counting.file = NULL;
    }
    pthread_mutex_unlock(&counting.lock);
}

/* ---- opening and closing ---- */

static void free_engine(flec_engine *e)
{
    rt_key_share_free(e->share);
    rt_link_close(&e->link);
    if (e->counts)
        rt_lib_count_end();
    rt_config_free(e->config);
    fl_arena_free(e->a);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

rt_code rt_lib_open(flec_engine **out, const char *plan, const char *const *settings, const rt_lib_clock *clock,
                    rt_error *err)
{
    rt_lib_setup();
    flec_engine *e = fl_xcalloc(1, sizeof *e);
    e->a = fl_arena_new();
    e->users = 1;
    e->life = rt_lib_life();
    if (clock)
        e->clock = *clock;
    pthread_mutex_init(&e->lock, NULL);
    rt_code code = read_settings(e, settings, err);
    if (!code)
        code = use_crypto(e, err);
    if (!code && rt_link_expiry(e->config, &e->expiry_s, err))
        code = USAGE;
    if (!code)
        code = load_plan(e, plan, err);
    if (!code)
        code = open_registry(e, err);
    if (code) {
        free_engine(e);
        return code;
    }
    e->source = (rt_param_source){.config = e->config, .plan = e->plan};
    e->share = rt_key_share_new(e->expiry_s > 0 && e->expiry_s < RT_KEYS_EXPIRY_S
                                    ? e->expiry_s * 1000 / RT_KEYS_REFRESH / 2 + 1
                                    : RT_KEY_SHARE_MS);
    *out = e;
    return RT_OK;
}

flec_code flec_engine_open(flec_engine **engine, const char *plan, const char *const *settings, char *message,
                           size_t size)
{
    rt_error err = {0};
    if (message && size)
        *message = 0;
    if (!engine)
        return FLEC_USAGE;
    *engine = NULL;
    rt_code code = rt_lib_open(engine, plan, settings, NULL, &err);
    return code ? rt_lib_fail(code, &err, message, size) : FLEC_OK;
}

void rt_lib_hold(flec_engine *e)
{
    __atomic_add_fetch(&e->users, 1, __ATOMIC_RELAXED);
}

void rt_lib_release(flec_engine *e)
{
    if (__atomic_sub_fetch(&e->users, 1, __ATOMIC_ACQ_REL) == 0)
        free_engine(e);
}

void flec_engine_close(flec_engine *engine)
{
    if (engine && !rt_lib_inherited(engine))
        rt_lib_release(engine);
}
