/* leaks.c: ways past the ciphertext: logs, headers, names of objects, targets. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

static bool handles_ciphertext(const est_connector *c)
{
    for (size_t i = 0; i < c->topics.n; i++)
        if (c->topics.v[i]->key.encrypts.n || c->topics.v[i]->value.encrypts.n)
            return true;
    return false;
}

/* ---- error-log-in-clear ---- */

/* Properties that put values of records, or what opens them, where no rule reaches. */
static const struct {
    const char *property, *dangerous; /* values, by `|` */
    bool source, sink;
    const char *type; /* of connector; NULL: any */
    const char *what, *help;
} loud[] = {
    {"errors.log.include.messages", "true", true, false, NULL,
     "prints whole records into the worker's log, before they are encrypted",
     "write `errors.log.include.messages = false`"},
    {"errors.deadletterqueue.context.headers.enable", "true", false, true, NULL,
     "puts exception messages and stack traces into headers of dead letters, in clear and with values of records in "
     "them",
     "take it out: key and value of a dead letter stay as they were on the wire"},
    {"behavior.on.error", "ignore|log", true, false, "s3-source",
     "sends lines that cannot be parsed to topics named after parse.error.topic.prefix, in clear",
     "write `behavior.on.error = fail`"},
    {"event.processing.failure.handling.mode", "warn", true, false, "postgres-cdc-source",
     "prints events that cannot be read into the worker's log",
     "write `event.processing.failure.handling.mode = fail`"},
    {"curl.logging", "true", true, false, "salesforce-platform-event-source",
     "prints requests with their credentials into the worker's log", "take it out"},
};

static bool is_one_of(const char *values, const char *value)
{
    size_t n = strlen(value);
    for (const char *at = values; n && *at;) {
        size_t len = strcspn(at, "|");
        if (len == n && !strncasecmp(at, value, n))
            return true;
        at += len + (at[len] == '|');
    }
    return false;
}

static void one_loud(const chk_row *row, fl_diags *diags, const est_connector *c, size_t i)
{
    bool kind = (loud[i].source && est_is_source(c)) || (loud[i].sink && est_is_sink(c));
    if (!kind || (loud[i].type && strcmp(c->catalog->id, loud[i].type)))
        return;
    const est_prop *p = chk_config(c, loud[i].property);
    if (!p || (!chk_has_reference(p->value) && !is_one_of(loud[i].dangerous, p->value)))
        return;
    fl_diag *d = chk_report(row, diags, p->value_at, "connector %s: %s = %s %s", c->name.s, p->name.s,
                            chk_has_reference(p->value) ? "what only the worker knows may be a value that" : p->value,
                            loud[i].what);
    fl_diag_help(diags, d, "%s", loud[i].help);
    chk_about_connector(d, c, p->name.s);
}

void chk_error_log_in_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++)
        for (size_t k = 0;
             e->connectors.v[i]->catalog && handles_ciphertext(e->connectors.v[i]) && k < sizeof loud / sizeof *loud;
             k++)
            one_loud(row, diags, e->connectors.v[i], k);
}

/* ---- partitioned-by-encrypted-field ---- */

typedef struct partition {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
    const char *property;
} partition;

/* A field of a record, or a field with all that is below it. */
static bool names_leaf(const char *item, size_t n, const char *path)
{
    return !strncmp(item, path, n) && (!path[n] || path[n] == '.' || path[n] == '[');
}

/* The first leaf of the connector's values that is encrypted, below `item` (all: n 0). */
static const est_leaf *sealed_below(const est_connector *c, const char *item, size_t n, const est_side **side)
{
    for (size_t t = 0; t < c->topics.n; t++) {
        const est_side *s = *side = &c->topics.v[t]->value;
        for (size_t i = 0; i < s->leaves.n; i++)
            if ((s->leaves.v[i].encrypt || s->payload) && (!n || names_leaf(item, n, s->leaves.v[i].hit.path)))
                return &s->leaves.v[i];
    }
    return NULL;
}

static fl_diag *into_names(const partition *p, const est_side *s, const est_leaf *l, const char *what)
{
    fl_diag *d = chk_report(p->row, p->diags, chk_value_at(p->c, p->property),
                            "connector %s %s the plaintext of %s of topic %s into the names of its objects",
                            p->c->name.s, what, l->hit.path, s->topic->name.s);
    fl_diag_relate(p->diags, d, l->encrypt ? l->encrypt->at : s->at, "encrypted here");
    fl_diag_help(p->diags, d, "names of objects stand in listings, logs and bills: choose a field that is in clear");
    return chk_about_connector(d, p->c, p->property);
}

static void one_field(const char *item, size_t n, void *ctx)
{
    const partition *p = ctx;
    const est_side *s;
    const char *was = chk_name_before_renames(p->e, p->c, item, n);
    const est_leaf *l = sealed_below(p->c, was, strlen(was), &s);
    if (l)
        into_names(p, s, l, "writes");
}

/* What only the worker knows may be an encrypted field. */
static void fields_of(partition *p, const char *property)
{
    const est_side *s;
    const char *list = chk_value(p->c, p->property = property);
    const est_leaf *l = list ? NULL : sealed_below(p->c, "", 0, &s);
    if (list)
        chk_each_item(list, one_field, p);
    else if (l)
        into_names(p, s, l, "may write");
}

/* ExtractTopic: the name of the topic is part of the name of an object. */
static void topic_of(const char *alias, size_t n, void *ctx)
{
    partition *p = ctx;
    const char *type = chk_value(p->c, fl_printf(p->e->arena, "transforms.%.*s.type", (int)n, alias));
    const char *last = type ? strrchr(type, '.') : NULL;
    if (type && !strcmp(last ? last + 1 : type, "ExtractTopic$Value"))
        fields_of(p, fl_printf(p->e->arena, "transforms.%.*s.field", (int)n, alias));
}

/* The time of a record is taken from a field by RecordField, and by a class that nobody knows, perhaps. */
static bool takes_a_field(const char *extractor)
{
    static const char *const others[] = {"Wallclock", "Record"};
    const char *class = extractor ? strrchr(extractor, '$') : NULL;
    for (size_t i = 0; extractor && i < 2; i++) {
        size_t n = strlen(others[i]);
        if (!strcmp(extractor, others[i]) ||
            (class && !strncmp(class + 1, others[i], n) && !strcmp(class + 1 + n, "TimestampExtractor")))
            return false;
    }
    return true;
}

void chk_partitioned_by_encrypted_field(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        partition p = {row, e, diags, e->connectors.v[i], NULL};
        if (!p.c->catalog || strcmp(p.c->catalog->id, "s3-sink"))
            continue;
        const char *by = chk_value(p.c, "partitioner.class"), *transforms = chk_value(p.c, "transforms");
        bool time = !by || strcmp(by, "io.confluent.connect.storage.partitioner.DefaultPartitioner") != 0;
        if (!by || strstr(by, "FieldPartitioner"))
            fields_of(&p, "partition.field.name");
        else if (time && takes_a_field(chk_value(p.c, "timestamp.extractor")))
            fields_of(&p, "timestamp.field");
        if (transforms)
            chk_each_item(transforms, topic_of, &p);
    }
}

/* ---- read-failure-to-target ---- */

static void side_to_target(const chk_row *row, fl_diags *diags, const est_connector *c, const est_side *s)
{
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_encrypt *r = &s->encrypts.v[i];
        if (!r->read_failure_ciphertext && !r->write_only)
            continue;
        fl_diag *d =
            chk_report(row, diags, c->at, "connector %s %s ciphertext of the %s of %s to its target", c->name.s,
                       r->write_only ? "writes" : "could write", est_side_name(s), s->topic->name.s);
        fl_diag_relate(diags, d, r->at,
                       r->write_only ? "nobody decrypts what this line encrypts"
                                     : "without the key it gets ciphertext and goes on");
        fl_diag_help(diags, d, "%s, or say in a waiver that the target may hold ciphertext",
                     r->write_only ? "take out `mode WRITE`" : "write `read-failure error`, so that it stops instead");
        chk_about_connector(d, c, NULL);
        return;
    }
}

void chk_read_failure_to_target(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        for (size_t k = 0; est_is_sink(c) && k < c->topics.n; k++) {
            side_to_target(row, diags, c, &c->topics.v[k]->key);
            side_to_target(row, diags, c, &c->topics.v[k]->value);
        }
    }
}
