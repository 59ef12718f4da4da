/* json_compile.c: compiles a JSON Schema and rules into a table of states. A place of a document is known by the types
 * that may stand there, the fields whose tags count there, and how far the keys of metadata.tags have matched: places
 * equal in these are one state, which closes recursion without losing what a key says at a depth. */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/json_compiler.h"

#define MAX_STATES 200000
#define MAX_WORK   ((size_t)256 << 20) /* bytes and steps, in all */

static rt_code too_large(json_compiler *c)
{
    return rt_fail(c->err, RT_REFUSED, "subject %s: its schema and the keys of its metadata need too large a program",
                   c->in->rules->subject);
}

/* ---- sets ---- */

static bool has_type(const json_types *t, const sch_type *x)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->v[i] == x)
            return true;
    return false;
}

static void add_type(json_compiler *c, json_types *t, const sch_type *x)
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

static void add_field(json_compiler *c, json_place *p, const sch_field *f)
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

/* ---- states ---- */

static void identify(json_compiler *c, const json_place *p)
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
    rt_json_names_identity(&p->names, b);
}

/* The state of a place, a new one if there is none yet. */
static rt_code state_of(json_compiler *c, const json_place *p, uint32_t *out)
{
    *out = 0;
    if (!p->types.n)
        return RT_OK;
    identify(c, p);
    c->work += c->identity.len;
    if (c->identity.full || c->states.n >= MAX_STATES || c->work + rt_json_keys_work(c->keys) > MAX_WORK)
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

static bool misplaced_here(const sch_schema *s, const json_types *t, const json_place *p, const rt_rule *r)
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
    json_compiler *c;
    const json_place *p;
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
    return rt_json_names_hit(m->c->keys, &m->p->names, r) ||
           misplaced_here(other ? in->tags : in->schema, other ? &m->p->latest : &m->p->types, m->p, r);
}

static const char *plain_kind(const json_place *p)
{
    static const struct {
        sch_kind kind;
        const char *name;
    } rows[] = {{SCH_ENUM, "enum"}, {SCH_LONG, "integer"}, {SCH_DOUBLE, "number"}, {SCH_BOOLEAN, "boolean"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (json_has_kind(p, rows[i].kind))
            return rows[i].name;
    return NULL;
}

static rt_code check_effect(json_compiler *c, const json_place *p, const rt_effect *e)
{
    bool text = json_has_kind(p, SCH_STRING) || json_has_kind(p, SCH_ANY), fails;
    const char *plain = plain_kind(p);
    rt_code code = json_has_kind(p, SCH_RECORD) && !p->spelled ? rt_effect_on_record(&c->f, e) : RT_OK;
    if (code || (!text && !plain))
        return code;
    code = rt_effect_check_idle(&c->f, e);
    if (code || e->chain < 0 || text)
        return code;
    return rt_effect_not_encryptable(&c->f, e, plain, &fails);
}

/* What has no name carries no tag for any client: one that is written in its type would be thought to. */
static rt_code check_unnamed(json_compiler *c, const json_place *p)
{
    const rt_rules *rs = c->in->rules;
    for (size_t i = 0; i < rs->n && !c->in->opening && c->in->schema->nmisplaced; i++) {
        rt_effect e = {.path = *p->path ? p->path : "(the whole value)"};
        if (misplaced_here(c->in->schema, &p->types, p, &rs->v[i]))
            return rt_effect_refuse(&c->f, &e, &rs->v[i],
                                    "meets a tag on a text that has no name, which no client encrypts");
    }
    return RT_OK;
}

/* No client looks into patternProperties, and which names they mean is not decided here: writing is refused, and nobody
 * has sealed what is read. */
static rt_code find_chain(json_compiler *c, const json_place *p, int *chain)
{
    meeting m = {c, p};
    rt_effect e;
    *chain = -1;
    if (!p->named)
        return check_unnamed(c, p);
    rt_code code = rt_effect_find(&c->f, p->path, hits, &m, &e);
    if (code)
        return code;
    bool leaf =
        !json_has_kind(p, SCH_RECORD) && (json_has_kind(p, SCH_STRING) || json_has_kind(p, SCH_ANY) || plain_kind(p));
    if (p->pattern && leaf && !c->in->opening && (e.chain >= 0 || e.idle))
        return rt_effect_refuse(&c->f, &e, e.chain >= 0 ? e.rule : e.idle,
                                "meets a member of patternProperties, which no client encrypts: name it in properties");
    if (p->pattern)
        return RT_OK;
    code = check_effect(c, p, &e);
    *chain = e.chain;
    return code;
}

/* ---- what no schema describes ---- */

/* Members of an open object that nothing describes are seen by no client, and still mean what a key of metadata.tags
 * means: there may be anything, sealed where it is a text. */
static const sch_type anything = {.kind = SCH_ANY, .id = UINT32_MAX};

static void undescribed(json_compiler *c, json_place *p)
{
    if (!p->types.n && rt_json_names_live(&p->names))
        add_type(c, &p->types, &anything);
}

/* May there be something below the place that a key matches, and no schema describes? On write that is refused where
 * the schema wants a value that has nothing below it. */
static bool hides(const json_compiler *c, const json_place *p)
{
    return (json_has_kind(p, SCH_ANY) || !c->in->opening) && rt_json_names_go_on(c->keys, &p->names);
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
static void collect(json_compiler *c, const json_types *from, const char *name, json_types *to, json_place *fields)
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

static const char *step_path(json_compiler *c, const json_place *p, const char *name)
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
static void inherit(json_compiler *c, const json_place *from, json_place *to)
{
    if (json_has_kind(from, SCH_MAP))
        for (size_t i = 0; i < from->nfields; i++)
            add_field(c, to, from->fields[i]);
}

/* Which names they mean is not decided here, and nobody has sealed what they describe. */
static bool has_patterns(const json_place *p)
{
    for (size_t i = 0; i < p->types.n; i++)
        for (size_t k = 0; k < p->types.v[i]->nfields; k++)
            if (is_pattern(&p->types.v[i]->fields[k]))
                return true;
    return false;
}

/* names: how far keys have come there. */
static rt_code member_state(json_compiler *c, const json_place *p, const char *name, bool spelled, json_names names,
                            uint32_t *out)
{
    json_place m = {.named = true, .pattern = p->pattern, .spelled = spelled}, latest = {.nfields = 0};
    collect(c, &p->types, name, &m.types, &m);
    collect(c, &p->latest, name, &m.latest, &latest);
    if (latest.nfields) {
        m.fields = latest.fields;
        m.nfields = latest.nfields;
    }
    inherit(c, p, &m);
    m.names = names;
    m.path = step_path(c, p, name);
    if (!c->in->opening || !has_patterns(p))
        undescribed(c, &m);
    return state_of(c, &m, out);
}

static void set_head(json_member *m)
{
    char text[4 + JSON_HEAD] = ",\"";
    size_t n = m->len < JSON_HEAD ? m->len : JSON_HEAD;
    bool plain = true;
    for (size_t i = 0; i < m->len; i++)
        plain &= (unsigned char)m->name[i] >= 0x20 && m->name[i] != '"' && m->name[i] != '\\';
    memcpy(text + 2, m->name, n);
    memcpy(text + 2 + n, "\":", 2);
    memcpy(m->head, text, sizeof m->head);
    m->nhead = !plain ? 0 : n + 4 < JSON_HEAD ? (uint32_t)n + 4 : JSON_HEAD;
    m->mask = plain ? (1u << m->nhead) - 1 : 1u << 31;
}

static rt_code add_member(json_compiler *c, const json_place *p, fl_map *seen, const char *name, bool spelled)
{
    uint32_t state;
    if (fl_map_put(seen, name, c))
        return RT_OK;
    rt_code code = member_state(c, p, name, spelled, rt_json_names_member(c->keys, &p->names, name), &state);
    json_member m = {.name = name, .len = (uint32_t)strlen(name), .state = state};
    set_head(&m);
    FL_PUSH(c->a, &c->members, m);
    return code;
}

/* name: one that a key spells; NULL: any. */
static rt_code pattern_state(json_compiler *c, const json_place *p, const sch_field *f, const char *name)
{
    uint32_t unused;
    json_place m = {.named = true, .pattern = true, .path = step_path(c, p, name ? name : f->name)};
    add_type(c, &m.types, f->type);
    add_field(c, &m, f);
    m.names = name ? rt_json_names_member(c->keys, &p->names, name) : rt_json_names_other(c->keys, &p->names);
    return state_of(c, &m, &unused);
}

static bool describes(const json_place *p, const char *name)
{
    for (size_t i = 0; i < p->types.n; i++) {
        const sch_field *f = p->types.v[i]->kind == SCH_RECORD ? field_of(p->types.v[i], name) : NULL;
        if (f && !is_rest(f))
            return true;
    }
    return false;
}

static rt_code pattern_states(json_compiler *c, const json_place *p, const sch_field *f)
{
    const char *const *names;
    size_t n = rt_json_names_spelled(c->keys, &p->names, &names);
    rt_code code = pattern_state(c, p, f, NULL);
    for (size_t i = 0; i < n && !code; i++)
        if (!describes(p, names[i]))
            code = pattern_state(c, p, f, names[i]);
    return code;
}

static rt_code add_fields(json_compiler *c, const json_place *p, const sch_type *t, fl_map *seen)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < t->nfields && !code; i++) {
        const sch_field *f = &t->fields[i];
        if (is_pattern(f))
            code = pattern_states(c, p, f);
        else if (!is_rest(f))
            code = add_member(c, p, seen, f->name, false);
    }
    return code;
}

static rt_code add_globs(json_compiler *c, const json_place *p, json_state *s)
{
    json_glob *globs;
    rt_code code = RT_OK;
    size_t n = rt_json_names_globs(c->keys, &p->names, &globs);
    s->glob = (uint32_t)c->globs.n;
    s->nglobs = (uint32_t)n;
    for (size_t i = 0; i < n && !code; i++) {
        code = member_state(c, p, NULL, false, rt_json_names_unknown(c->keys, &p->names, &globs[i]), &globs[i].state);
        FL_PUSH(c->a, &c->globs, globs[i]);
    }
    if (n && !code)
        code = member_state(c, p, NULL, false, rt_json_names_other(c->keys, &p->names), &s->several);
    return code || c->globs.n <= RT_MAX_OPS ? code : too_large(c);
}

/* Members without a schema of their own, as additionalProperties describes them, or nothing. Those that a key spells,
 * or has a pattern for, are told from the rest. */
static rt_code add_others(json_compiler *c, const json_place *p, fl_map *seen, json_state *s)
{
    const char *const *names;
    rt_code code = member_state(c, p, NULL, false, rt_json_names_unknown(c->keys, &p->names, NULL), &s->other);
    size_t n = rt_json_names_spelled(c->keys, &p->names, &names);
    for (size_t i = 0; i < n && !code; i++)
        code = add_member(c, p, seen, names[i], true);
    return code ? code : add_globs(c, p, s);
}

static const json_member nobody = {.name = "", .len = UINT32_MAX, .mask = 1u << 31};

static rt_code object_members(json_compiler *c, const json_place *p, json_state *s)
{
    fl_map *seen = fl_map_new();
    rt_code code = RT_OK;
    s->first = (uint32_t)c->members.n;
    for (size_t i = 0; i < p->types.n && !code; i++)
        if (p->types.v[i]->kind == SCH_RECORD)
            code = add_fields(c, p, p->types.v[i], seen);
    if (!code)
        code = add_others(c, p, seen, s);
    fl_map_free(seen);
    s->n = (uint32_t)c->members.n - s->first;
    FL_PUSH(c->a, &c->members, nobody);
    return code || c->members.n <= RT_MAX_OPS ? code : too_large(c);
}

static rt_code element_state(json_compiler *c, const json_place *p, uint32_t *out)
{
    json_place m = *p;
    m.types = m.latest = (json_types){NULL, 0};
    for (size_t i = 0; i < p->types.n; i++)
        if (p->types.v[i]->kind == SCH_ARRAY)
            add_type(c, &m.types, p->types.v[i]->item);
    for (size_t i = 0; i < p->latest.n; i++)
        if (p->latest.v[i]->kind == SCH_ARRAY)
            add_type(c, &m.latest, p->latest.v[i]->item);
    m.names = rt_json_names_element(c->keys, &p->names);
    m.path = fl_printf(c->a, "%s[]", p->path);
    undescribed(c, &m);
    return state_of(c, &m, out);
}

static rt_code fill_state(json_compiler *c, uint32_t number)
{
    json_place p = c->places.v[number]; /* the list may move */
    json_state s = {.n = 0};
    int chain;
    rt_code code = find_chain(c, &p, &chain);
    bool more = !code && chain < 0 && hides(c, &p);
    if (!code && (json_has_kind(&p, SCH_RECORD) || json_has_kind(&p, SCH_MAP) || more))
        code = object_members(c, &p, &s);
    if (!code && (json_has_kind(&p, SCH_ARRAY) || more))
        code = element_state(c, &p, &s.items);
    c->states.v[number] = s;
    c->chains.v[number] = chain;
    return code;
}

/* ---- the whole ---- */

static bool has_its_tags(const rt_rules *rs, const rt_tagging *t)
{
    for (size_t i = 0; i < rs->n; i++)
        if (rt_rule_meets(&rs->v[i], t->tags, t->ntags))
            return true;
    return false;
}

/* Those whose tags some rule has. */
static json_keys *keys_that_matter(json_compiler *c)
{
    rt_rules rs = *c->in->rules;
    rt_tagging *v = FL_NEW_N(c->a, rt_tagging, rs.ntaggings + 1);
    rs.ntaggings = 0;
    for (size_t i = 0; i < c->in->rules->ntaggings; i++)
        if (has_its_tags(&rs, &c->in->rules->taggings[i]))
            v[rs.ntaggings++] = c->in->rules->taggings[i];
    rs.taggings = v;
    return rt_json_keys_new(c->a, &rs);
}

static rt_code compile(json_compiler *c, uint32_t *root)
{
    json_place p = {.path = ""};
    c->keys = keys_that_matter(c);
    p.names = rt_json_names_root(c->keys);
    add_type(c, &p.types, c->in->schema->root);
    if (c->in->tags && c->in->tags != c->in->schema)
        add_type(c, &p.latest, c->in->tags->root);
    FL_PUSH(c->a, &c->places, (json_place){.path = ""}); /* state 0 */
    FL_PUSH(c->a, &c->states, (json_state){.n = 0});
    FL_PUSH(c->a, &c->where, "");
    FL_PUSH(c->a, &c->chains, -1);
    FL_PUSH(c->a, &c->members, nobody);
    rt_code code = state_of(c, &p, root);
    for (uint32_t i = 1; i < c->states.n && !code; i++)
        code = fill_state(c, i);
    return code;
}

rt_code rt_json_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err)
{
    json_compiler c = {.a = a, .in = in, .f = {.a = a, .in = in, .err = err}, .known = fl_map_new(), .err = err};
    uint32_t root = 0;
    fl_buf_init(&c.identity, 16u << 20);
    rt_code code = compile(&c, &root);
    fl_buf_free(&c.identity);
    fl_map_free(c.known);
    if (!code)
        *out = rt_json_finish(&c, root);
    return code;
}
