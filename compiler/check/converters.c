/* converters.c: classes that `platform { converters }` puts in the place of the vendor's. Rules are run by the vendor's
 * serializers inside its own converters; another class writes encrypted fields as they are, and no property says so.
 * Parts of generated-property (classes known to run no rules) and of client-may-leave-clear (classes nobody knows). */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* Names, or their beginnings, of converters that run no rules: Kafka's own (docs/connect-emulation.md), those of other
 * registries, and those that only copy bytes. */
static const char *const without_rules[] = {
    "org.apache.kafka.connect.",       "io.debezium.converters.",
    "io.apicurio.registry.",           "com.amazonaws.services.schemaregistry.",
    "com.blueapron.connect.protobuf.", "io.confluent.connect.replicator.",
};

/* A worker knows a class by the last part of its name as well, with and without `Converter`. */
static const char *const short_names[] = {"Json", "String", "ByteArray", "ByteBuffer", "Short",      "Integer",
                                          "Long", "Float",  "Double",    "Boolean",    "CloudEvents"};

static bool is_short_name(const char *cls)
{
    size_t n = strlen(cls);
    if (n > 9 && !strcmp(cls + n - 9, "Converter"))
        n -= 9;
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (strlen(short_names[i]) == n && !strncmp(short_names[i], cls, n))
            return true;
    return false;
}

static bool runs_no_rules(est_format format, const char *cls)
{
    static const est_format with_schema[] = {EST_AVRO, EST_JSON, EST_PROTOBUF};
    for (size_t i = 0; i < sizeof without_rules / sizeof *without_rules; i++)
        if (!strncmp(cls, without_rules[i], strlen(without_rules[i])))
            return true;
    for (size_t i = 0; i < 3; i++) /* the vendor's, of another format */
        if (with_schema[i] != format && !strcmp(cls, cat_converter_class(est_format_name(with_schema[i]))))
            return true;
    return is_short_name(cls);
}

/* The first encrypted side of the format that a connector reads or writes; NULL. */
static const est_side *first_use(const est_estate *e, est_format format, const est_connector **by)
{
    for (size_t i = 0; i < e->connectors.n; i++)
        for (size_t k = 0; k < e->connectors.v[i]->topics.n; k++) {
            const est_topic *t = e->connectors.v[i]->topics.v[k];
            const est_side *sides[] = {&t->value, &t->key};
            *by = e->connectors.v[i];
            for (size_t n = 0; n < 2; n++)
                if (sides[n]->format == format && sides[n]->encrypts.n)
                    return sides[n];
        }
    return NULL;
}

typedef void report(const chk_row *row, fl_diags *diags, const est_text *cls, const est_side *s,
                    const est_connector *by);

static void each_class(const chk_row *row, const est_estate *e, fl_diags *diags, bool known, report *fn)
{
    static const est_format formats[] = {EST_AVRO, EST_JSON, EST_PROTOBUF};
    for (size_t i = 0; e->has_platform && i < sizeof formats / sizeof *formats; i++) {
        const est_text *cls = &e->platform.converter[formats[i]];
        const est_connector *by;
        if (!cls->s || !strcmp(cls->s, cat_converter_class(est_format_name(formats[i]))) ||
            runs_no_rules(formats[i], cls->s) != known)
            continue;
        const est_side *s = first_use(e, formats[i], &by);
        if (s)
            fn(row, diags, cls, s, by);
    }
}

static void undoes(const chk_row *row, fl_diags *diags, const est_text *cls, const est_side *s, const est_connector *by)
{
    fl_diag *d = chk_report(row, diags, cls->at,
                            "%s runs no rules of %s: connector %s would write or read the encrypted fields of %s as "
                            "they are",
                            cls->s, est_format_name(s->format), by->name.s, s->topic->name.s);
    fl_diag_relate(diags, d, s->encrypts.v[0].at, "encrypted here");
    fl_diag_help(diags, d, "take the line out: the vendor's class is %s",
                 cat_converter_class(est_format_name(s->format)));
}

void chk_converters_without_rules(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_class(row, e, diags, true, undoes);
}

static void may_undo(const chk_row *row, fl_diags *diags, const est_text *cls, const est_side *s,
                     const est_connector *by)
{
    fl_diag *d = chk_report(row, diags, cls->at,
                            "%s is not the vendor's converter of %s: whether it runs rules was never measured, and "
                            "connector %s hands it the encrypted fields of %s",
                            cls->s, est_format_name(s->format), by->name.s, s->topic->name.s);
    fl_diag_relate(diags, d, s->encrypts.v[0].at, "encrypted here");
    fl_diag_help(diags, d,
                 "take the line out; if it is the vendor's under another name, look at a record on the topic and write "
                 "`allow client-may-leave-clear on platform because \"…\" until DATE`");
    chk_about_platform(d);
}

void chk_unknown_converters(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_class(row, e, diags, false, may_undo);
}
