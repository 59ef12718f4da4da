/* rules.c: the rules that a side passes through as they are: defaults, order. What the registry or its clients would
 * make of them is judged by compiler/check/rules.c. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

static est_phase phase_of(const char *word)
{
    return !strcmp(word, "domain") ? EST_DOMAIN : !strcmp(word, "encoding") ? EST_ENCODING : EST_MIGRATION;
}

/* What is not stated is written out, at the place of the rule. */
static est_text stated_or(res *r, const lang_block *b, const char *form, const char *slot, est_text fallback)
{
    est_text t = res_stated(r, b, form, slot);
    return t.s ? t : fallback;
}

/* One action, or one for writing and one for reading, as the registry has them: joined by a comma. */
static est_text actions(res *r, const lang_block *b, const char *form)
{
    const lang_stmt *s = lang_find(b, form);
    const lang_list *list = s ? lang_get(s, "actions") : NULL;
    est_text all = {0};
    for (size_t i = 0; list && i < list->n; i++) {
        est_text t = res_text_of(r, &list->items[i]);
        if (t.s)
            all = (est_text){all.s ? fl_printf(r->a, "%s,%s", all.s, t.s) : t.s, list->span};
    }
    return all;
}

static void tags(res *r, est_rule *x, const lang_block *b)
{
    const lang_stmt *s = lang_find(b, "rule.tags");
    RES_SET(x->tags, res_list(r, s ? lang_get(s, "tags") : NULL, res_text_of));
    if (x->tags.n)
        qsort(x->tags.v, x->tags.n, sizeof *x->tags.v, res_by_text);
}

static est_rule one(res *r, const lang_stmt *s)
{
    const lang_block *b = s->block;
    const lang_stmt *order = lang_find(b, "rule.order");
    est_rule x = {.at = res_at(s), .name = res_slot(r, s, "name"), .type = res_stated(r, b, "rule.type", "type")};
    est_text phase = res_stated(r, b, "rule.phase", "phase");
    x.phase = phase_of(phase.s ? phase.s : "");
    x.kind = stated_or(r, b, "rule.kind", "kind", (est_text){"TRANSFORM", x.at});
    x.mode =
        stated_or(r, b, "rule.mode", "mode", (est_text){x.phase == EST_MIGRATION ? "UPDOWN" : "WRITEREAD", phase.at});
    tags(r, &x, b);
    x.expr = res_stated(r, b, "rule.expr", "expr");
    x.on_success = actions(r, b, "rule.on-success");
    x.on_failure = actions(r, b, "rule.on-failure");
    if (!x.on_failure.s)
        x.on_failure = (est_text){"ERROR", x.at};
    RES_SET(x.params, res_properties(r, res_block(b, "rule.params")));
    x.order = order ? res_int(order, "order") : 0;
    x.disabled = lang_find(b, "rule.disabled") != NULL;
    x.doc = res_stated(r, b, "rule.doc", "doc");
    return x;
}

static int by_order(const void *a, const void *b)
{
    const est_rule *x = a, *y = b;
    if (x->phase != y->phase)
        return x->phase < y->phase ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    int names = strcmp(x->name.s, y->name.s);
    return names ? names : x->at.from < y->at.from ? -1 : x->at.from > y->at.from;
}

void res_rules(res *r, est_side *s, const lang_block *b)
{
    for (size_t i = 0; b && i < b->n; i++) {
        if (!lang_is(b->stmts[i], "side.rule"))
            continue;
        est_rule x = one(r, b->stmts[i]);
        if (x.name.s && x.type.s) /* else a variable is unknown (reported) */
            FL_PUSH(r->a, &s->rules, x);
    }
    if (s->rules.n)
        qsort(s->rules.v, s->rules.n, sizeof *s->rules.v, by_order);
}
