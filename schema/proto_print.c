/* proto_print.c: an encoded Protobuf message as JSON. */
#include "schema/proto_value.h"

#include <stdlib.h>
#include <string.h>

#define MAX_ITEMS 4000000 /* fields of one record, in all */

typedef struct item { /* a field as it lies on the wire */
    size_t field;     /* of the message */
    size_t nth;
    proto_item value;
} item;

typedef struct printer {
    const uint8_t *p; /* the record */
    fl_buf *out;
    item *items; /* of the messages that are open */
    size_t nitems, capitems, met;
    sch_value_error *err;
    proto_way way;
} printer;

static bool message(printer *p, const proto_message *m, proto_wire w);

static bool fail(printer *p, const uint8_t *at, const char *why)
{
    return sch_proto_fail(p->err, &p->way, (uint64_t)(at - p->p), "%s", why);
}

static bool put(printer *p)
{
    return !p->out->full ||
           sch_proto_fail(p->err, &p->way, 0, "as JSON the record is larger than %zu bytes", p->out->max);
}

/* ---- fields by number ---- */

static size_t numbered(const proto_message *m, uint32_t number, size_t hint)
{
    for (size_t k = 0; k < m->nfields; k++) {
        size_t i = (hint + k) % m->nfields;
        if ((uint32_t)m->fields[i].number == number)
            return i;
    }
    return m->nfields;
}

static bool fits(const proto_field *f, proto_kind kind)
{
    proto_kind want = sch_proto_kind(f->type);
    return kind == want || (kind == PROTO_BYTES && f->label == PROTO_REPEATED && want != PROTO_BYTES && !f->message);
}

static int by_field(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

static bool keep(printer *p, size_t field, size_t nth, const proto_item *value)
{
    if (p->nitems == p->capitems) {
        p->capitems = 2 * p->capitems + 64;
        p->items = fl_xrealloc(p->items, p->capitems * sizeof *p->items);
    }
    p->items[p->nitems++] = (item){field, nth, *value};
    return true;
}

/* The fields of a message in the order of its declaration, each one's in the order of the bytes. */
static bool gather(printer *p, const proto_message *m, proto_wire w)
{
    size_t from = p->nitems, hint = 0;
    proto_item value;
    for (;;) {
        const uint8_t *at = w.p;
        int more = proto_next(&w, &value);
        if (more < 0)
            return fail(p, at, "the bytes are no message");
        if (!more)
            break;
        size_t i = m->nfields ? numbered(m, value.number, hint) : 0;
        if (i == m->nfields)
            return sch_proto_fail(p->err, &p->way, (uint64_t)(at - p->p), "%.100s has no field of number %u", m->full,
                                  value.number);
        if (!fits(&m->fields[i], value.kind))
            return fail(p, at, "its wire type is not that of the field's type");
        if (p->met++ == MAX_ITEMS)
            return fail(p, at, "the record has more fields than are allowed");
        hint = i + (m->fields[i].label != PROTO_REPEATED);
        keep(p, i, p->nitems - from, &value);
    }
    if (p->nitems - from > 1)
        qsort(p->items + from, p->nitems - from, sizeof *p->items, by_field);
    return true;
}

/* ---- values ---- */

static bool scalar(printer *p, const proto_field *f, const proto_item *value)
{
    const char *why = sch_proto_print_scalar(f, value, p->out);
    return why ? fail(p, value->kind == PROTO_BYTES ? value->p : p->p, why) : put(p);
}

/* Seconds and nanos of a Timestamp or a Duration. */
static bool time_value(printer *p, proto_special kind, proto_wire w)
{
    int64_t seconds = 0, nanos = 0;
    proto_item i;
    const uint8_t *at = w.p;
    int more;
    while ((more = proto_next(&w, &i)) > 0) {
        if (i.kind != PROTO_VARINT || i.number > 2)
            return fail(p, at, "the bytes are no time");
        *(i.number == 1 ? &seconds : &nanos) = (int64_t)i.value;
    }
    if (more < 0 || nanos > INT32_MAX || nanos < INT32_MIN ||
        !sch_proto_print_time(kind, seconds, (int32_t)nanos, p->out))
        return fail(p, at, "the bytes are no time that can be written");
    return put(p);
}

/* The default of a wrapper, whose field is not there. */
static bool empty(printer *p, const proto_field *f)
{
    proto_item none = {.kind = sch_proto_kind(f->type), .p = (const uint8_t *)""};
    return scalar(p, f, &none);
}

static bool wrapper(printer *p, const proto_message *m, proto_wire w)
{
    proto_item i, last = {0};
    const uint8_t *at = w.p;
    int more;
    if (m->nfields != 1)
        return fail(p, at, "the wrapper has another form");
    while ((more = proto_next(&w, &i)) > 0) {
        if (i.number != (uint32_t)m->fields[0].number || !fits(&m->fields[0], i.kind))
            return fail(p, at, "the bytes are no wrapper");
        last = i;
    }
    if (more < 0)
        return fail(p, at, "the bytes are no message");
    return last.number ? scalar(p, &m->fields[0], &last) : empty(p, &m->fields[0]);
}

static bool one(printer *p, const proto_field *f, const proto_item *value)
{
    if (!f->message)
        return scalar(p, f, value);
    proto_special kind = sch_proto_special(f->message);
    if (kind == PROTO_PLAIN)
        return message(p, f->message, proto_inside(value));
    return kind == PROTO_WRAPPER ? wrapper(p, f->message, proto_inside(value))
                                 : time_value(p, kind, proto_inside(value));
}

static bool fixed(proto_wire *w, proto_kind kind, proto_item *out)
{
    size_t n = kind == PROTO_FIXED64 ? 8 : 4;
    if ((size_t)(w->end - w->p) < n)
        return false;
    out->value = 0;
    for (size_t i = n; i-- > 0;)
        out->value = out->value << 8 | w->p[i];
    w->p += n;
    return true;
}

/* Numbers in one run of bytes. */
static bool packed(printer *p, const proto_field *f, const proto_item *run, bool *first)
{
    proto_wire w = proto_inside(run);
    proto_item i = {.number = run->number, .kind = sch_proto_kind(f->type)};
    while (w.p < w.end) {
        if (!(i.kind == PROTO_VARINT ? proto_varint(&w, &i.value) : fixed(&w, i.kind, &i)))
            return fail(p, w.p, "the record ends inside a number");
        if (!*first)
            fl_buf_addc(p->out, ',');
        *first = false;
        if (!scalar(p, f, &i))
            return false;
    }
    return true;
}

/* Items by number: those moved when the list grows, so they are taken one by one. */
static bool elements(printer *p, const proto_field *f, size_t from, size_t to)
{
    bool first = true;
    fl_buf_addc(p->out, '[');
    for (size_t i = from; i < to; i++) {
        proto_item value = p->items[i].value;
        p->way.v[p->way.n - 1].index = (int64_t)(i - from);
        if (value.kind == PROTO_BYTES && sch_proto_kind(f->type) != PROTO_BYTES) {
            if (!packed(p, f, &value, &first))
                return false;
            continue;
        }
        if (!first)
            fl_buf_addc(p->out, ',');
        first = false;
        if (!one(p, f, &value))
            return false;
    }
    fl_buf_addc(p->out, ']');
    return put(p);
}

/* A key as JSON has it, text whatever its type. */
static bool map_key(printer *p, const proto_field *key, const proto_item *value)
{
    size_t at = p->out->len;
    if (!(value ? scalar(p, key, value) : empty(p, key)))
        return false;
    if (p->out->p[at] == '"')
        return true;
    size_t n = p->out->len - at;
    fl_buf_adds(p->out, "\"\"");
    if (!put(p))
        return false;
    memmove(p->out->p + at + 1, p->out->p + at, n);
    p->out->p[at] = '"';
    p->out->p[at + n + 1] = '"';
    return true;
}

static bool entry(printer *p, const proto_message *m, const proto_item *value)
{
    proto_wire w = proto_inside(value);
    const proto_field *key = &m->fields[m->fields[0].number != 1], *of = &m->fields[m->fields[0].number == 1];
    proto_item i, k = {0}, v = {0};
    int more;
    while ((more = proto_next(&w, &i)) > 0) {
        if (i.number > 2 || !fits(i.number == 1 ? key : of, i.kind) || (i.number == 1 ? k : v).number)
            return fail(p, value->p, "the bytes are no entry of a map");
        *(i.number == 1 ? &k : &v) = i;
    }
    if (more < 0)
        return fail(p, value->p, "the bytes are no entry of a map");
    if (!map_key(p, key, k.number ? &k : NULL))
        return false;
    fl_buf_addc(p->out, ':');
    if (v.number)
        return one(p, of, &v);
    return of->message ? one(p, of, &(proto_item){.kind = PROTO_BYTES, .p = value->p}) : empty(p, of);
}

static bool entries(printer *p, const proto_field *f, size_t from, size_t to)
{
    if (f->message->nfields != 2)
        return fail(p, p->p, "the map has no key and value");
    p->way.v[p->way.n - 1].index = -2;
    fl_buf_addc(p->out, '{');
    for (size_t i = from; i < to; i++) {
        proto_item value = p->items[i].value;
        if (i > from)
            fl_buf_addc(p->out, ',');
        if (!entry(p, f->message, &value))
            return false;
    }
    fl_buf_addc(p->out, '}');
    return put(p);
}

static bool field(printer *p, const proto_field *f, size_t from, size_t to)
{
    proto_item last = p->items[to - 1].value;
    fl_buf_addf(p->out, "\"%s\":", f->name); /* letters, digits and underscores */
    if (f->message && f->message->map_entry)
        return entries(p, f, from, to);
    if (f->label == PROTO_REPEATED)
        return elements(p, f, from, to);
    if (f->message && to - from > 1)
        return fail(p, last.p, "the message occurs twice");
    return one(p, f, &last); /* of several values the last one counts */
}

/* What a field without presence is when it is absent, too. */
static bool is_default(const proto_item *value)
{
    return value->kind == PROTO_BYTES ? value->n == 0 : value->value == 0;
}

static bool message(printer *p, const proto_message *m, proto_wire w)
{
    size_t from = p->nitems;
    if (p->way.n == SCH_VALUE_MAX_DEPTH)
        return fail(p, w.p, "messages are nested too deeply");
    p->way.n++;
    p->way.v[p->way.n - 1].name = "";
    p->way.v[p->way.n - 1].index = -1;
    if (!gather(p, m, w))
        return false;
    fl_buf_addc(p->out, '{');
    size_t empty_to = p->out->len;
    for (size_t i = from, to, end = p->nitems; i < end; i = to) {
        const proto_field *f = &m->fields[p->items[i].field];
        for (to = i + 1; to < end && p->items[to].field == p->items[i].field; to++)
            ;
        if (sch_proto_implicit(m, f) && is_default(&p->items[to - 1].value))
            continue;
        if (p->out->len > empty_to)
            fl_buf_addc(p->out, ',');
        p->way.v[p->way.n - 1].name = f->name;
        p->way.v[p->way.n - 1].index = -1;
        if (!field(p, f, i, to))
            return false;
    }
    fl_buf_addc(p->out, '}');
    p->nitems = from;
    p->way.n--;
    return put(p);
}

bool sch_proto_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                       sch_value_error *err)
{
    size_t before = out->len;
    printer p = {.p = body, .out = out, .err = err};
    (void)opt; /* base64, and nothing can trail */
    bool ok = message(&p, s->proto->root, (proto_wire){body, body + len});
    free(p.items);
    if (!ok) {
        out->len = before;
        out->full = false;
    }
    return ok;
}
