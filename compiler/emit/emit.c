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

static emit_grantee *grantee(emit *m, emit_grantees *all, const char *name)
{
    size_t i = 0;
    while (i < all->list.n && strcmp(all->list.v[i].name, name) < 0)
        i++;
    if (i < all->list.n && !strcmp(all->list.v[i].name, name))
        return &all->list.v[i];
    FL_PUSH(m->arena, &all->list, (emit_grantee){.name = name});
    memmove(&all->list.v[i + 1], &all->list.v[i], (all->list.n - 1 - i) * sizeof *all->list.v);
    all->list.v[i] = (emit_grantee){.name = name};
    return &all->list.v[i];
}

#define ADD_TOPIC(m, vec, t)                                                                                           \
    do {                                                                                                               \
        size_t k_ = 0;                                                                                                 \
        while (k_ < (vec)->n && (vec)->v[k_] != (t))                                                                   \
            k_++;                                                                                                      \
        if (k_ == (vec)->n)                                                                                            \
            FL_PUSH((m)->arena, vec, t);                                                                               \
    } while (0)

static int by_topic(const void *a, const void *b)
{
    return strcmp((*(const est_topic *const *)a)->name.s, (*(const est_topic *const *)b)->name.s);
}

emit_grantees emit_all_grantees(emit *m)
{
    emit_grantees all = {0};
    const est_estate *e = m->e;
    for (size_t i = 0; i < e->principals.n; i++)
        grantee(m, &all, e->principals.v[i]->full);
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        for (size_t j = 0; j < t->readers.n; j++)
            ADD_TOPIC(m, &grantee(m, &all, t->readers.v[j].s)->reads, t);
        for (size_t j = 0; j < t->writers.n; j++)
            ADD_TOPIC(m, &grantee(m, &all, t->writers.v[j].s)->writes, t);
    }
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        for (size_t j = 0; c->principal.s && j < c->topics.n; j++) {
            emit_grantee *g = grantee(m, &all, c->principal.s);
            if (est_is_source(c))
                ADD_TOPIC(m, &g->writes, c->topics.v[j]);
            else
                ADD_TOPIC(m, &g->reads, c->topics.v[j]);
        }
    }
    for (size_t i = 0; i < all.list.n; i++) {
        emit_grantee *g = &all.list.v[i];
        if (g->reads.n)
            qsort(g->reads.v, g->reads.n, sizeof *g->reads.v, by_topic);
        if (g->writes.n)
            qsort(g->writes.v, g->writes.n, sizeof *g->writes.v, by_topic);
    }
    return all;
}

/* ---- all of it ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp(((const fc_file *)a)->path, ((const fc_file *)b)->path);
}

fc_build *fc_emit(const est_estate *e, const char *only, fl_diags *diags)
{
    static void (*const backends[NPARTS])(emit *) = {emit_registry, emit_connect, emit_access, emit_plan, emit_tests};
    if (diags->errors)
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
