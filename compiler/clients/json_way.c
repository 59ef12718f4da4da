/* json_way.c: the constructs of a JSON Schema. The tree of schema.h has joined what clients tell apart (`allOf` into
 * its object, strings of an `anyOf` into a string), so the way is walked again through the schema's own objects.
 * Whatever this walk cannot follow, or was never measured, becomes JSON_KEYWORD: not measured, never safe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/clients/constructs.h"

/* Objects of a schema that may describe the value: several, where branches share a field. root: of the text they stand
 * in, NULL in a referenced one. */
typedef struct spot {
    const fl_json *node, *root;
} spot;

#define MOST_SPOTS 32
#define MOST_LOOKS 2000 /* objects looked at on one way; then it is given up as not measured */

typedef struct walk {
    const sch_schema *s;
    cl_set *out;
    int looks;
    spot found[MOST_SPOTS]; /* where the step leads */
    size_t nfound;
} walk;

static void unknown(walk *w)
{
    cl_add(w->out, CL_JSON_KEYWORD);
}

static bool has(const fl_json *node, const char *const *words)
{
    for (; *words; words++)
        if (fl_json_get(node, *words))
            return true;
    return false;
}

static size_t count_of(const fl_json *node, const char *word)
{
    const fl_json *list = fl_json_get(node, word);
    return list && list->kind == FL_JARRAY ? list->count : 0;
}

/* ---- references ---- */

static const fl_json *element(const fl_json *list, const char *step)
{
    char *end;
    unsigned long i = strtoul(step, &end, 10);
    if (!*step || *end)
        return NULL;
    const fl_json *c = list->child;
    while (c && i--)
        c = c->next;
    return c;
}

/* Pointers with escapes are left to the tree's own answer. */
static const fl_json *by_pointer(const fl_json *root, const char *pointer)
{
    char step[256];
    const fl_json *at = root;
    while (at && *pointer == '/') {
        size_t n = strcspn(++pointer, "/");
        if (n >= sizeof step || memchr(pointer, '~', n) || memchr(pointer, '%', n))
            return NULL;
        memcpy(step, pointer, n);
        step[n] = '\0';
        pointer += n;
        at = at->kind == FL_JARRAY ? element(at, step) : fl_json_get(at, step);
    }
    return *pointer ? NULL : at;
}

/* Keywords that count beside a `$ref` in some draft. */
static const char *const beside_ref[] = {"properties",
                                         "items",
                                         "allOf",
                                         "anyOf",
                                         "oneOf",
                                         "not",
                                         "if",
                                         "type",
                                         "enum",
                                         "const",
                                         "maxLength",
                                         "pattern",
                                         "patternProperties",
                                         "additionalProperties",
                                         "prefixItems",
                                         NULL};

static void note_ref(walk *w, const char *ref)
{
    if (*ref == '#')
        cl_add(w->out, ref[1] && ref[1] != '/' ? CL_JSON_REF_ANCHOR : CL_JSON_REF);
    else if (strchr(ref, ':') || *ref == '/')
        cl_add(w->out, CL_JSON_REF_OTHER);
    else
        cl_add(w->out, CL_JSON_REF_EXTERNAL);
}

/* Follows references. `type` is what the tree has made of the spot: its node stands behind all of them. */
static bool follow(walk *w, spot *at, const sch_type *type)
{
    const fl_json *ref;
    while ((ref = fl_json_get(at->node, "$ref"))) {
        if (++w->looks > MOST_LOOKS || ref->kind != FL_JSTRING) {
            unknown(w);
            return false;
        }
        note_ref(w, ref->str);
        if (has(at->node, beside_ref))
            unknown(w);
        const fl_json *to = *ref->str == '#' && at->root ? by_pointer(at->root, ref->str + 1) : NULL;
        if (to) {
            at->node = to;
        } else if (type && type->node && type->node != at->node) {
            *at = (spot){type->node, type->foreign ? NULL : w->s->json};
        } else {
            unknown(w);
            return false;
        }
    }
    return true;
}

/* ---- what is unknown ---- */

static const char *const dynamic[] = {"$dynamicRef",
                                      "$recursiveRef",
                                      "$recursiveAnchor",
                                      "$dynamicAnchor",
                                      "unevaluatedProperties",
                                      "propertyNames",
                                      "dependentRequired",
                                      "unevaluatedItems",
                                      "contentEncoding",
                                      "contentMediaType",
                                      "contentSchema",
                                      "additionalItems",
                                      "contains",
                                      NULL};
static const char *const choices[] = {"allOf", "anyOf", "oneOf", "not", "if", NULL};

static bool is_null(const fl_json *node)
{
    const char *type = fl_json_str(node, "type");
    return type && !strcmp(type, "null");
}

/* `oneOf` or `anyOf` of null and one other, with nothing beside it that tells fields: the other. */
static const fl_json *null_or(const fl_json *node, const char *word)
{
    static const char *const telling[] = {"properties", "items", "type", "allOf", NULL};
    const fl_json *list = fl_json_get(node, word), *other = NULL;
    if (count_of(node, word) != 2 || has(node, telling))
        return NULL;
    for (const fl_json *c = list->child; c; c = c->next) {
        if (is_null(c))
            continue;
        if (other)
            return NULL;
        other = c;
    }
    return other;
}

/* An `allOf` of one with nothing beside it that tells fields. */
static const fl_json *only_member(const fl_json *node)
{
    static const char *const telling[] = {"properties", "items", "type", "anyOf", "oneOf",
                                          "not",        "if",    "enum", "const", NULL};
    return count_of(node, "allOf") == 1 && !has(node, telling) ? fl_json_get(node, "allOf")->child : NULL;
}

/* Behind references, null and an `allOf` of one. */
static bool settle(walk *w, spot *at, const sch_type *type, cl_construct one)
{
    for (;;) {
        const fl_json *next;
        if (++w->looks > MOST_LOOKS || at->node->kind != FL_JOBJECT || !follow(w, at, type)) {
            unknown(w);
            return false;
        }
        if ((next = null_or(at->node, "oneOf")))
            cl_add(w->out, CL_JSON_NULL_ONEOF);
        else if ((next = null_or(at->node, "anyOf")))
            cl_add(w->out, CL_JSON_NULL_ANYOF);
        else if ((next = only_member(at->node)))
            cl_add(w->out, one);
        else
            return true;
        at->node = next;
    }
}

/* `type`: absent, one, a list of one, or a list with null. */
static void note_type(walk *w, const fl_json *node, cl_construct untyped, cl_construct list)
{
    const fl_json *type = fl_json_get(node, "type");
    if (!type)
        cl_add(w->out, untyped);
    else if (type->kind == FL_JARRAY)
        cl_add(w->out, type->count == 1 ? CL_JSON_TYPELIST_ONE : list);
    if (has(node, dynamic))
        unknown(w);
}

/* ---- an object's property ---- */

static bool names_fields(const fl_json *list)
{
    static const char *const words[] = {"properties", "$ref", "allOf", "anyOf", "oneOf", NULL};
    for (const fl_json *c = list->child; c; c = c->next)
        if (has(c, words))
            return true;
    return false;
}

static void beside(walk *w, const fl_json *node, const char *word, cl_construct telling, cl_construct bare)
{
    const fl_json *list = fl_json_get(node, word);
    if (list)
        cl_add(w->out, names_fields(list) ? telling : bare);
}

/* What stands beside the place where a property was found. */
static void note_beside(walk *w, const fl_json *node, const char *inside)
{
    if (strcmp(inside, "allOf"))
        beside(w, node, "allOf", CL_JSON_BESIDE_ALLOF, CL_JSON_BESIDE_ALLOF_BARE);
    if (strcmp(inside, "anyOf"))
        beside(w, node, "anyOf", CL_JSON_BESIDE_ANYOF, CL_JSON_BESIDE_ANYOF_BARE);
    if (strcmp(inside, "oneOf"))
        beside(w, node, "oneOf", CL_JSON_BESIDE_ONEOF, CL_JSON_BESIDE_ONEOF_BARE);
    static const struct {
        const char *word;
        cl_construct is;
    } rows[] = {{"not", CL_JSON_BESIDE_NOT},
                {"if", CL_JSON_BESIDE_IF},
                {"dependencies", CL_JSON_BESIDE_DEPENDENCIES},
                {"dependentSchemas", CL_JSON_BESIDE_DEPENDENT},
                {"patternProperties", CL_JSON_BESIDE_PATTERN},
                {"enum", CL_JSON_ENUM_OBJECT},
                {"const", CL_JSON_ENUM_OBJECT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (fl_json_get(node, rows[i].word))
            cl_add(w->out, rows[i].is);
    const fl_json *more = fl_json_get(node, "additionalProperties");
    if (more && more->kind == FL_JOBJECT)
        cl_add(w->out, CL_JSON_BESIDE_ADDITIONAL);
}

static bool find(walk *w, spot at, const char *name, const sch_type *type, int depth);

/* Members or branches that have the property; how many. */
static size_t find_in_list(walk *w, spot at, const char *word, const char *name, int depth, size_t *first)
{
    const fl_json *list = fl_json_get(at.node, word);
    size_t n = 0, i = 0;
    if (!count_of(at.node, word))
        return 0;
    for (const fl_json *c = list->child; c; c = c->next, i++)
        if (find(w, (spot){c, at.root}, name, NULL, depth + 1) && n++ == 0)
            *first = i;
    return n;
}

/* In an `allOf`, `anyOf` or `oneOf` of the object: which construct that is. */
static bool find_combined(walk *w, spot at, const char *name, int depth)
{
    bool fields = fl_json_get(at.node, "properties") != NULL;
    size_t first = 0, n;
    if ((n = find_in_list(w, at, "allOf", name, depth, &first))) {
        bool alone = count_of(at.node, "allOf") == 1;
        cl_add(w->out, fields           ? CL_JSON_IN_ALLOF
                       : alone          ? CL_JSON_ALLOF_ONE
                       : n > 1 || first ? CL_JSON_ALLOF_LATER
                                        : CL_JSON_ALLOF_FIRST);
        note_beside(w, at.node, "allOf");
        return true;
    }
    if ((n = find_in_list(w, at, "anyOf", name, depth, &first))) {
        cl_add(w->out, fields ? CL_JSON_IN_ANYOF_BESIDE : CL_JSON_ANYOF);
        if (n > 1)
            cl_add(w->out, CL_JSON_ANYOF_SHARED);
        note_beside(w, at.node, "anyOf");
        return true;
    }
    if ((n = find_in_list(w, at, "oneOf", name, depth, &first))) {
        cl_add(w->out, fields ? CL_JSON_IN_ONEOF_BESIDE : CL_JSON_ONEOF);
        if (n > 1)
            cl_add(w->out, CL_JSON_ONEOF_SHARED);
        note_beside(w, at.node, "oneOf");
        return true;
    }
    return false;
}

/* Looks for a property in an object and what combines with it; keeps what it finds. What was noted of an object that
 * does not have it is taken back. */
static bool find(walk *w, spot at, const char *name, const sch_type *type, int depth)
{
    cl_set before = *w->out;
    if (depth > 16 || ++w->looks > MOST_LOOKS) {
        unknown(w);
        return false;
    }
    if (settle(w, &at, type, CL_JSON_ALLOF_ONE)) {
        const fl_json *property = fl_json_get(fl_json_get(at.node, "properties"), name);
        if (property) {
            note_type(w, at.node, CL_JSON_UNTYPED_OBJECT, CL_JSON_TYPELIST_OBJECT);
            note_beside(w, at.node, "");
            if (w->nfound < MOST_SPOTS)
                w->found[w->nfound++] = (spot){property, at.root};
            else
                unknown(w);
            return true;
        }
        if (find_combined(w, at, name, depth))
            return true;
    }
    *w->out = before;
    return false;
}

/* ---- steps ---- */

static void to_elements(walk *w, spot at, const sch_type *type)
{
    if (!settle(w, &at, type, CL_JSON_ALLOF_ONE))
        return;
    const fl_json *items = fl_json_get(at.node, "items");
    note_type(w, at.node, CL_JSON_UNTYPED_ARRAY, CL_JSON_TYPELIST_ARRAY);
    if (has(at.node, choices))
        unknown(w);
    if (items && items->kind == FL_JOBJECT && w->nfound < MOST_SPOTS)
        w->found[w->nfound++] = (spot){items, at.root};
}

/* From all spots through one step. Where nothing is found the tree still knows the type that stands there. */
static size_t take_step(walk *w, spot *at, size_t n, const sch_step *step)
{
    w->nfound = 0;
    for (size_t i = 0; i < n; i++) {
        if (step->in->kind == SCH_RECORD)
            find(w, at[i], step->field->name, step->in, 0);
        else if (step->in->kind == SCH_ARRAY && !step->in->item_unwalked)
            to_elements(w, at[i], step->in);
    }
    if (!w->nfound) {
        bool told = step->in->kind == SCH_MAP || step->in->item_unwalked || (step->field && step->field->unwalked);
        const sch_type *t = cl_open(step->to);
        cl_add(w->out, told ? CL_JSON_UNWALKED : CL_JSON_KEYWORD);
        if (t->node)
            w->found[w->nfound++] = (spot){t->node, t->foreign ? NULL : w->s->json};
    }
    memcpy(at, w->found, w->nfound * sizeof *at);
    return w->nfound;
}

/* ---- the leaf ---- */

static bool is_limited(const fl_json *node)
{
    return fl_json_get(node, "maxLength") || fl_json_get(node, "pattern");
}

static bool is_string(walk *w, spot at)
{
    return at.node->kind == FL_JOBJECT && follow(w, &at, NULL) && fl_json_str(at.node, "type") &&
           !strcmp(fl_json_str(at.node, "type"), "string");
}

/* A leaf by `anyOf` or `oneOf` without a type of its own. */
static void leaf_choice(walk *w, spot at, const char *word, cl_construct all_strings, cl_construct mixed)
{
    bool strings = true, limited = true;
    for (const fl_json *c = fl_json_get(at.node, word)->child; c; c = c->next) {
        if (is_null(c))
            cl_add(w->out, strcmp(word, "oneOf") ? CL_JSON_NULL_ANYOF : CL_JSON_NULL_ONEOF);
        else
            strings &= is_string(w, (spot){c, at.root});
        limited &= is_limited(c);
    }
    cl_add(w->out, strings ? all_strings : mixed);
    if (strings && limited && all_strings == CL_JSON_LEAF_ANYOF)
        cl_add(w->out, CL_JSON_LIMITED);
}

static void leaf_combined(walk *w, spot at, bool typed)
{
    const fl_json *node = at.node;
    if (fl_json_get(node, "not"))
        cl_add(w->out, CL_JSON_LEAF_NOT);
    if (fl_json_get(node, "allOf") || fl_json_get(node, "if"))
        cl_add(w->out, CL_JSON_LEAF_OTHER);
    if (count_of(node, "anyOf") && typed)
        cl_add(w->out, CL_JSON_LEAF_ANYOF_BESIDE);
    else if (count_of(node, "anyOf"))
        leaf_choice(w, at, "anyOf", CL_JSON_LEAF_ANYOF, CL_JSON_LEAF_OTHER);
    if (count_of(node, "oneOf") && typed)
        cl_add(w->out, CL_JSON_LEAF_OTHER);
    else if (count_of(node, "oneOf"))
        leaf_choice(w, at, "oneOf", CL_JSON_LEAF_ONEOF, CL_JSON_LEAF_MIXED);
}

static bool null_and_string(const fl_json *list)
{
    bool null = false, string = false;
    for (const fl_json *c = list->child; c; c = c->next) {
        null |= c->kind == FL_JSTRING && !strcmp(c->str, "null");
        string |= c->kind == FL_JSTRING && !strcmp(c->str, "string");
    }
    return null && string && list->count == 2;
}

static void at_leaf(walk *w, spot at, const sch_type *leaf)
{
    cl_add(w->out, CL_JSON_STRING);
    if (!settle(w, &at, leaf, CL_JSON_LEAF_ALLOF))
        return;
    const fl_json *node = at.node, *type = fl_json_get(node, "type");
    if (type && type->kind == FL_JARRAY && type->count == 1)
        cl_add(w->out, CL_JSON_TYPELIST_ONE);
    else if (type && type->kind == FL_JARRAY)
        cl_add(w->out, null_and_string(type) ? CL_JSON_TYPELIST : CL_JSON_LEAF_OTHER);
    if (fl_json_get(node, "enum") || fl_json_get(node, "const"))
        cl_add(w->out, CL_JSON_ENUM);
    else if (!type && !has(node, choices))
        cl_add(w->out, CL_JSON_UNTYPED_STRING);
    if (fl_json_get(node, "format"))
        cl_add(w->out, CL_JSON_FORMAT);
    if (is_limited(node) && type)
        cl_add(w->out, CL_JSON_LIMITED);
    if (has(node, dynamic))
        unknown(w);
    leaf_combined(w, at, type != NULL);
}

/* ---- the whole way ---- */

static cl_construct draft_of(const sch_schema *s)
{
    static const struct {
        const char *part;
        cl_construct is;
    } rows[] = {{"json-schema.org/draft-04/", CL_JSON_DRAFT_4},
                {"json-schema.org/draft-07/", CL_JSON_DRAFT_7},
                {"json-schema.org/draft/2019-09/", CL_JSON_DRAFT_2019},
                {"json-schema.org/draft/2020-12/", CL_JSON_DRAFT_2020}};
    const char *draft = fl_json_str(s->json, "$schema");
    if (!fl_json_get(s->json, "$schema"))
        return CL_JSON_DRAFT_NONE;
    for (size_t i = 0; draft && i < sizeof rows / sizeof *rows; i++)
        if (strstr(draft, rows[i].part))
            return rows[i].is;
    return CL_JSON_DRAFT_OTHER;
}

/* What the steps alone tell. */
static void note_steps(const sch_step *steps, size_t n, cl_construct draft, cl_set *out)
{
    for (size_t i = 0; i < n; i++) {
        const sch_type *in = steps[i].in;
        bool array = in->kind == SCH_ARRAY;
        if (array)
            cl_add(out, CL_JSON_ARRAY);
        if (array && draft == CL_JSON_DRAFT_2019)
            cl_add(out, CL_JSON_ARRAY_2019);
        if (array && i && steps[i - 1].in->kind == SCH_ARRAY)
            cl_add(out, CL_JSON_IN_ARRAY_ARRAY);
        if (i && in->kind == SCH_RECORD)
            cl_add(out, CL_JSON_OBJECT);
        if (in->recursive)
            cl_add(out, CL_JSON_RECURSIVE);
        if (in->kind == SCH_MAP || in->item_unwalked || (steps[i].field && steps[i].field->unwalked))
            cl_add(out, CL_JSON_UNWALKED);
        if (steps[i].field && strchr(steps[i].field->name, '.'))
            cl_add(out, CL_JSON_NAME_DOT);
    }
}

void cl_json_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out)
{
    walk w = {.s = shape->schema, .out = out};
    spot at[MOST_SPOTS] = {{shape->schema->json, shape->schema->json}};
    size_t nat = 1;
    cl_construct draft = draft_of(shape->schema);
    cl_add(out, draft);
    note_steps(steps, n, draft, out);
    for (size_t i = 0; i < n && nat; i++)
        nat = take_step(&w, at, nat, &steps[i]);
    for (size_t i = 0; i < nat; i++)
        at_leaf(&w, at[i], leaf);
    if (cl_has(out, CL_JSON_UNWALKED)) /* nobody reaches the leaf, whatever else stands there */
        cl_remove(out, CL_JSON_KEYWORD);
}

void cl_json_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out)
{
    const sch_type *t = cl_open(to);
    bool array = in && in->kind == SCH_ARRAY && !in->item_unwalked;
    if (!in && t->kind == SCH_ARRAY)
        cl_add(out, CL_JSON_ROOT_ARRAY);
    if (array && t->kind == SCH_ARRAY)
        cl_add(out, CL_JSON_ARRAY_ARRAY);
    if (array && t != to)
        cl_add(out, CL_JSON_ARRAY_NULLS);
    if (t->kind == SCH_ARRAY && t->item_unwalked && !strcmp(t->item_unwalked, "a list in items"))
        cl_add(out, CL_JSON_TUPLE);
    if (field && field->optional && !field->unwalked)
        cl_add(out, CL_JSON_ABSENT);
}
