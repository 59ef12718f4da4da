/* json_value.c: values of a JSON Schema as text, what stands at a path in one, and whether two are equal. */
#include "schema/json_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/path.h"

static bool fail(sch_value_error *err, uint32_t offset, const char *message)
{
    if (err) {
        *err = (sch_value_error){.offset = offset};
        snprintf(err->message, sizeof err->message, "%s", message);
    }
    return false;
}

/* ---- to and from JSON ---- */

bool sch_json_value_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                              sch_value_error *err)
{
    size_t before = out->len;
    fl_jw w;
    fl_jw_init(&w, out, false);
    fl_jw_node(&w, value);
    if (!out->full)
        return true;
    out->len = before;
    return fail(err, value->from, "the value is larger than what is allowed");
}

bool sch_json_value_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt,
                            fl_buf *out, sch_value_error *err)
{
    if (!fl_buf_reserve(out, len))
        return fail(err, 0, "the value is larger than what is allowed");
    char *to = out->p + out->len;
    for (size_t i = 0; i < len; i++) /* strings hold no line break that is not escaped */
        to[i] = body[i] == '\n' || body[i] == '\r' ? ' ' : (char)body[i];
    to[len] = '\0';
    out->len += len;
    return true;
}

/* ---- what stands at a path ---- */

typedef struct finder {
    fl_arena *a;
    parsed_path path;
    const char *text;
    FL_VEC(sch_at) found;
    sch_value_error *err;
} finder;

typedef struct place {
    path_states at;
    const sch_field *field;
    const sch_type **types; /* that may stand there, unions opened; none: no schema says */
    size_t n;
} place;

static const sch_type anything = {.kind = SCH_ANY};

static bool is_rest(const sch_field *f)
{
    return f->unwalked && !strcmp(f->unwalked, "additionalProperties") && !strcmp(f->name, "*");
}

static void add_types(finder *f, place *p, const sch_type *t)
{
    size_t more = t->kind == SCH_UNION ? t->nbranches : 1;
    const sch_type **all = FL_NEW_N(f->a, const sch_type *, p->n + more);
    if (p->n)
        memcpy(all, p->types, p->n * sizeof *all);
    for (size_t i = 0; i < more; i++)
        all[p->n++] = t->kind == SCH_UNION ? t->branches[i] : t;
    p->types = all;
}

static bool kind_fits(sch_kind kind, fl_jkind is)
{
    static const uint32_t fits[] = {
        [FL_JNULL] = 1u << SCH_NULL,
        [FL_JFALSE] = 1u << SCH_BOOLEAN,
        [FL_JTRUE] = 1u << SCH_BOOLEAN,
        [FL_JNUMBER] = 1u << SCH_LONG | 1u << SCH_DOUBLE,
        [FL_JARRAY] = 1u << SCH_ARRAY,
        [FL_JSTRING] = 1u << SCH_STRING | 1u << SCH_ENUM,
        [FL_JOBJECT] = 1u << SCH_RECORD | 1u << SCH_MAP,
    };
    return kind == SCH_ANY || fits[is] >> kind & 1;
}

static const sch_type *type_of(const place *p, const fl_json *v)
{
    for (size_t i = 0; i < p->n; i++)
        if (kind_fits(p->types[i]->kind, v->kind))
            return p->types[i];
    return &anything;
}

static bool add(finder *f, const fl_json *v, const place *p)
{
    bool text = v->kind == FL_JSTRING;
    sch_at at = {.kind = v->kind == FL_JNULL ? SCH_AT_NULL
                         : text              ? SCH_AT_STRING
                                             : SCH_AT_OTHER,
                 .offset = v->from + text,
                 .len = v->kind == FL_JNULL ? 0 : v->to - v->from - 2 * text,
                 .whole = v->from,
                 .whole_len = v->to - v->from,
                 .type = type_of(p, v),
                 .field = p->field};
    if (f->found.n == SCH_MAX_HITS)
        return fail(f->err, v->from, "the path reaches too many places of the record");
    if (text && (at.len != v->len || memcmp(f->text + at.offset, v->str, v->len) != 0)) {
        at.decoded = v->str;
        at.decoded_len = v->len;
    }
    FL_PUSH(f->a, &f->found, at);
    return true;
}

static const sch_field *field_named(const sch_type *t, const char *name, bool rest)
{
    for (size_t i = 0; i < t->nfields; i++)
        if (rest ? is_rest(&t->fields[i]) : !is_rest(&t->fields[i]) && !strcmp(t->fields[i].name, name))
            return &t->fields[i];
    return NULL;
}

/* A member by each schema that may describe it. */
static place member(finder *f, const place *p, const char *name)
{
    place m = {.field = p->field};
    for (size_t i = 0; i < p->n; i++) {
        const sch_type *t = p->types[i];
        const sch_field *field = t->kind == SCH_RECORD ? field_named(t, name, false) : NULL;
        if (t->kind == SCH_RECORD && !field)
            field = field_named(t, name, true);
        if (field) {
            m.at |= sch_path_field(&f->path, p->at, field->name);
            m.field = field;
            add_types(f, &m, field->type);
        } else if (t->kind == SCH_MAP) {
            m.at |= sch_path_values(&f->path, p->at);
            add_types(f, &m, t->item);
        }
    }
    if (!m.n)
        m.at = sch_path_field(&f->path, p->at, name);
    return m;
}

static place element(finder *f, const place *p)
{
    place e = {.at = sch_path_items(&f->path, p->at), .field = p->field};
    for (size_t i = 0; i < p->n; i++)
        if (p->types[i]->kind == SCH_ARRAY)
            add_types(f, &e, p->types[i]->item);
    return e;
}

/* The depth is that of the text, which is bounded. */
static bool visit(finder *f, const fl_json *v, place p)
{
    bool container = v->kind == FL_JOBJECT || v->kind == FL_JARRAY;
    if (sch_path_ends(&f->path, p.at) && !(container && f->path.leaves_only) && !add(f, v, &p))
        return false;
    for (const fl_json *c = v->child; c; c = c->next) {
        place below = v->kind == FL_JOBJECT ? member(f, &p, c->key) : element(f, &p);
        if (below.at && !visit(f, c, below))
            return false;
    }
    return true;
}

bool sch_json_value_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                            sch_ats *out, sch_value_error *err)
{
    finder f = {.a = a, .text = (const char *)body, .err = err};
    char message[160];
    fl_json_error e;
    *out = (sch_ats){0};
    if (!sch_path_parse(a, path, &f.path, message))
        return fail(err, 0, message);
    const fl_json *root = fl_json_parse(a, (const char *)body, len, FL_JSON_ALLOW_NUL, &e);
    if (!root)
        return fail(err, e.offset, e.message);
    place p = {.at = sch_path_start(&f.path)};
    add_types(&f, &p, s->root);
    if (!visit(&f, root, p))
        return false;
    *out = (sch_ats){f.found.v, f.found.n};
    return true;
}

/* ---- equal ---- */

static bool equal(const fl_json *x, const fl_json *y);

static const fl_json *find(const fl_json *object, const char *key)
{
    const fl_json *c = object->child;
    while (c && strcmp(c->key, key) != 0)
        c = c->next;
    return c;
}

static bool equal_members(const fl_json *x, const fl_json *y)
{
    for (const fl_json *c = x->child; c; c = c->next) {
        const fl_json *other = find(y, c->key);
        if (!other || !equal(c, other))
            return false;
    }
    return x->count == y->count;
}

static bool equal_elements(const fl_json *x, const fl_json *y)
{
    const fl_json *d = y->child;
    for (const fl_json *c = x->child; c; c = c->next, d = d->next)
        if (!d || !equal(c, d))
            return false;
    return !d;
}

/* As values: 1.0 is 1. */
static bool equal(const fl_json *x, const fl_json *y)
{
    if (x->kind != y->kind)
        return false;
    switch (x->kind) {
    case FL_JNUMBER:
        return !strcmp(x->str, y->str) || strtod(x->str, NULL) == strtod(y->str, NULL);
    case FL_JSTRING:
        return x->len == y->len && !memcmp(x->str, y->str, x->len);
    case FL_JARRAY:
        return equal_elements(x, y);
    case FL_JOBJECT:
        return equal_members(x, y);
    default:
        return true;
    }
}

bool sch_json_value_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want)
{
    fl_json_error e;
    fl_arena *a = fl_arena_new();
    const fl_json *is = fl_json_parse(a, (const char *)body + at->whole, at->whole_len, FL_JSON_ALLOW_NUL, &e);
    bool yes = is && equal(is, want);
    fl_arena_free(a);
    return yes;
}
