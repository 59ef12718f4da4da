/* proto_normal_options.c: options in the normal text of a .proto file: sorted by name, options of messages' types with
 * their members sorted, lists of one as their element. What no option of descriptor.proto and no extension of the set
 * says is refused, never left out. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "schema/proto_normal.h"

/* ---- which extensions there are ---- */

static void know(proto_normal *n, const proto_field *list, size_t count, const char *scope)
{
    for (size_t i = 0; i < count; i++) {
        proto_extension *e = FL_NEW(n->p.a, proto_extension);
        *e = (proto_extension){&list[i], fl_printf(n->p.a, "%s%s%s", scope, *scope ? "." : "", list[i].name)};
        fl_map_put(n->extensions, fl_printf(n->p.a, "%s %d", list[i].extendee, (int)list[i].number), e);
    }
}

static void know_inside(proto_normal *n, const proto_message *m, size_t count)
{
    for (size_t i = 0; i < count; i++) { /* as deep as messages may be nested */
        know(n, m[i].extensions, m[i].nextensions, m[i].full);
        know_inside(n, m[i].messages, m[i].nmessages);
    }
}

void proto_normal_know(proto_normal *n, const proto_model *model)
{
    for (size_t i = 0; i < model->nfiles; i++) {
        know(n, model->files[i].extensions, model->files[i].nextensions, model->files[i].package);
        know_inside(n, model->files[i].messages, model->files[i].nmessages);
    }
}

static const proto_extension *extension(proto_normal *n, const char *message, uint32_t number)
{
    return fl_map_get(n->extensions, fl_printf(n->p.a, "%s %d", message, (int)number));
}

/* ---- values ---- */

void proto_normal_quoted(fl_buf *out, const uint8_t *s, size_t len, bool bytes)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\'\"", escaped[] = "abfnrtv\\'\"";
    fl_buf_addc(out, '"');
    for (size_t i = 0; i < len; i++) {
        const char *at = s[i] ? strchr(plain, s[i]) : NULL;
        if (at)
            fl_buf_addf(out, "\\%c", escaped[at - plain]);
        else if (s[i] < 0x20 || s[i] == 0x7f || (bytes && s[i] > 0x7f))
            fl_buf_addf(out, "\\%03o", s[i]);
        else
            fl_buf_addc(out, (char)s[i]);
    }
    fl_buf_addc(out, '"');
}

static void print_double(fl_buf *out, double v, bool single)
{
    char text[64] = "";
    if (isnan(v) || isinf(v)) {
        fl_buf_adds(out, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        double again = strtod(text, NULL);
        if (single ? (float)again == (float)v : again == v)
            break;
    }
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(text, sizeof text, "%.0f", v);
    fl_buf_adds(out, text);
}

static void print_number(proto_type type, uint64_t v, fl_buf *out)
{
    uint32_t low = (uint32_t)v;
    uint64_t zigzag = v >> 1 ^ (0 - (v & 1));
    float f;
    double d;
    switch (type) {
    case PROTO_DOUBLE:
        memcpy(&d, &v, sizeof d);
        print_double(out, d, false);
        break;
    case PROTO_FLOAT:
        memcpy(&f, &low, sizeof f);
        print_double(out, (double)f, true);
        break;
    case PROTO_BOOL:
        fl_buf_adds(out, v ? "true" : "false");
        break;
    case PROTO_UINT32:
    case PROTO_FIX32:
        fl_buf_addf(out, "%" PRIu32, low);
        break;
    case PROTO_UINT64:
    case PROTO_FIX64:
        fl_buf_addf(out, "%" PRIu64, v);
        break;
    case PROTO_SINT32:
    case PROTO_SINT64:
        fl_buf_addf(out, "%" PRId64, (int64_t)zigzag);
        break;
    case PROTO_INT64:
    case PROTO_SFIXED64:
        fl_buf_addf(out, "%" PRId64, (int64_t)v);
        break;
    default:
        fl_buf_addf(out, "%" PRId32, (int32_t)low);
    }
}

static void print_symbol(proto_normal *n, const proto_field *f, int32_t number)
{
    proto_text_work(&n->p, f->enumeration ? f->enumeration->n : 0);
    for (size_t i = 0; f->enumeration && i < f->enumeration->n; i++)
        if (f->enumeration->numbers[i] == number) {
            fl_buf_adds(n->p.out, f->enumeration->symbols[i]);
            return;
        }
    proto_text_refuse(&n->p, "an option has a value of an enum that is not there");
}

static void print_members(proto_normal *n, const proto_message *m, proto_wire value, unsigned depth);

static void print_value(proto_normal *n, const proto_field *f, const proto_item *item, unsigned depth)
{
    bool text = f->type == PROTO_STRING || f->type == PROTO_BYTES_TYPE, message = f->type == PROTO_MESSAGE;
    if (f->type == PROTO_GROUP_TYPE || (text || message) != (item->kind == PROTO_BYTES) || (message && !f->message)) {
        proto_text_refuse(&n->p, "an option has a value of a type that is not known here");
    } else if (message) {
        fl_buf_adds(n->p.out, "{\n");
        print_members(n, f->message, proto_inside(item), depth + 1);
        proto_text_indent(&n->p, depth);
        fl_buf_addc(n->p.out, '}');
    } else if (text) {
        if (f->type == PROTO_STRING)
            proto_text_string(&n->p, item); /* refuses what is none */
        proto_normal_quoted(n->p.out, item->p, item->n, f->type == PROTO_BYTES_TYPE);
    } else if (f->type == PROTO_ENUM) {
        print_symbol(n, f, (int32_t)item->value);
    } else {
        print_number(f->type, item->value, n->p.out);
    }
}

/* ---- what stands under one number ---- */

typedef FL_VEC(proto_item) items;

/* How wide a number of the type is when it is packed; 0: a varint. */
static size_t width(proto_type t)
{
    if (t == PROTO_DOUBLE || t == PROTO_FIX64 || t == PROTO_SFIXED64)
        return 8;
    return t == PROTO_FLOAT || t == PROTO_FIX32 || t == PROTO_SFIXED32 ? 4 : 0;
}

static void unpack(proto_normal *n, const proto_field *f, const proto_item *packed, items *out)
{
    proto_wire w = proto_inside(packed);
    size_t wide = width(f->type);
    while (w.p < w.end && !n->p.failed) {
        proto_item one = {.number = packed->number, .kind = PROTO_VARINT};
        proto_text_work(&n->p, 1);
        if (wide && (size_t)(w.end - w.p) >= wide) {
            for (size_t i = 0; i < wide; i++)
                one.value |= (uint64_t)w.p[i] << 8 * i;
            w.p += wide;
        } else if (wide || !proto_varint(&w, &one.value)) {
            proto_text_refuse(&n->p, "an option is damaged");
        }
        FL_PUSH(n->p.a, out, one);
    }
}

/* The values of a field: all of a repeated one, the last of another, parts of a message as one. */
static void values(proto_normal *n, const proto_field *f, const items *all, items *out)
{
    bool number = f->type != PROTO_STRING && f->type != PROTO_BYTES_TYPE && f->type != PROTO_MESSAGE;
    fl_buf joined;
    if (f->label == PROTO_REPEATED) {
        for (size_t i = 0; i < all->n; i++)
            if (number && all->v[i].kind == PROTO_BYTES)
                unpack(n, f, &all->v[i], out);
            else
                FL_PUSH(n->p.a, out, all->v[i]);
        return;
    }
    FL_PUSH(n->p.a, out, all->v[all->n - 1]);
    if (f->type != PROTO_MESSAGE || all->n == 1)
        return;
    fl_buf_init(&joined, PROTO_MAX_SET);
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].kind == PROTO_BYTES)
            fl_buf_add(&joined, all->v[i].p, all->v[i].n);
    out->v[0].p = (const uint8_t *)fl_strndup(n->p.a, joined.p ? joined.p : "", joined.len);
    out->v[0].n = joined.len;
    fl_buf_free(&joined);
}

/* ---- members of a message ---- */

typedef struct member {
    uint32_t number;
    const char *key;
    const proto_field *field;
    items all;
} member;

static int by_key(const void *x, const void *y)
{
    return strcmp(((const member *)x)->key, ((const member *)y)->key);
}

static bool name_member(proto_normal *n, const proto_message *m, member *out)
{
    proto_text_work(&n->p, m->nfields);
    for (size_t i = 0; i < m->nfields; i++)
        if (m->fields[i].number == (int32_t)out->number) {
            out->field = &m->fields[i];
            out->key = m->fields[i].name;
            return true;
        }
    const proto_extension *e = extension(n, m->full, out->number);
    if (!e)
        return false;
    out->field = e->field;
    out->key = fl_printf(n->p.a, "[%s]", e->full);
    return true;
}

typedef FL_VEC(member) members;

static member *member_of(proto_normal *n, members *list, uint32_t number)
{
    proto_text_work(&n->p, list->n + 1);
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].number == number)
            return &list->v[i];
    FL_PUSH(n->p.a, list, (member){.number = number});
    return &list->v[list->n - 1];
}

static void print_list(proto_normal *n, const proto_field *f, const items *list, unsigned depth)
{
    fl_buf_adds(n->p.out, "[\n");
    for (size_t i = 0; i < list->n && !n->p.failed; i++) {
        proto_text_indent(&n->p, depth + 1);
        print_value(n, f, &list->v[i], depth + 1);
        fl_buf_adds(n->p.out, i + 1 < list->n ? ",\n" : "\n");
    }
    proto_text_indent(&n->p, depth);
    fl_buf_addc(n->p.out, ']');
}

static void print_members(proto_normal *n, const proto_message *m, proto_wire value, unsigned depth)
{
    members list = {0};
    proto_item item;
    int more;
    if (++n->p.depth > PROTO_MAX_NEST)
        proto_text_refuse(&n->p, "an option has messages in messages deeper than %d", PROTO_MAX_NEST);
    while (!n->p.failed && (more = proto_next(&value, &item)) != 0) {
        if (more < 0 || item.kind == PROTO_GROUP) {
            proto_text_refuse(&n->p, "an option is damaged");
            break;
        }
        member *one = member_of(n, &list, item.number);
        FL_PUSH(n->p.a, &one->all, item);
        if (!one->field && !name_member(n, m, one))
            proto_text_refuse(&n->p, "an option has a member %u of %s that is not there", item.number, m->full);
    }
    if (list.n && !n->p.failed)
        qsort(list.v, list.n, sizeof *list.v, by_key);
    for (size_t i = 0; i < list.n && !n->p.failed; i++) {
        items all = {0};
        values(n, list.v[i].field, &list.v[i].all, &all);
        proto_text_indent(&n->p, depth);
        proto_text_say(&n->p, "%s: ", list.v[i].key);
        if (all.n == 1)
            print_value(n, list.v[i].field, &all.v[0], depth);
        else
            print_list(n, list.v[i].field, &all, depth);
        fl_buf_adds(n->p.out, i + 1 < list.n ? ",\n" : "\n");
    }
    n->p.depth--;
}

/* ---- the options of a declaration ---- */

typedef struct option {
    const char *name;
    size_t nth;
    const proto_option *known;  /* of descriptor.proto; else: */
    const proto_extension *own; /* else: */
    const char *text;
    proto_item value;
} option;

typedef FL_VEC(option) options;

static int by_name(const void *x, const void *y)
{
    const option *a = x, *b = y;
    int d = strcmp(a->name, b->name);
    return d ? d : a->nth < b->nth ? -1 : a->nth > b->nth;
}

static const char *const option_messages[PROTO_NOPTIONS] = {
    [PROTO_OF_FILE] = "google.protobuf.FileOptions",       [PROTO_OF_MESSAGE] = "google.protobuf.MessageOptions",
    [PROTO_OF_FIELD] = "google.protobuf.FieldOptions",     [PROTO_OF_ONEOF] = "google.protobuf.OneofOptions",
    [PROTO_OF_ENUM] = "google.protobuf.EnumOptions",       [PROTO_OF_VALUE] = "google.protobuf.EnumValueOptions",
    [PROTO_OF_SERVICE] = "google.protobuf.ServiceOptions", [PROTO_OF_METHOD] = "google.protobuf.MethodOptions",
};

static void add_known(proto_normal *n, const proto_options *kind, const member *m, options *out)
{
    const proto_option *o = sch_proto_option(kind, m->number);
    proto_item last = m->all.v[m->all.n - 1];
    if (last.kind != (o->type == PROTO_OPTION_TEXT ? PROTO_BYTES : PROTO_VARINT) ||
        (o->type == PROTO_OPTION_WORD && !sch_proto_option_word(o, last.value))) {
        proto_text_refuse(&n->p, "option %s of a %s is not of its type", o->name, kind->name);
        return;
    }
    FL_PUSH(n->p.a, out, ((option){.name = o->name, .known = o, .value = last}));
}

static void add_own(proto_normal *n, const proto_options *kind, const member *m, options *out)
{
    static const char confluent[] = "confluent.";
    const proto_extension *e = extension(n, option_messages[kind - sch_proto_options], m->number);
    items all = {0};
    if (!e) {
        proto_text_refuse(&n->p, "option %u of a %s is not known here", m->number, kind->name);
        return;
    }
    if (n->bare && strncmp(e->full, confluent, sizeof confluent - 1) != 0)
        return;
    values(n, e->field, &m->all, &all);
    for (size_t i = 0; i < all.n; i++)
        FL_PUSH(n->p.a, out, ((option){.name = e->full, .nth = i, .own = e, .value = all.v[i]}));
}

static void collect(proto_normal *n, const proto_options *kind, proto_wire of, uint32_t at, options *out)
{
    members list = {0};
    proto_item outer, item;
    while (proto_text_next(&n->p, &of, at, &outer)) {
        proto_wire w = proto_inside(&outer);
        int more = 0;
        while (!n->p.failed && (more = proto_next(&w, &item)) == 1)
            if (!kind->skip || item.number != kind->skip) {
                member *m = member_of(n, &list, item.number);
                FL_PUSH(n->p.a, &m->all, item);
            }
        if (more < 0 || outer.kind != PROTO_BYTES)
            proto_text_refuse(&n->p, "the descriptor is damaged");
    }
    for (size_t i = 0; i < list.n && !n->p.failed; i++)
        if (sch_proto_option(kind, list.v[i].number))
            add_known(n, kind, &list.v[i], out);
        else
            add_own(n, kind, &list.v[i], out);
}

static void print_option(proto_normal *n, const option *o, unsigned depth)
{
    proto_text_say(&n->p, o->own ? "(%s) = " : "%s = ", o->name);
    if (o->text)
        fl_buf_adds(n->p.out, o->text);
    else if (o->own)
        print_value(n, o->own->field, &o->value, depth);
    else if (o->known->type == PROTO_OPTION_TEXT)
        proto_normal_quoted(n->p.out, (const uint8_t *)proto_text_string(&n->p, &o->value), o->value.n, false);
    else if (o->known->type == PROTO_OPTION_FLAG)
        fl_buf_adds(n->p.out, o->value.value ? "true" : "false");
    else
        fl_buf_adds(n->p.out, sch_proto_option_word(o->known, o->value.value));
}

size_t proto_normal_statements(proto_normal *n, const proto_options *kind, proto_wire of, uint32_t at, bool blank,
                               unsigned depth)
{
    options list = {0};
    collect(n, kind, of, at, &list);
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_name);
    for (size_t i = 0; i < list.n && !n->p.failed; i++) {
        if (!i && blank) {
            proto_text_indent(&n->p, depth ? depth - 1 : 0);
            fl_buf_addc(n->p.out, '\n');
        }
        proto_text_indent(&n->p, depth);
        fl_buf_adds(n->p.out, "option ");
        print_option(n, &list.v[i], depth);
        fl_buf_adds(n->p.out, ";\n");
    }
    return list.n;
}

size_t proto_normal_brackets(proto_normal *n, const proto_options *kind, proto_wire of, uint32_t at,
                             const proto_special_option *more, unsigned depth)
{
    options list = {0};
    collect(n, kind, of, at, &list);
    for (size_t i = 0; more && i < 2; i++)
        if (more[i].text)
            FL_PUSH(n->p.a, &list, ((option){.name = more[i].name, .text = more[i].text}));
    if (!list.n)
        return 0;
    qsort(list.v, list.n, sizeof *list.v, by_name);
    fl_buf_adds(n->p.out, list.n > 1 ? " [\n" : " [");
    for (size_t i = 0; i < list.n && !n->p.failed; i++) {
        if (list.n > 1)
            proto_text_indent(&n->p, depth + 1);
        print_option(n, &list.v[i], depth + (list.n > 1));
        fl_buf_adds(n->p.out, list.n == 1 ? "" : i + 1 < list.n ? ",\n" : "\n");
    }
    if (list.n > 1)
        proto_text_indent(&n->p, depth);
    fl_buf_addc(n->p.out, ']');
    return list.n;
}
