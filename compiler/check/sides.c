/* sides.c: is it said of every side of every topic whether it is encrypted or in clear? */
#include <string.h>

#include "compiler/catalog/catalog.h"
#include "compiler/check/check.h"

/* ---- topic-undecided ---- */

static void undecided(const chk_row *row, fl_diags *diags, const est_side *s)
{
    fl_diag *d =
        chk_report(row, diags, s->at, "the %s of %s has a schema, and nothing says whether it is encrypted or in clear",
                   est_side_name(s), s->topic->name.s);
    fl_diag_help(diags, d, "write `encrypt TAG with KEK`, or `clear because \"…\"` with the reason, into the %s block",
                 est_side_name(s));
}

static void both(const chk_row *row, fl_diags *diags, const est_side *s)
{
    fl_diag *d =
        chk_report(row, diags, s->encrypts.v[0].at, "the %s of %s is encrypted here and declared clear as well",
                   est_side_name(s), s->topic->name.s);
    fl_diag_relate(diags, d, s->clear.s ? s->clear.at : s->topic->clear.at, "declared clear here");
    fl_diag_help(diags, d, "take one of the two out; `is clear` on a field line leaves a single field in clear");
}

static void plain_value(const chk_row *row, fl_diags *diags, const est_side *s)
{
    fl_diag *d = chk_report(row, diags, s->at, "the value of %s has no schema, so it cannot be encrypted by field",
                            s->topic->name.s);
    fl_diag_help(diags, d, "write `clear because \"…\"` into the topic if that is right, or give it a schema");
}

static void encrypted_primitive(const chk_row *row, fl_diags *diags, const est_side *s)
{
    fl_diag *d = chk_report(row, diags, s->encrypts.v[0].at, "the %s of %s has no schema, so %s", est_side_name(s),
                            s->topic->name.s,
                            s->payload ? "it has no subject that could hold the rule" : "no field carries a tag");
    fl_diag_help(diags, d, "give the %s a schema, as `avro \"…\"`", est_side_name(s));
}

static void decide(const chk_row *row, fl_diags *diags, const est_side *s)
{
    bool clear = est_is_clear(s);
    if (!est_has_schema(s)) {
        if (s->encrypts.n)
            encrypted_primitive(row, diags, s);
        else if (!s->is_key && !clear)
            plain_value(row, diags, s);
    } else if (s->encrypts.n && clear) {
        both(row, diags, s);
    } else if (!s->encrypts.n && !clear) {
        undecided(row, diags, s);
    }
}

/* A topic that says nothing of its key has `key string`. Where a source makes its keys out of records, that would write
 * their text (`Struct{email=…}`) in clear, and nobody decided so. */
static void keys_of_source(const chk_row *row, fl_diags *diags, const est_connector *c)
{
    for (size_t i = 0; i < c->topics.n; i++) {
        const est_topic *t = c->topics.v[i];
        if (t->key.stated)
            continue;
        fl_diag *d =
            chk_report(row, diags, t->at,
                       "nothing says what the key of %s is, and connector %s makes records of it: as a text it "
                       "would be in clear",
                       t->name.s, c->name.s);
        fl_diag_relate(diags, d, c->at, "writes it");
        fl_diag_help(diags, d,
                     "write `key avro \"…\"` with its schema and `encrypt` or `clear`; `key string` if its text is "
                     "meant, or a transformation makes one value of it");
        chk_about_topic(d, t);
    }
}

void chk_topic_undecided(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++)
        if (est_is_source(e->connectors.v[i]) && e->connectors.v[i]->catalog->record_keys)
            keys_of_source(row, diags, e->connectors.v[i]);
    for (size_t i = 0; i < e->topics.n; i++) {
        decide(row, diags, &e->topics.v[i]->key);
        decide(row, diags, &e->topics.v[i]->value);
    }
}

/* ---- clear-expired ---- */

static void expired(const chk_row *row, const est_estate *e, fl_diags *diags, const est_text *until, const char *what,
                    const char *topic)
{
    int64_t day;
    if (!until->s || !fl_date_parse(until->s, &day) || day >= e->today)
        return;
    fl_diag *d = chk_report(row, diags, until->at, "%s%s was to be in clear until %s, and that day is past", what,
                            topic, until->s);
    fl_diag_help(diags, d, "encrypt it now, or decide again and write a later day");
}

void chk_clear_expired(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        expired(row, e, diags, &t->clear_until, "topic ", t->name.s);
        expired(row, e, diags, &t->key.clear_until, "the key of ", t->name.s);
        expired(row, e, diags, &t->value.clear_until, "the value of ", t->name.s);
    }
}

/* ---- tags-by-name ---- */

/* Topics to a source connector that writes them, the first by name. */
static fl_map *writing_sources(const est_estate *e)
{
    fl_map *by_topic = fl_map_new();
    for (size_t i = e->connectors.n; i-- > 0;)
        for (size_t k = 0; est_is_source(e->connectors.v[i]) && k < e->connectors.v[i]->topics.n; k++)
            fl_map_put(by_topic, e->connectors.v[i]->topics.v[k]->name.s, e->connectors.v[i]);
    return by_topic;
}

/* Keys of Avro and Protobuf hold the record's name; those of JSON Schema the path alone, but the names that a client
 * gives to elements of arrays have changed with its versions (docs/wire.md 6). */
static const char *by_name_because(const est_side *s)
{
    return s->format == EST_JSON ? "where it names the way to a field otherwise than the keys do"
                                 : "where it derives another record name";
}

static void by_name(const chk_row *row, fl_diags *diags, const est_side *s, const est_connector *c)
{
    if (!chk_by_tags(s) || s->tags_inline || !est_has_schema(s))
        return;
    fl_diag *d = chk_report(row, diags, s->tags_in_at,
                            "the tags of %s stand in metadata alone, and the connector %s writes it: %s, the fields "
                            "are left in clear",
                            s->topic->name.s, c->name.s, by_name_because(s));
    fl_diag_relate(diags, d, c->at, "the connector that writes it");
    fl_diag_help(diags, d, "write `tags-in both`, or leave the line out");
}

void chk_tags_by_name(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    fl_map *sources = writing_sources(e);
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        const est_connector *c = fl_map_get(sources, t->name.s);
        if (!c)
            continue;
        by_name(row, diags, &t->key, c);
        by_name(row, diags, &t->value, c);
    }
    fl_map_free(sources);
}
