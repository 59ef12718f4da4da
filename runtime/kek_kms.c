/* kek_kms.c: the KMS of one KEK with its alternate key ids. */
#include "runtime/kek_kms.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_IDS = 16 };

typedef struct kek_kms {
    rt_kms kms;
    fl_arena *arena;
    const char *kek, *type;
    const char *ids[MAX_IDS];
    rt_kms *opened[MAX_IDS];
    size_t nids;
    const fl_json *props; /* NULL: none */
    rt_params base, params;
} kek_kms;

/* Of what a registry says of a key service's KEK, this counts. */
static bool of_props(const kek_kms *k, const char *name)
{
    return !rt_kms_remote(k->type) || !strcmp(name, "encrypt.alternate.kms.key.ids") ||
           !strcmp(name, "encrypt.azure.key.version.save");
}

/* kmsProps over the client's parameters. */
static fl_secret param(void *ctx, const char *kek, const char *name)
{
    kek_kms *k = ctx;
    const char *own = of_props(k, name) ? fl_json_str(k->props, name) : NULL;
    if (own && *own)
        return fl_secret_copy(own, strlen(own));
    return k->base.get ? k->base.get(k->base.ctx, kek, name) : (fl_secret){0};
}

static fl_secret env(void *ctx, const char *name)
{
    const kek_kms *k = ctx;
    return k->base.env ? k->base.env(k->base.ctx, name) : (fl_secret){0};
}

static bool may_call(void *ctx, const char *type, const char *key_id)
{
    const kek_kms *k = ctx;
    return k->base.may_call && k->base.may_call(k->base.ctx, type, key_id);
}

static rt_code check(void *ctx, const char *kek, const char *name, rt_error *err)
{
    const kek_kms *k = ctx;
    return k->base.check ? k->base.check(k->base.ctx, kek, name, err) : RT_OK;
}

static rt_code driver(kek_kms *k, size_t i, rt_kms **out, rt_error *err)
{
    rt_code code = k->opened[i] ? RT_OK : rt_kms_open(k->kek, k->type, k->ids[i], &k->params, &k->opened[i], err);
    *out = k->opened[i];
    return code;
}

/* One call on each key id in turn until one succeeds; the first one's error is the one to tell. */
typedef rt_code one_call(rt_kms *kms, void *ctx, rt_error *err);

static rt_code each(kek_kms *k, one_call *call, void *ctx, rt_error *err)
{
    rt_error first = {0}, later = {0};
    bool reached = false; /* one of them answered, if only with a refusal */
    for (size_t i = 0; i < k->nids; i++) {
        rt_kms *kms;
        rt_error *e = i ? &later : &first;
        rt_code code = driver(k, i, &kms, e);
        if (code == RT_OK && (code = call(kms, ctx, e)) == RT_OK)
            return RT_OK;
        reached |= code != RT_IO;
    }
    if (k->nids > 1)
        return rt_fail(err, reached ? RT_NO_KEY : RT_IO, "%s (and %zu alternate key ids failed, too)", first.message,
                       k->nids - 1);
    return rt_fail(err, first.code, "%s", first.message);
}

typedef struct wrap_call {
    const fl_secret *plain;
    fl_buf *wrapped;
} wrap_call;

static rt_code call_wrap(rt_kms *kms, void *ctx, rt_error *err)
{
    wrap_call *c = ctx;
    return kms->wrap(kms, c->plain, c->wrapped, err);
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    wrap_call c = {plain, wrapped};
    return each((kek_kms *)kms, call_wrap, &c, err);
}

typedef struct unwrap_call {
    const uint8_t *wrapped;
    size_t n;
    fl_secret *plain;
} unwrap_call;

static rt_code call_unwrap(rt_kms *kms, void *ctx, rt_error *err)
{
    unwrap_call *c = ctx;
    return kms->unwrap(kms, c->wrapped, c->n, c->plain, err);
}

static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    unwrap_call c = {wrapped, n, plain};
    return each((kek_kms *)kms, call_unwrap, &c, err);
}

static void close_all(rt_kms *kms)
{
    kek_kms *k = (kek_kms *)kms;
    for (size_t i = 0; i < k->nids; i++)
        if (k->opened[i])
            k->opened[i]->free(k->opened[i]);
    fl_arena_free(k->arena);
    free(k);
}

/* A comma list; spaces around its parts do not count. */
static rt_code add_alternates(kek_kms *k, char *list, rt_error *err)
{
    for (char *save = NULL, *part = strtok_r(list, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
        part += strspn(part, " \t");
        size_t n = strlen(part);
        while (n && (part[n - 1] == ' ' || part[n - 1] == '\t'))
            n--;
        if (!n)
            continue;
        if (k->nids == MAX_IDS)
            return rt_fail(err, RT_NO_KEY, "KEK %s: more than %d alternate key ids", k->kek, MAX_IDS - 1);
        k->ids[k->nids++] = fl_strndup(k->arena, part, n);
    }
    return RT_OK;
}

static rt_code alternates(kek_kms *k, rt_error *err)
{
    fl_secret list = param(k, k->kek, "encrypt.alternate.kms.key.ids");
    if (!list.bytes)
        return RT_OK;
    rt_code code = add_alternates(k, fl_strndup(k->arena, (char *)list.bytes, list.len), err);
    fl_secret_free(&list);
    return code;
}

static rt_code read_props(kek_kms *k, const char *text, rt_error *err)
{
    fl_json_error jerr;
    if (!text || !*text)
        return RT_OK;
    text = fl_strdup(k->arena, text);
    k->props = fl_json_parse(k->arena, text, strlen(text), 0, &jerr);
    if (!k->props || k->props->kind != FL_JOBJECT)
        return rt_fail(err, RT_NO_KEY, "KEK %s: its kmsProps are no JSON object", k->kek);
    return RT_OK;
}

rt_code rt_kek_kms_open(const rt_kek *kek, const rt_params *params, rt_kms **out, rt_error *err)
{
    kek_kms *k = fl_xcalloc(1, sizeof *k);
    k->kms = (rt_kms){wrap, unwrap, close_all};
    k->arena = fl_arena_new();
    k->kek = fl_strdup(k->arena, kek->name);
    k->type = fl_strdup(k->arena, kek->kms_type);
    k->ids[k->nids++] = fl_strdup(k->arena, kek->kms_key_id);
    k->base = *params;
    k->params = (rt_params){param, k, env, may_call, check};
    rt_code code = read_props(k, kek->props, err);
    if (code == RT_OK)
        code = alternates(k, err);
    for (size_t i = 0; code == RT_OK && i < k->nids; i++)
        code = rt_kms_named(k->kek, k->type, k->ids[i], &k->params, err);
    if (code == RT_OK)
        *out = &k->kms;
    else
        close_all(&k->kms);
    return code;
}
