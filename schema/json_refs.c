/* json_refs.c: the texts of a JSON Schema and where its references lead: JSON pointers, `$id`, anchors, references by
 * name. Nothing is ever fetched. */
#include "schema/json_parser.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool js_refuse(js_parser *j, js_spot at, const char *fmt, ...)
{
    if (!j->p.err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(j->p.err->message, sizeof j->p.err->message, fmt, ap);
    va_end(ap);
    j->p.err->offset = at.node ? at.node->from : 0;
    j->p.err->ref = at.doc ? at.doc->ref : j->p.ref;
    return false;
}

/* ---- URIs ---- */

static bool is_absolute(const char *uri)
{
    size_t n = 0;
    while (isalnum((unsigned char)uri[n]) || (n && uri[n] && strchr("+-.", uri[n])))
        n++;
    return n > 1 && uri[n] == ':';
}

/* A reference beside a base URI (RFC 3986 5.2 without dot segments: nothing is fetched, names are only compared). */
static const char *resolved(fl_arena *a, const char *base, const char *uri)
{
    if (!base || is_absolute(uri) || !*uri)
        return uri;
    const char *authority = strstr(base, "://");
    const char *path = authority ? strchr(authority + 3, '/') : base;
    const char *end = *uri == '/' ? path : strrchr(path ? path : base, '/');
    if (end && *uri != '/')
        end++;
    if (!path)
        return fl_printf(a, "%s/%s", base, *uri == '/' ? uri + 1 : uri);
    return fl_printf(a, "%.*s%s", end ? (int)(end - base) : 0, base, uri);
}

static const char *without_fragment(fl_arena *a, const char *uri)
{
    return fl_strndup(a, uri, strcspn(uri, "#"));
}

/* ---- index ---- */

typedef struct js_named named;

static void add_once(js_parser *j, fl_map *map, const char *key, named what)
{
    if (fl_map_get(map, key))
        return;
    named *kept = FL_NEW(j->p.a, named);
    *kept = what;
    fl_map_put(map, key, kept);
}

static const char *own_id(const fl_json *node)
{
    const char *id = fl_json_str(node, "$id");
    return id ? id : fl_json_str(node, "id");
}

static const char *address(fl_arena *a, const void *p)
{
    return fl_printf(a, "%p", p);
}

typedef struct index_walk {
    js_parser *j;
    js_doc *doc;
    const fl_json *resource; /* innermost embedded resource, or NULL */
    const char *base;        /* its id, or "" */
} index_walk;

static void add_anchor(index_walk *w, const fl_json *node, const char *name)
{
    if (name && *name)
        add_once(w->j, w->doc->anchors, fl_printf(w->j->p.a, "%s#%s", w->base, name), (named){node, w->doc, w->base});
}

/* An `$id` below the root starts a resource of its own: `#` means that one there. */
static void enter_resource(index_walk *w, const fl_json *node)
{
    const char *id = own_id(node);
    if (!id || node == w->doc->root)
        return;
    if (*id == '#') {
        add_anchor(w, node, id + 1);
        return;
    }
    id = without_fragment(w->j->p.a, id);
    named here = {node, w->doc, id};
    add_once(w->j, w->j->ids, id, here);
    add_once(w->j, w->j->ids, resolved(w->j->p.a, w->doc->id, id), here);
    w->resource = node;
    w->base = id;
}

/* Values of `enum` and the like are no schemas. */
static bool is_value(const char *key)
{
    static const char *const words[] = {"enum", "const", "default", "examples"};
    for (size_t i = 0; key && i < sizeof words / sizeof *words; i++)
        if (!strcmp(key, words[i]))
            return true;
    return false;
}

/* Depth is that of the JSON text, which its reader bounds. */
static void index_node(index_walk w, const fl_json *node)
{
    if (node->kind == FL_JOBJECT) {
        enter_resource(&w, node);
        add_anchor(&w, node, fl_json_str(node, "$anchor"));
        add_anchor(&w, node, fl_json_str(node, "$dynamicAnchor"));
        if (w.resource && js_ref_of((js_spot){node, w.doc, NULL})) {
            if (!w.doc->inner)
                w.doc->inner = fl_map_new();
            add_once(w.j, w.doc->inner, address(w.j->p.a, node), (named){w.resource, w.doc, w.base});
        }
    }
    for (const fl_json *c = node->child; c; c = c->next)
        if ((c->kind == FL_JOBJECT || c->kind == FL_JARRAY) && !is_value(c->key))
            index_node(w, c);
}

bool js_add_doc(js_parser *j, const char *ref, const char *text, size_t len)
{
    j->p.ref = ref;
    if (len > SCH_MAX_TEXT)
        return js_refuse(j, (js_spot){0}, "the schema is larger than %u MiB", SCH_MAX_TEXT >> 20);
    fl_json_error bad;
    js_doc *doc = FL_NEW(j->p.a, js_doc);
    doc->ref = ref;
    doc->root = fl_json_parse(j->p.a, text, len, FL_JSON_ALLOW_NUL, &bad);
    if (!doc->root) {
        js_refuse(j, (js_spot){0}, "not JSON: %s", bad.message);
        if (j->p.err)
            j->p.err->offset = bad.offset;
        return false;
    }
    const char *draft = fl_json_str(doc->root, "$schema"), *id = own_id(doc->root);
    doc->siblings = draft && strstr(draft, "/draft/20");
    doc->id = id && *id != '#' ? without_fragment(j->p.a, id) : NULL;
    doc->anchors = fl_map_new();
    FL_PUSH(j->p.a, &j->docs, doc);
    named root = {doc->root, doc, ""};
    doc->whole = FL_NEW(j->p.a, named);
    *doc->whole = root;
    if (ref)
        add_once(j, j->ids, ref, root);
    if (doc->id)
        add_once(j, j->ids, doc->id, root);
    index_node((index_walk){j, doc, NULL, ""}, doc->root);
    return true;
}

void js_free_docs(js_parser *j)
{
    for (size_t i = 0; i < j->docs.n; i++) {
        fl_map_free(j->docs.v[i]->anchors);
        fl_map_free(j->docs.v[i]->inner);
    }
}

/* ---- references ---- */

const fl_json *js_ref_of(js_spot at)
{
    static const char *const words[] = {"$ref", "$dynamicRef", "$recursiveRef"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const fl_json *ref = fl_json_get(at.node, words[i]);
        if (ref)
            return ref;
    }
    return NULL;
}

/* %41 as A; what is no such escape stays. */
static void unescape_percent(char *s)
{
    char *to = s;
    for (; *s; s++) {
        uint8_t byte;
        if (*s == '%' && s[1] && s[2] && fl_unhex(&byte, s + 1, 2) && byte) {
            *to++ = (char)byte;
            s += 2;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

/* ~1 as /, ~0 as ~ (RFC 6901). */
static void unescape_tilde(char *s)
{
    char *to = s;
    for (; *s; s++) {
        bool escape = *s == '~' && (s[1] == '0' || s[1] == '1');
        *to++ = !escape ? *s : s[1] == '0' ? '~' : '/';
        s += escape;
    }
    *to = '\0';
}

static const fl_json *element(const fl_json *list, const char *number)
{
    if (!*number || strlen(number) > 9 || number[strspn(number, "0123456789")])
        return NULL;
    size_t i = 0;
    for (const char *c = number; *c; c++)
        i = i * 10 + (size_t)(*c - '0');
    const fl_json *e = list->child;
    while (e && i--)
        e = e->next;
    return e;
}

static const fl_json *by_pointer(fl_arena *a, const fl_json *root, const char *pointer)
{
    const fl_json *at = root;
    while (at && *pointer == '/') {
        size_t n = strcspn(++pointer, "/");
        char *step = fl_strndup(a, pointer, n);
        unescape_tilde(step);
        pointer += n;
        at = at->kind == FL_JARRAY ? element(at, step) : fl_json_get(at, step);
    }
    return *pointer ? NULL : at;
}

/* The resource that the part before `#` names; NULL and an error if there is none. */
static const named *find_resource(js_parser *j, js_spot at, const fl_json *ref, const char *uri)
{
    fl_arena *a = j->p.a;
    const named *around = at.doc->inner ? fl_map_get(at.doc->inner, address(a, at.node)) : NULL;
    if (!*uri)
        return around ? around : at.doc->whole;
    const char *outer = resolved(a, at.doc->id, uri);
    const char *inner = around ? resolved(a, resolved(a, at.doc->id, around->base), uri) : outer;
    const char *tries[] = {uri, inner, outer};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        const named *found = fl_map_get(j->ids, tries[i]);
        if (found)
            return found;
    }
    js_refuse(j, (js_spot){ref, at.doc, NULL},
              "\"%.100s\" is neither in this schema nor the name of a reference, and nothing is fetched: register that "
              "schema as a subject and write `reference` with this name",
              uri);
    return NULL;
}

void js_name_refs(js_parser *j)
{
    for (size_t i = 0; i < j->docs.n; i++)
        for (size_t k = 0; j->docs.v[i]->id && k < j->docs.n; k++)
            if (j->docs.v[k]->ref)
                add_once(j, j->ids, resolved(j->p.a, j->docs.v[i]->id, j->docs.v[k]->ref), *j->docs.v[k]->whole);
}

bool js_follow(js_parser *j, js_spot at, const fl_json *ref, js_spot *out)
{
    js_spot place = {ref, at.doc, NULL};
    if (ref->kind != FL_JSTRING || strlen(ref->str) != ref->len)
        return js_refuse(j, place, "a reference is a text");
    const char *hash = strchr(ref->str, '#');
    char *fragment = fl_strdup(j->p.a, hash ? hash + 1 : "");
    const named *resource = find_resource(j, at, ref, without_fragment(j->p.a, ref->str));
    if (!resource)
        return false;
    unescape_percent(fragment);
    *out = (js_spot){NULL, resource->doc, at.unwalked};
    if (*fragment == '/' || !*fragment) {
        out->node = by_pointer(j->p.a, resource->node, fragment);
    } else {
        const named *anchor = fl_map_get(resource->doc->anchors, fl_printf(j->p.a, "%s#%s", resource->base, fragment));
        out->node = anchor ? anchor->node : NULL;
    }
    if (!out->node)
        return js_refuse(j, place, "\"%.120s\" leads nowhere", ref->str);
    if (out->node->kind != FL_JOBJECT && out->node->kind != FL_JTRUE && out->node->kind != FL_JFALSE)
        return js_refuse(j, place, "\"%.120s\" leads to something that is no schema", ref->str);
    return true;
}
