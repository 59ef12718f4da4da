/* emit.c: the artefacts in memory: what is common to all backends, and their order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/emit.h"

/* ---- files ---- */

void emit_file(emit *m, const char *path, const char *bytes, size_t len)
{
    fc_file f = {fl_strdup(m->arena, path), fl_strndup(m->arena, bytes, len), len};
    FL_PUSH(m->arena, &m->build->files, f);
}

void emit_begin(emit_json *j)
{
    fl_buf_init(&j->buf, EMIT_MAX);
    fl_jw_init(&j->w, &j->buf, true);
}

void emit_end(emit *m, emit_json *j, const char *path)
{
    fl_buf_addc(&j->buf, '\n');
    if (j->buf.full)
        fl_die(FL_COULD_NOT_RUN, "%s would be larger than %u bytes", path, EMIT_MAX);
    emit_file(m, path, j->buf.p, j->buf.len);
    fl_buf_free(&j->buf);
}

/* ---- parts ---- */

static const char *const parts[] = {"registry", "connect", "access", "plan", "tests"};
enum { NPARTS = sizeof parts / sizeof *parts };

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && !strncmp(p, name, n))
            return true;
        p += len + (p[len] == ',');
    }
    return false;
}

bool emit_wants(const emit *m, const char *part)
{
    return !m->only || in_list(m->only, part);
}

const char *fc_part(size_t i)
{
    return i < NPARTS ? parts[i] : NULL;
}

/* ---- names ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void emit_sort(const char **v, size_t n)
{
    if (n)
        qsort(v, n, sizeof *v, by_bytes);
}

const char *emit_format(est_format f)
{
    return est_format_name(f);
}

const char *emit_policy_name(const est_estate *e, const char *file)
{
    const char *first = e->files.n ? e->files.v[0]->source->name : "", *slash = strrchr(first, '/');
    size_t common = slash ? (size_t)(slash + 1 - first) : 0;
    for (size_t i = 1; i < e->files.n; i++) {
        const char *name = e->files.v[i]->source->name;
        while (common && (strncmp(name, first, common) || first[common - 1] != '/'))
            common--;
    }
    return !strncmp(file, first, common) ? file + common : file;
}

/* ---- who may do what ---- */

typedef struct need { /* one principal and one topic; NULL: the principal is declared, and that is all */
    const char *name;
    const est_topic *topic;
    bool writes;
} need;

typedef struct needs {
    emit *m;
    FL_VEC(need) list;
} needs;

static void add_need(needs *all, const char *name, const est_topic *t, bool writes)
{
    FL_PUSH(all->m->arena, &all->list, (need){name, t, writes});
}

static void needs_of_topic(needs *all, const est_topic *t)
{
    for (size_t j = 0; j < t->readers.n; j++)
        add_need(all, t->readers.v[j].s, t, false);
    for (size_t j = 0; j < t->writers.n; j++)
        add_need(all, t->writers.v[j].s, t, true);
}

static void needs_of_connector(needs *all, const est_connector *c)
{
    for (size_t j = 0; c->principal.s && j < c->topics.n; j++)
        add_need(all, c->principal.s, c->topics.v[j], est_is_source(c));
}

static int by_need(const void *a, const void *b)
{
    const need *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order || !x->topic || !y->topic)
        return order ? order : (x->topic != NULL) - (y->topic != NULL);
    order = strcmp(x->topic->name.s, y->topic->name.s);
    return order ? order : x->writes - y->writes;
}

/* Sorted needs, one principal after the other. */
static emit_grantees grouped(const needs *all)
{
    emit_grantees out = {0};
    fl_arena *a = all->m->arena;
    for (size_t i = 0; i < all->list.n; i++) {
        const need *x = &all->list.v[i];
        if (!i || strcmp(x[-1].name, x->name))
            FL_PUSH(a, &out.list, (emit_grantee){.name = x->name});
        emit_grantee *g = &out.list.v[out.list.n - 1];
        if (!x->topic || (i && !by_need(&x[-1], x)))
            continue;
        if (x->writes)
            FL_PUSH(a, &g->writes, x->topic);
        else
            FL_PUSH(a, &g->reads, x->topic);
    }
    return out;
}

emit_grantees emit_all_grantees(emit *m)
{
    needs all = {.m = m};
    const est_estate *e = m->e;
    for (size_t i = 0; i < e->principals.n; i++)
        add_need(&all, e->principals.v[i]->full, NULL, false);
    for (size_t i = 0; i < e->topics.n; i++)
        needs_of_topic(&all, e->topics.v[i]);
    for (size_t i = 0; i < e->connectors.n; i++)
        needs_of_connector(&all, e->connectors.v[i]);
    if (all.list.n)
        qsort(all.list.v, all.list.n, sizeof *all.list.v, by_need);
    return grouped(&all);
}

/* ---- all of it ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const fc_file *)a)->path, ((const fc_file *)b)->path);
}

fc_build *fc_emit(const est_estate *e, const char *only, fl_diags *diags)
{
    static void (*const backends[NPARTS])(emit *) = {emit_registry, emit_connect, emit_access, emit_plan, emit_tests};
    if (diags->errors || e->checks_only)
        return NULL;
    emit m = {.e = e, .arena = e->arena, .diags = diags, .build = FL_NEW(e->arena, fc_build), .only = only};
    for (size_t i = 0; i < NPARTS; i++)
        if (emit_wants(&m, parts[i]))
            backends[i](&m);
    if (diags->errors)
        return NULL;
    if (m.build->files.n)
        qsort(m.build->files.v, m.build->files.n, sizeof *m.build->files.v, by_path);
    m.build->order = m.order.v;
    m.build->norder = m.order.n;
    emit_manifest(&m);
    return m.build;
}
