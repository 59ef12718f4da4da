/* store_versions.c: finding schema versions, who refers to them, and deleting them. */
#include <stdio.h>
#include <string.h>

#include "runtime/store.h"

/* ---- finding ---- */

static bool any_alive(const rt_versions *v)
{
    for (size_t i = 0; i < v->list.n; i++)
        if (!v->list.v[i].deleted)
            return true;
    return false;
}

const rt_versions *rt_store_subject(const rt_store *st, const char *subject, bool deleted)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    return v && v->list.n && (deleted || any_alive(v)) ? v : NULL;
}

const rt_version *rt_store_find(const rt_store *st, const char *subject, int version, bool deleted)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    for (size_t i = v ? v->list.n : 0; i-- > 0;)
        if ((version == -1 || v->list.v[i].number == version) && (deleted || !v->list.v[i].deleted))
            return &v->list.v[i];
    return NULL;
}

rt_code rt_store_need(const rt_store *st, const char *subject, int version, bool deleted, const rt_version **out,
                      rt_error *err)
{
    if (version < 1 && version != -1)
        return rt_fail_as(err, RT_BAD_INPUT, 42202,
                          "subject %s: version %d is none: a positive number, or -1 for the latest", subject, version);
    if (!rt_store_subject(st, subject, deleted))
        return rt_fail_as(err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", subject, st->url);
    *out = rt_store_find(st, subject, version, deleted);
    if (!*out)
        return rt_fail_as(err, RT_NOT_FOUND, 40402, "subject %s has no version %d in the registry %s", subject, version,
                          st->url);
    return RT_OK;
}

const rt_content *rt_store_content(const rt_store *st, const char *context, int id)
{
    char key[16];
    const rt_context *c = fl_map_get(st->contexts, context);
    snprintf(key, sizeof key, "%d", id);
    return c ? fl_map_get(c->by_id, key) : NULL;
}

static const rt_version *in_subject(const rt_versions *v, const rt_content *c, bool deleted)
{
    for (size_t i = 0; i < v->list.n; i++)
        if (v->list.v[i].content == c && (deleted || !v->list.v[i].deleted))
            return &v->list.v[i];
    return NULL;
}

const rt_version *rt_store_place(const rt_store *st, const rt_content *c, const char *hint, bool deleted,
                                 const char **subject)
{
    const rt_versions *hinted = hint ? fl_map_get(st->subjects, hint) : NULL;
    const rt_version *found = hinted ? in_subject(hinted, c, deleted) : NULL;
    *subject = found ? hinted->subject : NULL;
    for (size_t i = 0; i < c->users.n && !found; i++) {
        found = in_subject(c->users.v[i], c, deleted);
        *subject = c->users.v[i]->subject;
    }
    return found;
}

static void copy_out(fl_arena *a, const rt_content *c, const char *subject, int version, rt_subject *out)
{
    *out = c->is;
    out->subject = fl_strdup(a, subject);
    out->version = version;
    out->type = fl_strdup(a, c->is.type);
    out->schema = fl_strdup(a, c->is.schema);
    out->metadata = rt_store_copy(a, c->is.metadata);
    out->ruleset = rt_store_copy(a, c->is.ruleset);
    out->refs = c->is.nrefs ? FL_NEW_N(a, rt_schema_ref, c->is.nrefs) : NULL;
    for (size_t i = 0; i < c->is.nrefs; i++)
        out->refs[i] = (rt_schema_ref){fl_strdup(a, c->is.refs[i].name), fl_strdup(a, c->is.refs[i].subject),
                                       c->is.refs[i].version};
}

rt_code rt_store_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out, rt_error *err)
{
    const rt_version *v;
    const char *name = rt_subject_normal(a, subject);
    rt_code code = rt_store_need((rt_store *)r, name, version, false, &v, err);
    if (code == RT_OK)
        copy_out(a, v->content, name, v->number, out);
    return code;
}

/* A schema that is deleted but kept is found by its id: records may still carry it. */
rt_code rt_store_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    const char *subject;
    const char *name = hint ? rt_subject_normal(a, hint) : NULL;
    const rt_content *c = rt_store_content(st, name ? rt_subject_context(a, name) : ".", id);
    const rt_version *v = c ? rt_store_place(st, c, name, true, &subject) : NULL;
    if (!v)
        return rt_fail_as(err, RT_NOT_FOUND, 40403, "schema id %d is not in the registry %s", id, st->url);
    copy_out(a, c, subject, v->number, out);
    return RT_OK;
}

/* The context of the hint first, then the others in the order in which they came to be. */
typedef struct guid_search {
    const char *guid, *context;
    const rt_content *found;
} guid_search;

static bool has_guid(const char *name, void *value, void *ctx)
{
    guid_search *g = ctx;
    const rt_content *c = fl_map_get(((const rt_context *)value)->by_guid, g->guid);
    bool preferred = c && strcmp(name, g->context) == 0;
    if (c && (preferred || !g->found))
        g->found = c;
    return !preferred;
}

rt_code rt_store_by_guid(rt_registry *r, fl_arena *a, const char *guid, const char *hint, rt_subject *out,
                         rt_error *err)
{
    rt_store *st = (rt_store *)r;
    const char *subject, *name = hint ? rt_subject_normal(a, hint) : NULL;
    guid_search g = {.guid = guid, .context = name ? rt_subject_context(a, name) : "."};
    fl_map_each(st->contexts, has_guid, &g);
    const rt_version *v = g.found ? rt_store_place(st, g.found, name, true, &subject) : NULL;
    if (!v)
        return rt_fail_as(err, RT_NOT_FOUND, 40403, "schema %.40s is not in the registry %s", guid, st->url);
    copy_out(a, g.found, subject, v->number, out);
    return RT_OK;
}

rt_code rt_store_find_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    rt_subject asked = *s;
    rt_version v;
    rt_code code = rt_store_lookup((rt_store *)r, a, &asked, false, false, &v, err);
    if (code != RT_OK)
        return code;
    s->version = v.number;
    s->id = v.content->id;
    memcpy(s->guid, v.content->is.guid, sizeof s->guid);
    return RT_OK;
}

/* ---- going through them ---- */

typedef struct walk {
    rt_each_version *fn;
    void *ctx;
} walk;

static bool each_subject(const char *key, void *value, void *ctx)
{
    const walk *w = ctx;
    const rt_versions *v = value;
    for (size_t i = 0; i < v->list.n; i++)
        if (!w->fn(v, &v->list.v[i], w->ctx))
            return false;
    return true;
}

void rt_store_each(const rt_store *st, rt_each_version *fn, void *ctx)
{
    walk w = {fn, ctx};
    fl_map_each(st->subjects, each_subject, &w);
}

typedef struct referrers {
    fl_arena *a;
    const char *subject;
    int version;
    walk to;
} referrers;

static bool refers(const rt_versions *v, const rt_version *version, void *ctx)
{
    referrers *r = ctx;
    const rt_subject *s = &version->content->is;
    for (size_t i = 0; i < s->nrefs && !version->deleted; i++)
        if ((r->version == -1 || s->refs[i].version == r->version) &&
            !strcmp(rt_store_ref_subject(r->a, v->subject, s->refs[i].subject), r->subject))
            return r->to.fn(v, version, r->to.ctx);
    return true;
}

void rt_store_referrers(const rt_store *st, const char *subject, int version, rt_each_version *fn, void *ctx)
{
    referrers r = {fl_arena_new(), subject, version, {fn, ctx}};
    rt_store_each(st, refers, &r);
    fl_arena_free(r.a);
}

/* ---- deleting ---- */

typedef struct first {
    const char *subject;
    int version;
} first;

static bool note_first(const rt_versions *v, const rt_version *version, void *ctx)
{
    *(first *)ctx = (first){v->subject, version->number};
    return false;
}

static rt_code check_unreferenced(const rt_store *st, const char *subject, int version, rt_error *err)
{
    first by = {0};
    rt_store_referrers(st, subject, version, note_first, &by);
    if (!by.subject)
        return RT_OK;
    return rt_fail_as(err, RT_REFUSED, 42206, "subject %s is referred to by subject %s, version %d: delete that first",
                      subject, by.subject, by.version);
}

void rt_store_print_delete(fl_buf *b, const char *subject, int version, bool permanent)
{
    fl_jw w;
    rt_store_begin_record(b, &w, "delete");
    fl_jw_kstring(&w, "subject", subject);
    fl_jw_kint(&w, "version", version);
    fl_jw_kbool(&w, "permanent", permanent);
    fl_jw_end_object(&w);
}

static rt_code commit_delete(rt_store *st, const char *subject, int version, bool permanent, rt_error *err)
{
    fl_buf b;
    rt_store_print_delete(&b, subject, version, permanent);
    return rt_store_commit(st, &b, err);
}

static rt_code may_delete_all(const rt_versions *v, const char *subject, bool permanent, rt_error *err)
{
    if (!permanent && !any_alive(v))
        return rt_fail_as(err, RT_NOT_FOUND, 40404, "subject %s was soft deleted; permanent=true deletes it for good",
                          subject);
    if (permanent && any_alive(v))
        return rt_fail_as(err, RT_NOT_FOUND, 40405, "subject %s was not soft deleted before: do that first", subject);
    return RT_OK;
}

static rt_code delete_subject(rt_store *st, fl_arena *a, const char *subject, bool permanent, rt_numbers *out,
                              rt_error *err)
{
    const rt_versions *v = rt_store_subject(st, subject, true);
    if (!v)
        return rt_fail_as(err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", subject, st->url);
    rt_code code = may_delete_all(v, subject, permanent, err);
    if (code == RT_OK)
        code = check_unreferenced(st, subject, -1, err);
    if (code != RT_OK)
        return code;
    for (size_t i = 0; i < v->list.n; i++)
        if (permanent || !v->list.v[i].deleted)
            FL_PUSH(a, out, v->list.v[i].number);
    return commit_delete(st, subject, 0, permanent, err);
}

rt_code rt_store_delete(rt_store *st, fl_arena *a, const char *subject, int version, bool permanent, rt_numbers *out,
                        rt_error *err)
{
    const rt_version *v;
    rt_code code = rt_store_writable(st, a, subject, err);
    if (code != RT_OK || !version)
        return code == RT_OK ? delete_subject(st, a, subject, permanent, out, err) : code;
    code = rt_store_need(st, subject, version, true, &v, err);
    if (code == RT_OK && version == -1 && !permanent && rt_store_find(st, subject, -1, false))
        v = rt_store_find(st, subject, -1, false);
    if (code == RT_OK && !permanent && v->deleted)
        code = rt_fail_as(err, RT_NOT_FOUND, 40406,
                          "subject %s, version %d was soft deleted; permanent=true deletes it for good", subject,
                          v->number);
    if (code == RT_OK && permanent && !v->deleted)
        code = rt_fail_as(err, RT_NOT_FOUND, 40407, "subject %s, version %d was not soft deleted before: do that first",
                          subject, v->number);
    if (code == RT_OK)
        code = check_unreferenced(st, subject, v->number, err);
    if (code != RT_OK)
        return code;
    FL_PUSH(a, out, v->number);
    return commit_delete(st, subject, v->number, permanent, err);
}

/* ---- applying ---- */

/* The subject no longer has the content under any number; nobody: nobody finds it any more. */
static void drop_user(rt_content *c, const rt_versions *v)
{
    char key[16];
    size_t kept = 0;
    if (in_subject(v, c, true))
        return;
    for (size_t i = 0; i < c->users.n; i++)
        if (c->users.v[i] != v)
            c->users.v[kept++] = c->users.v[i];
    c->users.n = kept;
    if (kept)
        return;
    snprintf(key, sizeof key, "%d", c->id);
    if (fl_map_get(v->context->by_identity, c->identity) == c)
        fl_map_del(v->context->by_identity, c->identity);
    fl_map_del(v->context->by_id, key);
    if (fl_map_get(v->context->by_guid, c->is.guid) == c)
        fl_map_del(v->context->by_guid, c->is.guid);
}

/* What of the log it makes useless, sooner or later. */
static size_t bytes_of(const rt_versions *v, int version)
{
    size_t n = 0;
    for (size_t i = 0; i < v->list.n; i++)
        n += !version || v->list.v[i].number == version ? v->list.v[i].bytes : 0;
    return n;
}

static void remove_for_good(rt_versions *v, int version)
{
    for (size_t i = 0; i < v->list.n;) {
        rt_content *c = v->list.v[i].content;
        if (version && v->list.v[i].number != version) {
            i++;
            continue;
        }
        memmove(&v->list.v[i], &v->list.v[i + 1], (v->list.n - i - 1) * sizeof v->list.v[0]);
        v->list.n--;
        drop_user(c, v);
    }
}

/* version 0: all. What is set for a subject goes with its last version. */
rt_code rt_store_apply_delete(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *subject = fl_json_str(record, "subject");
    int64_t version;
    rt_versions *v = subject ? fl_map_get(st->subjects, subject) : NULL;
    if (!v || !fl_json_int(record, "version", &version) || version < 0 || version > INT32_MAX)
        return rt_fail(err, RT_IO, "a record of a deletion names nothing that is there");
    st->dead += bytes_of(v, (int)version);
    if (fl_json_bool(record, "permanent", false))
        remove_for_good(v, (int)version);
    else
        for (size_t i = 0; i < v->list.n; i++)
            v->list.v[i].deleted |= !version || v->list.v[i].number == version;
    if (!any_alive(v))
        fl_map_del(st->scopes, subject);
    return RT_OK;
}
