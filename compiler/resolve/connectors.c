/* connectors.c: connectors, as they are written. */
#include <string.h>

#include "compiler/catalog/catalog.h"
#include "compiler/resolve/resolve.h"

void res_unknown_type(res *r, est_text type)
{
    size_t n;
    const cat_connector *all = cat_connectors(&n);
    const char **names = FL_NEW_N(r->a, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = all[i].id;
    size_t before = r->diags->list.n;
    res_unknown(r, type.at, "type of connector", type.s, names, n);
    fl_diag *d = r->diags->list.v[before];
    if (!d->help)
        fl_diag_help(r->diags, d, "`flec catalog` lists them");
}

static void type(res *r, est_connector *c, const lang_stmt *s)
{
    c->type = res_slot(r, s, "type");
    c->version = res_slot(r, s, "version");
    c->catalog = c->type.s ? cat_find(c->type.s) : NULL;
    if (!c->catalog && c->type.s)
        res_unknown_type(r, c->type);
}

static void topics(res *r, est_connector *c, const lang_list *list)
{
    RES_SET(c->topic_names, res_list(r, list, res_text_of));
    for (size_t i = 0; i < c->topic_names.n; i++) {
        const est_topic *topic = est_find_topic(r->e, c->topic_names.v[i].s);
        if (topic)
            FL_PUSH(r->a, &c->topics, topic);
    }
}

static void refresh(est_connector *c, const lang_block *b)
{
    c->refresh_key = c->refresh_value = -1;
    for (size_t i = 0; i < b->n; i++) {
        if (!lang_is(b->stmts[i], "connector.refresh"))
            continue;
        const lang_value *side = lang_get1(b->stmts[i], "side");
        int seconds = res_int(b->stmts[i], "seconds");
        if (!side || !strcmp(side->name.text, "key"))
            c->refresh_key = seconds;
        if (!side || !strcmp(side->name.text, "value"))
            c->refresh_value = seconds;
    }
}

static void principal(res *r, est_connector *c, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "connector.principal");
    if (!s)
        return;
    c->principal = res_principal(r, lang_get1(s, "principal"));
    if (!c->principal.s) /* reported; it is not missing */
        c->principal.s = "";
}

static void tasks(res *r, est_connector *c, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "connector.tasks");
    c->tasks = s ? res_int(s, "tasks") : 1;
    c->tasks_at = s ? lang_get1(s, "tasks")->span : c->at;
    if (c->tasks < 1)
        res_error(r, "syntax", c->tasks_at, "a connector has at least one task");
}

static void reports(res *r, est_connector *c, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "connector.reports");
    if (!s)
        return;
    c->reports_stated = true;
    c->reports_off = lang_has(s, "off");
    c->reports_success = res_slot(r, s, "success");
    c->reports_errors = res_slot(r, s, "errors");
}

static est_connector *one(res *r, const res_decl *d)
{
    est_connector *c = FL_NEW(r->a, est_connector);
    const lang_block *b = d->stmt->block;
    c->name = d->name;
    c->at = res_at(d->stmt);
    type(r, c, d->stmt);
    topics(r, c, lang_get(lang_find(b, "connector.topics"), "topics"));
    principal(r, c, b);
    refresh(c, b);
    tasks(r, c, b);
    c->worker = res_stated(r, b, "connector.worker", "worker");
    c->dead_letters = res_stated(r, b, "connector.dead-letters", "topic");
    reports(r, c, b);
    RES_SET(c->config, res_properties(r, res_block(b, "connector.config")));
    return c;
}

void res_connectors(res *r)
{
    for (size_t i = 0; i < r->kinds[RES_CONNECTOR].n; i++)
        FL_PUSH(r->a, &r->e->connectors, one(r, &r->kinds[RES_CONNECTOR].v[i]));
}
