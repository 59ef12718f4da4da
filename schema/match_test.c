/* match_test.c: metadata.tags keys, the vendor's matcher, coverage, and the cases measured on the vendor's clients. */
#include "schema/testing.h"

/* The table of the vendor's WildcardMatcherTest (schema-registry), then its corners. */
static const struct {
    const char *name, *key;
    bool match;
} table[] = {
    {"Foo", "Foo", true},
    {"", "", true},
    {"", "*", true},
    {"", "?", false},
    {"Foo", "Fo*", true},
    {"Foo", "Fo?", true},
    {"Foo Bar and Catflap", "Fo*", true},
    {"New Bookmarks", "N?w ?o?k??r?s", true},
    {"Foo", "Bar", false},
    {"Foo Bar Foo", "F*o Bar*", true},
    {"Adobe Acrobat Installer", "Ad*er", true},
    {"Foo", "*Foo", true},
    {"BarFoo", "*Foo", true},
    {"Foo", "Foo*", true},
    {"FooBar", "Foo*", true},
    {"FOO", "*Foo", false},
    {"BARFOO", "*Foo", false},
    {"FOO", "Foo*", false},
    {"FOOBAR", "Foo*", false},
    {"eve", "eve*", true},
    {"alice.bob.eve", "a*.bob.eve", true},
    {"alice.bob.eve", "a*.bob.e*", true},
    {"alice.bob.eve", "a*", false},
    {"alice.bob.eve", "a**", true},
    {"alice.bob.eve", "alice.bob*", false},
    {"alice.bob.eve", "alice.bob**", true},
    /* corners */
    {"a.b", "a?b", false},
    {"a.b", "**", true},
    {"", "**", true},
    {"a.b.c", "**.c", true},
    {"c", "**.c", false},
    {"xc", "**.c", false},
    {"a.b.c", "*.c", false},
    {"a", "**.*", true},
    {"a.b", "**.*", true},
    {"", "**.*", true},
    {"a.b.c", "a.**.*", true},
    {"a.", "a.**.*", true},
    {"a", "**.**", true},
    {"a.b", "***", true},
    {"a.b", "a***b", true},
    {"a.b.c", "**.*.c", true},
    {"b.c", "**.*.c", true},
    {"ab.c", "***.*.c", true},
    {"a*b", "a\\*b", true},
    {"axb", "a\\*b", false},
    {"a?", "a\\?", true},
    {"ab", "a\\b", true},
    {"a\\", "a\\", true},
    {"a[0]", "a[0]", true},
    {"a0", "a[0]*", false},
    {"com.acme.Address.street", "com.acme.Address.street", true},
    {"com.acme.Address.street", "**.Address.street", true},
    {"Address.street", "**.Address.street", false},
    {"com.acme.MyAddress.street", "**.Address.street", false},
    {"com.acme.Address.street2", "**.Address.street", false},
};

static void matcher(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (sch_key_matches(table[i].key, table[i].name) != table[i].match)
            fail_msg("%s against %s: expected %d", table[i].key, table[i].name, table[i].match);
    }
}

/* A key that makes a backtracking matcher run for ever, and long ones. */
static void hostile_keys(void **state)
{
    char *name = fl_alloc(arena, 2050), *key = fl_alloc(arena, (1u << 20) + 1);
    memset(name, 'a', 2049);
    for (size_t i = 0; i < 100; i++)
        memcpy(key + 3 * i, "*a*", 3);
    strcpy(key + 300, "b");
    assert_false(sch_key_matches(key, name));
    memset(key, '*', 1u << 20);
    assert_true(sch_key_matches(key, name));
    memset(key, 'a', 1u << 20);
    key[0] = '*';
    assert_false(sch_key_matches(key, name));
}

static const char *keys_text(const sch_schema *s, const sch_field *f)
{
    const char *keys[SCH_MAX_KEYS];
    sch_hit h = {.field = f, .type = f->type};
    size_t n = sch_match_keys(s, &h, arena, keys);
    for (size_t i = 0; i < n; i++)
        assert_true(i == 1 || sch_key_matches(keys[i], keys[0]) == (i == 0 || !strchr(f->record->name, '.')));
    return fl_printf(arena, "%s %s %s", keys[0], keys[1], n > 2 ? keys[2] : "-");
}

static void keys(void **state)
{
    sch_schema *s = parse(
        "{\"type\":\"record\",\"name\":\"C\",\"fields\":[{\"name\":\"f\",\"type\":\"string\"},{\"name\":\"a\",\"type\":"
        "{\"type\":\"record\",\"name\":\"com.acme.A\",\"fields\":[{\"name\":\"street\",\"type\":\"string\"}]}}]}");
    assert_string_equal(keys_text(s, &s->root->fields[0]), "C.f **.C.f -");
    assert_string_equal(keys_text(s, &s->root->fields[1].type->fields[0]), "com.acme.A.street **.A.street A.street");
}

static const char *covered_text(const sch_schema *s, const char *path)
{
    sch_hits h, covered;
    char message[160];
    assert_int_equal(sch_select(s, arena, path, &h, message), SCH_PATH_OK);
    assert_int_equal(h.n, 1);
    sch_covered(s, arena, &h.v[0], &covered);
    return hits_text(&covered);
}

static void coverage(void **state)
{
    /* two fields of one type, one type of the same simple name elsewhere, one whose name only ends alike */
    sch_schema *s =
        parse("{\"type\":\"record\",\"name\":\"C\",\"namespace\":\"x\",\"fields\":["
              "{\"name\":\"bill\",\"type\":{\"type\":\"record\",\"name\":\"Address\",\"fields\":[{\"name\":\"street\","
              "\"type\":\"string\"},{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"string\"}}]}},"
              "{\"name\":\"ship\",\"type\":[\"null\",\"Address\"]},"
              "{\"name\":\"old\",\"type\":{\"type\":\"record\",\"name\":\"y.Address\",\"fields\":[{\"name\":\"street\","
              "\"type\":[\"null\",\"string\",\"int\"]}]}},"
              "{\"name\":\"my\",\"type\":{\"type\":\"record\",\"name\":\"MyAddress\",\"fields\":[{\"name\":\"street\","
              "\"type\":\"string\"}]}},"
              "{\"name\":\"street\",\"type\":\"string\"}]}");
    assert_string_equal(covered_text(s, "bill.street"), "bill.street ship.street old.street?|");
    assert_string_equal(covered_text(s, "old.street"), "bill.street ship.street old.street?|");
    assert_string_equal(covered_text(s, "my.street"), "my.street");
    assert_string_equal(covered_text(s, "street"), "street");
    assert_string_equal(covered_text(s, "ship.l[]"), "bill.l[] ship.l[]");
    s = parse("{\"type\":\"record\",\"name\":\"Node\",\"fields\":[{\"name\":\"ssn\",\"type\":\"string\"},{\"name\":"
              "\"next\",\"type\":[\"null\",\"Node\"]}]}");
    assert_string_equal(covered_text(s, "ssn"), "ssn next.ssn@");
}

/* ---- the cases that were measured ---- */

/* {"$hex": "0102"} of the cases as Avro's text form, in place. */
static void unhex(fl_json *v)
{
    for (fl_json *c = v->child; c; c = c->next)
        unhex(c);
    if (v->kind != FL_JOBJECT || v->count != 1 || strcmp(v->child->key, "$hex") != 0)
        return;
    v->kind = FL_JSTRING;
    v->len = v->child->len / 2;
    uint8_t *bytes = fl_alloc(arena, v->len + 1);
    assert_true(fl_unhex(bytes, v->child->str, v->child->len));
    v->str = (const char *)bytes;
}

static bool tagged(const sch_field *f, const fl_json *metadata)
{
    if (!f)
        return false;
    const char *full = fl_printf(arena, "%s.%s", f->record->name, f->name);
    bool yes = f->ntags > 0;
    for (const fl_json *key = metadata->child; key; key = key->next)
        yes |= sch_key_matches(key->key, full);
    return yes;
}

/* Were the leaves that must be encrypted encrypted by any client, or did all leave something in clear? */
static bool any_as_expected(const fl_json *clients)
{
    for (const fl_json *c = clients->child; c; c = c->next) {
        if (!strncmp(c->str, "as expected", 11))
            return true;
    }
    return false;
}

static sch_schema *case_schema(const char *doc, const fl_json *c)
{
    const fl_json *list = fl_json_get(c, "refs");
    sch_ref *refs = FL_NEW_N(arena, sch_ref, 8);
    size_t n = 0;
    for (const fl_json *r = list ? list->child : NULL; r; r = r->next, n++) {
        const char *text = node_text(doc, fl_json_get(r, "schema"));
        refs[n] = (sch_ref){fl_json_str(r, "name"), text, strlen(text)};
    }
    const char *text = node_text(doc, fl_json_get(c, "schema"));
    sch_error err;
    sch_schema *s = sch_avro_parse(arena, fl_json_str(c, "name"), text, strlen(text), refs, n, &err);
    if (!s)
        fail_msg("%s: %s", fl_json_str(c, "name"), err.message);
    return s;
}

/* Every text "s" (secret) of the value lies in a tagged field, every "p" (public) does not, and there are as many as
 * listed. */
static void check_case(const char *doc, const fl_json *c)
{
    const char *name = fl_json_str(c, "name");
    sch_schema *s = case_schema(doc, c);
    fl_json *value = (fl_json *)fl_json_get(c, "value");
    unhex(value);
    fl_buf body;
    fl_buf_init(&body, 1u << 16);
    sch_value_error err;
    if (!sch_json_to_avro(s, value, SCH_BYTES_TEXT, &body, &err))
        fail_msg("%s: %s: %s", name, err.path, err.message);
    sch_ats ats;
    assert_true(sch_avro_extract(s, (uint8_t *)body.p, body.len, "**", arena, &ats, &err));
    size_t hit = 0, expected = fl_json_get(c, "to_be_encrypted")->count;
    for (size_t i = 0; i < ats.n; i++) {
        const sch_at *at = &ats.v[i];
        bool yes = tagged(at->field, fl_json_get(c, "metadata_tags"));
        hit += yes && (at->kind == SCH_AT_STRING || at->kind == SCH_AT_BYTES);
        if (at->kind == SCH_AT_STRING && yes && body.p[at->offset] != 's')
            fail_msg("%s: a public text would be encrypted", name);
    }
    if (hit != (any_as_expected(fl_json_get(c, "clients")) ? expected : 0))
        fail_msg("%s: %zu of %zu leaves are hit", name, hit, expected);
    fl_buf_free(&body);
}

static void client_cases(void **state)
{
    size_t len, n = 0;
    const char *doc = read_data("schema/testdata/clients-avro.json", &len);
    const fl_json *root = parse_json(doc, len);
    for (const fl_json *c = fl_json_get(root, "cases")->child; c; c = c->next, n++)
        check_case(doc, c);
    assert_int_equal(n, 54);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(matcher), CASE(hostile_keys), CASE(keys), CASE(coverage),
                                       CASE(client_cases)};
    return cmocka_run_group_tests_name("schema/match", tests, NULL, NULL);
}
