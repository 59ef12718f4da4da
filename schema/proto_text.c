/* proto_text.c: the text of a .proto file out of a FileDescriptorProto, as the vendor's registry stores what clients
 * post in that form: syntax, package, imports, options, declarations, in the descriptor's order. What it cannot say is
 * refused, never left out; sch_proto_same tells whether a text says the same. */
#include "schema/proto_text.h"

#include <string.h>

/* Takes back what was written behind `len`. */
static void cut(proto_printer *p, size_t len)
{
    p->out->len = len;
    p->out->p[len] = 0;
}

/* ---- fields ---- */

bool proto_text_entry(proto_printer *p, const proto_scope *in, proto_wire field, proto_wire *entry, const uint8_t **at)
{
    const char *type = proto_text_of(p, field, 6);
    proto_wire w = in->body;
    proto_item nested, options;
    if (proto_text_number(p, field, 4, 0) != PROTO_REPEATED || proto_text_number(p, field, 5, 0) != PROTO_MESSAGE ||
        !type)
        return false;
    while (proto_text_next(p, &w, 3, &nested)) {
        proto_wire m = proto_inside(&nested);
        const char *name = proto_text_of(p, m, 1);
        p->work += strlen(in->full);
        if (name && !strcmp(type, fl_printf(p->a, ".%s%s%s", in->full, *in->full ? "." : "", name)) &&
            proto_text_find(p, m, 7, &options) && proto_text_number(p, proto_inside(&options), 7, 0)) {
            *entry = m;
            *at = nested.p;
            return true;
        }
    }
    return false;
}

const char *proto_text_type(proto_printer *p, proto_wire field)
{
    static const char *const scalars[] = {
        [PROTO_DOUBLE] = "double",     [PROTO_FLOAT] = "float",   [PROTO_INT64] = "int64",
        [PROTO_UINT64] = "uint64",     [PROTO_INT32] = "int32",   [PROTO_FIX64] = "fixed64",
        [PROTO_FIX32] = "fixed32",     [PROTO_BOOL] = "bool",     [PROTO_STRING] = "string",
        [PROTO_BYTES_TYPE] = "bytes",  [PROTO_UINT32] = "uint32", [PROTO_SFIXED32] = "sfixed32",
        [PROTO_SFIXED64] = "sfixed64", [PROTO_SINT32] = "sint32", [PROTO_SINT64] = "sint64",
    };
    int64_t type = proto_text_number(p, field, 5, 0);
    if (type == PROTO_MESSAGE || type == PROTO_ENUM)
        return proto_text_name(p, field, 6, true);
    if (type < 1 || type > PROTO_SINT64 || !scalars[type]) {
        proto_text_refuse(p,
                          "the descriptor has a field of a type that a .proto file written anew cannot have (group)");
        return "";
    }
    return scalars[type];
}

const char *proto_text_label(proto_printer *p, proto_wire field, bool plain)
{
    int64_t label = proto_text_number(p, field, 4, PROTO_OPTIONAL);
    if (label == PROTO_REPEATED)
        return "repeated ";
    if (plain)
        return "";
    if (label == PROTO_REQUIRED)
        return "required ";
    return !p->proto3 || proto_text_number(p, field, 17, 0) ? "optional " : "";
}

static void print_default(proto_printer *p, proto_wire field, proto_option_list *l)
{
    proto_item value;
    int64_t type = proto_text_number(p, field, 5, 0);
    if (!proto_text_find(p, field, 7, &value))
        return;
    const char *text = proto_text_string(p, &value);
    proto_text_option(p, l);
    fl_buf_adds(p->out, "default = ");
    if (type == PROTO_STRING)
        proto_text_quoted(p, text);
    else if (type == PROTO_BYTES_TYPE) /* it is escaped already */
        proto_text_say(p, "\"%s\"", text);
    else
        fl_buf_adds(p->out, text);
}

static void print_field(proto_printer *p, const proto_scope *in, proto_wire field, unsigned depth, bool plain)
{
    proto_wire entry, key = {0}, value = {0};
    const uint8_t *at;
    proto_item item;
    proto_option_list l = {.brackets = true, .depth = depth};
    const char *json = proto_text_of(p, field, 10), *name = proto_text_name(p, field, 1, false);
    proto_text_indent(p, depth);
    if (proto_text_entry(p, in, field, &entry, &at)) {
        while (proto_text_next(p, &entry, 2, &item))
            *(proto_text_number(p, proto_inside(&item), 3, 0) == 1 ? &key : &value) = proto_inside(&item);
        if (!key.p || !value.p)
            proto_text_refuse(p, "the descriptor has a map without key or value");
        else
            proto_text_say(p, "map<%s, %s> %s", proto_text_type(p, key), proto_text_type(p, value), name);
    } else {
        proto_text_say(p, "%s%s %s", proto_text_label(p, field, plain), proto_text_type(p, field), name);
    }
    proto_text_say(p, " = %d", (int)proto_text_number(p, field, 3, 0));
    print_default(p, field, &l);
    if (json && !sch_proto_json_name_is(name, json)) {
        proto_text_option(p, &l);
        fl_buf_adds(p->out, "json_name = ");
        proto_text_quoted(p, json);
    }
    proto_text_options(p, &sch_proto_options[PROTO_OF_FIELD], field, 8, &l);
    fl_buf_adds(p->out, l.n ? "];\n" : ";\n");
}

int64_t proto_text_oneof(proto_printer *p, proto_wire field)
{
    return proto_text_number(p, field, 17, 0) ? -1 : proto_text_number(p, field, 9, -1);
}

static void print_oneof(proto_printer *p, const proto_scope *in, int64_t index, unsigned depth)
{
    proto_wire w = in->body;
    proto_item item = {0};
    int64_t i = -1;
    while (i < index && proto_text_next(p, &w, 8, &item))
        i++;
    if (i < index) {
        proto_text_refuse(p, "the descriptor has a field of a oneof that is not there");
        return;
    }
    proto_text_indent(p, depth);
    proto_text_say(p, "oneof %s {\n", proto_text_name(p, proto_inside(&item), 1, false));
    proto_text_options(p, &sch_proto_options[PROTO_OF_ONEOF], proto_inside(&item), 2,
                       &(proto_option_list){.depth = depth + 1});
    w = in->body;
    while (proto_text_next(p, &w, 2, &item))
        if (proto_text_oneof(p, proto_inside(&item)) == index)
            print_field(p, in, proto_inside(&item), depth + 1, true);
    proto_text_indent(p, depth);
    fl_buf_adds(p->out, "}\n");
}

static void print_extensions(proto_printer *p, proto_wire w, uint32_t at, unsigned depth)
{
    static const proto_scope none = {.full = ""};
    proto_item item;
    while (proto_text_next(p, &w, at, &item)) {
        proto_text_indent(p, depth);
        proto_text_say(p, "extend %s {\n", proto_text_name(p, proto_inside(&item), 2, true));
        print_field(p, &none, proto_inside(&item), depth + 1, false);
        proto_text_indent(p, depth);
        fl_buf_adds(p->out, "}\n");
    }
}

/* ---- ranges ---- */

/* last: how far a range may go; open: the end that stands in a descriptor is one beyond. */
static void print_ranges(proto_printer *p, const char *word, proto_wire w, uint32_t at, int64_t last, bool open,
                         unsigned depth)
{
    proto_item item;
    while (proto_text_next(p, &w, at, &item)) {
        proto_wire range = proto_inside(&item);
        int32_t from = (int32_t)proto_text_number(p, range, 1, 0);
        int64_t to = (int64_t)(int32_t)proto_text_number(p, range, 2, 0) - open;
        proto_text_indent(p, depth);
        if (proto_text_find(p, range, 3, &item))
            proto_text_refuse(p, "the descriptor has options of a range, which are not known here");
        if (to == last)
            proto_text_say(p, "%s %d to max;\n", word, from);
        else if (to == from)
            proto_text_say(p, "%s %d;\n", word, from);
        else
            proto_text_say(p, "%s %d to %d;\n", word, from, (int)to);
    }
}

static void print_reserved_names(proto_printer *p, proto_wire w, uint32_t at, unsigned depth)
{
    proto_item item;
    while (proto_text_next(p, &w, at, &item)) {
        proto_text_indent(p, depth);
        fl_buf_adds(p->out, "reserved ");
        proto_text_quoted(p, proto_text_string(p, &item));
        fl_buf_adds(p->out, ";\n");
    }
}

/* ---- declarations ---- */

static void print_enum(proto_printer *p, proto_wire e, unsigned depth)
{
    proto_wire w = e;
    proto_item item;
    proto_text_indent(p, depth);
    proto_text_say(p, "enum %s {\n", proto_text_name(p, e, 1, false));
    proto_text_options(p, &sch_proto_options[PROTO_OF_ENUM], e, 3, &(proto_option_list){.depth = depth + 1});
    print_ranges(p, "reserved", e, 4, INT32_MAX, false, depth + 1);
    print_reserved_names(p, e, 5, depth + 1);
    while (proto_text_next(p, &w, 2, &item)) {
        proto_option_list l = {.brackets = true, .depth = depth + 1};
        proto_text_indent(p, depth + 1);
        proto_text_say(p, "%s = %d", proto_text_name(p, proto_inside(&item), 1, false),
                       (int)proto_text_number(p, proto_inside(&item), 2, 0));
        proto_text_options(p, &sch_proto_options[PROTO_OF_VALUE], proto_inside(&item), 3, &l);
        fl_buf_adds(p->out, l.n ? "];\n" : ";\n");
    }
    proto_text_indent(p, depth);
    fl_buf_adds(p->out, "}\n");
}

bool proto_text_is_entry(proto_printer *p, const proto_item *nested)
{
    proto_item options;
    return proto_text_find(p, proto_inside(nested), 7, &options) && proto_text_number(p, proto_inside(&options), 7, 0);
}

static void print_message(proto_printer *p, proto_wire m, const char *outer, unsigned depth);

/* Nested messages up to `until` (NULL: all): their order is what records of some clients count, entries of maps
 * included. */
static void print_nested(proto_printer *p, proto_wire *w, const char *full, const uint8_t *until, unsigned depth)
{
    proto_item nested;
    while (proto_text_next(p, w, 3, &nested) && nested.p != until)
        if (!proto_text_is_entry(p, &nested))
            print_message(p, proto_inside(&nested), full, depth);
}

static void print_fields(proto_printer *p, const proto_scope *in, proto_wire *nested, unsigned depth)
{
    proto_wire w = in->body, entry;
    proto_item item;
    const uint8_t *at;
    int64_t open = -1;
    while (proto_text_next(p, &w, 2, &item)) {
        proto_wire field = proto_inside(&item);
        int64_t oneof = proto_text_oneof(p, field);
        if (oneof >= 0 && oneof != open)
            print_oneof(p, in, oneof, depth);
        open = oneof;
        if (oneof >= 0)
            continue;
        if (proto_text_entry(p, in, field, &entry, &at) && nested->p <= at)
            print_nested(p, nested, in->full, at, depth);
        print_field(p, in, field, depth, false);
    }
}

static void print_message(proto_printer *p, proto_wire m, const char *outer, unsigned depth)
{
    const char *name = proto_text_name(p, m, 1, false);
    proto_scope in = {fl_printf(p->a, "%s%s%s", outer, *outer ? "." : "", name), m};
    proto_wire nested = m, w = m;
    proto_item item;
    if (++p->depth > PROTO_MAX_NEST)
        proto_text_refuse(p, "the descriptor has messages in messages deeper than %d", PROTO_MAX_NEST);
    proto_text_indent(p, depth);
    proto_text_say(p, "message %s {\n", name);
    proto_text_options(p, &sch_proto_options[PROTO_OF_MESSAGE], m, 7, &(proto_option_list){.depth = depth + 1});
    print_ranges(p, "reserved", m, 9, 536870911, true, depth + 1);
    print_reserved_names(p, m, 10, depth + 1);
    print_ranges(p, "extensions", m, 5, 536870911, true, depth + 1);
    print_fields(p, &in, &nested, depth + 1);
    print_nested(p, &nested, in.full, NULL, depth + 1);
    while (proto_text_next(p, &w, 4, &item))
        print_enum(p, proto_inside(&item), depth + 1);
    print_extensions(p, m, 6, depth + 1);
    proto_text_indent(p, depth);
    fl_buf_adds(p->out, "}\n");
    p->depth--;
}

static void print_service(proto_printer *p, proto_wire s)
{
    proto_wire w = s;
    proto_item item;
    proto_text_say(p, "service %s {\n", proto_text_name(p, s, 1, false));
    proto_text_options(p, &sch_proto_options[PROTO_OF_SERVICE], s, 3, &(proto_option_list){.depth = 1});
    while (proto_text_next(p, &w, 2, &item)) {
        proto_wire m = proto_inside(&item);
        size_t before = p->out->len;
        proto_text_say(p, "  rpc %s (%s%s) returns (%s%s)", proto_text_name(p, m, 1, false),
                       proto_text_number(p, m, 5, 0) ? "stream " : "", proto_text_name(p, m, 2, true),
                       proto_text_number(p, m, 6, 0) ? "stream " : "", proto_text_name(p, m, 3, true));
        size_t plain = p->out->len - before;
        fl_buf_adds(p->out, " {\n");
        proto_option_list l = {.depth = 2};
        proto_text_options(p, &sch_proto_options[PROTO_OF_METHOD], m, 4, &l);
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

static void print_imports(proto_printer *p, proto_wire file)
{
    proto_wire w = file;
    proto_item item, other;
    int64_t i = 0;
    while (proto_text_next(p, &w, 3, &item)) {
        const char *name = proto_text_string(p, &item), *how = "";
        for (proto_wire q = file; proto_text_next(p, &q, 10, &other);)
            how = other.kind == PROTO_VARINT && (int64_t)other.value == i ? "public " : how;
        for (proto_wire q = file; proto_text_next(p, &q, 11, &other);)
            how = other.kind == PROTO_VARINT && (int64_t)other.value == i ? "weak " : how;
        if (!i++)
            fl_buf_addc(p->out, '\n');
        if (!sch_proto_import_ok(name))
            proto_text_refuse(p, "the descriptor imports a file whose name cannot be imported");
        proto_text_say(p, "import %s", how);
        proto_text_quoted(p, name);
        fl_buf_adds(p->out, ";\n");
    }
}

static void print_declarations(proto_printer *p, proto_wire file, const char *package)
{
    static const uint32_t numbers[] = {4, 5, 6}; /* messages, enums, services */
    proto_item item;
    for (size_t i = 0; i < 3; i++)
        for (proto_wire w = file; proto_text_next(p, &w, numbers[i], &item);) {
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
    proto_printer p = {.a = a, .out = out, .message = message};
    proto_item item;
    const char *syntax, *package = "";
    size_t before;
    message[0] = 0;
    syntax = proto_text_of(&p, file, 12);
    if (syntax && strcmp(syntax, "proto2") != 0 && strcmp(syntax, "proto3") != 0)
        proto_text_refuse(&p, "the descriptor is of a syntax that is neither proto2 nor proto3");
    p.proto3 = syntax && !strcmp(syntax, "proto3");
    proto_text_say(&p, "syntax = \"%s\";\n", p.proto3 ? "proto3" : "proto2");
    if (proto_text_find(&p, file, 2, &item)) {
        package = proto_text_name(&p, file, 2, true);
        proto_text_say(&p, "package %s;\n", package);
    }
    print_imports(&p, file);
    before = out->len;
    fl_buf_addc(out, '\n');
    proto_option_list l = {0};
    proto_text_options(&p, &sch_proto_options[PROTO_OF_FILE], file, 8, &l);
    if (!l.n)
        cut(&p, before);
    print_declarations(&p, file, package);
    if (out->full)
        proto_text_refuse(&p, "the descriptor is too large");
    return !p.failed;
}
