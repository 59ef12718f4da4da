/* path_test.c: what paths select, the leaves of a schema, bounds against schemas that multiply, near misses, names of
 * types. */
#include "schema/testing.h"

static const char customer[] =
    "{\"type\":\"record\",\"name\":\"Customer\",\"namespace\":\"com.acme\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"ssn\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"emails\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"string\"]}},"
    "{\"name\":\"notes\",\"type\":{\"type\":\"map\",\"values\":\"string\"}},"
    "{\"name\":\"addresses\",\"type\":[{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Address\","
    "\"fields\":["
    "{\"name\":\"street\",\"type\":\"string\"},{\"name\":\"city\",\"type\":\"string\"}]}},\"null\"]},"
    "{\"name\":\"home\",\"type\":[\"null\",\"Address\"]},"
    "{\"name\":\"grid\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":{\"type\":\"array\","
    "\"items\":\"int\"}}}},"
    "{\"name\":\"mixed\",\"type\":[\"null\",\"string\",\"int\"]},"
    "{\"name\":\"who\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Firm\",\"fields\":[{\"name\":\"vat\","
    "\"type\":\"string\"},{\"name\":\"name\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"Person\",\"fields\":[{\"name\":\"name\",\"type\":\"bytes\"}]}]},"
    "{\"name\":\"odd\",\"type\":[\"string\",{\"type\":\"array\",\"items\":\"string\"},\"Firm\"]},"
    "{\"name\":\"nothing\",\"type\":[\"null\"]},"
    "{\"name\":\"one\",\"type\":[\"string\"]}]}";

static const char all_leaves[] =
    "id ssn? emails[]? notes.* addresses[].street addresses[].city home.street home.city grid[].*[] mixed?| who.vat "
    "who.name who.name odd| odd[] odd.vat odd.name nothing one";

static const char *select_text(const sch_schema *s, const char *path)
{
    sch_hits h;
    char message[160];
    if (sch_select(s, arena, path, &h, message) != SCH_PATH_OK)
        return fl_printf(arena, "bad: %s", message);
    return hits_text(&h);
}

static const struct {
    const char *path, *hits;
} selected[] = {
    {"id", "id"},
    {"ssn", "ssn?"},
    {"emails", "emails"},
    {"emails[]", "emails[]?"},
    {"notes", "notes"},
    {"notes.*", "notes.*"},
    {"notes.x", ""},
    {"addresses", "addresses?"},
    {"addresses[]", "addresses[]"},
    {"addresses[].street", "addresses[].street"},
    {"addresses.street", ""},
    {"addresses[].*", "addresses[].street addresses[].city"},
    {"home", "home?"},
    {"home.street", "home.street"},
    {"home.*", "home.street home.city"},
    {"grid[].*[]", "grid[].*[]"},
    {"grid[].*", "grid[].*"},
    {"mixed", "mixed?|"},
    {"who", "who?|"},
    {"who.name", "who.name who.name"},
    {"who.vat", "who.vat"},
    {"odd", "odd|"},
    {"odd[]", "odd[]"},
    {"nothing", "nothing"},
    {"one", "one"},
    {"**", all_leaves},
    {"**.street", "addresses[].street home.street"},
    {"**.id", "id"},
    {"**[]", "emails[]? addresses[] grid[] grid[].*[] odd[]"},
    {"home.**", "home.street home.city"},
    {"addresses.**", "addresses[].street addresses[].city"},
    {"id.**", "id"},
    {"**.**.vat", "who.vat odd.vat"},
    {"**.*.city", "home.city"},
    {"*.city", "home.city"},
    {"*", "id ssn? emails notes addresses? home? grid mixed?| who?| odd| nothing one"},
    {"ID", ""},
    {"\"id\"", "id"},
    {"home.\"street\"", "home.street"},
    {"\"shoe size\"", ""},
    {"extra.\"a\\\"b\\\\c\"", ""},
    {"[]", ""},
    {"id.x", ""},
    {"id[]", ""},
    {"", "bad: a path is not empty"},
    {".id", "bad: a name is missing between two dots, or at an end"},
    {"id.", "bad: a name is missing between two dots, or at an end"},
    {"a..b", "bad: a name is missing between two dots, or at an end"},
    {"emails[0]", "bad: elements of an array are written [], without a number"},
    {"emails[]x", "bad: * and ** are whole steps, and a dot stands between steps"},
    {"id*", "bad: * and ** are whole steps, and a dot stands between steps"},
    {"*id", "bad: * and ** are whole steps, and a dot stands between steps"},
    {"***", "bad: a step is a name, * or **"},
    {"shoe size", "bad: a name of this kind stands in double quotes: 'extra.\"shoe size\"'"},
    {"\xc3\xa9", "bad: a name of this kind stands in double quotes: 'extra.\"shoe size\"'"},
    {"\"a", "bad: a quoted name is not closed"},
    {"\"a\\n\"", "bad: in a quoted name only \\\" and \\\\ are escapes"},
    {"\"\"", "bad: a quoted name is empty"},
    {"a.[].b", "bad: a name of this kind stands in double quotes: 'extra.\"shoe size\"'"},
};

static void selects(void **state)
{
    sch_schema *s = parse(customer);
    for (size_t i = 0; i < sizeof selected / sizeof *selected; i++) {
        const char *got = select_text(s, selected[i].path);
        if (strcmp(got, selected[i].hits) != 0)
            fail_msg("%s\n  selects:  %s\n  expected: %s", selected[i].path, got, selected[i].hits);
    }
    fl_buf b;
    fl_buf_init(&b, 1000);
    for (int i = 0; i < 63; i++)
        fl_buf_adds(&b, i ? ".a" : "a");
    assert_string_equal(select_text(s, b.p), "bad: a path has at most 62 steps");
    b.p[b.len - 2] = '\0';
    assert_string_equal(select_text(s, b.p), "");
    fl_buf_free(&b);
}

static void leaves(void **state)
{
    sch_hits h;
    sch_leaves(parse(customer), arena, &h);
    assert_string_equal(hits_text(&h), all_leaves);
    assert_string_equal(h.v[3].field->name, "notes");
    assert_string_equal(h.v[4].field->record->name, "com.acme.Address");
    assert_string_equal(sch_type_text(h.v[9].type, arena), "union of null, string and int");
    assert_int_equal(h.v[2].type->kind, SCH_STRING);
    /* roots without a record */
    sch_leaves(parse("\"string\""), arena, &h);
    assert_string_equal(hits_text(&h), "");
    assert_int_equal(h.n, 1);
    assert_null(h.v[0].field);
    sch_schema *s = parse("{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":"
                          "\"ssn\",\"type\":\"string\"}]}}");
    sch_leaves(s, arena, &h);
    assert_string_equal(hits_text(&h), "[].ssn");
    assert_string_equal(select_text(s, "[].ssn"), "[].ssn");
    assert_string_equal(select_text(s, "ssn"), "");
    s = parse("{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\"}}");
    assert_string_equal(select_text(s, "**"), "*[]");
    assert_string_equal(select_text(s, "*[]"), "*[]");
}

static void recursion(void **state)
{
    sch_schema *s = parse("{\"type\":\"record\",\"name\":\"Node\",\"fields\":[{\"name\":\"ssn\",\"type\":\"string\"},{"
                          "\"name\":\"next\",\"type\":[\"null\",\"Node\"]},"
                          "{\"name\":\"kids\",\"type\":{\"type\":\"array\",\"items\":\"Node\"}}]}");
    assert_string_equal(select_text(s, "**"), "ssn next.ssn@ kids[].ssn@");
    assert_string_equal(select_text(s, "**.ssn"), "ssn next.ssn@ kids[].ssn@");
    assert_string_equal(select_text(s, "next.next.next.ssn"), "next.next.next.ssn@");
    assert_string_equal(select_text(s, "**.next"), "next? next.next?@ kids[].next?@");
    assert_string_equal(select_text(s, "kids[].ssn"), "kids[].ssn@");
    assert_string_equal(select_text(s, "**.next.next.next.ssn"),
                        "next.next.next.ssn@ next.next.next.next.ssn@ kids[].next.next.next.ssn@");
    s = parse("{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"b\",\"type\":{\"type\":\"record\",\"name\":"
              "\"B\",\"fields\":["
              "{\"name\":\"s\",\"type\":\"string\"},{\"name\":\"a\",\"type\":[\"null\",\"A\"]}]}}]}");
    assert_string_equal(select_text(s, "**"), "b.s b.a.b.s@");
    s = parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":\"R\"},{\"name\":\"x\","
              "\"type\":\"int\"}]}");
    assert_string_equal(select_text(s, "**"), "r.x@ x");
}

/* n records, each with two fields of the next; the last one holds `last`. */
static sch_schema *doubling(size_t n, const char *last)
{
    sch_ref *refs = FL_NEW_N(arena, sch_ref, n);
    for (size_t i = 0; i < n; i++) {
        const char *fields = last;
        if (i)
            fields =
                fl_printf(arena, "{\"name\":\"a\",\"type\":\"R%zu\"},{\"name\":\"b\",\"type\":\"R%zu\"}", i - 1, i - 1);
        const char *text = fl_printf(arena, "{\"type\":\"record\",\"name\":\"R%zu\",\"fields\":[%s]}", i, fields);
        refs[i] = (sch_ref){"r", text, strlen(text)};
    }
    const char *text = fl_printf(arena, "\"R%zu\"", n - 1);
    sch_error err;
    return sch_avro_parse(arena, "x", text, strlen(text), refs, n, &err);
}

static void exponential(void **state)
{
    sch_hits h;
    char message[160];
    sch_leaves(doubling(11, "{\"name\":\"x\",\"type\":\"string\"}"), arena, &h);
    assert_int_equal(h.n, 1024);
    assert_false(h.truncated);
    sch_schema *s = doubling(60, "{\"name\":\"x\",\"type\":\"string\"}");
    sch_leaves(s, arena, &h);
    assert_int_equal(h.n, SCH_MAX_HITS);
    assert_true(h.truncated);
    sch_covered(s, arena, &h.v[0], &h);
    assert_true(h.truncated);
    /* no leaf at all, and still 2^60 ways */
    s = doubling(60, "");
    sch_leaves(s, arena, &h);
    assert_int_equal(h.n, 0);
    assert_true(h.truncated);
    sch_select(s, arena, "**.zzz", &h, message);
    assert_true(h.truncated);
    sch_select(s, arena, "a.a.a.b", &h, message);
    assert_int_equal(h.n, 1);
    assert_false(h.truncated);
}

/* Records that all contain each other: the paths that enter each at most twice are beyond number. */
static void clique(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    fl_buf_adds(&b, "{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{\"name\":\"u\",\"type\":[\"null\",\"R0\"");
    for (int i = 1; i < 30; i++)
        fl_buf_addf(&b,
                    ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"R0\"]},{"
                    "\"name\":\"b\",\"type\":[\"null\",\"R%d\"]}]}",
                    i, i);
    fl_buf_adds(&b, "]}]}");
    sch_schema *s = parse(b.p);
    sch_hits h;
    sch_leaves(s, arena, &h);
    assert_true(h.n <= SCH_MAX_HITS);
    assert_true(s->root->recursive);
    fl_buf_free(&b);
}

static void nearest(void **state)
{
    sch_schema *s = parse(customer);
    const char *out[3];
    assert_int_equal(sch_nearest(s, arena, "ssm", out, 3), 1);
    assert_string_equal(out[0], "ssn");
    assert_true(sch_nearest(s, arena, "addresses.street", out, 3) >= 2);
    assert_string_equal(out[0], "addresses[].street");
    assert_string_equal(out[1], "home.street");
    assert_int_equal(sch_nearest(s, arena, "street", out, 1), 1);
    assert_string_equal(out[0], "addresses[].street");
    assert_true(sch_nearest(s, arena, "HOME.CITY", out, 3) >= 1);
    assert_string_equal(out[0], "home.city");
    assert_true(sch_nearest(s, arena, "notes.x", out, 3) >= 1);
    assert_string_equal(out[0], "notes.*");
    assert_int_equal(sch_nearest(s, arena, "who.nam", out, 3), 3);
    assert_string_equal(out[0], "who.name"); /* once, though two branches have it */
    assert_int_equal(sch_nearest(s, arena, "turnover", out, 3), 0);
    assert_int_equal(sch_nearest(s, arena, "id", out, 0), 0);
    assert_int_equal(sch_nearest(s, arena, "", out, 3), 0);
}

static void types(void **state)
{
    static const struct {
        const char *schema, *text;
        bool encryptable;
        const char *breaks;
    } table[] = {
        {"\"string\"", "string", true, NULL},
        {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", "string (uuid)", true, "Python (fastavro) and Rust"},
        {"{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", "bytes (decimal)", true, ".NET"},
        {"{\"type\":\"bytes\",\"logicalType\":\"uuid\"}", "bytes (uuid)", true, NULL},
        {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", "long (timestamp-millis)", false, NULL},
        {"{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":\"int\"}}", "array of map of int", false, NULL},
        {"{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"x\",\"fields\":[]}", "record x.A", false, NULL},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "enum E", false, NULL},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", "fixed F", false, NULL},
        {"[\"null\",\"string\"]", "union of null and string", false, NULL},
        {"[\"null\",\"boolean\",\"int\",\"long\",\"float\",\"double\"]", "union of null, boolean, int, long and 2 more",
         false, NULL},
        {"\"null\"", "null", false, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const sch_type *t = parse(table[i].schema)->root;
        assert_string_equal(sch_type_text(t, arena), table[i].text);
        assert_int_equal(sch_is_encryptable(t), table[i].encryptable);
        if (table[i].breaks)
            assert_string_equal(sch_logical_breaks(t), table[i].breaks);
        else
            assert_null(sch_logical_breaks(t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(selects), CASE(leaves),  CASE(recursion), CASE(exponential),
                                       CASE(clique),  CASE(nearest), CASE(types)};
    return cmocka_run_group_tests_name("schema/path", tests, NULL, NULL);
}
