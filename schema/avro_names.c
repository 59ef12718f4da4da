/* avro_names.c: names of Avro types: primitives, namespaces and their inheritance (Avro 1.11, "Names"). */
#include "schema/avro_parser.h"

#include <string.h>

static const char *const kind_names[] = {
    [SCH_NULL] = "null",     [SCH_BOOLEAN] = "boolean", [SCH_INT] = "int",     [SCH_LONG] = "long",
    [SCH_FLOAT] = "float",   [SCH_DOUBLE] = "double",   [SCH_BYTES] = "bytes", [SCH_STRING] = "string",
    [SCH_RECORD] = "record", [SCH_ENUM] = "enum",       [SCH_ARRAY] = "array", [SCH_MAP] = "map",
    [SCH_UNION] = "union",   [SCH_FIXED] = "fixed",     [SCH_ANY] = "any",
};

const char *sch_kind_name(sch_kind k)
{
    return kind_names[k];
}

bool sch_primitive_kind(const char *name, sch_kind *out)
{
    for (int k = SCH_NULL; k <= SCH_STRING; k++) {
        if (!strcmp(name, kind_names[k])) {
            *out = (sch_kind)k;
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool sch_is_simple_name(const char *s, size_t len)
{
    if (!len || len > SCH_MAX_NAME || !is_letter(s[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!is_letter(s[i]) && !(s[i] >= '0' && s[i] <= '9'))
            return false;
    }
    return true;
}

/* Simple names joined by dots. */
static bool is_dotted_name(const char *s, size_t len)
{
    if (len > SCH_MAX_NAME)
        return false;
    size_t from = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && s[i] != '.')
            continue;
        if (!sch_is_simple_name(s + from, i - from))
            return false;
        from = i + 1;
    }
    return true;
}

static bool read_namespace(parser *p, const fl_json *node, const char **space)
{
    const fl_json *ns = fl_json_get(node, "namespace");
    if (!ns)
        return true;
    if (ns->kind != FL_JSTRING || (ns->len && !is_dotted_name(ns->str, ns->len)))
        return sch_refuse(p, ns, "a namespace is a text of names joined by dots ([A-Za-z_][A-Za-z0-9_]*)");
    *space = ns->str;
    return true;
}

bool sch_read_name(parser *p, const fl_json *node, const char *space, full_name *out)
{
    const fl_json *name = fl_json_get(node, "name");
    if (!name)
        return sch_refuse(p, node, "a record, enum or fixed needs a \"name\"");
    if (name->kind != FL_JSTRING || !is_dotted_name(name->str, name->len))
        return sch_refuse(p, name,
                          "this is no Avro name: names are [A-Za-z_][A-Za-z0-9_]*, joined by dots, at most %d bytes",
                          SCH_MAX_NAME);
    if (!read_namespace(p, node, &space))
        return false;
    const char *dot = strrchr(name->str, '.');
    const char *simple = dot ? dot + 1 : name->str;
    sch_kind k;
    if (sch_primitive_kind(simple, &k))
        return sch_refuse(p, name, "no type can be called \"%s\": it is the name of a primitive type", simple);
    if (dot)
        space = fl_strndup(p->a, name->str, (size_t)(dot - name->str));
    out->full = *space ? fl_printf(p->a, "%s.%s", space, simple) : simple;
    out->space = space;
    if (strlen(out->full) > SCH_MAX_NAME)
        return sch_refuse(p, name, "the full name is longer than %d bytes", SCH_MAX_NAME);
    return true;
}

static const char *const compound[] = {"record", "enum", "array", "map", "fixed", "error", "request", "union"};

static bool unknown_name(parser *p, const fl_json *text, const char *full)
{
    for (size_t i = 0; i < sizeof compound / sizeof *compound; i++) {
        if (!strcmp(text->str, compound[i]))
            return sch_refuse(p, text, "\"%s\" needs an object of its own here, {\"type\": \"%s\", …}", text->str,
                              text->str);
    }
    return sch_refuse(
        p, text, "the type \"%.100s\" is not known here: define it before its use, or refer to the schema that has it",
        full);
}

sch_type *sch_resolve(parser *p, const fl_json *text, const char *space)
{
    if (!is_dotted_name(text->str, text->len)) {
        sch_refuse(p, text, "this is no name of a type");
        return NULL;
    }
    const char *full = text->str;
    if (*space && !strchr(text->str, '.'))
        full = fl_printf(p->a, "%s.%s", space, text->str);
    sch_type *t = fl_map_get(p->names, full);
    p->refers = true;
    if (!t)
        unknown_name(p, text, full);
    return t;
}
