/* json_object.c: objects of a JSON Schema: properties from all that holds of them, as fields of a record; values of
 * `additionalProperties` as a map. */
#include "schema/json_parser.h"

#include <string.h>

/* Where clients see no property at all. */
#define REST       "additionalProperties"
#define PATTERN    "patternProperties"
#define IN_ENUM    "an object with enum"
#define IN_BRACKET "a name in brackets"
#define NO_NAME    "an empty name"

/* One schema of a property. group 0: beside the others; else the number of the branch (`anyOf`, `oneOf`) it is in. */
typedef struct definition {
    js_spot at;
    unsigned group;
} definition;

typedef struct property {
    const char *name;
    FL_VEC(definition) schemas;
} property;

typedef struct object {
    js_parser *j;
    sch_type *type;
    const sch_field *field; /* inside which the object is written */
    fl_map *names;          /* name to property */
    FL_VEC(property *) all;
    fl_map *required;
    js_parts rest;   /* `additionalProperties` that are schemas */
    bool open, shut; /* additionalProperties may stand there; may not */
    bool listed;     /* whole objects are listed (`enum`, `const`): clients look no further */
} object;

/* ---- collecting ---- */

static property *property_of(object *o, const char *name)
{
    property *p = fl_map_get(o->names, name);
    if (p)
        return p;
    p = FL_NEW(o->j->p.a, property);
    p->name = name;
    fl_map_put(o->names, name, p);
    FL_PUSH(o->j->p.a, &o->all, p);
    return p;
}

/* In `if`, `then`, `not` a property often only narrows one that is described elsewhere. */
static bool narrows(js_spot at)
{
    static const char *const structure[] = {"properties",
                                            "patternProperties",
                                            "additionalProperties",
                                            "items",
                                            "prefixItems",
                                            "allOf",
                                            "anyOf",
                                            "oneOf",
                                            "$ref",
                                            SCH_TAGS, /* it says more of the property than which values */
                                            NULL};
    return at.unwalked && at.node->kind == FL_JOBJECT && !js_is(at.node, structure);
}

static bool add_property(object *o, const char *name, js_spot at, unsigned group)
{
    js_parser *j = o->j;
    if (strlen(name) > SCH_MAX_NAME)
        return js_refuse(j, at, "the name of a property is longer than %d bytes", SCH_MAX_NAME);
    if (at.node->kind == FL_JFALSE)
        return true; /* may never be there */
    property *p = property_of(o, name);
    if (p->schemas.n && narrows(at))
        return true;
    if (p->schemas.n == JS_MAX_PARTS)
        return js_refuse(j, at, "the property \"%.100s\" is described more than %d times", name, JS_MAX_PARTS);
    FL_PUSH(j->p.a, &p->schemas, (definition){at, group});
    return true;
}

static bool add_properties(object *o, js_spot part, unsigned group)
{
    const fl_json *map = fl_json_get(part.node, "properties"), *patterns = fl_json_get(part.node, PATTERN);
    const fl_json *wrong = map && map->kind != FL_JOBJECT ? map : patterns;
    if (wrong && wrong->kind != FL_JOBJECT)
        return js_refuse(o->j, (js_spot){wrong, part.doc, NULL}, "\"%s\" is an object of schemas", wrong->key);
    for (const fl_json *c = map ? map->child : NULL; c; c = c->next)
        if (!add_property(o, c->key, (js_spot){c, part.doc, part.unwalked}, group))
            return false;
    for (const fl_json *c = patterns ? patterns->child : NULL; c; c = c->next)
        if (!add_property(o, c->key, (js_spot){c, part.doc, PATTERN}, group))
            return false;
    return true;
}

static void read_required(object *o, js_spot part)
{
    const fl_json *list = fl_json_get(part.node, "required");
    if (part.unwalked || !list || list->kind != FL_JARRAY)
        return;
    for (const fl_json *c = list->child; c; c = c->next)
        if (c->kind == FL_JSTRING)
            fl_map_put(o->required, c->str, o);
}

static void read_rest(object *o, js_spot part)
{
    static const char *const words[] = {REST, "unevaluatedProperties"};
    for (size_t i = 0; i < 2; i++) {
        const fl_json *rest = fl_json_get(part.node, words[i]);
        if (!rest || part.unwalked)
            continue;
        if (rest->kind == FL_JFALSE)
            o->shut = true;
        else if (rest->kind == FL_JOBJECT && rest->child)
            FL_PUSH(o->j->p.a, &o->rest, (js_spot){rest, part.doc, NULL});
    }
}

static void read_listed(object *o, js_spot part)
{
    static const char *const words[] = {"enum", "const", NULL};
    o->listed |= !part.unwalked && js_is(part.node, words);
}

static bool read_part(object *o, js_spot part, unsigned group)
{
    if (!add_properties(o, part, group))
        return false;
    if (group)
        return true;
    read_required(o, part);
    read_rest(o, part);
    read_listed(o, part);
    return true;
}

/* The choices of a part, behind those that wait already: each schema once, so that one that chooses itself ends. */
static bool queue_branches(object *o, js_parts *all, fl_map *seen, js_spot part)
{
    for (const char *const *word = js_choice_words; *word; word++) {
        const fl_json *list = fl_json_get(part.node, *word);
        for (const fl_json *c = list ? list->child : NULL; c; c = c->next) {
            js_spot at = {c, part.doc, part.unwalked};
            if (!js_settle(o->j, &at, o->field))
                return false;
            if (at.node->kind != FL_JOBJECT || fl_map_put(seen, fl_printf(o->j->p.a, "%p", (const void *)at.node), o))
                continue;
            if (all->n == JS_MAX_UNION)
                return js_refuse(o->j, at, "more than %d schemas in anyOf and oneOf", JS_MAX_UNION);
            FL_PUSH(o->j->p.a, all, at);
        }
    }
    return true;
}

/* Fields of branches become fields of the same object. Branches in branches count as branches. */
static bool read_branches(object *o, const js_parts *parts, fl_map *seen)
{
    js_parts all = {0};
    for (size_t i = 0; i < parts->n; i++)
        if (!queue_branches(o, &all, seen, parts->v[i]))
            return false;
    for (size_t i = 0; i < all.n; i++) {
        js_parts branch = {0};
        if (!js_flatten(o->j, all.v[i], &branch))
            return false;
        for (size_t k = 0; k < branch.n; k++)
            if (!js_note_misplaced(o->j, branch.v[k], o->type, o->field) ||
                !read_part(o, branch.v[k], (unsigned)i + 1) || !queue_branches(o, &all, seen, branch.v[k]))
                return false;
    }
    return true;
}

/* ---- fields ---- */

/* All schemas of one group hold at once, with those that hold in any case. */
static sch_type *type_of_group(object *o, const property *p, unsigned group, const sch_field *f, bool strip)
{
    js_spot *spots = FL_NEW_N(o->j->p.a, js_spot, p->schemas.n);
    size_t n = 0;
    for (size_t i = 0; i < p->schemas.n; i++) {
        const definition *d = &p->schemas.v[i];
        if (d->group && d->group != group)
            continue;
        spots[n] = d->at;
        if (strip)
            spots[n].unwalked = NULL;
        n++;
    }
    return n ? js_type(o->j, spots, n, f) : NULL;
}

static size_t groups_of(const property *p, unsigned *out)
{
    size_t n = 0;
    for (size_t i = 0; i < p->schemas.n; i++)
        if (!n || out[n - 1] != p->schemas.v[i].group)
            out[n++] = p->schemas.v[i].group;
    return n;
}

/* A property that branches describe is of one of their types. */
static sch_type *type_of(object *o, const property *p, const sch_field *f, bool strip)
{
    unsigned groups[JS_MAX_PARTS];
    size_t n = groups_of(p, groups);
    if (n == 1)
        return type_of_group(o, p, groups[0], f, strip);
    sch_type *u = js_new_type(o->j, SCH_UNION, p->schemas.v[0].at);
    if (!u)
        return NULL;
    u->branches = FL_NEW_N(o->j->p.a, sch_type *, n);
    for (size_t i = 0; i < n; i++) {
        sch_type *b = type_of_group(o, p, groups[i], f, strip);
        if (!b)
            return NULL;
        u->branches[u->nbranches++] = b;
    }
    return u;
}

static const char *odd_name(const char *name)
{
    const char *open = strchr(name, '[');
    return open && strchr(open, ']') ? IN_BRACKET : *name ? NULL : NO_NAME;
}

/* The tags of a property are those of each of its schema objects; new ones go to the first that clients walk. */
static bool read_tags(object *o, const property *p, sch_field *f)
{
    js_parser *j = o->j;
    for (size_t i = 0; i < p->schemas.n; i++) {
        js_spot at = p->schemas.v[i].at;
        const char **tags;
        size_t n;
        j->p.ref = at.doc->ref;
        js_note_own(j, at, f);
        if (!sch_read_tags(&j->p, at.node, &tags, &n))
            return false;
        if (!n)
            continue;
        const char **all = FL_NEW_N(j->p.a, const char *, f->ntags + n);
        if (f->ntags)
            memcpy(all, f->tags, f->ntags * sizeof *all);
        memcpy(all + f->ntags, tags, n * sizeof *all);
        f->tags = all;
        f->ntags += n;
        sch_sort_tags(f->tags, &f->ntags);
    }
    return true;
}

static bool make_field(object *o, const property *p)
{
    sch_field *f = &o->type->fields[o->type->nfields++];
    const definition *first = &p->schemas.v[0];
    for (size_t i = p->schemas.n; i-- > 0;)
        if (!p->schemas.v[i].at.unwalked)
            first = &p->schemas.v[i];
    f->name = p->name;
    f->record = o->type;
    f->node = first->at.node;
    f->foreign = first->at.doc->ref != NULL;
    f->fallback = fl_json_get(f->node, "default");
    f->optional = !fl_map_get(o->required, p->name);
    f->unwalked = first->at.unwalked ? first->at.unwalked : o->listed ? IN_ENUM : odd_name(p->name);
    if (!read_tags(o, p, f))
        return false;
    f->type = type_of(o, p, f, first->at.unwalked != NULL);
    return f->type != NULL;
}

/* ---- the object ---- */

/* Values beside the properties: a field whose name is written `"*"`. */
static bool make_rest(object *o)
{
    if (!o->rest.n)
        return true;
    sch_field *f = &o->type->fields[o->type->nfields++];
    f->name = "*";
    f->record = o->type;
    f->node = o->rest.v[0].node;
    f->foreign = o->rest.v[0].doc->ref != NULL;
    f->optional = true;
    f->unwalked = REST;
    f->type = js_type(o->j, o->rest.v, o->rest.n, f);
    return f->type != NULL;
}

/* No property is described: any name may stand there. */
static bool make_map(object *o, js_spot at)
{
    sch_type *t = o->type;
    t->kind = SCH_MAP;
    t->item_unwalked = REST;
    t->item = o->rest.n ? js_type(o->j, o->rest.v, o->rest.n, o->field) : js_new_type(o->j, SCH_ANY, at);
    return t->item != NULL;
}

static bool make_record(object *o)
{
    o->type->fields = FL_NEW_N(o->j->p.a, sch_field, o->all.n + 1);
    for (size_t i = 0; i < o->all.n; i++)
        if (!make_field(o, o->all.v[i]))
            return false;
    return make_rest(o);
}

static bool fill(object *o, const js_parts *parts, bool choices)
{
    fl_map *seen = fl_map_new();
    bool ok = true;
    for (size_t i = 0; i < parts->n && ok; i++)
        ok = read_part(o, parts->v[i], 0);
    ok = ok && (!choices || read_branches(o, parts, seen));
    fl_map_free(seen);
    if (!ok)
        return false;
    if (o->rest.n > JS_MAX_PARTS)
        return js_refuse(o->j, o->rest.v[0], "more than %d schemas of additionalProperties", JS_MAX_PARTS);
    bool any_name = !o->all.n && (o->rest.n || !o->shut);
    return any_name ? make_map(o, parts->v[0]) : make_record(o);
}

bool js_fill_object(js_parser *j, sch_type *t, const js_parts *parts, bool choices, const sch_field *field)
{
    object o = {.j = j, .type = t, .field = field, .names = fl_map_new(), .required = fl_map_new()};
    bool ok = fill(&o, parts, choices);
    fl_map_free(o.names);
    fl_map_free(o.required);
    return ok;
}
