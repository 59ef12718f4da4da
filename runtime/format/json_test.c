/* json_test.c: field programs over JSON texts: what is a text, what is left as it is, what is sealed, what is refused.
 */
#include "runtime/format/json_lab.h"

#define TAGGED "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}"

/* ---- texts ---- */

static const char *const good[] = {"0",
                                   "-0",
                                   "1e5",
                                   "-12.5E-3",
                                   "\"\"",
                                   "true",
                                   "false",
                                   "null",
                                   "[]",
                                   "{}",
                                   " [ 1 , 2 ] ",
                                   "\t{\r\n\"a\" : [ ] }\n",
                                   "[[[[]]]]",
                                   "{\"a\":{\"a\":{}}}",
                                   "\"\\u0000\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
                                   "\"\xc3\x9f\xf0\x9f\x98\x80\"",
                                   "\"\\ud800\"",
                                   "123456789012345678901234567890",
                                   "1e999",
                                   "{\"\":1,\"\":2}",
                                   "\"\x7f\"",
                                   "{\"s\":null}",
                                   "{\"s\" :\t\"\"}",
                                   "{\"t\":{\"s\":\"clear\"},\"u\":[\"s\",{\"s\":1}]}"};

static const char *const bad[] = {"",
                                  " ",
                                  "01",
                                  "-",
                                  "+1",
                                  ".5",
                                  "1.",
                                  "1e",
                                  "1e+",
                                  "0x1",
                                  "tru",
                                  "True",
                                  "nul",
                                  "nan",
                                  "'a'",
                                  "\"",
                                  "\"\\\"",
                                  "\"\\x\"",
                                  "\"\\u12g4\"",
                                  "\"\\u123",
                                  "\"a\nb\"",
                                  "\"\t\"",
                                  "[",
                                  "]",
                                  "[1",
                                  "[1,",
                                  "[1,]",
                                  "[,1]",
                                  "[1 2]",
                                  "{",
                                  "}",
                                  "{\"a\"",
                                  "{\"a\":",
                                  "{\"a\":1",
                                  "{\"a\":1,",
                                  "{\"a\":1,}",
                                  "{,}",
                                  "{a:1}",
                                  "{1:1}",
                                  "{\"a\" 1}",
                                  "{\"a\":1 \"b\":2}",
                                  "[1}",
                                  "{\"a\":1]",
                                  "1 2",
                                  "{}x",
                                  "\xef\xbb\xbf{}",
                                  "/**/1",
                                  "\"\xff\"",
                                  "\"\xc0\x80\"",
                                  "\"\xed\xa0\x80\"",
                                  "\"\xc3\"",
                                  "\"\xf4\x90\x80\x80\"",
                                  "[\"\xe2\x82\"]",
                                  "{\"s\":\"",
                                  "{\"s\":\"a",
                                  "{\"s\":\"\\",
                                  "\v1",
                                  "1\f"};

static void what_is_json(void **state)
{
    rt_codec *c = codec(TAGGED, NULL);
    rt_codec *none = NULL;
    assert_int_equal(open_json("{\"type\":\"object\"}", NULL, NULL, NULL, &none), RT_OK);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_string_equal(sealed(none, good[i]), good[i]);
        if (strchr(good[i], '{') && !strstr(good[i], "\"s\" :"))
            assert_string_equal(sealed(c, good[i]), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (encrypt(none, bad[i]) != RT_BAD_INPUT)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(l.wire.len, 0);
        assert_int_equal(encrypt(c, bad[i]), RT_BAD_INPUT);
        assert_int_equal(l.wire.len, 0);
    }
    rt_codec_close(none);
    rt_codec_close(c);
}

static void depth_is_bounded(void **state)
{
    rt_codec *c = NULL;
    assert_int_equal(open_json("true", NULL, NULL, NULL, &c), RT_OK);
    for (int deep = 1000; deep <= 1001; deep++) {
        char *text = fl_alloc(l.a, 2 * (size_t)deep + 1);
        memset(text, '[', (size_t)deep);
        memset(text + deep, ']', (size_t)deep);
        assert_int_equal(encrypt(c, text), deep == 1000 ? RT_OK : RT_BAD_INPUT);
    }
    assert_says(&l, "nests too deep");
    rt_codec_close(c);
}

/* ---- strings that are sealed ---- */

static void escapes_are_sealed_as_what_they_mean(void **state)
{
    static const struct {
        const char *written, *plain; /* plain: as it comes back */
    } rows[] = {{"\"a\\u0062c\"", "\"abc\""},
                {"\"\\/\"", "\"/\""},
                {"\"\\u00df\"", "\"\xc3\x9f\""},
                {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
                {"\"\\u0000\"", "\"\\u0000\""},
                {"\"\\u001f\\u007f\"", "\"\\u001f\x7f\""},
                {"\"q\\\"b\\\\n\\n\\t\\b\\f\\r\"", "\"q\\\"b\\\\n\\n\\t\\b\\f\\r\""},
                {"\"\"", "\"\""}};
    rt_codec *c = codec(TAGGED, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *a = sealed(c, fl_printf(l.a, "{\"s\":%s}", rows[i].written));
        const char *b = sealed(c, fl_printf(l.a, "{\"s\":%s}", rows[i].plain));
        assert_string_equal(a, b);
        assert_string_equal(opened(c, a), fl_printf(l.a, "{\"s\":%s}", rows[i].plain));
    }
    rt_codec_close(c);
}

/* As .NET writes it: '+' in base64 as \u002B. */
static void a_ciphertext_may_be_escaped(void **state)
{
    rt_codec *c = codec(TAGGED, NULL);
    char escaped[512], *to = escaped;
    const char *s = x_sealed(c, "\"some text\"");
    for (; *s; s++)
        to += sprintf(to, "\\u%04X", (unsigned)*s);
    assert_string_equal(opened(c, fl_printf(l.a, "{\"s\":\"%s\"}", escaped)), "{\"s\":\"some text\"}");
    rt_codec_close(c);
}

static void half_a_surrogate_is_refused_where_it_is_sealed(void **state)
{
    rt_codec *c = codec(TAGGED, NULL);
    static const char *const rows[] = {"\\ud800", "\\udc00", "a\\ud800\\ud800", "\\ud83dx", "\\ud83d\\n"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(encrypt(c, fl_printf(l.a, "{\"s\":\"%s\"}", rows[i])), RT_BAD_INPUT);
        assert_says(&l, "field s, rule pii");
        assert_says(&l, "half a surrogate");
        assert_int_equal(l.wire.len, 0);
    }
    rt_codec_close(c);
}

/* Another client may have sealed bytes under the same key; a string cannot hold them. */
static void opened_bytes_must_be_a_text(void **state)
{
    static const char avro[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":\"bytes\","
                               "\"confluent:tags\":[\"PII\"]}]}";
    rt_codec *c = codec(TAGGED, NULL), *bytes = NULL;
    rt_subject s = {.subject = "t-value", .type = "AVRO", .schema = avro, .ruleset = pii(""), .id = 77, .version = 1};
    assert_int_equal(rt_codec_open(l.registry, l.keys, &s, NULL, &bytes, &l.err), RT_OK);
    assert_int_equal(rt_encrypt(bytes, (const uint8_t *)"\x04\xff\xfe", 3, &l.wire, &l.err), RT_OK);
    char base64[64] = "";
    fl_b64_encode(base64, (const uint8_t *)l.wire.p + 6, l.wire.len - 6);
    sealed(c, "{}");
    assert_int_equal(decrypt(c, fl_printf(l.a, "{\"s\":\"%s\"}", base64)), RT_BAD_INPUT);
    assert_says(&l, "not UTF-8");
    assert_int_equal(l.out.len, 0);
    rt_codec_close(bytes);
    rt_codec_close(c);
}

static void all_but_sealed_strings_stays(void **state)
{
    rt_codec *c = codec(TAGGED, NULL);
    const char *x = x_sealed(c, "\"x\"");
    static const char form[] = " { \"a\" : 1.50 ,\n\"s\":\t\"%s\" , \"b\":[ \"s\", \"\\u0041\" ],\"s\" :\"%s\", "
                               "\"\\u0073\":\"%s\"} \r\n";
    char clear[256], want[512];
    snprintf(clear, sizeof clear, form, "x", "x", "x"); /* a name given twice, or written otherwise, is that name */
    snprintf(want, sizeof want, form, x, x, x);
    assert_string_equal(sealed(c, clear), want);
    assert_string_equal(opened(c, want), clear);
    rt_codec_close(c);
}

/* ---- values that are no strings ---- */

static void other_kinds_under_a_tag(void **state)
{
    static const char *const rows[][2] = {{"1", "a number"},          {"true", "true or false"},
                                          {"false", "true or false"}, {"{\"a\":\"b\"}", "an object"},
                                          {"[\"b\"]", "an array"},    {"-0.5", "a number"}};
    rt_codec *c = codec(TAGGED, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = fl_printf(l.a, "{\"s\":%s}", rows[i][0]);
        assert_int_equal(encrypt(c, text), RT_REFUSED);
        assert_says(&l, "field s, rule pii");
        assert_says(&l, rows[i][1]);
        assert_int_equal(l.wire.len, 0);
        sealed(c, "{}");
        assert_string_equal(opened(c, text), text); /* no ciphertext, as clients have it */
    }
    assert_string_equal(sealed(c, "{\"s\":null}"), "{\"s\":null}");
    rt_codec_close(c);
}

static void what_hides_tagged_fields_is_refused(void **state)
{
    static const char schema[] =
        "{\"type\":\"object\",\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\","
        "\"confluent:tags\":[\"PII\"]}}},\"a\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/properties/o\"}},"
        "\"n\":{\"type\":\"object\",\"properties\":{\"t\":{\"type\":\"string\"}}}}}";
    static const char *const odd[] = {
        "{\"o\":[{\"s\":\"x\"}]}",   "{\"o\":\"x\"}",   "{\"o\":1}",    "{\"a\":{\"s\":\"x\"}}",
        "{\"a\":[[{\"s\":\"x\"}]]}", "{\"a\":[\"x\"]}", "[{\"o\":{}}]", "\"x\""};
    rt_codec *c = codec(schema, NULL);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        assert_int_equal(encrypt(c, odd[i]), RT_BAD_INPUT);
        assert_says(&l, "stands where the schema has none");
        assert_int_equal(l.wire.len, 0);
    }
    assert_string_equal(sealed(c, "{\"o\":null,\"a\":[null],\"n\":[1],\"z\":{\"s\":\"x\"}}"),
                        "{\"o\":null,\"a\":[null],\"n\":[1],\"z\":{\"s\":\"x\"}}");
    rt_codec_close(c);
}

/* ---- schemas that cannot be carried out ---- */

static void refused_schemas(void **state)
{
    static const struct {
        const char *property, *says;
    } rows[] = {
        {"{\"type\":\"integer\",\"confluent:tags\":[\"PII\"]}", "a value of type integer"},
        {"{\"type\":[\"number\",\"null\"],\"confluent:tags\":[\"PII\"]}", "a value of type number"},
        {"{\"type\":\"boolean\",\"confluent:tags\":[\"PII\"]}", "a value of type boolean"},
        {"{\"enum\":[\"a\",\"b\"],\"confluent:tags\":[\"PII\"]}", "a value of type enum"},
        {"{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"confluent:tags\":[\"PII\"]}",
         "a value of type integer"},
        {"{\"type\":\"object\",\"properties\":{\"x\":{}},\"confluent:tags\":[\"PII\"]}", "a field that holds records"},
        {"{\"type\":\"array\",\"items\":{\"properties\":{\"x\":{}}},\"confluent:tags\":[\"PII\"]}",
         "a field that holds records"},
        {"{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}",
         "patternProperties"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_codec *c = NULL;
        const char *schema = fl_printf(l.a, "{\"type\":\"object\",\"properties\":{\"p\":%s}}", rows[i].property);
        if (open_json(schema, NULL, pii(""), NULL, &c) != RT_REFUSED)
            fail_msg("taken: %s", schema);
        assert_says(&l, "field p");
        assert_says(&l, rows[i].says);
    }
    rt_codec *c = NULL;
    assert_int_equal(open_json(TAGGED, NULL, pii(",\"disabled\":true"), NULL, &c), RT_REFUSED);
    assert_says(&l, "is disabled: the field would be written in clear");
}

/* ---- places ---- */

typedef struct place_row {
    const char *schema, *keys; /* keys: metadata.tags, all for PII; NULL: inline */
    const char *clear;
    const char *form; /* what is written, with ~ for "x" sealed */
} place_row;

static const place_row place_rows[] = {
    {"{\"properties\":{\"m\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"confluent:tags\":["
     "\"PII\"]},\"s\":{}}}",
     NULL, "{\"m\":{\"a\":\"x\",\"b\":null},\"s\":\"x\"}", "{\"m\":{\"a\":\"~\",\"b\":null},\"s\":\"x\"}"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}},\"additionalProperties\":{\"type\":\"string\"}}",
     "\"$.y\":[\"PII\"]", "{\"a\":\"x\",\"y\":\"x\",\"z\":\"x\"}", "{\"a\":\"x\",\"y\":\"~\",\"z\":\"x\"}"},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}",
     "\"$.a\":[\"PII\"]", "{\"a\":[[\"x\"],[],[null,\"x\"]]}", "{\"a\":[[\"~\"],[],[null,\"~\"]]}"},
    /* a key that names a depth of a recursive type means that depth alone */
    {"{\"$id\":\"n\",\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"k\":{\"$ref\":\"#\"}}}",
     "\"$.k.k.s\":[\"PII\"]", "{\"s\":\"x\",\"k\":{\"s\":\"x\",\"k\":{\"s\":\"x\",\"k\":{\"s\":\"x\"}}}}",
     "{\"s\":\"x\",\"k\":{\"s\":\"x\",\"k\":{\"s\":\"~\",\"k\":{\"s\":\"x\"}}}}"},
    {"{\"$id\":\"n\",\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"k\":{\"$ref\":\"#\"}}}",
     "\"$.k**.s\":[\"PII\"]", "{\"s\":\"x\",\"k\":{\"s\":\"x\",\"k\":{\"s\":\"x\",\"k\":{\"s\":\"x\"}}}}",
     "{\"s\":\"x\",\"k\":{\"s\":\"~\",\"k\":{\"s\":\"~\",\"k\":{\"s\":\"~\"}}}}"},
    /* tagged in one branch is tagged in all */
    {"{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
     "\"t\":{\"const\":1}}},{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\"},\"t\":{\"const\":2}}}]}",
     NULL, "{\"t\":2,\"s\":\"x\"}", "{\"t\":2,\"s\":\"~\"}"},
    {"{\"properties\":{\"s\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}]}}}",
     NULL, "{\"s\":\"x\"}", "{\"s\":\"~\"}"},
    {"{\"properties\":{\"s\":{\"type\":[\"string\",\"integer\",\"null\"],\"confluent:tags\":[\"PII\"]}}}", NULL,
     "{\"s\":\"x\"}", "{\"s\":\"~\"}"},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"object\","
     "\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}]}}}",
     NULL, "{\"a\":[1,{\"s\":\"x\"}]}", "{\"a\":[1,{\"s\":\"~\"}]}"},
    /* an empty object where a map or fields may stand */
    {"{\"properties\":{\"o\":{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\","
     "\"confluent:tags\":[\"PII\"]}}},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}}}",
     NULL, "{\"o\":[\"x\"]}", "{\"o\":[\"x\"]}"},
};

static const char *fill_in(const char *form, const char *x)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    for (; *form; form++)
        if (*form == '~')
            fl_buf_adds(&b, x);
        else
            fl_buf_addc(&b, *form);
    const char *s = fl_strndup(l.a, b.p, b.len);
    fl_buf_free(&b);
    return s;
}

static void places(void **state)
{
    for (size_t i = 0; i < sizeof place_rows / sizeof *place_rows; i++) {
        const place_row *r = &place_rows[i];
        close_lab(NULL);
        open_lab(NULL);
        rt_codec *one = codec(TAGGED, NULL);
        const char *want = fill_in(r->form, x_sealed(one, "\"x\""));
        rt_codec *c = codec(r->schema, r->keys ? fl_printf(l.a, "{\"tags\":{%s}}", r->keys) : NULL);
        assert_string_equal(sealed(c, r->clear), want);
        assert_string_equal(opened(c, want), r->clear);
        rt_codec_close(c);
        rt_codec_close(one);
    }
}

/* Rules of the latest version read records of an older one: its tags count. */
static void older_schema_with_newer_tags(void **state)
{
    static const char old[] = "{\"type\":\"object\",\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"s\":{"
                              "\"type\":\"string\"}}},\"gone\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}";
    static const char new[] = "{\"type\":\"object\",\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"s\":{"
                              "\"type\":\"string\",\"confluent:tags\":[\"PII\"]},\"n\":{\"type\":\"string\"}}}}}";
    rt_codec *first = codec(old, NULL), *tagged = codec(TAGGED, NULL), *last;
    const char *x = x_sealed(tagged, "\"x\"");
    sealed(first, "{}");
    uint8_t head[5];
    memcpy(head, l.wire.p, 5);
    last = codec(new, NULL);
    fl_buf_clear(&l.wire);
    fl_buf_add(&l.wire, head, 5);
    assert_string_equal(opened(last, fl_printf(l.a, "{\"o\":{\"s\":\"%s\"},\"gone\":\"%s\"}", x, x)),
                        "{\"o\":{\"s\":\"x\"},\"gone\":\"x\"}");
    rt_codec_close(first);
    rt_codec_close(tagged);
    rt_codec_close(last);
}

/* ---- rules ---- */

static void two_rules_and_their_reverse(void **state)
{
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":["
                                 "\"A\",\"B\"]},\"t\":{\"type\":\"string\",\"confluent:tags\":[\"B\"]}}}";
    const char *set = lab_set(&l, fl_printf(l.a, "%s,%s", lab_rule(&l, "a", "[\"A\"]", "ka", "AES256_GCM", ""),
                                            lab_rule(&l, "b", "[\"B\"]", "kb", "AES256_SIV", "")));
    rt_codec *c = NULL;
    assert_int_equal(open_json(schema, NULL, set, NULL, &c), RT_OK);
    const char *wire = sealed(c, "{\"t\":\"x\",\"s\":\"q\\\"x\"}");
    assert_string_equal(opened(c, wire), "{\"t\":\"x\",\"s\":\"q\\\"x\"}");
    rt_codec_close(c);
}

static void a_failure_that_passes_leaves_the_text(void **state)
{
    rt_codec *c = NULL;
    assert_int_equal(open_json(TAGGED, NULL, pii(",\"onFailure\":\"ERROR,NONE\""), NULL, &c), RT_OK);
    const char *wire = sealed(c, "{\"s\":\"x\"}");
    assert_string_equal(opened(c, wire), "{\"s\":\"x\"}");
    assert_string_equal(opened(c, "{\"s\":\"no \\u0063iphertext\", \"b\":1}"),
                        "{\"s\":\"no \\u0063iphertext\", \"b\":1}");
    rt_codec_close(c);
}

static void every_damage_is_noticed(void **state)
{
    rt_codec *c = codec(TAGGED, NULL);
    const char *wire = sealed(c, "{\"s\":\"some text\"}");
    size_t n = strlen(wire);
    for (size_t at = 6; at < n - 2; at++)
        for (int bit = 0; bit < 8; bit++) {
            char *damaged = fl_strdup(l.a, wire);
            damaged[at] = (char)(damaged[at] ^ 1 << bit);
            if (!damaged[at])
                continue;
            assert_int_not_equal(decrypt(c, damaged), RT_OK);
            assert_int_equal(l.out.len, 0);
        }
    rt_codec_close(c);
}

static void the_program_as_text(void **state)
{
    rt_codec *c = codec(place_rows[3].schema, "{\"tags\":{\"$.k.k.s\":[\"PII\"]}}");
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    rt_codec_print(c, &b);
    assert_non_null(strstr(b.p, "seal string : pii with kek, AES256_SIV"));
    assert_non_null(strstr(b.p, "k.k.s"));
    fl_buf_free(&b);
    rt_codec_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit(what_is_json),
                                       unit(depth_is_bounded),
                                       unit(escapes_are_sealed_as_what_they_mean),
                                       unit(a_ciphertext_may_be_escaped),
                                       unit(half_a_surrogate_is_refused_where_it_is_sealed),
                                       unit(opened_bytes_must_be_a_text),
                                       unit(all_but_sealed_strings_stays),
                                       unit(other_kinds_under_a_tag),
                                       unit(what_hides_tagged_fields_is_refused),
                                       unit(refused_schemas),
                                       unit(places),
                                       unit(older_schema_with_newer_tags),
                                       unit(two_rules_and_their_reverse),
                                       unit(a_failure_that_passes_leaves_the_text),
                                       unit(every_damage_is_noticed),
                                       unit(the_program_as_text)};
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
