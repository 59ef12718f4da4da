/* avro_extract_test.c: what stands at a path in encoded bytes, and that what is found there can be cut out and put
 * back. */
#include "schema/testing.h"

static const char schema[] = "{\"type\":\"record\",\"name\":\"C\",\"fields\":["
                             "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"ssn\",\"type\":[\"null\",\"string\"]},{"
                             "\"name\":\"sig\",\"type\":[\"bytes\",\"null\"]},"
                             "{\"name\":\"addresses\",\"type\":{\"type\":\"array\",\"items\":[\"null\",{\"type\":"
                             "\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"street\",\"type\":\"string\"}]}]}},"
                             "{\"name\":\"notes\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\"]}},"
                             "{\"name\":\"home\",\"type\":[\"null\",\"A\"]},{\"name\":\"n\",\"type\":\"long\"},"
                             "{\"name\":\"next\",\"type\":[\"null\",\"C\"]}]}";

static const char record[] =
    "{\"id\":\"x1\",\"ssn\":\"078\",\"sig\":\"\\u0001\\u0002\",\"addresses\":[{\"street\":\"S1\"},null,{\"street\":"
    "\"S2\"}],"
    "\"notes\":{\"a\":\"N1\",\"b\":null},\"home\":{\"street\":\"H\"},\"n\":300,"
    "\"next\":{\"id\":\"x2\",\"ssn\":null,\"sig\":null,\"addresses\":[],\"notes\":{},\"home\":null,\"n\":1,\"next\":"
    "{\"id\":\"x3\",\"ssn\":\"9\",\"sig\":null,\"addresses\":[],\"notes\":{},\"home\":null,\"n\":2,\"next\":null}}}";

static fl_buf body;

static void encode(const sch_schema *s)
{
    sch_value_error err;
    fl_buf_init(&body, 1u << 16);
    if (!sch_json_to_avro(s, parse_json_text(record), SCH_BYTES_TEXT, &body, &err))
        fail_msg("%s: %s", err.path, err.message);
}

static const char *found(const sch_schema *s, const char *path)
{
    sch_ats ats;
    sch_value_error err;
    if (!sch_avro_extract(s, (uint8_t *)body.p, body.len, path, arena, &ats, &err))
        return fl_printf(arena, "error %s", err.message);
    fl_buf b;
    fl_buf_init(&b, 1u << 16);
    for (size_t i = 0; i < ats.n; i++) {
        const sch_at *at = &ats.v[i];
        static const char *const kinds[] = {"null", "string", "bytes", "other"};
        fl_buf_addf(&b, "%s%s", i ? " " : "", kinds[at->kind]);
        if (at->kind == SCH_AT_STRING)
            fl_buf_addf(&b, ":%.*s", (int)at->len, body.p + at->offset);
        else if (at->kind != SCH_AT_NULL)
            fl_buf_addf(&b, ":%zu", at->len);
    }
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static const struct {
    const char *path, *found;
} table[] = {
    {"id", "string:x1"},
    {"ssn", "string:078"},
    {"sig", "bytes:2"},
    {"addresses[].street", "string:S1 string:S2"},
    {"addresses[]", "other:3 null other:3"},
    {"addresses", "other:11"},
    {"notes.*", "string:N1 null"},
    {"home.street", "string:H"},
    {"n", "other:2"},
    {"next.ssn", "null"},
    {"next.home.street", ""},
    {"next.next.ssn", "string:9"},
    {"next.next.next.ssn", ""},
    {"**.ssn", "string:078 null string:9"},
    {"**.street", "string:S1 string:S2 string:H"},
    {"home.**", "string:H"},
    {"next.home", "null"},
    {"next.next.**", "string:x3 string:9 null null other:1 null"},
    {"nope", ""},
    {"a[0]", "error not a path: elements of an array are written [], without a number"},
};

static void places(void **state)
{
    sch_schema *s = parse(schema);
    encode(s);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = found(s, table[i].path);
        if (strcmp(got, table[i].found) != 0)
            fail_msg("%s\n  finds:    %s\n  expected: %s", table[i].path, got, table[i].found);
    }
    fl_buf_free(&body);
}

/* branch, prefix and content lie side by side; a value cut out there is a datum of its type. */
static void details(void **state)
{
    sch_schema *s = parse(schema);
    encode(s);
    sch_ats ats;
    sch_value_error err;
    assert_true(sch_avro_extract(s, (uint8_t *)body.p, body.len, "ssn", arena, &ats, &err));
    const sch_at *at = ats.v;
    assert_int_equal(at->branch_len, 1);
    assert_int_equal(body.p[at->branch], 2);
    assert_int_equal(at->whole, at->branch + 1);
    assert_int_equal(at->offset, at->whole + 1);
    assert_int_equal(at->whole_len, 4);
    assert_string_equal(at->field->name, "ssn");
    assert_int_equal(at->type->kind, SCH_STRING);
    assert_true(sch_avro_extract(s, (uint8_t *)body.p, body.len, "id", arena, &ats, &err));
    assert_int_equal(ats.v[0].branch_len, 0);
    assert_true(sch_avro_extract(s, (uint8_t *)body.p, body.len, "addresses", arena, &ats, &err));
    fl_buf json;
    fl_buf_init(&json, 1000);
    assert_true(sch_avro_to_json_type(ats.v[0].type, (uint8_t *)body.p + ats.v[0].whole, ats.v[0].whole_len, NULL,
                                      &json, &err));
    assert_string_equal(json.p, "[{\"street\":\"S1\"},null,{\"street\":\"S2\"}]");
    assert_true(sch_avro_extract(s, (uint8_t *)body.p, body.len, "addresses[].street", arena, &ats, &err));
    assert_string_equal(ats.v[0].field->record->name, "A");
    fl_buf_free(&json);
    fl_buf_free(&body);
}

static void roots(void **state)
{
    sch_schema *s = parse("\"bytes\"");
    sch_ats ats;
    sch_value_error err;
    assert_true(sch_avro_extract(s, (const uint8_t *)"\x04zz", 3, "**", arena, &ats, &err));
    assert_int_equal(ats.n, 1);
    assert_int_equal(ats.v[0].offset, 1);
    assert_null(ats.v[0].field);
    assert_false(sch_avro_extract(s, (const uint8_t *)"\x04z", 2, "**", arena, &ats, &err));
    assert_int_equal(ats.n, 0);
    assert_false(sch_avro_extract(s, (const uint8_t *)"\x04zzz", 4, "**", arena, &ats, &err));
    s = parse("{\"type\":\"array\",\"items\":\"null\"}");
    /* 200,000 nulls: more than one may ask for */
    assert_false(sch_avro_extract(s, (const uint8_t *)"\x80\xb5\x18\x00", 4, "[]", arena, &ats, &err));
    assert_non_null(strstr(err.message, "more than 100000 places"));
    assert_true(sch_avro_extract(s, (const uint8_t *)"\x80\xb5\x18\x00", 4, "x", arena, &ats, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(places), CASE(details), CASE(roots)};
    return cmocka_run_group_tests_name("schema/avro_extract", tests, NULL, NULL);
}
