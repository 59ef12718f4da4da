/* suite_test.c: what tests.json may say. */
#include "runtime/testing/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TEST(steps)                                                                                                    \
    "{\"format\":\"flec-tests\",\"version\":1,\"tests\":[{\"name\":\"t\",\"file\":\"a.flec\",\"line\":1,"              \
    "\"environments\":null,\"steps\":[" steps "]}]}"
#define PRODUCE "{\"line\":2,\"do\":\"produce\",\"topic\":\"t\",\"value\":{\"id\":\"1\"}}"

static rt_code parse(fl_arena *a, const char *text, rt_suite **s, rt_error *err)
{
    return rt_suite_parse(a, "tests.json", text, strlen(text), s, err);
}

static void reads_every_step(void **state)
{
    static const char text[] = TEST(
        PRODUCE
        ",{\"line\":3,\"do\":\"produce\",\"topic\":\"t\",\"key\":\"k\",\"value\":null},"
        "{\"line\":4,\"do\":\"produce\",\"topic\":\"t\",\"from\":\"fixtures/a.jsonl\"},"
        "{\"line\":5,\"do\":\"connector\",\"connector\":\"c\",\"topic\":\"t\",\"value\":{}},"
        "{\"line\":6,\"do\":\"replay\",\"topic\":\"t\",\"from\":\"fixtures/a.hex\",\"registry\":\"fixtures/r\"},"
        "{\"line\":7,\"do\":\"tamper\",\"topic\":\"t\",\"side\":\"value\",\"path\":\"ssn\"},"
        "{\"line\":8,\"expect\":\"wire\",\"side\":\"key\",\"paths\":[\"a\",\"b\"],\"is\":\"encrypted\",\"kek\":\"k\"},"
        "{\"line\":9,\"expect\":\"wire\",\"side\":\"value\",\"is\":\"encrypted\"},"
        "{\"line\":10,\"expect\":\"reader\",\"with\":[\"k\"],\"is\":\"sees\",\"path\":\"a\",\"json\":null},"
        "{\"line\":11,\"expect\":\"reader\",\"principal\":\"User:a\",\"is\":\"sees-everything\"},"
        "{\"line\":12,\"expect\":\"reader\",\"without\":[\"k\"],\"is\":\"sees-encrypted\",\"side\":\"value\",\"paths\":"
        "[\"a\"]},"
        "{\"line\":13,\"expect\":\"leaks-nothing\",\"topic\":\"t\"},"
        "{\"line\":14,\"expect\":\"delivered\",\"is\":\"equals-sent\"},"
        "{\"line\":15,\"expect\":\"dead-letters\",\"count\":2},{\"line\":16,\"expect\":\"refused\"}");
    fl_arena *a = fl_arena_new();
    rt_suite *s;
    rt_error err;
    assert_int_equal(parse(a, text, &s, &err), RT_OK);
    const rt_step *v = s->tests[0].steps;
    assert_int_equal(s->tests[0].nsteps, 15);
    assert_int_equal(v[1].value->kind, FL_JNULL);
    assert_string_equal(v[1].key->str, "k");
    assert_null(v[0].key);
    assert_true(v[6].on_key);
    assert_string_equal(v[6].what, "on wire key a, b encrypted with k");
    assert_int_equal(v[8].json->kind, FL_JNULL);
    assert_string_equal(v[10].what, "reader without k sees a encrypted");
    assert_int_equal(v[13].count, 2);
    fl_arena_free(a);
}

/* Each is refused, and the message holds the words. */
static const char *const refused[][2] = {
    {"{", "tests.json:1:"},
    {"[]", "no tests.json of flec"},
    {"{\"format\":\"flec-plan\",\"version\":1,\"tests\":[]}", "no tests.json"},
    {"{\"format\":\"flec-tests\",\"tests\":[]}", "does not say its version"},
    {"{\"format\":\"flec-tests\",\"version\":2,\"tests\":[]}", "use a newer flec"},
    {"{\"format\":\"flec-tests\",\"version\":1,\"tests\":[],\"more\":1}", "unknown member more"},
    {TEST(PRODUCE), "expects nothing"},
    {TEST("{\"line\":2,\"expect\":\"refused\"}"), "before any record"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"magic\"}"), "none that this flec knows"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"wire\",\"side\":\"value\",\"paths\":[\"a\"],\"is\":\"hidden\"}"),
     "none that this flec knows"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"wire\",\"side\":\"body\",\"paths\":[\"a\"],\"is\":\"clear\"}"),
     "key or value"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"wire\",\"side\":\"value\",\"is\":\"clear\"}"), "do not belong together"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"reader\",\"with\":[],\"without\":[],\"is\":\"fails\"}"),
     "do not belong together"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"reader\",\"is\":\"fails\"}"), "do not belong together"},
    {TEST(PRODUCE ",{\"line\":3,\"expect\":\"dead-letters\"}"), "do not belong together"},
    {TEST("{\"line\":2,\"do\":\"produce\",\"topic\":\"t\"}"), "do not belong together"},
    {TEST("{\"line\":2,\"do\":\"produce\",\"topic\":\"t\",\"value\":1,\"from\":\"x\"}"), "do not belong together"},
    {TEST("{\"line\":2,\"do\":\"produce\",\"topic\":\"t\",\"value\":1,\"expect\":\"refused\"}"),
     "none that this flec knows"},
    {TEST("{\"line\":\"two\",\"do\":\"produce\",\"topic\":\"t\",\"value\":1}"), "line must be a whole number"},
};

static void refuses(void **state)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        fl_arena *a = fl_arena_new();
        rt_suite *s;
        rt_error err;
        assert_int_equal(parse(a, refused[i][0], &s, &err), RT_BAD_INPUT);
        if (!strstr(err.message, refused[i][1]))
            fail_msg("%s\n%s", refused[i][0], err.message);
        fl_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_every_step), cmocka_unit_test(refuses)};
    return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
