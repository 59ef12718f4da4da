/* store_kms.c: the registry's own access to the KMS of shared KEKs: a stand-in of its own, or the KMS that the KEK
 * names, at once or on another thread (store.h, rt_kms_later). */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/dek.h"
#include "runtime/kek_kms.h"
#include "runtime/store.h"

typedef enum { MAKE, OPEN, REWRAP, TRY } work;

/* What is asked for, and what came of it. */
struct rt_kms_step {
    work work;
    rt_kek kek; /* copied */
    rt_alg alg;
    const rt_params *params;
    fl_arena *arena;
    const char *given;     /* OPEN, REWRAP */
    const char *encrypted; /* MAKE, REWRAP: comes out */
    fl_secret proto;
    rt_code code;
    rt_error err;
    rt_kms_step *next;
};

/* ---- the stand-in ---- */

static fl_secret stand_in_param(void *ctx, const char *kek, const char *name)
{
    const rt_store *st = ctx;
    return strcmp(name, "secret") == 0 ? fl_secret_copy(st->stand_in.bytes, st->stand_in.len) : (fl_secret){0};
}

static bool any_dek(const char *key, void *value, void *ctx)
{
    const rt_kek_entry *e = value;
    *(bool *)ctx |= e->kek.shared && e->deks.n;
    return !*(bool *)ctx;
}

static bool shared_deks(const rt_store *st)
{
    bool found = false;
    fl_map_each(st->keks, any_dek, &found);
    return found;
}

/* Made when first needed. One that is gone while keys need it is never made anew: those keys would be lost without a
 * word. */
static rt_code stand_in_ready(rt_store *st, rt_error *err)
{
    if (st->stand_in.bytes)
        return RT_OK;
    rt_code code = st->journal ? st->journal->load_secret(st->journal, &st->stand_in, err) : RT_OK;
    if (code != RT_OK || st->stand_in.bytes)
        return code;
    if (shared_deks(st))
        return rt_fail(err, RT_NO_KEY,
                       "registry %s: stand-in.key is missing, and keys of shared KEKs need it; put it back", st->url);
    fl_secret s = fl_secret_new(32);
    if (RAND_priv_bytes(s.bytes, 32) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes; no key can be made");
    code = st->journal ? st->journal->save_secret(st->journal, &s, err) : RT_OK;
    if (code == RT_OK)
        st->stand_in = s;
    else
        fl_secret_free(&s);
    return code;
}

/* ---- steps ---- */

static rt_code try_kms(rt_kms *kms, rt_error *err)
{
    fl_secret proto, again;
    const char *encrypted;
    fl_arena *a = fl_arena_new();
    rt_code code = rt_dek_make(kms, RT_AES256_GCM, a, &encrypted, &proto, err);
    if (code == RT_OK) {
        code = rt_dek_open(kms, encrypted, &again, err);
        if (code == RT_OK)
            fl_secret_free(&again);
        fl_secret_free(&proto);
    }
    fl_arena_free(a);
    return code;
}

static rt_code rewrap(rt_kms *kms, fl_arena *a, const char **encrypted, fl_secret *proto, rt_error *err)
{
    rt_code code = rt_dek_open(kms, *encrypted, proto, err);
    if (code != RT_OK)
        return code;
    code = rt_dek_wrap(kms, proto, a, encrypted, err);
    if (code != RT_OK)
        fl_secret_free(proto);
    return code;
}

/* Frees the driver. */
static rt_code perform(rt_kms *kms, work what, rt_alg alg, fl_arena *a, const char **encrypted, fl_secret *proto,
                       rt_error *err)
{
    rt_code code = what == TRY      ? try_kms(kms, err)
                   : what == MAKE   ? rt_dek_make(kms, alg, a, encrypted, proto, err)
                   : what == REWRAP ? rewrap(kms, a, encrypted, proto, err)
                                    : rt_dek_open(kms, *encrypted, proto, err);
    kms->free(kms);
    return code;
}

static rt_kms_step *step_new(const rt_store *st, work what, const rt_kek *kek, rt_alg alg, const char *encrypted)
{
    rt_kms_step *s = fl_xcalloc(1, sizeof *s);
    fl_arena *a = s->arena = fl_arena_new();
    s->work = what;
    s->alg = alg;
    s->params = st->opt.params;
    s->given = s->encrypted = encrypted ? fl_strdup(a, encrypted) : NULL;
    s->kek = *kek;
    s->kek.name = fl_strdup(a, kek->name);
    s->kek.kms_type = fl_strdup(a, kek->kms_type);
    s->kek.kms_key_id = fl_strdup(a, kek->kms_key_id);
    s->kek.props = fl_strdup(a, kek->props);
    s->kek.doc = NULL;
    return s;
}

void rt_kms_step_run(rt_kms_step *s)
{
    rt_kms *kms;
    s->code = rt_kek_kms_open(&s->kek, s->params, &kms, &s->err);
    if (s->code == RT_OK)
        s->code = perform(kms, s->work, s->alg, s->arena, &s->encrypted, &s->proto, &s->err);
}

void rt_kms_step_free(rt_kms_step *s)
{
    for (rt_kms_step *next; s; s = next) {
        next = s->next;
        fl_secret_free(&s->proto);
        fl_arena_free(s->arena);
        free(s);
    }
}

void rt_kms_later_done(rt_kms_later *l, rt_kms_step *s)
{
    s->next = l->done;
    l->done = s;
}

/* What was made or wrapped anew is open, too. */
static bool answers(const rt_kms_step *s, work what, const rt_kek *kek, rt_alg alg, const char *encrypted)
{
    if (strcmp(s->kek.name, kek->name) != 0 || strcmp(s->kek.kms_type, kek->kms_type) != 0 ||
        strcmp(s->kek.kms_key_id, kek->kms_key_id) != 0 || strcmp(s->kek.props, kek->props) != 0)
        return false;
    if (what == OPEN)
        return s->work == OPEN ? !strcmp(s->given, encrypted)
                               : s->work != TRY && s->code == RT_OK && !strcmp(s->encrypted, encrypted);
    if (what == REWRAP && s->work == REWRAP)
        return !strcmp(s->given, encrypted);
    return s->work == what && (what == TRY || s->alg == alg);
}

static rt_code later(rt_store *st, work what, const rt_kek *kek, rt_alg alg, fl_arena *a, const char **encrypted,
                     fl_secret *proto, rt_error *err)
{
    const char *given = what == OPEN || what == REWRAP ? *encrypted : NULL;
    for (const rt_kms_step *s = st->later->done; s; s = s->next) {
        if (!answers(s, what, kek, alg, given))
            continue;
        if (s->code != RT_OK) {
            *err = s->err;
            return s->code;
        }
        if (what == MAKE || what == REWRAP)
            *encrypted = fl_strdup(a, s->encrypted);
        if (what != TRY)
            *proto = fl_secret_copy(s->proto.bytes, s->proto.len);
        return RT_OK;
    }
    if (!st->later->wanted)
        st->later->wanted = step_new(st, what, kek, alg, given);
    return rt_fail(err, RT_IO, "KEK %s: its KMS is being called", kek->name);
}

static rt_code step(rt_store *st, work what, const rt_kek *kek, rt_alg alg, fl_arena *a, const char **encrypted,
                    fl_secret *proto, rt_error *err)
{
    rt_kms *kms;
    rt_code code;
    bool own = st->opt.params && (!st->opt.own_kms || st->opt.own_kms(st->opt.own_kms_ctx, kek));
    if (own && st->later && rt_kms_remote(kek->kms_type))
        return later(st, what, kek, alg, a, encrypted, proto, err);
    if (own) {
        code = rt_kek_kms_open(kek, st->opt.params, &kms, err);
    } else {
        rt_params stand_in = {.get = stand_in_param, .ctx = st};
        code = stand_in_ready(st, err);
        if (code == RT_OK)
            code = rt_kms_open(kek->name, "local-kms", "stand-in", &stand_in, &kms, err);
    }
    return code == RT_OK ? perform(kms, what, alg, a, encrypted, proto, err) : code;
}

rt_code rt_store_make_key(rt_store *st, const rt_kek *kek, rt_alg alg, fl_arena *a, const char **encrypted,
                          fl_secret *proto, rt_error *err)
{
    return step(st, MAKE, kek, alg, a, encrypted, proto, err);
}

rt_code rt_store_open_key(rt_store *st, const rt_kek *kek, const char *encrypted, fl_secret *proto, rt_error *err)
{
    return step(st, OPEN, kek, RT_AES256_GCM, NULL, &encrypted, proto, err);
}

rt_code rt_store_rewrap_key(rt_store *st, const rt_kek *kek, fl_arena *a, const char **encrypted, fl_secret *proto,
                            rt_error *err)
{
    return step(st, REWRAP, kek, RT_AES256_GCM, a, encrypted, proto, err);
}

rt_code rt_store_try_kek(rt_store *st, const rt_kek *kek, rt_error *err)
{
    if (!kek->shared)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s is not shared: the registry does not use its KMS",
                          kek->name);
    return step(st, TRY, kek, RT_AES256_GCM, NULL, NULL, NULL, err);
}
