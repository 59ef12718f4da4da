/* avro_parse_test.c: schemas that are read, names, references, recursion, and all that is refused. */
#include "schema/testing.h"

static void primitives(void **state)
{
    static const char *const names[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
    for (size_t i = 0; i < 8; i++) {
        sch_schema *s = parse(fl_printf(arena, "\"%s\"", names[i]));
        assert_int_equal(s->root->kind, SCH_NULL + i);
        s = parse(fl_printf(arena, "{\"type\": \"%s\", \"logicalType\": \"x\"}", names[i]));
        assert_int_equal(s->root->kind, SCH_NULL + i);
        assert_string_equal(s->root->logical, "x");
        s = parse(fl_printf(arena, "{\"type\": {\"type\": \"%s\"}}", names[i]));
        assert_int_equal(s->root->kind, SCH_NULL + i);
    }
    assert_int_equal(parse("{\"type\": [\"null\", \"string\"]}")->root->nbranches, 2);
}

/* The example of the specification, "Names": what full names come out. */
static void spec_names(void **state)
{
    sch_schema *s = parse("{\"type\": \"record\", \"name\": \"Example\", \"doc\": \"A simple name (attribute) and no "
                          "namespace attribute: use the null "
                          "namespace (\\\"\\\"); the fullname is 'Example'.\", \"fields\": ["
                          "{\"name\": \"inheritNull\", \"type\": {\"type\": \"enum\", \"name\": \"Simple\", "
                          "\"symbols\": [\"a\", \"b\"]}},"
                          "{\"name\": \"explicitNamespace\", \"type\": {\"type\": \"fixed\", \"name\": \"Simple\", "
                          "\"namespace\": \"explicit\", \"size\": 12}},"
                          "{\"name\": \"fullName\", \"type\": {\"type\": \"record\", \"name\": \"a.full.Name\", "
                          "\"namespace\": \"ignored\", \"fields\": ["
                          "{\"name\": \"inheritNamespace\", \"type\": {\"type\": \"enum\", \"name\": "
                          "\"Understanding\", \"symbols\": [\"d\", \"e\"]}}]}}]}");
    const sch_field *f = s->root->fields;
    assert_string_equal(s->root->name, "Example");
    assert_string_equal(f[0].type->name, "Simple");
    assert_int_equal(f[0].type->nsymbols, 2);
    assert_string_equal(f[1].type->name, "explicit.Simple");
    assert_int_equal(f[1].type->size, 12);
    assert_string_equal(f[2].type->name, "a.full.Name");
    assert_string_equal(f[2].type->fields[0].type->name, "a.full.Understanding");
    assert_ptr_equal(f[2].record, s->root);
}

static void namespaces(void **state)
{
    sch_schema *s = parse("{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"x.y\",\"fields\":["
                          "{\"name\":\"b\",\"type\":{\"type\":\"record\",\"name\":\"B\",\"namespace\":\"\",\"fields\":["
                          "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"C\",\"fields\":[]}},{\"name\":"
                          "\"a\",\"type\":\"x.y.A\"}]}},"
                          "{\"name\":\"d\",\"type\":{\"type\":\"record\",\"name\":\"z.D\",\"fields\":["
                          "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}},{\"name\":"
                          "\"e2\",\"type\":\"E\"}]}},"
                          "{\"name\":\"e3\",\"type\":\"z.E\"}]}");
    const sch_field *f = s->root->fields;
    assert_string_equal(f[0].type->name, "B");
    assert_string_equal(f[0].type->fields[0].type->name, "C");
    assert_ptr_equal(f[0].type->fields[1].type, s->root);
    assert_ptr_equal(f[1].type->fields[1].type, f[1].type->fields[0].type);
    assert_ptr_equal(f[2].type, f[1].type->fields[0].type);
    assert_true(s->root->recursive);
    assert_true(f[0].type->recursive);
    assert_false(f[1].type->recursive);
    assert_false(f[0].type->fields[0].type->recursive);
}

static void fields(void **state)
{
    const char *text = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",{\"type\":"
                       "\"bytes\",\"logicalType\":\"decimal\"}],"
                       "\"default\":null,\"aliases\":[\"b\",\"c\"],\"confluent:tags\":[\"Z\",\"A\",\"Z\"]},{\"name\":"
                       "\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\","
                       "\"symbols\":[\"X\",\"Y\"],\"default\":\"Y\"}}]}";
    sch_schema *s = parse(text);
    const sch_field *f = s->root->fields;
    assert_int_equal(f->fallback->kind, FL_JNULL);
    assert_int_equal(f->naliases, 2);
    assert_string_equal(f->aliases[1], "c");
    assert_int_equal(f->ntags, 2);
    assert_string_equal(f->tags[0], "A");
    assert_string_equal(f->tags[1], "Z");
    assert_string_equal(f->type->branches[1]->logical, "decimal");
    assert_string_equal(f[1].type->enum_default, "Y");
    assert_int_equal(text[f->node->from], '{');
    assert_memory_equal(text + f[1].node->from, "{\"name\":\"e\"", 11);
    /* ids are dense and unique */
    assert_int_equal(s->ntypes, 5);
    assert_int_equal(s->root->id + f->type->id + f->type->branches[0]->id + f->type->branches[1]->id + f[1].type->id,
                     10);
}

static void references(void **state)
{
    static const char address[] = "{\"type\":\"record\",\"name\":\"Address\",\"namespace\":\"com.acme\",\"fields\":["
                                  "{\"name\":\"street\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]}]}";
    static const char person[] = "{\"type\":\"record\",\"name\":\"Person\",\"namespace\":\"com.acme\",\"fields\":[{"
                                 "\"name\":\"at\",\"type\":\"Address\"}]}";
    static const char text[] = "{\"type\":\"record\",\"name\":\"C\",\"namespace\":\"com.acme\",\"fields\":[{\"name\":"
                               "\"p\",\"type\":\"Person\"},"
                               "{\"name\":\"a\",\"type\":\"com.acme.Address\"}]}";
    sch_ref refs[] = {{"address.avsc", address, sizeof address - 1}, {"person.avsc", person, sizeof person - 1}};
    sch_error err;
    sch_schema *s = sch_avro_parse(arena, "c.avsc", text, sizeof text - 1, refs, 2, &err);
    assert_non_null(s);
    assert_false(s->root->foreign);
    assert_true(s->root->fields[1].type->foreign);
    assert_ptr_equal(s->root->fields[0].type->fields[0].type, s->root->fields[1].type);
    assert_int_equal(s->root->fields[1].type->fields[0].ntags, 1);
    /* in the wrong order, and without one */
    sch_ref swapped[] = {refs[1], refs[0]};
    assert_null(sch_avro_parse(arena, "c.avsc", text, sizeof text - 1, swapped, 2, &err));
    assert_string_equal(err.ref, "person.avsc");
    assert_non_null(strstr(err.message, "com.acme.Address"));
    assert_null(sch_avro_parse(arena, "c.avsc", text, sizeof text - 1, refs, 1, &err));
    assert_null(err.ref);
    assert_memory_equal(text + err.offset, "\"Person\"", 8);
    /* the root may be a referenced type; a type defined again may not */
    s = sch_avro_parse(arena, "c.avsc", "\"com.acme.Address\"", 18, refs, 1, &err);
    assert_true(s && s->root->foreign);
    sch_ref twice[] = {refs[0], refs[0]};
    assert_null(sch_avro_parse(arena, "c.avsc", text, sizeof text - 1, twice, 2, &err));
    assert_non_null(strstr(err.message, "defined twice"));
    assert_null(sch_avro_parse(arena, "c.avsc", text, sizeof text - 1, NULL, 0, NULL));
}

static void misplaced(void **state)
{
    const char *text =
        "{\"type\":\"record\",\"name\":\"R\",\"confluent:tags\":[\"REC\"],\"fields\":["
        "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}}},"
        "{\"name\":\"s\",\"type\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]},\"confluent:tags\":[\"OK\"]}]}";
    sch_schema *s = parse(text);
    assert_int_equal(s->nmisplaced, 3);
    assert_ptr_equal(s->misplaced[0].type, s->root);
    assert_null(s->misplaced[0].field);
    assert_string_equal(s->misplaced[0].tags[0], "REC");
    assert_ptr_equal(s->misplaced[1].field, &s->root->fields[0]);
    assert_int_equal(s->misplaced[1].type->kind, SCH_STRING);
    assert_ptr_equal(s->misplaced[2].field, &s->root->fields[1]);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(text + s->misplaced[i].offset, "\"confluent:tags\"", 16);
        assert_int_equal(text[s->misplaced[i].to - 1], ']');
    }
    assert_int_equal(s->root->fields[0].ntags, 0);
    assert_int_equal(s->root->fields[1].ntags, 1);
    assert_int_equal(parse("\"string\"")->nmisplaced, 0);
}

#define REC(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"

/* text, what the message must hold, what stands at the offset */
static const struct {
    const char *text, *message, *at;
} refused[] = {
    {"", "not JSON", ""},
    {"{\"type\":\"record\"", "not JSON", ""},
    {"7", "a type is a name, an object or a list", "7"},
    {"null", "a type is a name", "null"},
    {"{}", "needs \"type\"", "{}"},
    {"\"strin\"", "\"strin\" is not known", "\"strin\""},
    {"\"array\"", "needs an object of its own", "\"array\""},
    {"\"a b\"", "no name of a type", "\"a b\""},
    {"\"\"", "no name of a type", "\"\""},
    {"[]", "a union needs a branch", "[]"},
    {"[\"null\",\"null\"]", "two branches of type null", "\"null\"]"},
    {"[\"null\",[\"string\"]]", "a union cannot stand directly in a union", "[\"string\"]"},
    {"[\"null\",{\"type\":[\"string\"]}]", "a union cannot stand directly in a union", "{\"type\":[\"string\"]}"},
    {"[{\"type\":\"map\",\"values\":\"int\"},{\"type\":\"map\",\"values\":\"long\"}]", "two branches of type map",
     "{\"type\":\"map\",\"values\":\"long\"}"},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},\"F\"]", "two branches of type F", "\"F\"]"},
    {"{\"type\":\"array\"}", "needs \"items\"", "{"},
    {"{\"type\":\"map\",\"items\":\"int\"}", "needs \"values\"", "{"},
    {"{\"type\":\"error\",\"name\":\"E\",\"fields\":[]}", "error", "\"error\""},
    {"{\"type\":\"record\",\"fields\":[]}", "needs a \"name\"", "{"},
    {"{\"type\":\"record\",\"name\":\"R\"}", "needs \"fields\"", "{"},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":{}}", "needs \"fields\"", "{}"},
    {"{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}", "no Avro name", "\"1R\""},
    {"{\"type\":\"record\",\"name\":\"a..b\",\"fields\":[]}", "no Avro name", "\"a..b\""},
    {"{\"type\":\"record\",\"name\":\".b\",\"fields\":[]}", "no Avro name", "\".b\""},
    {"{\"type\":\"record\",\"name\":\"r\xc3\xa9\",\"fields\":[]}", "no Avro name", "\"r"},
    {"{\"type\":\"record\",\"name\":\"R\\u0000x\",\"fields\":[]}", "no Avro name", "\"R"},
    {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"a-b\",\"fields\":[]}", "a namespace is", "\"a-b\""},
    {"{\"type\":\"record\",\"name\":\"R\",\"namespace\":null,\"fields\":[]}", "a namespace is", "null"},
    {"{\"type\":\"record\",\"name\":\"x.string\",\"fields\":[]}", "name of a primitive", "\"x.string\""},
    {REC("7"), "a field is an object", "7"},
    {REC("{\"type\":\"int\"}"), "needs a \"name\"", "{\"type\":\"int\"}"},
    {REC("{\"name\":\"a.b\",\"type\":\"int\"}"), "needs a \"name\"", "\"a.b\""},
    {REC("{\"name\":\"a\"}"), "has no \"type\"", "{\"name\":\"a\"}"},
    {REC("{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":\"int\"}"), "two fields called \"a\"",
     "\"a\",\"type\":\"int\"}]"},
    {REC("{\"name\":\"a\",\"name\":\"b\",\"type\":\"int\"}"), "not JSON", ""},
    {REC("{\"name\":\"a\",\"type\":\"int\",\"aliases\":\"b\"}"), "\"aliases\" is a list", "\"b\""},
    {REC("{\"name\":\"a\",\"type\":\"int\",\"aliases\":[\"b c\"]}"), "an alias", "\"b c\""},
    {REC("{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":\"PII\"}"), "list of texts", "\"PII\""},
    {REC("{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[1]}"), "list of texts", "1"},
    {REC("{\"name\":\"a\",\"type\":\"string\",\"confluent.tags\":[\"PII\"]}"), "are called", "[\"PII\"]"},
    {REC("{\"name\":\"a\",\"type\":\"string\",\"Confluent:Tags\":[\"PII\"]}"), "are called", "[\"PII\"]"},
    {REC("{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"\"]}"), "none empty", "\"\""},
    {REC("{\"name\":\"a\",\"type\":{\"type\":\"string\",\"confluent:tags\":{}}}"), "list of texts", "{}"},
    {REC("{\"name\":\"a\",\"type\":\"S\"},{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"S\",\"symbols\":[]}}"),
     "\"S\" is not known", "\"S\""},
    {REC("{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}}"), "\"R\" is defined twice",
     "\"R\""},
    {"{\"type\":\"enum\",\"name\":\"E\"}", "needs \"symbols\"", "{"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "is there twice", "\"A\"]"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a b\"]}", "a symbol is a name", "\"a b\""},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}", "one of its symbols", "\"B\""},
    {"{\"type\":\"fixed\",\"name\":\"F\"}", "needs a \"size\"", "{"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "needs a \"size\"", "{"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":1.5}", "needs a \"size\"", "{"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2147483648}", "needs a \"size\"", "{"},
};

static void refusals(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        sch_error err;
        if (try_parse(refused[i].text, &err))
            fail_msg("taken: %s", refused[i].text);
        if (!strstr(err.message, refused[i].message))
            fail_msg("%s\n  says: %s\n  expected: %s", refused[i].text, err.message, refused[i].message);
        const char *at = refused[i].at;
        if (*at && strncmp(refused[i].text + err.offset, at, strlen(at)) != 0)
            fail_msg("%s\n  points at: %s\n  expected: %s", refused[i].text, refused[i].text + err.offset, at);
    }
}

/* ---- hostile ---- */

static const char *repeat(const char *head, const char *open, size_t n, const char *middle, const char *close)
{
    fl_buf b;
    fl_buf_init(&b, 32u << 20);
    fl_buf_adds(&b, head);
    for (size_t i = 0; i < n; i++)
        fl_buf_adds(&b, open);
    fl_buf_adds(&b, middle);
    for (size_t i = 0; i < n; i++)
        fl_buf_adds(&b, close);
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void deep(void **state)
{
    sch_error err;
    assert_non_null(try_parse(repeat("", "{\"type\":\"array\",\"items\":", SCH_MAX_DEPTH - 1, "\"int\"", "}"), &err));
    assert_null(try_parse(repeat("", "{\"type\":\"array\",\"items\":", SCH_MAX_DEPTH, "\"int\"", "}"), &err));
    assert_non_null(strstr(err.message, "nested deeper"));
    assert_null(try_parse(repeat("", "{\"type\":", SCH_MAX_DEPTH + 1, "\"int\"", "}"), &err));
    assert_null(try_parse(repeat("", "[", 100000, "\"int\"", "]"), &err));
    assert_null(try_parse(repeat("", "{\"type\":", 100000, "\"int\"", "}"), &err));
}

static const char *many_fields(size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 32u << 20);
    fl_buf_adds(&b, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(&b, "%s{\"name\":\"f%zu\",\"type\":\"int\"}", i ? "," : "", i);
    fl_buf_adds(&b, "]}");
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void many(void **state)
{
    sch_error err;
    assert_int_equal(parse(many_fields(SCH_MAX_TYPES - 1))->ntypes, SCH_MAX_TYPES);
    assert_null(try_parse(many_fields(SCH_MAX_TYPES), &err));
    assert_non_null(strstr(err.message, "more than 20000 types"));
    char *name = fl_alloc(arena, SCH_MAX_NAME + 2);
    memset(name, 'n', SCH_MAX_NAME + 1);
    assert_null(try_parse(fl_printf(arena, "{\"type\":\"fixed\",\"size\":1,\"name\":\"%s\"}", name), &err));
    assert_null(try_parse(
        fl_printf(arena, "{\"type\":\"fixed\",\"size\":1,\"name\":\"%s\",\"namespace\":\"x\"}", name + 1), &err));
    assert_non_null(strstr(err.message, "full name is longer"));
    assert_non_null(try_parse(fl_printf(arena, "{\"type\":\"fixed\",\"size\":1,\"name\":\"%s\"}", name + 1), &err));
    assert_null(try_parse(fl_printf(arena, "\"%s.%s\"", name + 1, name + 1), &err));
}

/* 9,000 records, each with a field of the next, the last of the first: the search for cycles must not recurse. */
static void long_cycle(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 8u << 20);
    fl_buf_adds(&b, "[");
    sch_ref *refs = FL_NEW_N(arena, sch_ref, 9000);
    for (size_t i = 0; i < 9000; i++) {
        const char *text =
            fl_printf(arena, "{\"type\":\"record\",\"name\":\"R%zu\",\"fields\":[%s%s%s]}", i,
                      i ? "{\"name\":\"f\",\"type\":\"R" : "", i ? fl_printf(arena, "%zu", i - 1) : "", i ? "\"}" : "");
        refs[i] = (sch_ref){"r", text, strlen(text)};
    }
    sch_error err;
    sch_schema *s = sch_avro_parse(arena, "x", "\"R8999\"", 7, refs, 9000, &err);
    assert_non_null(s);
    assert_false(s->root->recursive);
    sch_hits h;
    sch_leaves(s, arena, &h);
    assert_int_equal(h.n, 0);
    assert_true(h.truncated); /* deeper than a walk goes */
    fl_buf_free(&b);
}

static void self(void **state)
{
    sch_schema *s = parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":\"R\"}]}");
    assert_true(s->root->recursive);
    s = parse(
        "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"b\",\"type\":{\"type\":\"record\",\"name\":\"B\","
        "\"fields\":["
        "{\"name\":\"a\",\"type\":{\"type\":\"map\",\"values\":[\"null\",{\"type\":\"array\",\"items\":\"A\"}]}}]}},"
        "{\"name\":\"c\",\"type\":{\"type\":\"record\",\"name\":\"C\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}}]"
        "}");
    assert_true(s->root->recursive);
    assert_true(s->root->fields[0].type->recursive);
    assert_false(s->root->fields[1].type->recursive);
}

/* Every prefix of the measured schemas, and every byte of them replaced: read or refused, with the error's place inside
 * the text. */
static void mutilated(void **state)
{
    size_t len;
    const char *doc = read_data("schema/testdata/clients-avro.json", &len);
    const fl_json *cases = fl_json_get(parse_json(doc, len), "cases");
    size_t taken = 0;
    for (const fl_json *c = cases->child; c; c = c->next) {
        const fl_json *node = fl_json_get(c, "schema");
        fl_arena *outer = arena;
        for (size_t i = 0; i < node->to - node->from; i++) {
            arena = fl_arena_new();
            char *text = fl_strndup(arena, doc + node->from, node->to - node->from);
            text[i] = "\"}]x\\,:*"[i % 8];
            sch_error err;
            sch_schema *s = try_parse(text, &err);
            sch_hits h;
            if (s)
                sch_leaves(s, arena, &h);
            else
                assert_true(err.offset <= strlen(text) && *err.message);
            taken += s != NULL;
            assert_true(sch_avro_parse(arena, "x", text, i, NULL, 0, &err) == NULL || i == 0);
            fl_arena_free(arena);
        }
        arena = outer;
    }
    assert_true(taken > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(primitives), CASE(spec_names), CASE(namespaces), CASE(fields),
                                       CASE(references), CASE(misplaced),  CASE(refusals),   CASE(deep),
                                       CASE(many),       CASE(long_cycle), CASE(self),       CASE(mutilated)};
    return cmocka_run_group_tests_name("schema/avro_parse", tests, NULL, NULL);
}
