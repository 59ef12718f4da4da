/* lean_test.c: an estate for reports only says what the whole one says, keeps no texts of schemas, and is not emitted.
 */
#include "compiler/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char head[] =
    "platform cloud {\n  workers 7.9.2\n  registry \"https://registry.example\"\n  kafka \"broker.example:9092\"\n}\n"
    "tag PII \"identifies a person\"\n"
    "kek k {\n  kms aws \"arn:aws:kms:eu-west-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab\"\n  shared\n}\n";
static const char topic[] = "topic a {\n  value avro \"a.avsc\" {\n    field ssn is PII\n    encrypt PII with k {\n    "
                            "  rotate 90d\n    }\n  }\n"
                            "  writers User:w\n}\n";
static const char other[] =
    "topic b {\n  value %s \"a.avsc\" {\n    clear because \"open data\"\n  }\n  writers User:w\n}\n";
static const char schema[] =
    "{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"ssn\", \"type\": \"string\"}]}";

static fl_arena *a;
static char folder[] = "/tmp/flec-lean-XXXXXX";

static int set_up(void **state)
{
    a = fl_arena_new();
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    fl_arena_free(a);
    int e = fl_remove_tree(folder);
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    return e;
}

static const char *put(const char *name, const char *text)
{
    const char *path = fl_printf(a, "%s/%s", folder, name);
    assert_int_equal(fl_write_file(path, text, strlen(text), 0600, false), 0);
    return path;
}

static est_estate *compile(const char *policy, bool checks_only, fl_diags *diags)
{
    const char *paths[] = {put("a.flec", policy)};
    const fc_options opt = {.today = 20000, .checks_only = checks_only};
    fl_status status = FL_OK;
    fl_diags_init(diags, a);
    put("a.avsc", schema);
    est_estate *e = fc_compile(a, paths, 1, &opt, diags, &status);
    assert_non_null(e);
    assert_int_equal(status, FL_OK);
    return e;
}

static void same_findings(const fl_diags *x, const fl_diags *y)
{
    fl_buf bx, by;
    fl_buf_init(&bx, 1 << 20);
    fl_buf_init(&by, 1 << 20);
    fl_diags_json(x, &bx);
    fl_diags_json(y, &by);
    assert_string_equal(bx.p, by.p);
    fl_buf_free(&bx);
    fl_buf_free(&by);
}

static void test_for_reports_only(void **state)
{
    fl_diags whole_says, lean_says;
    const char *policy = fl_printf(a, "%s%s", head, topic);
    est_estate *whole = compile(policy, false, &whole_says), *lean = compile(policy, true, &lean_says);
    const est_side *s = &lean->topics.v[0]->value;
    same_findings(&whole_says, &lean_says);
    assert_int_equal(whole_says.errors, 0);
    assert_string_equal(whole->topics.v[0]->value.schema->text, schema);
    assert_null(s->schema->text);
    assert_int_equal(s->leaves.n, 1);
    assert_ptr_equal(s->leaves.v[0].encrypt, &s->encrypts.v[0]);
    assert_non_null(fc_emit(whole, NULL, &whole_says));
    assert_null(fc_emit(lean, NULL, &lean_says));
}

/* Whoever reads the file another way finds its text. */
static void test_read_in_two_ways(void **state)
{
    fl_diags whole_says, lean_says;
    const char *policy = fl_printf(a, "%s%s%s", head, topic, fl_printf(a, other, "json"));
    compile(policy, false, &whole_says);
    est_estate *lean = compile(policy, true, &lean_says);
    same_findings(&whole_says, &lean_says);
    assert_string_equal(lean->topics.v[0]->value.schema->text, schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_for_reports_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_in_two_ways, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
