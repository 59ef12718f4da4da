/* store_records.c: all that a store holds, as the records that make it: for a log that is written anew. */
#include <stdlib.h>
#include <string.h>

#include "runtime/store.h"

/* ---- what all records have ---- */

void rt_store_begin_record(fl_buf *b, fl_jw *w, const char *op)
{
    fl_buf_init(b, RT_RECORD_MAX);
    fl_jw_init(w, b, false);
    fl_jw_object(w);
    fl_jw_kstring(w, "op", op);
}

void rt_store_print_refs(fl_jw *w, const rt_subject *s)
{
    fl_jw_key(w, "references");
    fl_jw_array(w);
    for (size_t i = 0; i < s->nrefs; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "name", s->refs[i].name);
        fl_jw_kstring(w, "subject", s->refs[i].subject);
        fl_jw_kint(w, "version", s->refs[i].version);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

void rt_store_print_json(fl_jw *w, const char *key, const char *json)
{
    if (!json)
        return;
    fl_jw_key(w, key);
    fl_jw_raw(w, json, strlen(json));
}

typedef struct walk {
    const rt_store *st;
    rt_each_record *fn;
    void *ctx;
    bool more;
} walk;

/* Hands a finished record on, and frees it. */
static bool give(walk *w, fl_buf *b)
{
    w->more = w->more && !b->full && w->fn(b->p, b->len, w->ctx);
    fl_buf_wipe(b);
    return w->more;
}

/* ---- schemas ---- */

/* The versions that a subject has with this content; the first of all brings the content with it. */
static void give_versions(walk *w, const rt_versions *of, const rt_content *c, bool *known)
{
    fl_buf b;
    for (size_t i = 0; i < of->list.n && w->more; i++) {
        const rt_version *v = &of->list.v[i];
        if (v->content != c)
            continue;
        rt_subject s = c->is;
        s.subject = of->subject;
        s.version = v->number;
        s.id = c->id;
        rt_store_print_version(&b, &s, *known ? NULL : c->identity, v->ts);
        *known = true;
        give(w, &b);
    }
}

/* Content by content, as the order of ids, and of the subjects that share one, is what clients see. */
static bool give_content(const char *key, void *value, void *ctx)
{
    walk *w = ctx;
    const rt_content *c = value;
    bool known = false;
    for (size_t i = 0; i < c->users.n && w->more; i++)
        give_versions(w, c->users.v[i], c, &known);
    return w->more;
}

static bool give_context(const char *key, void *value, void *ctx)
{
    walk *w = ctx;
    const rt_context *c = value;
    fl_buf b;
    fl_jw j;
    fl_map_each(c->by_id, give_content, w);
    if (c->gone)
        return w->more;
    rt_store_begin_record(&b, &j, "context");
    fl_jw_kstring(&j, "name", c->name);
    fl_jw_kint(&j, "lastId", c->last_id);
    fl_jw_end_object(&j);
    return give(w, &b);
}

/* After all versions are there: one that comes later would drive out a deleted one of equal content. */
static bool give_deleted(const char *key, void *value, void *ctx)
{
    walk *w = ctx;
    const rt_versions *v = value;
    fl_buf b;
    for (size_t i = 0; i < v->list.n && w->more; i++)
        if (v->list.v[i].deleted) {
            rt_store_print_delete(&b, v->subject, v->list.v[i].number, false);
            give(w, &b);
        }
    return w->more;
}

/* After the deletions, which take a subject's settings with them. */
static bool give_scope(const char *key, void *value, void *ctx)
{
    walk *w = ctx;
    const rt_scope *s = value;
    fl_buf b;
    if (s->config) {
        rt_store_print_setting(&b, "config", key, s->config);
        give(w, &b);
    }
    if (s->mode && w->more) {
        rt_store_print_setting(&b, "mode", key, s->mode);
        give(w, &b);
    }
    return w->more;
}

/* ---- keys ---- */

static bool give_kek(const char *key, void *value, void *ctx)
{
    walk *w = ctx;
    const rt_kek_entry *e = value;
    fl_buf b;
    rt_store_print_kek(&b, &e->kek);
    give(w, &b);
    for (size_t i = 0; i < e->deks.n && w->more; i++) {
        rt_store_print_dek(&b, e->deks.v[i]);
        give(w, &b);
    }
    return w->more;
}

bool rt_store_records(const rt_store *st, rt_each_record *fn, void *ctx)
{
    walk w = {st, fn, ctx, true};
    fl_map_each(st->contexts, give_context, &w);
    if (w.more)
        fl_map_each(st->subjects, give_deleted, &w);
    if (w.more)
        fl_map_each(st->scopes, give_scope, &w);
    if (w.more)
        fl_map_each(st->keks, give_kek, &w);
    return w.more;
}

/* ---- applying ---- */

rt_code rt_store_apply_context(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *name = fl_json_str(record, "name");
    int64_t last;
    if (!name || name[0] != '.' || strchr(name, ':') || rt_subject_wrong(name) ||
        !fl_json_int(record, "lastId", &last) || last < 0 || last > INT32_MAX)
        return rt_fail(err, RT_IO, "a record of a context lacks a member or is out of bounds");
    rt_context *c = rt_store_make_context(st, name);
    c->gone = fl_json_bool(record, "gone", false);
    if (c->gone || last > c->last_id)
        c->last_id = c->gone ? 0 : (int)last;
    return RT_OK;
}

/* ---- taking a context away ---- */

typedef struct inside {
    const rt_context *context;
    bool any;
} inside;

static bool is_inside(const char *key, void *value, void *ctx)
{
    const rt_versions *v = value;
    inside *in = ctx;
    in->any = v->list.n && v->context == in->context;
    return !in->any;
}

rt_code rt_store_delete_context(rt_store *st, const char *name, rt_error *err)
{
    const rt_context *c = fl_map_get(st->contexts, name);
    inside in = {.context = c};
    fl_buf b;
    fl_jw j;
    if (!strcmp(name, "."))
        return rt_fail_as(err, RT_REFUSED, 42205, "the default context cannot be deleted");
    if (!c || c->gone)
        return rt_fail_as(err, RT_NOT_FOUND, 40401, "there is no context %s in the registry %s", name, st->url);
    fl_map_each(st->subjects, is_inside, &in);
    if (in.any)
        return rt_fail_as(err, RT_REFUSED, 42211, "context %s is not empty: delete its subjects permanently", name);
    rt_store_begin_record(&b, &j, "context");
    fl_jw_kstring(&j, "name", name);
    fl_jw_kint(&j, "lastId", 0);
    fl_jw_kbool(&j, "gone", true);
    fl_jw_end_object(&j);
    return rt_store_commit(st, &b, err);
}
