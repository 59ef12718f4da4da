/* misplaced_test.c: tags where they protect nothing: inside a type, at the root, on what patterns name. What a rule is
 * meant for and would not be sealed is not written. */
#include "runtime/lab.h"

static lab l;

static int open_lab(void **state)
{
    lab_open(&l);
    return 0;
}
static int close_lab(void **state)
{
    lab_close(&l);
    return 0;
}

static rt_code open_codec(const char *type, const char *schema, const char *metadata, bool read_only, rt_codec **out)
{
    rt_codec_options opt = {.read_only = read_only};
    rt_subject s = {.subject = "t-value",
                    .type = type,
                    .schema = schema,
                    .metadata = metadata,
                    .ruleset = lab_set(&l, lab_rule(&l, "pii", "[\"PII\"]", "kek", "AES256_SIV", ""))};
    if (l.registry->ops->register_subject(l.registry, l.a, &s, &l.err))
        fail_msg("%s: %s", schema, l.err.message);
    return rt_codec_open(l.registry, l.keys, &s, &opt, out, &l.err);
}

#define TAG      "\"confluent:tags\":[\"PII\"]"
#define TEXT     "{\"type\":\"string\"," TAG "}"
#define NULLABLE "{\"type\":[\"string\",\"null\"]," TAG "}"
#define J(a)     "{\"type\":\"object\",\"properties\":{\"s\":" TEXT ",\"a\":" a "}}"
#define REF(d)                                                                                                         \
    "{\"type\":\"object\",\"properties\":{\"s\":" TEXT ",\"a\":{\"$ref\":\"#/definitions/D\"}},\"definitions\":{"      \
    "\"D\":" d "}}"
#define AVRO(a)                                                                                                        \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"," TAG "},{\"name\":\"a\","    \
    "\"type\":" a "}]}"
#define PROTO(more)                                                                                                    \
    "syntax = \"proto3\";\nimport \"confluent/meta.proto\";\nmessage M { " more                                        \
    " string s = 1 [(confluent.field_meta).tags = \"PII\"]; string t = 2; }\n"

#define INSIDE "stands inside a type"
#define ROOT   "has no name"

static const struct {
    const char *type, *schema, *metadata, *refused; /* NULL: it is sealed, or another's tag */
} rows[] = {
    {"JSON", REF(NULLABLE), NULL, INSIDE},
    {"JSON", REF("{\"type\":\"integer\"," TAG "}"), NULL, INSIDE},
    {"JSON", REF("{\"type\":\"object\",\"properties\":{\"z\":{\"type\":\"string\"}}," TAG "}"), NULL, INSIDE},
    {"JSON", REF("{\"type\":\"array\",\"items\":{\"type\":\"string\"}," TAG "}"), NULL, INSIDE},
    {"JSON", REF("{\"enum\":[\"x\"]," TAG "}"), NULL, INSIDE},
    {"JSON", J("{\"type\":\"array\",\"items\":" NULLABLE "}"), NULL, INSIDE},
    {"JSON", J("{\"anyOf\":[" NULLABLE ",{\"type\":\"integer\"}]}"), NULL, INSIDE},
    {"JSON", J("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"," TAG "}]}"), NULL, INSIDE},
    {"JSON", "{" TAG ",\"type\":\"object\",\"properties\":{\"s\":" TEXT "}}", NULL, INSIDE},
    {"JSON", REF(TEXT), NULL, NULL},
    {"JSON", REF("{\"type\":[\"integer\",\"null\"],\"confluent:tags\":[\"OTHER\"]}"), NULL, NULL},
    {"JSON", J("{\"anyOf\":[" TEXT ",{\"type\":\"null\"," TAG "}]}"), NULL, NULL},
    {"JSON", "{\"anyOf\":[" TEXT ",{\"type\":\"object\",\"properties\":{\"s\":" TEXT "}}]}", NULL, ROOT},
    {"JSON",
     "{\"type\":\"array\",\"items\":{\"anyOf\":[" TEXT ",{\"type\":\"object\",\"properties\":{\"s\":" TEXT "}}]}}",
     NULL, ROOT},
    {"JSON",
     "{\"type\":\"object\",\"properties\":{\"s\":" TEXT "},\"patternProperties\":{\"^a_\":{\"type\":\"string\"}}}",
     "{\"tags\":{\"$.a_1\":[\"PII\"]}}", "patternProperties"},
    {"JSON",
     "{\"type\":\"object\",\"properties\":{\"s\":" TEXT "},\"patternProperties\":{\"^a_\":{\"type\":\"string\"}}}",
     "{\"tags\":{\"$.s\":[\"PII\"],\"$.a_1\":[\"OTHER\"]}}", NULL},
    {"AVRO", AVRO(TEXT), NULL, INSIDE},
    {"AVRO", AVRO("{\"type\":\"array\",\"items\":" TEXT "}"), NULL, INSIDE},
    {"AVRO", AVRO("{\"type\":\"string\",\"confluent:tags\":[\"OTHER\"]}"), NULL, NULL},
    {"PROTOBUF", PROTO("option (confluent.message_meta).tags = \"PII\";"), NULL, "the message M"},
    {"PROTOBUF", PROTO("option (confluent.message_meta).tags = \"OTHER\";"), NULL, NULL},
};

/* Readers read what is there: nobody sealed it. */
static void tags_that_protect_nothing(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_codec *c = NULL;
        rt_code code = open_codec(rows[i].type, rows[i].schema, rows[i].metadata, false, &c);
        rt_codec_close(c);
        if (code != (rows[i].refused ? RT_REFUSED : RT_OK) ||
            (code && (!strstr(l.err.message, rows[i].refused) || !strstr(l.err.message, "pii"))))
            fail_msg("%s\n%s: %s", rows[i].schema, rows[i].metadata, code ? l.err.message : "opened");
        if (open_codec(rows[i].type, rows[i].schema, rows[i].metadata, true, &c))
            fail_msg("%s\nto read: %s", rows[i].schema, l.err.message);
        rt_codec_close(c);
    }
}

#define D     "\"definitions\":{\"D\":" TEXT ",\"H\":{\"$ref\":\"#/definitions/T\"," TAG "},\"T\":{\"type\":\"string\"}}"
#define TO(x) "{\"$ref\":\"#/definitions/" x "\"}"
#define BOTH  "{\"allOf\":[" TO("D") ",{\"type\":\"string\",\"maxLength\":9}]}"
#define P(p)  "{\"type\":\"object\",\"properties\":{" p "}}"

/* Wherever a tag is written, and however often it is referred to: sealed or refused. */
static const struct {
    const char *schema, *text;
    bool refused;
} ways[] = {
    {"{" D ",\"properties\":{\"a\":" TO("D") ",\"b\":" TO("D") "}}", "{\"a\":\"CLEAR\",\"b\":\"CLEAR\"}", false},
    {"{" D ",\"properties\":{\"a\":" TO("D") ",\"b\":" BOTH "}}", "{\"a\":\"CLEAR\",\"b\":\"CLEAR\"}", false},
    {"{" D ",\"properties\":{\"a\":" BOTH ",\"b\":" TO("D") "}}", "{\"a\":\"CLEAR\",\"b\":\"CLEAR\"}", false},
    {"{" D ",\"properties\":{\"a\":" TEXT ",\"b\":" TO("H") "}}", "{\"b\":\"CLEAR\"}", true},
    {"{\"properties\":{\"a\":" TEXT ",\"b\":{\"$ref\":\"#/properties/a\"}}}", "{\"b\":\"CLEAR\"}", true},
    {"{\"properties\":{\"b\":{\"$ref\":\"#/properties/c/properties/a\"},\"c\":" P("\"a\":" TEXT) "}}",
     "{\"b\":\"CLEAR\",\"c\":{\"a\":\"CLEAR\"}}", false},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}},\"then\":" P("\"a\":" TEXT) "}", "{\"a\":\"CLEAR\"}", false},
    {"{\"properties\":{\"s\":" TEXT "},\"then\":{\"additionalProperties\":" TEXT "}}", "{\"a\":\"CLEAR\"}", true},
    {"{\"properties\":{\"s\":" TEXT "},\"anyOf\":[{\"additionalProperties\":" TEXT "}]}", "{\"a\":\"CLEAR\"}", true},
    {"{\"properties\":{\"s\":" TEXT ",\"a\":{\"type\":\"string\",\"contentSchema\":" P("\"z\":" TEXT) "}}}",
     "{\"a\":\"CLEAR\"}", true},
    {"{\"properties\":{\"s\":" TEXT ",\"a\":{\"type\":\"array\",\"contains\":" P("\"z\":" TEXT) "}}}",
     "{\"a\":[{\"z\":\"CLEAR\"}]}", false},
    {"{" D ",\"properties\":{\"s\":" TEXT ",\"confluent:tags\":{\"type\":\"string\"}}}", "{\"s\":\"CLEAR\"}", false},
};

static void wherever_a_tag_is_written(void **state)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        rt_codec *c = NULL;
        rt_code code = open_codec("JSON", ways[i].schema, NULL, false, &c);
        if (code != (ways[i].refused ? RT_REFUSED : RT_OK))
            fail_msg("%s: %s", ways[i].schema, code ? l.err.message : "opened");
        if (!code && rt_encrypt(c, (const uint8_t *)ways[i].text, strlen(ways[i].text), &l.wire, &l.err))
            fail_msg("%s: %s", ways[i].schema, l.err.message);
        if (!code && memmem(l.wire.p, l.wire.len, "CLEAR", 5))
            fail_msg("%s: %.*s", ways[i].schema, (int)l.wire.len - 5, l.wire.p + 5);
        rt_codec_close(c);
    }
}

/* Some clients write elements with their index, so any index means all of them. */
static void an_index_in_a_key(void **state)
{
    static const char *const keys[] = {"$.a[0].z",  "$.a[1].z",   "$.a[5].z",  "$.a[123].z", "$.a[?].z",
                                       "$.a[??].z", "$.a[???].z", "$.a[2*].z", "$.a[*].z",   "$.a.z"};
    static const char text[] = "{\"a\":[{\"z\":\"CLEAR\"},{\"z\":\"CLEAR\"}]}";
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        rt_codec *c = NULL;
        assert_int_equal(open_codec("JSON",
                                    J("{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"z\":{"
                                      "\"type\":\"string\"}}}}"),
                                    fl_printf(l.a, "{\"tags\":{\"%s\":[\"PII\"]}}", keys[i]), false, &c),
                         RT_OK);
        assert_int_equal(rt_encrypt(c, (const uint8_t *)text, sizeof text - 1, &l.wire, &l.err), RT_OK);
        if (memmem(l.wire.p, l.wire.len, "CLEAR", 5))
            fail_msg("%s: %.*s", keys[i], (int)l.wire.len - 5, l.wire.p + 5);
        rt_sealed *sealed;
        assert_int_equal(rt_codec_sealed(c, l.a, &sealed), 2);
        assert_int_equal(lab_decrypt(&l, c), RT_OK);
        assert_string_equal(l.out.p, text);
        rt_codec_close(c);
    }
}

/* A name with brackets is a name. */
static void brackets_in_a_name(void **state)
{
    static const char text[] = "{\"a[5]\":\"CLEAR\",\"b\":\"kept\"}";
    rt_codec *c = NULL;
    assert_int_equal(open_codec("JSON",
                                "{\"type\":\"object\",\"properties\":{\"a[5]\":{\"type\":\"string\"},\"b\":{\"type\":"
                                "\"string\"}}}",
                                "{\"tags\":{\"$.a[5]\":[\"PII\"]}}", false, &c),
                     RT_OK);
    assert_int_equal(rt_encrypt(c, (const uint8_t *)text, sizeof text - 1, &l.wire, &l.err), RT_OK);
    assert_null(memmem(l.wire.p, l.wire.len, "CLEAR", 5));
    assert_non_null(memmem(l.wire.p, l.wire.len, "kept", 4));
    rt_codec_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tags_that_protect_nothing, open_lab, close_lab),
        cmocka_unit_test_setup_teardown(wherever_a_tag_is_written, open_lab, close_lab),
        cmocka_unit_test_setup_teardown(an_index_in_a_key, open_lab, close_lab),
        cmocka_unit_test_setup_teardown(brackets_in_a_name, open_lab, close_lab),
    };
    return cmocka_run_group_tests_name("misplaced", tests, NULL, NULL);
}
