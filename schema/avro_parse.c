/* avro_parse.c: the text of an Avro schema into a tree of types and fields (Avro 1.11). Strict: what a vendor client or
 * the registry might read in another way is refused. */
#include "schema/avro_parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sch_refuse(parser *p, const fl_json *at, const char *fmt, ...)
{
    if (!p->err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->err->message, sizeof p->err->message, fmt, ap);
    va_end(ap);
    p->err->offset = at ? at->from : 0;
    p->err->ref = p->ref;
    return false;
}

static sch_type *parse_type(parser *p, const fl_json *node, const char *space);

static sch_type *new_type(parser *p, sch_kind kind, const fl_json *node)
{
    if (p->types.n == SCH_MAX_TYPES) {
        sch_refuse(p, node, "the schema has more than %d types", SCH_MAX_TYPES);
        return NULL;
    }
    sch_type *t = FL_NEW(p->a, sch_type);
    t->kind = kind;
    t->node = node;
    t->foreign = p->ref != NULL;
    t->id = (unsigned)p->types.n;
    FL_PUSH(p->a, &p->types, t);
    if (node->kind == FL_JOBJECT)
        t->logical = fl_json_str(node, "logicalType");
    return t;
}

/* A new record, enum or fixed under its name. *space becomes what is inherited inside. */
static sch_type *new_named(parser *p, sch_kind kind, const fl_json *node, const char **space)
{
    full_name name;
    if (!sch_read_name(p, node, *space, &name))
        return NULL;
    sch_type *t = new_type(p, kind, node);
    if (!t)
        return NULL;
    if (fl_map_get(p->names, name.full)) {
        sch_refuse(p, fl_json_get(node, "name"), "the type \"%.200s\" is defined twice", name.full);
        return NULL;
    }
    t->name = name.full;
    fl_map_put(p->names, name.full, t);
    *space = name.space;
    return t;
}

/* ---- records ---- */

static bool read_aliases(parser *p, const fl_json *node, sch_field *f)
{
    const fl_json *list = fl_json_get(node, "aliases");
    if (!list)
        return true;
    if (list->kind != FL_JARRAY)
        return sch_refuse(p, list, "\"aliases\" is a list of names");
    f->aliases = FL_NEW_N(p->a, const char *, list->count + 1);
    for (const fl_json *alias = list->child; alias; alias = alias->next) {
        if (alias->kind != FL_JSTRING || !sch_is_simple_name(alias->str, alias->len))
            return sch_refuse(p, alias, "an alias of a field is a name ([A-Za-z_][A-Za-z0-9_]*)");
        f->aliases[f->naliases++] = alias->str;
    }
    return true;
}

static bool parse_field(parser *p, const fl_json *node, const char *space, sch_field *f)
{
    if (node->kind != FL_JOBJECT)
        return sch_refuse(p, node, "a field is an object with \"name\" and \"type\"");
    const fl_json *name = fl_json_get(node, "name"), *type = fl_json_get(node, "type");
    if (!name || name->kind != FL_JSTRING || !sch_is_simple_name(name->str, name->len))
        return sch_refuse(p, name ? name : node, "a field needs a \"name\" ([A-Za-z_][A-Za-z0-9_]*, at most %d bytes)",
                          SCH_MAX_NAME);
    f->name = name->str;
    f->node = node;
    f->fallback = fl_json_get(node, "default");
    if (!type)
        return sch_refuse(p, node, "the field \"%.100s\" has no \"type\"", f->name);
    if (!read_aliases(p, node, f) || !sch_read_tags(p, node, &f->tags, &f->ntags))
        return false;
    const sch_field *outer = p->field;
    p->field = f;
    f->type = parse_type(p, type, space);
    p->field = outer;
    return f->type != NULL;
}

/* A map from here on; fewer names are looked through, which is how most records, unions and enums are. */
enum { MANY = 16 };

static fl_map *map_of_many(size_t n)
{
    return n > MANY ? fl_map_new() : NULL;
}

static bool has_field(const sch_type *t, const char *name)
{
    for (size_t i = 0; i < t->nfields; i++)
        if (!strcmp(t->fields[i].name, name))
            return true;
    return false;
}

/* seen: NULL, if there are few. */
static bool parse_fields(parser *p, sch_type *t, const fl_json *list, const char *space, fl_map *seen)
{
    for (const fl_json *node = list->child; node; node = node->next) {
        sch_field *f = &t->fields[t->nfields];
        f->record = t;
        if (!parse_field(p, node, space, f))
            return false;
        if (seen ? fl_map_put(seen, f->name, f) != NULL : has_field(t, f->name))
            return sch_refuse(p, fl_json_get(node, "name"), "the record has two fields called \"%.100s\"", f->name);
        t->nfields++;
    }
    return true;
}

static sch_type *parse_record(parser *p, const fl_json *node, const char *space)
{
    const fl_json *list = fl_json_get(node, "fields");
    if (!list || list->kind != FL_JARRAY) {
        sch_refuse(p, list ? list : node, "a record needs \"fields\", a list");
        return NULL;
    }
    sch_type *t = new_named(p, SCH_RECORD, node, &space);
    if (!t)
        return NULL;
    t->fields = FL_NEW_N(p->a, sch_field, list->count + 1);
    fl_map *seen = map_of_many(list->count);
    bool ok = parse_fields(p, t, list, space, seen);
    fl_map_free(seen);
    return ok ? t : NULL;
}

/* ---- enum, fixed ---- */

static bool parse_symbols(parser *p, sch_type *t, const fl_json *list, fl_map *seen)
{
    for (const fl_json *symbol = list->child; symbol; symbol = symbol->next) {
        if (symbol->kind != FL_JSTRING || !sch_is_simple_name(symbol->str, symbol->len))
            return sch_refuse(p, symbol, "a symbol is a name ([A-Za-z_][A-Za-z0-9_]*)");
        if (fl_map_put(seen, symbol->str, t))
            return sch_refuse(p, symbol, "the symbol \"%.100s\" is there twice", symbol->str);
        t->symbols[t->nsymbols++] = symbol->str;
    }
    const fl_json *fallback = fl_json_get(t->node, "default");
    if (!fallback)
        return true;
    if (fallback->kind != FL_JSTRING || !fl_map_get(seen, fallback->str))
        return sch_refuse(p, fallback, "the default of an enum is one of its symbols");
    t->enum_default = fallback->str;
    return true;
}

static sch_type *parse_enum(parser *p, const fl_json *node, const char *space)
{
    const fl_json *list = fl_json_get(node, "symbols");
    if (!list || list->kind != FL_JARRAY) {
        sch_refuse(p, list ? list : node, "an enum needs \"symbols\", a list");
        return NULL;
    }
    sch_type *t = new_named(p, SCH_ENUM, node, &space);
    if (!t)
        return NULL;
    t->symbols = FL_NEW_N(p->a, const char *, list->count + 1);
    fl_map *seen = fl_map_new();
    bool ok = parse_symbols(p, t, list, seen);
    fl_map_free(seen);
    return ok ? t : NULL;
}

static sch_type *parse_fixed(parser *p, const fl_json *node, const char *space)
{
    int64_t size;
    if (!fl_json_int(node, "size", &size) || size < 0 || size > INT32_MAX) {
        sch_refuse(p, node, "a fixed needs a \"size\", a whole number of bytes");
        return NULL;
    }
    sch_type *t = new_named(p, SCH_FIXED, node, &space);
    if (t)
        t->size = (size_t)size;
    return t;
}

/* ---- array, map, union ---- */

static sch_type *parse_container(parser *p, const fl_json *node, const char *space, sch_kind kind, const char *member)
{
    const fl_json *item = fl_json_get(node, member);
    if (!item) {
        sch_refuse(p, node, "this %s needs \"%s\"", sch_kind_name(kind), member);
        return NULL;
    }
    sch_type *t = new_type(p, kind, node);
    if (!t)
        return NULL;
    t->item = parse_type(p, item, space);
    return t->item ? t : NULL;
}

/* What no two branches share: the kind, of named types the name. */
static const char *branch_name(const sch_type *branch)
{
    return branch->name ? branch->name : sch_kind_name(branch->kind);
}

static bool has_branch(const sch_type *t, const char *name)
{
    for (size_t i = 0; i < t->nbranches; i++)
        if (!strcmp(branch_name(t->branches[i]), name))
            return true;
    return false;
}

/* seen: NULL, if there are few. */
static bool add_branch(parser *p, sch_type *t, sch_type *branch, const fl_json *node, fl_map *seen)
{
    if (branch->kind == SCH_UNION)
        return sch_refuse(p, node, "a union cannot stand directly in a union");
    const char *name = branch_name(branch);
    if (seen ? fl_map_put(seen, name, branch) != NULL : has_branch(t, name))
        return sch_refuse(p, node, "the union has two branches of type %.200s", name);
    t->branches[t->nbranches++] = branch;
    return true;
}

static sch_type *parse_union(parser *p, const fl_json *node, const char *space)
{
    if (!node->count) {
        sch_refuse(p, node, "a union needs a branch");
        return NULL;
    }
    sch_type *t = new_type(p, SCH_UNION, node);
    if (!t)
        return NULL;
    t->branches = FL_NEW_N(p->a, sch_type *, node->count);
    fl_map *seen = map_of_many(node->count);
    bool ok = true;
    for (const fl_json *b = node->child; ok && b; b = b->next) {
        sch_type *branch = parse_type(p, b, space);
        ok = branch && add_branch(p, t, branch, b, seen);
    }
    fl_map_free(seen);
    return ok ? t : NULL;
}

/* ---- any type ---- */

static sch_type *parse_text(parser *p, const fl_json *text, const fl_json *node, const char *space)
{
    sch_kind kind;
    if (sch_primitive_kind(text->str, &kind))
        return new_type(p, kind, node);
    return sch_resolve(p, text, space);
}

static sch_type *parse_object(parser *p, const fl_json *node, const char *space)
{
    const fl_json *type = fl_json_get(node, "type");
    if (!type) {
        sch_refuse(p, node, "a type needs \"type\"");
        return NULL;
    }
    if (type->kind != FL_JSTRING)
        return parse_type(p, type, space);
    if (!strcmp(type->str, "record"))
        return parse_record(p, node, space);
    if (!strcmp(type->str, "enum"))
        return parse_enum(p, node, space);
    if (!strcmp(type->str, "fixed"))
        return parse_fixed(p, node, space);
    if (!strcmp(type->str, "array"))
        return parse_container(p, node, space, SCH_ARRAY, "items");
    if (!strcmp(type->str, "map"))
        return parse_container(p, node, space, SCH_MAP, "values");
    return parse_text(p, type, node, space);
}

/* Tags in a type object are kept apart: no client takes them for a field's. */
static bool note_misplaced(parser *p, const fl_json *node, const sch_type *t)
{
    const fl_json *member = fl_json_get(node, SCH_TAGS);
    if (!member)
        return true;
    sch_misplaced m = {
        .offset = member->key_from, .to = member->to, .type = t, .field = p->field, .foreign = p->ref != NULL};
    if (!sch_read_tags(p, node, &m.tags, &m.ntags))
        return false;
    FL_PUSH(p->a, &p->misplaced, m);
    return true;
}

static sch_type *parse_any(parser *p, const fl_json *node, const char *space)
{
    switch (node->kind) {
    case FL_JSTRING:
        return parse_text(p, node, node, space);
    case FL_JARRAY:
        return parse_union(p, node, space);
    case FL_JOBJECT: {
        sch_type *t = parse_object(p, node, space);
        return t && note_misplaced(p, node, t) ? t : NULL;
    }
    default:
        sch_refuse(p, node, "a type is a name, an object or a list (a union)");
        return NULL;
    }
}

static sch_type *parse_type(parser *p, const fl_json *node, const char *space)
{
    if (p->depth == SCH_MAX_DEPTH) {
        sch_refuse(p, node, "types are nested deeper than %d", SCH_MAX_DEPTH);
        return NULL;
    }
    p->depth++;
    sch_type *t = parse_any(p, node, space);
    p->depth--;
    return t;
}

/* ---- texts ---- */

static sch_type *parse_text_of(parser *p, const char *text, size_t len, const fl_json **json)
{
    if (len > SCH_MAX_TEXT) {
        sch_refuse(p, NULL, "the schema is larger than %u MiB", SCH_MAX_TEXT >> 20);
        return NULL;
    }
    fl_json_error bad;
    const fl_json *root = fl_json_parse(p->a, text, len, FL_JSON_ALLOW_NUL, &bad);
    if (!root) {
        sch_refuse(p, NULL, "not JSON: %s", bad.message);
        if (p->err)
            p->err->offset = bad.offset;
        return NULL;
    }
    *json = root;
    return parse_type(p, root, "");
}

static int by_place(const void *x, const void *y)
{
    const sch_misplaced *a = x, *b = y;
    return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static sch_schema *parse_all(parser *p, const char *name, const char *text, size_t len, const sch_ref *refs,
                             size_t nrefs)
{
    const fl_json *json;
    for (size_t i = 0; i < nrefs; i++) {
        p->ref = refs[i].name;
        if (!parse_text_of(p, refs[i].text, refs[i].len, &json))
            return NULL;
    }
    size_t of_refs = p->misplaced.n;
    p->ref = NULL;
    sch_type *root = parse_text_of(p, text, len, &json);
    if (!root)
        return NULL;
    if (p->misplaced.n > of_refs)
        qsort(p->misplaced.v + of_refs, p->misplaced.n - of_refs, sizeof *p->misplaced.v, by_place);
    if (p->refers)
        sch_mark_recursive(&p->types);
    sch_schema *s = FL_NEW(p->a, sch_schema);
    *s = (sch_schema){.name = name,
                      .text = text,
                      .len = len,
                      .root = root,
                      .ntypes = (unsigned)p->types.n,
                      .json = json,
                      .misplaced = p->misplaced.v,
                      .nmisplaced = p->misplaced.n};
    return s;
}

sch_schema *sch_avro_parse(fl_arena *a, const char *name, const char *text, size_t len, const sch_ref *refs,
                           size_t nrefs, sch_error *err)
{
    parser p = {.a = a, .err = err, .names = fl_map_new()};
    sch_schema *s = parse_all(&p, name, text, len, refs, nrefs);
    fl_map_free(p.names);
    return s;
}
