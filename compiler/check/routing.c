/* routing.c: where the records of a source really go: topics that its configuration and transformations produce, and
 * side topics. A topic decides the subject, and so schema, rules and data keys. */
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/routes.h"

typedef struct judge {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_connector *c;
    chk_routes routes;
} judge;

static void each_source(const chk_row *row, const est_estate *e, fl_diags *diags, void (*fn)(judge *j))
{
    for (size_t i = 0; i < e->connectors.n; i++) {
        judge j = {.row = row, .e = e, .diags = diags, .c = e->connectors.v[i]};
        if (!j.c->catalog || !j.c->catalog->csfle || !est_is_source(j.c))
            continue;
        chk_source_routes(e, j.c, &j.routes);
        fn(&j);
    }
}

static const est_text *declared(const est_connector *c, const char *topic)
{
    for (size_t i = 0; i < c->topic_names.n; i++)
        if (!strcmp(c->topic_names.v[i].s, topic))
            return &c->topic_names.v[i];
    return NULL;
}

/* ---- topic-mismatch ---- */

static const chk_route *produced(const chk_routes *r, const char *topic)
{
    for (size_t i = 0; i < r->list.n; i++)
        if (!strcmp(r->list.v[i].topic, topic))
            return &r->list.v[i];
    return NULL;
}

static void not_declared(judge *j, const chk_route *to)
{
    fl_diag *d =
        chk_report(j->row, j->diags, to->at, "connector %s writes to topic %s, which its `topics` does not list",
                   j->c->name.s, to->topic);
    fl_diag_label(j->diags, d, "%s, and what `transforms` makes of it", to->because);
    if (j->c->topic_names.n)
        fl_diag_relate(j->diags, d, j->c->topic_names.v[0].at, "listed here");
    fl_diag_help(j->diags, d, "correct the one or the other: records of %s would find no subject, or one without rules",
                 to->topic);
    chk_about_connector(d, j->c, NULL);
}

static void not_produced(judge *j, const est_text *topic)
{
    fl_diag *d =
        chk_report(j->row, j->diags, topic->at, "connector %s does not write to topic %s", j->c->name.s, topic->s);
    for (size_t i = 0; i < j->routes.list.n && i < 3; i++)
        fl_diag_relate(j->diags, d, j->routes.list.v[i].at, "it writes to %s", j->routes.list.v[i].topic);
    fl_diag_help(j->diags, d,
                 "correct the one or the other: the rules of %s would protect nothing that this connector "
                 "writes",
                 topic->s);
    chk_about_connector(d, j->c, NULL);
}

static void mismatch(judge *j)
{
    for (size_t i = 0; i < j->routes.list.n; i++) {
        const chk_route *to = &j->routes.list.v[i];
        if (!to->side && !declared(j->c, to->topic))
            not_declared(j, to);
    }
    for (size_t i = 0; !j->routes.unknown && i < j->c->topic_names.n; i++)
        if (!produced(&j->routes, j->c->topic_names.v[i].s))
            not_produced(j, &j->c->topic_names.v[i]);
}

void chk_topic_mismatch(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_source(row, e, diags, mismatch);
}

/* ---- side-topic-undefined ---- */

static void side_topics(judge *j)
{
    for (size_t i = 0; i < j->routes.list.n; i++) {
        const chk_route *to = &j->routes.list.v[i];
        if (!to->side || declared(j->c, to->topic)) /* listed and not stated: undefined-topic */
            continue;
        fl_diag *d =
            chk_report(j->row, j->diags, to->at, "connector %s writes %s to topic %s, which its `topics` does not list",
                       j->c->name.s, to->side, to->topic);
        fl_diag_help(j->diags, d,
                     "the same converters write it, without auto-registration: list it in `topics` and write a `topic "
                     "%s` with a schema, `clear` and why; or switch %s off",
                     to->topic, to->because);
        chk_about_connector(d, j->c, to->because);
    }
}

void chk_side_topic_undefined(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_source(row, e, diags, side_topics);
}
