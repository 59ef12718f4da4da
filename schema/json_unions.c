/* json_unions.c: unions in unions opened, once all types are made: a branch may be a choice itself. */
#include "schema/json_parser.h"

#include <stdlib.h>
#include <string.h>

typedef struct opener {
    js_parser *j;
    unsigned *seen; /* by type id: number of the union it was last met in */
    sch_type **stack;
    size_t nstack;
    FL_VEC(sch_type *) found;
    unsigned kinds; /* scalars met, as bits */
    size_t total;
} opener;

/* Two branches of one plain kind are one: what sets them apart are bounds that the tree does not hold. */
static bool is_new_kind(opener *o, const sch_type *t)
{
    static const unsigned plain = 1u << SCH_NULL | 1u << SCH_BOOLEAN | 1u << SCH_LONG | 1u << SCH_DOUBLE |
                                  1u << SCH_STRING | 1u << SCH_ENUM | 1u << SCH_ANY;
    unsigned bit = 1u << t->kind;
    if (!(plain & bit))
        return true;
    bool known = o->kinds & bit;
    o->kinds |= bit;
    return !known;
}

/* In order of writing: the stack holds what is still to come, the next on top. Each type comes there once. */
static void push_branches(opener *o, const sch_type *u, unsigned number)
{
    for (size_t i = u->nbranches; i-- > 0;) {
        sch_type *t = u->branches[i];
        if (o->seen[t->id] == number)
            continue;
        o->seen[t->id] = number;
        o->stack[o->nstack++] = t;
    }
}

static bool open_union(opener *o, sch_type *u, unsigned number)
{
    o->found.n = o->nstack = 0;
    o->kinds = 0;
    o->seen[u->id] = number;
    push_branches(o, u, number);
    while (o->nstack) {
        sch_type *t = o->stack[--o->nstack];
        if (t->kind == SCH_UNION)
            push_branches(o, t, number);
        else if (is_new_kind(o, t))
            FL_PUSH(o->j->p.a, &o->found, t);
    }
    o->total += o->found.n;
    if (o->found.n > JS_MAX_UNION || o->total > JS_MAX_BRANCHES)
        return js_refuse(o->j, (js_spot){u->node, NULL, NULL}, "a union has more than %d types", JS_MAX_UNION);
    return o->found.n || js_refuse(o->j, (js_spot){u->node, NULL, NULL}, "a choice has no branch but itself");
}

bool js_flatten_unions(js_parser *j)
{
    size_t n = j->p.types.n;
    opener o = {.j = j, .seen = fl_xcalloc(n + 1, sizeof *o.seen), .stack = fl_xcalloc(n + 1, sizeof *o.stack)};
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        sch_type *u = j->p.types.v[i];
        if (u->kind != SCH_UNION)
            continue;
        ok = open_union(&o, u, (unsigned)i + 1);
        if (!ok)
            break;
        u->branches = FL_NEW_N(j->p.a, sch_type *, o.found.n);
        memcpy(u->branches, o.found.v, o.found.n * sizeof *u->branches);
        u->nbranches = o.found.n;
    }
    free(o.seen);
    free(o.stack);
    return ok;
}
