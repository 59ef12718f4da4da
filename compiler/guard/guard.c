/* guard.c: running guardrails over an estate, and which of them nothing reaches. */
#include "compiler/guard/guard.h"

#include "compiler/guard/model.h"

/* ---- one guardrail ---- */

typedef struct running {
    const guard_rule *rule;
    fl_diags *diags;
    guard_scope scope;
    est_guardrail *g;
} running;

static bool selected(running *r)
{
    for (size_t i = 0; i < r->rule->wheres.n; i++)
        if (guard_eval(&r->scope, r->rule->wheres.v[i].condition) == GUARD_NO)
            return false;
    return true;
}

static void judge(running *r, guard_object o)
{
    if (r->scope.steps >= GUARD_MAX_STEPS)
        return;
    r->scope.object[0] = o;
    r->scope.n = 1;
    if (!selected(r))
        return;
    r->g->reached = true;
    for (size_t i = 0; i < r->rule->requires.n; i++) {
        const guard_clause *c = &r->rule->requires.v[i];
        guard_truth t = guard_eval(&r->scope, c->condition);
        if (t != GUARD_YES && r->scope.steps < GUARD_MAX_STEPS)
            guard_report(r->rule, c, &r->scope, t, r->diags);
    }
}

/* Sides, fields and encryptions are found through the topics. */
static void judge_topic(running *r, const est_topic *t)
{
    guard_object topic = {.kind = GUARD_TOPIC, .is = t};
    if (r->rule->kind == GUARD_TOPIC) {
        judge(r, topic);
        return;
    }
    const guard_list *list = guard_find_list(GUARD_TOPIC, guard_kinds[r->rule->kind].name);
    size_t n = list->count(r->scope.w, &topic);
    for (size_t i = 0; i < n; i++)
        judge(r, list->at(r->scope.w, &topic, i));
}

static void judge_all(running *r)
{
    const guard_world *w = r->scope.w;
    const est_estate *e = w->e;
    switch (r->rule->kind) {
    case GUARD_KEK:
        for (size_t i = 0; i < e->keks.n; i++)
            judge(r, (guard_object){.kind = GUARD_KEK, .is = e->keks.v[i]});
        break;
    case GUARD_CONNECTOR:
        for (size_t i = 0; i < e->connectors.n; i++)
            judge(r, (guard_object){.kind = GUARD_CONNECTOR, .is = e->connectors.v[i]});
        break;
    case GUARD_PRINCIPAL:
        for (size_t i = 0; i < w->principals.n; i++)
            judge(r, (guard_object){.kind = GUARD_PRINCIPAL, .is = w->principals.v[i]});
        break;
    default:
        for (size_t i = 0; i < e->topics.n; i++)
            judge_topic(r, e->topics.v[i]);
    }
}

static void gave_up(const guard_rule *r, fl_diags *diags)
{
    fl_diag *d = fl_diag_add(diags, "guardrail", FL_ERROR, r->g->at,
                             "the guardrail \"%s\" looks at more than %d things and was given up", r->g->text.s,
                             GUARD_MAX_STEPS);
    fl_diag_help(diags, d,
                 "let it judge the things themselves (`every field …`) instead of going through lists of "
                 "lists for each object");
}

static void run_one(guard_world *w, est_guardrail *g, fl_diags *diags)
{
    guard_rule rule = {.g = g};
    const lang_block *b = g->stmt->block;
    const lang_stmt *every = lang_find(b, "guardrail.every"), *help = lang_find(b, "guardrail.help");
    const lang_name *kind = every ? &lang_get1(every, "kind")->name : NULL;
    if (!kind || !g->text.s || !guard_find_kind(kind->text, kind->len, &rule.kind))
        return;
    rule.help = help ? est_expand(w->e, &lang_get1(help, "help")->name) : NULL;
    if (guard_kinds[rule.kind].make)
        guard_kinds[rule.kind].make(w);
    if (guard_compile(w, &rule, diags)) {
        running r = {.rule = &rule, .diags = diags, .scope = {.w = w}, .g = g};
        judge_all(&r);
        if (r.scope.steps >= GUARD_MAX_STEPS)
            gave_up(&rule, diags);
    } else {
        g->reached = true; /* what it would reach is not known */
    }
    for (size_t i = 0; i < rule.patterns.n; i++)
        guard_pattern_free(rule.patterns.v[i]);
}

void guard_run(const est_estate *e, fl_diags *diags)
{
    guard_world w = {.e = e, .a = e->arena};
    for (size_t i = 0; i < e->guardrails.n; i++)
        run_one(&w, e->guardrails.v[i], diags);
    fl_map_free(w.by_principal);
}

/* ---- idle-guardrail ---- */

static bool reached_anywhere(const est_estate *const *all, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (i >= all[k]->guardrails.n || all[k]->guardrails.v[i]->reached || all[k]->incomplete)
            return true;
    return false;
}

/* Guardrails stand at the top level only, so every environment has the same ones in the same order. */
void guard_idle(const est_estate *const *all, size_t n, fl_diags *diags)
{
    if (!n || n < all[0]->environments.n)
        return;
    for (size_t i = 0; i < all[0]->guardrails.n; i++) {
        const est_guardrail *g = all[0]->guardrails.v[i];
        if (!g->text.s || reached_anywhere(all, n, i))
            continue;
        fl_diag *d = fl_diag_add(diags, "idle-guardrail", FL_WARNING, g->at,
                                 "nothing in the estate is what the guardrail \"%s\" speaks of", g->text.s);
        fl_diag_help(diags, d, "look at its `where`, or take the guardrail out");
    }
}
