/* key_find.c: KEK, DEK and key of one use, from registry and KMS. */
#include "runtime/key_find.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/dek.h"
#include "runtime/kek_kms.h"

#define DAY_MS INT64_C(86400000)

int64_t rt_keys_now(const rt_keys_options *opt)
{
    struct timespec t;
    if (opt->now_ms)
        return opt->now_ms(opt->now_ctx);
    clock_gettime(CLOCK_REALTIME_COARSE, &t); /* once a record: a few ns, and some ms are enough */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool rt_key_expired(const rt_keys_options *opt, const rt_key_spec *s, int64_t ts)
{
    return s->expiry_days > 0 && (rt_keys_now(opt) - ts) / DAY_MS >= s->expiry_days;
}

typedef struct exchange {
    const rt_key_want *want;
    const rt_key_spec *spec;
    fl_arena *a;
    rt_kek kek;
    rt_error *err;
} exchange;

static rt_registry *registry(const exchange *x)
{
    return x->want->opt->registry;
}

static rt_code fetch_kek(exchange *x, rt_error *err)
{
    const rt_registry_ops *ops = registry(x)->ops;
    const rt_key_spec *s = x->spec;
    if (ops->get_kek_of)
        return ops->get_kek_of(registry(x), x->a, s->kek, s->subject, !x->want->write, &x->kek, err);
    return ops->get_kek(registry(x), x->a, s->kek, !x->want->write, &x->kek, err);
}

/* A KEK that nobody registered: made unshared by a writer whose rule says what it is, as the vendor's clients do. */
static rt_code make_kek(exchange *x)
{
    const rt_key_spec *s = x->spec;
    if (!x->want->write)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s is not in the registry: nothing of it can be read", s->kek);
    if (x->want->opt->makes_no_keks)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s is not in the registry: register it first", s->kek);
    if (!s->kms_type || !s->kms_key_id)
        return rt_fail(x->err, RT_NO_KEY,
                       "KEK %s is not in the registry, and the rule names no kms type and key id to make it with: "
                       "register it first",
                       s->kek);
    rt_kek kek = {.name = s->kek, .kms_type = s->kms_type, .kms_key_id = s->kms_key_id};
    const rt_registry_ops *ops = registry(x)->ops;
    rt_code code = ops->create_kek_of ? ops->create_kek_of(registry(x), &kek, s->subject, x->err)
                                      : ops->create_kek(registry(x), &kek, x->err);
    if (code != RT_OK && code != RT_CONFLICT)
        return code;
    code = fetch_kek(x, x->err);
    return code == RT_NOT_FOUND
               ? rt_fail(x->err, RT_NO_KEY, "KEK %s is deleted in the registry: nothing is written under it", s->kek)
               : code;
}

static rt_code find_kek(exchange *x)
{
    const rt_key_spec *s = x->spec;
    if (x->want->opt->may_use && !x->want->opt->may_use(x->want->opt->may_use_ctx, s->kek))
        return rt_fail(x->err, RT_NO_KEY, "this client may not use KEK %s", s->kek);
    rt_code code = fetch_kek(x, x->err);
    if (code == RT_NOT_FOUND)
        code = make_kek(x);
    if (code != RT_OK)
        return code;
    if (s->kms_type && strcmp(s->kms_type, x->kek.kms_type) != 0)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s is of kms type %s in the registry, the rule says %s", s->kek,
                       x->kek.kms_type, s->kms_type);
    if (s->kms_key_id && strcmp(s->kms_key_id, x->kek.kms_key_id) != 0)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s has kms key id %s in the registry, the rule says %s", s->kek,
                       x->kek.kms_key_id, s->kms_key_id);
    return RT_OK;
}

static rt_code fetch_dek(exchange *x, int version, rt_dek *out)
{
    const rt_key_spec *s = x->spec;
    rt_code code =
        registry(x)->ops->get_dek(registry(x), x->a, s->kek, s->subject, s->alg, version, !x->want->write, out, x->err);
    if (code == RT_OK && !x->kek.shared)
        fl_secret_free(&out->material); /* it would be a key that the registry chose */
    return code;
}

/* Registers a new DEK: for a shared KEK the registry makes the key. `material` of *out is then always set. */
static rt_code post_dek(exchange *x, int version, rt_dek *out)
{
    rt_dek want = {.kek = x->spec->kek, .subject = x->spec->subject, .version = version, .alg = x->spec->alg};
    fl_secret proto = {0};
    rt_kms *kms;
    rt_code code = RT_OK;
    if (!x->kek.shared) {
        if ((code = rt_kek_kms_open(&x->kek, &x->want->opt->params, &kms, x->err)) != RT_OK)
            return code;
        code = rt_dek_make(kms, want.alg, x->a, &want.encrypted, &proto, x->err);
        kms->free(kms);
    }
    if (code == RT_OK)
        code = registry(x)->ops->create_dek(registry(x), x->a, &want, out, x->err);
    if (code == RT_OK && !x->kek.shared) {
        fl_secret_free(&out->material);
        out->material = proto;
    } else {
        fl_secret_free(&proto);
    }
    return code;
}

/* On a conflict another writer was first: its key is the key. */
static rt_code make_dek(exchange *x, int version, int ask, rt_dek *out)
{
    rt_code code = post_dek(x, version, out);
    if (code != RT_CONFLICT)
        return code;
    code = fetch_dek(x, ask, out);
    if (code == RT_NOT_FOUND)
        return rt_fail(x->err, RT_NO_KEY,
                       "KEK %s: the DEK of subject %s, version %d, is deleted: nothing is written under it",
                       x->spec->kek, x->spec->subject, version);
    return code;
}

/* A new version in place of one that is too old or spent. Failing that the old one goes on, as in the vendor's clients
 * (a spent one as long as it has seals). */
static rt_code rotate(exchange *x, const char *why, rt_dek *dek, bool *stale)
{
    rt_dek fresh = {0};
    rt_error failed = {0};
    rt_error *err = x->err;
    x->err = &failed;
    rt_code code = dek->version < INT32_MAX ? make_dek(x, dek->version + 1, -1, &fresh) : RT_CONFLICT;
    x->err = err;
    *stale = code != RT_OK || fresh.version <= dek->version;
    if (!*stale) {
        fl_secret_free(&dek->material);
        *dek = fresh;
        return RT_OK;
    }
    fl_secret_free(&fresh.material);
    fl_log(FL_LOG_WARN, "KEK %s, subject %s: the DEK %s and no new one could be made (%s); version %d stays in use",
           x->spec->kek, x->spec->subject, why, failed.message, dek->version);
    return RT_OK;
}

static rt_code find_dek(exchange *x, rt_dek *out, bool *stale)
{
    const rt_key_spec *s = x->spec;
    const rt_key_want *w = x->want;
    int ask = !w->write ? w->asked : s->expiry_days > 0 ? -1 : 1;
    *stale = false;
    rt_code code = fetch_dek(x, ask, out);
    if (code == RT_NOT_FOUND && !w->write)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s has no DEK of subject %s, %s, version %d", s->kek, s->subject,
                       rt_alg_name(s->alg), (int)w->asked);
    if (code == RT_NOT_FOUND)
        code = make_dek(x, 1, ask, out);
    if (code != RT_OK || !w->write || s->expiry_days <= 0)
        return code;
    if (w->spent && out->version == w->spent)
        return rotate(x, "has encrypted nearly 2^32 fields", out, stale);
    return rt_key_expired(w->opt, s, out->ts)
               ? rotate(x, fl_printf(x->a, "is older than %d days", s->expiry_days), out, stale)
               : code;
}

typedef struct wrapped_key {
    exchange *x;
    const char *encrypted;
} wrapped_key;

static rt_code ask_kms(void *ctx, fl_secret *proto, rt_error *err)
{
    wrapped_key *w = ctx;
    rt_kms *kms;
    rt_code code = rt_kek_kms_open(&w->x->kek, &w->x->want->opt->params, &kms, err);
    if (code != RT_OK)
        return code;
    code = rt_dek_open(kms, w->encrypted, proto, err);
    kms->free(kms);
    return code;
}

/* Unwraps what did not come in clear: every DEK but a new one, and those of shared KEKs. */
static rt_code material(exchange *x, rt_dek *dek)
{
    wrapped_key w = {x, dek->encrypted};
    rt_key_share *share = x->want->opt->share;
    if (dek->material.bytes)
        return RT_OK;
    if (!dek->encrypted)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s, subject %s: the registry returned a DEK without a key", x->spec->kek,
                       x->spec->subject);
    return share ? rt_key_share_get(share, &x->kek, dek->encrypted, ask_kms, &w, &dek->material, x->err)
                 : ask_kms(&w, &dek->material, x->err);
}

static rt_code open_context(exchange *x, const rt_dek *dek, rt_key **key)
{
    fl_secret raw;
    rt_code code = rt_tink_unwrap(x->spec->alg, &dek->material, &raw, x->err);
    if (code != RT_OK)
        return code;
    *key = rt_key_new(x->spec->alg, &raw);
    fl_secret_free(&raw);
    if (!*key)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s: OpenSSL refuses the key of %s", x->spec->kek,
                       rt_alg_name(x->spec->alg));
    rt_key_name(*key,
                fl_printf(x->a, "KEK %s, subject %s, DEK version %d", x->spec->kek, x->spec->subject, dek->version));
    if (x->want->write)
        rt_key_count(*key);
    return RT_OK;
}

rt_code rt_key_find(const rt_key_want *want, rt_key_found *out, rt_error *err)
{
    exchange x = {.want = want, .spec = want->spec, .a = fl_arena_new(), .err = err};
    rt_dek dek = {0};
    *out = (rt_key_found){0};
    rt_code code = find_kek(&x);
    if (code == RT_OK)
        code = find_dek(&x, &dek, &out->stale);
    if (code == RT_OK)
        code = material(&x, &dek);
    if (code == RT_OK)
        code = open_context(&x, &dek, &out->key);
    out->version = dek.version;
    out->ts = dek.ts;
    fl_secret_free(&dek.material);
    fl_arena_free(x.a);
    return code;
}
