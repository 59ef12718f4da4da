/* proto_tags_test.c: tags written into .proto texts: byte for byte the rest, and protoc reads them back. */
#include "schema/testing.h"

#include "schema/proto.h"

#define HEAD "syntax = \"proto3\";\npackage com.acme;\n"
#define META "import \"confluent/meta.proto\";\n"

static sch_schema *proto(const char *text)
{
    sch_error err;
    sch_schema *s = sch_parse(SCH_PROTOBUF, arena, "test.proto", text, strlen(text), NULL, NULL, 0, &err);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

static const sch_field *field(const sch_schema *s, const char *path)
{
    sch_hits h;
    char message[160];
    assert_int_equal(sch_select(s, arena, path, &h, message), SCH_PATH_OK);
    assert_int_equal(h.n, 1);
    return h.v[0].field;
}

/* Paths with the tag T, or T and U for a path that ends in '+'. */
static const char *write_tags(const char *text, const char *const *paths, size_t n)
{
    static const char *both[] = {"T", "U"};
    const sch_schema *s = proto(text);
    sch_edit edits[8];
    for (size_t i = 0; i < n; i++) {
        bool two = strchr(paths[i], '+') != NULL;
        const char *path = fl_strndup(arena, paths[i], strcspn(paths[i], "+"));
        edits[i] = (sch_edit){field(s, path), both, two ? 2 : 1};
    }
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    sch_write_tags(s, edits, n, &out);
    assert_false(out.full);
    const char *written = fl_strdup(arena, out.p);
    fl_buf_free(&out);
    const sch_schema *back = proto(written);
    for (size_t i = 0; i < n; i++) {
        const sch_field *f = field(back, fl_strndup(arena, paths[i], strcspn(paths[i], "+")));
        bool t = false, u = !strchr(paths[i], '+');
        for (size_t k = 0; k < f->ntags; k++) {
            t |= !strcmp(f->tags[k], "T");
            u |= !strcmp(f->tags[k], "U");
        }
        assert_true(t && u);
    }
    return written;
}

#define WRITES(text, expected, ...)                                                                                    \
    do {                                                                                                               \
        const char *const paths_[] = {__VA_ARGS__};                                                                    \
        assert_string_equal(write_tags(text, paths_, sizeof paths_ / sizeof *paths_), expected);                       \
    } while (0)

#define TAG "(confluent.field_meta).tags = \"T\""

static void into_fields(void **state)
{
    WRITES(HEAD META "message M { string a = 1; string b = 2; }\n",
           HEAD META "message M { string a = 1 [" TAG "]; string b = 2; }\n", "a");
    WRITES(HEAD META "message M {\n  string a = 0x1 /* one */ ; // two\n  map<string,string> m=2;\n}\n",
           HEAD META "message M {\n  string a = 0x1 [" TAG "] /* one */ ; // two\n  map<string,string> m=2 [" TAG
                     "];\n}\n",
           "a", "m.*");
    WRITES(HEAD META "message M { oneof o { string a = 1; string b = 2; } repeated bytes l = 3; }\n",
           HEAD META "message M { oneof o { string a = 1; string b = 2 [" TAG
                     ", (confluent.field_meta).tags = \"U\"]; } repeated bytes l = 3 [" TAG "]; }\n",
           "l[]", "b+");
    WRITES("syntax = \"proto2\";\n" META "message M { repeated group L = 1 { optional string s = 2; } }\n",
           "syntax = \"proto2\";\n" META "message M { repeated group L = 1 { optional string s = 2 [" TAG "]; } }\n",
           "l[].s");
}

static void into_options(void **state)
{
    WRITES(HEAD META "message M { string a = 1 [deprecated = true]; string b = 2 [\n  deprecated = true // old\n]; }\n",
           HEAD META "message M { string a = 1 [deprecated = true, " TAG "]; string b = 2 [\n  deprecated = true, " TAG
                     " // old\n]; }\n",
           "a", "b");
    WRITES(HEAD META "message M { string a = 1 [(.confluent.field_meta) = { tags: [\"A\"] doc: \"x]\" }]; }\n",
           HEAD META "message M { string a = 1 [(.confluent.field_meta) = { tags: [\"A\"] doc: \"x]\" }, " TAG "]; }\n",
           "a");
    WRITES(HEAD META "message M { string a = 1 [" TAG "]; }\n",
           HEAD META "message M { string a = 1 [" TAG ", (confluent.field_meta).tags = \"U\"]; }\n", "a+");
    WRITES(HEAD META "message M { string a = 1 [" TAG "]; }\n", HEAD META "message M { string a = 1 [" TAG "]; }\n",
           "a");
}

static void the_import(void **state)
{
    WRITES(HEAD "message M { string a = 1; }\n", HEAD META "message M { string a = 1 [" TAG "]; }\n", "a");
    WRITES("message M { optional string a = 1; }\n", META "message M { optional string a = 1 [" TAG "]; }\n", "a");
    WRITES("syntax = \"proto3\"; // three\r\n\r\nmessage M { string a = 1; }\r\n",
           "syntax = \"proto3\"; // three\r\nimport \"confluent/meta.proto\";\r\n\r\nmessage M { string a = 1 [" TAG
           "]; }\r\n",
           "a");
    WRITES("syntax = \"proto3\"; import \"google/type/date.proto\"; package a; message M { string a = 1; }\n"
           "import \"google/type/money.proto\";\n",
           "syntax = \"proto3\"; import \"google/type/date.proto\";\nimport \"confluent/meta.proto\"; package a; "
           "message M { string a = 1 [" TAG "]; }\nimport \"google/type/money.proto\";\n",
           "a");
    WRITES(HEAD "option java_package = \"import x;\";\n/* import \"y\"; */\nmessage M { string a = 1; }",
           HEAD META "option java_package = \"import x;\";\n/* import \"y\"; */\nmessage M { string a = 1 [" TAG "]; }",
           "a");
}

/* Where `confluent` means something of the text's own, the name starts at the root. */
static void names_in_the_way(void **state)
{
    WRITES("syntax = \"proto3\";\npackage com.confluent.x;\n" META "message M { string a = 1; }\n",
           "syntax = \"proto3\";\npackage com.confluent.x;\n" META
           "message M { string a = 1 [(.confluent.field_meta).tags = \"T\"]; }\n",
           "a");
    WRITES("syntax = \"proto3\";\npackage x;\n" META "message M { string a = 1; message confluent {} }\n",
           "syntax = \"proto3\";\npackage x;\n" META
           "message M { string a = 1 [(.confluent.field_meta).tags = \"T\"]; message confluent {} }\n",
           "a");
}

static void odd_tags(void **state)
{
    static const char *tags[] = {"a\"b\\c\n\x7f", "größe"};
    const sch_schema *s = proto(HEAD "message M { string a = 1; }\n");
    const sch_edit edit = {field(s, "a"), tags, 2};
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    sch_write_tags(s, &edit, 1, &out);
    const sch_field *f = field(proto(fl_strdup(arena, out.p)), "a");
    assert_int_equal(f->ntags, 2);
    assert_string_equal(f->tags[0], tags[0]);
    assert_string_equal(f->tags[1], tags[1]);
    fl_buf_free(&out);
}

static void foreign_fields_and_lost_places(void **state)
{
    static const char *tags[] = {"T"};
    const char text[] =
        HEAD "import \"google/type/money.proto\";\nmessage M { google.type.Money m = 1; string a = 2; }\n";
    const sch_schema *s = proto(text);
    sch_edit edit = {field(s, "m.currency_code"), tags, 1};
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    sch_write_tags(s, &edit, 1, &out);
    assert_string_equal(out.p, text);
    assert_false(out.full);
    fl_buf_clear(&out);
    sch_field lost = *field(s, "a");
    lost.at = lost.to = 0;
    edit.field = &lost;
    sch_write_tags(s, &edit, 1, &out);
    assert_true(out.full); /* told, not left out */
    fl_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(into_fields),      CASE(into_options), CASE(the_import),
        CASE(names_in_the_way), CASE(odd_tags),     CASE(foreign_fields_and_lost_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
