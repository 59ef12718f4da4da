/* kafka.c: topics on Kafka, through librdkafka: a real broker, or its in-process mock cluster. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/topic.h"

#define SEND_MS 30000 /* how long a record may take to be acknowledged */
#define POLL_MS 10000 /* how long the end of a partition may take to show */

struct rt_cluster {
    rd_kafka_t *producer;
    char *brokers;
    const rt_kafka_property *config; /* the caller's */
    size_t nconfig;
    rd_kafka_resp_err_t delivered; /* of the record in flight */
};

typedef struct kafka {
    rt_topic topic;
    rt_cluster *cluster;
    char *name;
} kafka;

/* ---- clients ---- */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char why[256])
{
    return rd_kafka_conf_set(conf, name, value, why, 256) == RD_KAFKA_CONF_OK;
}

static rt_code configure(rt_cluster *c, rd_kafka_conf_t *conf, const char *brokers, rt_error *err)
{
    char why[256] = "";
    bool mock = strcmp(brokers, "mock:") == 0;
    bool ok = mock ? set(conf, "test.mock.num.brokers", "1", why) : set(conf, "bootstrap.servers", brokers, why);
    /* the mock cluster says at level 3 and up what it does; a real client's errors come back as codes */
    ok = ok && set(conf, "log_level", "2", why);
    for (size_t i = 0; i < c->nconfig && ok; i++)
        ok = set(conf, c->config[i].name, c->config[i].value, why);
    /* librdkafka's own text may repeat the value, and that may be a password */
    return ok ? RT_OK
              : rt_fail(err, RT_BAD_INPUT,
                        "the Kafka client refuses a setting: check names and values of `kafka … { config }`");
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    rt_cluster *c = opaque;
    c->delivered = m->err;
}

rt_code rt_cluster_open(const char *brokers, const rt_kafka_property *config, size_t n, rt_cluster **out, rt_error *err)
{
    char why[256] = "";
    rt_cluster *c = fl_xcalloc(1, sizeof *c);
    *out = NULL;
    c->config = config;
    c->nconfig = n;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, c);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rt_code code = configure(c, conf, brokers, err);
    if (!code) {
        c->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
        if (!c->producer)
            code = rt_fail(err, RT_IO, "no Kafka client: %s", why);
    }
    if (code) {
        rd_kafka_conf_destroy(conf);
        rt_cluster_close(c);
        return code;
    }
    rd_kafka_mock_cluster_t *mock = rd_kafka_handle_mock_cluster(c->producer);
    c->brokers = fl_xstrdup(mock ? rd_kafka_mock_cluster_bootstraps(mock) : brokers);
    *out = c;
    return RT_OK;
}

const char *rt_cluster_brokers(const rt_cluster *c)
{
    return c->brokers;
}

void rt_cluster_close(rt_cluster *c)
{
    if (c->producer)
        rd_kafka_destroy(c->producer);
    free(c->brokers);
    free(c);
}

/* ---- writing ---- */

static rt_code append(rt_topic *t, const rt_message *m, rt_error *err)
{
    kafka *k = (kafka *)t;
    rt_cluster *c = k->cluster;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(m->nheaders);
    for (size_t i = 0; i < m->nheaders; i++)
        rd_kafka_header_add(headers, m->headers[i].name, -1, m->headers[i].value.p, (ssize_t)m->headers[i].value.n);
    c->delivered = RD_KAFKA_RESP_ERR__IN_PROGRESS;
    rd_kafka_resp_err_t e = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(k->name), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(m->key.p, m->key.n), RD_KAFKA_V_VALUE((void *)(uintptr_t)m->value.p, m->value.n),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (e) {
        rd_kafka_headers_destroy(headers);
        return rt_fail(err, RT_IO, "topic %s: %s", k->name, rd_kafka_err2str(e));
    }
    rd_kafka_flush(c->producer, SEND_MS);
    if (c->delivered)
        return rt_fail(err, RT_IO, "topic %s: the record was not acknowledged: %s", k->name,
                       rd_kafka_err2str(c->delivered));
    return RT_OK;
}

/* ---- reading ---- */

static rt_code reader(kafka *k, rd_kafka_t **out, rt_error *err)
{
    char why[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rt_code code = configure(k->cluster, conf, k->cluster->brokers, err);
    if (!code && !(set(conf, "group.id", "flec-reader", why) && set(conf, "enable.auto.commit", "false", why) &&
                   set(conf, "enable.partition.eof", "true", why)))
        code = rt_fail(err, RT_IO, "no Kafka client: %s", why);
    if (!code) {
        *out = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
        if (*out)
            return RT_OK;
        code = rt_fail(err, RT_IO, "no Kafka client: %s", why);
    }
    rd_kafka_conf_destroy(conf);
    return code;
}

static bool hand_on(const rd_kafka_message_t *from, bool (*fn)(void *ctx, const rt_message *m), void *ctx)
{
    rt_header headers[64];
    rd_kafka_headers_t *h;
    rt_message m = {.key = {from->key, from->key_len}, .value = {from->payload, from->len}, .headers = headers};
    if (!rd_kafka_message_headers(from, &h)) {
        const void *value;
        for (; m.nheaders < 64 &&
               !rd_kafka_header_get_all(h, m.nheaders, &headers[m.nheaders].name, &value, &headers[m.nheaders].value.n);
             m.nheaders++)
            headers[m.nheaders].value.p = value;
    }
    return fn(ctx, &m);
}

static rt_code each(rt_topic *t, bool (*fn)(void *ctx, const rt_message *m), void *ctx, rt_error *err)
{
    kafka *k = (kafka *)t;
    rd_kafka_t *rk = NULL;
    rt_code code = reader(k, &rk, err);
    if (code)
        return code;
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(parts, k->name, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t e = rd_kafka_assign(rk, parts);
    rd_kafka_topic_partition_list_destroy(parts);
    bool more = !e;
    while (more) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        e = m ? m->err : RD_KAFKA_RESP_ERR__TIMED_OUT;
        more = !e && hand_on(m, fn, ctx);
        if (m)
            rd_kafka_message_destroy(m);
    }
    if (e && e != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        code = rt_fail(err, RT_IO, "topic %s: %s", k->name, rd_kafka_err2str(e));
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return code;
}

static void close_topic(rt_topic *t)
{
    kafka *k = (kafka *)t;
    free(k->name);
    free(k);
}

static const rt_topic_ops ops = {append, each, close_topic};

rt_code rt_topic_kafka(rt_cluster *c, const char *name, rt_topic **out, rt_error *err)
{
    kafka *k = fl_xcalloc(1, sizeof *k);
    k->topic.ops = &ops;
    k->cluster = c;
    k->name = fl_xstrdup(name);
    *out = &k->topic;
    return RT_OK;
}
