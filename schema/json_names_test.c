/* json_names_test.c: JSON Schema: keys of metadata.tags, names that clients look up, ways to leaves, near paths, and
 * tags written into the text. */
#include "schema/testing.h"

static sch_schema *parse_with(const char *text, const sch_ref *refs, size_t n)
{
    sch_error err;
    sch_schema *s = sch_json_parse(arena, "test.json", text, strlen(text), refs, n, &err);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

static sch_schema *parse_schema(const char *text)
{
    return parse_with(text, NULL, 0);
}

static sch_hit find(const sch_schema *s, const char *path)
{
    sch_hits h;
    char message[160];
    assert_int_equal(sch_select(s, arena, path, &h, message), SCH_PATH_OK);
    if (!h.n)
        fail_msg("nothing at %s", path);
    return h.v[0];
}

static const char *joined(const char *const *v, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 10000);
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(&b, "%s%s", i ? " " : "", v[i]);
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static const char schema[] =
    "{\"properties\":{\"ssn\":{\"type\":\"string\"},"
    "\"a\":{\"items\":{\"properties\":{\"b\":{\"type\":\"string\"},\"l\":{\"items\":{\"type\":\"string\"}},"
    "\"c\":{\"items\":{\"items\":{\"properties\":{\"d\":{\"type\":\"string\"}}}}}}}},"
    "\"a2\":{\"properties\":{\"b\":{\"type\":\"string\"}}},"
    "\"l\":{\"items\":{\"type\":\"string\"}},"
    "\"e-mail\":{\"type\":\"string\"},\"stra\xc3\x9f"
    "e\":{\"type\":\"string\"},"
    "\"x.y\":{\"type\":\"string\"},\"x\":{\"properties\":{\"y\":{\"type\":\"string\"},\"q\\\\\":{\"type\":\"string\"}}}"
    ","
    "\"m\":{\"additionalProperties\":{\"type\":\"string\"}},"
    "\"n\":{\"$ref\":\"#/definitions/N\"}},"
    "\"definitions\":{\"N\":{\"properties\":{\"label\":{\"type\":\"string\"},\"kids\":{\"items\":{\"$ref\":"
    "\"#/definitions/N\"}},\"tags\":{\"items\":{\"type\":\"string\"}},\"in\":{\"properties\":{\"deep\":{\"type\":"
    "\"string\"}}}}}}}";

static const struct {
    const char *path, *keys, *names;
} table[] = {
    {"ssn", "$.ssn", "$.ssn"},
    {"a[].b", "$.a.b $.a*.b", "$.a.b $.a[0].b $.a[17].b"},
    {"a[].l[]", "$.a.l $.a*.l", "$.a.l $.a[0].l $.a[17].l"},
    {"a[].c[][].d", "$.a.c.d $.a*.c*.d", "$.a.c.d $.a[0].c[0][0].d $.a[17].c[17][17].d"},
    {"a2.b", "$.a2.b", "$.a2.b"},
    {"l[]", "$.l", "$.l"},
    {"e-mail", "$.e-mail", "$.e-mail"},
    {"\"stra\xc3\x9f"
     "e\"",
     "$.stra\xc3\x9f"
     "e",
     "$.stra\xc3\x9f"
     "e"},
    {"\"x.y\"", "", "$.x.y"},
    {"x.y", "$.x.y", "$.x.y"},
    {"x.\"q\\\\\"", "", "$.x.q\\"},
    {"m.*", "", ""},
    {"n.label", "$**.label", "$.n.label"},
    {"n.kids[].label", "$**.label", "$.n.kids.label $.n.kids[0].label $.n.kids[17].label"},
    {"n.kids[].kids[].kids[].tags[]", "$**.tags",
     "$.n.kids.kids.kids.tags $.n.kids[0].kids[0].kids[0].tags "
     "$.n.kids[17].kids[17].kids[17].tags"},
    {"n.in.deep", "$**.deep", "$.n.in.deep"},
};

static void keys_and_names(void **state)
{
    sch_schema *s = parse_schema(schema);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *keys[SCH_MAX_KEYS], *names[SCH_MAX_KEYS];
        sch_hit h = find(s, table[i].path);
        assert_string_equal(h.path, table[i].path);
        size_t nkeys = sch_match_keys(s, &h, arena, keys), nnames = sch_client_names(s, &h, arena, names);
        assert_string_equal(joined(keys, nkeys), table[i].keys);
        assert_string_equal(joined(names, nnames), table[i].names);
        for (size_t n = 0; nkeys && n < nnames; n++) { /* whatever a client writes, a key matches it */
            bool matched = false;
            for (size_t k = 0; k < nkeys; k++)
                matched |= sch_key_matches(keys[k], names[n]);
            assert_true(matched);
        }
    }
    s = parse_schema("{\"items\":{\"properties\":{\"ssn\":{\"type\":\"string\"}}}}");
    sch_hit h = find(s, "[].ssn");
    const char *keys[SCH_MAX_KEYS];
    assert_string_equal(joined(keys, sch_match_keys(s, &h, arena, keys)), "$.ssn $*.ssn");
    assert_string_equal(joined(keys, sch_client_names(s, &h, arena, keys)), "$.ssn $[0].ssn $[17].ssn");
    h = find(parse_schema("{\"items\":{\"type\":\"string\"}}"), "[]");
    assert_int_equal(sch_match_keys(s, &h, arena, keys), 0);
}

static void coverage(void **state)
{
    static const struct {
        const char *path, *covered;
    } rows[] = {
        {"a[].b", "a[].b a2.b"}, {"a2.b", "a2.b"}, {"ssn", "ssn"}, {"n.label", "n.label n.kids[].label@"},
        {"x.y", "x.y"},          {"l[]", "l[]"},
    };
    sch_schema *s = parse_schema(schema);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sch_hit h = find(s, rows[i].path);
        sch_hits covered;
        sch_covered(s, arena, &h, &covered);
        assert_string_equal(hits_text(&covered), rows[i].covered);
    }
}

static void ways(void **state)
{
    sch_schema *s = parse_schema(schema);
    const sch_step *steps;
    sch_hit h = find(s, "a[].b");
    assert_int_equal(sch_way(s, arena, &h, &steps), 3);
    assert_string_equal(steps[0].field->name, "a");
    assert_ptr_equal(steps[0].in, s->root);
    assert_null(steps[1].field);
    assert_int_equal(steps[1].in->kind, SCH_ARRAY);
    assert_ptr_equal(steps[2].in, steps[1].to);
    assert_ptr_equal(steps[2].field, h.field);
    h = find(s, "n.kids[].kids[].kids[].label");
    assert_int_equal(sch_way(s, arena, &h, &steps), 8);
    h.path = "n.kids[].nowhere";
    assert_int_equal(sch_way(s, arena, &h, &steps), 0);
    sch_hits all;
    sch_leaves(s, arena, &all);
    for (size_t i = 0; i < all.n; i++)
        assert_true(sch_way(s, arena, &all.v[i], &steps) > 0);
}

static void nearest(void **state)
{
    static const struct {
        const char *path, *near;
    } rows[] = {{"a.b", "a[].b"}, {"emial", NULL}, {"e-mial", "e-mail"}, {"x.yy", "x.y"}, {"\"x,y\"", "\"x.y\""}};
    sch_schema *s = parse_schema(schema);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *out[1];
        size_t n = sch_nearest(s, arena, rows[i].path, out, 1);
        if (rows[i].near)
            assert_string_equal(n ? out[0] : "nothing", rows[i].near);
    }
    s = parse_schema("{\"properties\":{\"extra\":{\"properties\":{\"shoe size\":{\"type\":\"string\"}}}}}");
    const char *out[1];
    assert_int_equal(sch_nearest(s, arena, "\"shoe size\"", out, 1), 1);
    assert_string_equal(out[0], "extra.\"shoe size\"");
}

/* ---- writing ---- */

static const char *written(const sch_schema *s, const char *const *paths, size_t n)
{
    static const char *tags[] = {"PII"};
    sch_edit edits[16];
    for (size_t i = 0; i < n; i++)
        edits[i] = (sch_edit){find(s, paths[i]).field, tags, 1};
    fl_buf out;
    fl_buf_init(&out, 1u << 20);
    sch_write_tags(s, edits, n, &out);
    const char *text = fl_strndup(arena, out.p, out.len);
    fl_buf_free(&out);
    return text;
}

static const struct {
    const char *schema, *path, *result;
} writes[] = {
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "a",
     "{\"properties\":{\"a\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}"},
    {"{\"properties\": {\"a\": {\"type\": \"string\", \"format\": \"date\"}}}", "a",
     "{\"properties\": {\"a\": {\"type\": \"string\", \"format\": \"date\", \"confluent:tags\": [\"PII\"]}}}"},
    {"{\"properties\":{\"a\":{}}}", "a", "{\"properties\":{\"a\":{\"confluent:tags\": [\"PII\"]}}}"},
    {"{\"properties\": {\"a\": {\n  \"type\": \"string\"\n}}}", "a",
     "{\"properties\": {\"a\": {\n  \"type\": \"string\",\n  \"confluent:tags\": [\"PII\"]\n}}}"},
    /* at the property: not in items, a branch, or where a $ref leads */
    {"{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"}}}}", "a[]",
     "{\"properties\":{\"a\":{\"items\":{\"type\":\"string\"},\"confluent:tags\":[\"PII\"]}}}"},
    {"{\"properties\":{\"a\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}}}", "a",
     "{\"properties\":{\"a\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}],\"confluent:tags\":[\"PII\"]}}}"},
    {"{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\"}},\"definitions\":{\"A\":{\"type\":\"string\"}}}", "a",
     "{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\",\"confluent:tags\":[\"PII\"]}},\"definitions\":{\"A\":{"
     "\"type\":\"string\"}}}"},
    /* below a $ref: at the property in the definition */
    {"{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\"}},\"definitions\":{\"A\":{\"properties\":{\"b\":{\"type\":"
     "\"string\"}}}}}",
     "a.b",
     "{\"properties\":{\"a\":{\"$ref\":\"#/definitions/A\"}},\"definitions\":{\"A\":{\"properties\":{\"b\":{\"type\":"
     "\"string\",\"confluent:tags\":[\"PII\"]}}}}}"},
    {"{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}}}]}", "a",
     "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}}]}"},
    {"{\"properties\":{\"a\":{\"confluent:tags\":[\"X\"],\"type\":\"string\"}}}", "a",
     "{\"properties\":{\"a\":{\"confluent:tags\":[\"X\", \"PII\"],\"type\":\"string\"}}}"},
    {"{\"properties\":{\"a\":true}}", "a", "{\"properties\":{\"a\":true}}"}, /* has no object */
};

static void writing(void **state)
{
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        assert_string_equal(written(parse_schema(writes[i].schema), &writes[i].path, 1), writes[i].result);
    const char *both[] = {"o", "o2"}, *nested[] = {"a", "a[].b"};
    assert_string_equal(written(parse_schema("{\"properties\":{\"o2\":{},\"o\":{\"type\":\"string\"}}}"), both, 2),
                        "{\"properties\":{\"o2\":{\"confluent:tags\": [\"PII\"]},\"o\":{\"type\":\"string\","
                        "\"confluent:tags\":[\"PII\"]}}}");
    assert_string_equal(
        written(parse_schema("{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}}}"),
                nested, 2),
        "{\"properties\":{\"a\":{\"items\":{\"properties\":{\"b\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}},"
        "\"confluent:tags\":[\"PII\"]}}}");
}

static void writing_leaves_referred_schemas_alone(void **state)
{
    static const char other[] = "{\"properties\":{\"b\":{\"type\":\"string\"}}}";
    const sch_ref ref = {"other.json", other, sizeof other - 1};
    const char *text = "{\"allOf\":[{\"$ref\":\"other.json\"},{\"properties\":{\"own\":{\"type\":\"string\"}}}]}";
    sch_schema *s = parse_with(text, &ref, 1);
    const char *paths[] = {"b", "own"};
    assert_string_equal(written(s, paths, 1), text);
    assert_string_equal(written(s, paths, 2),
                        "{\"allOf\":[{\"$ref\":\"other.json\"},{\"properties\":{\"own\":{\"type\":"
                        "\"string\",\"confluent:tags\":[\"PII\"]}}}]}");
}

/* Every leaf of every measured schema, tagged: what is read again has the tags, and nothing else has changed. */
static void written_is_read(void **state)
{
    size_t len;
    const char *doc = read_data("compiler/clients/cases.json", &len);
    for (const fl_json *c = fl_json_get(parse_json(doc, len), "cases")->child; c; c = c->next) {
        if (strcmp(fl_json_str(c, "format"), "JSON") != 0 || fl_json_get(c, "refs"))
            continue;
        static const char *tags[] = {"T"};
        sch_schema *s = parse_schema(node_text(doc, fl_json_get(c, "schema")));
        sch_hits before, after;
        sch_leaves(s, arena, &before);
        fl_buf out;
        fl_buf_init(&out, 1u << 20);
        sch_edit *edits = FL_NEW_N(arena, sch_edit, before.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < before.n; i++)
            if (before.v[i].field && strcmp(before.v[i].field->name, "*") != 0)
                edits[n++] = (sch_edit){before.v[i].field, tags, 1};
        sch_write_tags(s, edits, n, &out);
        sch_leaves(parse_schema(fl_strndup(arena, out.p, out.len)), arena, &after);
        assert_string_equal(hits_text(&after), hits_text(&before));
        for (size_t i = 0, tagged = 0; i < after.n; i++) {
            const sch_field *f = after.v[i].field;
            for (size_t k = 0; f && k < f->ntags; k++)
                tagged += !strcmp(f->tags[k], "T");
            assert_true(!f || !strcmp(f->name, "*") || tagged > 0);
        }
        fl_buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(keys_and_names), CASE(coverage),
                                       CASE(ways),           CASE(nearest),
                                       CASE(writing),        CASE(writing_leaves_referred_schemas_alone),
                                       CASE(written_is_read)};
    return cmocka_run_group_tests_name("schema/json_names", tests, NULL, NULL);
}
