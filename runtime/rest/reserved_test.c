/* reserved_test.c: names that are reserved for no field (`validateFields`): a list as long as a request may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runtime/rest/rest.h"

/* Each name held against each other would take minutes here, and longer than a unit may under valgrind. */
enum { NAMES = 100000 };

static rt_registry *registry;

static void ask(const char *method, const char *target, const char *body, int status)
{
    fl_arena *a = fl_arena_new();
    rt_rest_reply reply;
    rt_rest_request q = {.method = method, .target = target, .body = body, .n = strlen(body)};
    rt_rest_handle((rt_store *)registry, a, &q, &reply);
    if (reply.status != status)
        fail_msg("%s %s answers %d %.200s", method, target, reply.status, reply.body.p);
    fl_buf_free(&reply.body);
    fl_arena_free(a);
}

/* A record with this field; names from `first` on are reserved. */
static void print(fl_buf *b, const char *field, int first)
{
    fl_buf_free(b);
    fl_buf_init(b, RT_REST_BODY_MAX);
    fl_buf_addf(b,
                "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{"
                "\\\"name\\\":\\\"%s\\\",\\\"type\\\":\\\"int\\\"}]}\","
                "\"metadata\":{\"properties\":{\"confluent:reserved\":\"",
                field);
    for (int i = first; i < NAMES; i++)
        fl_buf_addf(b, "n%d,", i);
    fl_buf_adds(b, "\"}}}");
}

static void reserved(void **state)
{
    rt_error err;
    fl_buf b = {0};
    assert_int_equal(rt_registry_open("mem:", NULL, &registry, &err), RT_OK);
    ask("PUT", "/config", "{\"compatibility\":\"NONE\",\"validateFields\":true}", 200);
    print(&b, "a", 0);
    ask("POST", "/subjects/s/versions", b.p, 200);
    print(&b, "b", 0);
    ask("POST", "/subjects/s/versions", b.p, 200);
    print(&b, "n99999", 0); /* reserved */
    ask("POST", "/subjects/s/versions", b.p, 409);
    print(&b, "c", 1); /* n0 no longer is */
    ask("POST", "/subjects/s/versions", b.p, 409);
    fl_buf_free(&b);
    rt_registry_close(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reserved)};
    return cmocka_run_group_tests_name("reserved", tests, NULL, NULL);
}
