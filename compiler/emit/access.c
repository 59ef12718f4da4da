/* access.c: access/role-bindings.json: what each principal needs, and no more.
 *
 * KEK roles bind to the KEK, never to its data keys. A writer makes data keys, so it needs DeveloperWrite there; the
 * vendor's document gives that to all, `grants least` to writers alone. Everyone reads the subjects, those they refer
 * to included. A sink reads in its consumer group connect-NAME and writes its dead letters and reports. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/emit/emit.h"

typedef struct binding {
    const char *principal, *role, *type, *resource;
} binding;

typedef struct bindings {
    emit *m;
    FL_VEC(binding) list;
} bindings;

#define READ  "DeveloperRead"
#define WRITE "DeveloperWrite"

static int by_all(const void *a, const void *b)
{
    const binding *x = a, *y = b;
    int c = strcmp(x->principal, y->principal);
    c = c ? c : strcmp(x->type, y->type);
    c = c ? c : strcmp(x->resource, y->resource);
    return c ? c : strcmp(x->role, y->role);
}

static void bind(bindings *b, const char *principal, const char *role, const char *type, const char *resource)
{
    FL_PUSH(b->m->arena, &b->list, (binding){principal, role, type, resource});
}

/* ---- what a topic asks for ---- */

/* All that a schema refers to, directly or not, each once: many may refer to one. */
static void bind_references(bindings *b, const char *principal, fl_map *seen, const est_ref *refs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fl_map_put(seen, refs[i].subject.s, b))
            continue;
        bind(b, principal, READ, "Subject", refs[i].subject.s);
        if (refs[i].target)
            bind_references(b, principal, seen, refs[i].target->refs.v, refs[i].target->refs.n);
        else if (refs[i].side_target)
            bind_references(b, principal, seen, refs[i].side_target->refs.v, refs[i].side_target->refs.n);
    }
}

static void bind_subjects(bindings *b, const char *principal, const est_side *s)
{
    bind(b, principal, READ, "Subject", s->subject);
    if (!s->refs.n)
        return;
    fl_map *seen = fl_map_new();
    bind_references(b, principal, seen, s->refs.v, s->refs.n);
    fl_map_free(seen);
}

static void bind_side(bindings *b, const char *principal, const est_side *s, bool writes)
{
    chk_keks keks = {0};
    if (!est_has_schema(s))
        return;
    bind_subjects(b, principal, s);
    chk_side_keks(b->m->e, s, false, &keks);
    for (size_t i = 0; i < keks.list.n; i++)
        bind(b, principal, writes || !b->m->e->platform.grants_least ? WRITE : READ, "Kek", keks.list.v[i]->name.s);
}

static void bind_topic(bindings *b, const char *principal, const est_topic *t, bool writes)
{
    bind(b, principal, writes ? WRITE : READ, "Topic", t->name.s);
    bind_side(b, principal, &t->key, writes);
    bind_side(b, principal, &t->value, writes);
}

/* The consumer group of a sink: its name is the connector's behind `connect-`, unless the consumer is told another. */
static const char *group_of(bindings *b, const est_connector *c)
{
    const est_prop *own = chk_config(c, "consumer.override.group.id");
    return own ? own->value : fl_printf(b->m->arena, "connect-%s", c->name.s);
}

static void bind_connector(bindings *b, const est_connector *c)
{
    const char *p = c->principal.s;
    if (!p || !est_is_sink(c))
        return;
    bind(b, p, READ, "Group", group_of(b, c));
    if (c->dead_letters.s)
        bind(b, p, WRITE, "Topic", c->dead_letters.s);
    if (c->reports_success.s)
        bind(b, p, WRITE, "Topic", c->reports_success.s);
    if (c->reports_errors.s)
        bind(b, p, WRITE, "Topic", c->reports_errors.s);
}

/* ---- writing ---- */

static void scope_id(fl_jw *w, const char *name, const est_text *id, bool applies)
{
    if (id->s && applies)
        fl_jw_kstring(w, name, id->s);
}

/* In Confluent Cloud a registry's role names environment and registry, and a role on a Kafka resource its cluster
 * twice: as the cluster of the cloud, and as the Kafka cluster in it. Self-managed ones name the Kafka cluster that
 * keeps the roles, whatever they are for. */
static void scope(fl_jw *w, const est_platform *p, const char *type)
{
    bool registry = !strcmp(type, "Kek") || !strcmp(type, "Subject");
    fl_jw_key(w, "scope");
    fl_jw_object(w);
    scope_id(w, "environment", &p->id_environment, true);
    scope_id(w, "registry", &p->id_registry, registry);
    scope_id(w, "kafka", &p->id_kafka, !registry || !p->cloud);
    scope_id(w, "cloudCluster", &p->id_kafka, !registry && p->cloud);
    fl_jw_end_object(w);
}

static void one_binding(emit *m, fl_jw *w, const binding *b)
{
    fl_jw_object(w);
    fl_jw_kstring(w, "principal", b->principal);
    fl_jw_kstring(w, "role", b->role);
    fl_jw_kstring(w, "resourceType", b->type);
    fl_jw_kstring(w, "resource", b->resource);
    fl_jw_kstring(w, "patternType", "LITERAL");
    scope(w, &m->e->platform, b->type);
    fl_jw_end_object(w);
}

void emit_access(emit *m)
{
    bindings b = {.m = m};
    emit_json j;
    emit_grantees all = emit_all_grantees(m);
    for (size_t i = 0; i < all.list.n; i++) {
        for (size_t k = 0; k < all.list.v[i].reads.n; k++)
            bind_topic(&b, all.list.v[i].name, all.list.v[i].reads.v[k], false);
        for (size_t k = 0; k < all.list.v[i].writes.n; k++)
            bind_topic(&b, all.list.v[i].name, all.list.v[i].writes.v[k], true);
    }
    for (size_t i = 0; i < m->e->connectors.n; i++)
        bind_connector(&b, m->e->connectors.v[i]);
    if (b.list.n)
        qsort(b.list.v, b.list.n, sizeof *b.list.v, by_all);
    emit_begin(&j);
    fl_jw_array(&j.w);
    for (size_t i = 0; i < b.list.n; i++)
        if (!i || by_all(&b.list.v[i - 1], &b.list.v[i]))
            one_binding(m, &j.w, &b.list.v[i]);
    fl_jw_end_array(&j.w);
    emit_end(m, &j, "access/role-bindings.json");
    emit_access_kms(m);
}
