/* topic_test.c: one set of tests over the topics: memory, and Kafka by the mock cluster. */
#include "runtime/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct seen {
    size_t n, stop_after;
    char text[512];
} seen;

static void note(char *to, size_t room, rt_bytes b)
{
    size_t used = strlen(to);
    snprintf(to + used, room - used, "%s%.*s", used ? "," : "", b.p ? (int)b.n : 4, b.p ? (const char *)b.p : "NULL");
}

static bool look(void *ctx, const rt_message *m)
{
    seen *s = ctx;
    note(s->text, sizeof s->text, m->key);
    note(s->text, sizeof s->text, m->value);
    for (size_t i = 0; i < m->nheaders; i++) {
        note(s->text, sizeof s->text, (rt_bytes){(const uint8_t *)m->headers[i].name, strlen(m->headers[i].name)});
        note(s->text, sizeof s->text, m->headers[i].value);
    }
    return ++s->n != s->stop_after;
}

#define B(s)                                                                                                           \
    {                                                                                                                  \
        (const uint8_t *)(s), sizeof(s) - 1                                                                            \
    }

static void behaves(rt_topic *t)
{
    rt_error err;
    rt_header h[] = {{"trace", B("abc")}, {"none", {NULL, 0}}};
    rt_message messages[] = {{B("k1"), B("v1"), h, 2}, {{NULL, 0}, B(""), NULL, 0}, {B("k3"), {NULL, 0}, NULL, 0}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(t->ops->append(t, &messages[i], &err), RT_OK);
    seen s = {0};
    assert_int_equal(t->ops->each(t, look, &s, &err), RT_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.text, "k1,v1,trace,abc,none,NULL,NULL,,k3,NULL");
    seen first = {.stop_after = 1};
    assert_int_equal(t->ops->each(t, look, &first, &err), RT_OK);
    assert_int_equal(first.n, 1);
    t->ops->close(t);
}

static void memory(void **state)
{
    behaves(rt_topic_memory());
}

static void mock_cluster(void **state)
{
    rt_cluster *c;
    rt_topic *t;
    rt_error err;
    assert_int_equal(rt_cluster_open("mock:", NULL, 0, &c, &err), RT_OK);
    assert_int_equal(rt_topic_kafka(c, "crm.customers", &t, &err), RT_OK);
    behaves(t);
    rt_cluster_close(c);
}

static void a_bad_setting_is_refused_and_not_printed(void **state)
{
    rt_cluster *c;
    rt_error err;
    rt_kafka_property p = {"sasl.mechanismus", "s3cret-value"};
    assert_int_equal(rt_cluster_open("127.0.0.1:1", &p, 1, &c, &err), RT_BAD_INPUT);
    assert_null(strstr(err.message, "s3cret"));
}

static void a_broker_that_is_not_there(void **state)
{
    rt_cluster *c;
    rt_topic *t;
    rt_error err;
    rt_kafka_property p = {"message.timeout.ms", "500"};
    rt_message m = {B("k"), B("v"), NULL, 0};
    assert_int_equal(rt_cluster_open("127.0.0.1:1", &p, 1, &c, &err), RT_OK);
    assert_int_equal(rt_topic_kafka(c, "t", &t, &err), RT_OK);
    assert_int_equal(t->ops->append(t, &m, &err), RT_IO);
    t->ops->close(t);
    rt_cluster_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory),
        cmocka_unit_test(mock_cluster),
        cmocka_unit_test(a_bad_setting_is_refused_and_not_printed),
        cmocka_unit_test(a_broker_that_is_not_there),
    };
    return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
