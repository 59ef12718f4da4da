/* link.c: a client's registry, cache and file of seals, out of its settings. */
#include "runtime/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/registry_http.h"

static bool begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

const char *rt_link_setting(const rt_config *c, const char *name)
{
    char full[128];
    if (!c)
        return NULL;
    snprintf(full, sizeof full, "rule.executors._default_.param.%s", name);
    const char *v = rt_config_get(c, full);
    return v ? v : rt_config_get(c, name);
}

rt_code rt_link_expiry(const rt_config *c, int64_t *out, rt_error *err)
{
    const char *text = rt_link_setting(c, "cache.expiry.secs");
    char *end;
    if (!text)
        return RT_OK;
    long v = strtol(text, &end, 10);
    if (end == text || *end || v < -1 || v == 0 || v > 100000000)
        return rt_fail(err, RT_BAD_INPUT, "cache.expiry.secs must be a number of seconds, or -1 for no end");
    *out = v;
    return RT_OK;
}

const char *rt_link_registry(const char *given, const rt_config *c, const rt_plan *plan)
{
    const char *url = given;
    if (!url && c)
        url = rt_config_get(c, "schema.registry.url");
    if (!url)
        url = getenv("SCHEMA_REGISTRY_URL");
    return url || !plan ? url : plan->registry_url;
}

static rt_code open_embedded(const char *url, const rt_registry_options *opt, rt_link *out, rt_error *err)
{
    rt_registry *store;
    rt_code code = rt_registry_open(url, opt, &store, err);
    if (!code)
        out->registry = rt_registry_locked(store); /* keys are asked for again in a thread of their own */
    return code;
}

rt_code rt_link_open(const char *text, const rt_config *c, const rt_plan *plan, const rt_registry_options *opt,
                     rt_link *out, rt_error *err)
{
    rt_code code = rt_config_resolve(text, &out->url, err);
    if (code)
        return code;
    const char *url = out->url.len ? (const char *)out->url.bytes : "";
    out->passing = begins(url, "mem:");
    if (out->passing)
        return rt_fail(err, RT_REFUSED,
                       "a registry `mem:` ends with this process, and its keys with it; take file://DIR");
    out->remote = begins(url, "http://") || begins(url, "https://");
    return out->remote ? rt_registry_http_open(url, c, plan, &out->registry, err) : open_embedded(url, opt, out, err);
}

void rt_link_close(rt_link *link)
{
    if (link->registry)
        rt_registry_close(link->registry);
    link->registry = NULL;
    fl_secret_free(&link->url);
}

const char *rt_link_seals_file(fl_arena *a, const rt_config *c, const rt_link *link)
{
    const char *file = c ? rt_config_get(c, "flec.seals.file") : NULL;
    const char *url = link->url.len ? (const char *)link->url.bytes : "";
    return file || !begins(url, "file://") ? file : fl_printf(a, "%s/seals.log", url + strlen("file://"));
}
