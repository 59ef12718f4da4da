/* many_tags_test.c: tags of a record: as many as a schema holds; and how many one call may name. */
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

/* A record that has tags itself, and a field that has. */
static void print_tagged(fl_buf *b, int record, int field, const char *letter, const char *more)
{
    fl_buf_free(b);
    fl_buf_init(b, RT_REST_BODY_MAX);
    fl_buf_adds(b, "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"confluent:tags\\\":[");
    for (int i = 0; i < record; i++)
        fl_buf_addf(b, "%s\\\"%d\\\"", i ? "," : "", i);
    fl_buf_adds(b, "],\\\"fields\\\":[{\\\"name\\\":\\\"f\\\",\\\"type\\\":\\\"int\\\",\\\"confluent:tags\\\":[");
    for (int i = 0; i < field; i++)
        fl_buf_addf(b, "%s\\\"%s%d\\\"", i ? "," : "", letter, i);
    fl_buf_addf(b, "]}]}\"%s}", more);
}

static void tags(void **state)
{
    rt_error err;
    fl_buf b = {0};
    assert_int_equal(rt_registry_open("mem:", NULL, &registry, &err), RT_OK);
#define TO(path, type, tags)                                                                                           \
    ",\"schemaTagsToAdd\":[{\"schemaEntity\":{\"entityPath\":\"" path "\",\"entityType\":\"" type                      \
    "\"},\"tags\":[" tags "]}]"
    print_tagged(&b, NAMES, 0, "", TO("R", "sr_record", "\"x\""));
    ask("POST", "/subjects/r/versions", b.p, 200);
    fl_buf_free(&b);
    rt_registry_close(registry);
}

/* Those of the version before join those of this one. */
static void handed_on(void **state)
{
    rt_error err;
    fl_buf b = {0};
    assert_int_equal(rt_registry_open("mem:", NULL, &registry, &err), RT_OK);
    print_tagged(&b, 0, NAMES / 2, "a", "");
    ask("POST", "/subjects/h/versions", b.p, 200);
    print_tagged(&b, 0, NAMES / 2, "b", ",\"propagateSchemaTags\":true");
    ask("POST", "/subjects/h/versions", b.p, 200);
    ask("GET", "/subjects/h/versions/2", "", 200);
    fl_buf_free(&b);
    rt_registry_close(registry);
}

/* More than anybody writes by hand are refused. */
static void many_tags(void **state)
{
    static const char *const types[] = {"sr_record", "sr_field"};
    rt_error err;
    assert_int_equal(rt_registry_open("mem:", NULL, &registry, &err), RT_OK);
    for (int most = 1000; most <= 1001; most++)
        for (size_t i = 0; i < 2; i++) {
            fl_buf b = {0}, more;
            fl_buf_init(&more, RT_REST_BODY_MAX);
            fl_buf_addf(&more, ",\"schemaTagsToAdd\":[{\"schemaEntity\":{\"entityPath\":\"%s\",\"entityType\":\"%s\"}",
                        i ? "R.f" : "R", types[i]);
            for (int k = 0; k < most; k++)
                fl_buf_addf(&more, "%s\"t%d\"", k ? "," : ",\"tags\":[", k);
            fl_buf_adds(&more, "]}]");
            print_tagged(&b, 0, 0, "", more.p);
            ask("POST", "/subjects/m/versions", b.p, most > 1000 ? 422 : 200);
            fl_buf_free(&b);
            fl_buf_free(&more);
        }
    rt_registry_close(registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tags), cmocka_unit_test(handed_on),
                                       cmocka_unit_test(many_tags)};
    return cmocka_run_group_tests_name("many tags", tests, NULL, NULL);
}
