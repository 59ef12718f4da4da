/* registry_settings.c: a registry's credentials and TLS files, out of settings, environment and plan. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/registry_http.h"

typedef struct settings {
    const rt_config *config;
    const rt_plan *plan;
    fl_secret user_info, token, cluster, pool, ca, cert, key;
    rt_error *err;
} settings;

/* Text of a setting under its own name or with `schema.registry.` before it; NULL: absent or empty. */
static const char *text(const settings *s, const char *name)
{
    char full[128];
    if (!s->config)
        return NULL;
    snprintf(full, sizeof full, "schema.registry.%s", name);
    const char *v = rt_config_get(s->config, full);
    v = v ? v : rt_config_get(s->config, name);
    return v && *v ? v : NULL;
}

static rt_code value(const settings *s, const char *name, fl_secret *out)
{
    const char *v = text(s, name);
    rt_error why;
    if (!v || out->len)
        return RT_OK;
    if (rt_config_resolve(v, out, &why))
        return rt_fail(s->err, RT_NO_KEY, "%s: %s", name, why.message);
    return RT_OK;
}

static void from_env(const char *name, fl_secret *out)
{
    const char *v = getenv(name);
    if (v && *v && !out->len) {
        *out = fl_secret_copy(v, strlen(v) + 1);
        out->len--;
    }
}

/* A choice of which flec has some. */
static rt_code only(const settings *s, const char *name, const char *const *known)
{
    const char *v = text(s, name);
    for (; v && *known; known++)
        if (!strcmp(v, *known))
            return RT_OK;
    return v ? rt_fail(s->err, RT_REFUSED, "%s=%.60s is beyond this version of flec", name, v) : RT_OK;
}

static rt_code choices(const settings *s)
{
    static const struct {
        const char *name, *known[3];
    } rows[] = {
        {"basic.auth.credentials.source", {"USER_INFO"}},
        {"bearer.auth.credentials.source", {"STATIC_TOKEN"}},
        {"ssl.truststore.type", {"PEM"}},
        {"ssl.keystore.type", {"PEM"}},
    };
    rt_code code = RT_OK;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !code; i++)
        code = only(s, rows[i].name, rows[i].known);
    static const char *const stores[][2] = {{"ssl.truststore.location", "ssl.truststore.type"},
                                            {"ssl.keystore.location", "ssl.keystore.type"}};
    for (size_t i = 0; i < 2 && !code; i++)
        if (text(s, stores[i][0]) && !text(s, stores[i][1]))
            code = rt_fail(s->err, RT_REFUSED,
                           "%s without %s=PEM is a Java key store, which flec does not read; give "
                           "PEM files (ssl.ca.location, ssl.certificate.location, ssl.key.location)",
                           stores[i][0], stores[i][1]);
    return code;
}

static rt_code from_settings(settings *s)
{
    const struct {
        const char *name;
        fl_secret *out;
    } rows[] = {
        {"bearer.auth.token", &s->token},
        {"basic.auth.user.info", &s->user_info},
        {"bearer.auth.logical.cluster", &s->cluster},
        {"bearer.auth.identity.pool.id", &s->pool},
        {"ssl.ca.location", &s->ca},
        {"ssl.truststore.location", &s->ca},
        {"ssl.certificate.location", &s->cert},
        {"ssl.keystore.location", &s->cert},
        {"ssl.key.location", &s->key},
    };
    rt_code code = choices(s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && !code; i++)
        code = value(s, rows[i].name, rows[i].out);
    if (!code && s->token.len && s->user_info.len)
        code =
            rt_fail(s->err, RT_REFUSED, "both basic.auth.user.info and bearer.auth.token are set: which shall it be?");
    return code;
}

/* Only where the settings say nothing: neither of the two kinds. */
static rt_code from_elsewhere(settings *s)
{
    if (s->token.len || s->user_info.len)
        return RT_OK;
    from_env("SCHEMA_REGISTRY_BEARER_AUTH_TOKEN", &s->token);
    if (!s->token.len)
        from_env("SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO", &s->user_info);
    if (s->token.len || s->user_info.len || !s->plan || !s->plan->registry_auth_secret)
        return RT_OK;
    rt_error why;
    bool basic = strcmp(s->plan->registry_auth_type, "basic") == 0;
    if (rt_config_resolve(s->plan->registry_auth_secret, basic ? &s->user_info : &s->token, &why))
        return rt_fail(s->err, RT_NO_KEY, "the registry's credentials: %s", why.message);
    return RT_OK;
}

static rt_code readable(const settings *s, const fl_secret *path)
{
    if (!path->len || !access((char *)path->bytes, R_OK))
        return RT_OK;
    return rt_fail(s->err, RT_IO, "%.200s: %s", (char *)path->bytes, strerror(errno));
}

static const char *or_null(const fl_secret *s)
{
    return s->len ? (const char *)s->bytes : NULL;
}

/* A password over plain HTTP can be read on the way. */
static void warn(const settings *s, const char *urls)
{
    const char *plain = strstr(urls, "http://");
    bool here = plain && (!strncmp(plain + 7, "127.", 4) || !strncmp(plain + 7, "localhost", 9) ||
                          !strncmp(plain + 7, "[::1]", 5));
    if (plain && !here && (s->token.len || s->user_info.len))
        fl_log(FL_LOG_WARN, "the registry's credentials go over plain http: take https");
}

static void free_all(settings *s)
{
    fl_secret *const all[] = {&s->user_info, &s->token, &s->cluster, &s->pool, &s->ca, &s->cert, &s->key};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        fl_secret_free(all[i]);
}

rt_code rt_registry_http_open(const char *urls, const rt_config *config, const rt_plan *plan, rt_registry **out,
                              rt_error *err)
{
    rt_error own = {0};
    settings s = {.config = config, .plan = plan, .err = err ? err : &own};
    rt_code code = from_settings(&s);
    if (!code)
        code = from_elsewhere(&s);
    const fl_secret *const files[] = {&s.ca, &s.cert, &s.key};
    for (size_t i = 0; i < 3 && !code; i++)
        code = readable(&s, files[i]);
    if (!code) {
        rt_registry_http_options o = {.urls = urls,
                                      .user_info = s.user_info.len ? &s.user_info : NULL,
                                      .token = s.token.len ? &s.token : NULL,
                                      .cluster = or_null(&s.cluster),
                                      .pool = or_null(&s.pool),
                                      .ca_file = or_null(&s.ca),
                                      .cert_file = or_null(&s.cert),
                                      .key_file = or_null(&s.key)};
        warn(&s, urls);
        code = rt_registry_http(&o, out, s.err);
    }
    free_all(&s);
    return code;
}
