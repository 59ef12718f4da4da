/* keys.c: the data keys of one client: a table of uses (who reads or writes what under which KEK), each with its open
 * cipher context. */
#include "runtime/keys.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/dek.h"
#include "runtime/kek_kms.h"

#define MAX_USES   4096 /* far more than the rules of one record, whose contexts must not go while it is written */
#define NEAR       64   /* a power of two */
#define DAY_MS     INT64_C(86400000)
#define RETRY_MS   INT64_C(60000) /* after a rotation that failed */
#define NO_VERSION 0

/* One direction of one rule: its key. version: of the DEK in use. */
typedef struct use {
    bool write;
    rt_key_spec spec; /* own copies of the texts: a codec may be closed before its client */
    char *name;       /* in the table */
    int32_t asked;    /* reading: the version asked for; writing: NO_VERSION */
    int32_t version;
    rt_key *key, *retired; /* retired: the one before the last rotation, which the record at hand may still hold */
    int64_t ts, retry_at;  /* writing with rotation: ms */
    uint64_t used;         /* tick of the last hit */
} use;

struct rt_keys {
    rt_keys_options opt;
    fl_map *uses;
    use *near[NEAR]; /* where the last use of a spec's address was found; never trusted without a look at the texts */
    uint64_t tick, epoch;
};

rt_keys *rt_keys_new(const rt_keys_options *opt)
{
    rt_keys *k = fl_xcalloc(1, sizeof *k);
    k->opt = *opt;
    k->uses = fl_map_new();
    return k;
}

static void use_free(use *u)
{
    rt_key_free(u->key);
    rt_key_free(u->retired);
    free((char *)u->spec.kek);
    free((char *)u->spec.subject);
    free((char *)u->spec.kms_type);
    free((char *)u->spec.kms_key_id);
    free(u->name);
    free(u);
}

static bool free_one(const char *name, void *value, void *ctx)
{
    use_free(value);
    return true;
}

void rt_keys_free(rt_keys *k)
{
    if (!k)
        return;
    fl_map_each(k->uses, free_one, NULL);
    fl_map_free(k->uses);
    free(k);
}

static int64_t now_ms(const rt_keys *k)
{
    struct timespec t;
    if (k->opt.now_ms)
        return k->opt.now_ms(k->opt.now_ctx);
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one registry exchange: KEK, DEK, key ---- */

typedef struct exchange {
    rt_keys *k;
    const rt_key_spec *spec;
    bool write;
    fl_arena *a;
    rt_kek kek;
    rt_error *err;
} exchange;

static rt_registry *registry(const exchange *x)
{
    return x->k->opt.registry;
}

static rt_code fetch_kek(exchange *x, rt_error *err)
{
    return registry(x)->ops->get_kek(registry(x), x->a, x->spec->kek, !x->write, &x->kek, err);
}

/* A KEK that nobody registered: made unshared by a writer whose rule says what it is, as the vendor's clients do. */
static rt_code make_kek(exchange *x)
{
    const rt_key_spec *s = x->spec;
    if (!x->write)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s is not in the registry: nothing of it can be read", s->kek);
    if (!s->kms_type || !s->kms_key_id)
        return rt_fail(x->err, RT_NO_KEY,
                       "KEK %s is not in the registry, and the rule names no kms type and key id to make it with: "
                       "register it first",
                       s->kek);
    rt_kek kek = {.name = s->kek, .kms_type = s->kms_type, .kms_key_id = s->kms_key_id};
    rt_code code = registry(x)->ops->create_kek(registry(x), &kek, x->err);
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
    if (x->k->opt.may_use && !x->k->opt.may_use(x->k->opt.may_use_ctx, s->kek))
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
        registry(x)->ops->get_dek(registry(x), x->a, s->kek, s->subject, s->alg, version, !x->write, out, x->err);
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
        if ((code = rt_kek_kms_open(&x->kek, &x->k->opt.params, &kms, x->err)) != RT_OK)
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

static bool expired(const rt_keys *k, const rt_key_spec *s, int64_t ts)
{
    return s->expiry_days > 0 && (now_ms(k) - ts) / DAY_MS >= s->expiry_days; /* whole days, as in Java and Go */
}

/* A new version in place of one that is too old. Failing that the old one goes on, as in the vendor's clients. */
static rt_code rotate(exchange *x, rt_dek *dek, bool *stale)
{
    rt_dek fresh = {0};
    rt_error why = {0};
    rt_error *err = x->err;
    x->err = &why;
    rt_code code = dek->version < INT32_MAX ? make_dek(x, dek->version + 1, -1, &fresh) : RT_CONFLICT;
    x->err = err;
    *stale = code != RT_OK || fresh.version <= dek->version;
    if (!*stale) {
        fl_secret_free(&dek->material);
        *dek = fresh;
        return RT_OK;
    }
    fl_secret_free(&fresh.material);
    fl_log(
        FL_LOG_WARN,
        "KEK %s, subject %s: the DEK is older than %d days and no new one could be made (%s); version %d stays in use",
        x->spec->kek, x->spec->subject, x->spec->expiry_days, why.message, dek->version);
    return RT_OK;
}

static rt_code find_dek(exchange *x, int32_t asked, rt_dek *out, bool *stale)
{
    const rt_key_spec *s = x->spec;
    int ask = !x->write ? asked : s->expiry_days > 0 ? -1 : 1;
    *stale = false;
    rt_code code = fetch_dek(x, ask, out);
    if (code == RT_NOT_FOUND && !x->write)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s has no DEK of subject %s, %s, version %d", s->kek, s->subject,
                       rt_alg_name(s->alg), asked);
    if (code == RT_NOT_FOUND)
        code = make_dek(x, 1, ask, out);
    if (code == RT_OK && x->write && expired(x->k, s, out->ts))
        code = rotate(x, out, stale);
    return code;
}

/* Unwraps what did not come in clear: every DEK but a new one, and those of shared KEKs. */
static rt_code material(exchange *x, rt_dek *dek)
{
    rt_kms *kms;
    if (dek->material.bytes)
        return RT_OK;
    if (!dek->encrypted)
        return rt_fail(x->err, RT_NO_KEY, "KEK %s, subject %s: the registry returned a DEK without a key", x->spec->kek,
                       x->spec->subject);
    rt_code code = rt_kek_kms_open(&x->kek, &x->k->opt.params, &kms, x->err);
    if (code != RT_OK)
        return code;
    code = rt_dek_open(kms, dek->encrypted, &dek->material, x->err);
    kms->free(kms);
    return code;
}

static rt_code open_context(exchange *x, const rt_dek *dek, rt_key **key)
{
    fl_secret raw;
    rt_code code = rt_tink_unwrap(x->spec->alg, &dek->material, &raw, x->err);
    if (code != RT_OK)
        return code;
    *key = rt_key_new(x->spec->alg, &raw);
    fl_secret_free(&raw);
    return *key ? RT_OK
                : rt_fail(x->err, RT_NO_KEY, "KEK %s: OpenSSL refuses the key of %s", x->spec->kek,
                          rt_alg_name(x->spec->alg));
}

/* Asks the registry and the KMS. On success u has a key. */
static rt_code fill(rt_keys *k, use *u, rt_error *err)
{
    exchange x = {.k = k, .spec = &u->spec, .write = u->write, .a = fl_arena_new(), .err = err};
    rt_dek dek = {0};
    rt_key *key = NULL;
    bool stale = false;
    rt_code code = find_kek(&x);
    if (code == RT_OK)
        code = find_dek(&x, u->asked, &dek, &stale);
    if (code == RT_OK)
        code = material(&x, &dek);
    if (code == RT_OK)
        code = open_context(&x, &dek, &key);
    if (code == RT_OK) {
        k->epoch += u->key != NULL;
        rt_key_free(u->retired);
        u->retired = u->key;
        u->key = key;
        u->version = dek.version;
        u->ts = dek.ts;
        u->retry_at = stale ? now_ms(k) + RETRY_MS : 0;
    }
    fl_secret_free(&dek.material);
    fl_arena_free(x.a);
    return code;
}

/* ---- the table ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same(const use *u, const rt_key_spec *s, bool write, int32_t asked)
{
    return u->write == write && u->asked == asked && u->spec.alg == s->alg && u->spec.expiry_days == s->expiry_days &&
           same_text(u->spec.subject, s->subject) && same_text(u->spec.kek, s->kek) &&
           same_text(u->spec.kms_type, s->kms_type) && same_text(u->spec.kms_key_id, s->kms_key_id);
}

static void name_part(fl_buf *b, const char *s)
{
    fl_buf_addf(b, s ? "%zu:" : "-:", s ? strlen(s) : 0);
    fl_buf_adds(b, s ? s : "");
}

static char *name_of(const rt_key_spec *s, bool write, int32_t asked)
{
    fl_buf b;
    fl_buf_init(&b, (size_t)64 << 20);
    fl_buf_addf(&b, "%d %d %d %d ", write, (int)s->alg, s->expiry_days, asked);
    name_part(&b, s->kek);
    name_part(&b, s->subject);
    name_part(&b, s->kms_type);
    name_part(&b, s->kms_key_id);
    char *name = fl_xstrdup(b.p);
    fl_buf_free(&b);
    return name;
}

static use **near_of(rt_keys *k, const rt_key_spec *s, bool write, int32_t asked)
{
    return &k->near[(((uintptr_t)s >> 4) + (uint32_t)asked * 7u + write) & (NEAR - 1)];
}

static bool older(const char *name, void *value, void *ctx)
{
    use **oldest = ctx, *u = value;
    if (!*oldest || u->used < (*oldest)->used)
        *oldest = u;
    return true;
}

static void make_room(rt_keys *k)
{
    use *oldest = NULL;
    if (fl_map_count(k->uses) < MAX_USES)
        return;
    fl_map_each(k->uses, older, &oldest);
    for (size_t i = 0; i < NEAR; i++)
        if (k->near[i] == oldest)
            k->near[i] = NULL;
    fl_map_del(k->uses, oldest->name);
    use_free(oldest);
    k->epoch++;
}

static char *copy(const char *s)
{
    return s ? fl_xstrdup(s) : NULL;
}

/* Nothing is kept of a use that failed: the next record asks again. */
static rt_code new_use(rt_keys *k, const rt_key_spec *s, bool write, int32_t asked, char *name, use **out,
                       rt_error *err)
{
    use *u = fl_xcalloc(1, sizeof *u);
    u->write = write;
    u->asked = asked;
    u->name = name;
    u->spec = *s;
    u->spec.kek = copy(s->kek);
    u->spec.subject = copy(s->subject);
    u->spec.kms_type = copy(s->kms_type);
    u->spec.kms_key_id = copy(s->kms_key_id);
    rt_code code = fill(k, u, err);
    if (code != RT_OK) {
        use_free(u);
        return code;
    }
    make_room(k);
    fl_map_put(k->uses, u->name, u);
    *out = u;
    return RT_OK;
}

static rt_code get_use(rt_keys *k, const rt_key_spec *s, bool write, int32_t asked, use **out, rt_error *err)
{
    use **near = near_of(k, s, write, asked);
    if (!*near || !same(*near, s, write, asked)) {
        char *name = name_of(s, write, asked);
        use *u = fl_map_get(k->uses, name);
        rt_code code = u ? RT_OK : new_use(k, s, write, asked, name, &u, err);
        if (u && u->name != name)
            free(name);
        if (code != RT_OK)
            return code;
        *near = u;
    }
    *out = *near;
    (*out)->used = ++k->tick;
    return RT_OK;
}

/* Too old: asks again. With the registry out of reach the old key goes on; one that may no longer be used does not. */
static rt_code renew(rt_keys *k, use *u, rt_error *err)
{
    rt_error why = {0};
    rt_code code = fill(k, u, &why);
    if (code != RT_IO)
        return code == RT_OK ? code : rt_fail(err, code, "%s", why.message);
    fl_log(FL_LOG_WARN,
           "KEK %s, subject %s: the DEK is older than %d days, and it cannot be renewed (%s); version %d stays in use",
           u->spec.kek, u->spec.subject, u->spec.expiry_days, why.message, (int)u->version);
    u->retry_at = now_ms(k) + RETRY_MS;
    return RT_OK;
}

rt_code rt_keys_for_write(rt_keys *k, const rt_key_spec *spec, rt_key **key, int32_t *version, rt_error *err)
{
    use *u;
    rt_code code = get_use(k, spec, true, NO_VERSION, &u, err);
    if (code == RT_OK && expired(k, spec, u->ts) && now_ms(k) >= u->retry_at)
        code = renew(k, u, err);
    if (code != RT_OK)
        return code;
    *key = u->key;
    *version = u->version;
    return RT_OK;
}

rt_code rt_keys_for_read(rt_keys *k, const rt_key_spec *spec, int32_t version, rt_key **key, rt_error *err)
{
    use *u;
    if (version < 1)
        return rt_fail(err, RT_BAD_INPUT, "KEK %s: a ciphertext names DEK version %d, which cannot be", spec->kek,
                       (int)version);
    rt_code code = get_use(k, spec, false, version, &u, err);
    if (code == RT_OK)
        *key = u->key;
    return code;
}

uint64_t rt_keys_epoch(const rt_keys *k)
{
    return k->epoch;
}
