/* avro_value_test.c: JSON to Avro and back: the vendor's bodies, unions, defaults, ranges, refusals, hostile bytes. */
#include "schema/testing.h"

static fl_buf out;

static int set_up_buf(void **state)
{
    fl_buf_init(&out, 1u << 20);
    return set_up(state);
}

static int tear_down_buf(void **state)
{
    fl_buf_free(&out);
    return tear_down(state);
}

static const char *error_text(const sch_value_error *err)
{
    char text[512];
    sch_value_error_text(err, text, sizeof text);
    return fl_printf(arena, "error %s", text);
}

/* The datum of a JSON text as hex, or the error. */
static const char *encoded_mode(const sch_schema *s, const char *json, sch_bytes_mode mode)
{
    sch_value_error err = {0};
    fl_buf_clear(&out);
    if (!sch_json_to_avro(s, parse_json_text(json), mode, &out, &err)) {
        assert_int_equal(out.len, 0);
        assert_false(out.full);
        return error_text(&err);
    }
    char *hex = fl_alloc(arena, 2 * out.len + 1);
    fl_hex(hex, out.p, out.len);
    return hex;
}

static const char *encoded(const sch_schema *s, const char *json)
{
    return encoded_mode(s, json, SCH_BYTES_TEXT);
}

/* The JSON of a datum in hex, or the error. */
static const char *printed_with(const sch_schema *s, const char *hex, const sch_print_options *opt)
{
    size_t n = strlen(hex) / 2;
    uint8_t *body = fl_xmalloc(n + 1); /* of its exact length, for the sanitizer */
    uint8_t *exact = n ? fl_xmalloc(n) : NULL;
    assert_true(fl_unhex(body, hex, strlen(hex)));
    if (n)
        memcpy(exact, body, n);
    fl_buf_clear(&out);
    sch_value_error err = {0};
    bool ok = sch_avro_to_json(s, exact, n, opt, &out, &err);
    if (!opt || !opt->allow_trailing)
        assert_true(ok || !sch_avro_check(s, exact, n, NULL) || strstr(err.message, "UTF-8") ||
                    strstr(err.message, "U+0000"));
    free(body);
    free(exact);
    if (!ok)
        assert_int_equal(out.len, 0);
    return ok ? fl_strdup(arena, out.p) : error_text(&err);
}

static const char *printed(const sch_schema *s, const char *hex)
{
    return printed_with(s, hex, NULL);
}

static void same(const char *what, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        fail_msg("%s\n  gives:    %s\n  expected: %s", what, got, expected);
}

/* ---- the vendor's bodies ---- */

static void vectors(void **state)
{
    size_t len, n = 0;
    const char *doc = read_data("schema/testdata/vectors-avro.json", &len);
    const fl_json *root = parse_json(doc, len);
    for (const fl_json *v = fl_json_get(root, "vectors")->child; v; v = v->next, n++) {
        sch_schema *s = parse(node_text(doc, fl_json_get(v, "schema")));
        const char *hex = fl_json_str(v, "plain_body_hex");
        if (s->root->kind == SCH_BYTES) /* the client writes a root of bytes without its length */
            hex = fl_printf(arena, "%02zx%s", strlen(hex), hex);
        const char *value = node_text(doc, fl_json_get(v, "value"));
        same(fl_json_str(v, "name"), encoded(s, value), hex);
        same(fl_json_str(v, "name"), encoded(s, printed(s, hex)), hex);
    }
    assert_int_equal(n, 44);
}

/* ---- values ---- */

#define EMAIL   "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"email\",\"type\":\"string\"}]}"
#define F(type) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":" type "}]}"

/* schema, JSON, hex, JSON as printed (NULL: the same) */
static const struct {
    const char *schema, *json, *hex, *printed;
} values[] = {
    {"\"null\"", "null", "", NULL},
    {"\"boolean\"", "true", "01", NULL},
    {"\"boolean\"", "false", "00", NULL},
    /* the specification's table of variable-length numbers */
    {"\"int\"", "0", "00", NULL},
    {"\"int\"", "-1", "01", NULL},
    {"\"int\"", "1", "02", NULL},
    {"\"int\"", "-64", "7f", NULL},
    {"\"int\"", "64", "8001", NULL},
    {"\"int\"", "2147483647", "feffffff0f", NULL},
    {"\"int\"", "-2147483648", "ffffffff0f", NULL},
    {"\"long\"", "9223372036854775807", "feffffffffffffffff01", NULL},
    {"\"long\"", "-9223372036854775808", "ffffffffffffffffff01", NULL},
    {"\"float\"", "1.5", "0000c03f", NULL},
    {"\"float\"", "0.1", "cdcccc3d", NULL},
    {"\"float\"", "3", "00004040", "3.0"},
    {"\"double\"", "0.1", "9a9999999999b93f", NULL},
    {"\"double\"", "-0.0", "0000000000000080", NULL},
    {"\"double\"", "1e300", "9c7500883ce4377e", "1e+300"},
    {"\"double\"", "7", "0000000000001c40", "7.0"},
    {"\"double\"", "\"NaN\"", "000000000000f87f", NULL},
    {"\"double\"", "\"-Infinity\"", "000000000000f0ff", NULL},
    {"\"float\"", "\"Infinity\"", "0000807f", NULL},
    {"\"string\"", "\"foo\"", "06666f6f", NULL},
    {"\"string\"", "\"\"", "00", NULL},
    {"\"string\"", "\"\\u0000\\n\\\"\xc3\xa9\"", "0a000a22c3a9", NULL},
    {"\"bytes\"", "\"\\u0000\\u00ff\\\"\\\\A\\u0080\"", "0c00ff225c4180", "\"\\u0000\xc3\xbf\\\"\\\\A\xc2\x80\""},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"\\u00ffA\"", "ff41",
     "\"\xc3\xbf"
     "A\""},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":0}", "\"\"", "", NULL},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", "\"B\"", "02", NULL},
    {"{\"type\":\"array\",\"items\":\"long\"}", "[3,27]", "04063600", NULL},
    {"{\"type\":\"array\",\"items\":\"long\"}", "[]", "00", NULL},
    {"{\"type\":\"map\",\"values\":\"int\"}", "{\"b\":1,\"a\":2}", "0402620202610400", NULL},
    {"{\"type\":\"map\",\"values\":\"int\"}", "{}", "00", NULL},
    {"{\"type\":\"map\",\"values\":\"int\"}", "{\"\\\"\":1}", "0202220200", NULL},
    {"{\"type\":\"record\",\"name\":\"test\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":"
     "\"string\"}]}",
     "{\"b\":\"foo\",\"a\":27}", "3606666f6f", "{\"a\":27,\"b\":\"foo\"}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", "{}", "", NULL},
    /* unions: plain */
    {"[\"null\",\"string\"]", "null", "00", NULL},
    {"[\"string\",\"null\"]", "\"a\"", "000261", NULL},
    {"[\"null\",\"int\",\"long\"]", "5", "020a", NULL},
    {"[\"null\",\"int\",\"long\"]", "5000000000", "0480c8afa025", NULL},
    {"[\"int\",\"double\"]", "5.5", "020000000000001640", NULL},
    {"[\"double\",\"int\"]", "5", "000000000000001440", "5.0"},
    {"[\"int\",\"double\"]", "1e2", "020000000000005940", "100.0"},
    {"[\"bytes\",\"string\"]", "\"a\"", "020261", NULL},
    {"[{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]},\"string\"]", "\"A\"", "020241", NULL},
    {"[\"bytes\",{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}]", "\"A\"", "0200", NULL},
    {"[\"bytes\",{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}]", "\"B\"", "000242", NULL},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":3},\"double\"]", "\"NaN\"", "004e614e", NULL},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":2},\"double\"]", "\"NaN\"", "02000000000000f87f", NULL},
    {"[\"boolean\",{\"type\":\"array\",\"items\":\"int\"}]", "[1]", "02020200", NULL},
    {"[\"boolean\",{\"type\":\"array\",\"items\":\"int\"}]", "true", "0001", NULL},
    {"[{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]},{\"type\":\"record\","
     "\"name\":\"B\",\"fields\":[{\"name\":\"x\",\"type\":\"string\"}]}]",
     "{\"x\":\"q\"}", "020271", NULL},
    {"[{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]},{\"type\":\"map\","
     "\"values\":\"int\"}]",
     "{\"y\":1}",
     "02020279"
     "0200",
     NULL},
    /* unions: tagged where plain does not fit */
    {"[\"null\",\"string\"]", "{\"string\":\"a\"}", "020261", "\"a\""},
    {"[\"null\",\"long\",\"int\"]", "{\"int\":5}", "040a", "5"},
    {"[\"string\",\"bytes\"]", "{\"bytes\":\"\\u00ff\"}", "0202ff", "\"\xc3\xbf\""},
    {"[\"null\",{\"type\":\"record\",\"name\":\"x.A\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}]",
     "{\"x.A\":{\"a\":1}}", "0202", "{\"a\":1}"},
    {"[\"null\",{\"type\":\"map\",\"values\":\"string\"}]", "{\"map\":{\"k\":\"v\"}}", "0202026b027600",
     "{\"k\":\"v\"}"},
    {"[\"null\",{\"type\":\"map\",\"values\":\"string\"}]", "{\"map\":\"v\"}", "0202066d6170027600", NULL},
    {"[{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]},{\"type\":\"record\","
     "\"name\":\"B\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}]",
     "{\"B\":{\"x\":1}}", "0202", "{\"x\":1}"},
};

static void all_values(void **state)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        sch_schema *s = parse(values[i].schema);
        same(values[i].json, encoded(s, values[i].json), values[i].hex);
        same(values[i].hex, printed(s, values[i].hex), values[i].printed ? values[i].printed : values[i].json);
    }
}

static void base64(void **state)
{
    sch_schema *s = parse(
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":[\"null\",\"bytes\"]},"
        "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2},\"default\":\"\\u0001\\u00fe\"}]}");
    sch_print_options opt = {.bytes = SCH_BYTES_BASE64};
    same("bytes", encoded_mode(s, "{\"b\":\"AP8+\",\"f\":\"/wA=\"}", SCH_BYTES_BASE64), "020600ff3eff00");
    same("printed", printed_with(s, "020600ff3eff00", &opt), "{\"b\":\"AP8+\",\"f\":\"/wA=\"}");
    same("empty", encoded_mode(s, "{\"b\":\"\",\"f\":\"/wA=\"}", SCH_BYTES_BASE64), "0200ff00");
    same("empty", printed_with(s, "0200ff00", &opt), "{\"b\":\"\",\"f\":\"/wA=\"}");
    same("default in Avro's form", encoded_mode(s, "{\"b\":null}", SCH_BYTES_BASE64), "0001fe");
    static const char *const bad[] = {"AP8", "AP8+=", "AP8-", "A===", "AP9=", "====", "A\\n=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(strstr(
            encoded_mode(s, fl_printf(arena, "{\"b\":\"%s\",\"f\":\"/wA=\"}", bad[i]), SCH_BYTES_BASE64), "base64"));
}

static void defaults(void **state)
{
    sch_schema *s = parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                          "{\"name\":\"i\",\"type\":\"int\",\"default\":7},{\"name\":\"s\",\"type\":[\"null\","
                          "\"string\"],\"default\":null},"
                          "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[\"x\"]},"
                          "{\"name\":\"b\",\"type\":\"bytes\",\"default\":\"\\u00ff\"},"
                          "{\"name\":\"r\",\"type\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[{\"name\":\"d\","
                          "\"type\":\"double\",\"default\":0},"
                          "{\"name\":\"q\",\"type\":\"string\"}]},\"default\":{\"q\":\"z\"}},"
                          "{\"name\":\"bad\",\"type\":\"int\",\"default\":\"x\"}]}");
    same("all defaults", encoded(s, "{\"bad\":1}"),
         "0e0002027800"
         "02ff"
         "0000000000000000"
         "027a"
         "02");
    same("a default that does not fit", encoded(s, "{}"),
         "error bad: the schema's default: expected int, found a string");
    same("none", encoded(s, "{\"bad\":1,\"r\":{}}"), "error r.q: the field is missing and has no default");
}

/* {} whose defaults need {} twice each, 60 deep; and one that needs itself. */
static void endless_defaults(void **state)
{
    sch_ref *refs = FL_NEW_N(arena, sch_ref, 60);
    for (size_t i = 0; i < 60; i++) {
        const char *fields = "";
        if (i)
            fields = fl_printf(
                arena,
                "{\"name\":\"a\",\"type\":\"R%zu\",\"default\":{}},{\"name\":\"b\",\"type\":\"R%zu\",\"default\":{}}",
                i - 1, i - 1);
        const char *text = fl_printf(arena, "{\"type\":\"record\",\"name\":\"R%zu\",\"fields\":[%s]}", i, fields);
        refs[i] = (sch_ref){"r", text, strlen(text)};
    }
    sch_schema *s = sch_avro_parse(arena, "x", "\"R59\"", 5, refs, 60, NULL);
    assert_non_null(strstr(encoded(s, "{}"), "expand without end"));
    sch_value_error err;
    assert_false(sch_avro_check(s, (const uint8_t *)"", 0, &err));
    assert_string_equal(err.message, "too many values that take no byte");
    assert_non_null(strstr(printed(s, ""), "larger than"));
    s = parse("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"n\",\"type\":\"N\",\"default\":{}}]}");
    assert_non_null(strstr(encoded(s, "{}"), "nested too deeply"));
    assert_non_null(strstr(printed(s, ""), "nested too deeply"));
}

/* Two records that can each be read as the other, nested: 2^depth ways, none of which fits at the end. */
static void ambiguous_unions(void **state)
{
    sch_schema *s = parse("{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"u\",\"type\":[\"int\",\"A\",{"
                          "\"type\":\"record\",\"name\":\"B\",\"fields\":["
                          "{\"name\":\"u\",\"type\":[\"int\",\"A\",\"B\"]}]}]}]}");
    fl_buf b;
    fl_buf_init(&b, 1u << 16);
    for (int i = 0; i < 100; i++)
        fl_buf_adds(&b, "{\"u\":");
    fl_buf_addc(&b, '1');
    for (int i = 0; i < 100; i++)
        fl_buf_addc(&b, '}');
    assert_int_equal(strlen(encoded(s, b.p)), 202);
    fl_buf c; /* a text where only numbers and records fit */
    fl_buf_init(&c, 1u << 16);
    fl_buf_add(&c, b.p, 500);
    fl_buf_adds(&c, "\"x\"");
    fl_buf_adds(&c, b.p + 501);
    assert_non_null(strstr(encoded(s, c.p), "too many ways"));
    fl_buf_free(&b);
    fl_buf_free(&c);
}

static const struct {
    const char *schema, *json, *error;
} refused[] = {
    {"\"int\"", "2147483648", "error the number does not fit an int (32 bits)"},
    {"\"int\"", "1.0", "error an int is a whole number of 32 bits"},
    {"\"int\"", "1e3", "error an int is a whole number of 32 bits"},
    {"\"long\"", "1.5", "error a long is a whole number of 64 bits"},
    {"\"int\"", "\"1\"", "error expected int, found a string"},
    {"\"float\"", "1e39", "error the number does not fit a float"},
    {"\"double\"", "\"nan\"", "error a text for a float or double is \"NaN\", \"Infinity\" or \"-Infinity\""},
    {"\"double\"", "\"NaN\\u0000\"", "error a text for a float or double is \"NaN\", \"Infinity\" or \"-Infinity\""},
    {"\"double\"", "true", "error expected double, found true"},
    {"\"boolean\"", "0", "error expected boolean, found a number"},
    {"\"null\"", "0", "error expected null, found a number"},
    {"\"string\"", "null", "error expected string, found null"},
    {"\"bytes\"", "\"\\u0100\"", "error bytes are written as text of U+0000 to U+00FF, one a byte"},
    {"\"bytes\"", "[1]", "error expected bytes, found an array"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"abc\"", "error F has 2 bytes, found 3"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"B\"", "error the text is no symbol of the enum"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"A\\u0000\"",
     "error the text is no symbol of the enum"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "0", "error expected enum E, found a number"},
    {F("\"string\""), "{}", "error a: the field is missing and has no default"},
    {F("\"string\""), "{\"a\":\"x\",\"b\":1}", "error R has no field of the name at byte 9"},
    {F("\"string\""), "{\"ada@example.com\":1,\"a\":\"x\"}", "error R has no field of the name at byte 1"},
    {EMAIL, "{\"emial\":\"x\",\"email\":\"y\"}", "error R has no field of the name at byte 1; did you mean \"email\"?"},
    {EMAIL, "{\"email\\n\\u00e9\":\"x\",\"email\":\"y\"}", "error R has no field of the name at byte 1"},
    {F("\"string\""), "[]", "error expected record R, found an array"},
    {F("{\"type\":\"array\",\"items\":" F("\"int\"") "}"), "{\"a\":[]}", NULL},
    {F("{\"type\":\"array\",\"items\":\"int\"}"), "{\"a\":[1,2,\"x\"]}", "error a[2]: expected int, found a string"},
    {F("{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\"}}"), "{\"a\":{\"secret\":[1,null]}}",
     "error a.*[1]: expected int, found null"},
    {"[\"int\",\"string\"]", "null", "error no branch of the union takes null"},
    {"[\"null\",\"string\"]", "5", "error no branch of the union takes a number"},
    {"[\"null\",\"string\"]", "{\"strin\":\"x\"}", "error no branch of the union takes an object"},
    {"[\"null\",\"string\"]", "{\"string\":5}", "error expected string, found a number"},
    {"[\"null\",\"int\"]", "5000000000", "error the number does not fit an int (32 bits)"},
    {"[\"int\",\"boolean\",\"float\"]", "1e39",
     "error no branch of the union takes this value whole; {\"branch name\": value} names one"},
    {"[\"null\"," F("[\"null\","
                    "\"int\"]") "]",
     "{\"a\":\"x\"}", "error a: no branch of the union takes a string"},
    {"[\"null\"," F("\"int\"") "]", "{\"b\":1}", "error a: the field is missing and has no default"},
};

static void refusals(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        sch_error err;
        sch_schema *s = try_parse(refused[i].schema, &err);
        if (!refused[i].error) { /* a record inside itself by name: not a schema */
            assert_null(s);
            continue;
        }
        same(refused[i].json, encoded(s, refused[i].json), refused[i].error);
        sch_value_error e = {.offset = 99};
        fl_buf_clear(&out);
        assert_false(sch_json_to_avro(s, parse_json_text(refused[i].json), SCH_BYTES_TEXT, &out, &e));
        assert_true(e.offset < strlen(refused[i].json));
        assert_false(sch_json_to_avro(s, parse_json_text(refused[i].json), SCH_BYTES_TEXT, &out, NULL));
    }
}

/* ---- hostile bytes ---- */

static const struct {
    const char *schema, *hex, *error;
} bad_bytes[] = {
    {"\"boolean\"", "", "error the record ends inside a boolean"},
    {"\"boolean\"", "02", "error a boolean is neither 0 nor 1"},
    {"\"int\"", "", "error the record ends inside a number"},
    {"\"int\"", "80", "error the record ends inside a number"},
    {"\"int\"", "8080808020", "error an int is out of range"},
    {"\"long\"", "ffffffffffffffffff02", "error a number is longer than 64 bits"},
    {"\"long\"", "8080808080808080808001", "error a number is longer than 64 bits"},
    {"\"float\"", "000000", "error the record ends inside a float"},
    {"\"double\"", "00000000000000", "error the record ends inside a double"},
    {"\"string\"", "0661", "error a string is longer than what is left of the record"},
    {"\"string\"", "feffffffffffffffff01", "error a string is longer than what is left of the record"},
    {"\"string\"", "01", "error a string has a negative length"},
    {"\"string\"", "02ff", "error a string is not UTF-8"},
    {"\"string\"", "06eda080", "error a string is not UTF-8"},
    {"\"bytes\"", "01", "error a bytes value has a negative length"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2147483647}", "00", "error the record ends inside a fixed"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "02",
     "error the number of an enum's symbol is out of range"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "01",
     "error the number of an enum's symbol is out of range"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "00", "error the number of an enum's symbol is out of range"},
    {"[\"null\",\"int\"]", "04", "error the number of a union's branch is out of range"},
    {"[\"null\",\"int\"]", "01", "error the number of a union's branch is out of range"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "02", "error [0]: the record ends inside a number"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "0202", "error the record ends inside a number"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "ffffffffffffffffff01", "error the count of a block is out of range"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "01040200", "error the length of a block is not that of its items"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "0101", "error a block of an array or map has a negative length"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "0110",
     "error a block of an array or map is longer than what is left of the record"},
    {"{\"type\":\"array\",\"items\":\"null\"}", "feffffffffffffffff01",
     "error [209715]: as JSON the record is larger than 1048576 bytes"},
    {"{\"type\":\"map\",\"values\":\"int\"}", "020261", "error *: the record ends inside a number"},
    {"{\"type\":\"map\",\"values\":\"int\"}",
     "02020002"
     "00",
     "error *: a key of a map holds U+0000, which readers of JSON refuse"},
    {"{\"type\":\"map\",\"values\":\"int\"}", "0202ff0200", "error *: a key of a map is not UTF-8"},
    {"\"null\"", "00", "error 1 bytes are left behind the record"},
};

static void hostile_bytes(void **state)
{
    for (size_t i = 0; i < sizeof bad_bytes / sizeof *bad_bytes; i++)
        same(bad_bytes[i].hex, printed(parse(bad_bytes[i].schema), bad_bytes[i].hex), bad_bytes[i].error);
    sch_schema *s = parse("{\"type\":\"array\",\"items\":\"null\"}");
    sch_value_error err;
    assert_false(sch_avro_check(s, (const uint8_t *)"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &err));
    assert_string_equal(err.message, "too many values that take no byte");
    s = parse("{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":0}}");
    assert_false(sch_avro_check(s, (const uint8_t *)"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &err));
    assert_string_equal(err.message, "too many values that take no byte");
    sch_print_options opt = {.allow_trailing = true};
    same("trailing", printed_with(parse("\"int\""), "02ffff", &opt), "1");
}

/* As hamba (Go) writes: a negative count and the block's length; and several blocks. */
static void negative_blocks(void **state)
{
    sch_schema *s = parse("{\"type\":\"array\",\"items\":\"int\"}");
    same("negative", printed(s, "0304020400"), "[1,2]");
    same("two blocks",
         printed(s, "02020102"
                    "0400"),
         "[1,2]");
    s = parse("{\"type\":\"map\",\"values\":\"int\"}");
    same("map", printed(s, "010402610200"), "error the length of a block is not that of its items");
    same("map", printed(s, "010602610200"), "{\"a\":1}");
}

/* A record of a recursive schema nested as deep as its bytes allow. */
static void deep_values(void **state)
{
    sch_schema *s =
        parse("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"N\"]}]}");
    size_t n = 50000;
    uint8_t *body = fl_alloc(arena, n + 1);
    memset(body, 2, n);
    sch_value_error err;
    fl_buf_clear(&out);
    assert_false(sch_avro_to_json(s, body, n + 1, NULL, &out, &err));
    assert_string_equal(err.message, "records, arrays and maps are nested too deeply");
    assert_memory_equal(err.path, "\xe2\x80\xa6", 3);
    assert_true(sch_avro_to_json(s, body + n - (SCH_VALUE_MAX_DEPTH - 1), SCH_VALUE_MAX_DEPTH, NULL, &out, &err));
    /* what was printed is read again */
    const char *json = fl_strdup(arena, out.p);
    assert_int_equal(strlen(encoded(s, json)), 2 * SCH_VALUE_MAX_DEPTH);
    fl_buf b;
    fl_buf_init(&b, 1u << 16);
    fl_buf_addf(&b, "{\"next\":%s}", json);
    assert_non_null(strstr(encoded(s, b.p), "nested too deeply"));
    fl_buf_free(&b);
}

/* Every prefix and every flipped bit of a body is read or refused, never read beyond. */
static void mutilated(void **state)
{
    size_t len;
    const char *doc = read_data("schema/testdata/vectors-avro.json", &len);
    const fl_json *root = parse_json(doc, len);
    sch_print_options opt = {.bytes = SCH_BYTES_BASE64};
    for (const fl_json *v = fl_json_get(root, "vectors")->child; v; v = v->next) {
        sch_schema *s = parse(node_text(doc, fl_json_get(v, "schema")));
        const char *hex = fl_json_str(v, "plain_body_hex");
        size_t n = strlen(hex) / 2;
        if (n > 300)
            continue;
        for (size_t cut = 0; cut < n; cut++) {
            const char *got = printed_with(s, fl_strndup(arena, hex, 2 * cut), &opt);
            if (s->root->kind == SCH_RECORD)
                assert_memory_equal(got, "error", 5);
        }
        uint8_t *body = fl_xmalloc(n), *copy = fl_xmalloc(n);
        fl_unhex(body, hex, 2 * n);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            memcpy(copy, body, n);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            fl_buf_clear(&out);
            if (sch_avro_to_json(s, copy, n, &opt, &out, NULL))
                parse_json(fl_strndup(arena, out.p, out.len), out.len);
        }
        free(body);
        free(copy);
    }
}

static void full_buffer(void **state)
{
    sch_schema *s = parse("[\"null\",\"string\",{\"type\":\"array\",\"items\":[\"null\",\"string\",\"bytes\"]}]");
    fl_buf small;
    fl_buf_init(&small, 6);
    sch_value_error err;
    fl_buf_adds(&small, "ab");
    assert_false(sch_json_to_avro(s, parse_json_text("[\"123456789\"]"), SCH_BYTES_TEXT, &small, &err));
    assert_non_null(strstr(err.message, "larger than 6 bytes"));
    assert_string_equal(small.p, "ab");
    assert_false(small.full);
    assert_true(sch_json_to_avro(s, parse_json_text("\"12\""), SCH_BYTES_TEXT, &small, &err));
    assert_int_equal(small.len, 6);
    fl_buf_free(&small);
}

#undef CASE
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up_buf, tear_down_buf)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(vectors),     CASE(all_values),       CASE(base64),
                                       CASE(defaults),    CASE(endless_defaults), CASE(ambiguous_unions),
                                       CASE(refusals),    CASE(hostile_bytes),    CASE(negative_blocks),
                                       CASE(deep_values), CASE(mutilated),        CASE(full_buffer)};
    return cmocka_run_group_tests_name("schema/avro_value", tests, NULL, NULL);
}
