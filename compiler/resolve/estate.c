/* estate.c: asking an estate: things by name, and small facts about them. */
#include <string.h>

#include "compiler/catalog/catalog.h"
#include "compiler/estate.h"

/* The arrays are in order of name. */
#define FIND(vec, wanted)                                                                                              \
    do {                                                                                                               \
        size_t from = 0, to = (vec).n;                                                                                 \
        while (from < to) {                                                                                            \
            size_t mid = from + (to - from) / 2;                                                                       \
            int order = strcmp(wanted, (vec).v[mid]->name.s);                                                          \
            if (!order)                                                                                                \
                return (vec).v[mid];                                                                                   \
            if (order < 0)                                                                                             \
                to = mid;                                                                                              \
            else                                                                                                       \
                from = mid + 1;                                                                                        \
        }                                                                                                              \
        return NULL;                                                                                                   \
    } while (0)

const est_tag *est_find_tag(const est_estate *e, const char *name)
{
    FIND(e->tags, name);
}

const est_kek *est_find_kek(const est_estate *e, const char *name)
{
    FIND(e->keks, name);
}

const est_topic *est_find_topic(const est_estate *e, const char *name)
{
    FIND(e->topics, name);
}

const est_subject *est_find_subject(const est_estate *e, const char *name)
{
    FIND(e->subjects, name);
}

const est_connector *est_find_connector(const est_estate *e, const char *name)
{
    FIND(e->connectors, name);
}

const char *est_format_name(est_format f)
{
    static const char *const names[] = {"avro",  "json",    "protobuf", "string", "bytes",
                                        "short", "integer", "long",     "float",  "double"};
    return names[f];
}

sch_format est_schema_format(est_format f)
{
    return f == EST_JSON ? SCH_JSON : f == EST_PROTOBUF ? SCH_PROTOBUF : SCH_AVRO;
}

bool est_has_schema(const est_side *s)
{
    return s->format <= EST_PROTOBUF;
}

bool est_is_clear(const est_side *s)
{
    return s->clear.s || s->topic->clear.s;
}

const char *est_side_name(const est_side *s)
{
    return s->is_key ? "key" : "value";
}

bool est_is_source(const est_connector *c)
{
    return c->catalog && c->catalog->source;
}

bool est_is_sink(const est_connector *c)
{
    return c->catalog && c->catalog->sink;
}
