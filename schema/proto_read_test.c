/* proto_read_test.c: descriptors as they may come from anywhere: cut off, changed, nested, made up. */
#include "schema/testing.h"

#include "schema/proto.h"

static char message[256];

/* ---- making descriptors ---- */

typedef struct made {
    fl_buf b;
} made;

static void varint(fl_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        fl_buf_addc(b, (char)(v | 0x80));
    fl_buf_addc(b, (char)v);
}

static void bytes(fl_buf *b, uint32_t number, const void *p, size_t n)
{
    varint(b, (uint64_t)number << 3 | 2);
    varint(b, n);
    fl_buf_add(b, p, n);
}

static void text(fl_buf *b, uint32_t number, const char *s)
{
    bytes(b, number, s, strlen(s));
}

static void number(fl_buf *b, uint32_t field, uint64_t v)
{
    varint(b, (uint64_t)field << 3);
    varint(b, v);
}

/* Puts what was made into a message of its own, field `field` of what comes next. */
static void wrap(fl_buf *b, uint32_t field)
{
    fl_buf outer;
    fl_buf_init(&outer, 64u << 20);
    bytes(&outer, field, b->p, b->len);
    fl_buf_free(b);
    *b = outer;
}

static bool reads(const void *p, size_t n)
{
    proto_model model;
    bool ok = sch_proto_read(arena, p, n, &model, message);
    assert_int_equal(ok, !*message);
    return ok;
}

/* ---- a real one ---- */

static const char *real_set(size_t *len)
{
    const proto_source file = {
        "a.proto",
        "syntax = \"proto3\";\npackage com.acme;\nimport \"confluent/meta.proto\";\n"
        "message M { string a = 1 [(confluent.field_meta).tags = \"PII\"]; oneof o { int32 b = 2; bytes c = 3; }\n"
        "  map<string, M> m = 4; repeated E e = 5; message N { optional double d = 1; } }\nenum E { X = 0; Y = 1; }\n",
        0};
    proto_source files[] = {{file.name, file.text, strlen(file.text)}};
    const char *root = "a.proto", *set, *errors, *program = sch_proto_program(arena, message);
    assert_non_null(program);
    assert_int_equal(sch_proto_run(arena, program, files, 1, &root, 1, &set, len, &errors, message), PROTO_RUN_OK);
    return set;
}

static void whole(void **state)
{
    size_t len;
    const char *set = real_set(&len);
    proto_model m;
    assert_true(sch_proto_read(arena, set, len, &m, message));
    assert_int_equal(m.nfiles, 4); /* what it imports stands before it, the file of flec's that asked for it behind */
    const proto_file *f = &m.files[2];
    assert_string_equal(f->name, "a.proto");
    assert_true(f->proto3);
    assert_string_equal(f->package, "com.acme");
    assert_int_equal(f->nimports, 1);
    assert_int_equal(f->nmessages, 1);
    const proto_message *msg = &f->messages[0];
    assert_int_equal(msg->nfields, 5);
    assert_int_equal(msg->noneofs, 1);
    assert_string_equal(msg->fields[0].tags.v[0], "PII");
    assert_int_equal(msg->fields[0].span.line, 3);
    assert_int_equal(msg->fields[1].oneof, 0);
    assert_true(msg->fields[3].message->map_entry);
    assert_string_equal(msg->fields[4].enumeration->symbols[1], "Y");
    assert_int_equal(msg->fields[1].type, PROTO_INT32);
}

static void cut_off(void **state)
{
    size_t len, bad = 0;
    const char *set = real_set(&len);
    const size_t from = len > 1200 ? len - 1200 : 0; /* the own file is the last but one */
    for (size_t n = from; n < len; n++) {
        char *copy = malloc(n + 1); /* its own block, so that a read beyond is seen */
        memcpy(copy, set, n);
        bad += !reads(copy, n);
        free(copy);
    }
    assert_in_range(bad, len - from - 3, len - from);
}

static void changed(void **state)
{
    size_t len, bad = 0;
    const char *set = real_set(&len);
    uint32_t seed = 1;
    char *copy = malloc(len);
    for (int i = 0; i < 3000; i++) {
        fl_arena *before = arena;
        arena = fl_arena_new();
        memcpy(copy, set, len);
        for (int k = 0; k < 1 + i % 3; k++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = len - 1 - (seed >> 8) % (len < 4000 ? len : 4000);
            copy[at] = (char)(seed >> 3);
        }
        bad += !reads(copy, len);
        fl_arena_free(arena);
        arena = before;
    }
    free(copy);
    assert_true(bad > 300);
}

/* ---- made up ---- */

static void deep(void **state)
{
    for (int depth = PROTO_MAX_NEST - 1; depth <= 20000; depth = depth < 100 ? depth + 2 : depth * 10) {
        fl_buf b;
        fl_buf_init(&b, 64u << 20);
        text(&b, 1, "M");
        for (int i = 1; i < depth && i < 3000; i++) {
            wrap(&b, 3);
            text(&b, 1, "M");
        }
        wrap(&b, 4);
        text(&b, 1, "f.proto");
        wrap(&b, 1);
        assert_int_equal(reads(b.p, b.len), depth <= PROTO_MAX_NEST);
        fl_buf_free(&b);
    }
}

static void groups(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (int i = 0; i < 100000; i++)
        fl_buf_addc(&b, (char)(9 << 3 | 3));
    assert_false(reads(b.p, b.len));
    fl_buf_clear(&b);
    fl_buf_add(&b, "\x4b\x08\x01\x4c", 4); /* group 9 { 1: 1 }, unknown and whole */
    assert_true(reads(b.p, b.len));
    b.p[3] = 0x54; /* closed by another */
    assert_false(reads(b.p, b.len));
    fl_buf_free(&b);
}

/* One file with one message, made by fn. */
static bool with_message(void (*fn)(fl_buf *b))
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    fn(&b);
    wrap(&b, 4);
    text(&b, 1, "f.proto");
    wrap(&b, 1);
    bool ok = reads(b.p, b.len);
    fl_buf_free(&b);
    return ok;
}

static void field_of(fl_buf *b, const char *name, uint64_t no, uint64_t label, uint64_t type, const char *type_name)
{
    fl_buf f;
    fl_buf_init(&f, 1u << 16);
    text(&f, 1, name);
    number(&f, 3, no);
    number(&f, 4, label);
    number(&f, 5, type);
    if (type_name)
        text(&f, 6, type_name);
    bytes(b, 2, f.p, f.len);
    fl_buf_free(&f);
}

static void plain(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", 1, 1, 9, NULL);
    field_of(b, "m", 2, 3, 11, ".M");
}

static void unnamed(fl_buf *b)
{
    field_of(b, "a", 1, 1, 9, NULL);
}

static void odd_name(fl_buf *b)
{
    text(b, 1, "M.N");
}

static void nul_name(fl_buf *b)
{
    bytes(b, 1, "M\0N", 3);
}

static void same_number(fl_buf *b)
{
    plain(b);
    field_of(b, "b", 1, 1, 9, NULL);
}

static void same_name(fl_buf *b)
{
    plain(b);
    field_of(b, "a", 7, 1, 9, NULL);
}

static void no_type(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", 1, 1, 99, NULL);
}

static void no_such_type(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", 1, 1, 11, ".N");
}

static void relative_type(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", 1, 1, 11, "M");
}

static void huge_number(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", (uint64_t)1 << 40, 1, 9, NULL);
}

static void map_without_value(fl_buf *b)
{
    text(b, 1, "M");
    field_of(b, "a", 1, 1, 9, NULL);
    bytes(b, 7, "\x38\x01", 2);
}

static void twice(fl_buf *b)
{
    text(b, 1, "M");
    bytes(b, 3, "\x0a\x01N", 3);
    bytes(b, 3, "\x0a\x01N", 3);
}

static void made_up(void **state)
{
    assert_true(with_message(plain));
    const struct {
        void (*fn)(fl_buf *b);
        const char *why;
    } cases[] = {{unnamed, "a message has no name"},
                 {odd_name, "\"M.N\" is no name"},
                 {nul_name, "not UTF-8"},
                 {same_number, "two fields \"b\" or of its number"},
                 {same_name, "two fields \"a\" or of its number"},
                 {no_type, "lacks its number, label or type"},
                 {no_such_type, "\"N\" of the field \"a\" is not among them"},
                 {relative_type, "\"M\" is not a full name"},
                 {huge_number, "lacks its number, label or type"},
                 {map_without_value, "have no key and value"},
                 {twice, "\"M.N\" is defined twice"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(with_message(cases[i].fn));
        if (!strstr(message, cases[i].why))
            fail_msg("%zu: %s", i, message);
    }
}

static void odd_varints(void **state)
{
    static const char *const bad[] = {"\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x02", "\x0a\xff",
                                      "\x0f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(reads(bad[i], strlen(bad[i])));
    assert_true(reads("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(whole), CASE(cut_off), CASE(changed), CASE(deep), CASE(groups), CASE(made_up), CASE(odd_varints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
