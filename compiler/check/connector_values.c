/* connector_values.c: what property-value says of a connector's own statements: they become properties as well. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"

/* ---- one converter a side: its topics agree ---- */

static void sides_agree(const chk_row *row, fl_diags *diags, const est_connector *c, bool key)
{
    const est_side *first = key ? &c->topics.v[0]->key : &c->topics.v[0]->value;
    for (size_t i = 1; i < c->topics.n; i++) {
        const est_topic *t = c->topics.v[i];
        const est_side *s = key ? &t->key : &t->value;
        bool format = s->format != first->format;
        if (!format && s->strategy == first->strategy)
            continue;
        fl_diag *d =
            format ? chk_report(row, diags, c->topic_names.v[0].at,
                                "connector %s has one %s.converter, but its topics differ: %s in %s, %s in %s",
                                c->name.s, est_side_name(s), est_format_name(first->format), first->topic->name.s,
                                est_format_name(s->format), t->name.s)
                   : chk_report(
                         row, diags, c->topic_names.v[0].at,
                         "connector %s has one subject name strategy a side, but its topics differ in that of the %s",
                         c->name.s, est_side_name(s));
        fl_diag_relate(diags, d, first->at.src ? first->at : first->topic->at, "here");
        fl_diag_relate(diags, d, s->at.src ? s->at : t->at, "and here");
        fl_diag_help(diags, d, "write two connectors");
    }
}

/* ---- formats that the type takes ---- */

static bool takes(const cat_connector *k, est_format f)
{
    for (size_t i = 0; i < k->nconverters; i++)
        if (!strcmp(k->converters[i], est_format_name(f)))
            return true;
    return false;
}

static const char *formats(fl_arena *a, const cat_connector *k)
{
    const char *all = "";
    for (size_t i = 0; i < k->nconverters; i++)
        all = fl_printf(a, "%s%s%s", all, i ? ", " : "", k->converters[i]);
    return all;
}

/* Of values alone: a key is often a text or a number, and goes through any converter. */
static void formats_fit(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c)
{
    for (size_t i = 0; i < c->topics.n; i++) {
        const est_side *s = &c->topics.v[i]->value;
        if (takes(c->catalog, s->format))
            continue;
        fl_diag *d = chk_report(row, diags, c->topic_names.v[0].at, "%s takes no values that are %s, as those of %s",
                                c->type.s, est_format_name(s->format), c->topics.v[i]->name.s);
        fl_diag_relate(diags, d, s->at, "%s here", est_format_name(s->format));
        fl_diag_help(diags, d, "it takes %s", formats(e->arena, c->catalog));
        chk_about_connector(d, c, NULL);
    }
}

/* ---- topics.regex: what it matches is what `topics` lists ---- */

static int matches(const pcre2_code *code, pcre2_match_data *data, pcre2_match_context *mc, const char *topic)
{
    int rc = pcre2_match(code, (PCRE2_SPTR)topic, strlen(topic), 0, 0, data, mc);
    return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

static bool lists_topic(const est_connector *c, const char *name)
{
    for (size_t i = 0; i < c->topic_names.n; i++)
        if (!strcmp(c->topic_names.v[i].s, name))
            return true;
    return false;
}

static void regex_topics(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c,
                         const est_prop *p, const pcre2_code *code)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *mc = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(mc, 100000);
    pcre2_set_depth_limit(mc, 1000);
    for (size_t i = 0; i < c->topic_names.n; i++)
        if (matches(code, data, mc, c->topic_names.v[i].s) != 1)
            fl_diag_relate(
                diags,
                chk_report(row, diags, p->value_at, "topics.regex does not match topic %s", c->topic_names.v[i].s),
                c->topic_names.v[i].at, "listed here");
    for (size_t i = 0; i < e->topics.n; i++)
        if (!lists_topic(c, e->topics.v[i]->name.s) && matches(code, data, mc, e->topics.v[i]->name.s))
            fl_diag_relate(diags,
                           chk_report(row, diags, p->value_at,
                                      "topics.regex matches topic %s too, which `topics` does not list",
                                      e->topics.v[i]->name.s),
                           e->topics.v[i]->at, "this one");
    if (c->dead_letters.s && matches(code, data, mc, c->dead_letters.s))
        chk_report(row, diags, p->value_at, "topics.regex matches the connector's own dead letters, %s",
                   c->dead_letters.s);
    pcre2_match_context_free(mc);
    pcre2_match_data_free(data);
}

static void regex_agrees(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c)
{
    const est_prop *p = chk_config(c, "topics.regex");
    int error;
    PCRE2_SIZE offset;
    if (!p || !est_is_sink(c) || p->is_secret_ref || chk_has_reference(p->value))
        return;
    /* Kafka asks java.util.regex for a match of the whole name */
    const char *whole = fl_printf(e->arena, "\\A(?:%s)\\z", p->value);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)whole, strlen(whole), PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR text[160];
        pcre2_get_error_message(error, text, sizeof text);
        chk_report(row, diags, p->value_at, "topics.regex is no regular expression: %s", (const char *)text);
        return;
    }
    regex_topics(row, e, diags, c, p, code);
    pcre2_code_free(code);
}

/* ---- the rest ---- */

static void dead_letters(const chk_row *row, fl_diags *diags, const est_connector *c)
{
    if (!c->dead_letters.s)
        return;
    if (!c->catalog->sink) {
        fl_diag *d = chk_report(row, diags, c->dead_letters.at,
                                "connector %s is a source, and only sinks have dead letters", c->name.s);
        fl_diag_help(diags, d, "take the line out");
    } else if (lists_topic(c, c->dead_letters.s)) {
        chk_report(row, diags, c->dead_letters.at, "connector %s would read its own dead letters", c->name.s);
    }
}

/* The role binding names the consumer group, so the name must be known here. */
static void own_group(const chk_row *row, fl_diags *diags, const est_connector *c)
{
    const est_prop *p = chk_config(c, "consumer.override.group.id");
    if (!p || !chk_has_reference(p->value))
        return;
    fl_diag *d = chk_report(row, diags, p->value_at,
                            "the consumer group of connector %s is known to the worker alone: no role binding could "
                            "name it",
                            c->name.s);
    fl_diag_help(diags, d, "write the group's name, or leave the line out: then it is connect-%s", c->name.s);
}

void chk_connector_values(const chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c)
{
    const cat_connector *k = c->catalog;
    if (c->topics.n) {
        sides_agree(row, diags, c, true);
        sides_agree(row, diags, c, false);
    }
    formats_fit(row, e, diags, c);
    regex_agrees(row, e, diags, c);
    dead_letters(row, diags, c);
    own_group(row, diags, c);
    if (k->tasks_limit && c->tasks > k->tasks_limit) {
        fl_diag *d = chk_report(row, diags, c->tasks_at.src ? c->tasks_at : c->at, "%s runs %d task%s at most, not %d",
                                c->type.s, k->tasks_limit, k->tasks_limit == 1 ? "" : "s", c->tasks);
        fl_diag_help(diags, d, "write `tasks %d`, or leave it out", k->tasks_limit);
    }
    if (c->reports_stated && !k->uses_reporter)
        fl_diag_help(diags, chk_report(row, diags, c->at, "%s has no reporter", c->type.s),
                     "take `reports` out of connector %s", c->name.s);
}
