/* compat_json_view.c: the text of a JSON Schema into the classes that the vendor's registry compares. */
#include "schema/compat_json.h"

#include <stdlib.h>
#include <string.h>

/* ---- documents and `$ref` ---- */

static bool is_modern(const fl_json *root)
{
    const char *dialect = fl_json_str(root, "$schema");
    return dialect && (strstr(dialect, "2019-09") || strstr(dialect, "2020-12"));
}

static const char *id_of(const fl_json *n)
{
    const char *id = fl_json_str(n, "$id");
    return id ? id : fl_json_str(n, "id");
}

/* Lists the objects that carry a name of their own. */
static void find_named(jv_comparison *x, jv_document *d, const fl_json *n)
{
    if (!sch_compare_step(x->c))
        return;
    if (n->kind == FL_JOBJECT && (id_of(n) || fl_json_str(n, "$anchor")))
        FL_PUSH(x->c->arena, &d->named, n);
    if (n->kind == FL_JOBJECT || n->kind == FL_JARRAY)
        for (const fl_json *i = n->child; i; i = i->next)
            find_named(x, d, i);
}

static jv_document *add_document(jv_comparison *x, jv_side *s, const char *name, const fl_json *root)
{
    jv_document *d = FL_NEW(x->c->arena, jv_document);
    d->name = name;
    d->root = root;
    d->modern = is_modern(root);
    find_named(x, d, root);
    FL_PUSH(x->c->arena, &s->documents, d);
    return d;
}

/* The document of a reference, by the name under which the schema refers to it; read when it is asked for first. */
static const jv_document *referenced(jv_comparison *x, jv_side *s, const char *name, size_t len)
{
    for (size_t i = 0; i < s->documents.n; i++) {
        const jv_document *d = s->documents.v[i];
        const char *known = d->name ? d->name : id_of(d->root);
        if (known && strlen(known) == len && !strncmp(known, name, len))
            return d;
    }
    for (size_t i = 0; i < s->schema->nrefs; i++) {
        const sch_ref *r = &s->schema->refs[i];
        fl_json_error err;
        if (strlen(r->name) != len || strncmp(r->name, name, len))
            continue;
        const fl_json *root = fl_json_parse(x->c->arena, r->text, r->len, FL_JSON_ALLOW_NUL, &err);
        return root ? add_document(x, s, r->name, root) : NULL;
    }
    return NULL;
}

/* One step of a JSON pointer, decoded: ~1 ~0 and %XX. NULL: too long. */
static const char *pointer_step(const char *p, size_t len, char out[256])
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (n == 255)
            return NULL;
        char hex[3] = {0};
        if (p[i] == '~' && i + 1 < len && (p[i + 1] == '0' || p[i + 1] == '1'))
            out[n++] = p[++i] == '0' ? '~' : '/';
        else if (p[i] == '%' && i + 2 < len &&
                 (hex[0] = p[i + 1], hex[1] = p[i + 2], strspn(hex, "0123456789abcdefABCDEF") == 2))
            out[n++] = (char)strtoul(hex, NULL, 16), i += 2;
        else
            out[n++] = p[i];
    }
    out[n] = '\0';
    return out;
}

static const fl_json *element(const fl_json *array, const char *index)
{
    char *end;
    unsigned long n = strtoul(index, &end, 10);
    if (!*index || *end)
        return NULL;
    const fl_json *i = array->child;
    for (; i && n; n--)
        i = i->next;
    return i;
}

static const fl_json *follow_pointer(const fl_json *n, const char *p)
{
    char step[256];
    while (n && *p == '/') {
        size_t len = strcspn(++p, "/");
        const char *name = pointer_step(p, len, step);
        n = !name ? NULL : n->kind == FL_JARRAY ? element(n, name) : fl_json_get(n, name);
        p += len;
    }
    return *p ? NULL : n;
}

static const fl_json *by_anchor(jv_comparison *x, const jv_document *d, const char *name)
{
    for (size_t i = 0; i < d->named.n && sch_compare_step(x->c); i++) {
        const char *anchor = fl_json_str(d->named.v[i], "$anchor"), *id = id_of(d->named.v[i]);
        if ((anchor && !strcmp(anchor, name)) || (id && id[0] == '#' && !strcmp(id + 1, name)))
            return d->named.v[i];
    }
    return NULL;
}

static const fl_json *by_id(jv_comparison *x, const jv_document *d, const char *id, size_t len)
{
    for (size_t i = 0; i < d->named.n && sch_compare_step(x->c); i++) {
        const char *known = id_of(d->named.v[i]);
        if (known && strlen(known) == len && !strncmp(known, id, len))
            return d->named.v[i];
    }
    return NULL;
}

static jv_side *side_of(jv_comparison *x, const jv_document *d)
{
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < x->sides[k].documents.n; i++)
            if (x->sides[k].documents.v[i] == d)
                return &x->sides[k];
    return &x->sides[0];
}

/* What a `$ref` leads to, and in which document. NULL: nowhere that is known. */
static const fl_json *follow(jv_comparison *x, const jv_document **in, const char *ref)
{
    const char *hash = strchr(ref, '#');
    size_t len = hash ? (size_t)(hash - ref) : strlen(ref);
    const fl_json *root = (*in)->root;
    if (len) {
        const fl_json *inside = by_id(x, *in, ref, len);
        const jv_document *d = inside ? *in : referenced(x, side_of(x, *in), ref, len);
        if (!d)
            return NULL;
        root = inside ? inside : d->root;
        *in = d;
    }
    if (!hash || !hash[1])
        return root;
    return hash[1] == '/' ? follow_pointer(root, hash + 1) : by_anchor(x, *in, hash + 1);
}

/* ---- classes ---- */

static jv *new_view(jv_comparison *x, jv_kind kind, const fl_json *node, const jv_document *in)
{
    jv *v = FL_NEW(x->c->arena, jv);
    v->kind = kind;
    v->node = node;
    v->in = in;
    return v;
}

static const struct facet {
    const char *type;
    jv_kind kind;
    const char *keywords[12]; /* that say the class without a `type` */
} facets[] = {
    {"array",
     JV_ARRAY,
     {"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "prefixItems",
      "unevaluatedItems"}},
    {"object",
     JV_OBJECT,
     {"properties", "required", "minProperties", "maxProperties", "dependencies", "patternProperties",
      "additionalProperties", "propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties"}},
    {"number", JV_NUMBER, {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
    {"integer", JV_NUMBER, {NULL}},
    {"string", JV_STRING, {"minLength", "maxLength", "pattern", "format"}},
    {"boolean", JV_BOOLEAN, {NULL}},
    {"null", JV_NULL, {NULL}},
};

static jv *typed_view(jv_comparison *x, const fl_json *type, const fl_json *node, const jv_document *in, unsigned *seen)
{
    for (size_t i = 0; i < sizeof facets / sizeof *facets; i++)
        if (type->kind == FL_JSTRING && !strcmp(type->str, facets[i].type)) {
            jv *v = new_view(x, facets[i].kind, node, in);
            v->integer = !strcmp(type->str, "integer");
            *seen |= 1u << facets[i].kind;
            return v;
        }
    return new_view(x, JV_ANY, node, in);
}

/* Classes that keywords say which no stated type has used. */
static void add_sniffed(jv_comparison *x, jv *all, unsigned seen)
{
    for (size_t i = 0; i < sizeof facets / sizeof *facets; i++)
        for (const char *const *k = facets[i].keywords; *k && !(seen & 1u << facets[i].kind); k++)
            if (fl_json_get(all->node, *k)) {
                FL_PUSH(x->c->arena, &all->sub, new_view(x, facets[i].kind, all->node, all->in));
                seen |= 1u << facets[i].kind;
            }
}

static void add_typed(jv_comparison *x, jv *all, unsigned *seen)
{
    const fl_json *type = fl_json_get(all->node, "type");
    if (!type)
        return;
    if (type->kind != FL_JARRAY) {
        FL_PUSH(x->c->arena, &all->sub, typed_view(x, type, all->node, all->in, seen));
        return;
    }
    jv *any = new_view(x, JV_COMBINED, all->node, all->in);
    any->criterion = JV_ANY_OF;
    for (const fl_json *i = type->child; i; i = i->next)
        FL_PUSH(x->c->arena, &any->sub, typed_view(x, i, all->node, all->in, seen));
    FL_PUSH(x->c->arena, &all->sub, any);
}

static void add_combinations(jv_comparison *x, jv *all)
{
    static const char *const keywords[] = {[JV_ALL] = "allOf", [JV_ANY_OF] = "anyOf", [JV_ONE] = "oneOf"};
    for (size_t k = 0; k < 3; k++) {
        const fl_json *list = fl_json_get(all->node, keywords[k]);
        if (!list || list->kind != FL_JARRAY)
            continue;
        jv *v = new_view(x, JV_COMBINED, list, all->in);
        v->criterion = (jv_criterion)k;
        for (const fl_json *i = list->child; i; i = i->next)
            FL_PUSH(x->c->arena, &v->sub, jv_of(x, all, i));
        FL_PUSH(x->c->arena, &all->sub, v);
    }
}

static void add_simple(jv_comparison *x, jv *all)
{
    static const struct {
        const char *keyword;
        jv_kind kind;
    } simple[] = {{"enum", JV_ENUM}, {"not", JV_NOT}, {"const", JV_CONST}};
    for (size_t i = 0; i < 3; i++)
        if (fl_json_get(all->node, simple[i].keyword))
            FL_PUSH(x->c->arena, &all->sub, new_view(x, simple[i].kind, all->node, all->in));
    if (fl_json_get(all->node, "if") || fl_json_get(all->node, "then") || fl_json_get(all->node, "else"))
        FL_PUSH(x->c->arena, &all->sub, new_view(x, JV_IF, all->node, all->in));
}

/* Fills a view that is already known under its node, so that what refers to it from inside finds it. */
static void fill(jv_comparison *x, jv *v)
{
    v->kind = JV_COMBINED;
    v->criterion = JV_ALL;
    unsigned seen = 0;
    add_simple(x, v);
    add_combinations(x, v);
    add_typed(x, v, &seen);
    add_sniffed(x, v, seen);
    if (!v->sub.n)
        v->kind = JV_ANY;
}

/* A view of one class alone is that class: what the combination would add is nothing. */
static jv *unwrap(jv *v)
{
    return v->kind == JV_COMBINED && v->criterion == JV_ALL && v->node->kind == FL_JOBJECT && v->sub.n == 1
               ? (jv *)v->sub.v[0]
               : v;
}

static jv *referring(jv_comparison *x, jv *v, const char *ref)
{
    const jv_document *in = v->in;
    const fl_json *target = follow(x, &in, ref);
    if (!target) { /* sch_json_parse refuses such a schema */
        sch_compare_undecided(x->c);
        return v;
    }
    jv near = {.in = in};
    jv *seen = jv_of(x, &near, target);
    if (seen->kind == JV_ANY && sch_pair_at(&x->views, x->c->arena, target, NULL)->state == SCH_PAIR_OPEN)
        sch_compare_undecided(x->c); /* references in a circle, which no parse accepts */
    return seen;
}

static jv *view_object(jv_comparison *x, jv *v)
{
    const char *ref = fl_json_str(v->node, "$ref");
    if (ref && !v->in->modern)
        return referring(x, v, ref); /* what stands beside it does not count */
    if (ref)
        FL_PUSH(x->c->arena, &v->sub, referring(x, v, ref));
    fill(x, v);
    return unwrap(v);
}

jv *jv_of(jv_comparison *x, const jv *near, const fl_json *node)
{
    if (!node)
        return NULL;
    sch_pair *known = sch_pair_at(&x->views, x->c->arena, node, NULL);
    if (known->state != SCH_PAIR_NEW)
        return known->value;
    jv *v = new_view(x, node->kind == FL_JFALSE ? JV_FALSE : JV_ANY, node, near->in);
    known->state = SCH_PAIR_OPEN;
    known->value = v;
    if (node->kind != FL_JOBJECT) {
        known->state = SCH_PAIR_FITS;
        return v;
    }
    if (!sch_compare_step(x->c))
        return v;
    if (x->depth == SCH_COMPAT_DEPTH) {
        sch_compare_undecided(x->c);
        return v;
    }
    x->depth++;
    jv *seen = view_object(x, v);
    x->depth--;
    known = sch_pair_at(&x->views, x->c->arena, node, NULL);
    known->value = seen;
    known->state = SCH_PAIR_FITS;
    return seen;
}

jv *jv_root(jv_comparison *x, jv_side *s, const sch_schema *schema)
{
    s->schema = schema;
    jv near = {.in = add_document(x, s, NULL, schema->json)};
    return jv_of(x, &near, schema->json);
}

const char *jv_kind_name(const jv *v)
{
    static const char *const names[] = {"anything", "nothing",   "null",         "a boolean", "a string",
                                        "a number", "an object", "an array",     "an enum",   "a constant",
                                        "a `not`",  "an `if`",   "a combination"};
    return v->kind == JV_NUMBER && v->integer ? "an integer" : names[v->kind];
}

/* ---- values ---- */

static uint64_t mix(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)p)[i]) * 0x100000001b3u;
    return h;
}

uint64_t jv_hash(jv_comparison *x, const fl_json *n)
{
    uint64_t h = 0xcbf29ce484222325u ^ n->kind;
    if (!sch_compare_step(x->c))
        return h;
    if (n->kind == FL_JSTRING || n->kind == FL_JNUMBER)
        return mix(h, n->str, n->len);
    for (const fl_json *i = n->kind >= FL_JARRAY ? n->child : NULL; i; i = i->next) {
        uint64_t inner = jv_hash(x, i);
        if (n->kind == FL_JARRAY)
            h = mix(h, &inner, sizeof inner);
        else /* in any order */
            h += mix(inner, i->key, strlen(i->key));
    }
    return h;
}

bool jv_equal(jv_comparison *x, const fl_json *a, const fl_json *b)
{
    if (a->kind != b->kind || !sch_compare_step(x->c))
        return false;
    if (a->kind == FL_JSTRING || a->kind == FL_JNUMBER)
        return a->len == b->len && !memcmp(a->str, b->str, a->len);
    if (a->kind < FL_JARRAY)
        return true;
    if (a->count != b->count)
        return false;
    for (const fl_json *i = a->child, *j = b->child; i; i = i->next, j = j->next) {
        const fl_json *other = j;
        if (i->key && strcmp(i->key, j->key)) { /* in another order */
            if (!sch_compare_spend(x->c, b->count))
                return false;
            other = fl_json_get(b, i->key);
        }
        if (!other || !jv_equal(x, i, other))
            return false;
    }
    return true;
}
