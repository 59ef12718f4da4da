/* proto_read.c: a FileDescriptorSet into a model (descriptor.proto of protoc 3.21). Nothing is trusted: descriptors
 * also come from registries. Depth, number and names are checked; what is not known is skipped, as Protobuf has it. */
#include "schema/proto.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define META 1088 /* confluent.field_meta, message_meta, … of each kind of options (confluent/meta.proto) */

typedef struct reader {
    fl_arena *a;
    char *message;
    fl_map *messages, *enums; /* by full name */
    size_t items;
    unsigned depth;
    proto_file *file; /* the one being read */
} reader;

static bool bad(reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool bad(reader *r, const char *fmt, ...)
{
    char why[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    if (!*r->message)
        snprintf(r->message, 256, "these are no descriptors: %s", why);
    return false;
}

/* ---- pieces ---- */

/* Calls fn for every field of the message. */
typedef bool (*each_fn)(reader *r, const proto_item *i, void *ctx);

static bool each(reader *r, proto_wire w, each_fn fn, void *ctx)
{
    proto_item i;
    int more;
    while ((more = proto_next(&w, &i)) > 0)
        if (!fn(r, &i, ctx))
            return false;
    return more == 0 || bad(r, "a message is cut off or damaged");
}

static bool is(const proto_item *i, uint32_t number)
{
    return i->number == number && i->kind == PROTO_BYTES;
}

static size_t count(proto_wire w, uint32_t number)
{
    size_t n = 0;
    proto_item i;
    while (proto_next(&w, &i) > 0)
        n += is(&i, number);
    return n;
}

static bool budget(reader *r, size_t n)
{
    if (n > PROTO_MAX_ITEMS - r->items)
        return bad(r, "they define more than %u things", PROTO_MAX_ITEMS);
    r->items += n;
    return true;
}

/* A text without NUL, in UTF-8, of at most max bytes. */
static bool text(reader *r, const proto_item *i, size_t max, const char **out)
{
    size_t where;
    if (i->n > max || memchr(i->p, 0, i->n) || !fl_utf8_ok((const char *)i->p, i->n, &where))
        return bad(r, "a text is too long or not UTF-8");
    *out = fl_strndup(r->a, (const char *)i->p, i->n);
    return true;
}

static bool is_name(const char *s, bool dots)
{
    bool start = true;
    if (!s)
        return false;
    for (; *s; s++) {
        bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_';
        bool digit = *s >= '0' && *s <= '9';
        if (!letter && (start || (!digit && (!dots || *s != '.'))))
            return false;
        start = *s == '.';
    }
    return !start;
}

static bool name(reader *r, const proto_item *i, bool dots, const char **out)
{
    if (!text(r, i, SCH_MAX_NAME, out))
        return false;
    return is_name(*out, dots) || bad(r, "\"%.100s\" is no name", *out);
}

static const char *inside(reader *r, const char *scope, const char *simple)
{
    return *scope ? fl_printf(r->a, "%s.%s", scope, simple) : simple;
}

/* ---- tags ---- */

typedef FL_VEC(const char *) texts;

static bool meta_item(reader *r, const proto_item *i, void *ctx)
{
    texts *all = ctx;
    const char *tag;
    if (!is(i, 3))
        return true;
    if (!text(r, i, SCH_MAX_NAME, &tag) || !budget(r, 1))
        return false;
    if (*tag)
        FL_PUSH(r->a, all, tag);
    return true;
}

static bool option_item(reader *r, const proto_item *i, void *ctx)
{
    return !is(i, META) || each(r, proto_inside(i), meta_item, ctx);
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Adds the tags of one options message. */
static bool options(reader *r, const proto_item *i, proto_tags *out)
{
    texts all = {0};
    for (size_t k = 0; k < out->n; k++)
        FL_PUSH(r->a, &all, out->v[k]);
    if (!each(r, proto_inside(i), option_item, &all))
        return false;
    if (all.n > 1)
        qsort(all.v, all.n, sizeof *all.v, by_text);
    size_t n = 0;
    for (size_t k = 0; k < all.n; k++)
        if (!n || strcmp(all.v[n - 1], all.v[k]))
            all.v[n++] = all.v[k];
    out->v = all.v;
    out->n = n;
    return true;
}

/* ---- fields ---- */

static const proto_span nowhere = {.line = -1};

static bool reference(reader *r, const proto_item *i, const char **out)
{
    const char *full;
    if (!text(r, i, SCH_MAX_NAME + 1, &full))
        return false;
    if (*full != '.' || !is_name(full + 1, true))
        return bad(r, "the type \"%.100s\" is not a full name", full);
    *out = full + 1;
    return true;
}

static bool field_item(reader *r, const proto_item *i, void *ctx)
{
    proto_field *f = ctx;
    if (i->kind == PROTO_VARINT) {
        if (i->number == 3)
            f->number = i->value <= INT32_MAX ? (int32_t)i->value : -1;
        else if (i->number == 4)
            f->label = i->value <= PROTO_REPEATED ? (int)i->value : 0;
        else if (i->number == 5)
            f->type = i->value <= PROTO_SINT64 ? (proto_type)i->value : 0;
        else if (i->number == 9)
            f->oneof = i->value <= INT32_MAX ? (int32_t)i->value : -2;
        else if (i->number == 17)
            f->explicit_optional = i->value != 0;
        return true;
    }
    if (is(i, 1))
        return name(r, i, false, &f->name);
    if (is(i, 2))
        return reference(r, i, &f->extendee);
    if (is(i, 6))
        return reference(r, i, &f->type_name);
    if (is(i, 7))
        return text(r, i, SCH_MAX_TEXT, &f->fallback);
    if (is(i, 8))
        return options(r, i, &f->tags);
    return true;
}

static bool read_field(reader *r, const proto_item *i, proto_field *f, size_t noneofs)
{
    *f = (proto_field){.oneof = -1, .label = PROTO_OPTIONAL, .span = nowhere, .tags.span = nowhere};
    if (!each(r, proto_inside(i), field_item, f))
        return false;
    bool named = f->type == PROTO_MESSAGE || f->type == PROTO_GROUP_TYPE || f->type == PROTO_ENUM;
    if (!f->name || f->number < 1 || !f->label || !f->type || named != (f->type_name != NULL))
        return bad(r, "the field \"%.100s\" lacks its number, label or type", f->name ? f->name : "");
    if (f->oneof < -1 || (f->oneof >= 0 && (size_t)f->oneof >= noneofs))
        return bad(r, "the field \"%.100s\" is in a oneof that is not there", f->name);
    if (f->explicit_optional)
        f->oneof = -1;
    return true;
}

/* ---- enums ---- */

static bool value_item(reader *r, const proto_item *i, void *ctx)
{
    proto_enum *e = ctx;
    if (is(i, 1))
        return name(r, i, false, &e->symbols[e->n]);
    if (is(i, 3))
        return options(r, i, &e->tags);
    if (i->number == 2 && i->kind == PROTO_VARINT)
        e->numbers[e->n] = (int32_t)i->value;
    return true;
}

static bool enum_item(reader *r, const proto_item *i, void *ctx)
{
    proto_enum *e = ctx;
    if (is(i, 1))
        return name(r, i, false, &e->name);
    if (is(i, 3))
        return options(r, i, &e->tags);
    if (!is(i, 2))
        return true;
    if (!each(r, proto_inside(i), value_item, e))
        return false;
    if (!e->symbols[e->n])
        return bad(r, "a value of an enum has no name");
    e->n++;
    return true;
}

static bool define(reader *r, fl_map *map, const char *full, void *what)
{
    if (strlen(full) > SCH_MAX_NAME)
        return bad(r, "the name \"%.100s…\" is longer than %d bytes", full, SCH_MAX_NAME);
    if (fl_map_get(r->messages, full) || fl_map_get(r->enums, full))
        return bad(r, "\"%.150s\" is defined twice", full);
    fl_map_put(map, full, what);
    return true;
}

static bool read_enum(reader *r, const proto_item *i, const char *scope, proto_enum *e)
{
    size_t n = count(proto_inside(i), 2);
    *e = (proto_enum){.span = nowhere, .tags.span = nowhere, .file = r->file};
    if (!budget(r, n + 1))
        return false;
    e->symbols = FL_NEW_N(r->a, const char *, n + 1);
    e->numbers = FL_NEW_N(r->a, int32_t, n + 1);
    if (!each(r, proto_inside(i), enum_item, e))
        return false;
    if (!e->name)
        return bad(r, "an enum has no name");
    e->full = inside(r, scope, e->name);
    return define(r, r->enums, e->full, e);
}

/* ---- messages ---- */

static bool oneof_item(reader *r, const proto_item *i, void *ctx)
{
    return !is(i, 1) || name(r, i, false, ctx);
}

static bool message_options_item(reader *r, const proto_item *i, void *ctx)
{
    proto_message *m = ctx;
    if (i->number == 7 && i->kind == PROTO_VARINT)
        m->map_entry = i->value != 0;
    return true;
}

static bool read_message(reader *r, const proto_item *i, const char *scope, proto_message *outer, proto_message *m);

/* What needs the message's own name waits for the second round. */
static bool first_round(reader *r, const proto_item *i, void *ctx)
{
    proto_message *m = ctx;
    if (is(i, 1))
        return name(r, i, false, &m->name);
    if (is(i, 7))
        return options(r, i, &m->tags) && each(r, proto_inside(i), message_options_item, m);
    if (!is(i, 8))
        return true;
    const char **oneof = &m->oneofs[m->noneofs++];
    return each(r, proto_inside(i), oneof_item, oneof) && (*oneof || bad(r, "a oneof has no name"));
}

static bool second_round(reader *r, const proto_item *i, void *ctx)
{
    proto_message *m = ctx;
    if (is(i, 2))
        return read_field(r, i, &m->fields[m->nfields++], m->noneofs);
    if (is(i, 3))
        return read_message(r, i, m->full, m, &m->messages[m->nmessages++]);
    if (is(i, 4))
        return read_enum(r, i, m->full, &m->enums[m->nenums++]);
    if (is(i, 6))
        return read_field(r, i, &m->extensions[m->nextensions++], 0);
    return true;
}

static bool unique_fields(reader *r, const proto_message *m)
{
    fl_map *seen = fl_map_new();
    bool ok = true;
    for (size_t i = 0; ok && i < m->nfields; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", m->fields[i].number);
        bool again = fl_map_put(seen, m->fields[i].name, seen) || fl_map_put(seen, number, seen);
        ok = !again || bad(r, "%.100s has two fields \"%.50s\" or of its number", m->full, m->fields[i].name);
    }
    fl_map_free(seen);
    return ok;
}

static bool room(reader *r, proto_wire w, proto_message *m)
{
    size_t fields = count(w, 2), messages = count(w, 3), enums = count(w, 4), extensions = count(w, 6),
           oneofs = count(w, 8);
    if (!budget(r, 1 + fields + messages + enums + extensions + oneofs))
        return false;
    m->fields = FL_NEW_N(r->a, proto_field, fields);
    m->messages = FL_NEW_N(r->a, proto_message, messages);
    m->enums = FL_NEW_N(r->a, proto_enum, enums);
    m->extensions = FL_NEW_N(r->a, proto_field, extensions);
    m->oneofs = FL_NEW_N(r->a, const char *, oneofs);
    return true;
}

static bool read_message(reader *r, const proto_item *i, const char *scope, proto_message *outer, proto_message *m)
{
    proto_wire w = proto_inside(i);
    *m = (proto_message){.span = nowhere, .tags.span = nowhere, .outer = outer, .file = r->file};
    if (r->depth == PROTO_MAX_NEST)
        return bad(r, "messages are nested deeper than %d", PROTO_MAX_NEST);
    if (!room(r, w, m) || !each(r, w, first_round, m))
        return false;
    if (!m->name)
        return bad(r, "a message has no name");
    m->full = inside(r, scope, m->name);
    r->depth++;
    bool ok = define(r, r->messages, m->full, m) && each(r, w, second_round, m);
    r->depth--;
    return ok && unique_fields(r, m);
}

/* ---- source info ---- */

#define MAX_PATH (2 * PROTO_MAX_NEST + 8)

typedef struct location {
    int32_t path[MAX_PATH];
    size_t npath;
    int32_t span[4];
    size_t nspan;
    bool long_path; /* longer than any of ours */
} location;

static bool numbers(const proto_item *i, int32_t *out, size_t max, size_t *n)
{
    proto_wire w = proto_inside(i);
    uint64_t v;
    while (w.p < w.end) {
        if (*n == max || !proto_varint(&w, &v) || v > INT32_MAX)
            return false;
        out[(*n)++] = (int32_t)v;
    }
    return true;
}

static bool location_item(reader *r, const proto_item *i, void *ctx)
{
    location *l = ctx;
    if (is(i, 1) && !numbers(i, l->path, MAX_PATH, &l->npath))
        l->long_path = true;
    if (is(i, 2) && !numbers(i, l->span, 4, &l->nspan))
        return bad(r, "a place in the source is damaged");
    return true;
}

static proto_span span_of(const location *l)
{
    bool one_line = l->nspan == 3;
    return (proto_span){l->span[0], l->span[1], one_line ? l->span[0] : l->span[2], l->span[one_line ? 2 : 3]};
}

/* The rest of a path behind a thing: nothing is the thing itself, options.1088 its tags. */
static void place(const location *l, size_t at, int32_t options_number, proto_span *thing, proto_tags *tags)
{
    if (at == l->npath && thing)
        *thing = span_of(l);
    else if (at + 2 <= l->npath && l->path[at] == options_number && l->path[at + 1] == META && tags->span.line < 0)
        tags->span = span_of(l);
}

static void place_field(const location *l, size_t at, proto_field *list, size_t n)
{
    if (at < l->npath && (size_t)l->path[at] < n)
        place(l, at + 1, 8, &list[l->path[at]].span, &list[l->path[at]].tags);
}

static void place_enum(const location *l, size_t at, proto_enum *list, size_t n)
{
    if (at >= l->npath || (size_t)l->path[at] >= n)
        return;
    proto_enum *e = &list[l->path[at]];
    if (at + 3 <= l->npath && l->path[at + 1] == 2)
        place(l, at + 3, 3, NULL, &e->tags); /* of a value */
    else
        place(l, at + 1, 3, &e->span, &e->tags);
}

static void place_message(const location *l, size_t at, proto_message *list, size_t n)
{
    while (at < l->npath && (size_t)l->path[at] < n) {
        proto_message *m = &list[l->path[at++]];
        if (at == l->npath || l->path[at] == 7) {
            place(l, at, 7, &m->span, &m->tags);
            return;
        }
        switch (l->path[at++]) {
        case 2:
            place_field(l, at, m->fields, m->nfields);
            return;
        case 3:
            list = m->messages;
            n = m->nmessages;
            break;
        case 4:
            place_enum(l, at, m->enums, m->nenums);
            return;
        case 6:
            place_field(l, at, m->extensions, m->nextensions);
            return;
        default:
            return;
        }
    }
}

static bool place_item(reader *r, const proto_item *i, void *ctx)
{
    location l = {0};
    if (!is(i, 1))
        return true;
    if (!each(r, proto_inside(i), location_item, &l))
        return false;
    if (l.long_path || l.nspan < 3 || !l.npath)
        return true;
    proto_file *f = r->file;
    if (l.path[0] == 4)
        place_message(&l, 1, f->messages, f->nmessages);
    else if (l.path[0] == 5)
        place_enum(&l, 1, f->enums, f->nenums);
    else if (l.path[0] == 7)
        place_field(&l, 1, f->extensions, f->nextensions);
    else
        place(&l, 0, 8, NULL, &f->tags);
    return true;
}

/* ---- files ---- */

static bool head_item(reader *r, const proto_item *i, void *ctx)
{
    proto_file *f = ctx;
    const char *syntax;
    if (is(i, 1))
        return text(r, i, SCH_MAX_NAME, &f->name);
    if (is(i, 2))
        return name(r, i, true, &f->package);
    if (is(i, 3))
        return text(r, i, SCH_MAX_NAME, &f->imports[f->nimports++]);
    if (is(i, 8))
        return options(r, i, &f->tags);
    if (!is(i, 12))
        return true;
    if (!text(r, i, SCH_MAX_NAME, &syntax))
        return false;
    f->proto3 = !strcmp(syntax, "proto3");
    return f->proto3 || !strcmp(syntax, "proto2") || bad(r, "the syntax \"%.50s\" is not known", syntax);
}

static bool body_item(reader *r, const proto_item *i, void *ctx)
{
    proto_file *f = ctx;
    if (is(i, 4))
        return read_message(r, i, f->package, NULL, &f->messages[f->nmessages++]);
    if (is(i, 5))
        return read_enum(r, i, f->package, &f->enums[f->nenums++]);
    if (is(i, 7))
        return read_field(r, i, &f->extensions[f->nextensions++], 0);
    return true;
}

static bool info_item(reader *r, const proto_item *i, void *ctx)
{
    return !is(i, 9) || each(r, proto_inside(i), place_item, NULL);
}

static bool read_file(reader *r, const proto_item *i, proto_file *f)
{
    proto_wire w = proto_inside(i);
    size_t imports = count(w, 3), messages = count(w, 4), enums = count(w, 5), extensions = count(w, 7);
    *f = (proto_file){.package = "", .tags.span = nowhere};
    r->file = f;
    if (!budget(r, 1 + imports + messages + enums + extensions))
        return false;
    f->imports = FL_NEW_N(r->a, const char *, imports);
    f->messages = FL_NEW_N(r->a, proto_message, messages);
    f->enums = FL_NEW_N(r->a, proto_enum, enums);
    f->extensions = FL_NEW_N(r->a, proto_field, extensions);
    if (!each(r, w, head_item, f))
        return false;
    if (!f->name)
        return bad(r, "a file has no name");
    return each(r, w, body_item, f) && each(r, w, info_item, f);
}

static bool set_item(reader *r, const proto_item *i, void *ctx)
{
    proto_model *m = ctx;
    return !is(i, 1) || read_file(r, i, &m->files[m->nfiles++]);
}

/* ---- types by name ---- */

static bool resolve_fields(reader *r, proto_field *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        proto_field *f = &list[i];
        if (!f->type_name)
            continue;
        if (f->type == PROTO_ENUM)
            f->enumeration = fl_map_get(r->enums, f->type_name);
        else
            f->message = fl_map_get(r->messages, f->type_name);
        if (!f->enumeration && !f->message)
            return bad(r, "the type \"%.150s\" of the field \"%.50s\" is not among them", f->type_name, f->name);
    }
    return true;
}

/* Depth is that of reading, which bounded it. */
static bool resolve_messages(reader *r, proto_message *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        proto_message *m = &list[i];
        if (!resolve_fields(r, m->fields, m->nfields) || !resolve_fields(r, m->extensions, m->nextensions) ||
            !resolve_messages(r, m->messages, m->nmessages))
            return false;
        if (m->map_entry && (m->nfields != 2 || m->fields[0].number != 1 || m->fields[1].number != 2))
            return bad(r, "the entries of the map %.150s have no key and value", m->full);
    }
    return true;
}

static bool resolve(reader *r, proto_model *m)
{
    for (size_t i = 0; i < m->nfiles; i++) {
        proto_file *f = &m->files[i];
        if (!resolve_messages(r, f->messages, f->nmessages) || !resolve_fields(r, f->extensions, f->nextensions))
            return false;
    }
    return true;
}

bool sch_proto_read(fl_arena *a, const void *p, size_t n, proto_model *out, char message[256])
{
    reader r = {.a = a, .message = message};
    proto_wire w = {p, (const uint8_t *)p + n};
    *out = (proto_model){0};
    message[0] = '\0';
    if (n > PROTO_MAX_SET)
        return bad(&r, "they are larger than %zu MiB", PROTO_MAX_SET >> 20);
    out->files = FL_NEW_N(a, proto_file, count(w, 1));
    r.messages = fl_map_new();
    r.enums = fl_map_new();
    bool ok = each(&r, w, set_item, out) && resolve(&r, out);
    fl_map_free(r.messages);
    fl_map_free(r.enums);
    return ok;
}
