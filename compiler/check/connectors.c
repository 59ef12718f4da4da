/* connectors.c: checks on a connector as a whole: version, support, principal, topics, reports. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* Calls a function for every connector whose type is known. */
#define EACH_CONNECTOR(e, c)                                                                                           \
    for (size_t i_ = 0; i_ < (e)->connectors.n; i_++)                                                                  \
        for (const est_connector *c = (e)->connectors.v[i_]; c && c->catalog; c = NULL)

/* ---- version and support ---- */

static bool platform_8(const est_estate *e)
{
    fl_version w;
    return e->has_platform && e->platform.workers.s && fl_version_parse(e->platform.workers.s, &w) && w.part[0] >= 8;
}

static bool below(const char *version, const char *floor)
{
    fl_version v, f;
    return !fl_version_parse(version, &v) || !fl_version_parse(floor, &f) || fl_version_cmp(&v, &f) < 0;
}

void chk_connector_version(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    EACH_CONNECTOR(e, c)
    {
        const char *floor = c->catalog->min_version, *floor8 = c->catalog->min_version_cp8;
        fl_diag *d = NULL;
        if (!c->catalog->csfle || !c->version.s || !floor)
            continue;
        if (below(c->version.s, floor)) {
            d = chk_report(row, diags, c->version.at, "%s %s knows no field level encryption: it came with %s",
                           c->type.s, c->version.s, floor);
        } else if (platform_8(e) && floor8 && below(c->version.s, floor8)) {
            d = chk_report(row, diags, c->version.at,
                           "%s %s is not supported on workers of Platform %s: %s is the first that is", c->type.s,
                           c->version.s, e->platform.workers.s, floor8);
            floor = floor8;
        }
        if (d)
            fl_diag_help(diags, d, "install at least %s and write that version here",
                         platform_8(e) && floor8 && below(floor, floor8) ? floor8 : floor);
    }
}

void chk_not_csfle_connector(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    EACH_CONNECTOR(e, c)
    {
        if (c->catalog->csfle)
            continue;
        fl_diag *d =
            chk_report(row, diags, c->type.at, "%s (%s) has no field level encryption", c->type.s, c->catalog->name);
        size_t n;
        const cat_connector *all = cat_connectors(&n);
        for (size_t i = 0; i < n; i++)
            if (all[i].csfle && !strcmp(all[i].cls, c->catalog->cls))
                fl_diag_help(diags, d, "write `%s %s` or later", all[i].id, all[i].min_version);
    }
}

void chk_no_principal(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        if (c->principal.s)
            continue;
        fl_diag *d = chk_report(row, diags, c->at,
                                "connector %s has no principal, so nobody is granted its topics and keys", c->name.s);
        fl_diag_help(diags, d, "write `principal User:NAME`, the owner of the API key the connector uses");
    }
}

/* ---- topics ---- */

static const char *nearest_topic(const est_estate *e, const char *name)
{
    const char **names = FL_NEW_N(e->arena, const char *, e->topics.n + 1);
    for (size_t i = 0; i < e->topics.n; i++)
        names[i] = e->topics.v[i]->name.s;
    return fl_nearest(name, names, e->topics.n);
}

static void want_topic(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c,
                       const est_text *topic, const char *does)
{
    if (!topic->s || est_find_topic(e, topic->s))
        return;
    fl_diag *d = chk_report(row, diags, topic->at, "connector %s %s topic %s, which no policy states", c->name.s, does,
                            topic->s);
    const char *near = nearest_topic(e, topic->s);
    if (near)
        fl_diag_help(diags, d, "did you mean `%s`?", near);
    else
        fl_diag_help(diags, d, "write a `topic %s { … }` that says which of its fields are encrypted", topic->s);
}

void chk_undefined_topic(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        const est_connector *c = e->connectors.v[i];
        const char *does = est_is_source(c) ? "writes" : est_is_sink(c) ? "reads" : "uses";
        for (size_t j = 0; j < c->topic_names.n; j++)
            want_topic(row, e, diags, c, &c->topic_names.v[j], does);
        want_topic(row, e, diags, c, &c->reports_success, "reports to");
        want_topic(row, e, diags, c, &c->reports_errors, "reports to");
    }
}

/* ---- reports: the reporter is outside CSFLE, and its topics are on unless they are written empty ---- */

static void report_topic(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c,
                         const est_text *topic)
{
    const est_topic *t = topic->s ? est_find_topic(e, topic->s) : NULL;
    if (!t)
        return;
    fl_diag *d;
    if (!est_is_clear(&t->value)) {
        d = chk_report(row, diags, topic->at, "reports of %s are not encrypted, but topic %s is not declared clear",
                       c->name.s, topic->s);
        fl_diag_relate(diags, d, t->at, "topic %s", topic->s);
        fl_diag_help(diags, d, "give the reports a topic of their own with `value string` and `clear because \"…\"`");
        return;
    }
    d = chk_report(row, diags, topic->at, "reports of %s carry the values of its records in clear to topic %s",
                   c->name.s, topic->s);
    fl_diag_help(diags, d, "write `reports off`");
    chk_about_connector(d, c, NULL);
}

void chk_reporter_in_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    EACH_CONNECTOR(e, c)
    {
        if (!c->catalog->uses_reporter || c->reports_off)
            continue;
        if (!c->reports_stated) {
            fl_diag *d = chk_report(row, diags, c->at,
                                    "connector %s says nothing about reports, and %s writes them in clear to "
                                    "%s-success and %s-error by default",
                                    c->name.s, c->type.s, c->name.s, c->name.s);
            fl_diag_help(diags, d, "write `reports off`");
            continue;
        }
        report_topic(row, e, diags, c, &c->reports_success);
        report_topic(row, e, diags, c, &c->reports_errors);
    }
}
