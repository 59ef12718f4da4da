/* client_use.c: who writes and reads a topic, and with which client. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/client_use.h"

typedef struct touch { /* a connector and one of its topics */
    const est_topic *topic;
    const est_connector *connector;
} touch;

struct use_estate {
    const est_estate *e;
    fl_map *clients; /* full principal to est_principal, those with a client; NULL: none has one */
    touch *touches;  /* by topic (its address), then name of the connector */
    size_t n;
};

static int by_topic(const void *x, const void *y)
{
    const touch *a = x, *b = y;
    if (a->topic != b->topic)
        return a->topic < b->topic ? -1 : 1;
    return strcmp(a->connector->name.s, b->connector->name.s);
}

use_estate *use_of(const est_estate *e)
{
    use_estate *u = fl_xcalloc(1, sizeof *u);
    size_t n = 0;
    u->e = e;
    for (size_t i = 0; i < e->principals.n; i++) {
        est_principal *p = e->principals.v[i];
        if (!p->client.s)
            continue;
        if (!u->clients)
            u->clients = fl_map_new();
        fl_map_put(u->clients, p->full, p);
    }
    for (size_t i = 0; i < e->connectors.n; i++)
        n += e->connectors.v[i]->topics.n;
    u->touches = fl_xcalloc(n + 1, sizeof *u->touches);
    for (size_t i = 0; i < e->connectors.n; i++)
        for (size_t k = 0; k < e->connectors.v[i]->topics.n; k++)
            u->touches[u->n++] = (touch){e->connectors.v[i]->topics.v[k], e->connectors.v[i]};
    qsort(u->touches, u->n, sizeof *u->touches, by_topic);
    return u;
}

void use_free(use_estate *u)
{
    fl_map_free(u->clients);
    free(u->touches);
    free(u);
}

static size_t first_touch(const use_estate *u, const est_topic *t)
{
    size_t from = 0, to = u->n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (u->touches[mid].topic < t)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* Is this the principal as which a connector touches the topic? */
static bool is_of_connector(const use_estate *u, const est_topic *t, bool (*is)(const est_connector *c),
                            const char *principal)
{
    for (size_t i = first_touch(u, t); i < u->n && u->touches[i].topic == t; i++) {
        const est_connector *c = u->touches[i].connector;
        if (is(c) && c->principal.s && !strcmp(c->principal.s, principal))
            return true;
    }
    return false;
}

/* A principal without a client that a connector of the topic runs as is that connector, which add_connectors adds. */
static void add_principals(const use_estate *u, const est_topic *t, const est_text *names, size_t n,
                           bool (*is)(const est_connector *c), use_list *out)
{
    for (size_t i = 0; i < n; i++) {
        const est_principal *p = u->clients ? fl_map_get(u->clients, names[i].s) : NULL;
        int client = p ? cl_client_of(p->client.s) : -1;
        if (client < 0 && is_of_connector(u, t, is, names[i].s))
            continue;
        FL_PUSH(u->e->arena, out,
                (use_one){names[i].s, names[i].at, false, client >= 0, client >= 0 ? (cl_client)client : 0});
    }
}

/* Connect's converters are the vendor's Java. */
static void add_connectors(const use_estate *u, const est_topic *t, bool (*is)(const est_connector *c), use_list *out)
{
    for (size_t i = first_touch(u, t); i < u->n && u->touches[i].topic == t; i++) {
        const est_connector *c = u->touches[i].connector;
        if (is(c))
            FL_PUSH(
                u->e->arena, out,
                (use_one){fl_printf(u->e->arena, "the connector %s", c->name.s), c->at, true, true, CL_CLIENT_JAVA});
    }
}

void use_writers(const use_estate *u, const est_topic *t, use_list *out)
{
    out->n = 0;
    add_principals(u, t, t->writers.v, t->writers.n, est_is_source, out);
    add_connectors(u, t, est_is_source, out);
}

void use_readers(const use_estate *u, const est_topic *t, use_list *out)
{
    out->n = 0;
    add_principals(u, t, t->readers.v, t->readers.n, est_is_sink, out);
    add_connectors(u, t, est_is_sink, out);
}
