/* json_shape.c: terms of a JSON Schema as types: which kinds a value may have, choices, arrays, scalars. Objects:
 * json_object.c. */
#include "schema/json_parser.h"

#include <stdlib.h>
#include <string.h>

/* Kinds that JSON Schema knows, as bits. */
enum { OBJECT = 1, ARRAY = 2, STRING = 4, INTEGER = 8, NUMBER = 16, BOOLEAN = 32, NOTHING = 64, ALL = 127 };

static const struct {
    const char *name;
    unsigned bit;
    sch_kind kind;
} kinds[] = {
    {"null", NOTHING, SCH_NULL},    {"boolean", BOOLEAN, SCH_BOOLEAN}, {"integer", INTEGER, SCH_LONG},
    {"number", NUMBER, SCH_DOUBLE}, {"string", STRING, SCH_STRING},    {"array", ARRAY, SCH_ARRAY},
    {"object", OBJECT, SCH_RECORD},
};
#define NKINDS (sizeof kinds / sizeof *kinds)

/* ---- terms ---- */

sch_type *js_new_type(js_parser *j, sch_kind kind, js_spot at)
{
    if (j->p.types.n == SCH_MAX_TYPES) {
        js_refuse(j, at, "the schema has more than %d types", SCH_MAX_TYPES);
        return NULL;
    }
    sch_type *t = FL_NEW(j->p.a, sch_type);
    t->kind = kind;
    t->node = at.node;
    t->foreign = at.doc->ref != NULL;
    t->id = (unsigned)j->p.types.n;
    FL_PUSH(j->p.a, &j->p.types, t);
    return t;
}

static int by_address(const void *x, const void *y)
{
    const js_spot *a = x, *b = y;
    return a->node != b->node ? (a->node < b->node ? -1 : 1) : a->unwalked ? b->unwalked ? 0 : 1 : b->unwalked ? -1 : 0;
}

/* What tells a term from another: its schemas, each once, whatever their order. */
static const char *identity(js_parser *j, const js_term *term)
{
    js_spot *sorted = FL_NEW_N(j->p.a, js_spot, term->n);
    memcpy(sorted, term->v, term->n * sizeof *sorted);
    qsort(sorted, term->n, sizeof *sorted, by_address);
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (size_t i = 0; i < term->n; i++)
        fl_buf_addf(&b, "%p%s,", (const void *)sorted[i].node, sorted[i].unwalked ? "-" : "");
    const char *key = fl_strdup(j->p.a, b.p);
    fl_buf_free(&b);
    return key;
}

static bool in_term(const js_term *term, js_spot at)
{
    for (size_t i = 0; i < term->n; i++)
        if (term->v[i].node == at.node && (!term->v[i].unwalked || at.unwalked))
            return true;
    return false;
}

sch_type *js_type(js_parser *j, const js_spot *spots, size_t n, const sch_field *field)
{
    js_term term = {FL_NEW_N(j->p.a, js_spot, n), 0};
    for (size_t i = 0; i < n; i++) {
        js_spot at = spots[i];
        if (!js_settle(j, &at, field))
            return NULL;
        if (!in_term(&term, at))
            term.v[term.n++] = at;
    }
    const char *key = identity(j, &term);
    sch_type *t = fl_map_get(j->terms, key);
    if (t)
        return t;
    t = js_new_type(j, SCH_ANY, term.v[0]);
    if (!t)
        return NULL;
    fl_map_put(j->terms, key, t);
    FL_PUSH(j->p.a, &j->todo, (js_work){t, term, field});
    return t;
}

/* Under the object, and under it with the field. */
static const char *noted_as(js_parser *j, js_spot at, const sch_field *field)
{
    return field ? fl_printf(j->p.a, "%p %p", (const void *)at.node, (const void *)field)
                 : fl_printf(j->p.a, "%p", (const void *)at.node);
}

void js_note_own(js_parser *j, js_spot at, const sch_field *field)
{
    fl_map_put(j->noted, noted_as(j, at, NULL), (void *)field);
    fl_map_put(j->noted, noted_as(j, at, field), (void *)field);
}

bool js_is_own(js_parser *j, js_spot at)
{
    void *by = fl_map_get(j->noted, noted_as(j, at, NULL));
    return by && by != j;
}

bool js_note_misplaced(js_parser *j, js_spot at, const sch_type *t, const sch_field *field)
{
    const fl_json *member = fl_json_get(at.node, SCH_TAGS);
    if (!member || fl_map_get(j->noted, noted_as(j, at, field)))
        return true;
    if (!fl_map_get(j->noted, noted_as(j, at, NULL)))
        fl_map_put(j->noted, noted_as(j, at, NULL), j);
    fl_map_put(j->noted, noted_as(j, at, field), j);
    sch_misplaced m = {
        .offset = member->key_from, .to = member->to, .type = t, .field = field, .foreign = at.doc->ref != NULL};
    j->p.ref = at.doc->ref;
    if (!sch_read_tags(&j->p, at.node, &m.tags, &m.ntags))
        return false;
    FL_PUSH(j->p.a, &j->p.misplaced, m);
    return true;
}

/* ---- which kinds ---- */

static bool bit_of(const fl_json *name, unsigned *bit)
{
    for (size_t i = 0; i < NKINDS && name->kind == FL_JSTRING; i++)
        if (!strcmp(name->str, kinds[i].name)) {
            *bit |= kinds[i].bit;
            return true;
        }
    return false;
}

/* The kinds that `type` of a part names; 0 if it has none. */
static bool declared(js_parser *j, js_spot at, unsigned *out)
{
    const fl_json *type = fl_json_get(at.node, "type");
    bool ok = true;
    *out = 0;
    if (!type)
        return true;
    if (type->kind == FL_JARRAY) {
        for (const fl_json *c = type->child; c && ok; c = c->next)
            ok = bit_of(c, out);
        ok &= type->child != NULL;
    } else {
        ok = bit_of(type, out);
    }
    return ok ||
           js_refuse(j, (js_spot){type, at.doc, NULL},
                     "\"type\" is one of null, boolean, integer, number, string, array, object, or a list of them");
}

static unsigned bit_of_value(const fl_json *v)
{
    switch (v->kind) {
    case FL_JNULL:
        return NOTHING;
    case FL_JFALSE:
    case FL_JTRUE:
        return BOOLEAN;
    case FL_JNUMBER:
        return strpbrk(v->str, ".eE") ? NUMBER : INTEGER;
    case FL_JSTRING:
        return STRING;
    case FL_JARRAY:
        return ARRAY;
    default:
        return OBJECT;
    }
}

/* Where two parts contradict each other, both kinds are kept: what follows then sees a union, and refuses more. */
static unsigned meet(unsigned a, unsigned b)
{
    if (b & NUMBER)
        b |= a & INTEGER;
    if (a & NUMBER)
        a |= b & INTEGER;
    return a & b ? a & b : a | b;
}

typedef struct shape {
    js_parts parts;
    unsigned bits;          /* kinds by `type`, by keywords, by values; 0: nothing says */
    bool typed;             /* by `type` */
    const fl_json *symbols; /* the first `enum` or `const`, or NULL */
    bool object, array;     /* fields, elements are described */
    js_parts branches;      /* of `anyOf` and `oneOf` */
    FL_VEC(size_t) ends;    /* of each of these lists, in branches */
    js_spot at;             /* the first part that clients walk */
} shape;

static bool counts(js_spot part)
{
    return !part.unwalked || (part.doc->siblings && strstr(part.unwalked, "$ref"));
}

static bool read_branches(js_parser *j, shape *s, js_spot part)
{
    for (const char *const *word = js_choice_words; *word; word++) {
        const fl_json *list = fl_json_get(part.node, *word);
        if (list && list->kind != FL_JARRAY)
            return js_refuse(j, (js_spot){list, part.doc, NULL}, "\"%s\" is a list of schemas", *word);
        if (list && list->count > JS_MAX_UNION)
            return js_refuse(j, (js_spot){list, part.doc, NULL}, "\"%s\" has more than %d schemas", *word,
                             JS_MAX_UNION);
        for (const fl_json *c = list ? list->child : NULL; c; c = c->next)
            if (c->kind != FL_JFALSE)
                FL_PUSH(j->p.a, &s->branches, (js_spot){c, part.doc, part.unwalked});
        if (list)
            FL_PUSH(j->p.a, &s->ends, s->branches.n);
    }
    return true;
}

static bool read_part(js_parser *j, shape *s, js_spot part)
{
    static const char *const fields[] = {"properties", "patternProperties", "additionalProperties",
                                         "unevaluatedProperties", NULL};
    static const char *const elements[] = {"items",    "prefixItems",      "additionalItems",
                                           "contains", "unevaluatedItems", NULL};
    unsigned bits;
    if (!declared(j, part, &bits) || !read_branches(j, s, part))
        return false;
    s->object |= js_is(part.node, fields);
    s->array |= js_is(part.node, elements);
    if (!counts(part))
        return true;
    if (bits) {
        s->bits = s->typed ? meet(s->bits, bits) : bits;
        s->typed = true;
    }
    if (!s->symbols)
        s->symbols = fl_json_get(part.node, "enum");
    if (!s->symbols)
        s->symbols = fl_json_get(part.node, "const");
    return true;
}

static unsigned bits_of_values(const fl_json *symbols)
{
    unsigned bits = 0;
    if (!symbols)
        return 0;
    if (strcmp(symbols->key, "enum") || symbols->kind != FL_JARRAY)
        return bit_of_value(symbols);
    for (const fl_json *v = symbols->child; v; v = v->next)
        bits |= bit_of_value(v);
    return bits;
}

/* Without `type`, the keywords tell: clients take `properties` for an object, `items` for an array. */
static void infer(shape *s)
{
    unsigned by_words = 0;
    for (size_t i = 0; i < s->parts.n; i++) {
        const fl_json *node = s->parts.v[i].node;
        if (s->parts.v[i].unwalked && !strstr(s->parts.v[i].unwalked, "$ref"))
            continue;
        by_words |= js_is(node, js_object_words) ? OBJECT : 0;
        by_words |= js_is(node, js_array_words) ? ARRAY : 0;
    }
    s->bits = by_words && (s->object || s->array || !s->branches.n) ? by_words : bits_of_values(s->symbols);
}

static bool read_shape(js_parser *j, const js_term *term, shape *s)
{
    for (size_t i = 0; i < term->n; i++)
        if (!js_flatten(j, term->v[i], &s->parts))
            return false;
    s->at = s->parts.n ? s->parts.v[0] : term->v[0]; /* none: true */
    for (size_t i = s->parts.n; i-- > 0;)
        if (!s->parts.v[i].unwalked)
            s->at = s->parts.v[i];
    for (size_t i = 0; i < s->parts.n; i++)
        if (!read_part(j, s, s->parts.v[i]))
            return false;
    if (!s->typed)
        infer(s);
    return true;
}

/* ---- scalars ---- */

static void add_symbol(sch_type *t, const fl_json *v)
{
    if (v->kind == FL_JSTRING)
        t->symbols[t->nsymbols++] = v->str;
}

static void fill_scalar(js_parser *j, sch_type *t, const shape *s)
{
    for (size_t i = 0; i < s->parts.n && !t->logical; i++)
        if (!s->parts.v[i].unwalked)
            t->logical = fl_json_str(s->parts.v[i].node, "format");
    if (t->kind != SCH_STRING || !s->symbols)
        return;
    t->kind = SCH_ENUM;
    t->symbols = FL_NEW_N(j->p.a, const char *, s->symbols->count + 1);
    if (strcmp(s->symbols->key, "enum") || s->symbols->kind != FL_JARRAY)
        add_symbol(t, s->symbols);
    else
        for (const fl_json *v = s->symbols->child; v; v = v->next)
            add_symbol(t, v);
}

/* ---- arrays ---- */

static void add_elements(js_parser *j, js_parts *out, const fl_json *list, js_spot part)
{
    for (const fl_json *c = list ? list->child : NULL; c; c = c->next)
        if (c->kind != FL_JFALSE)
            FL_PUSH(j->p.a, out, (js_spot){c, part.doc, NULL});
}

/* Elements that no client reaches: by place, or by keywords that only judge. The first such construct is named. */
static void add_unwalked_elements(js_parser *j, sch_type *t, js_parts *out, js_spot part, bool has_items)
{
    const fl_json *items = fl_json_get(part.node, "items");
    const struct {
        const char *word, *name;
        bool list, taken;
    } rows[] = {
        {"items", "a list in items", true, items && items->kind == FL_JARRAY},
        {"prefixItems", "prefixItems", true, true},
        {"additionalItems", "additionalItems", false, items && items->kind == FL_JARRAY},
        {"contains", "contains", false, !has_items},
        {"unevaluatedItems", "unevaluatedItems", false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const fl_json *c = rows[i].taken ? fl_json_get(part.node, rows[i].word) : NULL;
        size_t before = out->n;
        if (c && rows[i].list)
            add_elements(j, out, c, part);
        else if (c && c->kind == FL_JOBJECT)
            FL_PUSH(j->p.a, out, (js_spot){c, part.doc, NULL});
        if (out->n > before && !t->item_unwalked)
            t->item_unwalked = rows[i].name;
    }
}

/* A union of types of which each may stand there. */
static sch_type *either(js_parser *j, const js_parts *spots, js_spot at, const sch_field *field)
{
    sch_type *u = js_new_type(j, SCH_UNION, at);
    if (!u)
        return NULL;
    u->branches = FL_NEW_N(j->p.a, sch_type *, spots->n + 1);
    for (size_t i = 0; i < spots->n; i++) {
        sch_type *b = js_type(j, &spots->v[i], 1, field);
        if (!b)
            return NULL;
        u->branches[u->nbranches++] = b;
    }
    return u;
}

static bool fill_array(js_parser *j, sch_type *t, const shape *s, const sch_field *field)
{
    js_parts walked = {0}, others = {0};
    for (size_t i = 0; i < s->parts.n; i++) {
        js_spot part = s->parts.v[i];
        const fl_json *items = fl_json_get(part.node, "items");
        if (items && items->kind != FL_JARRAY && items->kind != FL_JFALSE)
            FL_PUSH(j->p.a, &walked, (js_spot){items, part.doc, part.unwalked});
    }
    for (size_t i = 0; i < s->parts.n; i++)
        add_unwalked_elements(j, t, &others, s->parts.v[i], walked.n > 0);
    if (walked.n > JS_MAX_PARTS || others.n > JS_MAX_UNION)
        return js_refuse(j, s->at, "the elements of an array are described by more than %d schemas", JS_MAX_PARTS);
    bool only_unwalked = true;
    for (size_t i = 0; i < walked.n; i++)
        only_unwalked &= walked.v[i].unwalked != NULL;
    if (walked.n && only_unwalked && !t->item_unwalked)
        t->item_unwalked = walked.v[0].unwalked;
    for (size_t i = 0; only_unwalked && i < walked.n; i++)
        walked.v[i].unwalked = NULL;
    sch_type *item = walked.n ? js_type(j, walked.v, walked.n, field) : NULL;
    if (walked.n && !item)
        return false;
    if (others.n) {
        t->item = either(j, &others, s->at, field);
        if (t->item && item)
            t->item->branches[t->item->nbranches++] = item;
        return t->item != NULL;
    }
    t->item = item ? item : js_new_type(j, SCH_ANY, s->at);
    return t->item != NULL;
}

/* ---- choices ---- */

static bool fill_kind(js_parser *j, sch_type *t, const shape *s, const sch_field *field)
{
    if (t->kind == SCH_RECORD)
        return js_fill_object(j, t, &s->parts, s->branches.n > 0, field);
    if (t->kind == SCH_ARRAY)
        return fill_array(j, t, s, field);
    fill_scalar(j, t, s);
    return true;
}

static bool add_branch(sch_type *u, sch_type *b)
{
    if (b)
        u->branches[u->nbranches++] = b;
    return b != NULL;
}

/* The kinds of a shape as branches of a union. */
static bool add_kinds(js_parser *j, sch_type *u, const shape *s, unsigned bits, const sch_field *field)
{
    for (size_t i = 0; i < NKINDS; i++) {
        if (!(bits & kinds[i].bit))
            continue;
        sch_type *b = js_new_type(j, kinds[i].kind, s->at);
        if (!b || !fill_kind(j, b, s, field) || !add_branch(u, b))
            return false;
    }
    return true;
}

static void make_union(js_parser *j, sch_type *t, const shape *s)
{
    t->kind = SCH_UNION;
    t->branches = FL_NEW_N(j->p.a, sch_type *, s->branches.n + NKINDS + 1);
}

/* The branches of one list. *narrows: one of them says nothing of types. */
static bool add_list(js_parser *j, sch_type *t, const shape *s, size_t list, bool *narrows, const sch_field *field)
{
    *narrows = false;
    for (size_t i = list ? s->ends.v[list - 1] : 0; i < s->ends.v[list]; i++) {
        js_spot at = s->branches.v[i];
        if (!js_settle(j, &at, field))
            return false;
        if (js_only_narrows(at))
            *narrows = true;
        else if (!add_branch(t, js_type(j, &at, 1, field)))
            return false;
    }
    return true;
}

/* `anyOf` and `oneOf` without properties beside them: a value is of one branch's type. A branch that only narrows lets
 * through what the type beside it does, or anything. */
static bool fill_choice(js_parser *j, sch_type *t, const shape *s, const sch_field *field)
{
    bool all_narrow = true, narrows;
    make_union(j, t, s);
    for (size_t i = 0; i < s->ends.n; i++) {
        if (!add_list(j, t, s, i, &narrows, field))
            return false;
        all_narrow &= narrows;
    }
    shape beside = *s;
    beside.branches.n = 0;
    unsigned own = all_narrow || s->object || s->array ? s->bits : s->bits & NOTHING;
    if (!add_kinds(j, t, &beside, own, field))
        return false;
    bool anything = all_narrow && !s->bits;
    return (t->nbranches && !anything) || add_branch(t, js_new_type(j, SCH_ANY, s->at));
}

static bool described_beside(const shape *s)
{
    static const char *const fields[] = {"properties", "patternProperties", "additionalProperties", NULL};
    for (size_t i = 0; i < s->parts.n; i++)
        if (js_is(s->parts.v[i].node, fields) && !s->parts.v[i].unwalked)
            return true;
    return s->array;
}

static bool fill_kinds(js_parser *j, sch_type *t, const shape *s, const sch_field *field)
{
    size_t one = NKINDS, n = 0;
    for (size_t i = 0; i < NKINDS; i++)
        if (s->bits & kinds[i].bit) {
            one = i;
            n++;
        }
    if (!n)
        return true; /* SCH_ANY */
    if (n == 1) {
        t->kind = kinds[one].kind;
        return fill_kind(j, t, s, field);
    }
    make_union(j, t, s);
    return add_kinds(j, t, s, s->bits, field);
}

bool js_fill(js_parser *j, const js_work *w)
{
    shape s = {0};
    if (w->term.v[0].node->kind == FL_JFALSE)
        return js_refuse(j, w->term.v[0], "a schema that is false lets nothing through");
    if (!read_shape(j, &w->term, &s))
        return false;
    if (s.branches.n > JS_MAX_UNION)
        return js_refuse(j, s.at, "more than %d schemas in anyOf and oneOf", JS_MAX_UNION);
    w->type->node = s.at.node;
    w->type->foreign = s.at.doc->ref != NULL;
    for (size_t i = 0; i < s.parts.n; i++)
        if (!js_note_misplaced(j, s.parts.v[i], w->type, w->field))
            return false;
    if (s.branches.n && !described_beside(&s))
        return fill_choice(j, w->type, &s, w->field);
    return fill_kinds(j, w->type, &s, w->field);
}
