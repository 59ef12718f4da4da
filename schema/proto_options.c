/* proto_options.c: tables of options, and the comparison of descriptors. */
#include "schema/proto_options.h"

#include <stdlib.h>
#include <string.h>

#define FLAG(number, name)                                                                                             \
    {                                                                                                                  \
        number, name, PROTO_OPTION_FLAG, NULL                                                                          \
    }
#define TEXT(number, name)                                                                                             \
    {                                                                                                                  \
        number, name, PROTO_OPTION_TEXT, NULL                                                                          \
    }

static const char *const optimize[] = {NULL, "SPEED", "CODE_SIZE", "LITE_RUNTIME", ""};
static const char *const ctype[] = {"STRING", "CORD", "STRING_PIECE", ""};
static const char *const jstype[] = {"JS_NORMAL", "JS_STRING", "JS_NUMBER", ""};
static const char *const idempotency[] = {"IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT", ""};

static const proto_option of_file[] = {
    TEXT(1, "java_package"),
    TEXT(8, "java_outer_classname"),
    {9, "optimize_for", PROTO_OPTION_WORD, optimize},
    FLAG(10, "java_multiple_files"),
    TEXT(11, "go_package"),
    FLAG(16, "cc_generic_services"),
    FLAG(17, "java_generic_services"),
    FLAG(18, "py_generic_services"),
    FLAG(20, "java_generate_equals_and_hash"),
    FLAG(23, "deprecated"),
    FLAG(27, "java_string_check_utf8"),
    FLAG(31, "cc_enable_arenas"),
    TEXT(36, "objc_class_prefix"),
    TEXT(37, "csharp_namespace"),
    TEXT(39, "swift_prefix"),
    TEXT(40, "php_class_prefix"),
    TEXT(41, "php_namespace"),
    FLAG(42, "php_generic_services"),
    TEXT(44, "php_metadata_namespace"),
    TEXT(45, "ruby_package"),
    {0},
};
static const proto_option of_message[] = {
    FLAG(1, "message_set_wire_format"), FLAG(2, "no_standard_descriptor_accessor"), FLAG(3, "deprecated"), {0}};
static const proto_option of_field[] = {
    {1, "ctype", PROTO_OPTION_WORD, ctype},   FLAG(2, "packed"), FLAG(3, "deprecated"),       FLAG(5, "lazy"),
    {6, "jstype", PROTO_OPTION_WORD, jstype}, FLAG(10, "weak"),  FLAG(15, "unverified_lazy"), {0},
};
static const proto_option of_enum[] = {FLAG(2, "allow_alias"), FLAG(3, "deprecated"), {0}};
static const proto_option of_value[] = {FLAG(1, "deprecated"), {0}};
static const proto_option of_service[] = {FLAG(33, "deprecated"), {0}};
static const proto_option of_method[] = {
    FLAG(33, "deprecated"), {34, "idempotency_level", PROTO_OPTION_WORD, idempotency}, {0}};

const proto_options sch_proto_options[PROTO_NOPTIONS] = {
    [PROTO_OF_FILE] = {.name = "file", .meta = "file", .known = of_file},
    [PROTO_OF_MESSAGE] = {.name = "message", .meta = "message", .skip = 7, .known = of_message},
    [PROTO_OF_FIELD] = {.name = "field", .meta = "field", .known = of_field},
    [PROTO_OF_ONEOF] = {.name = "oneof"},
    [PROTO_OF_ENUM] = {.name = "enum", .meta = "enum", .known = of_enum},
    [PROTO_OF_VALUE] = {.name = "value of an enum", .meta = "enum_value", .known = of_value},
    [PROTO_OF_SERVICE] = {.name = "service", .known = of_service},
    [PROTO_OF_METHOD] = {.name = "method", .known = of_method},
};

const proto_option *sch_proto_option(const proto_options *kind, uint32_t number)
{
    for (const proto_option *o = kind->known; o && o->name; o++)
        if (o->number == number)
            return o;
    return NULL;
}

const char *sch_proto_option_word(const proto_option *o, uint64_t value)
{
    for (uint64_t i = 0; !o->words[i] || *o->words[i]; i++)
        if (i == value)
            return o->words[i];
    return NULL;
}

bool sch_proto_json_name_is(const char *name, const char *json)
{
    bool upper = false;
    for (; *name; name++) {
        if (*name == '_') {
            upper = true;
            continue;
        }
        char c = upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 32) : *name;
        if (*json++ != c)
            return false;
        upper = false;
    }
    return !*json;
}

/* ---- the same ---- */

/* What of a message of descriptor.proto is compared: its sub-messages that hold something that is left out, and where
 * its options are. */
typedef enum { FILE_, MESSAGE, FIELD, ENUM, VALUE, OPTIONS, META, NONE } shape;

static const struct inside {
    shape of;
    uint32_t number;
    shape is;
} insides[] = {
    {FILE_, 4, MESSAGE},   {FILE_, 5, ENUM},
    {FILE_, 7, FIELD},     {FILE_, 8, OPTIONS},
    {MESSAGE, 2, FIELD},   {MESSAGE, 3, MESSAGE},
    {MESSAGE, 4, ENUM},    {MESSAGE, 6, FIELD},
    {MESSAGE, 7, OPTIONS}, {FIELD, 8, OPTIONS},
    {ENUM, 2, VALUE},      {ENUM, 3, OPTIONS},
    {VALUE, 3, OPTIONS},   {OPTIONS, PROTO_META_NUMBER, META},
};

static shape inside(shape of, uint32_t number)
{
    for (size_t i = 0; i < sizeof insides / sizeof *insides; i++)
        if (insides[i].of == of && insides[i].number == number)
            return insides[i].is;
    return NONE;
}

typedef struct piece {
    uint32_t number;
    size_t at; /* in the order of the text */
    const uint8_t *p;
    size_t n;
    proto_item item;
} piece;

static int by_number(const void *x, const void *y)
{
    const piece *a = x, *b = y;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static bool default_json_name(fl_arena *a, proto_wire field, const proto_item *json)
{
    proto_item item;
    const char *name = "";
    while (proto_next(&field, &item) == 1)
        if (item.number == 1 && item.kind == PROTO_BYTES)
            name = fl_strndup(a, (const char *)item.p, item.n);
    return json->kind == PROTO_BYTES && sch_proto_json_name_is(name, fl_strndup(a, (const char *)json->p, json->n));
}

/* What the sender chooses, or says in vain. */
static bool left_out(fl_arena *a, shape of, proto_wire w, const proto_item *item)
{
    if (of == FILE_)
        return item->number == 1 || item->number == 9 ||
               (item->number == 12 && item->n == 6 && !memcmp(item->p, "proto2", 6));
    return of == FIELD && item->number == 10 && default_json_name(a, w, item);
}

static void add_varint(fl_buf *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        fl_buf_addc(out, (char)(v | 0x80));
    fl_buf_addc(out, (char)v);
}

/* Items by number, nested ones in the same way, several of confluent's metadata as one; options that are empty are
 * none. False: it is no message, or too deep. */
static bool canonical(fl_arena *a, shape of, proto_wire w, unsigned depth, fl_buf *out)
{
    FL_VEC(piece) list = {0};
    const proto_wire all = w;
    proto_item item;
    int more;
    for (const uint8_t *from = w.p; (more = proto_next(&w, &item)) == 1; from = w.p)
        if (!left_out(a, of, all, &item)) {
            size_t nth = list.n; /* FL_PUSH counts it up */
            FL_PUSH(a, &list, (piece){item.number, nth, from, (size_t)(w.p - from), item});
        }
    if (more < 0 || depth > PROTO_MAX_NEST + 8)
        return false;
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_number);
    for (size_t i = 0; i < list.n; i++) {
        shape is = list.v[i].item.kind == PROTO_BYTES ? inside(of, list.v[i].number) : NONE;
        fl_buf b, joined;
        if (is == NONE) {
            fl_buf_add(out, list.v[i].p, list.v[i].n);
            continue;
        }
        fl_buf_init(&b, PROTO_MAX_SET);
        fl_buf_init(&joined, PROTO_MAX_SET);
        fl_buf_add(&joined, list.v[i].item.p, list.v[i].item.n);
        while (is == META && i + 1 < list.n && list.v[i + 1].number == list.v[i].number)
            fl_buf_add(&joined, list.v[i + 1].item.p, list.v[i + 1].item.n), i++;
        const uint8_t *p = (const uint8_t *)(joined.p ? joined.p : "");
        bool ok = canonical(a, is, (proto_wire){p, p + joined.len}, depth + 1, &b);
        if (ok && (b.len || is != OPTIONS)) {
            add_varint(out, (uint64_t)list.v[i].number << 3 | PROTO_BYTES);
            add_varint(out, b.len);
            fl_buf_add(out, b.p ? b.p : "", b.len);
        }
        fl_buf_free(&b);
        fl_buf_free(&joined);
        if (!ok)
            return false;
    }
    return !out->full;
}

bool sch_proto_same(fl_arena *a, const void *x, size_t nx, const void *y, size_t ny)
{
    fl_buf bx, by;
    fl_buf_init(&bx, PROTO_MAX_SET);
    fl_buf_init(&by, PROTO_MAX_SET);
    bool same = canonical(a, FILE_, (proto_wire){x, (const uint8_t *)x + nx}, 0, &bx) &&
                canonical(a, FILE_, (proto_wire){y, (const uint8_t *)y + ny}, 0, &by) && bx.len == by.len &&
                !memcmp(bx.p ? bx.p : "", by.p ? by.p : "", bx.len);
    fl_buf_free(&bx);
    fl_buf_free(&by);
    return same;
}
