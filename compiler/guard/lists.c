/* lists.c: what quantifiers go through: the lists of each kind, and how they are read of the estate. */
#include "compiler/guard/model.h"

static guard_object side_object(const est_side *s)
{
    return (guard_object){GUARD_SIDE, s, s};
}

static size_t topic_sides(const guard_world *w, const guard_object *o)
{
    return 2;
}

static guard_object topic_side(const guard_world *w, const guard_object *o, size_t i)
{
    const est_topic *t = o->is;
    return side_object(i ? &t->value : &t->key);
}

static size_t side_fields(const guard_world *w, const guard_object *o)
{
    return o->side->leaves.n;
}

static guard_object side_field(const guard_world *w, const guard_object *o, size_t i)
{
    return (guard_object){GUARD_FIELD, &o->side->leaves.v[i], o->side};
}

static size_t side_encryptions(const guard_world *w, const guard_object *o)
{
    return o->side->encrypts.n;
}

static guard_object side_encryption(const guard_world *w, const guard_object *o, size_t i)
{
    return (guard_object){GUARD_ENCRYPTION, &o->side->encrypts.v[i], o->side};
}

static size_t topic_fields(const guard_world *w, const guard_object *o)
{
    const est_topic *t = o->is;
    return t->key.leaves.n + t->value.leaves.n;
}

static guard_object topic_field(const guard_world *w, const guard_object *o, size_t i)
{
    const est_topic *t = o->is;
    const est_side *s = i < t->key.leaves.n ? &t->key : &t->value;
    return (guard_object){GUARD_FIELD, &s->leaves.v[s->is_key ? i : i - t->key.leaves.n], s};
}

static size_t topic_encryptions(const guard_world *w, const guard_object *o)
{
    const est_topic *t = o->is;
    return t->key.encrypts.n + t->value.encrypts.n;
}

static guard_object topic_encryption(const guard_world *w, const guard_object *o, size_t i)
{
    const est_topic *t = o->is;
    const est_side *s = i < t->key.encrypts.n ? &t->key : &t->value;
    return (guard_object){GUARD_ENCRYPTION, &s->encrypts.v[s->is_key ? i : i - t->key.encrypts.n], s};
}

static guard_object by_principal(const guard_world *w, const char *full)
{
    return (guard_object){.kind = GUARD_PRINCIPAL, .is = fl_map_get(w->by_principal, full)};
}

static size_t topic_readers(const guard_world *w, const guard_object *o)
{
    return ((const est_topic *)o->is)->readers.n;
}

static guard_object topic_reader(const guard_world *w, const guard_object *o, size_t i)
{
    return by_principal(w, ((const est_topic *)o->is)->readers.v[i].s);
}

static size_t topic_writers(const guard_world *w, const guard_object *o)
{
    return ((const est_topic *)o->is)->writers.n;
}

static guard_object topic_writer(const guard_world *w, const guard_object *o, size_t i)
{
    return by_principal(w, ((const est_topic *)o->is)->writers.v[i].s);
}

static size_t topic_connectors(const guard_world *w, const guard_object *o)
{
    return w->of_topic[guard_topic_place(w, o->is)].list.n;
}

static guard_object topic_connector(const guard_world *w, const guard_object *o, size_t i)
{
    return (guard_object){.kind = GUARD_CONNECTOR, .is = w->of_topic[guard_topic_place(w, o->is)].list.v[i]};
}

static guard_object topic_object(const est_topic *t)
{
    return (guard_object){.kind = GUARD_TOPIC, .is = t};
}

static size_t kek_topics(const guard_world *w, const guard_object *o)
{
    return w->of_kek[guard_kek_place(w, o->is)].list.n;
}

static guard_object kek_topic(const guard_world *w, const guard_object *o, size_t i)
{
    return topic_object(w->of_kek[guard_kek_place(w, o->is)].list.v[i]);
}

static size_t connector_topics(const guard_world *w, const guard_object *o)
{
    return ((const est_connector *)o->is)->topics.n;
}

static guard_object connector_topic(const guard_world *w, const guard_object *o, size_t i)
{
    return topic_object(((const est_connector *)o->is)->topics.v[i]);
}

static size_t principal_reads(const guard_world *w, const guard_object *o)
{
    return ((const guard_principal *)o->is)->reads.n;
}

static guard_object principal_read(const guard_world *w, const guard_object *o, size_t i)
{
    return topic_object(((const guard_principal *)o->is)->reads.v[i]);
}

static size_t principal_writes(const guard_world *w, const guard_object *o)
{
    return ((const guard_principal *)o->is)->writes.n;
}

static guard_object principal_write(const guard_world *w, const guard_object *o, size_t i)
{
    return topic_object(((const guard_principal *)o->is)->writes.v[i]);
}

static size_t principal_keks(const guard_world *w, const guard_object *o)
{
    return ((const guard_principal *)o->is)->keks.n;
}

static guard_object principal_kek(const guard_world *w, const guard_object *o, size_t i)
{
    return (guard_object){.kind = GUARD_KEK, .is = ((const guard_principal *)o->is)->keks.v[i]};
}

/* ---- the tables ---- */

const guard_list guard_in_a_topic[6] = {
    {"side", GUARD_SIDE, topic_sides, topic_side, NULL},
    {"field", GUARD_FIELD, topic_fields, topic_field, NULL},
    {"encryption", GUARD_ENCRYPTION, topic_encryptions, topic_encryption, NULL},
    {"reader", GUARD_PRINCIPAL, topic_readers, topic_reader, guard_make_principals},
    {"writer", GUARD_PRINCIPAL, topic_writers, topic_writer, guard_make_principals},
    {"connector", GUARD_CONNECTOR, topic_connectors, topic_connector, guard_make_connectors_of_topics},
};
const guard_list guard_in_a_side[2] = {
    {"field", GUARD_FIELD, side_fields, side_field, NULL},
    {"encryption", GUARD_ENCRYPTION, side_encryptions, side_encryption, NULL},
};
const guard_list guard_in_a_kek[1] = {
    {"topic", GUARD_TOPIC, kek_topics, kek_topic, guard_make_topics_of_keks},
};
const guard_list guard_in_a_connector[1] = {
    {"topic", GUARD_TOPIC, connector_topics, connector_topic, NULL},
};
const guard_list guard_in_a_principal[3] = {
    {"reads", GUARD_TOPIC, principal_reads, principal_read, NULL},
    {"writes", GUARD_TOPIC, principal_writes, principal_write, NULL},
    {"kek", GUARD_KEK, principal_keks, principal_kek, NULL},
};
