/* judged.c: what a policy says about its things: tests of the environment, waivers, guardrails; and which environments
 * there are. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- environments ---- */

static int by_environment(const void *a, const void *b)
{
    const est_environment *x = a, *y = b;
    int order = strcmp(x->name.s, y->name.s);
    order = order ? order : strcmp(x->name.at.src->name, y->name.at.src->name);
    return order ? order : x->name.at.from < y->name.at.from ? -1 : x->name.at.from > y->name.at.from;
}

static void drop_duplicates(res_shared *s, fl_diags *diags)
{
    size_t kept = 0;
    est_environment *v = s->environments.v;
    if (s->environments.n)
        qsort(v, s->environments.n, sizeof *v, by_environment);
    for (size_t i = 0; i < s->environments.n; i++) {
        if (!kept || strcmp(v[kept - 1].name.s, v[i].name.s)) {
            v[kept++] = v[i];
            continue;
        }
        fl_diag *d = fl_diag_add(diags, "duplicate-name", FL_ERROR, v[i].name.at, "there are two environments `%s`",
                                 v[i].name.s);
        fl_diag_again(diags, d, v[kept - 1].name.at);
    }
    s->environments.n = kept;
}

void res_environments(res_shared *s, fl_diags *diags)
{
    for (size_t i = 0; i < s->files.n; i++)
        for (size_t k = 0; k < s->files.v[i]->top->n; k++) {
            const lang_stmt *stmt = s->files.v[i]->top->stmts[k];
            const lang_value *name = lang_is(stmt, "top.environment") ? lang_get1(stmt, "name") : NULL;
            if (name)
                FL_PUSH(s->a, &s->environments, (est_environment){{name->name.text, name->span}, stmt});
        }
    drop_duplicates(s, diags);
}

static void unknown_environment(res *r, const lang_value *v)
{
    const char **names = FL_NEW_N(r->a, const char *, r->e->environments.n + 1);
    for (size_t i = 0; i < r->e->environments.n; i++)
        names[i] = r->e->environments.v[i].name.s;
    size_t before = r->diags->list.n;
    res_unknown(r, v->span, "environment", v->name.text, names, r->e->environments.n);
    if (!r->e->environments.n)
        fl_diag_help(r->diags, r->diags->list.v[before], "the policy declares none");
}

static bool is_environment(const res *r, const char *name)
{
    for (size_t i = 0; i < r->e->environments.n; i++)
        if (!strcmp(r->e->environments.v[i].name.s, name))
            return true;
    return false;
}

/* ---- tests ---- */

static est_text environment_text(res *r, const lang_value *v)
{
    return (est_text){v->name.text, v->span};
}

static void test(res *r, const lang_stmt *s)
{
    const lang_list *in = lang_get(s, "environments");
    bool here = !in;
    res_list(r, in, environment_text);
    for (size_t i = 0; in && i < in->n; i++) {
        const char *name = in->items[i].name.text;
        here |= r->e->environment && !strcmp(name, r->e->environment);
        if (!is_environment(r, name))
            unknown_environment(r, &in->items[i]);
    }
    if (here)
        FL_PUSH(r->a, &r->e->tests, s);
}

/* Two of one name could not be told apart in a report. */
static void test_names(res *r)
{
    res_decls all = {0};
    for (size_t i = 0; i < r->top.n; i++) {
        if (!lang_is(r->top.v[i], "top.test"))
            continue;
        res_decl d = {.stmt = r->top.v[i], .name = res_slot(r, r->top.v[i], "text"), .seq = i};
        if (d.name.s)
            FL_PUSH(r->a, &all, d);
    }
    res_drop_duplicates(r, &all, "tests");
}

/* ---- waivers ---- */

static void waiver(res *r, const lang_stmt *s, bool in_environment)
{
    est_waiver *w = FL_NEW(r->a, est_waiver);
    *w = (est_waiver){.check = res_slot(r, s, "check"),
                      .kind = lang_get1(s, "kind")->name.text,
                      .name = res_slot(r, s, "name"),
                      .key = lang_has(s, "key"),
                      .reason = res_slot(r, s, "reason"),
                      .until = res_slot(r, s, "until"),
                      .in_environment = in_environment,
                      .at = res_at(s)};
    w->part = res_slot(r, s, lang_get(s, "field") ? "field" : "property");
    if (!strcmp(w->kind, "platform") || w->name.s)
        FL_PUSH(r->a, &r->e->waivers, w);
}

static void waiver_everywhere(res *r, const lang_stmt *s)
{
    waiver(r, s, false);
}

static int by_place(const void *a, const void *b)
{
    const est_waiver *x = *(est_waiver *const *)a, *y = *(est_waiver *const *)b;
    int order = strcmp(x->at.src->name, y->at.src->name);
    if (order || x->at.from != y->at.from)
        return order ? order : x->at.from < y->at.from ? -1 : 1;
    return strcmp(x->name.s ? x->name.s : "", y->name.s ? y->name.s : "");
}

static void waivers(res *r)
{
    const lang_block *b = r->environment ? r->environment->block : NULL;
    res_each(r, "top.allow", waiver_everywhere);
    for (size_t i = 0; b && i < b->n; i++)
        if (lang_is(b->stmts[i], "environment.allow"))
            waiver(r, b->stmts[i], true);
    if (r->e->waivers.n)
        qsort(r->e->waivers.v, r->e->waivers.n, sizeof *r->e->waivers.v, by_place);
}

/* ---- guardrails ---- */

static void guardrail(res *r, const lang_stmt *s)
{
    est_guardrail *g = FL_NEW(r->a, est_guardrail);
    g->text = res_slot(r, s, "text");
    g->severity = strcmp(lang_get1(s, "severity")->name.text, "error") ? FL_WARNING : FL_ERROR;
    g->stmt = s;
    g->at = res_at(s);
    if (g->text.s)
        FL_PUSH(r->a, &r->e->guardrails, g);
}

static void guardrail_names(res *r)
{
    res_decls all = {0};
    for (size_t i = 0; i < r->e->guardrails.n; i++)
        FL_PUSH(r->a, &all,
                (res_decl){.stmt = r->e->guardrails.v[i]->stmt, .name = r->e->guardrails.v[i]->text, .seq = i});
    res_drop_duplicates(r, &all, "guardrails");
}

void res_judgements(res *r)
{
    res_each(r, "top.test", test);
    test_names(r);
    waivers(r);
    res_each(r, "top.guardrail", guardrail);
    guardrail_names(r);
}
