/* proto_normal.c: the one text of .proto files that mean the same, out of the descriptors that protoc makes of them.
 *
 * What is written how: the vendor's ProtobufSchemaUtils.toFormattedString with `normalize`
 * (confluentinc/schema-registry 8.x, protobuf-provider): imports sorted, each once; options sorted by name; fields,
 * oneofs and extensions by number; reserved and extension ranges one by one; types in full with a leading dot; `syntax`
 * for proto3 alone; messages, and services, in their order. Not followed, since it changes what a file means:
 *   - values of enums: the first stays first (it is what a reader takes where nothing is written), aliases stay in
 *     order;
 *   - numbers in options keep all digits (the vendor: 3 behind the point);
 *   - messages nested before a map field stay before it: entries of maps count in the indexes of records. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "schema/proto_normal.h"

enum { MAX_FIELD = 536870911 };

/* ---- order ---- */

typedef struct sorted {
    int64_t key;
    size_t nth;
    proto_item item;
} sorted;

typedef FL_VEC(sorted) sorted_items;

static int by_key(const void *x, const void *y)
{
    const sorted *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->nth < b->nth ? -1 : a->nth > b->nth;
}

/* The items at number `at`, by their own number `key`. */
static sorted_items in_order(proto_normal *n, proto_wire w, uint32_t at, uint32_t key)
{
    sorted_items list = {0};
    proto_item item;
    while (proto_text_next(&n->p, &w, at, &item)) {
        int64_t number = (int32_t)proto_text_number(&n->p, proto_inside(&item), key, 0);
        size_t nth = list.n;
        FL_PUSH(n->p.a, &list, ((sorted){number, nth, item}));
    }
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_key);
    return list;
}

/* Members of descriptor.proto that are not known here would be lost. */
static void only(proto_normal *n, proto_wire w, uint32_t numbers)
{
    proto_item item;
    while (!n->p.failed && proto_next(&w, &item) == 1)
        if (item.number > 31 || !(numbers >> item.number & 1))
            proto_text_refuse(&n->p, "the descriptor has a member %u that is not known here", item.number);
}

/* The empty line between two groups of declarations of a message, or the end of its first line. */
static void section(proto_normal *n, bool *first, unsigned depth)
{
    if (!*first)
        proto_text_indent(&n->p, depth);
    fl_buf_addc(n->p.out, '\n');
    *first = false;
}

/* ---- fields ---- */

static const char *default_text(proto_normal *n, proto_wire field)
{
    proto_item value;
    int64_t type = proto_text_number(&n->p, field, 5, 0);
    fl_buf b;
    if (!proto_text_find(&n->p, field, 7, &value))
        return NULL;
    const char *text = proto_text_string(&n->p, &value);
    if (type == PROTO_BYTES_TYPE) /* it is escaped already */
        return fl_printf(n->p.a, "\"%s\"", text);
    if (type != PROTO_STRING)
        return text;
    fl_buf_init(&b, PROTO_MAX_SET);
    proto_normal_quoted(&b, (const uint8_t *)text, strlen(text), false);
    text = fl_strndup(n->p.a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

/* NULL: what the field's name gives by itself. */
static const char *json_text(proto_normal *n, proto_wire field, const char *name)
{
    const char *json = proto_text_of(&n->p, field, 10);
    fl_buf b;
    if (!json || sch_proto_json_name_is(name, json))
        return NULL;
    fl_buf_init(&b, PROTO_MAX_SET);
    proto_normal_quoted(&b, (const uint8_t *)json, strlen(json), false);
    json = fl_strndup(n->p.a, b.p, b.len);
    fl_buf_free(&b);
    return json;
}

static void print_map_type(proto_normal *n, proto_wire entry)
{
    proto_wire key = {0}, value = {0};
    proto_item item;
    while (proto_text_next(&n->p, &entry, 2, &item))
        *(proto_text_number(&n->p, proto_inside(&item), 3, 0) == 1 ? &key : &value) = proto_inside(&item);
    if (!key.p || !value.p)
        proto_text_refuse(&n->p, "the descriptor has a map without key or value");
    else
        proto_text_say(&n->p, "map<%s, %s>", proto_text_type(&n->p, key), proto_text_type(&n->p, value));
}

static void print_field(proto_normal *n, const proto_scope *in, proto_wire field, unsigned depth, bool plain)
{
    proto_wire entry;
    const uint8_t *at;
    const char *name = proto_text_name(&n->p, field, 1, false);
    const proto_special_option more[2] = {{"default", default_text(n, field)},
                                          {"json_name", json_text(n, field, name)}};
    only(n, field, 0x207fe);
    proto_text_indent(&n->p, depth);
    if (proto_text_entry(&n->p, in, field, &entry, &at))
        print_map_type(n, entry);
    else
        proto_text_say(&n->p, "%s%s", proto_text_label(&n->p, field, plain), proto_text_type(&n->p, field));
    proto_text_say(&n->p, " %s = %d", name, (int)proto_text_number(&n->p, field, 3, 0));
    proto_normal_brackets(n, &sch_proto_options[PROTO_OF_FIELD], field, 8, more, depth);
    fl_buf_adds(n->p.out, ";\n");
}

static void print_oneof(proto_normal *n, const proto_scope *in, int64_t index, const sorted_items *fields,
                        unsigned depth)
{
    proto_wire w = in->body;
    proto_item item = {0};
    int64_t i = -1;
    while (i < index && proto_text_next(&n->p, &w, 8, &item))
        i++;
    if (i < index || index < 0) {
        proto_text_refuse(&n->p, "the descriptor has a field of a oneof that is not there");
        return;
    }
    only(n, proto_inside(&item), 0x6);
    proto_text_indent(&n->p, depth);
    proto_text_say(&n->p, "oneof %s {\n", proto_text_name(&n->p, proto_inside(&item), 1, false));
    if (proto_normal_statements(n, &sch_proto_options[PROTO_OF_ONEOF], proto_inside(&item), 2, false, depth + 1)) {
        proto_text_indent(&n->p, depth);
        fl_buf_addc(n->p.out, '\n');
    }
    for (size_t k = 0; k < fields->n; k++)
        if (proto_text_oneof(&n->p, proto_inside(&fields->v[k].item)) == index)
            print_field(n, in, proto_inside(&fields->v[k].item), depth + 1, true);
    proto_text_indent(&n->p, depth);
    fl_buf_adds(n->p.out, "}\n");
}

/* Oneofs by their lowest number. */
static void print_oneofs(proto_normal *n, const proto_scope *in, const sorted_items *fields, bool *first,
                         unsigned depth)
{
    FL_VEC(int64_t) seen = {0};
    for (size_t i = 0; i < fields->n && !n->p.failed; i++) {
        int64_t oneof = proto_text_oneof(&n->p, proto_inside(&fields->v[i].item));
        bool again = oneof < 0;
        proto_text_work(&n->p, seen.n);
        for (size_t k = 0; k < seen.n; k++)
            again = again || seen.v[k] == oneof;
        if (again)
            continue;
        if (!seen.n)
            section(n, first, depth);
        FL_PUSH(n->p.a, &seen, oneof);
        print_oneof(n, in, oneof, fields, depth + 1);
    }
}

/* By the message that is extended, in the order in which these come; in each by number. */
static void print_extensions(proto_normal *n, proto_wire w, uint32_t at, unsigned depth)
{
    static const proto_scope none = {.full = ""};
    sorted_items list = in_order(n, w, at, 3);
    proto_item item;
    fl_map *done = fl_map_new();
    while (proto_text_next(&n->p, &w, at, &item)) {
        const char *extended = proto_text_name(&n->p, proto_inside(&item), 2, true);
        if (fl_map_put(done, extended, (void *)extended))
            continue;
        proto_text_indent(&n->p, depth);
        proto_text_say(&n->p, "extend %s {\n", extended);
        for (size_t i = 0; i < list.n; i++)
            if (!strcmp(proto_text_name(&n->p, proto_inside(&list.v[i].item), 2, true), extended))
                print_field(n, &none, proto_inside(&list.v[i].item), depth + 1, false);
        proto_text_indent(&n->p, depth);
        fl_buf_adds(n->p.out, "}\n");
    }
    fl_map_free(done);
}

/* ---- ranges ---- */

/* last: how far a range may go; open: the end that stands in a descriptor is one beyond. */
static void print_ranges(proto_normal *n, const char *word, const sorted_items *list, int64_t last, bool open,
                         unsigned depth)
{
    for (size_t i = 0; i < list->n; i++) {
        proto_wire range = proto_inside(&list->v[i].item);
        int64_t to = (int64_t)(int32_t)proto_text_number(&n->p, range, 2, 0) - open;
        only(n, range, 0x6); /* options of a range are not known here */
        proto_text_indent(&n->p, depth);
        proto_text_say(&n->p, "%s %d", word, (int)list->v[i].key);
        if (to == last)
            fl_buf_adds(n->p.out, " to max;\n");
        else if (to == list->v[i].key)
            fl_buf_adds(n->p.out, ";\n");
        else
            proto_text_say(&n->p, " to %d;\n", (int)to);
    }
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

typedef FL_VEC(const char *) texts;

static texts sorted_texts(proto_normal *n, proto_wire w, uint32_t at)
{
    texts list = {0};
    proto_item item;
    while (proto_text_next(&n->p, &w, at, &item))
        FL_PUSH(n->p.a, &list, proto_text_string(&n->p, &item));
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_text);
    return list;
}

/* Numbers first, then names. */
static void print_reserved(proto_normal *n, proto_wire w, uint32_t numbers, uint32_t names, int64_t last, bool open,
                           bool *first, unsigned depth)
{
    sorted_items ranges = in_order(n, w, numbers, 1);
    texts words = sorted_texts(n, w, names);
    if (ranges.n || words.n)
        section(n, first, depth);
    print_ranges(n, "reserved", &ranges, last, open, depth + 1);
    for (size_t i = 0; i < words.n; i++) {
        proto_text_indent(&n->p, depth + 1);
        fl_buf_adds(n->p.out, "reserved ");
        proto_normal_quoted(n->p.out, (const uint8_t *)words.v[i], strlen(words.v[i]), false);
        fl_buf_adds(n->p.out, ";\n");
    }
}

/* ---- declarations ---- */

static void print_value(proto_normal *n, proto_wire value, unsigned depth)
{
    only(n, value, 0xe);
    proto_text_indent(&n->p, depth);
    proto_text_say(&n->p, "%s = %d", proto_text_name(&n->p, value, 1, false),
                   (int)proto_text_number(&n->p, value, 2, 0));
    proto_normal_brackets(n, &sch_proto_options[PROTO_OF_VALUE], value, 3, NULL, depth);
    fl_buf_adds(n->p.out, ";\n");
}

static void print_enum(proto_normal *n, proto_wire e, unsigned depth)
{
    sorted_items list = in_order(n, e, 2, 2);
    bool first = true;
    only(n, e, 0x3e);
    proto_text_indent(&n->p, depth);
    proto_text_say(&n->p, "enum %s {", proto_text_name(&n->p, e, 1, false));
    print_reserved(n, e, 4, 5, INT32_MAX, false, &first, depth);
    if (first)
        section(n, &first, depth);
    proto_normal_statements(n, &sch_proto_options[PROTO_OF_ENUM], e, 3, false, depth + 1);
    for (size_t i = 0; i < list.n; i++)
        if (!list.v[i].nth)
            print_value(n, proto_inside(&list.v[i].item), depth + 1);
    for (size_t i = 0; i < list.n; i++)
        if (list.v[i].nth)
            print_value(n, proto_inside(&list.v[i].item), depth + 1);
    proto_text_indent(&n->p, depth);
    fl_buf_adds(n->p.out, "}\n");
}

static void print_message(proto_normal *n, proto_wire m, const char *outer, unsigned depth);

/* What is left of the nested messages; with `entries`, those that have at most so many entries of maps before them. */
typedef struct nested {
    proto_wire left;
    size_t entries; /* that were passed */
} nested;

static void print_nested(proto_normal *n, nested *of, const char *full, size_t entries, unsigned depth)
{
    proto_wire before = of->left;
    proto_item item;
    while (proto_text_next(&n->p, &of->left, 3, &item)) {
        bool entry = proto_text_is_entry(&n->p, &item);
        if (entry && of->entries == entries) {
            of->left = before;
            return;
        }
        if (entry)
            of->entries++;
        else
            print_message(n, proto_inside(&item), full, depth);
        before = of->left;
    }
}

static void print_fields(proto_normal *n, const proto_scope *in, const sorted_items *fields, nested *of, bool *first,
                         unsigned depth)
{
    size_t maps = 0;
    bool any = false;
    proto_wire entry;
    const uint8_t *at;
    for (size_t i = 0; i < fields->n && !n->p.failed; i++) {
        proto_wire field = proto_inside(&fields->v[i].item);
        if (proto_text_oneof(&n->p, field) >= 0)
            continue;
        if (!any)
            section(n, first, depth);
        any = true;
        if (proto_text_entry(&n->p, in, field, &entry, &at))
            print_nested(n, of, in->full, maps++, depth + 1);
        print_field(n, in, field, depth + 1, false);
    }
}

/* Extension ranges and extensions of a message. */
static void print_extending(proto_normal *n, proto_wire m, bool *first, unsigned depth)
{
    proto_item item;
    sorted_items ranges = in_order(n, m, 5, 1);
    if (n->bare)
        return;
    if (ranges.n) {
        section(n, first, depth);
        print_ranges(n, "extensions", &ranges, MAX_FIELD, true, depth + 1);
    }
    if (proto_text_find(&n->p, m, 6, &item)) {
        section(n, first, depth);
        print_extensions(n, m, 6, depth + 1);
    }
}

/* Nested messages, but for those that had to come earlier, and enums. */
static void print_types(proto_normal *n, const proto_scope *in, nested *of, bool *first, unsigned depth)
{
    size_t before = n->p.out->len, start;
    proto_wire w = in->body;
    proto_item item;
    bool was = *first;
    section(n, first, depth);
    start = n->p.out->len;
    print_nested(n, of, in->full, SIZE_MAX, depth + 1);
    while (proto_text_next(&n->p, &w, 4, &item))
        print_enum(n, proto_inside(&item), depth + 1);
    if (n->p.out->len == start && !n->p.out->full) {
        n->p.out->len = before;
        n->p.out->p[before] = '\0';
        *first = was;
    }
}

static void print_message(proto_normal *n, proto_wire m, const char *outer, unsigned depth)
{
    const char *name = proto_text_name(&n->p, m, 1, false);
    proto_scope in = {fl_printf(n->p.a, "%s%s%s", outer, *outer ? "." : "", name), m};
    nested of = {.left = m};
    bool first = true;
    only(n, m, 0x7fe);
    if (++n->p.depth > PROTO_MAX_NEST)
        proto_text_refuse(&n->p, "the descriptor has messages in messages deeper than %d", PROTO_MAX_NEST);
    sorted_items fields = in_order(n, m, 2, 3);
    proto_text_indent(&n->p, depth);
    proto_text_say(&n->p, "message %s {", name);
    print_reserved(n, m, 9, 10, MAX_FIELD, true, &first, depth);
    size_t before = n->p.out->len; /* options come behind a line of their own, which is not there before they are */
    section(n, &first, depth);
    if (!proto_normal_statements(n, &sch_proto_options[PROTO_OF_MESSAGE], m, 7, false, depth + 1) && !n->p.out->full) {
        n->p.out->len = before;
        n->p.out->p[before] = '\0';
        first = n->p.out->p[before - 1] == '{';
    }
    print_fields(n, &in, &fields, &of, &first, depth);
    print_oneofs(n, &in, &fields, &first, depth);
    print_extending(n, m, &first, depth);
    print_types(n, &in, &of, &first, depth);
    if (!first)
        proto_text_indent(&n->p, depth);
    fl_buf_adds(n->p.out, "}\n");
    n->p.depth--;
}

static void print_method(proto_normal *n, proto_wire m)
{
    only(n, m, 0x7e);
    size_t before;
    proto_text_say(&n->p, "  rpc %s (%s%s) returns (%s%s)", proto_text_name(&n->p, m, 1, false),
                   proto_text_number(&n->p, m, 5, 0) ? "stream " : "", proto_text_name(&n->p, m, 2, true),
                   proto_text_number(&n->p, m, 6, 0) ? "stream " : "", proto_text_name(&n->p, m, 3, true));
    before = n->p.out->len;
    fl_buf_adds(n->p.out, " {\n");
    if (proto_normal_statements(n, &sch_proto_options[PROTO_OF_METHOD], m, 4, false, 2)) {
        fl_buf_adds(n->p.out, "  }");
    } else if (!n->p.out->full) {
        n->p.out->len = before;
        n->p.out->p[before] = '\0';
    }
    fl_buf_adds(n->p.out, ";\n");
}

static void print_service(proto_normal *n, proto_wire s)
{
    proto_wire w = s;
    proto_item item;
    only(n, s, 0xe);
    bool methods = proto_text_find(&n->p, s, 2, &item);
    proto_text_say(&n->p, "service %s {", proto_text_name(&n->p, s, 1, false));
    proto_normal_statements(n, &sch_proto_options[PROTO_OF_SERVICE], s, 3, true, 1);
    fl_buf_adds(n->p.out, methods ? "\n" : "");
    while (proto_text_next(&n->p, &w, 2, &item))
        print_method(n, proto_inside(&item));
    fl_buf_adds(n->p.out, "}\n");
}

/* ---- files ---- */

/* How an import is said: 0 as such, 10 publicly, 11 weakly (the numbers of descriptor.proto). */
static uint32_t how(proto_normal *n, proto_wire file, int64_t index)
{
    static const uint32_t lists[] = {10, 11};
    proto_item item;
    uint32_t said = 0;
    for (size_t i = 0; i < 2; i++)
        for (proto_wire w = file; proto_text_next(&n->p, &w, lists[i], &item);)
            if (item.kind != PROTO_VARINT)
                proto_text_refuse(&n->p, "the descriptor is damaged");
            else if ((int64_t)item.value == index)
                said = lists[i];
    return said;
}

static void print_imports_of(proto_normal *n, proto_wire file, uint32_t kind, const char *word, bool *any)
{
    texts list = {0};
    proto_item item;
    int64_t i = 0;
    for (proto_wire w = file; proto_text_next(&n->p, &w, 3, &item); i++)
        if (how(n, file, i) == kind)
            FL_PUSH(n->p.a, &list, proto_text_string(&n->p, &item));
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_text);
    for (size_t k = 0; k < list.n; k++) {
        if (!sch_proto_import_ok(list.v[k]))
            proto_text_refuse(&n->p, "the descriptor imports a file whose name cannot be imported");
        if (k && !strcmp(list.v[k], list.v[k - 1]))
            continue;
        fl_buf_adds(n->p.out, *any ? "" : "\n");
        *any = true;
        proto_text_say(&n->p, "import %s\"%s\";\n", word, list.v[k]);
    }
}

static void print_head(proto_normal *n, proto_wire file)
{
    const char *syntax = proto_text_of(&n->p, file, 12);
    bool any = false;
    if (syntax && strcmp(syntax, "proto2") != 0 && strcmp(syntax, "proto3") != 0)
        proto_text_refuse(&n->p, "the descriptor is of a syntax that is neither proto2 nor proto3");
    n->p.proto3 = syntax && !strcmp(syntax, "proto3");
    if (n->p.proto3)
        fl_buf_adds(n->p.out, "syntax = \"proto3\";\n");
    if (proto_text_of(&n->p, file, 2))
        proto_text_say(&n->p, "package %s;\n", proto_text_name(&n->p, file, 2, true));
    print_imports_of(n, file, 0, "", &any);
    print_imports_of(n, file, 10, "public ", &any);
    print_imports_of(n, file, 11, "weak ", &any);
    proto_normal_statements(n, &sch_proto_options[PROTO_OF_FILE], file, 8, true, 0);
}

static void print_file(proto_normal *n, proto_wire file)
{
    proto_item item;
    bool messages = proto_text_find(&n->p, file, 4, &item), enums = proto_text_find(&n->p, file, 5, &item);
    print_head(n, file);
    const char *package = proto_text_of(&n->p, file, 2);
    only(n, file, 0x1ffe);
    fl_buf_adds(n->p.out, messages || enums ? "\n" : "");
    for (proto_wire w = file; proto_text_next(&n->p, &w, 4, &item);)
        print_message(n, proto_inside(&item), package ? package : "", 0);
    for (proto_wire w = file; proto_text_next(&n->p, &w, 5, &item);)
        print_enum(n, proto_inside(&item), 0);
    if (!n->bare && proto_text_find(&n->p, file, 7, &item)) {
        fl_buf_addc(n->p.out, '\n');
        print_extensions(n, file, 7, 0);
    }
    fl_buf_adds(n->p.out, proto_text_find(&n->p, file, 6, &item) ? "\n" : "");
    for (proto_wire w = file; proto_text_next(&n->p, &w, 6, &item);)
        print_service(n, proto_inside(&item));
}

bool sch_proto_normal(fl_arena *a, const void *set, size_t len, const char *root, bool bare, fl_buf *out,
                      char message[256])
{
    proto_model model;
    proto_wire w = {set, (const uint8_t *)set + len};
    proto_item item, found = {0};
    if (!sch_proto_read(a, set, len, &model, message))
        return false;
    proto_normal n = {.p = {.a = a, .out = out, .message = message}, .extensions = fl_map_new(), .bare = bare};
    message[0] = '\0';
    proto_normal_know(&n, &model);
    while (proto_text_next(&n.p, &w, 1, &item)) {
        const char *name = proto_text_of(&n.p, proto_inside(&item), 1);
        if (name && !strcmp(name, root))
            found = item;
    }
    if (found.p)
        print_file(&n, proto_inside(&found));
    else
        proto_text_refuse(&n.p, "the file is not among the descriptors");
    if (out->full)
        proto_text_refuse(&n.p, "the descriptor is too large");
    fl_map_free(n.extensions);
    return !n.p.failed;
}
