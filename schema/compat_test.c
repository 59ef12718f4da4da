/* compat_test.c: tables of (level, old, new, what is wrong): the rules of Apache Avro's SchemaCompatibility and of the
 * vendor's diff of JSON Schemas, each at least once in each direction; levels; hostile schemas. */
#include "schema/compat.h"
#include "schema/testing.h"

/* "OK", or each finding as TYPE PATH, joined by ", "; "?" at the end if undecided. */
static const char *findings(const sch_compatibility *c, bool ok)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (size_t i = 0; i < c->list.n; i++)
        fl_buf_addf(&b, "%s%s %s", i ? ", " : "", c->list.v[i].type, c->list.v[i].path);
    if (c->undecided)
        fl_buf_adds(&b, "?");
    if (ok)
        fl_buf_adds(&b, "OK");
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static const char *judge(sch_level level, const sch_schema *newer, const sch_schema *const *history, size_t n)
{
    sch_compatibility c;
    bool ok = sch_compatible(arena, level, newer, history, n, &c);
    assert_int_equal(ok, !c.list.n && !c.undecided);
    return findings(&c, ok);
}

/* What the comparison of JSON Schema needs is the text alone. */
static sch_schema *json_schema(const char *text)
{
    sch_schema *s = FL_NEW(arena, sch_schema);
    s->format = SCH_JSON;
    s->text = text;
    s->len = strlen(text);
    s->json = parse_json_text(text);
    return s;
}

typedef struct row {
    const char *older, *newer, *expected; /* BACKWARD */
} row;

static void judge_rows(const row *rows, size_t n, sch_schema *(*read)(const char *))
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        const sch_schema *older = read(rows[i].older), *newer = read(rows[i].newer);
        const char *got = judge(SCH_BACKWARD, newer, &older, 1);
        /* the same question from the other end */
        assert_string_equal(judge(SCH_FORWARD, older, &newer, 1), got);
        if (strcmp(got, rows[i].expected)) {
            print_error("old %s\nnew %s\n  expected %s\n  got      %s\n", rows[i].older, rows[i].newer,
                        rows[i].expected, got);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

/* ---- Avro ---- */

#define R(fields)     "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define F(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define D(name, type) "{\"name\":\"" name "\",\"type\":" type ",\"default\":0}"
#define E(symbols)    "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define X(name, size) "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" size "}"

static const row avro_rows[] = {
    /* the same, and promotions */
    {"\"int\"", "\"int\"", "OK"},
    {"\"int\"", "\"long\"", "OK"},
    {"\"int\"", "\"float\"", "OK"},
    {"\"int\"", "\"double\"", "OK"},
    {"\"long\"", "\"float\"", "OK"},
    {"\"long\"", "\"double\"", "OK"},
    {"\"float\"", "\"double\"", "OK"},
    {"\"string\"", "\"bytes\"", "OK"},
    {"\"bytes\"", "\"string\"", "OK"},
    {"\"long\"", "\"int\"", "TYPE_MISMATCH /"},
    {"\"float\"", "\"long\"", "TYPE_MISMATCH /"},
    {"\"double\"", "\"float\"", "TYPE_MISMATCH /"},
    {"\"int\"", "\"string\"", "TYPE_MISMATCH /"},
    {"\"int\"", "\"boolean\"", "TYPE_MISMATCH /"},
    {"\"boolean\"", "\"int\"", "TYPE_MISMATCH /"},
    {"\"int\"", "\"null\"", "TYPE_MISMATCH /"},
    {"\"null\"", "\"int\"", "TYPE_MISMATCH /"},
    {"\"bytes\"", X("X", "4"), "TYPE_MISMATCH /"},
    /* arrays, maps */
    {"{\"type\":\"array\",\"items\":\"int\"}", "{\"type\":\"array\",\"items\":\"long\"}", "OK"},
    {"{\"type\":\"array\",\"items\":\"long\"}", "{\"type\":\"array\",\"items\":\"int\"}", "TYPE_MISMATCH /items"},
    {"{\"type\":\"map\",\"values\":\"long\"}", "{\"type\":\"map\",\"values\":\"int\"}", "TYPE_MISMATCH /values"},
    {"{\"type\":\"map\",\"values\":\"int\"}", "{\"type\":\"array\",\"items\":\"int\"}", "TYPE_MISMATCH /"},
    /* records: fields */
    {R(F("a", "\"int\"")), R(F("a", "\"long\"")), "OK"},
    {R(F("a", "\"int\"")), R(""), "OK"},
    {R(F("a", "\"int\"") "," F("b", "\"int\"")), R(F("b", "\"int\"") "," F("a", "\"int\"")), "OK"},
    {R(""), R(D("a", "\"int\"")), "OK"},
    {R(""), R("{\"name\":\"a\",\"type\":[\"null\",\"int\"],\"default\":null}"), "OK"},
    {R(""), R(F("a", "\"int\"")), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
    {R(""), R(F("a", "[\"null\",\"int\"]")), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
    {R(F("a", "\"int\"")), R(F("a", "\"int\"") "," F("b", "\"int\"") "," F("c", "\"int\"")),
     "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1, READER_FIELD_MISSING_DEFAULT_VALUE /fields/2"},
    {R(F("a", "\"string\"")), R(F("a", "\"int\"")), "TYPE_MISMATCH /fields/0/type"},
    /* a field that got another name: with an alias it is found */
    {R(F("a", "\"int\"")), R("{\"name\":\"b\",\"type\":\"int\",\"aliases\":[\"a\"]}"), "OK"},
    {R(F("a", "\"string\"")), R("{\"name\":\"b\",\"type\":\"int\",\"aliases\":[\"a\"]}"),
     "TYPE_MISMATCH /fields/0/type"},
    {R(F("a", "\"int\"")), R(F("b", "\"int\"")), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
    {R(F("a", "\"int\"") "," F("b", "\"int\"")), R("{\"name\":\"b\",\"type\":\"int\",\"aliases\":[\"a\"]}"),
     "NAME_MISMATCH /fields/0"},
    /* names of types: the namespace does not count, an alias does */
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}", "{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}",
     "NAME_MISMATCH /name"},
    {"{\"type\":\"record\",\"name\":\"x.R\",\"fields\":[]}", "{\"type\":\"record\",\"name\":\"y.R\",\"fields\":[]}",
     "OK"},
    {"{\"type\":\"record\",\"name\":\"x.R\",\"fields\":[]}",
     "{\"type\":\"record\",\"name\":\"x.S\",\"aliases\":[\"R\"],\"fields\":[]}", "OK"},
    {"{\"type\":\"record\",\"name\":\"x.R\",\"fields\":[]}",
     "{\"type\":\"record\",\"name\":\"y.S\",\"aliases\":[\"x.R\"],\"fields\":[]}", "OK"},
    {"{\"type\":\"record\",\"name\":\"x.R\",\"fields\":[]}",
     "{\"type\":\"record\",\"name\":\"y.S\",\"aliases\":[\"R\"],\"fields\":[]}", "NAME_MISMATCH /name"},
    {X("X", "4"), X("Y", "4"), "NAME_MISMATCH /name"},
    {X("X", "4"), X("X", "8"), "FIXED_SIZE_MISMATCH /size"},
    {X("X", "4"), X("Y", "8"), "NAME_MISMATCH /name, FIXED_SIZE_MISMATCH /size"},
    /* enums */
    {E("\"A\""), E("\"A\",\"B\""), "OK"},
    {E("\"A\",\"B\""), E("\"A\""), "MISSING_ENUM_SYMBOLS /symbols"},
    {E("\"A\",\"B\""), "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"A\"}", "OK"},
    {E("\"A\""), "{\"type\":\"enum\",\"name\":\"G\",\"symbols\":[\"A\"]}", "NAME_MISMATCH /name"},
    {R(""), R(F("e", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"A\"}")),
     "TYPE_MISMATCH /fields/0/type"},
    /* unions */
    {"[\"int\",\"string\"]", "[\"string\",\"int\"]", "OK"},
    {"[\"int\"]", "[\"int\",\"string\"]", "OK"},
    {"[\"int\",\"string\"]", "[\"int\"]", "MISSING_UNION_BRANCH /1"},
    {"\"int\"", "[\"null\",\"int\"]", "OK"},
    {"\"int\"", "[\"null\",\"long\"]", "OK"},
    {"\"string\"", "[\"null\",\"int\"]", "MISSING_UNION_BRANCH /"},
    {"[\"int\"]", "\"int\"", "OK"},
    {"[\"int\",\"long\"]", "\"long\"", "OK"},
    {"[\"null\",\"int\"]", "\"int\"", "TYPE_MISMATCH /"},
    {"[\"int\",\"float\"]", "[\"double\"]", "OK"},
    {R(F("a", "[\"null\",\"string\"]")), R(F("a", "\"string\"")), "TYPE_MISMATCH /fields/0/type"},
    {R(F("a", "\"string\"")), R(F("a", "[\"null\",\"string\"]")), "OK"},
    {"[\"null\"," R(F("a", "\"int\"")) "]", "[\"null\"," R(F("a", "\"string\"")) "]", "MISSING_UNION_BRANCH /1"},
    {"[\"null\"," R(F("a", "\"int\"")) "]", "[\"null\",{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}]",
     "MISSING_UNION_BRANCH /1"},
    /* a recursive record: compared once */
    {R(F("next", "[\"null\",\"R\"]")), R(F("next", "[\"null\",\"R\"]")), "OK"},
    {R(F("next", "[\"null\",\"R\"]") "," F("v", "\"int\"")), R(F("next", "[\"null\",\"R\"]") "," F("v", "\"string\"")),
     "TYPE_MISMATCH /fields/1/type"},
    /* the same type in two places: its reason is given once */
    {R(F("a", E("\"A\",\"B\"")) "," F("b", "\"E\"")), R(F("a", E("\"A\"")) "," F("b", "\"E\"")),
     "MISSING_ENUM_SYMBOLS /fields/0/type/symbols"},
    /* one that a union found wrong in silence is given where it counts */
    {R(F("u", "[\"null\"," X("X", "4") "]") "," F("f", "\"X\"")),
     R(F("u", "[\"null\"," X("X", "5") "]") "," F("f", "\"X\"")),
     "MISSING_UNION_BRANCH /fields/0/type/1, FIXED_SIZE_MISMATCH /fields/1/type/size"},
};

static void avro(void **state)
{
    judge_rows(avro_rows, sizeof avro_rows / sizeof *avro_rows, parse);
}

/* Records wider than what is searched in order. */
static void wide_records(void **state)
{
    fl_buf b[2];
    for (int k = 0; k < 2; k++) {
        fl_buf_init(&b[k], 1u << 20);
        fl_buf_adds(&b[k], "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
        for (int i = 0; i < 300; i++)
            fl_buf_addf(&b[k], "%s{\"name\":\"f%d\",\"type\":\"%s\"}", i ? "," : "", k ? i : 299 - i,
                        k && i == 123 ? "int" : "string");
        fl_buf_adds(&b[k], "]}");
    }
    const sch_schema *older = parse(fl_strdup(arena, b[0].p)), *newer = parse(fl_strdup(arena, b[1].p));
    assert_string_equal(judge(SCH_BACKWARD, newer, &older, 1), "TYPE_MISMATCH /fields/123/type");
    assert_string_equal(judge(SCH_BACKWARD, older, &older, 1), "OK");
    fl_buf_free(&b[0]);
    fl_buf_free(&b[1]);
}

static void places(void **state)
{
    const char *old = R(F("a", "\"int\"")), *new = R(F("a", "\"string\"") "," F("b", "\"int\""));
    const sch_schema *older = parse(old), *newer = parse(new);
    sch_compatibility c;
    assert_false(sch_compatible(arena, SCH_FULL, newer, &older, 1, &c));
    assert_int_equal(c.list.n, 3);
    const sch_incompatibility *i = c.list.v;
    assert_string_equal(fl_strndup(arena, new + i[0].newer.from, i[0].newer.to - i[0].newer.from), "\"string\"");
    assert_string_equal(fl_strndup(arena, old + i[0].older.from, i[0].older.to - i[0].older.from), "\"int\"");
    assert_string_equal(fl_strndup(arena, new + i[1].newer.from, i[1].newer.to - i[1].newer.from), F("b", "\"int\""));
    assert_false(i[0].forward || i[1].forward);
    assert_true(i[2].forward);
    assert_string_equal(fl_strndup(arena, new + i[2].newer.from, i[2].newer.to - i[2].newer.from), "\"string\"");
    assert_string_equal(i[1].message, "the field b of the record R has no default, and what was written lacks it");
}

/* ---- levels ---- */

static void levels(void **state)
{
    const sch_schema *v[] = {parse(R("")), parse(R(F("a", "\"int\""))),
                             parse(R(F("a", "\"int\"") "," D("b", "\"int\"")))};
    sch_schema *last = parse(R(D("b", "\"int\"")));
    const struct {
        sch_level level;
        const char *expected;
    } rows[] = {
        {SCH_NONE, "OK"},
        {SCH_BACKWARD, "OK"},
        {SCH_BACKWARD_TRANSITIVE, "OK"},
        {SCH_FORWARD, "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
        {SCH_FORWARD_TRANSITIVE,
         "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0, READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
        {SCH_FULL, "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(judge(rows[i].level, last, v, 3), rows[i].expected);
    /* v[1] does not follow v[0] BACKWARD, which v[2] need not know unless transitively */
    assert_string_equal(judge(SCH_BACKWARD, v[2], v, 2), "OK");
    assert_string_equal(judge(SCH_BACKWARD_TRANSITIVE, v[2], v, 2), "READER_FIELD_MISSING_DEFAULT_VALUE /fields/0");
    assert_string_equal(judge(SCH_FULL_TRANSITIVE, v[2], v, 0), "OK");
    sch_compatibility c;
    sch_compatible(arena, SCH_FORWARD_TRANSITIVE, last, v, 3, &c);
    assert_int_equal(c.list.v[0].version, 2);
    assert_int_equal(c.list.v[1].version, 1);
}

static void names_of_levels(void **state)
{
    for (int i = SCH_NONE; i <= SCH_FULL_TRANSITIVE; i++) {
        sch_level l = SCH_NONE;
        assert_true(sch_level_find(sch_level_name((sch_level)i), &l));
        assert_int_equal(l, i);
    }
    sch_level l;
    assert_false(sch_level_find("backward", &l));
    assert_false(sch_level_find("", &l));
}

static void another_format(void **state)
{
    const sch_schema *older = parse("\"int\"");
    assert_string_equal(judge(SCH_BACKWARD, json_schema("{}"), &older, 1), "SCHEMA_TYPE_CHANGED /");
    assert_string_equal(judge(SCH_NONE, json_schema("{}"), &older, 1), "OK");
}

/* ---- JSON Schema ---- */

#define P(p)       "{\"properties\":{" p "}}"
#define PC(p)      "{\"properties\":{" p "},\"additionalProperties\":false}"
#define PO(p, o)   "{\"properties\":{" p "},\"additionalProperties\":" o "}"
#define PX(p, x)   "{\"properties\":{" p "}," x "}"
#define STR        "{\"type\":\"string\"}"
#define NUM        "{\"type\":\"number\"}"
#define INT        "{\"type\":\"integer\"}"
#define NUL        "{\"type\":\"null\"}"
#define ARR(x)     "{\"type\":\"array\"," x "}"
#define COMB(k, x) "{\"" k "\":[" x "]}"
#define MODERN     "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\""

static const row json_rows[] = {
    /* anything and nothing; what only describes */
    {P(""), "{}", "OK"},
    {"{}", "true", "OK"},
    {"false", STR, "OK"},
    {"{}", STR, "TYPE_CHANGED #/"},
    {"{\"title\":\"a\",\"description\":\"b\"}", "{\"title\":\"c\",\"$id\":\"d\",\"default\":1}", "OK"},
    {"{\"type\":\"object\"}", "{\"type\":\"array\"}", "TYPE_CHANGED #/"},
    /* strings */
    {"{\"type\":\"string\",\"minLength\":2}", "{\"type\":\"string\",\"minLength\":3}",
     "MIN_LENGTH_INCREASED #/minLength"},
    {"{\"type\":\"string\",\"minLength\":3}", "{\"type\":\"string\",\"minLength\":2}", "OK"},
    {"{\"type\":\"string\",\"minLength\":3}", STR, "OK"},
    {STR, "{\"type\":\"string\",\"minLength\":3}", "MIN_LENGTH_ADDED #/minLength"},
    {"{\"type\":\"string\",\"maxLength\":2}", "{\"type\":\"string\",\"maxLength\":3}", "OK"},
    {"{\"type\":\"string\",\"maxLength\":3}", "{\"type\":\"string\",\"maxLength\":2}",
     "MAX_LENGTH_DECREASED #/maxLength"},
    {STR, "{\"type\":\"string\",\"maxLength\":3}", "MAX_LENGTH_ADDED #/maxLength"},
    {"{\"type\":\"string\",\"pattern\":\"a\"}", STR, "OK"},
    {"{\"type\":\"string\",\"pattern\":\"a\"}", "{\"type\":\"string\",\"pattern\":\"b\"}", "PATTERN_CHANGED #/pattern"},
    {STR, "{\"type\":\"string\",\"pattern\":\"b\"}", "PATTERN_ADDED #/pattern"},
    /* numbers */
    {"{\"type\":\"number\",\"maximum\":9}", "{\"type\":\"number\",\"maximum\":10}", "OK"},
    {"{\"type\":\"number\",\"maximum\":10}", "{\"type\":\"number\",\"maximum\":9.5}", "MAXIMUM_DECREASED #/maximum"},
    {NUM, "{\"type\":\"number\",\"maximum\":9}", "MAXIMUM_ADDED #/maximum"},
    {"{\"type\":\"number\",\"minimum\":1}", "{\"type\":\"number\",\"minimum\":2}", "MINIMUM_INCREASED #/minimum"},
    {"{\"type\":\"number\",\"minimum\":1}", NUM, "OK"},
    {"{\"type\":\"number\",\"exclusiveMinimum\":1}", "{\"type\":\"number\",\"exclusiveMinimum\":2}",
     "EXCLUSIVE_MINIMUM_INCREASED #/exclusiveMinimum"},
    {NUM, "{\"type\":\"number\",\"exclusiveMaximum\":2}", "EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum"},
    {"{\"type\":\"number\",\"multipleOf\":10}", "{\"type\":\"number\",\"multipleOf\":2}", "OK"},
    {"{\"type\":\"number\",\"multipleOf\":2}", "{\"type\":\"number\",\"multipleOf\":10}",
     "MULTIPLE_OF_EXPANDED #/multipleOf"},
    {"{\"type\":\"number\",\"multipleOf\":10}", "{\"type\":\"number\",\"multipleOf\":11}",
     "MULTIPLE_OF_CHANGED #/multipleOf"},
    {"{\"type\":\"number\",\"multipleOf\":0.5}", "{\"type\":\"number\",\"multipleOf\":0.25}", "OK"},
    {"{\"type\":\"number\",\"multipleOf\":0}", "{\"type\":\"number\",\"multipleOf\":3}",
     "MULTIPLE_OF_CHANGED #/multipleOf"},
    {NUM, "{\"type\":\"number\",\"multipleOf\":2}", "MULTIPLE_OF_ADDED #/multipleOf"},
    {INT, NUM, "OK"},
    {NUM, INT, "TYPE_NARROWED #/"},
    /* not */
    {"{\"not\":" NUM "}", "{\"not\":" INT "}", "OK"},
    {"{\"not\":" INT "}", "{\"not\":" NUM "}", "NOT_TYPE_EXTENDED #/not"},
    /* enums: a string with an enum is both */
    {"{\"type\":\"string\",\"enum\":[\"red\"]}", STR, "OK"},
    {STR, "{\"type\":\"string\",\"enum\":[\"red\"]}", "TYPE_CHANGED #/"},
    {"{\"enum\":[\"red\"]}", "{\"enum\":[\"blue\",\"red\"]}", "OK"},
    {"{\"enum\":[\"blue\",\"red\"]}", "{\"enum\":[\"red\"]}", "ENUM_ARRAY_NARROWED #/enum"},
    {"{\"enum\":[\"blue\"]}", "{\"enum\":[\"red\"]}", "ENUM_ARRAY_CHANGED #/enum"},
    {"{\"enum\":[{\"a\":1,\"b\":[2]}]}", "{\"enum\":[{\"b\":[2],\"a\":1},null]}", "OK"},
    {"{\"type\":\"string\",\"enum\":[\"red\"]}", "{\"type\":\"string\",\"enum\":[\"red\",\"blue\"]}", "OK"},
    {"{\"type\":\"string\",\"enum\":[\"red\"]}", "{\"type\":\"string\",\"enum\":[\"blue\"]}",
     "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"},
    {"{\"const\":1}", "{\"const\":2}", "ENUM_ARRAY_CHANGED #/const"},
    {"{\"const\":{\"a\":1,\"b\":2}}", "{\"const\":{\"b\":2,\"a\":1}}", "OK"},
    /* combinations */
    {"{\"type\":[\"object\"]}", "{\"type\":[\"object\",\"array\"]}", "OK"},
    {"{\"type\":[\"object\",\"array\"]}", "{\"type\":[\"object\"]}", "SUM_TYPE_NARROWED #/"},
    {"{\"type\":[\"null\",\"string\"]}", "{\"type\":[\"string\",\"null\"]}", "OK"},
    {STR, "{\"type\":[\"string\",\"null\"]}", "OK"},
    {"{\"type\":[\"string\",\"null\"]}", STR, "TYPE_CHANGED #/"},
    {COMB("oneOf", STR), COMB("oneOf", NUM), "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"},
    {COMB("oneOf", STR), COMB("oneOf", NUM "," STR), "OK"},
    {COMB("oneOf", NUM "," STR), COMB("oneOf", STR), "SUM_TYPE_NARROWED #/"},
    {COMB("allOf", "{\"enum\":[\"a\"]}," STR), COMB("allOf", STR), "OK"},
    {COMB("allOf", STR), COMB("allOf", "{\"enum\":[\"a\"]}," STR), "PRODUCT_TYPE_EXTENDED #/"},
    {COMB("allOf", STR "," STR), COMB("allOf", STR), "OK"},
    {COMB("allOf", STR), COMB("allOf", STR "," STR), "OK"},
    {COMB("oneOf", STR), COMB("anyOf", NUM "," STR), "OK"},
    {COMB("allOf", STR), COMB("oneOf", STR "," NUM), "OK"},
    {COMB("anyOf", STR "," NUM), COMB("oneOf", STR), "COMBINED_TYPE_CHANGED #/"},
    {COMB("anyOf", STR), COMB("allOf", STR), "OK"},
    {COMB("anyOf", STR), COMB("allOf", NUM "," STR), "COMBINED_TYPE_CHANGED #/"},
    {STR, COMB("oneOf", NUM "," STR), "OK"},
    {STR, COMB("allOf", NUM "," STR), "TYPE_CHANGED #/"},
    {STR, COMB("allOf", STR), "OK"},
    {COMB("anyOf", STR), STR, "OK"},
    {"{\"type\":\"string\",\"maxLength\":3}", COMB("oneOf", NUM "," STR), "OK"},
    {COMB("oneOf", P("\"f\":" STR)), COMB("oneOf", P("\"f\":" NUM)), "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"},
    /* two old members that only one new one takes, until the other finds another: a greatest matching */
    {COMB("anyOf", INT "," NUM), COMB("anyOf", NUM "," INT), "OK"},
    {COMB("anyOf", INT ",{\"type\":\"integer\",\"minimum\":0}"), COMB("anyOf", INT "," NUM), "OK"},
    {COMB("anyOf", NUM ",{\"type\":\"number\",\"minimum\":0}"), COMB("anyOf", INT "," NUM),
     "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"},
    /* properties: open content models */
    {P("\"a\":" STR), P("\"a\":" STR ",\"b\":" NUM), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b"},
    {P("\"a\":" STR), P("\"b\":" STR), "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b"},
    {P("\"a\":" STR), P("\"a\":" NUM), "TYPE_CHANGED #/properties/a"},
    {P("\"a\":" STR ",\"b\":" NUM), P("\"a\":" STR), "OK"},
    {P(""), P("\"a\":true"), "OK"},
    /* closed */
    {PC("\"a\":" STR), PC("\"a\":" STR ",\"b\":" NUM), "OK"},
    {PC("\"a\":" STR), PC(""), "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"},
    {PC("\"a\":false"), PC(""), "OK"},
    {PC(""), PX("\"a\":" STR, "\"required\":[\"a\"],\"additionalProperties\":false"),
     "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"},
    {PC(""), PX("\"a\":{\"type\":\"string\",\"default\":\"\"}", "\"required\":[\"a\"],\"additionalProperties\":false"),
     "OK"},
    {PC(""), P(""), "OK"},
    {P(""), PC(""), "ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"},
    /* partially open */
    {PO("", STR), PO("\"a\":" STR, STR), "OK"},
    {PO("", STR), PO("\"a\":" NUM, STR),
     "TYPE_CHANGED #/properties/a, PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a"},
    {PO("", STR), PX("\"a\":" STR, "\"additionalProperties\":" STR ",\"required\":[\"a\"]"),
     "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"},
    {PC("\"a\":" STR), PO("", STR), "OK"},
    {PC("\"a\":" NUM), PO("", STR),
     "TYPE_CHANGED #/properties/a, PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a"},
    {PC("\"a\":" STR), PO("", COMB("oneOf", NUL "," STR)), "OK"},
    {PC("\"I_1\":" INT),
     PX("", "\"additionalProperties\":false,\"patternProperties\":{\"^S_\":" STR ",\"^I_\":" NUM "}"), "OK"},
    {PC("\"J_1\":" INT), PX("", "\"additionalProperties\":false,\"patternProperties\":{\"^I_\":" NUM "}"),
     "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/J_1"},
    {P(""), PO("", NUM), "ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties"},
    {PO("", NUM), P(""), "OK"},
    {PO("", STR), PO("", NUM), "TYPE_CHANGED #/additionalProperties"},
    /* required */
    {P("\"a\":" STR), PX("\"a\":" STR, "\"required\":[\"a\"]"), "REQUIRED_ATTRIBUTE_ADDED #/required/a"},
    {P("\"a\":{\"default\":1}"), PX("\"a\":{\"default\":1}", "\"required\":[\"a\"]"), "OK"},
    {PX("\"a\":" STR, "\"required\":[\"a\"]"), PX("\"a\":" STR, "\"required\":[\"b\"]"), "OK"},
    /* sizes, dependencies */
    {"{\"maxProperties\":2}", "{\"maxProperties\":1}", "MAX_PROPERTIES_DECREASED #/maxProperties"},
    {"{\"minProperties\":1}", "{\"minProperties\":2}", "MIN_PROPERTIES_INCREASED #/minProperties"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"dependencies\":{\"b\":[\"a\"]}}",
     "DEPENDENCY_ARRAY_ADDED #/dependencies/b"},
    {"{\"dependencies\":{\"a\":[\"b\",\"c\"]}}", "{\"dependencies\":{\"a\":[\"c\"]}}", "OK"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"dependencies\":{\"a\":[\"c\",\"b\"]}}",
     "DEPENDENCY_ARRAY_EXTENDED #/dependencies/a"},
    {"{\"dependencies\":{\"a\":[\"b\"]}}", "{\"dependencies\":{\"a\":[\"c\"]}}",
     "DEPENDENCY_ARRAY_CHANGED #/dependencies/a"},
    {"{\"dependencies\":{\"a\":" STR "}}", "{\"dependencies\":{\"a\":" NUM "}}", "TYPE_CHANGED #/dependencies/a"},
    {"{\"dependencies\":{\"a\":" STR "}}", "{\"dependencies\":{\"b\":" STR "}}",
     "DEPENDENCY_SCHEMA_ADDED #/dependencies/b"},
    {"{\"dependencies\":{\"a\":" STR "}}", "{\"dependencies\":{}}", "OK"},
    /* arrays */
    {ARR("\"maxItems\":9"), ARR("\"items\":" STR ",\"maxItems\":9"), "SCHEMA_ADDED #/items"},
    {ARR("\"items\":" STR), "{\"type\":\"array\"}", "OK"},
    {ARR("\"items\":[" STR "," NUM "]"), "{\"type\":\"array\"}", "OK"},
    {ARR("\"items\":[" STR "]"), ARR("\"items\":[" NUM "]"), "TYPE_CHANGED #/items/0"},
    {ARR("\"items\":[" STR "]"), ARR("\"items\":[" STR "," NUM "]"), "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1"},
    {ARR("\"items\":[" STR "]"), ARR("\"items\":[" STR ",true]"), "OK"},
    {ARR("\"items\":[" STR "],\"additionalItems\":false"), ARR("\"items\":[" STR "," NUM "],\"additionalItems\":false"),
     "OK"},
    {ARR("\"items\":[" STR "," NUM "],\"additionalItems\":false"), ARR("\"items\":[" STR "],\"additionalItems\":false"),
     "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/1"},
    {ARR("\"items\":[" STR ",false],\"additionalItems\":false"), ARR("\"items\":[" STR "],\"additionalItems\":false"),
     "OK"},
    {ARR("\"items\":[" STR "," NUM "],\"additionalItems\":" STR), ARR("\"items\":[" STR "],\"additionalItems\":" STR),
     "TYPE_CHANGED #/items/1, ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1"},
    {ARR("\"items\":[" STR "],\"additionalItems\":" STR), ARR("\"items\":[" STR "," NUM "],\"additionalItems\":" STR),
     "TYPE_CHANGED #/items/1, ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/items/1"},
    {ARR("\"items\":[" STR "],\"additionalItems\":" NUM), ARR("\"items\":[" STR "," NUM "]"), "OK"},
    {"{\"additionalItems\":true}", "{\"additionalItems\":false}", "ADDITIONAL_ITEMS_REMOVED #/additionalItems"},
    {"{\"additionalItems\":true}", "{\"additionalItems\":" STR "}", "ADDITIONAL_ITEMS_NARROWED #/additionalItems"},
    {"{\"additionalItems\":" STR "}", "{\"additionalItems\":" NUM "}", "TYPE_CHANGED #/additionalItems"},
    {ARR("\"maxItems\":2"), ARR("\"maxItems\":1"), "MAX_ITEMS_DECREASED #/maxItems"},
    {ARR("\"minItems\":1"), ARR("\"minItems\":2"), "MIN_ITEMS_INCREASED #/minItems"},
    {ARR("\"uniqueItems\":true"), "{\"type\":\"array\"}", "OK"},
    {"{\"type\":\"array\"}", ARR("\"uniqueItems\":true"), "UNIQUE_ITEMS_ADDED #/uniqueItems"},
    /* references */
    {ARR("\"items\":{\"$ref\":\"#/definitions/x\"},\"definitions\":{\"x\":" STR "}"),
     ARR("\"items\":{\"$ref\":\"#/definitions/x\"},\"definitions\":{\"x\":" NUM "}"), "TYPE_CHANGED #/items"},
    {STR, "{\"$ref\":\"#/definitions/x\",\"definitions\":{\"x\":" STR "}}", "OK"},
    {"{\"$ref\":\"#/definitions/a~1b%20c\",\"definitions\":{\"a/b c\":" STR "}}", STR, "OK"},
    {"{\"$ref\":\"#here\",\"definitions\":{\"x\":{\"$id\":\"#here\",\"type\":\"string\"}}}", NUM, "TYPE_CHANGED #/"},
    {P("\"next\":{\"$ref\":\"#\"},\"v\":" STR), P("\"next\":{\"$ref\":\"#\"},\"v\":" NUM),
     "TYPE_CHANGED #/properties/v"},
    {P("\"next\":{\"$ref\":\"#\"}"), P("\"next\":{\"$ref\":\"#\"}"), "OK"},
    /* what stands beside a `$ref` counts since 2019-09 only */
    {"{\"$ref\":\"#/definitions/x\",\"maxLength\":9,\"definitions\":{\"x\":" STR "}}",
     "{\"$ref\":\"#/definitions/x\",\"maxLength\":8,\"definitions\":{\"x\":" STR "}}", "OK"},
    {"{" MODERN ",\"$ref\":\"#/$defs/x\",\"maxLength\":9,\"$defs\":{\"x\":" STR "}}",
     "{" MODERN ",\"$ref\":\"#/$defs/x\",\"maxLength\":8,\"$defs\":{\"x\":" STR "}}",
     "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"},
    /* 2020-12 */
    {"{" MODERN ",\"prefixItems\":[" STR "],\"items\":false}",
     "{" MODERN ",\"prefixItems\":[" STR "," NUM "],\"items\":false}", "OK"},
    {"{" MODERN ",\"prefixItems\":[" STR "]}", "{" MODERN ",\"prefixItems\":[" STR "," NUM "]}",
     "ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1"},
    {"{" MODERN ",\"type\":\"array\",\"items\":" STR "}", "{" MODERN ",\"type\":\"array\",\"items\":" NUM "}",
     "TYPE_CHANGED #/items"},
    {"{" MODERN ",\"type\":\"object\",\"unevaluatedProperties\":false}",
     "{" MODERN ",\"properties\":{\"a\":" STR "},\"unevaluatedProperties\":false}", "OK"},
    {"{" MODERN ",\"type\":\"object\"}", "{" MODERN ",\"type\":\"object\",\"unevaluatedProperties\":false}",
     "UNEVALUATED_PROPERTIES_REMOVED #/unevaluatedProperties"},
    {"{" MODERN ",\"dependentRequired\":{\"a\":[\"b\"]}}", "{" MODERN ",\"dependentRequired\":{\"a\":[\"b\",\"c\"]}}",
     "DEPENDENCY_ARRAY_EXTENDED #/dependencies/a"},
};

static void json(void **state)
{
    judge_rows(json_rows, sizeof json_rows / sizeof *json_rows, json_schema);
}

static void json_references(void **state)
{
    static const char base[] = "{\"definitions\":{\"a\":{\"type\":\"string\"}},\"type\":\"object\"}";
    sch_ref ref = {"base.json", base, sizeof base - 1};
    sch_schema *with = json_schema("{\"$ref\":\"base.json#/definitions/a\"}");
    with->refs = &ref;
    with->nrefs = 1;
    const sch_schema *older = json_schema(STR), *number = json_schema(NUM);
    assert_string_equal(judge(SCH_BACKWARD, with, &older, 1), "OK");
    assert_string_equal(judge(SCH_BACKWARD, with, &number, 1), "TYPE_CHANGED #/");
    sch_compatibility c;
    sch_compatible(arena, SCH_BACKWARD, with, &number, 1, &c);
    assert_int_equal(c.list.v[0].newer.to, 0); /* it stands in another text */
    const sch_schema *lost = json_schema("{\"$ref\":\"elsewhere.json\"}");
    assert_string_equal(judge(SCH_BACKWARD, lost, &older, 1), "?");
}

/* ---- hostile ---- */

/* Each record has two fields of the next one: 2^n ways, n types. */
static const char *doubling(const char *leaf)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (int i = 0; i < 60; i++)
        fl_buf_addf(&b, "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":", i);
    fl_buf_addf(&b, "\"%s\"", leaf);
    for (int i = 59; i >= 0; i--)
        if (i == 59)
            fl_buf_addf(&b, "},{\"name\":\"b\",\"type\":\"%s\"}]}", leaf);
        else
            fl_buf_addf(&b, "},{\"name\":\"b\",\"type\":[\"null\",\"R%d\"]}]}", i + 1);
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void no_blow_up(void **state)
{
    const sch_schema *older = parse(doubling("int")), *same = parse(doubling("int")),
                     *other = parse(doubling("string"));
    assert_string_equal(judge(SCH_FULL, same, &older, 1), "OK");
    sch_compatibility c;
    assert_false(sch_compatible(arena, SCH_FULL, other, &older, 1, &c));
    assert_false(c.undecided);
    assert_in_range(c.list.n, 2, 300);
}

static const char *nested_any_of(int depth, const char *leaf)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (int i = 0; i < depth; i++)
        fl_buf_addf(&b, "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":%d},", i);
    fl_buf_adds(&b, leaf);
    for (int i = 0; i < depth; i++)
        fl_buf_adds(&b, "]}");
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void json_no_blow_up(void **state)
{
    const sch_schema *older = json_schema(nested_any_of(100, NUM)), *same = json_schema(nested_any_of(100, NUM));
    const sch_schema *other = json_schema(nested_any_of(100, "{\"type\":\"boolean\"}"));
    assert_string_equal(judge(SCH_BACKWARD, same, &older, 1), "OK");
    assert_string_equal(judge(SCH_BACKWARD, other, &older, 1), "COMBINED_TYPE_SUBSCHEMAS_CHANGED #/");
}

/* Past the bound of work the answer is no, and says that it is none. */
static void undecided(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 4u << 20);
    fl_buf_adds(&b, "{\"anyOf\":[");
    for (int i = 0; i < 1500; i++)
        fl_buf_addf(&b, "%s{\"type\":\"string\",\"maxLength\":%d}", i ? "," : "", i);
    fl_buf_adds(&b, "]}");
    const sch_schema *older = json_schema(fl_strdup(arena, b.p)), *newer = json_schema(fl_strdup(arena, b.p));
    fl_buf_free(&b);
    sch_compatibility c;
    assert_false(sch_compatible(arena, SCH_BACKWARD, newer, &older, 1, &c));
    assert_true(c.undecided);
}

static void a_circle_of_references(void **state)
{
    const sch_schema *older = json_schema(STR);
    const sch_schema *circle = json_schema("{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"$ref\":\"#/"
                                           "definitions/b\"},\"b\":{\"$ref\":\"#/definitions/a\"}}}");
    sch_compatibility c;
    assert_false(sch_compatible(arena, SCH_BACKWARD, circle, &older, 1, &c));
    assert_true(c.undecided);
}

/* A pattern that would take for ever, and one that is none. */
static void hostile_patterns(void **state)
{
    const sch_schema *older = json_schema(PC("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\":" STR));
    static const char *const patterns[] = {"^(a+)+$", "(", "^(?:a|aa)*b"};
    for (size_t i = 0; i < 3; i++) {
        const sch_schema *newer = json_schema(
            fl_printf(arena, "{\"additionalProperties\":false,\"patternProperties\":{\"%s\":true}}", patterns[i]));
        sch_compatibility c;
        assert_false(sch_compatible(arena, SCH_BACKWARD, newer, &older, 1, &c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(avro),
        CASE(wide_records),
        CASE(places),
        CASE(levels),
        CASE(names_of_levels),
        CASE(another_format),
        CASE(json),
        CASE(json_references),
        CASE(no_blow_up),
        CASE(json_no_blow_up),
        CASE(undecided),
        CASE(a_circle_of_references),
        CASE(hostile_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
