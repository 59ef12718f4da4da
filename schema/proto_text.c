/* proto_text.c: the text of a .proto file out of a FileDescriptorProto, as the vendor's registry stores what clients
 * post in that form: syntax, package, imports, options, declarations, in the descriptor's order. What it cannot say is
 * refused, never left out; sch_proto_same tells whether a text says the same. */
#include "schema/proto.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema/proto_options.h"

typedef struct scope { /* of a message: its full name, "" for the file's package, and its own bytes */
    const char *full;
    proto_wire body;
} scope;

typedef struct printer {
    fl_arena *a;
    fl_buf *out;
    unsigned depth;
    size_t work; /* items that were looked at, and bytes of texts */
    bool proto3, failed;
    char *message; /* 256 */
} printer;

/* A descriptor of 1,000 messages with 50 fields each takes a tenth of it; a hostile one must not take minutes. */
#define MOST_WORK ((size_t)50 << 20)

static void refuse(printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(printer *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!p->failed)
        vsnprintf(p->message, 256, fmt, ap);
    va_end(ap);
    p->failed = true;
}

/* ---- reading ---- */

/* The next item of that number; false at the end. What is no message is refused. */
static bool next(printer *p, proto_wire *w, uint32_t number, proto_item *out)
{
    int more;
    while (!p->failed && (more = proto_next(w, out)) != 0) {
        if (++p->work > MOST_WORK || p->out->full)
            refuse(p, "the descriptor is too large");
        else if (more < 0)
            refuse(p, "the descriptor is damaged");
        else if (out->number == number)
            return true;
    }
    return false;
}

/* The last item of that number counts. */
static bool find(printer *p, proto_wire w, uint32_t number, proto_item *out)
{
    proto_item item;
    bool found = false;
    while (next(p, &w, number, &item)) {
        *out = item;
        found = true;
    }
    return found;
}

static int64_t number_of(printer *p, proto_wire w, uint32_t number, int64_t otherwise)
{
    proto_item item;
    return find(p, w, number, &item) && item.kind == PROTO_VARINT ? (int64_t)item.value : otherwise;
}

/* NULL: not there. Zero bytes and what is not UTF-8 are refused. */
static const char *string_of(printer *p, const proto_item *item)
{
    size_t bad;
    p->work += item->n;
    if (item->kind == PROTO_BYTES && !memchr(item->p, 0, item->n) && fl_utf8_ok((const char *)item->p, item->n, &bad))
        return fl_strndup(p->a, (const char *)item->p, item->n);
    refuse(p, "the descriptor holds a text that is none");
    return "";
}

static const char *text_of(printer *p, proto_wire w, uint32_t number)
{
    proto_item item;
    return find(p, w, number, &item) ? string_of(p, &item) : NULL;
}

/* A name, or with dots several: what else it held would be read as something else. */
static const char *name_of(printer *p, proto_wire w, uint32_t number, bool dots)
{
    const char *name = text_of(p, w, number);
    for (const char *c = name ? name : ""; *c; c++)
        if (!(*c == '_' || (*c >= '0' && *c <= '9') || ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') ||
              (dots && *c == '.')))
            refuse(p, "the descriptor holds a name that is none");
    if (!name || !*name)
        refuse(p, "the descriptor lacks a name");
    return name ? name : "";
}

/* ---- writing ---- */

static void say(printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(printer *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fl_buf_vaddf(p->out, fmt, ap);
    va_end(ap);
}

/* Takes back what was written behind `len`. */
static void cut(printer *p, size_t len)
{
    p->out->len = len;
    p->out->p[len] = 0;
}

static void indent(printer *p, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        fl_buf_adds(p->out, "  ");
}

static void quoted(printer *p, const uint8_t *s, size_t n)
{
    fl_buf_addc(p->out, '"');
    for (size_t i = 0; i < n; i++)
        if (s[i] == '"' || s[i] == '\\')
            fl_buf_addf(p->out, "\\%c", s[i]);
        else if (s[i] < 0x20 || s[i] == 0x7f)
            fl_buf_addf(p->out, "\\%03o", s[i]);
        else
            fl_buf_addc(p->out, (char)s[i]);
    fl_buf_addc(p->out, '"');
}

static void quoted_text(printer *p, const char *s)
{
    quoted(p, (const uint8_t *)s, strlen(s));
}

/* ---- options ---- */

/* How an option is introduced: a statement of its own, or one of a list in brackets. */
typedef struct option_list {
    bool brackets;
    unsigned depth;
    size_t n;
} option_list;

static void begin_option(printer *p, option_list *l)
{
    if (!l->brackets) {
        indent(p, l->depth);
        fl_buf_adds(p->out, "option ");
    } else {
        fl_buf_adds(p->out, l->n ? ", " : " [");
    }
    l->n++;
}

static void end_option(printer *p, const option_list *l)
{
    if (!l->brackets)
        fl_buf_adds(p->out, ";\n");
}

static void meta_params(printer *p, proto_wire meta, unsigned depth, bool *any)
{
    proto_item entry, key, value;
    bool first = true;
    while (next(p, &meta, 2, &entry)) {
        fl_buf_adds(p->out, first ? (*any ? ",\n" : "\n") : ",\n");
        indent(p, depth + 1 + !first);
        if (first)
            fl_buf_adds(p->out, "params: [\n");
        if (first)
            indent(p, depth + 2);
        first = false;
        *any = true;
        fl_buf_adds(p->out, "{ key: ");
        quoted_text(p, find(p, proto_inside(&entry), 1, &key) ? string_of(p, &key) : "");
        fl_buf_adds(p->out, ", value: ");
        quoted_text(p, find(p, proto_inside(&entry), 2, &value) ? string_of(p, &value) : "");
        fl_buf_adds(p->out, " }");
    }
    if (!first) {
        fl_buf_addc(p->out, '\n');
        indent(p, depth + 1);
        fl_buf_addc(p->out, ']');
    }
}

static void meta_tags(printer *p, proto_wire meta, unsigned depth, bool *any)
{
    proto_item tag;
    bool first = true;
    while (next(p, &meta, 3, &tag)) {
        if (first) {
            fl_buf_adds(p->out, *any ? ",\n" : "\n");
            indent(p, depth + 1);
            fl_buf_adds(p->out, "tags: [\n");
        } else {
            fl_buf_adds(p->out, ",\n");
        }
        first = false;
        *any = true;
        indent(p, depth + 2);
        quoted_text(p, string_of(p, &tag));
    }
    if (!first) {
        fl_buf_addc(p->out, '\n');
        indent(p, depth + 1);
        fl_buf_addc(p->out, ']');
    }
}

/* `(confluent.field_meta) = { … }`: doc, params, tags. */
static void print_meta(printer *p, const proto_options *kind, proto_wire meta, option_list *l)
{
    bool any = false;
    const char *doc = text_of(p, meta, 1);
    begin_option(p, l);
    say(p, "(confluent.%s_meta) = {", kind->meta);
    if (doc) {
        fl_buf_addc(p->out, '\n');
        indent(p, l->depth + 1);
        fl_buf_adds(p->out, "doc: ");
        quoted_text(p, doc);
        any = true;
    }
    meta_params(p, meta, l->depth, &any);
    meta_tags(p, meta, l->depth, &any);
    if (any) {
        fl_buf_addc(p->out, '\n');
        indent(p, l->depth);
    }
    fl_buf_addc(p->out, '}');
    end_option(p, l);
}

static void print_option(printer *p, const proto_options *kind, const proto_item *item, option_list *l)
{
    const proto_option *o = sch_proto_option(kind, item->number);
    if (!o || item->kind != (o->type == PROTO_OPTION_TEXT ? PROTO_BYTES : PROTO_VARINT) ||
        (o->type == PROTO_OPTION_WORD && !sch_proto_option_word(o, item->value))) {
        refuse(p, "the descriptor uses option %u of a %s, which is not known here", item->number, kind->name);
        return;
    }
    begin_option(p, l);
    say(p, "%s = ", o->name);
    if (o->type == PROTO_OPTION_TEXT)
        quoted_text(p, string_of(p, item));
    else if (o->type == PROTO_OPTION_FLAG)
        fl_buf_adds(p->out, item->value ? "true" : "false");
    else
        fl_buf_adds(p->out, sch_proto_option_word(o, item->value));
    end_option(p, l);
}

/* The options of a declaration, at its number `at`. */
static void print_options(printer *p, const proto_options *kind, proto_wire of, uint32_t at, option_list *l)
{
    proto_item options, item;
    fl_buf meta;
    bool has_meta = false;
    fl_buf_init(&meta, PROTO_MAX_SET);
    while (next(p, &of, at, &options)) {
        proto_wire w = proto_inside(&options);
        int more = 0;
        while (!p->failed && (more = proto_next(&w, &item)) == 1)
            if (item.number == PROTO_META_NUMBER && kind->meta && item.kind == PROTO_BYTES) {
                fl_buf_add(&meta, item.p, item.n); /* several are one */
                has_meta = true;
            } else if (!(kind->skip && item.number == kind->skip)) {
                print_option(p, kind, &item, l);
            }
        if (more < 0 || options.kind != PROTO_BYTES)
            refuse(p, "the descriptor is damaged");
    }
    if (has_meta && !p->failed)
        print_meta(p, kind, (proto_wire){(const uint8_t *)meta.p, (const uint8_t *)meta.p + meta.len}, l);
    fl_buf_free(&meta);
}

/* ---- fields ---- */

/* The nested message that stands for the entries of a map field; false: the field is none. */
static bool entry_of(printer *p, const scope *in, proto_wire field, proto_wire *entry, const uint8_t **at)
{
    const char *type = text_of(p, field, 6);
    proto_wire w = in->body;
    proto_item nested, options;
    if (number_of(p, field, 4, 0) != PROTO_REPEATED || number_of(p, field, 5, 0) != PROTO_MESSAGE || !type)
        return false;
    while (next(p, &w, 3, &nested)) {
        proto_wire m = proto_inside(&nested);
        const char *name = text_of(p, m, 1);
        p->work += strlen(in->full);
        if (name && !strcmp(type, fl_printf(p->a, ".%s%s%s", in->full, *in->full ? "." : "", name)) &&
            find(p, m, 7, &options) && number_of(p, proto_inside(&options), 7, 0)) {
            *entry = m;
            *at = nested.p;
            return true;
        }
    }
    return false;
}

static const char *type_of(printer *p, proto_wire field)
{
    static const char *const scalars[] = {
        [PROTO_DOUBLE] = "double",     [PROTO_FLOAT] = "float",   [PROTO_INT64] = "int64",
        [PROTO_UINT64] = "uint64",     [PROTO_INT32] = "int32",   [PROTO_FIX64] = "fixed64",
        [PROTO_FIX32] = "fixed32",     [PROTO_BOOL] = "bool",     [PROTO_STRING] = "string",
        [PROTO_BYTES_TYPE] = "bytes",  [PROTO_UINT32] = "uint32", [PROTO_SFIXED32] = "sfixed32",
        [PROTO_SFIXED64] = "sfixed64", [PROTO_SINT32] = "sint32", [PROTO_SINT64] = "sint64",
    };
    int64_t type = number_of(p, field, 5, 0);
    if (type == PROTO_MESSAGE || type == PROTO_ENUM)
        return name_of(p, field, 6, true);
    if (type < 1 || type > PROTO_SINT64 || !scalars[type]) {
        refuse(p, "the descriptor has a field of a type that a .proto file written anew cannot have (group)");
        return "";
    }
    return scalars[type];
}

static const char *label_of(printer *p, proto_wire field, bool plain)
{
    int64_t label = number_of(p, field, 4, PROTO_OPTIONAL);
    if (label == PROTO_REPEATED)
        return "repeated ";
    if (plain)
        return "";
    if (label == PROTO_REQUIRED)
        return "required ";
    return !p->proto3 || number_of(p, field, 17, 0) ? "optional " : "";
}

static void print_default(printer *p, proto_wire field, option_list *l)
{
    proto_item value;
    int64_t type = number_of(p, field, 5, 0);
    if (!find(p, field, 7, &value))
        return;
    const char *text = string_of(p, &value);
    begin_option(p, l);
    fl_buf_adds(p->out, "default = ");
    if (type == PROTO_STRING)
        quoted_text(p, text);
    else if (type == PROTO_BYTES_TYPE) /* it is escaped already */
        say(p, "\"%s\"", text);
    else
        fl_buf_adds(p->out, text);
}

static void print_field(printer *p, const scope *in, proto_wire field, unsigned depth, bool plain)
{
    proto_wire entry, key = {0}, value = {0};
    const uint8_t *at;
    proto_item item;
    option_list l = {.brackets = true, .depth = depth};
    const char *json = text_of(p, field, 10), *name = name_of(p, field, 1, false);
    indent(p, depth);
    if (entry_of(p, in, field, &entry, &at)) {
        while (next(p, &entry, 2, &item))
            *(number_of(p, proto_inside(&item), 3, 0) == 1 ? &key : &value) = proto_inside(&item);
        if (!key.p || !value.p)
            refuse(p, "the descriptor has a map without key or value");
        else
            say(p, "map<%s, %s> %s", type_of(p, key), type_of(p, value), name);
    } else {
        say(p, "%s%s %s", label_of(p, field, plain), type_of(p, field), name);
    }
    say(p, " = %d", (int)number_of(p, field, 3, 0));
    print_default(p, field, &l);
    if (json && !sch_proto_json_name_is(name, json)) {
        begin_option(p, &l);
        fl_buf_adds(p->out, "json_name = ");
        quoted_text(p, json);
    }
    print_options(p, &sch_proto_options[PROTO_OF_FIELD], field, 8, &l);
    fl_buf_adds(p->out, l.n ? "];\n" : ";\n");
}

/* `optional` of proto3 stands behind a oneof of its own that no text has. */
static int64_t oneof_of(printer *p, proto_wire field)
{
    return number_of(p, field, 17, 0) ? -1 : number_of(p, field, 9, -1);
}

static void print_oneof(printer *p, const scope *in, int64_t index, unsigned depth)
{
    proto_wire w = in->body;
    proto_item item = {0};
    int64_t i = -1;
    while (i < index && next(p, &w, 8, &item))
        i++;
    if (i < index) {
        refuse(p, "the descriptor has a field of a oneof that is not there");
        return;
    }
    indent(p, depth);
    say(p, "oneof %s {\n", name_of(p, proto_inside(&item), 1, false));
    print_options(p, &sch_proto_options[PROTO_OF_ONEOF], proto_inside(&item), 2, &(option_list){.depth = depth + 1});
    w = in->body;
    while (next(p, &w, 2, &item))
        if (oneof_of(p, proto_inside(&item)) == index)
            print_field(p, in, proto_inside(&item), depth + 1, true);
    indent(p, depth);
    fl_buf_adds(p->out, "}\n");
}

static void print_extensions(printer *p, proto_wire w, uint32_t at, unsigned depth)
{
    static const scope none = {.full = ""};
    proto_item item;
    while (next(p, &w, at, &item)) {
        indent(p, depth);
        say(p, "extend %s {\n", name_of(p, proto_inside(&item), 2, true));
        print_field(p, &none, proto_inside(&item), depth + 1, false);
        indent(p, depth);
        fl_buf_adds(p->out, "}\n");
    }
}

/* ---- ranges ---- */

/* last: how far a range may go; open: the end that stands in a descriptor is one beyond. */
static void print_ranges(printer *p, const char *word, proto_wire w, uint32_t at, int64_t last, bool open,
                         unsigned depth)
{
    proto_item item;
    while (next(p, &w, at, &item)) {
        proto_wire range = proto_inside(&item);
        int32_t from = (int32_t)number_of(p, range, 1, 0);
        int64_t to = (int64_t)(int32_t)number_of(p, range, 2, 0) - open;
        indent(p, depth);
        if (find(p, range, 3, &item))
            refuse(p, "the descriptor has options of a range, which are not known here");
        if (to == last)
            say(p, "%s %d to max;\n", word, from);
        else if (to == from)
            say(p, "%s %d;\n", word, from);
        else
            say(p, "%s %d to %d;\n", word, from, (int)to);
    }
}

static void print_reserved_names(printer *p, proto_wire w, uint32_t at, unsigned depth)
{
    proto_item item;
    while (next(p, &w, at, &item)) {
        indent(p, depth);
        fl_buf_adds(p->out, "reserved ");
        quoted_text(p, string_of(p, &item));
        fl_buf_adds(p->out, ";\n");
    }
}

/* ---- declarations ---- */

static void print_enum(printer *p, proto_wire e, unsigned depth)
{
    proto_wire w = e;
    proto_item item;
    indent(p, depth);
    say(p, "enum %s {\n", name_of(p, e, 1, false));
    print_options(p, &sch_proto_options[PROTO_OF_ENUM], e, 3, &(option_list){.depth = depth + 1});
    print_ranges(p, "reserved", e, 4, INT32_MAX, false, depth + 1);
    print_reserved_names(p, e, 5, depth + 1);
    while (next(p, &w, 2, &item)) {
        option_list l = {.brackets = true, .depth = depth + 1};
        indent(p, depth + 1);
        say(p, "%s = %d", name_of(p, proto_inside(&item), 1, false), (int)number_of(p, proto_inside(&item), 2, 0));
        print_options(p, &sch_proto_options[PROTO_OF_VALUE], proto_inside(&item), 3, &l);
        fl_buf_adds(p->out, l.n ? "];\n" : ";\n");
    }
    indent(p, depth);
    fl_buf_adds(p->out, "}\n");
}

static bool is_entry(printer *p, const proto_item *nested)
{
    proto_item options;
    return find(p, proto_inside(nested), 7, &options) && number_of(p, proto_inside(&options), 7, 0);
}

static void print_message(printer *p, proto_wire m, const char *outer, unsigned depth);

/* Nested messages up to `until` (NULL: all): their order is what records of some clients count, entries of maps
 * included. */
static void print_nested(printer *p, proto_wire *w, const char *full, const uint8_t *until, unsigned depth)
{
    proto_item nested;
    while (next(p, w, 3, &nested) && nested.p != until)
        if (!is_entry(p, &nested))
            print_message(p, proto_inside(&nested), full, depth);
}

static void print_fields(printer *p, const scope *in, proto_wire *nested, unsigned depth)
{
    proto_wire w = in->body, entry;
    proto_item item;
    const uint8_t *at;
    int64_t open = -1;
    while (next(p, &w, 2, &item)) {
        proto_wire field = proto_inside(&item);
        int64_t oneof = oneof_of(p, field);
        if (oneof >= 0 && oneof != open)
            print_oneof(p, in, oneof, depth);
        open = oneof;
        if (oneof >= 0)
            continue;
        if (entry_of(p, in, field, &entry, &at) && nested->p <= at)
            print_nested(p, nested, in->full, at, depth);
        print_field(p, in, field, depth, false);
    }
}

static void print_message(printer *p, proto_wire m, const char *outer, unsigned depth)
{
    const char *name = name_of(p, m, 1, false);
    scope in = {fl_printf(p->a, "%s%s%s", outer, *outer ? "." : "", name), m};
    proto_wire nested = m, w = m;
    proto_item item;
    if (++p->depth > PROTO_MAX_NEST)
        refuse(p, "the descriptor has messages in messages deeper than %d", PROTO_MAX_NEST);
    indent(p, depth);
    say(p, "message %s {\n", name);
    print_options(p, &sch_proto_options[PROTO_OF_MESSAGE], m, 7, &(option_list){.depth = depth + 1});
    print_ranges(p, "reserved", m, 9, 536870911, true, depth + 1);
    print_reserved_names(p, m, 10, depth + 1);
    print_ranges(p, "extensions", m, 5, 536870911, true, depth + 1);
    print_fields(p, &in, &nested, depth + 1);
    print_nested(p, &nested, in.full, NULL, depth + 1);
    while (next(p, &w, 4, &item))
        print_enum(p, proto_inside(&item), depth + 1);
    print_extensions(p, m, 6, depth + 1);
    indent(p, depth);
    fl_buf_adds(p->out, "}\n");
    p->depth--;
}

static void print_service(printer *p, proto_wire s)
{
    proto_wire w = s;
    proto_item item;
    say(p, "service %s {\n", name_of(p, s, 1, false));
    print_options(p, &sch_proto_options[PROTO_OF_SERVICE], s, 3, &(option_list){.depth = 1});
    while (next(p, &w, 2, &item)) {
        proto_wire m = proto_inside(&item);
        size_t before = p->out->len;
        say(p, "  rpc %s (%s%s) returns (%s%s)", name_of(p, m, 1, false), number_of(p, m, 5, 0) ? "stream " : "",
            name_of(p, m, 2, true), number_of(p, m, 6, 0) ? "stream " : "", name_of(p, m, 3, true));
        size_t plain = p->out->len - before;
        fl_buf_adds(p->out, " {\n");
        option_list l = {.depth = 2};
        print_options(p, &sch_proto_options[PROTO_OF_METHOD], m, 4, &l);
        if (l.n) {
            fl_buf_adds(p->out, "  }\n");
        } else {
            cut(p, before + plain);
            fl_buf_adds(p->out, ";\n");
        }
    }
    fl_buf_adds(p->out, "}\n");
}

/* ---- files ---- */

static void print_imports(printer *p, proto_wire file)
{
    proto_wire w = file;
    proto_item item, other;
    int64_t i = 0;
    while (next(p, &w, 3, &item)) {
        const char *name = string_of(p, &item), *how = "";
        for (proto_wire q = file; next(p, &q, 10, &other);)
            how = other.kind == PROTO_VARINT && (int64_t)other.value == i ? "public " : how;
        for (proto_wire q = file; next(p, &q, 11, &other);)
            how = other.kind == PROTO_VARINT && (int64_t)other.value == i ? "weak " : how;
        if (!i++)
            fl_buf_addc(p->out, '\n');
        if (!sch_proto_import_ok(name))
            refuse(p, "the descriptor imports a file whose name cannot be imported");
        say(p, "import %s", how);
        quoted_text(p, name);
        fl_buf_adds(p->out, ";\n");
    }
}

static void print_declarations(printer *p, proto_wire file, const char *package)
{
    static const uint32_t numbers[] = {4, 5, 6}; /* messages, enums, services */
    proto_item item;
    for (size_t i = 0; i < 3; i++)
        for (proto_wire w = file; next(p, &w, numbers[i], &item);) {
            fl_buf_addc(p->out, '\n');
            if (numbers[i] == 4)
                print_message(p, proto_inside(&item), package, 0);
            else if (numbers[i] == 5)
                print_enum(p, proto_inside(&item), 0);
            else
                print_service(p, proto_inside(&item));
        }
    print_extensions(p, file, 7, 0);
}

bool sch_proto_print(fl_arena *a, const void *bytes, size_t n, fl_buf *out, char message[256])
{
    proto_wire file = {bytes, (const uint8_t *)bytes + n};
    printer p = {.a = a, .out = out, .message = message};
    proto_item item;
    const char *syntax, *package = "";
    size_t before;
    message[0] = 0;
    syntax = text_of(&p, file, 12);
    if (syntax && strcmp(syntax, "proto2") != 0 && strcmp(syntax, "proto3") != 0)
        refuse(&p, "the descriptor is of a syntax that is neither proto2 nor proto3");
    p.proto3 = syntax && !strcmp(syntax, "proto3");
    say(&p, "syntax = \"%s\";\n", p.proto3 ? "proto3" : "proto2");
    if (find(&p, file, 2, &item)) {
        package = name_of(&p, file, 2, true);
        say(&p, "package %s;\n", package);
    }
    print_imports(&p, file);
    before = out->len;
    fl_buf_addc(out, '\n');
    option_list l = {0};
    print_options(&p, &sch_proto_options[PROTO_OF_FILE], file, 8, &l);
    if (!l.n)
        cut(&p, before);
    print_declarations(&p, file, package);
    if (out->full)
        refuse(&p, "the descriptor is too large");
    return !p.failed;
}
