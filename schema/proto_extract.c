/* proto_extract.c: what stands at a path in an encoded Protobuf message, and is it this JSON? */
#include "schema/proto_value.h"

#include <string.h>

#include "schema/path.h"

#define NO_PLACE SIZE_MAX

typedef struct finder {
    fl_arena *a;
    const uint8_t *body;
    parsed_path path;
    FL_VEC(sch_at) found;
    sch_value_error *err;
    proto_way way;
} finder;

typedef struct place { /* a value at hand, behind its tag */
    const uint8_t *p;  /* content */
    size_t n;
    const uint8_t *whole; /* with its length */
    bool length;          /* it lies behind one */
} place;

static bool fail(finder *f, const uint8_t *at, const char *why)
{
    return sch_proto_fail(f->err, &f->way, (uint64_t)(at - f->body), "%s", why);
}

static bool add(finder *f, sch_at at, const uint8_t *where)
{
    if (f->found.n == SCH_MAX_HITS)
        return fail(f, where, "the path reaches more places of the record than are allowed");
    FL_PUSH(f->a, &f->found, at);
    return true;
}

static sch_at at_of(const finder *f, const place *v, const sch_type *t, const sch_field *field)
{
    sch_at at = {.offset = (size_t)(v->p - f->body),
                 .len = v->n,
                 .whole = (size_t)(v->whole - f->body),
                 .whole_len = (size_t)(v->p + v->n - v->whole),
                 .type = t,
                 .field = field};
    at.kind = t->kind == SCH_STRING ? SCH_AT_STRING : t->kind == SCH_BYTES ? SCH_AT_BYTES : SCH_AT_OTHER;
    return at;
}

static bool message(finder *f, const sch_type *t, const proto_message *m, const place *v, path_states at);

/* pf: the field, or the value of a map's entry. */
static bool value(finder *f, const sch_type *t, const sch_field *field, const proto_field *pf, const place *v,
                  path_states at)
{
    bool container = sch_is_container(t);
    if (sch_path_ends(&f->path, at) && !(container && f->path.leaves_only) && !add(f, at_of(f, v, t, field), v->p))
        return false;
    return t->kind != SCH_RECORD || message(f, t, pf->message, v, at);
}

/* ---- fields as they lie on the wire ---- */

/* The next field and where its value lies. 1, 0 at the end, -1. */
static int next(proto_wire *w, proto_item *item, place *v)
{
    const uint8_t *from = w->p;
    int more = proto_next(w, item);
    uint64_t ignored;
    if (more <= 0)
        return more;
    proto_wire tag = {from, w->p};
    if (!proto_varint(&tag, &ignored))
        return -1;
    *v = (place){.p = tag.p, .n = (size_t)(w->p - tag.p), .whole = tag.p};
    if (item->kind == PROTO_BYTES || item->kind == PROTO_GROUP) {
        v->p = item->p;
        v->n = item->n;
        v->length = item->kind == PROTO_BYTES;
    }
    return 1;
}

static size_t number_len(const proto_field *pf, const uint8_t *p, size_t left)
{
    proto_wire w = {p, p + left};
    uint64_t ignored;
    switch (sch_proto_kind(pf->type)) {
    case PROTO_FIXED64:
        return left < 8 ? 0 : 8;
    case PROTO_FIXED32:
        return left < 4 ? 0 : 4;
    default:
        return proto_varint(&w, &ignored) ? (size_t)(w.p - p) : 0;
    }
}

/* ---- the model behind the tree ---- */

static const proto_message *in_list(const proto_message *v, size_t n, const char *full)
{
    const proto_message *m = NULL;
    for (size_t i = 0; i < n && !m; i++) {
        size_t len = strlen(v[i].full);
        if (strcmp(v[i].full, full) == 0)
            m = &v[i];
        else if (strncmp(v[i].full, full, len) == 0 && full[len] == '.')
            m = in_list(v[i].messages, v[i].nmessages, full);
    }
    return m;
}

static const proto_field *numbered(const proto_message *m, uint32_t number)
{
    for (size_t i = 0; m && i < m->nfields; i++)
        if ((uint32_t)m->fields[i].number == number)
            return &m->fields[i];
    return NULL;
}

static const proto_message *message_of(const sch_schema *s, const char *full)
{
    const proto_message *m = in_list(s->proto->file->messages, s->proto->file->nmessages, full);
    for (size_t i = 0; i < s->proto->nrefs && !m; i++)
        if (s->proto->refs[i])
            m = in_list(s->proto->refs[i]->messages, s->proto->refs[i]->nmessages, full);
    return m;
}

/* ---- walking ---- */

static const sch_field *field_of(const sch_type *t, uint32_t number)
{
    for (size_t i = 0; i < t->nfields; i++)
        if ((uint32_t)t->fields[i].number == number)
            return &t->fields[i];
    return NULL;
}

static bool entry(finder *f, const sch_field *field, const proto_field *pf, const place *v, path_states at)
{
    proto_wire w = {v->p, v->p + v->n};
    const proto_field *of = numbered(pf->message, 2);
    proto_item item;
    place inner, last = {0};
    int more;
    while ((more = next(&w, &item, &inner)) > 0)
        if (item.number == 2)
            last = inner;
    if (more < 0)
        return fail(f, v->p, "the bytes are no entry of a map");
    return !last.p || !of || value(f, field->type->item, field, of, &last, sch_path_values(&f->path, at));
}

/* Numbers in one run: each is a place. Their kind is told by the size of what the tree says. */
static bool packed(finder *f, const sch_field *field, const proto_field *pf, const place *v, path_states at)
{
    for (size_t i = 0; i < v->n;) {
        size_t n = number_len(pf, v->p + i, v->n - i);
        place one = {.p = v->p + i, .n = n, .whole = v->p + i};
        if (!n)
            return fail(f, v->p + i, "the record ends inside a number");
        if (!value(f, field->type->item, field, pf, &one, at))
            return false;
        i += n;
    }
    return true;
}

/* The place that a repeated field or a map is as a whole: from its first element to its last. from: the first that was
 * found in this message. */
static bool whole(finder *f, const sch_field *field, const place *v, size_t from)
{
    for (size_t i = from; i < f->found.n; i++) {
        sch_at *at = &f->found.v[i];
        if (at->field != field || at->type != field->type)
            continue;
        at->len = at->whole_len = (size_t)(v->p + v->n - f->body) - at->whole;
        return true;
    }
    sch_at at = at_of(f, v, field->type, field);
    at.offset = at.whole;
    at.len = at.whole_len;
    return add(f, at, v->p);
}

static bool field_value(finder *f, const sch_field *field, const proto_field *pf, const place *v, path_states at,
                        size_t from)
{
    const sch_type *t = field->type;
    at = sch_path_field(&f->path, at, field->name);
    if (t->kind != SCH_ARRAY && t->kind != SCH_MAP)
        return value(f, t, field, pf, v, at);
    if (sch_path_ends(&f->path, at) && !f->path.leaves_only && !whole(f, field, v, from))
        return false;
    if (t->kind == SCH_MAP)
        return entry(f, field, pf, v, at);
    at = sch_path_items(&f->path, at);
    return v->length && sch_proto_kind(pf->type) != PROTO_BYTES ? packed(f, field, pf, v, at)
                                                                : value(f, t->item, field, pf, v, at);
}

static bool fields(finder *f, const sch_type *t, const proto_message *m, const place *v, path_states at)
{
    proto_wire w = {v->p, v->p + v->n};
    proto_item item;
    place inner;
    int more;
    size_t from = f->found.n;
    while ((more = next(&w, &item, &inner)) > 0) {
        const sch_field *field = field_of(t, item.number);
        const proto_field *pf = numbered(m, item.number);
        if (!field || !pf)
            return fail(f, inner.p, "a field has a number that its message does not have");
        f->way.v[f->way.n - 1].name = field->name;
        if (!field_value(f, field, pf, &inner, at, from))
            return false;
    }
    return more == 0 || fail(f, v->p, "the bytes are no message");
}

static bool message(finder *f, const sch_type *t, const proto_message *m, const place *v, path_states at)
{
    if (f->way.n == SCH_VALUE_MAX_DEPTH)
        return fail(f, v->p, "messages are nested too deeply");
    f->way.v[f->way.n].name = "";
    f->way.v[f->way.n++].index = -1;
    if (!fields(f, t, m, v, at))
        return false;
    f->way.n--;
    return true;
}

bool sch_proto_extract(const sch_schema *s, const uint8_t *body, size_t len, const char *path, fl_arena *a,
                       sch_ats *out, sch_value_error *err)
{
    finder f = {.a = a, .body = body, .err = err};
    char why[160];
    *out = (sch_ats){0};
    if (!sch_path_parse(a, path, &f.path, why))
        return sch_proto_fail(err, &f.way, 0, "not a path: %s", why);
    place all = {.p = body, .n = len, .whole = body};
    if (!message(&f, s->root, s->proto->root, &all, sch_path_start(&f.path)))
        return false;
    *out = (sch_ats){f.found.v, f.found.n};
    return true;
}

/* ---- comparing ---- */

/* What lies at the place: the field, or the value of a map's entry. */
static const proto_field *lies_at(const sch_schema *s, const sch_at *at)
{
    const proto_message *m = at->field ? message_of(s, at->field->record->name) : NULL;
    const proto_field *f = m ? numbered(m, (uint32_t)at->field->number) : NULL;
    return f && f->message && f->message->map_entry ? numbered(f->message, 2) : f;
}

/* Compared encoded. A list or a map as a whole equals nothing: name its elements. */
bool sch_proto_equals(const sch_schema *s, const uint8_t *body, const sch_at *at, const fl_json *want)
{
    const proto_field *f = lies_at(s, at);
    fl_buf b;
    if (!f || at->type->kind == SCH_ARRAY || at->type->kind == SCH_MAP)
        return false;
    fl_buf_init(&b, at->whole_len + 1024);
    bool ok = f->message ? sch_proto_put_message(f->message, want, &b, NULL) : !sch_proto_put_scalar(f, want, &b);
    size_t from = f->message ? at->offset : at->whole, n = f->message ? at->len : at->whole_len;
    ok = ok && !b.full && b.len == n && (!n || memcmp(b.p, body + from, n) == 0);
    fl_buf_free(&b);
    return ok;
}
