/* avro_normal.c: an Avro schema in the spelling of a registry that normalises: as Avro's own Schema.toString writes
 * what the vendor's AvroSchema.normalize makes (confluentinc/schema-registry, AvroSchemaUtils.toNormalizedString):
 * attributes in one order, names without what the enclosing namespace says already, {"type":"string"} as "string",
 * empty docs and
 * `"order":"ascending"` left out, aliases and other attributes sorted. Numbers in defaults stay as they are written. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "schema/schema.h"

typedef struct normal {
    fl_jw *w;
    fl_arena *a;
    bool odd; /* it is written as no parser of Avro takes it */
} normal;

/* ---- plain JSON, members sorted ---- */

static int by_key(const void *x, const void *y)
{
    return strcmp((*(const fl_json *const *)x)->key, (*(const fl_json *const *)y)->key);
}

static const fl_json **members(fl_arena *a, const fl_json *v, size_t *n)
{
    const fl_json **all = FL_NEW_N(a, const fl_json *, v->count + 1);
    *n = 0;
    for (const fl_json *m = v->child; m; m = m->next)
        all[(*n)++] = m;
    if (v->kind == FL_JOBJECT && *n)
        qsort(all, *n, sizeof *all, by_key);
    return all;
}

void sch_print_sorted(fl_jw *w, fl_arena *a, const fl_json *v)
{
    size_t n;
    if (v->kind != FL_JOBJECT && v->kind != FL_JARRAY) {
        fl_jw_node(w, v);
        return;
    }
    const fl_json **all = members(a, v, &n);
    bool object = v->kind == FL_JOBJECT;
    (object ? fl_jw_object : fl_jw_array)(w);
    for (size_t i = 0; i < n; i++) {
        if (object)
            fl_jw_key(w, all[i]->key);
        sch_print_sorted(w, a, all[i]);
    }
    (object ? fl_jw_end_object : fl_jw_end_array)(w);
}

static bool among(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(s, *list))
            return true;
    return false;
}

/* ---- attributes ---- */

static const char *const of_types[] = {"doc",     "fields", "items", "name",    "namespace", "size",
                                       "symbols", "values", "type",  "aliases", NULL};
static const char *const of_enums[] = {"doc",     "fields", "items", "name",    "namespace", "size",
                                       "symbols", "values", "type",  "aliases", "default",   NULL};
static const char *const of_fields[] = {"default", "doc", "name", "order", "type", "aliases", NULL};

/* A logical type that Avro knows stands first, with its precision and scale. */
static bool is_logical(const fl_json *v, const char *type)
{
    static const char *const known[][2] = {
        {"decimal", "bytes"},
        {"decimal", "fixed"},
        {"uuid", "string"},
        {"date", "int"},
        {"time-millis", "int"},
        {"time-micros", "long"},
        {"timestamp-millis", "long"},
        {"timestamp-micros", "long"},
        {"local-timestamp-millis", "long"},
        {"local-timestamp-micros", "long"},
    };
    const char *name = fl_json_str(v, "logicalType");
    int64_t precision;
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i][0], name) && !strcmp(known[i][1], type))
            return i > 1 || (fl_json_int(v, "precision", &precision) && precision > 0);
    return false;
}

static void attribute(normal *n, const fl_json *m)
{
    fl_jw_key(n->w, m->key);
    sch_print_sorted(n->w, n->a, m);
}

/* All others, sorted. */
static void attributes(normal *n, const fl_json *v, const char *const *reserved, const char *type)
{
    size_t count;
    int64_t scale = 0;
    const fl_json **all = members(n->a, v, &count);
    bool logical = type && is_logical(v, type), decimal = logical && !strcmp(fl_json_str(v, "logicalType"), "decimal");
    const char *first[] = {logical ? "logicalType" : NULL, decimal ? "precision" : NULL, NULL, NULL};
    if (decimal && fl_json_int(v, "scale", &scale) && scale)
        first[2] = "scale";
    for (size_t i = 0; first[i]; i++)
        attribute(n, fl_json_get(v, first[i]));
    for (size_t i = 0; i < count; i++)
        if (!among(all[i]->key, reserved) && !among(all[i]->key, first))
            attribute(n, all[i]);
}

static void text(normal *n, const fl_json *v, const char *member, bool empty_counts)
{
    const char *s = fl_json_str(v, member);
    if (s && (*s || empty_counts))
        fl_jw_kstring(n->w, member, s);
}

/* ---- names ---- */

static const char *space_of(fl_arena *a, const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? fl_strndup(a, full, (size_t)(dot - full)) : "";
}

static const char *qualified(fl_arena *a, const char *name, const char *space)
{
    return strchr(name, '.') || !*space ? name : fl_printf(a, "%s.%s", space, name);
}

/* As it is said inside `space`. */
static const char *short_name(fl_arena *a, const char *full, const char *space)
{
    const char *own = space_of(a, full);
    return *own && !strcmp(own, space) ? full + strlen(own) + 1 : full;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* space NULL: of a field, whose aliases have none. */
static void aliases(normal *n, const fl_json *v, const char *space)
{
    const fl_json *list = fl_json_get(v, "aliases");
    size_t count = 0;
    if (!list || list->kind != FL_JARRAY || !list->count)
        return;
    const char **all = FL_NEW_N(n->a, const char *, list->count);
    for (const fl_json *e = list->child; e; e = e->next) {
        n->odd = n->odd || e->kind != FL_JSTRING;
        if (e->kind == FL_JSTRING)
            all[count++] = space ? qualified(n->a, e->str, space) : e->str;
    }
    if (count)
        qsort(all, count, sizeof *all, by_text);
    fl_jw_key(n->w, "aliases");
    fl_jw_array(n->w);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(all[i], all[i - 1]) != 0)
            fl_jw_string(n->w, space ? short_name(n->a, all[i], space) : all[i]);
    fl_jw_end_array(n->w);
}

/* ---- types ---- */

static void type(normal *n, const fl_json *v, const char *space);

static const char *const primitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string", NULL};
static const char *const named_types[] = {"record", "error", "enum", "fixed", NULL};

/* A name without dots means one of the namespace, or if there is none such, one without a namespace: it stays. */
static void name_of(normal *n, const char *name, const char *space)
{
    fl_jw_string(n->w, among(name, primitives) ? name : short_name(n->a, name, space));
}

static void field(normal *n, const fl_json *f, const char *space)
{
    const char *order = fl_json_str(f, "order");
    const fl_json *otherwise = fl_json_get(f, "default"), *of = fl_json_get(f, "type");
    n->odd = n->odd || !of || !fl_json_str(f, "name");
    if (n->odd)
        return;
    fl_jw_object(n->w);
    text(n, f, "name", true);
    fl_jw_key(n->w, "type");
    type(n, of, space);
    text(n, f, "doc", true);
    if (otherwise)
        attribute(n, otherwise);
    if (order && strcasecmp(order, "ascending") != 0)
        fl_jw_kstring(n->w, "order", order);
    aliases(n, f, NULL);
    attributes(n, f, of_fields, NULL);
    fl_jw_end_object(n->w);
}

static void fields(normal *n, const fl_json *v, const char *space)
{
    const fl_json *list = fl_json_get(v, "fields");
    fl_jw_key(n->w, "fields");
    fl_jw_array(n->w);
    for (const fl_json *f = list && list->kind == FL_JARRAY ? list->child : NULL; f; f = f->next)
        field(n, f, space);
    fl_jw_end_array(n->w);
}

static void named(normal *n, const fl_json *v, const char *kind, const char *outer)
{
    const char *name = fl_json_str(v, "name"), *said = fl_json_str(v, "namespace");
    n->odd = n->odd || !name;
    if (!name)
        return;
    const char *full = qualified(n->a, name, said ? said : outer), *space = space_of(n->a, full);
    bool is_enum = !strcmp(kind, "enum"), is_fixed = !strcmp(kind, "fixed");
    fl_jw_object(n->w);
    fl_jw_kstring(n->w, "type", !strcmp(kind, "error") ? "record" : kind);
    fl_jw_kstring(n->w, "name", *space ? full + strlen(space) + 1 : full);
    if (strcmp(space, outer) != 0)
        fl_jw_kstring(n->w, "namespace", space);
    text(n, v, "doc", false);
    if (!is_enum && !is_fixed)
        fields(n, v, space);
    const char *own[] = {is_enum ? "symbols" : is_fixed ? "size" : NULL, is_enum ? "default" : NULL};
    for (size_t i = 0; i < 2; i++)
        if (own[i] && fl_json_get(v, own[i]))
            attribute(n, fl_json_get(v, own[i]));
    attributes(n, v, is_enum ? of_enums : of_types, kind);
    aliases(n, v, space);
    fl_jw_end_object(n->w);
}

static void holder(normal *n, const fl_json *v, const char *kind, const char *inside, const char *space)
{
    const fl_json *of = fl_json_get(v, inside);
    n->odd = n->odd || !of;
    if (!of)
        return;
    fl_jw_object(n->w);
    fl_jw_kstring(n->w, "type", kind);
    fl_jw_key(n->w, inside);
    type(n, of, space);
    attributes(n, v, of_types, NULL);
    fl_jw_end_object(n->w);
}

static bool has_attributes(const fl_json *v)
{
    for (const fl_json *m = v->child; m; m = m->next)
        if (!among(m->key, of_types))
            return true;
    return false;
}

static void object(normal *n, const fl_json *v, const char *space)
{
    const char *kind = fl_json_str(v, "type");
    if (!kind) {
        n->odd = true;
    } else if (among(kind, named_types)) {
        named(n, v, kind, space);
    } else if (!strcmp(kind, "array")) {
        holder(n, v, kind, "items", space);
    } else if (!strcmp(kind, "map")) {
        holder(n, v, kind, "values", space);
    } else if (!among(kind, primitives) || !has_attributes(v)) {
        name_of(n, kind, space);
    } else {
        fl_jw_object(n->w);
        fl_jw_kstring(n->w, "type", kind);
        attributes(n, v, of_types, kind);
        fl_jw_end_object(n->w);
    }
}

static void type(normal *n, const fl_json *v, const char *space)
{
    if (v->kind == FL_JSTRING) {
        name_of(n, v->str, space);
    } else if (v->kind == FL_JARRAY) {
        fl_jw_array(n->w);
        for (const fl_json *e = v->child; e; e = e->next)
            type(n, e, space);
        fl_jw_end_array(n->w);
    } else if (v->kind == FL_JOBJECT) {
        object(n, v, space);
    } else {
        n->odd = true;
    }
}

bool sch_avro_normal(fl_arena *a, const fl_json *json, fl_jw *w)
{
    normal n = {.w = w, .a = a};
    type(&n, json, "");
    return !n.odd;
}
