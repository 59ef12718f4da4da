/* answers_test.c: what is remembered of a lookup and a registration, for whom, until when, and how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "runtime/rest/answers.h"

#define RECORD(name) "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"" name "\\\",\\\"fields\\\":[]}\"}"
#define REFERS(version)                                                                                                \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"B\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\","       \
    "\\\"type\\\":\\\"A\\\"}]}\","                                                                                     \
    "\"references\":[{\"name\":\"A\",\"subject\":\"a\",\"version\":" version "}]}"

static rt_registry *registry;
static rt_answers *kept;

static int set_up(void **state)
{
    rt_error err;
    kept = rt_answers_new();
    return rt_registry_open("mem:", NULL, &registry, &err) == RT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    rt_answers_free(kept);
    rt_registry_close(registry);
    return 0;
}

/* Was it remembered? It must answer `status`. */
static bool ask(const char *method, const char *target, const char *body, const rt_access *access, int status)
{
    fl_arena *a = fl_arena_new();
    size_t before = rt_answers_found(kept);
    rt_rest_reply reply;
    rt_rest_request q = {.method = method,
                         .target = target,
                         .body = body,
                         .n = body ? strlen(body) : 0,
                         .access = access,
                         .answers = kept};
    rt_rest_handle((rt_store *)registry, a, &q, &reply);
    if (reply.status != status)
        fail_msg("%s %s answers %d %s, not %d", method, target, reply.status, reply.body.p, status);
    fl_buf_free(&reply.body);
    fl_arena_free(a);
    return rt_answers_found(kept) != before;
}

static bool post(const char *target, const char *body)
{
    return ask("POST", target, body, NULL, 200);
}

static void the_same_again(void **state)
{
    assert_false(post("/subjects/s/versions", RECORD("A"))); /* it changes something */
    assert_false(post("/subjects/s/versions", RECORD("A")));
    assert_true(post("/subjects/s/versions", RECORD("A")));
    assert_false(post("/subjects/s", RECORD("A")));
    assert_true(post("/subjects/s", RECORD("A")));
    assert_false(post("/subjects/s?deleted=true", RECORD("A")));
    assert_false(post("/compatibility/subjects/s/versions", RECORD("A")));
    assert_true(post("/compatibility/subjects/s/versions", RECORD("A")));
    assert_false(post("/subjects/s", RECORD("A") " "));
}

static void until_something_changes(void **state)
{
    static const struct {
        const char *method, *target, *body;
        int then;
    } changes[] = {
        {"PUT", "/config", "{\"compatibility\":\"NONE\"}", 200},
        {"PUT", "/mode/s", "{\"mode\":\"READONLY\"}", 200},
        {"DELETE", "/mode/s", NULL, 200},
        {"POST", "/subjects/s/versions", RECORD("B"), 200},
        {"DELETE", "/subjects/s/versions/1", NULL, 404},
    };
    ask("PUT", "/config/s", "{\"compatibility\":\"NONE\"}", NULL, 200);
    post("/subjects/s/versions", RECORD("A"));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        post("/subjects/s", RECORD("A"));
        assert_true(post("/subjects/s", RECORD("A")));
        assert_false(ask(changes[i].method, changes[i].target, changes[i].body, NULL, 200));
        assert_false(ask("POST", "/subjects/s", RECORD("A"), NULL, changes[i].then));
    }
    assert_false(ask("POST", "/subjects/s", RECORD("A"), NULL, 404)); /* what is not there is not remembered */
}

static void others_change(void **state)
{
    post("/subjects/a/versions", RECORD("A"));
    post("/subjects/s/versions", RECORD("S"));
    post("/subjects/s", RECORD("S"));
    post("/subjects/b/versions", REFERS("1"));
    post("/subjects/b", REFERS("-1"));
    assert_true(post("/subjects/b", REFERS("-1")));
    ask("PUT", "/config/a", "{\"compatibility\":\"NONE\"}", NULL, 200);
    post("/subjects/s", RECORD("S"));
    post("/subjects/b", REFERS("-1"));
    post("/subjects/a/versions", RECORD("A2"));
    assert_true(post("/subjects/s", RECORD("S"))); /* a version of another subject is nothing to it */
    assert_false(ask("POST", "/subjects/b", REFERS("-1"), NULL, 422)); /* the latest of `a` has no A */
}

static void each_user(void **state)
{
    static const rt_user admin = {.name = "ada", .admin = true}, nobody = {.name = "bob"};
    rt_access as_admin = {NULL, &admin}, as_nobody = {NULL, &nobody};
    ask("POST", "/subjects/s/versions", RECORD("A"), &as_admin, 200);
    ask("POST", "/subjects/s", RECORD("A"), &as_admin, 200);
    assert_true(ask("POST", "/subjects/s", RECORD("A"), &as_admin, 200));
    assert_false(ask("POST", "/subjects/s", RECORD("A"), &as_nobody, 403));
    assert_false(ask("POST", "/subjects/s", RECORD("A"), NULL, 200));
}

static void made_anew(void **state)
{
    rt_store *st = (rt_store *)registry;
    rt_error err;
    post("/subjects/s/versions", RECORD("A"));
    post("/subjects/s", RECORD("A"));
    assert_true(post("/subjects/s", RECORD("A")));
    st->size += RT_STORE_MAX / 2;
    st->dead += RT_STORE_MAX / 2;
    st->tidy_at = 0;
    assert_int_equal(rt_store_tidy(st, &err), RT_OK);
    assert_false(post("/subjects/s", RECORD("A")));
    assert_true(post("/subjects/s", RECORD("A")));
}

static void bounded(void **state)
{
    enum { QUESTIONS = 3000, WIDE = 8192 };
    char body[WIDE + 64];
    post("/subjects/s/versions", RECORD("A"));
    for (int i = 0; i < QUESTIONS; i++) {
        snprintf(body, sizeof body, RECORD("A") "%*d", WIDE, 0);
        body[strlen(RECORD("A"))] = ' ';
        memset(body + strlen(RECORD("A")), ' ', WIDE);
        body[strlen(RECORD("A")) + (size_t)(i % WIDE)] = '\n';
        body[strlen(RECORD("A")) + WIDE] = 0;
        assert_false(post("/subjects/s", body));
        assert_true(rt_answers_bytes(kept) <= RT_ANSWERS_MOST);
    }
    assert_true(post("/subjects/s", body));
    assert_true(rt_answers_bytes(kept) > RT_ANSWERS_MOST / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(until_something_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
