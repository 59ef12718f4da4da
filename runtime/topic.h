/* topic.h: the seam of topics: in memory (what tests of a policy use), or on Kafka through librdkafka: a real broker,
 * or its in-process mock cluster (the demo and a unit test; it keeps 5 MiB a partition and drops the oldest, and its
 * transactions prove nothing, so no claim about delivery rests on it). One partition: records keep their order. */
#ifndef FLEC_RUNTIME_TOPIC_H
#define FLEC_RUNTIME_TOPIC_H

#include "runtime/error.h"

typedef struct rt_bytes { /* p NULL: Kafka's null, a tombstone or no key */
    const uint8_t *p;
    size_t n;
} rt_bytes;

typedef struct rt_header {
    const char *name;
    rt_bytes value;
} rt_header;

typedef struct rt_message {
    rt_bytes key, value;
    const rt_header *headers;
    size_t nheaders;
} rt_message;

typedef struct rt_topic rt_topic;
typedef struct rt_topic_ops {
    /* Copies. On Kafka: acknowledged by the broker when it returns. */
    rt_code (*append)(rt_topic *t, const rt_message *m, rt_error *err);
    /* Calls fn for every record from the first, in order; what m points to is good during the call. Stops when fn gives
     * false. */
    rt_code (*each)(rt_topic *t, bool (*fn)(void *ctx, const rt_message *m), void *ctx, rt_error *err);
    void (*close)(rt_topic *t);
} rt_topic_ops;
struct rt_topic {
    const rt_topic_ops *ops;
};

rt_topic *rt_topic_memory(void);

/* A cluster: "mock:" or a list of brokers. config: librdkafka properties as name and value pairs, n of them. */
typedef struct rt_cluster rt_cluster;
typedef struct rt_kafka_property {
    const char *name, *value;
} rt_kafka_property;
rt_code rt_cluster_open(const char *brokers, const rt_kafka_property *config, size_t n, rt_cluster **out,
                        rt_error *err);
const char *rt_cluster_brokers(const rt_cluster *c);
void rt_cluster_close(rt_cluster *c);
/* The topic must exist or be made by the broker itself. Close topics before their cluster. */
rt_code rt_topic_kafka(rt_cluster *c, const char *name, rt_topic **out, rt_error *err);

#endif
