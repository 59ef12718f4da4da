/* store.c: the embedded registry: its life, and the one way in which it changes. */
#include "runtime/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/journal.h"

static const rt_registry_ops ops;

rt_store *rt_store_new(const char *url, const rt_registry_options *opt)
{
    rt_store *s = fl_xcalloc(1, sizeof *s);
    s->registry.ops = &ops;
    if (opt)
        s->opt = *opt;
    s->arena = fl_arena_new();
    s->url = fl_strdup(s->arena, url);
    s->subjects = fl_map_new();
    s->contexts = fl_map_new();
    s->scopes = fl_map_new();
    s->keks = fl_map_new();
    s->deks = fl_map_new();
    s->tidy_at = RT_TIDY_LEAST;
    return s;
}

static bool free_context(const char *key, void *value, void *ctx)
{
    rt_context *c = value;
    fl_map_free(c->by_identity);
    fl_map_free(c->by_id);
    fl_map_free(c->by_guid);
    return true;
}

void rt_store_free(rt_store *s)
{
    if (s->journal)
        s->journal->close(s->journal);
    fl_secret_free(&s->stand_in);
    fl_map_free(s->subjects);
    fl_map_each(s->contexts, free_context, NULL);
    fl_map_free(s->contexts);
    fl_map_free(s->scopes);
    fl_map_free(s->keks);
    fl_map_free(s->deks);
    fl_arena_free(s->arena);
    free(s);
}

static void store_close(rt_registry *r)
{
    rt_store_free((rt_store *)r);
}

static const rt_registry_ops ops = {
    .register_subject = rt_store_register,
    .subject_version = rt_store_version,
    .schema_by_id = rt_store_by_id,
    .schema_by_guid = rt_store_by_guid,
    .find_subject = rt_store_find_subject,
    .create_kek = rt_store_create_kek,
    .get_kek = rt_store_get_kek,
    .create_dek = rt_store_create_dek,
    .get_dek = rt_store_get_dek,
    .close = store_close,
};

int64_t rt_store_now(const rt_store *s)
{
    struct timespec t;
    if (s->opt.now_ms)
        return s->opt.now_ms(s->opt.now_ctx);
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

char *rt_store_copy(fl_arena *a, const char *s)
{
    return s ? fl_strdup(a, s) : NULL;
}

/* ---- changes ---- */

static rt_code apply_all(rt_store *s, const fl_json *record, rt_error *err);

static rt_code apply_one(rt_store *s, const fl_json *record, rt_error *err)
{
    enum { VERSIONS = 1, OTHERS = 2 };
    static const struct {
        const char *op;
        rt_code (*apply)(rt_store *, const fl_json *, rt_error *);
        unsigned counts;
    } table[] = {{"version", rt_store_apply_version, VERSIONS},
                 {"delete", rt_store_apply_delete, OTHERS},
                 {"kek", rt_store_apply_kek, 0},
                 {"dek", rt_store_apply_dek, 0},
                 {"drop", rt_store_apply_drop, 0},
                 {"config", rt_store_apply_config, OTHERS},
                 {"mode", rt_store_apply_mode, OTHERS},
                 {"context", rt_store_apply_context, OTHERS},
                 {"all", apply_all, 0}};
    const char *op = fl_json_str(record, "op");
    for (size_t i = 0; op && i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(op, table[i].op)) {
            s->made += table[i].counts == VERSIONS;
            s->changed += table[i].counts == OTHERS;
            s->dead += table[i].counts == VERSIONS ? 0 : s->applying; /* it may replace another, or be replaced */
            return table[i].apply(s, record, err);
        }
    return rt_fail(err, RT_IO, "a record of an unknown kind");
}

/* Several that are one change: all of them are there, or none. */
static rt_code apply_all(rt_store *s, const fl_json *record, rt_error *err)
{
    const fl_json *list = fl_json_get(record, "records");
    rt_code code = list && list->kind == FL_JARRAY ? RT_OK : rt_fail(err, RT_IO, "a record of several holds none");
    for (const fl_json *e = code == RT_OK ? list->child : NULL; e && code == RT_OK; e = e->next)
        code = fl_json_get(e, "records") ? rt_fail(err, RT_IO, "a record of several in another") : apply_one(s, e, err);
    return code;
}

static rt_code apply(rt_store *s, fl_arena *scratch, const char *record, size_t n, rt_error *err)
{
    fl_json_error jerr;
    const fl_json *root = fl_json_parse(scratch, record, n, 0, &jerr);
    if (!root)
        return rt_fail(err, RT_IO, "a record is no JSON: %s", jerr.message);
    s->size += n;
    s->applying = n;
    return apply_one(s, root, err);
}

rt_code rt_store_apply(rt_store *s, const char *record, size_t n, rt_error *err)
{
    fl_arena *scratch = fl_arena_new();
    rt_code code = apply(s, scratch, record, n, err);
    fl_arena_free(scratch);
    return code;
}

void rt_store_gather(rt_store *s)
{
    s->gathered = fl_xcalloc(1, sizeof *s->gathered);
    fl_buf_init(s->gathered, RT_RECORD_MAX);
    fl_buf_adds(s->gathered, "{\"op\":\"all\",\"records\":[");
    s->gathering = 0;
}

rt_code rt_store_commit_gathered(rt_store *s, rt_code so_far, rt_error *err)
{
    fl_buf all = *s->gathered;
    free(s->gathered);
    s->gathered = NULL;
    if (so_far == RT_OK && s->gathering) {
        fl_buf_adds(&all, "]}");
        return rt_store_commit(s, &all, err);
    }
    fl_buf_free(&all);
    return so_far;
}

static rt_code gather(rt_store *s, fl_buf *record, rt_error *err)
{
    if (s->gathering++)
        fl_buf_addc(s->gathered, ',');
    bool fits = !record->full && fl_buf_add(s->gathered, record->p, record->len);
    fl_buf_free(record);
    return fits ? RT_OK : rt_fail_as(err, RT_BAD_INPUT, 42209, "%s: the change is too large for one record", s->url);
}

rt_code rt_store_commit(rt_store *s, fl_buf *record, rt_error *err)
{
    rt_code code = RT_OK;
    if (s->gathered)
        return gather(s, record, err);
    if (record->full)
        code = rt_fail_as(err, RT_BAD_INPUT, 42209, "%s: the change is too large for one record", s->url);
    if (code == RT_OK && record->len > RT_STORE_MAX - s->size)
        code = rt_fail(err, RT_IO, "%s: the registry is full: its changes may hold %zu bytes", s->url, RT_STORE_MAX);
    if (code == RT_OK && s->journal)
        code = s->journal->append(s->journal, record->p, record->len, err);
    if (code == RT_OK)
        code = rt_store_apply(s, record->p, record->len, err);
    fl_buf_free(record);
    return code;
}

void rt_store_defer(rt_store *s)
{
    if (s->journal)
        s->journal->deferred = true;
}

bool rt_store_pending(const rt_store *s)
{
    return s->journal && s->journal->pending;
}

rt_code rt_store_flush(rt_store *s, rt_error *err)
{
    return s->journal ? s->journal->flush(s->journal, err) : RT_OK;
}

/* ---- tidying ---- */

static bool count_record(const char *record, size_t n, void *ctx)
{
    *(size_t *)ctx += n;
    return true;
}

typedef struct copying {
    rt_store *to;
    rt_error err;
} copying;

static bool copy_record(const char *record, size_t n, void *ctx)
{
    copying *c = ctx;
    return rt_store_apply(c->to, record, n, &c->err) == RT_OK;
}

/* What records make changes places; what they do not make stays. */
static void exchange(rt_store *s, rt_store *fresh)
{
    rt_store old = *s;
    s->arena = fresh->arena;
    s->url = fresh->url;
    s->subjects = fresh->subjects;
    s->contexts = fresh->contexts;
    s->scopes = fresh->scopes;
    s->keks = fresh->keks;
    s->deks = fresh->deks;
    s->ndeks = fresh->ndeks;
    s->size = fresh->size;
    s->dead = fresh->dead;
    s->changed++;
    old.journal = NULL;
    old.stand_in = (fl_secret){0};
    *fresh = old;
}

static rt_code remake(rt_store *s, rt_error *err)
{
    copying c = {.to = rt_store_new(s->url, &s->opt)};
    rt_code code = RT_OK;
    if (!rt_store_records(s, copy_record, &c))
        code = rt_fail(err, RT_IO, "%s cannot be made anew: %s", s->url, c.err.message);
    if (code == RT_OK && s->journal)
        code = s->journal->rewrite(s->journal, c.to, err);
    if (code == RT_OK)
        exchange(s, c.to);
    rt_store_free(c.to);
    return code;
}

rt_code rt_store_tidy(rt_store *s, rt_error *err)
{
    size_t before = s->size, live = 0;
    if (before < s->tidy_at)
        return RT_OK;
    s->tidy_at = s->dead < before ? 2 * (before - s->dead) + RT_TIDY_LEAST : 0;
    if (before < s->tidy_at)
        return RT_OK; /* it cannot be worth it: nothing is counted */
    rt_store_records(s, count_record, &live);
    s->dead = live < before ? before - live : 0;
    s->tidy_at = 2 * live + RT_TIDY_LEAST;
    if (before < s->tidy_at)
        return RT_OK;
    rt_code code = rt_store_pending(s) ? rt_store_flush(s, err) : RT_OK;
    if (code == RT_OK)
        code = remake(s, err);
    if (code == RT_OK) {
        s->tidy_at = 2 * live + RT_TIDY_LEAST;
        fl_log(FL_LOG_INFO, "%s: tidied: %zu bytes of changes, %zu are left", s->url, before, live);
        return RT_OK;
    }
    if (s->journal && s->journal->broken)
        return code;
    fl_log(FL_LOG_WARN, "%s: what was deleted stays in it for now: %s", s->url, err->message);
    s->tidy_at = before + before / 2;
    return RT_OK;
}

/* ---- opening ---- */

rt_code rt_registry_open(const char *url, const rt_registry_options *opt, rt_registry **out, rt_error *err)
{
    bool mem = !strcmp(url, "mem:");
    if (!mem && strncmp(url, "file://", 7) != 0)
        return rt_fail(err, RT_IO, "registry %s: flec opens mem: and file://DIR in this version", url);
    if (!mem && !url[7])
        return rt_fail(err, RT_IO, "registry %s: no folder is named: write file://DIR", url);
    rt_store *s = rt_store_new(url, opt);
    rt_code code = mem ? RT_OK : rt_journal_open(url + 7, s, err);
    if (code == RT_OK)
        code = rt_store_tidy(s, err);
    if (code != RT_OK)
        rt_store_free(s);
    else
        *out = &s->registry;
    return code;
}

void rt_registry_close(rt_registry *r)
{
    if (r)
        r->ops->close(r);
}
