/* key_share.c: unwrapped data keys of several clients, each asked for once. */
#include "runtime/key_share.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct entry {
    char *name;
    fl_secret proto; /* empty: it is asked for, or could not be opened */
    int64_t good_until;
    bool asked;       /* somebody is asking */
    unsigned waiting; /* so many wait for that */
    rt_code code;     /* of who asked, and why */
    rt_error why;
} entry;

struct rt_key_share {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    fl_map *entries;
    int64_t good_ms;
};

rt_key_share *rt_key_share_new(int64_t good_ms)
{
    rt_key_share *s = fl_xcalloc(1, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->answered, NULL);
    s->entries = fl_map_new();
    s->good_ms = good_ms ? good_ms : RT_KEY_SHARE_MS;
    return s;
}

static void entry_free(entry *e)
{
    fl_secret_free(&e->proto);
    free(e->name);
    free(e);
}

static bool free_one(const char *name, void *value, void *ctx)
{
    entry_free(value);
    return true;
}

void rt_key_share_free(rt_key_share *s)
{
    if (!s)
        return;
    fl_map_each(s->entries, free_one, NULL);
    fl_map_free(s->entries);
    pthread_cond_destroy(&s->answered);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* All that says how a key is opened: a KEK that is registered anew, or has other properties, is another one. */
static char *name_of(const rt_kek *k, const char *encrypted)
{
    const char *parts[] = {k->name, k->kms_type, k->kms_key_id, k->props, encrypted};
    fl_buf b;
    fl_buf_init(&b, (size_t)64 << 20);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *part = parts[i] ? parts[i] : "";
        fl_buf_addf(&b, "%zu:", strlen(part));
        fl_buf_adds(&b, part);
    }
    char *name = b.full ? NULL : fl_xstrdup(b.p);
    fl_buf_free(&b);
    return name;
}

/* ---- room ---- */

static bool find_old(const char *name, void *value, void *ctx)
{
    entry **old = ctx, *e = value;
    if (!e->asked && !e->waiting && (!*old || e->good_until < (*old)->good_until))
        *old = e;
    return true;
}

static void drop(rt_key_share *s, entry *e)
{
    fl_map_del(s->entries, e->name);
    entry_free(e);
}

/* What is past its time goes; if there is nothing of that, nothing new is kept. */
static bool room(rt_key_share *s, int64_t now)
{
    entry *old = NULL;
    if (fl_map_count(s->entries) < RT_KEY_SHARE_MOST)
        return true;
    fl_map_each(s->entries, find_old, &old);
    if (!old || old->good_until > now)
        return false;
    drop(s, old);
    return true;
}

/* ---- asking ---- */

/* In spare room of the heap alone: a key that nobody keeps is asked for again. */
static void keep(rt_key_share *s, entry *e, const fl_secret *proto)
{
    fl_secret_free(&e->proto);
    e->proto = fl_secret_spare(proto->len);
    if (e->proto.bytes)
        memcpy(e->proto.bytes, proto->bytes, proto->len);
    e->good_until = now_ms() + s->good_ms;
}

static void settle(rt_key_share *s, entry *e)
{
    if (!e->asked && !e->waiting && !e->proto.bytes)
        drop(s, e);
}

/* With the lock, and without it while somebody else's server is asked. */
static rt_code ask(rt_key_share *s, entry *e, rt_key_opener *open, void *ctx, fl_secret *proto, rt_error *err)
{
    rt_error why = {0};
    e->asked = true;
    pthread_mutex_unlock(&s->lock);
    rt_code code = open(ctx, proto, &why);
    pthread_mutex_lock(&s->lock);
    e->asked = false;
    e->code = code;
    e->why = why;
    if (!code)
        keep(s, e, proto);
    else
        fl_secret_free(&e->proto);
    pthread_cond_broadcast(&s->answered);
    settle(s, e);
    if (code && err)
        *err = why;
    return code;
}

/* The answer of who was asking. RT_OK without a key: it could not be kept. */
static rt_code wait_for(rt_key_share *s, entry *e, fl_secret *proto, rt_error *err)
{
    e->waiting++;
    while (e->asked)
        pthread_cond_wait(&s->answered, &s->lock);
    e->waiting--;
    rt_code code = e->code;
    if (code && err)
        *err = e->why;
    else if (e->proto.bytes)
        *proto = fl_secret_copy(e->proto.bytes, e->proto.len);
    settle(s, e);
    return code;
}

static entry *find(rt_key_share *s, char *name)
{
    entry *e = fl_map_get(s->entries, name);
    if (e || !room(s, now_ms())) {
        free(name);
        return e;
    }
    e = fl_xcalloc(1, sizeof *e);
    e->name = name;
    fl_map_put(s->entries, name, e);
    return e;
}

rt_code rt_key_share_get(rt_key_share *s, const rt_kek *kek, const char *encrypted, rt_key_opener *open, void *ctx,
                         fl_secret *proto, rt_error *err)
{
    char *name = name_of(kek, encrypted);
    rt_code code = RT_OK;
    *proto = (fl_secret){0};
    if (!name)
        return open(ctx, proto, err);
    pthread_mutex_lock(&s->lock);
    entry *e = find(s, name);
    if (e && e->asked)
        code = wait_for(s, e, proto, err);
    else if (e && e->proto.bytes && now_ms() < e->good_until)
        *proto = fl_secret_copy(e->proto.bytes, e->proto.len);
    else if (e)
        code = ask(s, e, open, ctx, proto, err);
    pthread_mutex_unlock(&s->lock);
    return code || proto->bytes ? code : open(ctx, proto, err);
}
