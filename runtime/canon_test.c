/* canon_test.c: metadata and rule sets in the registry's form, what a registry refuses, and the vendor's GUID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/canon.h"
#include "runtime/registry.h"

static fl_arena *a;

static int setup(void **state)
{
    a = fl_arena_new();
    return 0;
}

static int teardown(void **state)
{
    fl_arena_free(a);
    return 0;
}

static void metadata_is(const char *text, const char *want)
{
    rt_metadata *m;
    assert_int_equal(rt_canon_metadata(a, text, &m, NULL), RT_OK);
    assert_string_equal(rt_canon_metadata_text(a, m), want);
}

static void metadata(void **state)
{
    metadata_is("{}", "{}");
    metadata_is("{\"tags\":{},\"properties\":null,\"sensitive\":[],\"unknown\":1}", "{}");
    metadata_is("{\"sensitive\":[\"b\",\"a\",\"b\"],\"properties\":{\"z\":\"1\",\"a\":true,\"m\":30},\"tags\":{\"**."
                "ssn\":[\"PII\",\"A\",\"PII\"],\"**.a\":[\"X\"]}}",
                "{\"tags\":{\"**.a\":[\"X\"],\"**.ssn\":[\"A\",\"PII\"]},\"properties\":{\"a\":\"true\",\"m\":\"30\","
                "\"z\":\"1\"},\"sensitive\":[\"a\",\"b\"]}");
}

/* Java compares UTF-16 units: U+10000 (D800 DC00) and U+10FFFF (DBFF DFFF) before U+E000 and U+FFFD. */
static void java_order(void **state)
{
    metadata_is("{\"sensitive\":[\"\xef\xbf\xbd\",\"\xf4\x8f\xbf\xbf\",\"\xf0\x90\x80\x80\",\"\xee\x80\x80\",\"z\","
                "\"\xed\x9f\xbf\"]}",
                "{\"sensitive\":[\"z\",\"\xed\x9f\xbf\",\"\xf0\x90\x80\x80\",\"\xf4\x8f\xbf\xbf\",\"\xee\x80\x80\","
                "\"\xef\xbf\xbd\"]}");
}

static void rules(void **state)
{
    rt_ruleset *r;
    assert_int_equal(rt_canon_ruleset(a,
                                      "{\"enableAt\":\"CLIENT\",\"domainRules\":[{\"type\":\"ENCRYPT\",\"name\":"
                                      "\"enc\",\"doc\":\"\",\"tags\":[\"B\",\"A\"],"
                                      "\"params\":{\"encrypt.kek.name\":\"k\",\"encrypt.dek.expiry.days\":30},"
                                      "\"onFailure\":\"ERROR,NONE\",\"x\":1}],"
                                      "\"encodingRules\":[],\"migrationRules\":[{\"name\":\"m\",\"type\":\"JSONATA\","
                                      "\"mode\":\"UPGRADE\",\"expr\":\"$\",\"disabled\":true}]}",
                                      &r, NULL),
                     RT_OK);
    assert_string_equal(rt_canon_ruleset_text(a, r),
                        "{\"migrationRules\":[{\"name\":\"m\",\"kind\":\"TRANSFORM\",\"mode\":\"UPGRADE\",\"type\":"
                        "\"JSONATA\",\"expr\":\"$\",\"disabled\":true}],"
                        "\"domainRules\":[{\"name\":\"enc\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"type\":"
                        "\"ENCRYPT\",\"tags\":[\"A\",\"B\"],"
                        "\"params\":{\"encrypt.dek.expiry.days\":\"30\",\"encrypt.kek.name\":\"k\"},\"onFailure\":"
                        "\"ERROR,NONE\",\"disabled\":false}],"
                        "\"enableAt\":\"CLIENT\"}");
}

static void canonical_is_stable(void **state)
{
    rt_ruleset *r;
    const char *text =
        "{\"domainRules\":[{\"type\":\"CEL\",\"name\":\"c\",\"kind\":\"CONDITION\",\"expr\":\"1 == 1\"}]}";
    assert_int_equal(rt_canon_ruleset(a, text, &r, NULL), RT_OK);
    char *once = rt_canon_ruleset_text(a, r);
    assert_int_equal(rt_canon_ruleset(a, once, &r, NULL), RT_OK);
    assert_string_equal(rt_canon_ruleset_text(a, r), once);
}

#define RULE(members) "{\"domainRules\":[{" members "}]}"
#define OK(more)      RULE("\"name\":\"r\",\"type\":\"ENCRYPT\"" more)

static void refused_rules(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {RULE("\"type\":\"ENCRYPT\""), "missing or empty"},
        {RULE("\"name\":\"\",\"type\":\"E\""), "missing or empty"},
        {RULE("\"name\":\"1a\",\"type\":\"E\""), "must begin"},
        {RULE("\"name\":\"-a\",\"type\":\"E\""), "must begin"},
        {RULE("\"name\":\"a b\",\"type\":\"E\""), "letters, digits"},
        {RULE("\"name\":\"a.b\",\"type\":\"E\""), "letters, digits"},
        {RULE("\"name\":\"a\xe2\x80\xae\",\"type\":\"E\""), "letters, digits"},
        {RULE("\"name\":\"r\""), "no type"},
        {RULE("\"name\":\"r\",\"type\":\"\""), "no type"},
        {OK(",\"mode\":\"UPGRADE\""), "has mode WRITE, READ or WRITEREAD"},
        {OK(",\"mode\":\"write\""), "has mode"},
        {OK(",\"kind\":\"OTHER\""), "kind is"},
        {OK(",\"mode\":\"WRITE\",\"onFailure\":\"ERROR,NONE\""), "onFailure may name two"},
        {OK(",\"mode\":\"READ\",\"onSuccess\":\"NONE,ERROR\""), "onSuccess may name two"},
        {OK(",\"tags\":\"PII\""), "tags must be an array"},
        {OK(",\"params\":{\"a\":{}}"), "params must be an object"},
        {OK(",\"params\":{\"a\":null}"), "params must be an object"},
        {OK(",\"disabled\":\"true\""), "disabled"},
        {OK(",\"doc\":7"), "doc"},
        {"{\"domainRules\":[7]}", "array of objects"},
        {"{\"domainRules\":{}}", "must be an array"},
        {"{\"enableAt\":\"SOMEWHERE\"}", "enableAt"},
        {"{\"migrationRules\":[{\"name\":\"r\",\"type\":\"T\"}]}", "UPGRADE, DOWNGRADE or UPDOWN"},
        {"{\"domainRules\":[{\"name\":\"r\",\"type\":\"E\"}],\"encodingRules\":[{\"name\":\"r\",\"type\":\"E\"}]}",
         "two rules have the name r"},
        {"[]", "JSON object"},
        {"{", "at byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rt_ruleset *r;
        rt_error err = {0};
        assert_int_equal(rt_canon_ruleset(a, cases[i].text, &r, &err), RT_BAD_INPUT);
        if (!strstr(err.message, cases[i].why))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, err.message, cases[i].why);
    }
}

static void accepted_names(void **state)
{
    char name[300];
    assert_null(rt_name_wrong("_a-1"));
    assert_null(rt_name_wrong("\xc3\xa9t\xc3\xa9"));
    memset(name, 'a', sizeof name);
    name[256] = 0;
    assert_null(rt_name_wrong(name));
    name[256] = 'a';
    name[257] = 0;
    assert_non_null(rt_name_wrong(name));
    assert_non_null(rt_name_wrong("\xff"));
    assert_non_null(rt_name_wrong("a\xf0\x90\x80\x80"));
    assert_non_null(rt_name_wrong(NULL));
}

/* ---- the GUID ---- */

static char *dumped(const json_t *v)
{
    return v && !json_is_null(v) ? json_dumps(v, 0) : NULL;
}

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void vector_guid(const json_t *schema, const char *want, const char *name)
{
    char *metadata_text = dumped(json_object_get(schema, "metadata")),
         *ruleset = dumped(json_object_get(schema, "ruleSet"));
    rt_subject s = {.subject = text_of(schema, "subject"),
                    .schema = text_of(schema, "schema"),
                    .metadata = metadata_text,
                    .ruleset = ruleset};
    const json_t *refs = json_object_get(schema, "references");
    s.nrefs = json_array_size(refs);
    s.refs = s.nrefs ? FL_NEW_N(a, rt_schema_ref, s.nrefs) : NULL;
    for (size_t i = 0; i < s.nrefs; i++) {
        const json_t *r = json_array_get(refs, i);
        s.refs[i] = (rt_schema_ref){text_of(r, "name"), text_of(r, "subject"),
                                    (int)json_integer_value(json_object_get(r, "version"))};
    }
    char guid[37];
    rt_error err;
    assert_int_equal(rt_schema_guid(&s, guid, &err), RT_OK);
    if (strcmp(guid, want) != 0)
        fail_msg("%s: %s, not %s", name, guid, want);
    free(metadata_text);
    free(ruleset);
}

/* VECTORS names another file of the generator, such as the whole set with JSON Schema and Protobuf. */
static void vectors(void **state)
{
    const char *path = getenv("VECTORS");
    json_t *root = json_load_file(path ? path : "tests/vectors/vectors.json", 0, NULL), *v;
    size_t i, n = 0;
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "vectors"), i, v)
    {
        json_t *schemas = json_object_get(json_object_get(v, "registry"), "schemas"), *s;
        size_t j;
        json_array_foreach(schemas, j, s)
        {
            const char *want = text_of(v, "schema_guid");
            if (json_integer_value(json_object_get(s, "id")) == json_integer_value(json_object_get(v, "schema_id"))) {
                vector_guid(s, want, text_of(v, "name"));
                n++;
            }
        }
    }
    assert_true(n && n == json_array_size(json_object_get(root, "vectors")));
    json_decref(root);
}

static void guid_refs(void **state)
{
    rt_schema_ref ref = {"com.acme.A", "a-value", 258};
    rt_subject with = {.schema = "\"string\"", .refs = &ref, .nrefs = 1},
               without = {.schema = "\"string\"com.acme.Aa-value"};
    char one[37], two[37];
    assert_int_equal(rt_schema_guid(&with, one, NULL), RT_OK);
    assert_string_equal(one, "4d655e31-d78b-7b19-19d6-8f39614efda0");
    assert_int_equal(rt_schema_guid(&without, two, NULL), RT_OK);
    assert_string_not_equal(one, two); /* the version counts */
}

/* An empty rule set is not the same as none. */
static void guid_presence(void **state)
{
    rt_subject at = {.schema = "\"string\"", .ruleset = "{\"enableAt\":\"CLIENT\"}"};
    rt_subject none = {.schema = "\"string\""}, empty = {.schema = "\"string\"", .ruleset = "{}"},
               bad = {.schema = "x", .ruleset = "{"};
    char one[37], two[37];
    assert_int_equal(rt_schema_guid(&none, one, NULL), RT_OK);
    assert_int_equal(rt_schema_guid(&empty, two, NULL), RT_OK);
    assert_string_not_equal(one, two);
    assert_int_equal(rt_schema_guid(&bad, one, NULL), RT_BAD_INPUT);
    assert_int_equal(rt_schema_guid(&at, one, NULL), RT_OK);
    assert_string_equal(one, "091f210a-8176-f48d-2fa5-a2a4144f7a10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metadata, setup, teardown),
        cmocka_unit_test_setup_teardown(java_order, setup, teardown),
        cmocka_unit_test_setup_teardown(rules, setup, teardown),
        cmocka_unit_test_setup_teardown(canonical_is_stable, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_rules, setup, teardown),
        cmocka_unit_test_setup_teardown(accepted_names, setup, teardown),
        cmocka_unit_test_setup_teardown(vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(guid_refs, setup, teardown),
        cmocka_unit_test_setup_teardown(guid_presence, setup, teardown),
    };
    return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
