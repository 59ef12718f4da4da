/* world.c: the estate seen from the other end: topics of a KEK, connectors of a topic, topics and KEKs of a principal.
 * Each is made when a guardrail first asks for it, in one pass over the estate. */
#include <stdlib.h>
#include <string.h>

#include "compiler/guard/model.h"

/* ---- places in the estate's arrays, which are in order of name ---- */

size_t guard_kek_place(const guard_world *w, const est_kek *k)
{
    size_t from = 0, to = w->e->keks.n;
    while (to - from > 1) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(k->name.s, w->e->keks.v[mid]->name.s) < 0)
            to = mid;
        else
            from = mid;
    }
    return from;
}

size_t guard_topic_place(const guard_world *w, const est_topic *t)
{
    size_t from = 0, to = w->e->topics.n;
    while (to - from > 1) {
        size_t mid = from + (to - from) / 2;
        if (strcmp(t->name.s, w->e->topics.v[mid]->name.s) < 0)
            to = mid;
        else
            from = mid;
    }
    return from;
}

/* ---- KEKs, topics ---- */

static void topic_of_keks(guard_world *w, const est_topic *t, const est_side *s)
{
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_kek *k = s->encrypts.v[i].kek;
        guard_topics *of = k ? &w->of_kek[guard_kek_place(w, k)] : NULL;
        if (of && (!of->list.n || of->list.v[of->list.n - 1] != t))
            FL_PUSH(w->a, &of->list, t);
    }
}

void guard_make_topics_of_keks(guard_world *w)
{
    if (w->of_kek)
        return;
    w->of_kek = FL_NEW_N(w->a, guard_topics, w->e->keks.n + 1);
    for (size_t i = 0; i < w->e->topics.n; i++) {
        topic_of_keks(w, w->e->topics.v[i], &w->e->topics.v[i]->key);
        topic_of_keks(w, w->e->topics.v[i], &w->e->topics.v[i]->value);
    }
}

void guard_make_connectors_of_topics(guard_world *w)
{
    if (w->of_topic)
        return;
    w->of_topic = FL_NEW_N(w->a, guard_connectors, w->e->topics.n + 1);
    for (size_t i = 0; i < w->e->connectors.n; i++) {
        const est_connector *c = w->e->connectors.v[i];
        for (size_t k = 0; k < c->topics.n; k++)
            FL_PUSH(w->a, &w->of_topic[guard_topic_place(w, c->topics.v[k])].list, c);
    }
}

/* ---- principals ---- */

static guard_principal *principal(guard_world *w, const char *full, fl_span at)
{
    const char *colon = full ? strchr(full, ':') : NULL;
    if (!colon) /* it could not be told (reported) */
        return NULL;
    guard_principal *p = fl_map_get(w->by_principal, full);
    if (p)
        return p;
    p = FL_NEW(w->a, guard_principal);
    *p = (guard_principal){.full = full, .name = colon + 1, .at = at};
    p->type = fl_strndup(w->a, full, (size_t)(colon - full));
    fl_map_put(w->by_principal, full, p);
    FL_PUSH(w->a, &w->principals, p);
    return p;
}

static void of_topic(guard_world *w, const est_topic *t)
{
    for (size_t i = 0; i < t->readers.n; i++) {
        guard_principal *p = principal(w, t->readers.v[i].s, t->readers.v[i].at);
        if (p)
            FL_PUSH(w->a, &p->reads, t);
    }
    for (size_t i = 0; i < t->writers.n; i++) {
        guard_principal *p = principal(w, t->writers.v[i].s, t->writers.v[i].at);
        if (p)
            FL_PUSH(w->a, &p->writes, t);
    }
}

static void of_connector(guard_world *w, const est_connector *c)
{
    guard_principal *p = principal(w, c->principal.s, c->principal.at);
    for (size_t i = 0; p && i < c->topics.n; i++) {
        if (est_is_source(c))
            FL_PUSH(w->a, &p->writes, c->topics.v[i]);
        else
            FL_PUSH(w->a, &p->reads, c->topics.v[i]);
    }
}

static int topics_by_name(const void *a, const void *b)
{
    return strcmp((*(const est_topic *const *)a)->name.s, (*(const est_topic *const *)b)->name.s);
}

static int keks_by_name(const void *a, const void *b)
{
    return strcmp((*(const est_kek *const *)a)->name.s, (*(const est_kek *const *)b)->name.s);
}

static int principals_by_name(const void *a, const void *b)
{
    return strcmp((*(guard_principal *const *)a)->full, (*(guard_principal *const *)b)->full);
}

static size_t each_once(const void **v, size_t n, int (*order)(const void *, const void *))
{
    size_t kept = 0;
    if (n)
        qsort(v, n, sizeof *v, order);
    for (size_t i = 0; i < n; i++)
        if (!kept || v[kept - 1] != v[i])
            v[kept++] = v[i];
    return kept;
}

static void keks_of_topics(guard_world *w, guard_principal *p, const est_topic *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const est_side *sides[] = {&v[i]->key, &v[i]->value};
        for (size_t k = 0; k < 2; k++)
            for (size_t x = 0; x < sides[k]->encrypts.n; x++)
                if (sides[k]->encrypts.v[x].kek)
                    FL_PUSH(w->a, &p->keks, sides[k]->encrypts.v[x].kek);
    }
}

static void finish(guard_world *w, guard_principal *p)
{
    p->reads.n = each_once((const void **)p->reads.v, p->reads.n, topics_by_name);
    p->writes.n = each_once((const void **)p->writes.v, p->writes.n, topics_by_name);
    keks_of_topics(w, p, p->reads.v, p->reads.n);
    keks_of_topics(w, p, p->writes.v, p->writes.n);
    p->keks.n = each_once((const void **)p->keks.v, p->keks.n, keks_by_name);
}

void guard_make_principals(guard_world *w)
{
    const est_estate *e = w->e;
    if (w->by_principal)
        return;
    w->by_principal = fl_map_new();
    for (size_t i = 0; i < e->principals.n; i++)
        principal(w, e->principals.v[i]->full, e->principals.v[i]->name.at);
    for (size_t i = 0; i < e->topics.n; i++)
        of_topic(w, e->topics.v[i]);
    for (size_t i = 0; i < e->connectors.n; i++)
        of_connector(w, e->connectors.v[i]);
    for (size_t i = 0; i < w->principals.n; i++)
        finish(w, w->principals.v[i]);
    if (w->principals.n)
        qsort(w->principals.v, w->principals.n, sizeof *w->principals.v, principals_by_name);
}
