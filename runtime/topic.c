/* topic.c: topics in memory. */
#include "runtime/topic.h"

#include <string.h>

typedef struct memory {
    rt_topic topic;
    fl_arena *a;
    FL_VEC(rt_message) list;
} memory;

static rt_bytes copy(fl_arena *a, rt_bytes b)
{
    return b.p ? (rt_bytes){(const uint8_t *)fl_strndup(a, (const char *)b.p, b.n), b.n} : b;
}

static rt_code append(rt_topic *t, const rt_message *m, rt_error *err)
{
    memory *mem = (memory *)t;
    rt_header *headers = FL_NEW_N(mem->a, rt_header, m->nheaders);
    for (size_t i = 0; i < m->nheaders; i++)
        headers[i] = (rt_header){fl_strdup(mem->a, m->headers[i].name), copy(mem->a, m->headers[i].value)};
    FL_PUSH(mem->a, &mem->list, (rt_message){copy(mem->a, m->key), copy(mem->a, m->value), headers, m->nheaders});
    return RT_OK;
}

static rt_code each(rt_topic *t, bool (*fn)(void *ctx, const rt_message *m), void *ctx, rt_error *err)
{
    memory *mem = (memory *)t;
    for (size_t i = 0; i < mem->list.n && fn(ctx, &mem->list.v[i]); i++)
        ;
    return RT_OK;
}

static void close_memory(rt_topic *t)
{
    memory *mem = (memory *)t;
    fl_arena_free(mem->a);
}

static const rt_topic_ops ops = {append, each, close_memory};

rt_topic *rt_topic_memory(void)
{
    fl_arena *a = fl_arena_new();
    memory *mem = FL_NEW(a, memory);
    mem->topic.ops = &ops;
    mem->a = a;
    return &mem->topic;
}
