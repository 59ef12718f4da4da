/* tags_test.c: inline tags written into the bytes of a schema; all else stays as it was. */
#include "schema/testing.h"

static const sch_field *find(const sch_schema *s, const char *path)
{
    sch_hits h;
    char message[160];
    assert_int_equal(sch_select(s, arena, path, &h, message), SCH_PATH_OK);
    assert_true(h.n >= 1);
    return h.v[0].field;
}

/* Edits as "path=TAG,TAG path=TAG". */
static const char *edited(const char *text, const char *what, size_t max)
{
    sch_schema *s = parse(text);
    sch_edit edits[8];
    size_t n = 0;
    char *copy = fl_strdup(arena, what), *save;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *tags = strchr(word, '=');
        *tags++ = '\0';
        const char **list = FL_NEW_N(arena, const char *, 8);
        size_t ntags = 0;
        char *rest;
        for (char *t = strtok_r(tags, ",", &rest); t; t = strtok_r(NULL, ",", &rest))
            list[ntags++] = t;
        edits[n++] = (sch_edit){find(s, word), list, ntags};
    }
    fl_buf out;
    fl_buf_init(&out, max);
    sch_write_tags(s, edits, n, &out);
    const char *result = out.full ? "full" : fl_strndup(arena, out.p, out.len);
    fl_buf_free(&out);
    return result;
}

static const struct {
    const char *text, *edits, *result;
} table[] = {
    /* the style of the object: spaces, none, lines */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}", "a=PII",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
     "]}"},
    {"{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"a\", \"type\": \"string\"}]}\n", "a=A,B",
     "{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"a\", \"type\": \"string\", \"confluent:tags\": "
     "[\"A\", \"B\"]}]}\n"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n  {\n    \"name\" : \"a\",\n    \"type\" : \"string\"\n  "
     "}\n]}\n",
     "a=PII",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n  {\n    \"name\" : \"a\",\n    \"type\" : \"string\",\n    "
     "\"confluent:tags\" : [\"PII\"]\n  }\n]}\n"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n  { \"name\": \"a\"\n  , \"type\": \"string\"\n  }\n]}\n",
     "a=PII",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[\n  { \"name\": \"a\"\n  , \"type\": \"string\"\n  , "
     "\"confluent:tags\": [\"PII\"]\n  }\n]}\n"},
    {"{\"type\":\"record\",\r\n\"name\":\"R\",\"fields\":[{\"name\":\"a\",\r\n\t\"type\":\"string\"}]}", "a=PII",
     "{\"type\":\"record\",\r\n\"name\":\"R\",\"fields\":[{\"name\":\"a\",\r\n\t\"type\":\"string\",\r\n\t\"confluent:"
     "tags\":[\"PII\"]}]}"},
    /* an existing list: what it has stays, in its order */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"confluent:tags\": [\"Z\"], "
     "\"type\":\"string\"}]}",
     "a=PII,Z",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"confluent:tags\": [\"Z\", \"PII\"], "
     "\"type\":\"string\"}]}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"Y\","
     "\"Z\"]}]}",
     "a=A,B,Y,Z",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"Y\","
     "\"Z\",\"A\",\"B\"]}]}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[ ]}]}",
     "a=A,B",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"A\", "
     "\"B\" ]}]}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\n    "
     "\"Z\"\n  ]}]}",
     "a=A,B,Z",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\n    "
     "\"Z\",\n    \"A\",\n    \"B\"\n  ]}]}"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
     "]}",
     "a=PII",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
     "]}"},
    /* several at once, in any order; a field inside the type of another; one field twice */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"record\",\"name\":\"B\",\"fields\":["
     "{\"name\":\"c\",\"type\":\"string\"}]}}},{\"name\":\"d\",\"type\":\"string\"}]}",
     "d=X b[].c=Y b=Z d=W",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"b\",\"type\":{\"type\":\"array\",\"items\":{\"type\":"
     "\"record\",\"name\":\"B\",\"fields\":["
     "{\"name\":\"c\",\"type\":\"string\",\"confluent:tags\":[\"Y\"]}]}},\"confluent:tags\":[\"Z\"]},{\"name\":\"d\","
     "\"type\":\"string\",\"confluent:tags\":[\"W\",\"X\"]}]}"},
    /* tags elsewhere are not the field's */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"string\",\"confluent:tags\":"
     "[\"PII\"]}}]}",
     "a=PII",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"string\",\"confluent:tags\":"
     "[\"PII\"]},\"confluent:tags\":[\"PII\"]}]}"},
    /* tags are escaped */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}", "a=P\"\\\xc3\xa9",
     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":["
     "\"P\\\"\\\\\xc3\xa9\"]}]}"},
    {"\"string\"", "", "\"string\""},
};

static void edits(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = edited(table[i].text, table[i].edits, 1u << 20);
        if (strcmp(got, table[i].result) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", table[i].edits, got, table[i].result);
        if (!*table[i].edits)
            continue;
        assert_non_null(parse(got));
        assert_string_equal(edited(got, table[i].edits, 1u << 20), got); /* a second run changes nothing */
    }
}

/* The tags are read back, and taking them out again gives the original bytes. */
static void only_an_insertion(void **state)
{
    const char *text = table[10].text, *got = edited(text, table[10].edits, 1u << 20);
    sch_schema *s = parse(got);
    assert_int_equal(find(s, "b[].c")->ntags, 1);
    assert_int_equal(find(s, "d")->ntags, 2);
    fl_buf b;
    fl_buf_init(&b, 1u << 16);
    for (const char *p = got; *p;) {
        const char *tag = strstr(p, ",\"confluent:tags\":[");
        fl_buf_add(&b, p, tag ? (size_t)(tag - p) : strlen(p));
        p = tag ? strchr(tag, ']') + 1 : p + strlen(p);
    }
    assert_string_equal(b.p, text);
    fl_buf_free(&b);
}

/* A separator as long as the file is not copied for each field. */
static void long_style(void **state)
{
    char *spaces = fl_alloc(arena, 100001);
    memset(spaces, ' ', 100000);
    const char *text = fl_printf(
        arena, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",%s\"type\":\"string\"}]}", spaces);
    const char *got = edited(text, "a=PII", 1u << 20);
    assert_int_equal(strlen(got), strlen(text) + strlen(", \"confluent:tags\":[\"PII\"]"));
    assert_string_equal(edited(text, "a=PII", 1000), "full");
}

static void foreign(void **state)
{
    static const char ref[] = "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"s\",\"type\":\"string\"}]}";
    static const char text[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"A\"}]}";
    sch_ref r = {"A", ref, sizeof ref - 1};
    sch_schema *s = sch_avro_parse(arena, "R", text, sizeof text - 1, &r, 1, NULL);
    const char *tags[] = {"PII"};
    sch_edit edit = {find(s, "a.s"), tags, 1};
    fl_buf out;
    fl_buf_init(&out, 1000);
    sch_write_tags(s, &edit, 1, &out);
    assert_string_equal(out.p, text);
    fl_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(edits), CASE(only_an_insertion), CASE(long_style), CASE(foreign)};
    return cmocka_run_group_tests_name("schema/tags", tests, NULL, NULL);
}
