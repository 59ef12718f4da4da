/* json_compile.c: compiles a JSON Schema and rules into a table of states. A place of a document is known by the types
 * that may stand there, the fields whose tags count there, and how far the keys of metadata.tags have matched: places
 * equal in these are one state, which closes recursion without losing what a key says at a depth. */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/effects.h"
#include "runtime/format/json.h"

#define MAX_STATES 200000
#define MAX_WORK   ((size_t)256 << 20) /* bytes and steps, in all */

typedef struct types {
    const sch_type **v;
    size_t n;
} types;

typedef struct place {
    types types;              /* unions opened, by id */
    types latest;             /* the same place in the schema whose inline tags count, if that is another */
    const sch_field **fields; /* whose tags count, by address */
    size_t nfields;
    json_names names;
    const char *path;
    bool named;   /* below a property: what has no name carries no tag */
    bool pattern; /* below patternProperties */
    bool spelled; /* a key names it, the schema does not */
} place;

typedef struct compiler {
    fl_arena *a;
    const rt_compile *in;
    rt_effects f;
    json_keys *keys;
    fl_map *known; /* identity to 1 + number of a state */
    FL_VEC(place) places;
    FL_VEC(json_state) states;
    FL_VEC(const char *) where;
    FL_VEC(json_member) members;
    FL_VEC(int) chains; /* by state: -1 none */
    bool *guards;       /* by state: something is sealed, or fails, there or below */
    fl_buf identity;
    size_t work;
    rt_error *err;
} compiler;

static rt_code too_large(compiler *c)
{
    return rt_fail(c->err, RT_REFUSED, "subject %s: its schema and the keys of its metadata need too large a program",
                   c->in->rules->subject);
}

/* ---- sets ---- */

static bool has_type(const types *t, const sch_type *x)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i] == x)
            return true;
    return false;
}

static void add_type(compiler *c, types *t, const sch_type *x)
{
    if (x->kind != SCH_UNION && has_type(t, x))
        return;
    if (x->kind == SCH_UNION) { /* the parser has opened unions in unions */
        for (size_t i = 0; i < x->nbranches; i++)
            if (x->branches[i]->kind != SCH_UNION)
                add_type(c, t, x->branches[i]);
        return;
    }
    const sch_type **more = FL_NEW_N(c->a, const sch_type *, t->n + 1);
    size_t at = 0;
    while (at < t->n && t->v[at]->id < x->id)
        at++;
    if (at)
        memcpy(more, t->v, at * sizeof *more);
    more[at] = x;
    if (t->n > at)
        memcpy(more + at + 1, t->v + at, (t->n - at) * sizeof *more);
    c->work += (t->n + 1) * sizeof *more;
    t->v = more;
    t->n++;
}

static void add_field(compiler *c, place *p, const sch_field *f)
{
    for (size_t i = 0; i < p->nfields; i++)
        if (p->fields[i] == f)
            return;
    const sch_field **more = FL_NEW_N(c->a, const sch_field *, p->nfields + 1);
    size_t at = 0;
    while (at < p->nfields && p->fields[at] < f)
        at++;
    if (at)
        memcpy(more, p->fields, at * sizeof *more);
    more[at] = f;
    if (p->nfields > at)
        memcpy(more + at + 1, p->fields + at, (p->nfields - at) * sizeof *more);
    c->work += (p->nfields + 1) * sizeof *more;
    p->fields = more;
    p->nfields++;
}

static bool has_kind(const place *p, sch_kind kind)
{
    for (size_t i = 0; i < p->types.n; i++)
        if (p->types.v[i]->kind == kind)
            return true;
    return false;
}

/* ---- states ---- */

static void identify(compiler *c, const place *p)
{
    fl_buf *b = &c->identity;
    fl_buf_clear(b);
    for (size_t i = 0; i < p->types.n; i++)
        fl_buf_addf(b, "%u,", p->types.v[i]->id);
    fl_buf_addc(b, '|');
    for (size_t i = 0; i < p->latest.n; i++)
        fl_buf_addf(b, "%u,", p->latest.v[i]->id);
    fl_buf_addc(b, '|');
    for (size_t i = 0; i < p->nfields; i++)
        fl_buf_addf(b, "%p,", (const void *)p->fields[i]);
    fl_buf_addf(b, "|%d%d%d|", p->named, p->pattern, p->spelled);
    json_names_identity(&p->names, b);
}

/* The state of a place, a new one if there is none yet. */
static rt_code state_of(compiler *c, const place *p, uint32_t *out)
{
    *out = 0;
    if (!p->types.n)
        return RT_OK;
    identify(c, p);
    c->work += c->identity.len;
    if (c->identity.full || c->states.n >= MAX_STATES || c->work + json_keys_work(c->keys) > MAX_WORK)
        return too_large(c);
    uintptr_t known = (uintptr_t)fl_map_get(c->known, c->identity.p);
    if (!known) {
        FL_PUSH(c->a, &c->places, *p);
        FL_PUSH(c->a, &c->states, (json_state){.n = 0});
        FL_PUSH(c->a, &c->where, p->path);
        FL_PUSH(c->a, &c->chains, -1);
        known = c->states.n;
        fl_map_put(c->known, c->identity.p, (void *)known); /* NOLINT: a number, not an address */
    }
    *out = (uint32_t)known - 1;
    return RT_OK;
}

/* ---- which rules meet a place ---- */

static bool misplaced_here(const sch_schema *s, const types *t, const place *p, const rt_rule *r)
{
    for (size_t i = 0; i < s->nmisplaced; i++) {
        const sch_misplaced *m = &s->misplaced[i];
        if (!m->type || (m->type->kind != SCH_STRING && m->type->kind != SCH_ANY) ||
            !rt_rule_meets(r, m->tags, m->ntags))
            continue;
        bool here = has_type(t, m->type);
        for (size_t k = 0; k < p->nfields && !here; k++)
            here = p->fields[k] == m->field;
        if (here)
            return true;
    }
    return false;
}

typedef struct meeting {
    compiler *c;
    const place *p;
} meeting;

/* Inline tags count at the property, and (of the clients, JavaScript takes them) at the text's own schema object behind
 * a
 * `$ref`, in `items`, in a branch. */
static bool hits(void *ctx, const rt_rule *r)
{
    const meeting *m = ctx;
    const rt_compile *in = m->c->in;
    bool other = in->tags && in->tags != in->schema && m->p->latest.n;
    if (r->ntags == 0)
        return true;
    for (size_t i = 0; i < m->p->nfields; i++)
        if (rt_rule_meets(r, m->p->fields[i]->tags, m->p->fields[i]->ntags))
            return true;
    m->c->work += in->schema->nmisplaced;
    return json_names_hit(m->c->keys, &m->p->names, r) ||
           misplaced_here(other ? in->tags : in->schema, other ? &m->p->latest : &m->p->types, m->p, r);
}

static const char *plain_kind(const place *p)
{
    static const struct {
        sch_kind kind;
        const char *name;
    } rows[] = {{SCH_ENUM, "enum"}, {SCH_LONG, "integer"}, {SCH_DOUBLE, "number"}, {SCH_BOOLEAN, "boolean"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (has_kind(p, rows[i].kind))
            return rows[i].name;
    return NULL;
}

static rt_code check_effect(compiler *c, const place *p, const rt_effect *e)
{
    bool text = has_kind(p, SCH_STRING) || has_kind(p, SCH_ANY), fails;
    const char *plain = plain_kind(p);
    rt_code code = has_kind(p, SCH_RECORD) && !p->spelled ? rt_effect_on_record(&c->f, e) : RT_OK;
    if (code || (!text && !plain))
        return code;
    code = rt_effect_check_idle(&c->f, e);
    if (code || e->chain < 0 || text)
        return code;
    return rt_effect_not_encryptable(&c->f, e, plain, &fails);
}

/* No client looks into patternProperties, and which names they mean is not decided here: writing is refused, and nobody
 * has sealed what is read. */
static rt_code find_chain(compiler *c, const place *p, int *chain)
{
    meeting m = {c, p};
    rt_effect e;
    *chain = -1;
    if (!p->named)
        return RT_OK;
    rt_code code = rt_effect_find(&c->f, p->path, hits, &m, &e);
    if (code)
        return code;
    bool leaf = !has_kind(p, SCH_RECORD) && (has_kind(p, SCH_STRING) || has_kind(p, SCH_ANY) || plain_kind(p));
    if (p->pattern && leaf && !c->in->opening && (e.chain >= 0 || e.idle))
        return rt_effect_refuse(&c->f, &e, e.chain >= 0 ? e.rule : e.idle,
                                "meets a member of patternProperties, which no client encrypts: name it in properties");
    if (p->pattern)
        return RT_OK;
    code = check_effect(c, p, &e);
    *chain = e.chain;
    return code;
}

/* ---- one step down ---- */

static bool is_rest(const sch_field *f)
{
    return f->unwalked && !strcmp(f->unwalked, "additionalProperties") && !strcmp(f->name, "*");
}

static bool is_pattern(const sch_field *f)
{
    return f->unwalked && !strcmp(f->unwalked, "patternProperties");
}

static const sch_field *field_of(const sch_type *t, const char *name)
{
    const sch_field *rest = NULL;
    for (size_t i = 0; i < t->nfields; i++) {
        const sch_field *f = &t->fields[i];
        if (is_rest(f))
            rest = f;
        else if (name && !is_pattern(f) && !strcmp(f->name, name))
            return f;
    }
    return rest;
}

/* What stands under a name (NULL: one that no schema has) in one of the sets: its types, and the fields that carry its
 * tags. */
static void collect(compiler *c, const types *from, const char *name, types *to, place *fields)
{
    for (size_t i = 0; i < from->n; i++) {
        const sch_type *t = from->v[i];
        const sch_field *f = t->kind == SCH_RECORD ? field_of(t, name) : NULL;
        c->work += t->nfields;
        if (t->kind == SCH_MAP)
            add_type(c, to, t->item);
        if (!f)
            continue;
        add_type(c, to, f->type);
        add_field(c, fields, f);
    }
}

static const char *step_path(compiler *c, const place *p, const char *name)
{
    const char *shown = name ? name : "*";
    bool word = *shown != '\0';
    for (const char *s = shown; *s && word && name; s++)
        word = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_' ||
               *s == '-' || (unsigned char)*s >= 0x80;
    const char *path = fl_printf(c->a, word ? "%s%s%s" : "%s%s\"%s\"", p->path, *p->path ? "." : "", shown);
    c->work += strlen(path);
    return path;
}

/* Values of a map have the tags of the field that holds it. */
static void inherit(compiler *c, const place *from, place *to)
{
    if (has_kind(from, SCH_MAP))
        for (size_t i = 0; i < from->nfields; i++)
            add_field(c, to, from->fields[i]);
}

static rt_code member_state(compiler *c, const place *p, const char *name, bool spelled, uint32_t *out)
{
    place m = {.named = true, .pattern = p->pattern, .spelled = spelled}, latest = {.nfields = 0};
    collect(c, &p->types, name, &m.types, &m);
    collect(c, &p->latest, name, &m.latest, &latest);
    if (latest.nfields) {
        m.fields = latest.fields;
        m.nfields = latest.nfields;
    }
    inherit(c, p, &m);
    m.names = name ? json_names_member(c->keys, &p->names, name) : json_names_other(c->keys, &p->names);
    m.path = step_path(c, p, name);
    return state_of(c, &m, out);
}

static rt_code add_member(compiler *c, const place *p, fl_map *seen, const char *name, bool spelled)
{
    uint32_t state;
    if (fl_map_put(seen, name, c))
        return RT_OK;
    rt_code code = member_state(c, p, name, spelled, &state);
    json_member m = {.name = name, .len = (uint32_t)strlen(name), .state = state & 0x7fffffff, .plain = true};
    for (const char *ch = name; *ch; ch++)
        m.plain &= (unsigned char)*ch >= 0x20 && *ch != '"' && *ch != '\\';
    FL_PUSH(c->a, &c->members, m);
    return code;
}

static rt_code pattern_state(compiler *c, const place *p, const sch_field *f)
{
    uint32_t unused;
    place m = {.named = true, .pattern = true, .path = step_path(c, p, f->name)};
    add_type(c, &m.types, f->type);
    add_field(c, &m, f);
    m.names = json_names_other(c->keys, &p->names);
    return state_of(c, &m, &unused);
}

static rt_code add_fields(compiler *c, const place *p, const sch_type *t, fl_map *seen)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < t->nfields && !code; i++) {
        const sch_field *f = &t->fields[i];
        if (is_pattern(f))
            code = pattern_state(c, p, f);
        else if (!is_rest(f))
            code = add_member(c, p, seen, f->name, false);
    }
    return code;
}

/* Members without a schema of their own, as additionalProperties describes them. Those that a key spells are told from
 * the rest. */
static rt_code add_others(compiler *c, const place *p, fl_map *seen, uint32_t *other)
{
    rt_code code = member_state(c, p, NULL, false, other);
    if (code || !*other)
        return code;
    const place *o = &c->places.v[*other];
    if (o->types.n == 1 && o->types.v[0]->kind == SCH_ANY && !o->nfields)
        return RT_OK; /* nothing is said of them */
    const char *const *names;
    size_t n = json_names_spelled(c->keys, &p->names, &names);
    for (size_t i = 0; i < n && !code; i++)
        code = add_member(c, p, seen, names[i], true);
    return code;
}

static rt_code object_members(compiler *c, const place *p, json_state *s)
{
    fl_map *seen = fl_map_new();
    rt_code code = RT_OK;
    s->first = (uint32_t)c->members.n;
    for (size_t i = 0; i < p->types.n && !code; i++)
        if (p->types.v[i]->kind == SCH_RECORD)
            code = add_fields(c, p, p->types.v[i], seen);
    if (!code)
        code = add_others(c, p, seen, &s->other);
    fl_map_free(seen);
    s->n = (uint32_t)c->members.n - s->first;
    return code || c->members.n <= RT_MAX_OPS ? code : too_large(c);
}

static rt_code element_state(compiler *c, const place *p, uint32_t *out)
{
    place m = *p;
    m.types = m.latest = (types){NULL, 0};
    for (size_t i = 0; i < p->types.n; i++)
        if (p->types.v[i]->kind == SCH_ARRAY)
            add_type(c, &m.types, p->types.v[i]->item);
    for (size_t i = 0; i < p->latest.n; i++)
        if (p->latest.v[i]->kind == SCH_ARRAY)
            add_type(c, &m.latest, p->latest.v[i]->item);
    m.names = json_names_element(c->keys, &p->names);
    m.path = fl_printf(c->a, "%s[]", p->path);
    return state_of(c, &m, out);
}

static rt_code fill_state(compiler *c, uint32_t number)
{
    place p = c->places.v[number]; /* the list may move */
    json_state s = {.n = 0};
    int chain;
    rt_code code = find_chain(c, &p, &chain);
    if (!code && (has_kind(&p, SCH_RECORD) || has_kind(&p, SCH_MAP)))
        code = object_members(c, &p, &s);
    if (!code && has_kind(&p, SCH_ARRAY))
        code = element_state(c, &p, &s.items);
    c->states.v[number] = s;
    c->chains.v[number] = chain;
    return code;
}

/* ---- what becomes of each kind of value ---- */

/* May a value of the kind stand there? */
static bool allowed(const place *p, json_kind kind)
{
    static const sch_kind kinds[JSON_KINDS][2] = {{SCH_RECORD, SCH_MAP},      {SCH_ARRAY, SCH_ARRAY},
                                                  {SCH_STRING, SCH_ENUM},     {SCH_LONG, SCH_DOUBLE},
                                                  {SCH_BOOLEAN, SCH_BOOLEAN}, {SCH_NULL, SCH_NULL}};
    return has_kind(p, kinds[kind][0]) || has_kind(p, kinds[kind][1]) || has_kind(p, SCH_ANY);
}

/* Is one of the place's rules by tag, not for all fields? */
static bool by_tag(const compiler *c, uint32_t number)
{
    const rt_chain *chain = &c->f.chains.v[c->chains.v[number]];
    bool yes = false;
    for (size_t i = 0; i < chain->n; i++)
        yes |= c->in->rules->v[chain->rule[i]].ntags > 0;
    return yes;
}

/* null passes everywhere, as clients have it. Reading passes what cannot be a ciphertext. */
static json_act act_of(const compiler *c, uint32_t number, json_kind kind)
{
    const place *p = &c->places.v[number];
    bool tagged = c->chains.v[number] >= 0, container = kind == JSON_OBJECT || kind == JSON_ARRAY;
    if (tagged && kind == JSON_STRING && (has_kind(p, SCH_STRING) || has_kind(p, SCH_ANY)))
        return JSON_SEAL;
    if (kind == JSON_NULL || c->in->opening)
        return JSON_COPY;
    if (tagged && !container)
        return JSON_FAIL;
    if (tagged && kind == JSON_OBJECT && p->spelled && has_kind(p, SCH_RECORD) && by_tag(c, number))
        return JSON_FAIL; /* a tag on an object; refused when compiling where the schema has the name */
    if (tagged && !(kind == JSON_OBJECT ? has_kind(p, SCH_RECORD) || has_kind(p, SCH_MAP) : has_kind(p, SCH_ARRAY)))
        return JSON_FAIL;
    return allowed(p, kind) ? JSON_COPY : JSON_ODD;
}

static void set_acts(compiler *c)
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

static void each_edge(const compiler *c, void (*fn)(edges *e, uint32_t from, uint32_t to), edges *e)
{
    for (uint32_t i = 1; i < c->states.n; i++) {
        const json_state *s = &c->states.v[i];
        for (uint32_t k = 0; k < s->n; k++)
            fn(e, i, c->members.v[s->first + k].state);
        fn(e, i, s->other);
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
static void find_guards(compiler *c)
{
    size_t n = c->states.n, total = c->members.n + 2 * n;
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

static uint32_t if_guarded(const compiler *c, uint32_t state)
{
    return c->guards[state] ? state : 0;
}

static void forget_idle(compiler *c)
{
    for (uint32_t i = 1; i < c->states.n; i++) {
        json_state *s = &c->states.v[i];
        s->other = if_guarded(c, s->other);
        s->items = if_guarded(c, s->items);
    }
    for (size_t i = 0; i < c->members.n; i++)
        c->members.v[i].state = if_guarded(c, c->members.v[i].state) & 0x7fffffff;
}

/* ---- the whole ---- */

static int by_name(const void *x, const void *y, void *members)
{
    const json_member *all = members;
    const json_member *a = &all[*(const uint32_t *)x], *b = &all[*(const uint32_t *)y];
    return json_name_cmp(a->name, a->len, b->name, b->len);
}

static uint32_t *sort_members(const compiler *c)
{
    uint32_t *order = FL_NEW_N(c->a, uint32_t, c->members.n + 1);
    for (uint32_t i = 0; i < c->members.n; i++)
        order[i] = i;
    for (size_t i = 1; i < c->states.n; i++)
        if (c->states.v[i].n)
            qsort_r(order + c->states.v[i].first, c->states.v[i].n, sizeof *order, by_name, c->members.v);
    return order;
}

static rt_program *finish(compiler *c, uint32_t root)
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
                        .by_name = sort_members(c)};
    return &p->base;
}

static rt_code compile(compiler *c, uint32_t *root)
{
    place p = {.path = ""};
    c->keys = json_keys_new(c->a, c->in->rules);
    p.names = json_names_root(c->keys);
    add_type(c, &p.types, c->in->schema->root);
    if (c->in->tags && c->in->tags != c->in->schema)
        add_type(c, &p.latest, c->in->tags->root);
    FL_PUSH(c->a, &c->places, (place){.path = ""}); /* state 0 */
    FL_PUSH(c->a, &c->states, (json_state){.n = 0});
    FL_PUSH(c->a, &c->where, "");
    FL_PUSH(c->a, &c->chains, -1);
    rt_code code = state_of(c, &p, root);
    for (uint32_t i = 1; i < c->states.n && !code; i++)
        code = fill_state(c, i);
    return code;
}

rt_code rt_json_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err)
{
    compiler c = {.a = a, .in = in, .f = {.a = a, .in = in, .err = err}, .known = fl_map_new(), .err = err};
    uint32_t root = 0;
    fl_buf_init(&c.identity, 16u << 20);
    rt_code code = compile(&c, &root);
    fl_buf_free(&c.identity);
    fl_map_free(c.known);
    if (!code)
        *out = finish(&c, root);
    return code;
}
