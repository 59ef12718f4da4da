/* json_open_test.c: members that a JSON Schema does not describe, and leaves to which it gives no type: a tag on them
 * counts, and a plan must say so. */
#include "runtime/format/json_lab.h"
#include "runtime/plan.h"

#define ID "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"}}"

typedef struct row {
    const char *schema, *keys; /* keys: metadata.tags */
    const char *clear;
    const char *wire; /* ~: "x" sealed */
} row;

static const row rows[] = {
    {ID "}", "\"$.ssn\":[\"PII\"]", "{\"id\":\"x\",\"ssn\":\"x\",\"s\":\"x\"}",
     "{\"id\":\"x\",\"ssn\":\"~\",\"s\":\"x\"}"},
    {ID ",\"additionalProperties\":true}", "\"$.ssn\":[\"PII\"]", "{\"ssn\":\"x\",\"id\":\"x\"}",
     "{\"ssn\":\"~\",\"id\":\"x\"}"},
    {ID ",\"additionalProperties\":false}", "\"$.ssn\":[\"PII\"]", "{\"ssn\":\"x\"}", "{\"ssn\":\"~\"}"},
    {ID "}", "\"$.s?n\":[\"PII\"]", "{\"san\":\"x\",\"ssn\":\"x\",\"sun\":null,\"soon\":\"x\"}",
     "{\"san\":\"~\",\"ssn\":\"~\",\"sun\":null,\"soon\":\"x\"}"},
    {ID "}", "\"$.ad*.st\":[\"PII\"]", "{\"ad1\":{\"st\":\"x\"},\"o\":{\"st\":\"x\"},\"ad\":[{\"st\":\"x\"}]}",
     "{\"ad1\":{\"st\":\"~\"},\"o\":{\"st\":\"x\"},\"ad\":[{\"st\":\"~\"}]}"},
    {ID "}", "\"$.s*\":[\"PII\"],\"$.*n\":[\"PII\"]", "{\"s\":\"x\",\"n\":\"x\",\"sn\":\"x\",\"t\":\"x\",\"id\":\"x\"}",
     "{\"s\":\"~\",\"n\":\"~\",\"sn\":\"~\",\"t\":\"x\",\"id\":\"x\"}"},
    {ID "}", "\"$.s*.a\":[\"PII\"],\"$.*n.b\":[\"PII\"]",
     "{\"sn\":{\"a\":\"x\",\"b\":\"x\"},\"s\":{\"a\":\"x\",\"b\":\"x\"},\"n\":{\"a\":\"x\"}}",
     "{\"sn\":{\"a\":\"~\",\"b\":\"~\"},\"s\":{\"a\":\"~\",\"b\":\"x\"},\"n\":{\"a\":\"x\"}}"},
    /* at any depth, below what the schema describes and below what it does not */
    {ID "}", "\"$**.ssn\":[\"PII\"]", "{\"ssn\":\"x\",\"e\":{\"ssn\":\"x\",\"a\":[[{\"ssn\":\"x\",\"id\":\"x\"}]]}}",
     "{\"ssn\":\"~\",\"e\":{\"ssn\":\"~\",\"a\":[[{\"ssn\":\"~\",\"id\":\"x\"}]]}}"},
    {ID "}", "\"$.e.ssn\":[\"PII\"]", "{\"ssn\":\"x\",\"e\":{\"ssn\":\"x\",\"e\":{\"ssn\":\"x\"}}}",
     "{\"ssn\":\"x\",\"e\":{\"ssn\":\"~\",\"e\":{\"ssn\":\"x\"}}}"},
    {ID "}", "\"$.e*.ssn\":[\"PII\"]", "{\"e\":[{\"ssn\":\"x\"}],\"ssn\":\"x\"}",
     "{\"e\":[{\"ssn\":\"~\"}],\"ssn\":\"x\"}"},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":" ID "}}}}", "\"$.a.ssn\":[\"PII\"]",
     "{\"a\":[{\"id\":\"x\",\"ssn\":\"x\"}]}", "{\"a\":[{\"id\":\"x\",\"ssn\":\"~\"}]}"},
    {"{\"properties\":{\"e\":{}}}", "\"$.e.ssn\":[\"PII\"]", "{\"e\":{\"ssn\":\"x\"}}", "{\"e\":{\"ssn\":\"~\"}}"},
    {"true", "\"$.ssn\":[\"PII\"]", "{\"ssn\":\"x\"}", "{\"ssn\":\"~\"}"},
    /* a key whose tags no rule has */
    {ID "}", "\"$.ssn\":[\"OTHER\"]", "{\"ssn\":\"x\",\"n\":1}", "{\"ssn\":\"x\",\"n\":1}"},
};

static const char *fill_in(const char *form, const char *x)
{
    const char *out = "";
    for (const char *at; (at = strchr(form, '~')); form = at + 1)
        out = fl_printf(l.a, "%s%.*s%s", out, (int)(at - form), form, x);
    return fl_printf(l.a, "%s%s", out, form);
}

static rt_codec *codec_with(const char *schema, const char *keys)
{
    return codec(schema, fl_printf(l.a, "{\"tags\":{%s}}", keys));
}

static void what_no_schema_describes(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        close_lab(NULL);
        open_lab(NULL);
        rt_codec *one = codec_with("{\"properties\":{\"s\":{\"type\":\"string\"}}}", "\"$.s\":[\"PII\"]");
        const char *want = fill_in(rows[i].wire, x_sealed(one, "\"x\""));
        rt_codec_close(one);
        rt_codec *c = codec_with(rows[i].schema, rows[i].keys);
        assert_string_equal(sealed(c, rows[i].clear), want);
        assert_string_equal(opened(c, want), rows[i].clear);
        rt_codec_close(c);
    }
}

/* What cannot be encrypted under a tag is refused there as elsewhere, and so is what hides tagged members where the
 * schema wants something else. A reader passes it. */
static void what_cannot_be_encrypted(void **state)
{
    static const struct {
        const char *keys, *text, *says;
    } odd[] = {
        {"\"$.ssn\":[\"PII\"]", "{\"ssn\":1}", "field ssn, rule pii, KEK kek: the value is a number"},
        {"\"$.ssn\":[\"PII\"]", "{\"ssn\":true}", "the value is true or false and cannot be encrypted"},
        {"\"$.ssn\":[\"PII\"]", "{\"ssn\":[\"x\"]}", "the value is an array and cannot be encrypted"},
        {"\"$.ssn\":[\"PII\"]", "{\"ssn\":{\"a\":\"x\"}}", "the value is an object and cannot be encrypted"},
        {"\"$.s*\":[\"PII\"]", "{\"ssn\":1}", "the value is a number and cannot be encrypted"},
        {"\"$.id.first\":[\"PII\"]", "{\"id\":{\"first\":\"x\"}}", "an object stands where the schema has none"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        close_lab(NULL);
        open_lab(NULL);
        rt_codec *c = codec_with(ID "}", odd[i].keys);
        sealed(c, "{\"id\":\"x\"}");
        assert_string_equal(opened(c, odd[i].text), odd[i].text);
        assert_int_not_equal(encrypt(c, odd[i].text), RT_OK);
        assert_says(&l, odd[i].says);
        assert_int_equal(l.wire.len, 0);
        rt_codec_close(c);
    }
}

#define TAGGED "{\"type\":\"object\",\"properties\":{\"s\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}"

/* What patternProperties describe nobody has sealed. */
static void a_pattern_is_read_as_it_is(void **state)
{
    static const char schema[] = "{\"type\":\"object\",\"patternProperties\":{\"^s\":{\"type\":\"string\"}}}";
    rt_codec *c = NULL, *other = codec(TAGGED, NULL);
    rt_codec_options reading = {.read_only = true};
    sealed(other, "{}"); /* a prefix */
    rt_codec_close(other);
    assert_int_equal(open_json(schema, "{\"tags\":{\"$.ssn\":[\"PII\"]}}", pii(""), NULL, &c), RT_REFUSED);
    assert_says(&l, "patternProperties");
    assert_int_equal(open_json(schema, "{\"tags\":{\"$.ssn\":[\"PII\"]}}", pii(""), &reading, &c), RT_OK);
    rt_codec_close(c);
}

/* ---- leaves without a type ---- */

#define LEAF(name, type) "\"" name "\":{" type "\"confluent:tags\":[\"PII\"]}"

static void a_leaf_without_a_type_is_held_against_the_plan(void **state)
{
    rt_codec *c =
        codec("{\"type\":\"object\",\"properties\":{" LEAF("f", "\"type\":\"string\",") "," LEAF("g", "") "}}", NULL);
    struct rt_plan_leaf both[] = {{"f", "kek", "pii"}, {"g", "kek", "pii"}};
    rt_plan_side side = {.encrypted = both, .nencrypted = 2};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_OK);
    side.nencrypted = 1;
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "field g, rule pii, KEK kek is sealed and not in the plan");
    rt_codec_close(c);
}

/* Whatever the schema says of its type: a text is sealed, and what is none is refused. */
static void a_tag_on_a_leaf_of_no_one_type(void **state)
{
    static const char *const types[] = {"", "\"minLength\":2,", "\"type\":[\"string\",\"integer\"],",
                                        "\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}],",
                                        "\"oneOf\":[{},{\"type\":\"null\"}],"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        close_lab(NULL);
        open_lab(NULL);
        rt_codec *c = codec(
            fl_printf(l.a, "{\"type\":\"object\",\"properties\":{\"s\":{%s\"confluent:tags\":[\"PII\"]}}}", types[i]),
            NULL);
        const char *x = x_sealed(c, "\"x\"");
        assert_string_not_equal(x, "x");
        assert_string_equal(opened(c, fl_printf(l.a, "{\"s\":\"%s\"}", x)), "{\"s\":\"x\"}");
        assert_string_equal(sealed(c, "{\"s\":null}"), "{\"s\":null}");
        assert_int_not_equal(encrypt(c, "{\"s\":1}"), RT_OK);
        assert_int_not_equal(encrypt(c, "{\"s\":[\"x\"]}"), RT_OK);
        assert_int_not_equal(encrypt(c, "{\"s\":{\"s\":\"x\"}}"), RT_OK);
        rt_codec_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(what_no_schema_describes), unit(what_cannot_be_encrypted), unit(a_pattern_is_read_as_it_is),
        unit(a_leaf_without_a_type_is_held_against_the_plan), unit(a_tag_on_a_leaf_of_no_one_type)};
    return cmocka_run_group_tests_name("json open", tests, NULL, NULL);
}
