/* avro_resolve.c: from the writer's schema to the reader's. The body is checked as a whole first, so that what follows
 * reads bytes that are known to be there, no deeper than SCH_VALUE_MAX_DEPTH. */
#include "schema/avro_resolve.h"

#include <stdio.h>
#include <string.h>

#include "schema/avro_value.h"

typedef struct resolver {
    const uint8_t *p;
    fl_arena *a;
    fl_buf *out;
    const char *field; /* innermost, for messages */
    sch_value_error *err;
} resolver;

static bool resolve(resolver *r, const sch_type *w, const sch_type *t);

static bool fail(resolver *r, const char *why, const char *what)
{
    if (!r->err)
        return false;
    *r->err = (sch_value_error){0};
    snprintf(r->err->path, sizeof r->err->path, "%.150s", r->field ? r->field : "");
    snprintf(r->err->message, sizeof r->err->message, "%s%.80s", why, what);
    return false;
}

static bool put(resolver *r, const void *p, size_t n)
{
    return fl_buf_add(r->out, p, n) || fail(r, "the value is larger than what is allowed", "");
}

static int64_t get_long(resolver *r)
{
    uint64_t v = 0;
    int shift = 0;
    do
        v |= (uint64_t)(*r->p & 0x7f) << shift;
    while (shift += 7, *r->p++ & 0x80);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool put_long(resolver *r, int64_t n)
{
    uint8_t b[10];
    size_t len = 0;
    uint64_t v = ((uint64_t)n << 1) ^ -((uint64_t)n >> 63);
    for (; v >= 0x80; v >>= 7)
        b[len++] = (uint8_t)(v | 0x80);
    b[len++] = (uint8_t)v;
    return put(r, b, len);
}

/* ---- skipping what the reader does not have ---- */

static void skip(resolver *r, const sch_type *w);

static void skip_items(resolver *r, const sch_type *w)
{
    for (int64_t n = get_long(r); n; n = get_long(r)) {
        if (n < 0) {
            int64_t size = get_long(r);
            r->p += size;
            continue;
        }
        for (; n; n--) {
            if (w->kind == SCH_MAP) {
                int64_t len = get_long(r);
                r->p += len;
            }
            skip(r, w->item);
        }
    }
}

static void skip(resolver *r, const sch_type *w)
{
    int64_t n;
    switch (w->kind) {
    case SCH_BOOLEAN:
        r->p++;
        break;
    case SCH_INT:
    case SCH_LONG:
    case SCH_ENUM:
        get_long(r);
        break;
    case SCH_FLOAT:
    case SCH_DOUBLE:
        r->p += w->kind == SCH_FLOAT ? 4 : 8;
        break;
    case SCH_STRING:
    case SCH_BYTES:
        n = get_long(r);
        r->p += n;
        break;
    case SCH_FIXED:
        r->p += w->size;
        break;
    case SCH_ARRAY:
    case SCH_MAP:
        skip_items(r, w);
        break;
    case SCH_UNION:
        skip(r, w->branches[get_long(r)]);
        break;
    case SCH_RECORD:
        for (size_t i = 0; i < w->nfields; i++)
            skip(r, w->fields[i].type);
        break;
    case SCH_NULL:
    case SCH_ANY:
        break;
    }
}

/* ---- which types go together ---- */

static const char *simple(const char *name)
{
    const char *dot = name ? strrchr(name, '.') : NULL;
    return dot ? dot + 1 : name ? name : "";
}

static bool is_text(sch_kind k)
{
    return k == SCH_STRING || k == SCH_BYTES;
}

/* int, long, float, double, in this order, stand behind each other in sch_kind. */
static bool promotes(sch_kind w, sch_kind t)
{
    return (w >= SCH_INT && w <= SCH_DOUBLE && t >= w && t <= SCH_DOUBLE) || (is_text(w) && is_text(t));
}

/* At the first look: what is inside shows when it is resolved. */
static bool equal(const sch_type *w, const sch_type *t)
{
    if (w->kind != t->kind)
        return false;
    if (w->kind == SCH_FIXED && w->size != t->size)
        return false;
    bool named = w->kind == SCH_RECORD || w->kind == SCH_ENUM || w->kind == SCH_FIXED;
    return !named || strcmp(simple(w->name), simple(t->name)) == 0;
}

/* The reader's branch: of the same full name, else the same type, else one it can be promoted to. */
static bool pick(const sch_type *w, const sch_type *t, size_t *out)
{
    for (int round = 0; round < 3; round++)
        for (*out = 0; *out < t->nbranches; ++*out) {
            const sch_type *b = t->branches[*out];
            bool fits = round == 2 ? promotes(w->kind, b->kind) : equal(w, b);
            if (fits && (round || !w->name || (b->name && !strcmp(w->name, b->name))))
                return true;
        }
    return false;
}

/* ---- leaves ---- */

static bool number(resolver *r, const sch_type *w, const sch_type *t)
{
    float f;
    double d;
    int64_t n = 0;
    if (w->kind == SCH_INT || w->kind == SCH_LONG) {
        n = get_long(r);
        f = (float)n;
        d = (double)n;
    } else if (w->kind == SCH_FLOAT) {
        memcpy(&f, r->p, 4); /* little-endian on the wire, as on what this is built for */
        d = f;
        r->p += 4;
    } else {
        memcpy(&d, r->p, 8);
        f = 0;
        r->p += 8;
    }
    if (t->kind == SCH_FLOAT)
        return put(r, &f, 4);
    return t->kind == SCH_DOUBLE ? put(r, &d, 8) : put_long(r, n);
}

static bool symbol(resolver *r, const sch_type *w, const sch_type *t)
{
    const char *is = w->symbols[get_long(r)];
    for (int round = 0; round < 2 && is; round++, is = t->enum_default)
        for (size_t i = 0; i < t->nsymbols; i++)
            if (strcmp(t->symbols[i], is) == 0)
                return put_long(r, (int64_t)i);
    return fail(r, "the reader's enum has neither the symbol nor a default", "");
}

static bool copied(resolver *r, const sch_type *w)
{
    const uint8_t *from = r->p;
    skip(r, w);
    return put(r, from, (size_t)(r->p - from));
}

/* ---- what holds others ---- */

static bool items(resolver *r, const sch_type *w, const sch_type *t)
{
    static const sch_type key = {.kind = SCH_STRING};
    for (int64_t n = get_long(r); n; n = get_long(r)) {
        if (n < 0) {
            get_long(r);
            n = -n;
        }
        if (!put_long(r, n))
            return false;
        for (; n; n--)
            if ((w->kind == SCH_MAP && !copied(r, &key)) || !resolve(r, w->item, t->item))
                return false;
    }
    return put_long(r, 0);
}

/* The writer's field that a reader's field reads; nfields: none. */
static size_t source(const sch_type *w, const sch_field *f)
{
    for (size_t i = 0; i < w->nfields; i++)
        if (strcmp(w->fields[i].name, f->name) == 0)
            return i;
    for (size_t k = 0; k < f->naliases; k++)
        for (size_t i = 0; i < w->nfields; i++)
            if (strcmp(w->fields[i].name, f->aliases[k]) == 0)
                return i;
    return w->nfields;
}

static bool fallback(resolver *r, const sch_field *f)
{
    r->field = f->name;
    if (!f->fallback)
        return fail(r, "the record's schema has no such field, and the latest has no default for it", "");
    return sch_json_to_avro_type(f->type, f->fallback, SCH_BYTES_TEXT, r->out, r->err);
}

/* Where the writer's fields begin, as far as that is known. Where the reader has them in the writer's order nothing is
 * looked at twice: what nests would be, at each level. */
typedef struct starts {
    const uint8_t **v;
    size_t n; /* of them are known; the last one was not passed yet */
} starts;

static void go_to(resolver *r, const sch_type *w, starts *s, size_t field)
{
    for (; s->n <= field; s->n++) {
        r->p = s->v[s->n - 1];
        skip(r, w->fields[s->n - 1].type);
        s->v[s->n] = r->p;
    }
    r->p = s->v[field];
}

static bool record(resolver *r, const sch_type *w, const sch_type *t)
{
    enum { FEW = 16 };
    const uint8_t *few[FEW + 1];
    starts s = {w->nfields > FEW ? FL_NEW_N(r->a, const uint8_t *, w->nfields + 1) : few, 1};
    s.v[0] = r->p;
    for (size_t i = 0; i < t->nfields; i++) {
        const sch_field *f = &t->fields[i];
        size_t from = source(w, f);
        if (from == w->nfields) {
            if (!fallback(r, f))
                return false;
            continue;
        }
        go_to(r, w, &s, from);
        r->field = f->name;
        if (!resolve(r, w->fields[from].type, f->type))
            return false;
        if (from + 1 == s.n)
            s.v[s.n++] = r->p;
    }
    go_to(r, w, &s, w->nfields);
    return true;
}

static bool resolve(resolver *r, const sch_type *w, const sch_type *t)
{
    size_t branch;
    if (w->kind == SCH_UNION)
        return resolve(r, w->branches[get_long(r)], t);
    if (t->kind == SCH_UNION) {
        if (!pick(w, t, &branch))
            return fail(r, "the latest schema's union has no branch for a value of type ", w->name ? w->name : "");
        return put_long(r, (int64_t)branch) && resolve(r, w, t->branches[branch]);
    }
    bool root = !r->field; /* the root's name may change, as the registry lets it where nothing refers to it */
    if (!equal(w, t) && !promotes(w->kind, t->kind) && !(root && w->kind == SCH_RECORD && t->kind == SCH_RECORD))
        return fail(r, "the latest schema has another type there", "");
    switch (w->kind) {
    case SCH_RECORD:
        return record(r, w, t);
    case SCH_ARRAY:
    case SCH_MAP:
        return items(r, w, t);
    case SCH_ENUM:
        return symbol(r, w, t);
    case SCH_INT:
    case SCH_LONG:
    case SCH_FLOAT:
    case SCH_DOUBLE:
        return number(r, w, t);
    default:
        return copied(r, w);
    }
}

bool sch_avro_resolve(const sch_schema *writer, const sch_schema *reader, const uint8_t *body, size_t n, fl_buf *out,
                      sch_value_error *err)
{
    size_t before = out->len;
    if (!sch_avro_check(writer, body, n, err))
        return false;
    resolver r = {.p = body, .a = fl_arena_new(), .out = out, .err = err};
    bool ok = resolve(&r, writer->root, reader->root);
    fl_arena_free(r.a);
    if (ok)
        return true;
    out->len = before;
    out->full = false;
    if (out->cap)
        out->p[before] = '\0';
    return false;
}
