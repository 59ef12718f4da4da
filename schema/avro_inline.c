/* avro_inline.c: an Avro schema with what it refers to written out at its first use, as the vendor's `format=resolved`.
 * Types that are written out say their namespace, and all types of schemas are named in full, so that a name means the
 * same wherever it has come to stand. */
#include <string.h>

#include "schema/schema.h"

enum { MAX_INLINE = 512 }; /* definitions inside one another, each as deep as JSON may be */

typedef struct definition {
    const fl_json *node;
    const char *ns; /* around it */
    bool written;
} definition;

typedef struct writer {
    fl_arena *a;
    fl_map *known; /* full name to definition */
    fl_jw *w;
    unsigned depth;
    bool failed;
} writer;

static bool primitive(const char *s)
{
    static const char *const all[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i], s))
            return true;
    return false;
}

static bool named(const fl_json *node)
{
    const char *type = fl_json_str(node, "type");
    return type &&
           (!strcmp(type, "record") || !strcmp(type, "error") || !strcmp(type, "enum") || !strcmp(type, "fixed"));
}

static const char *full_name(fl_arena *a, const char *name, const char *ns)
{
    return strchr(name, '.') || !*ns ? name : fl_printf(a, "%s.%s", ns, name);
}

static const char *namespace_of(fl_arena *a, const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? fl_strndup(a, full, (size_t)(dot - full)) : "";
}

/* Of a definition, seen from inside this namespace. */
static const char *defined_name(fl_arena *a, const fl_json *node, const char *ns)
{
    const char *name = fl_json_str(node, "name"), *own = fl_json_str(node, "namespace");
    return full_name(a, name ? name : "", own ? own : ns);
}

/* Which types a text defines. */
static void learn(writer *w, const fl_json *node, const char *ns)
{
    if (node->kind == FL_JARRAY) {
        for (const fl_json *e = node->child; e; e = e->next)
            learn(w, e, ns);
        return;
    }
    if (node->kind != FL_JOBJECT)
        return;
    if (named(node)) {
        const char *full = defined_name(w->a, node, ns);
        definition *d = FL_NEW(w->a, definition);
        *d = (definition){node, ns, false};
        if (!fl_map_get(w->known, full))
            fl_map_put(w->known, full, d);
        ns = namespace_of(w->a, full);
    }
    const fl_json *fields = fl_json_get(node, "fields");
    for (const fl_json *f = fields && fields->kind == FL_JARRAY ? fields->child : NULL; f; f = f->next)
        if (fl_json_get(f, "type"))
            learn(w, fl_json_get(f, "type"), ns);
    static const char *const inner[] = {"type", "items", "values"};
    for (size_t i = 0; i < 3; i++)
        if (fl_json_get(node, inner[i]))
            learn(w, fl_json_get(node, inner[i]), ns);
}

static void write_type(writer *w, const fl_json *node, const char *ns);

static void write_name(writer *w, const char *name, const char *ns)
{
    const char *full = primitive(name) ? name : full_name(w->a, name, ns);
    definition *d = primitive(name) ? NULL : fl_map_get(w->known, full);
    if (!d && !strchr(name, '.')) /* of no namespace */
        d = fl_map_get(w->known, full = name);
    if (d && !d->written)
        write_type(w, d->node, d->ns);
    else
        fl_jw_string(w->w, d ? full : name);
}

static void write_fields(writer *w, const fl_json *fields, const char *ns)
{
    fl_jw_array(w->w);
    for (const fl_json *f = fields->child; f; f = f->next) {
        fl_jw_object(w->w);
        for (const fl_json *m = f->kind == FL_JOBJECT ? f->child : NULL; m; m = m->next) {
            fl_jw_key(w->w, m->key);
            if (!strcmp(m->key, "type"))
                write_type(w, m, ns);
            else
                fl_jw_node(w->w, m);
        }
        fl_jw_end_object(w->w);
    }
    fl_jw_end_array(w->w);
}

static void write_object(writer *w, const fl_json *node, const char *ns)
{
    bool defines = named(node);
    if (defines) {
        const char *full = defined_name(w->a, node, ns);
        definition *d = fl_map_get(w->known, full);
        w->failed |= !d || d->written; /* twice: the parser refuses it, too */
        if (d)
            d->written = true;
        ns = namespace_of(w->a, full);
    }
    fl_jw_object(w->w);
    for (const fl_json *m = node->child; m; m = m->next) {
        if (defines && !strcmp(m->key, "namespace"))
            continue;
        if (defines && !strcmp(m->key, "name")) {
            const char *dot = m->kind == FL_JSTRING ? strrchr(m->str, '.') : NULL;
            fl_jw_kstring(w->w, "name", m->kind != FL_JSTRING ? "" : dot ? dot + 1 : m->str);
            fl_jw_kstring(w->w, "namespace", ns);
            continue;
        }
        fl_jw_key(w->w, m->key);
        if (defines && !strcmp(m->key, "fields") && m->kind == FL_JARRAY)
            write_fields(w, m, ns);
        else if (!defines && (!strcmp(m->key, "type") || !strcmp(m->key, "items") || !strcmp(m->key, "values")) &&
                 !(m->kind == FL_JSTRING && (!strcmp(m->str, "array") || !strcmp(m->str, "map"))))
            write_type(w, m, ns);
        else
            fl_jw_node(w->w, m);
    }
    fl_jw_end_object(w->w);
}

static void write_type(writer *w, const fl_json *node, const char *ns)
{
    if (++w->depth > MAX_INLINE || w->w->out->full)
        w->failed = true;
    if (w->failed) {
        fl_jw_string(w->w, "");
    } else if (node->kind == FL_JSTRING) {
        write_name(w, node->str, ns);
    } else if (node->kind == FL_JARRAY) {
        fl_jw_array(w->w);
        for (const fl_json *e = node->child; e; e = e->next)
            write_type(w, e, ns);
        fl_jw_end_array(w->w);
    } else if (node->kind == FL_JOBJECT) {
        write_object(w, node, ns);
    } else {
        w->failed = true;
        fl_jw_node(w->w, node);
    }
    w->depth--;
}

bool sch_avro_inline(fl_arena *a, const char *text, size_t len, const sch_ref *refs, size_t nrefs, fl_buf *out)
{
    fl_jw jw;
    writer w = {.a = a, .known = fl_map_new(), .w = &jw};
    const fl_json *root = fl_json_parse(a, text, len, FL_JSON_ALLOW_NUL, &(fl_json_error){0});
    fl_jw_init(&jw, out, false);
    for (size_t i = 0; i <= nrefs && root; i++) {
        const fl_json *json =
            i < nrefs ? fl_json_parse(a, refs[i].text, refs[i].len, FL_JSON_ALLOW_NUL, &(fl_json_error){0}) : root;
        if (json)
            learn(&w, json, "");
        else
            w.failed = true;
    }
    if (root && !w.failed)
        write_type(&w, root, "");
    fl_map_free(w.known);
    sch_error err;
    return root && !w.failed && !out->full && sch_avro_parse(a, "", out->p, out->len, NULL, 0, &err);
}
