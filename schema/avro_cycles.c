/* avro_cycles.c: which records contain themselves: strongly connected components (Tarjan) of the graph of types, with a
 * stack of its own, since a hostile schema can chain 20,000 records. */
#include "schema/avro_parser.h"

#include <stdlib.h>
#include <string.h>

size_t sch_child_count(const sch_type *t)
{
    switch (t->kind) {
    case SCH_RECORD:
        return t->nfields;
    case SCH_UNION:
        return t->nbranches;
    case SCH_ARRAY:
    case SCH_MAP:
        return 1;
    default:
        return 0;
    }
}

const sch_type *sch_child(const sch_type *t, size_t i)
{
    switch (t->kind) {
    case SCH_RECORD:
        return t->fields[i].type;
    case SCH_UNION:
        return t->branches[i];
    default:
        return t->item;
    }
}

typedef struct node {
    unsigned order, low; /* order 0: not seen */
    bool on_stack;
} node;

typedef struct tarjan {
    const sch_types *types;
    node *nodes;
    unsigned *stack, nstack;
    struct {
        unsigned id;
        size_t next;
    } * path;
    size_t npath;
    unsigned order;
} tarjan;

static void enter(tarjan *t, unsigned id)
{
    t->nodes[id] = (node){.order = ++t->order, .low = t->order, .on_stack = true};
    t->stack[t->nstack++] = id;
    t->path[t->npath].id = id;
    t->path[t->npath++].next = 0;
}

/* Takes one component off the stack. A component of one type is a cycle only if the type is directly inside itself. */
static void close_component(tarjan *t, unsigned root)
{
    unsigned from = t->nstack;
    while (t->stack[--from] != root)
        ;
    sch_type *only = t->types->v[root];
    bool cycle = t->nstack - from > 1;
    for (size_t i = 0; !cycle && i < sch_child_count(only); i++)
        cycle = sch_child(only, i) == only;
    for (unsigned i = from; i < t->nstack; i++) {
        sch_type *member = t->types->v[t->stack[i]];
        t->nodes[member->id].on_stack = false;
        if (cycle && member->kind == SCH_RECORD)
            member->recursive = true;
    }
    t->nstack = from;
}

static void lower(node *n, unsigned to)
{
    if (to < n->low)
        n->low = to;
}

/* One step at the top of the path: into the next child, or back. */
static void step(tarjan *t)
{
    unsigned id = t->path[t->npath - 1].id;
    const sch_type *type = t->types->v[id];
    if (t->path[t->npath - 1].next < sch_child_count(type)) {
        unsigned child = sch_child(type, t->path[t->npath - 1].next++)->id;
        if (!t->nodes[child].order)
            enter(t, child);
        else if (t->nodes[child].on_stack)
            lower(&t->nodes[id], t->nodes[child].order);
        return;
    }
    t->npath--;
    if (t->nodes[id].low == t->nodes[id].order)
        close_component(t, id);
    if (t->npath)
        lower(&t->nodes[t->path[t->npath - 1].id], t->nodes[id].low);
}

void sch_mark_recursive(const sch_types *types)
{
    tarjan t = {.types = types,
                .nodes = fl_xcalloc(types->n + 1, sizeof *t.nodes),
                .stack = fl_xcalloc(types->n + 1, sizeof *t.stack),
                .path = fl_xcalloc(types->n + 1, sizeof *t.path)};
    for (unsigned i = 0; i < types->n; i++) {
        if (t.nodes[i].order)
            continue;
        enter(&t, i);
        while (t.npath)
            step(&t);
    }
    free(t.nodes);
    free(t.stack);
    free(t.path);
}
