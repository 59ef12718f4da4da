/* keys.c: the data keys of one client: a table of uses (who reads or writes what under which KEK), each with its open
 * cipher context, the times at which it is asked for again, and at which it goes. */
#include "runtime/keys.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/key_refresh.h"

#define NEAR       64 /* a power of two */
#define SECOND     INT64_C(1000)
#define RETRY_MS   (60 * SECOND) /* after a rotation or refresh that failed */
#define BUSY_MS    SECOND        /* after the refresher had no time */
#define NO_VERSION 0

/* One direction of one rule: its key. version: of the DEK in use. */
typedef struct use {
    bool write;
    rt_key_spec spec; /* own copies of the texts: a codec may be closed before its client */
    char *name;       /* in the table */
    int32_t asked;    /* reading: the version asked for; writing: NO_VERSION */
    int32_t version;
    rt_key *key, *retired;                   /* retired: the one before, which the record at hand may still hold */
    int64_t ts;                              /* of the DEK, ms */
    int64_t refresh_at, retry_at, expire_at; /* ms; INT64_MAX: never */
    bool asking;                             /* the refresher has it: it stays in the table */
    uint64_t used;                           /* tick of the last hit */
} use;

struct rt_keys {
    rt_keys_options opt;
    fl_map *uses;
    use *near[NEAR]; /* where the last use of a spec's address was found; never trusted without a look at the texts */
    uint64_t tick, epoch;
    int64_t due;         /* ms: the next time at which some use has something to do */
    rt_refresh *refresh; /* NULL: the registry takes one thread alone */
};

rt_keys *rt_keys_new(const rt_keys_options *opt)
{
    rt_keys *k = fl_xcalloc(1, sizeof *k);
    k->opt = *opt;
    k->uses = fl_map_new();
    k->due = INT64_MAX;
    if (!k->opt.most)
        k->opt.most = RT_KEYS_MOST;
    if (!k->opt.expiry_s)
        k->opt.expiry_s = RT_KEYS_EXPIRY_S;
    if (opt->registry && opt->registry->threads)
        k->refresh = rt_refresh_new(&k->opt);
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
    rt_refresh_free(k->refresh); /* first: its question has a use's texts */
    fl_map_each(k->uses, free_one, NULL);
    fl_map_free(k->uses);
    free(k);
}

static int64_t now_ms(const rt_keys *k)
{
    return rt_keys_now(&k->opt);
}

/* ---- asking registry and KMS ---- */

static void due_at(rt_keys *k, int64_t when)
{
    if (when < k->due)
        k->due = when;
}

/* A context that was found takes the place of the one before. */
static void settle(rt_keys *k, use *u, const rt_key_found *found)
{
    int64_t now = now_ms(k), expiry = k->opt.expiry_s * SECOND;
    k->epoch += u->key != NULL;
    rt_key_free(u->retired);
    u->retired = u->key;
    u->key = found->key;
    u->version = found->version;
    u->ts = found->ts;
    u->retry_at = found->stale ? now + RETRY_MS : 0;
    u->expire_at = k->opt.expiry_s > 0 ? now + expiry : INT64_MAX;
    u->refresh_at = k->opt.expiry_s > 0 ? now + expiry / RT_KEYS_REFRESH : INT64_MAX;
    due_at(k, u->retired ? now : u->refresh_at);
}

/* A writer's key that is nearly used up gets a successor, if its rule rotates. */
static bool worn(const use *u)
{
    return u->write && u->spec.expiry_days > 0 && u->key && rt_key_worn(u->key);
}

static rt_key_want want_of(const rt_keys *k, const use *u)
{
    return (rt_key_want){
        .opt = &k->opt, .spec = &u->spec, .write = u->write, .asked = u->asked, .spent = worn(u) ? u->version : 0};
}

static rt_code fill(rt_keys *k, use *u, rt_error *err)
{
    rt_key_want want = want_of(k, u);
    rt_key_found found;
    rt_code code = rt_key_find(&want, &found, err);
    if (code == RT_OK)
        settle(k, u, &found);
    return code;
}

/* With registry or KMS out of reach the old key goes on; one that may no longer be used does not. */
static rt_code failed(rt_keys *k, use *u, rt_code code, const rt_error *why, rt_error *err)
{
    if (code != RT_IO)
        return rt_fail(err, code, "%s", why->message);
    fl_log(FL_LOG_WARN, "KEK %s, subject %s: the DEK cannot be asked for again (%s); version %d stays in use",
           u->spec.kek, u->spec.subject, why->message, (int)u->version);
    u->retry_at = now_ms(k) + RETRY_MS;
    due_at(k, u->retry_at);
    return RT_OK;
}

/* Asks again for a key that is there: in the background where that is possible, so that no record waits for it. */
static rt_code renew(rt_keys *k, use *u, rt_error *err)
{
    rt_error why = {0};
    rt_key_want want = want_of(k, u);
    if (!k->refresh) {
        rt_code code = fill(k, u, &why);
        return code == RT_OK ? RT_OK : failed(k, u, code, &why, err);
    }
    if (u->asking)
        return RT_OK;
    u->asking = rt_refresh_ask(k->refresh, &want, u);
    if (!u->asking) {
        u->retry_at = now_ms(k) + BUSY_MS;
        due_at(k, u->retry_at);
    }
    return RT_OK;
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

/* Its contexts are wiped. Never while a record is under way that may hold them. */
static void drop(rt_keys *k, use *u)
{
    for (size_t i = 0; i < NEAR; i++)
        if (k->near[i] == u)
            k->near[i] = NULL;
    fl_map_del(k->uses, u->name);
    use_free(u);
    k->epoch++;
}

static bool older(const char *name, void *value, void *ctx)
{
    use **oldest = ctx, *u = value;
    if (!u->asking && (!*oldest || u->used < (*oldest)->used))
        *oldest = u;
    return true;
}

static void make_room(rt_keys *k)
{
    use *oldest = NULL;
    if (fl_map_count(k->uses) < k->opt.most)
        return;
    fl_map_each(k->uses, older, &oldest);
    if (oldest)
        drop(k, oldest);
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

/* A hit. What is due for it is asked, and fails or not; what is past its end waits for rt_keys_tend. */
static rt_code hit(rt_keys *k, use *u, rt_error *err)
{
    int64_t now = now_ms(k);
    bool due = now >= u->refresh_at || worn(u) || (u->write && rt_key_expired(&k->opt, &u->spec, u->ts));
    return due && now >= u->retry_at ? renew(k, u, err) : RT_OK;
}

rt_code rt_keys_for_write(rt_keys *k, const rt_key_spec *spec, rt_key **key, int32_t *version, rt_error *err)
{
    use *u;
    rt_code code = get_use(k, spec, true, NO_VERSION, &u, err);
    if (code == RT_OK)
        code = hit(k, u, err);
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
        code = hit(k, u, err);
    if (code == RT_OK)
        *key = u->key;
    return code;
}

/* ---- between two records ---- */

/* What the refresher found. A key that may no longer be used goes at once: the next record is told why. */
static void take_answer(rt_keys *k)
{
    void *of;
    rt_key_found found;
    rt_code code;
    rt_error why, err;
    if (!rt_refresh_answer(k->refresh, &of, &found, &code, &why))
        return;
    use *u = of;
    u->asking = false;
    if (code == RT_OK)
        settle(k, u, &found);
    else if (failed(k, u, code, &why, &err) != RT_OK) {
        fl_log(FL_LOG_WARN, "KEK %s, subject %s: the DEK is given up: %s", u->spec.kek, u->spec.subject, why.message);
        drop(k, u);
    }
}

typedef struct sweep {
    int64_t now, due;
    use *gone;
} sweep;

static bool sweep_one(const char *name, void *value, void *ctx)
{
    sweep *s = ctx;
    use *u = value;
    rt_key_free(u->retired);
    u->retired = NULL;
    if (s->now >= u->expire_at && !u->asking) {
        s->gone = u;
        return false;
    }
    int64_t next = u->refresh_at > s->now ? u->refresh_at : u->retry_at > s->now ? u->retry_at : u->expire_at;
    s->due = next < s->due ? next : s->due;
    return true;
}

/* Keys past their end go; all others are asked for again, and so find out what is due for them. */
static __attribute__((noinline)) void sweep_all(rt_keys *k, int64_t now)
{
    sweep s;
    do {
        s = (sweep){.now = now, .due = INT64_MAX};
        fl_map_each(k->uses, sweep_one, &s);
        if (s.gone)
            drop(k, s.gone);
    } while (s.gone);
    k->due = s.due > now ? s.due : now + SECOND;
    k->epoch++;
}

void rt_keys_tend(rt_keys *k)
{
    if (k->refresh)
        take_answer(k);
    if (k->due == INT64_MAX)
        return;
    int64_t now = now_ms(k);
    if (now >= k->due)
        sweep_all(k, now);
}

void rt_keys_wait(rt_keys *k)
{
    if (k->refresh)
        rt_refresh_wait(k->refresh);
}

uint64_t rt_keys_epoch(const rt_keys *k)
{
    return k->epoch;
}
