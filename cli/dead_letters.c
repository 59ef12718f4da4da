/* dead_letters.c: a cluster for dead letters, and its topics as rules name them. */
#include "cli/dead_letters.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TOPICS = 64, MAX_PROPERTIES = 64 };

struct cli_dead_letters {
    fl_arena *a;
    fl_secret brokers, values[MAX_PROPERTIES];
    rt_kafka_property properties[MAX_PROPERTIES];
    size_t nproperties;
    rt_cluster *cluster;
    struct {
        const char *name;
        rt_topic *topic;
    } topics[MAX_TOPICS];
    size_t ntopics;
    rt_error err;
};

static bool add_property(const char *key, const char *value, void *ctx)
{
    cli_dead_letters *d = ctx;
    if (d->nproperties == MAX_PROPERTIES) {
        rt_fail(&d->err, RT_IO, "more than %d settings for Kafka", MAX_PROPERTIES);
        return false;
    }
    fl_secret *v = &d->values[d->nproperties];
    if (rt_config_resolve(value, v, &d->err))
        return false;
    d->properties[d->nproperties++] = (rt_kafka_property){fl_strdup(d->a, key), v->len ? (char *)v->bytes : ""};
    return true;
}

static rt_code read_settings(cli_dead_letters *d, const rt_config *c)
{
    static const char *const prefixes[] = {"security.protocol", "sasl.", "ssl.", "client.id"};
    rt_code code = rt_config_value(c, "bootstrap.servers", &d->brokers, &d->err);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes && !code; i++) {
        rt_config_each(c, prefixes[i], add_property, d);
        code = d->err.code;
    }
    return code;
}

rt_code cli_dead_letters_open(const rt_config *c, cli_dead_letters **out, rt_error *err)
{
    *out = NULL;
    if (!rt_config_get(c, "bootstrap.servers"))
        return RT_OK;
    cli_dead_letters *d = fl_xcalloc(1, sizeof *d);
    d->a = fl_arena_new();
    rt_code code = read_settings(d, c);
    if (code) {
        *err = d->err;
        cli_dead_letters_close(d);
    } else {
        *out = d;
    }
    return code;
}

void cli_dead_letters_close(cli_dead_letters *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->ntopics; i++)
        d->topics[i].topic->ops->close(d->topics[i].topic);
    if (d->cluster)
        rt_cluster_close(d->cluster);
    for (size_t i = 0; i < MAX_PROPERTIES; i++)
        fl_secret_free(&d->values[i]);
    fl_secret_free(&d->brokers);
    fl_arena_free(d->a);
    free(d);
}

static rt_code topic_of(cli_dead_letters *d, const char *name, rt_topic **out, rt_error *err)
{
    for (size_t i = 0; i < d->ntopics; i++)
        if (strcmp(d->topics[i].name, name) == 0) {
            *out = d->topics[i].topic;
            return RT_OK;
        }
    if (d->ntopics == MAX_TOPICS)
        return rt_fail(err, RT_IO, "more than %d dead letter topics", MAX_TOPICS);
    rt_code code = d->cluster ? RT_OK
                              : rt_cluster_open(d->brokers.len ? (char *)d->brokers.bytes : "", d->properties,
                                                d->nproperties, &d->cluster, err);
    if (!code)
        code = rt_topic_kafka(d->cluster, name, out, err);
    if (code)
        return code;
    d->topics[d->ntopics].name = fl_strdup(d->a, name);
    d->topics[d->ntopics++].topic = *out;
    return RT_OK;
}

rt_code cli_bury(void *ctx, const char *topic, const rt_message *m, rt_error *err)
{
    rt_topic *t;
    rt_code code = topic_of(ctx, topic, &t, err);
    return code ? code : t->ops->append(t, m, err);
}
