/* many_test.c: calls on much: a schema of many fields, one that many subjects have, many versions of one subject. What
 * they answer is looked at; who makes one of them quadratic notices by the time that this takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/rest.h"

static rt_registry *registry;

static int open_store(void **state)
{
    rt_error err;
    return rt_registry_open("mem:", NULL, &registry, &err) == RT_OK ? 0 : -1;
}

static int close_store(void **state)
{
    rt_registry_close(registry);
    return 0;
}

/* The answer, in the arena. */
static const char *call(fl_arena *a, const char *method, const char *target, const char *body, size_t n)
{
    rt_rest_reply reply;
    rt_rest_request q = {.method = method, .target = target, .body = body, .n = n};
    rt_rest_handle((rt_store *)registry, a, &q, &reply);
    if (reply.status != 200)
        fail_msg("%s %s answers %d %.500s", method, target, reply.status, reply.body.p);
    const char *text = fl_strndup(a, reply.body.p, reply.body.len);
    fl_buf_wipe(&reply.body);
    return text;
}

static const char *wide(fl_arena *a, size_t fields, const char *tags, const char *more)
{
    fl_buf b;
    fl_buf_init(&b, 16 << 20);
    fl_buf_adds(&b, "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"n.R\\\",\\\"fields\\\":[");
    for (size_t i = 0; i < fields; i++)
        fl_buf_addf(&b, "%s{\\\"name\\\":\\\"f%zu\\\",\\\"type\\\":\\\"string\\\"%s}", i ? "," : "", i, tags);
    fl_buf_addf(&b, "]}\"%s}", more);
    const char *text = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

static void tags_of_many_fields(void **state)
{
    enum { FIELDS = 15000 };
    fl_arena *a = fl_arena_new();
    const char *body = wide(a, FIELDS, ",\\\"confluent:tags\\\":[\\\"PII\\\"]", "");
    call(a, "POST", "/subjects/s/versions", body, strlen(body));
    body = wide(a, FIELDS, "", ",\"propagateSchemaTags\":true,\"metadata\":{\"properties\":{\"a\":\"b\"}}");
    const char *answer = call(a, "POST", "/subjects/s/versions", body, strlen(body));
    assert_int_equal(count(answer, "PII"), FIELDS);
    assert_non_null(strstr(answer, "\"version\":2"));
    fl_arena_free(a);
}

static void one_schema_of_many(void **state)
{
    enum { SUBJECTS = 20000 };
    static const char body[] = "{\"schema\":\"\\\"string\\\"\"}";
    char target[64];
    for (int i = 0; i < SUBJECTS; i++) {
        fl_arena *a = fl_arena_new();
        snprintf(target, sizeof target, "/subjects/s%d/versions", i);
        call(a, "POST", target, body, sizeof body - 1);
        fl_arena_free(a);
    }
    fl_arena *a = fl_arena_new();
    assert_int_equal(count(call(a, "GET", "/schemas/ids/1/subjects", NULL, 0), "\"s"), SUBJECTS);
    assert_int_equal(count(call(a, "GET", "/schemas?latestOnly=true", NULL, 0), "\"id\":1,"), SUBJECTS);
    fl_arena_free(a);
}

static void many_versions(void **state)
{
    enum { VERSIONS = 1000 };
    char body[128];
    for (int i = 1; i <= VERSIONS; i++) {
        fl_arena *a = fl_arena_new();
        int n = snprintf(body, sizeof body, "{\"schema\":\"{\\\"type\\\":\\\"string\\\",\\\"n\\\":%d}\"}", i);
        char *at = strstr(call(a, "POST", "/subjects/s/versions", body, (size_t)n), "\"version\":");
        assert_non_null(at);
        assert_int_equal(atoi(at + 10), i);
        fl_arena_free(a);
    }
    fl_arena *a = fl_arena_new();
    assert_int_equal(count(call(a, "GET", "/subjects/s/versions", NULL, 0), ","), VERSIONS - 1);
    assert_int_equal(count(call(a, "DELETE", "/subjects/s", NULL, 0), ","), VERSIONS - 1);
    assert_string_equal(call(a, "GET", "/subjects", NULL, 0), "[]");
    fl_arena_free(a);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
    struct CMUnitTest tests[] = {T(tags_of_many_fields), T(one_schema_of_many), T(many_versions)};
    return cmocka_run_group_tests_name("many", tests, NULL, NULL);
}
