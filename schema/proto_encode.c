/* proto_encode.c: a JSON value as a Protobuf message. */
#include "schema/proto_value.h"
#include "schema/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct encoder {
    fl_arena *a; /* of this call */
    fl_buf *out;
    fl_map *orders;        /* full name of a message -> its fields in the order of numbers */
    const fl_json **slots; /* members of the messages that are open, by field */
    size_t nslots, capslots;
    sch_value_error *err;
    proto_way way;
} encoder;

static bool message(encoder *e, const proto_message *m, const fl_json *v);

/* ---- failing ---- */

bool sch_proto_fail(sch_value_error *err, const proto_way *way, uint64_t offset, const char *fmt, ...)
{
    if (!err)
        return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    err->offset = offset > UINT32_MAX ? UINT32_MAX : (uint32_t)offset;
    char *at = err->path, *end = err->path + sizeof err->path - 8;
    *at = '\0';
    for (unsigned i = 0; i < way->n && at < end; i++) {
        int64_t index = way->v[i].index;
        at += snprintf(at, (size_t)(end - at), "%s%s", i ? "." : "", way->v[i].name);
        if (at < end && index != -1)
            at += index < 0 ? snprintf(at, (size_t)(end - at), ".*")
                            : snprintf(at, (size_t)(end - at), "[%lld]", (long long)index);
    }
    if (at >= end)
        strcpy(end - 1, "…");
    return false;
}

static bool fail(encoder *e, const fl_json *v, const char *why)
{
    return sch_proto_fail(e->err, &e->way, v->from, "%s", why);
}

static bool put(encoder *e, const fl_json *v)
{
    return !e->out->full ||
           sch_proto_fail(e->err, &e->way, v->from, "the record is larger than %zu bytes", e->out->max);
}

/* ---- names ---- */

/* Is it the field's name in lowerCamelCase? */
static bool camel(const char *name, const char *given)
{
    bool upper = false;
    for (; *name; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        char c = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
        if (*given++ != c)
            return false;
        upper = false;
    }
    return !*given;
}

static size_t field_named(const proto_message *m, const char *name, size_t hint)
{
    for (size_t k = 0; k < m->nfields; k++) { /* records are mostly written in the order of the schema */
        size_t i = (hint + k) % m->nfields;
        if (strcmp(m->fields[i].name, name) == 0 || camel(m->fields[i].name, name))
            return i;
    }
    return m->nfields;
}

static bool unknown_member(encoder *e, const proto_message *m, const fl_json *v)
{
    char why[sizeof e->err->message];
    const char **names = fl_xcalloc(m->nfields + 1, sizeof *names);
    for (size_t i = 0; i < m->nfields; i++)
        names[i] = m->fields[i].name;
    sch_unknown_name(why, sizeof why, m->full, v->key, v->key_from, names, m->nfields);
    free(names);
    return sch_proto_fail(e->err, &e->way, v->key_from, "%s", why);
}

static const fl_json *of_oneof(const proto_message *m, const fl_json **by, int32_t oneof)
{
    for (size_t i = 0; oneof >= 0 && i < m->nfields; i++)
        if (m->fields[i].oneof == oneof && by[i])
            return by[i];
    return NULL;
}

/* Members by field, NULL where there is none. */
static bool members(encoder *e, const proto_message *m, const fl_json *v, const fl_json **by)
{
    size_t hint = 0;
    for (const fl_json *c = v->child; c; c = c->next) {
        size_t i = m->nfields ? field_named(m, c->key, hint) : 0;
        if (i == m->nfields)
            return unknown_member(e, m, c);
        hint = i + 1;
        if (by[i])
            return fail(e, c, "the field stands here twice");
        if (c->kind == FL_JNULL)
            continue;
        if (of_oneof(m, by, m->fields[i].oneof))
            return fail(e, c, "two members of one oneof stand here");
        by[i] = c;
    }
    return true;
}

/* Room for the members of one more message; they are given back in reverse. */
static size_t open_slots(encoder *e, size_t n)
{
    size_t from = e->nslots;
    if (from + n > e->capslots) {
        e->capslots = 2 * (from + n) + 64;
        e->slots = fl_xrealloc(e->slots, e->capslots * sizeof *e->slots);
    }
    for (size_t i = 0; i < n; i++)
        e->slots[from + i] = NULL;
    e->nslots += n;
    return from;
}

/* ---- lengths ---- */

/* Puts the length of what was added since `from` before it. */
static bool close_length(encoder *e, const fl_json *v, size_t from)
{
    size_t n = e->out->len - from, before = e->out->len;
    sch_proto_put_varint(e->out, n); /* room, and its size */
    if (!put(e, v))
        return false;
    size_t head = e->out->len - before;
    char length[10];
    memcpy(length, e->out->p + before, head);
    memmove(e->out->p + from + head, e->out->p + from, n);
    memcpy(e->out->p + from, length, head);
    return true;
}

static void put_tag(encoder *e, const proto_field *f, proto_kind kind)
{
    sch_proto_put_varint(e->out, (uint64_t)f->number << 3 | kind);
}

/* ---- values ---- */

static bool time_value(encoder *e, proto_special kind, const fl_json *v)
{
    int64_t seconds;
    int32_t nanos;
    if (v->kind != FL_JSTRING || strlen(v->str) != v->len || !sch_proto_read_time(kind, v->str, &seconds, &nanos))
        return fail(e, v,
                    kind == PROTO_TIMESTAMP ? "a time stands here, as \"2026-01-31T12:00:00Z\""
                                            : "a duration stands here, as \"1.5s\"");
    if (seconds) {
        sch_proto_put_varint(e->out, 1 << 3);
        sch_proto_put_varint(e->out, (uint64_t)seconds);
    }
    if (nanos) {
        sch_proto_put_varint(e->out, 2 << 3);
        sch_proto_put_varint(e->out, (uint64_t)(int64_t)nanos);
    }
    return true;
}

static bool is_zero(const char *p, size_t n)
{
    while (n > 0 && !p[n - 1])
        n--;
    return n == 0;
}

/* A scalar behind its tag; what is a default and need not be there is not. */
static bool scalar(encoder *e, const proto_field *f, const fl_json *v, bool implicit)
{
    size_t before = e->out->len;
    put_tag(e, f, sch_proto_kind(f->type));
    size_t at = e->out->len;
    const char *why = sch_proto_put_scalar(f, v, e->out);
    if (why)
        return fail(e, v, why);
    if (!put(e, v))
        return false;
    if (implicit && is_zero(e->out->p + at, e->out->len - at))
        e->out->len = before;
    return true;
}

/* What stands in a message's place: the form of its own that a well-known type has, or an object. */
static bool content(encoder *e, const proto_message *m, const fl_json *v)
{
    proto_special kind = sch_proto_special(m);
    if (v->kind == FL_JOBJECT || kind == PROTO_PLAIN)
        return message(e, m, v);
    if (kind == PROTO_WRAPPER)
        return m->nfields == 1 && scalar(e, &m->fields[0], v, true);
    return time_value(e, kind, v);
}

static bool nested(encoder *e, const proto_field *f, const fl_json *v)
{
    bool group = f->type == PROTO_GROUP_TYPE;
    put_tag(e, f, group ? PROTO_GROUP : PROTO_BYTES);
    size_t from = e->out->len;
    if (!content(e, f->message, v))
        return false;
    if (!group)
        return close_length(e, v, from);
    sch_proto_put_varint(e->out, (uint64_t)f->number << 3 | 4);
    return put(e, v);
}

static bool one(encoder *e, const proto_field *f, const fl_json *v, bool implicit)
{
    return f->message ? nested(e, f, v) : scalar(e, f, v, implicit);
}

/* Numbers in one run of bytes, as proto3 writes them. */
static bool packed(encoder *e, const proto_field *f, const fl_json *v)
{
    put_tag(e, f, PROTO_BYTES);
    size_t from = e->out->len;
    for (const fl_json *c = v->child; c; c = c->next) {
        e->way.v[e->way.n - 1].index++;
        const char *why = sch_proto_put_scalar(f, c, e->out);
        if (why)
            return fail(e, c, why);
    }
    return put(e, v) && close_length(e, v, from);
}

static bool elements(encoder *e, const proto_message *m, const proto_field *f, const fl_json *v)
{
    if (v->kind != FL_JARRAY)
        return fail(e, v, "a list stands here");
    if (!v->child)
        return true;
    e->way.v[e->way.n - 1].index = -1;
    if (m->file->proto3 && sch_proto_kind(f->type) != PROTO_BYTES && !f->message)
        return packed(e, f, v);
    for (const fl_json *c = v->child; c; c = c->next) {
        e->way.v[e->way.n - 1].index++;
        if (!one(e, f, c, false))
            return false;
    }
    return true;
}

/* A map's key, which JSON has as text, whatever its type. */
static bool map_key(encoder *e, const proto_field *key, const fl_json *entry)
{
    fl_json text = {
        .kind = FL_JSTRING, .from = entry->key_from, .str = entry->key, .len = (uint32_t)strlen(entry->key)};
    if (key->type == PROTO_BOOL) {
        bool yes = strcmp(entry->key, "true") == 0;
        if (!yes && strcmp(entry->key, "false") != 0)
            return fail(e, &text, "the key is true or false");
        text.kind = yes ? FL_JTRUE : FL_JFALSE;
    }
    return scalar(e, key, &text, false);
}

static bool entries(encoder *e, const proto_field *f, const fl_json *v)
{
    const proto_message *m = f->message;
    if (v->kind != FL_JOBJECT)
        return fail(e, v, "an object stands here, for a map");
    if (m->nfields != 2)
        return fail(e, v, "the map has no key and value");
    bool first = m->fields[0].number == 1;
    e->way.v[e->way.n - 1].index = -2;
    for (const fl_json *c = v->child; c; c = c->next) {
        put_tag(e, f, PROTO_BYTES);
        size_t from = e->out->len;
        if (!map_key(e, &m->fields[!first], c) || !one(e, &m->fields[first], c, false) || !close_length(e, c, from))
            return false;
    }
    return true;
}

static bool field(encoder *e, const proto_message *m, const proto_field *f, const fl_json *v)
{
    if (e->way.n == SCH_VALUE_MAX_DEPTH)
        return fail(e, v, "messages are nested too deeply");
    e->way.v[e->way.n].name = f->name;
    e->way.v[e->way.n++].index = -1;
    bool ok = f->message && f->message->map_entry ? entries(e, f, v)
              : f->label == PROTO_REPEATED        ? elements(e, m, f, v)
                                                  : one(e, f, v, sch_proto_implicit(m, f));
    e->way.n -= ok; /* a message tells the way */
    return ok;
}

static int by_number(const void *a, const void *b)
{
    const proto_field *const *x = a, *const *y = b;
    return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* In the order of numbers, as clients write them. */
static const proto_field **in_order(encoder *e, const proto_message *m)
{
    const proto_field **v = fl_map_get(e->orders, m->full);
    if (v)
        return v;
    v = FL_NEW_N(e->a, const proto_field *, m->nfields + 1);
    for (size_t i = 0; i < m->nfields; i++)
        v[i] = &m->fields[i];
    qsort(v, m->nfields, sizeof *v, by_number);
    fl_map_put(e->orders, m->full, v);
    return v;
}

static bool message(encoder *e, const proto_message *m, const fl_json *v)
{
    if (v->kind != FL_JOBJECT)
        return fail(e, v, "an object stands here");
    size_t from = open_slots(e, m->nfields);
    if (!members(e, m, v, e->slots + from))
        return false;
    const proto_field **order = in_order(e, m);
    for (size_t i = 0; i < m->nfields; i++) {
        const fl_json *c = e->slots[from + (size_t)(order[i] - m->fields)];
        if (!c && order[i]->label == PROTO_REQUIRED)
            return sch_proto_fail(e->err, &e->way, v->from, "the required field %.100s is missing", order[i]->name);
        if (c && !field(e, m, order[i], c))
            return false;
    }
    e->nslots = from;
    return true;
}

bool sch_proto_put_message(const proto_message *m, const fl_json *value, fl_buf *out, sch_value_error *err)
{
    size_t before = out->len;
    encoder e = {.a = fl_arena_new(), .orders = fl_map_new(), .out = out, .err = err};
    bool ok = content(&e, m, value) && put(&e, value);
    if (!ok) {
        out->len = before;
        out->full = false;
    }
    free(e.slots);
    fl_map_free(e.orders);
    fl_arena_free(e.a);
    return ok;
}

bool sch_proto_from_json(const sch_schema *s, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                         sch_value_error *err)
{
    (void)mode; /* base64, as the mapping says */
    return sch_proto_put_message(s->proto->root, value, out, err);
}
