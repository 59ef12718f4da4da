/* kafka.c: wire records through a Kafka topic: hex lines in, onto the topic, back from it, hex lines out. The demo uses
 * librdkafka's in-process mock cluster (`mock:`), the tests against a real broker its address. usage: kafka BROKERS
 * TOPIC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/topic.h"

static rt_code put(rt_topic *t, char *line, rt_error *err)
{
    size_t n = strcspn(line, "\r\n");
    uint8_t *bytes = fl_xmalloc(n / 2 + 1);
    rt_message m = {.value = {bytes, n / 2}};
    if (n == 4 && !memcmp(line, "null", 4))
        m.value = (rt_bytes){NULL, 0};
    else if (n % 2 || !fl_unhex(bytes, line, n))
        fl_die(FL_FINDINGS, "a line is no hex");
    rt_code code = t->ops->append(t, &m, err);
    free(bytes);
    return code;
}

static bool print(void *ctx, const rt_message *m)
{
    char *hex = fl_xmalloc(2 * m->value.n + 1);
    fl_hex(hex, m->value.p, m->value.n);
    puts(m->value.p ? hex : "null");
    free(hex);
    return true;
}

int main(int argc, char **argv)
{
    rt_cluster *cluster;
    rt_topic *topic;
    rt_error err;
    char *line = NULL;
    size_t room = 0;
    if (argc != 3)
        fl_die(FL_USAGE, "usage: kafka BROKERS TOPIC");
    rt_code code = rt_cluster_open(argv[1], NULL, 0, &cluster, &err);
    if (!code)
        code = rt_topic_kafka(cluster, argv[2], &topic, &err);
    while (!code && getline(&line, &room, stdin) > 0)
        code = put(topic, line, &err);
    free(line);
    if (!code)
        code = topic->ops->each(topic, print, NULL, &err);
    if (code)
        fl_die(FL_COULD_NOT_RUN, "%s", err.message);
    topic->ops->close(topic);
    rt_cluster_close(cluster);
    return 0;
}
