/* json_parts.c: the schemas that hold of one value at once: an object of JSON Schema, what it refers to, the members of
 * its `allOf`, and what no client walks. */
#include "schema/json_parser.h"

#include <string.h>

const char *const js_object_words[] = {
    "properties",   "patternProperties", "additionalProperties", "unevaluatedProperties",
    "required",     "minProperties",     "maxProperties",        "propertyNames",
    "dependencies", "dependentSchemas",  "dependentRequired",    NULL};
const char *const js_array_words[] = {"items",    "prefixItems", "additionalItems", "contains", "unevaluatedItems",
                                      "minItems", "maxItems",    "uniqueItems",     NULL};
const char *const js_choice_words[] = {"anyOf", "oneOf", NULL};

/* Keywords whose schemas name fields, elements or types. */
static const char *const telling[] = {"type",
                                      "properties",
                                      "patternProperties",
                                      "additionalProperties",
                                      "items",
                                      "prefixItems",
                                      "contains",
                                      "additionalItems",
                                      "allOf",
                                      "anyOf",
                                      "oneOf",
                                      "not",
                                      "if",
                                      "then",
                                      "else",
                                      "dependencies",
                                      "enum",
                                      "const",
                                      "$ref",
                                      "dependentSchemas",
                                      "$dynamicRef",
                                      "$recursiveRef",
                                      "unevaluatedItems",
                                      "unevaluatedProperties",
                                      NULL};
/* Beside a reference these hold in every draft's reading; `type`, `enum` and `const` only since 2019-09. */
static const char *const beside_ref[] = {"properties",
                                         "patternProperties",
                                         "additionalProperties",
                                         "items",
                                         "prefixItems",
                                         "contains",
                                         "additionalItems",
                                         "allOf",
                                         "anyOf",
                                         "oneOf",
                                         "then",
                                         "else",
                                         "not",
                                         "if",
                                         "dependencies",
                                         "dependentSchemas",
                                         NULL};
static const char *const values[] = {"type", "enum", "const", NULL};

#define SIBLINGS "siblings of a $ref"

bool js_is(const fl_json *node, const char *const *keywords)
{
    for (; *keywords; keywords++)
        if (fl_json_get(node, *keywords))
            return true;
    return false;
}

bool js_only_narrows(js_spot at)
{
    return at.node->kind == FL_JTRUE || (at.node->kind == FL_JOBJECT && !js_is(at.node, telling));
}

static bool alone_in_all_of(const fl_json *node)
{
    const fl_json *all = fl_json_get(node, "allOf");
    if (!all || all->kind != FL_JARRAY || all->count != 1)
        return false;
    size_t n = 0;
    for (size_t i = 0; telling[i]; i++)
        n += fl_json_get(node, telling[i]) != NULL;
    return n == 1;
}

static bool has_siblings(js_spot at)
{
    return js_is(at.node, beside_ref) || (at.doc->siblings && js_is(at.node, values));
}

bool js_settle(js_parser *j, js_spot *at, const sch_field *field)
{
    int hops = 0;
    for (; at->node->kind == FL_JOBJECT; hops++) {
        const fl_json *ref = js_ref_of(*at);
        if (hops == JS_MAX_HOPS)
            return js_refuse(j, *at, "references lead to references without end");
        js_spot next = {.doc = at->doc, .unwalked = at->unwalked}, here = *at;
        if (ref && !has_siblings(*at)) {
            if (!js_follow(j, *at, ref, &next))
                return false;
        } else if (!ref && alone_in_all_of(at->node)) {
            next.node = fl_json_get(at->node, "allOf")->child;
        } else { /* another's property: its tags are not this one's */
            return !hops || !js_is_own(j, *at) || js_note_misplaced(j, *at, NULL, field);
        }
        *at = next;
        if (!js_note_misplaced(j, here, NULL, field))
            return false;
    }
    if (at->node->kind == FL_JTRUE || at->node->kind == FL_JFALSE)
        return true;
    return js_refuse(j, *at, "a schema is an object, true or false");
}

/* ---- flattening ---- */

static bool flatten(js_parser *j, js_spot at, js_parts *out);

static bool flatten_list(js_parser *j, js_spot at, const fl_json *list, const char *mark, js_parts *out)
{
    if (list->kind != FL_JARRAY)
        return js_refuse(j, (js_spot){list, at.doc, NULL}, "\"%s\" is a list of schemas", list->key);
    for (const fl_json *c = list->child; c; c = c->next)
        if (!flatten(j, (js_spot){c, at.doc, mark ? mark : at.unwalked}, out))
            return false;
    return true;
}

/* `then`, `not` and the like: for the messages only, so what narrows values alone is left out. */
static bool flatten_unwalked(js_parser *j, js_spot at, js_parts *out)
{
    static const char *const words[] = {"if", "then", "else", "not"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const fl_json *c = fl_json_get(at.node, words[i]);
        if (c && c->kind == FL_JOBJECT && !flatten(j, (js_spot){c, at.doc, words[i]}, out))
            return false;
    }
    static const char *const maps[] = {"dependencies", "dependentSchemas"};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        const fl_json *map = fl_json_get(at.node, maps[i]);
        for (const fl_json *c = map ? map->child : NULL; c; c = c->next)
            if (c->kind == FL_JOBJECT && !flatten(j, (js_spot){c, at.doc, maps[i]}, out))
                return false;
    }
    return true;
}

static bool is_known(const js_parts *parts, js_spot at)
{
    for (size_t i = 0; i < parts->n; i++)
        if (parts->v[i].node == at.node && (!parts->v[i].unwalked || at.unwalked))
            return true;
    return false;
}

static bool flatten_around_ref(js_parser *j, js_spot *at, js_parts *out)
{
    const fl_json *ref = js_ref_of(*at);
    js_spot target;
    if (!ref)
        return true;
    if (!js_follow(j, *at, ref, &target) || !flatten(j, target, out))
        return false;
    at->unwalked = SIBLINGS;
    return true;
}

/* Each schema is entered once, so the depth is bounded by JS_MAX_PARTS. */
static bool flatten(js_parser *j, js_spot at, js_parts *out)
{
    if (!js_settle(j, &at, NULL))
        return false;
    if (at.node->kind != FL_JOBJECT || is_known(out, at))
        return true;
    if (out->n >= JS_MAX_PARTS)
        return js_refuse(j, at, "more than %d schemas are combined here", JS_MAX_PARTS);
    size_t mine = out->n;
    FL_PUSH(j->p.a, out, at);
    if (!flatten_around_ref(j, &at, out))
        return false;
    out->v[mine].unwalked = at.unwalked;
    const fl_json *all = fl_json_get(at.node, "allOf");
    if (all && !flatten_list(j, at, all, NULL, out))
        return false;
    return flatten_unwalked(j, at, out);
}

bool js_flatten(js_parser *j, js_spot at, js_parts *out)
{
    return flatten(j, at, out);
}
