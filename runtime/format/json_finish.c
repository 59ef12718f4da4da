/* json_finish.c: of the states of a program: what becomes of values of each kind, and below which something is sealed.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/json_compiler.h"

/* ---- what becomes of each kind of value ---- */

/* May a value of the kind stand there? */
static bool allowed(const json_place *p, json_kind kind)
{
    static const sch_kind kinds[JSON_KINDS][2] = {{SCH_RECORD, SCH_MAP},      {SCH_ARRAY, SCH_ARRAY},
                                                  {SCH_STRING, SCH_ENUM},     {SCH_LONG, SCH_DOUBLE},
                                                  {SCH_BOOLEAN, SCH_BOOLEAN}, {SCH_NULL, SCH_NULL}};
    return json_has_kind(p, kinds[kind][0]) || json_has_kind(p, kinds[kind][1]) || json_has_kind(p, SCH_ANY);
}

/* Is one of the place's rules by tag, not for all fields? */
static bool by_tag(const json_compiler *c, uint32_t number)
{
    const rt_chain *chain = &c->f.chains.v[c->chains.v[number]];
    bool yes = false;
    for (size_t i = 0; i < chain->n; i++)
        yes |= c->in->rules->v[chain->rule[i]].ntags > 0;
    return yes;
}

/* null passes everywhere, as clients have it. Reading passes what cannot be a ciphertext. */
static json_act act_of(const json_compiler *c, uint32_t number, json_kind kind)
{
    const json_place *p = &c->places.v[number];
    bool tagged = c->chains.v[number] >= 0, container = kind == JSON_OBJECT || kind == JSON_ARRAY;
    if (tagged && kind == JSON_STRING && (json_has_kind(p, SCH_STRING) || json_has_kind(p, SCH_ANY)))
        return JSON_SEAL;
    if (kind == JSON_NULL || c->in->opening)
        return JSON_COPY;
    if (tagged && !container)
        return JSON_FAIL;
    if (tagged && kind == JSON_OBJECT && p->spelled && json_has_kind(p, SCH_RECORD) && by_tag(c, number))
        return JSON_FAIL; /* a tag on an object; refused when compiling where the schema has the name */
    if (tagged && !(kind == JSON_OBJECT ? json_has_kind(p, SCH_RECORD) || json_has_kind(p, SCH_MAP)
                                        : json_has_kind(p, SCH_ARRAY)))
        return JSON_FAIL;
    return allowed(p, kind) ? JSON_COPY : JSON_ODD;
}

static void set_acts(json_compiler *c)
{
    for (uint32_t i = 1; i < c->states.n; i++) {
        json_state *s = &c->states.v[i];
        for (int k = 0; k < JSON_KINDS && c->guards[i]; k++)
            s->act[k] = (uint8_t)act_of(c, i, (json_kind)k);
        s->chain = (uint16_t)(c->chains.v[i] < 0 ? 0 : c->chains.v[i]);
    }
}

/* ---- states that matter ---- */

typedef struct edges { /* by the state that they lead to */
    uint32_t *first, *from;
} edges;

static void each_edge(const json_compiler *c, void (*fn)(edges *e, uint32_t from, uint32_t to), edges *e)
{
    for (uint32_t i = 1; i < c->states.n; i++) {
        const json_state *s = &c->states.v[i];
        for (uint32_t k = 0; k < s->n; k++)
            fn(e, i, c->members.v[s->first + k].state);
        for (uint32_t k = 0; k < s->nglobs; k++)
            fn(e, i, c->globs.v[s->glob + k].state);
        fn(e, i, s->other);
        fn(e, i, s->several);
        fn(e, i, s->items);
    }
}

static void count_edge(edges *e, uint32_t from, uint32_t to)
{
    (void)from;
    e->first[to + 1]++;
}

static void put_edge(edges *e, uint32_t from, uint32_t to)
{
    e->from[e->first[to]++] = from; /* afterwards first[to] is where those of to end */
}

/* From each state that seals or fails back to the root. */
static void find_guards(json_compiler *c)
{
    size_t n = c->states.n, total = c->members.n + c->globs.n + 3 * n;
    edges e = {FL_NEW_N(c->a, uint32_t, n + 2), FL_NEW_N(c->a, uint32_t, total + 1)};
    uint32_t *todo = FL_NEW_N(c->a, uint32_t, n + 1);
    size_t ntodo = 0;
    c->guards = FL_NEW_N(c->a, bool, n + 1);
    each_edge(c, count_edge, &e);
    for (size_t i = 1; i <= n; i++)
        e.first[i] += e.first[i - 1];
    each_edge(c, put_edge, &e);
    for (uint32_t i = 1; i < n; i++)
        if (c->chains.v[i] >= 0) {
            c->guards[i] = true;
            todo[ntodo++] = i;
        }
    while (ntodo) {
        uint32_t to = todo[--ntodo];
        for (uint32_t k = to ? e.first[to - 1] : 0; k < e.first[to]; k++)
            if (!c->guards[e.from[k]]) {
                c->guards[e.from[k]] = true;
                todo[ntodo++] = e.from[k];
            }
    }
}

static uint32_t if_guarded(const json_compiler *c, uint32_t state)
{
    return c->guards[state] ? state : 0;
}

static void forget_idle(json_compiler *c)
{
    for (uint32_t i = 1; i < c->states.n; i++) {
        json_state *s = &c->states.v[i];
        s->other = if_guarded(c, s->other);
        s->several = if_guarded(c, s->several);
        if (!s->several && !s->other) /* what matches one pattern alone comes to no more than what matches all */
            s->nglobs = 0;
        s->items = if_guarded(c, s->items);
    }
    for (size_t i = 0; i < c->globs.n; i++)
        c->globs.v[i].state = if_guarded(c, c->globs.v[i].state);
    for (size_t i = 0; i < c->members.n; i++)
        c->members.v[i].state = if_guarded(c, c->members.v[i].state);
}

/* ---- the program ---- */

static int by_name(const void *x, const void *y, void *members)
{
    const json_member *all = members;
    const json_member *a = &all[*(const uint32_t *)x], *b = &all[*(const uint32_t *)y];
    return json_name_cmp(a->name, a->len, b->name, b->len);
}

static uint32_t *sort_members(const json_compiler *c)
{
    uint32_t *order = FL_NEW_N(c->a, uint32_t, c->members.n + 1);
    for (uint32_t i = 0; i < c->members.n; i++)
        order[i] = i;
    for (size_t i = 1; i < c->states.n; i++)
        if (c->states.v[i].n)
            qsort_r(order + c->states.v[i].first, c->states.v[i].n, sizeof *order, by_name, c->members.v);
    return order;
}

rt_program *rt_json_finish(json_compiler *c, uint32_t root)
{
    json_program *p = FL_NEW(c->a, json_program);
    find_guards(c);
    forget_idle(c);
    set_acts(c);
    *p = (json_program){.base = {.encoding = &rt_json,
                                 .rules = c->in->rules,
                                 .opening = c->in->opening,
                                 .where = c->where.v,
                                 .chains = c->f.chains.v},
                        .states = c->states.v,
                        .nstates = (uint32_t)c->states.n,
                        .root = if_guarded(c, root),
                        .members = c->members.v,
                        .globs = c->globs.v,
                        .by_name = sort_members(c)};
    return &p->base;
}
