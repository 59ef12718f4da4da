/* texts.c: every text of the policy that may hold variables: which are used and where, and what one cannot give. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/resolve/resolve.h"

/* ---- walking ---- */

typedef struct walk {
    res *r;
    const lang_list *vars; /* of the `for` of the statement that is walked, or NULL */
    bool secret;           /* what is walked stands in a secret */
    void (*name)(struct walk *w, const lang_name *n);
    const char *wanted; /* res_in_secret */
    bool found;
    res_uses *uses;
} walk;

static void walk_value(walk *w, const lang_value *v)
{
    bool outer = w->secret;
    w->secret |= v->kind == LANG_V_CALL;
    w->name(w, &v->name);
    if (v->second)
        w->name(w, v->second);
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == LANG_V_OBJECT)
            w->name(w, &v->keys[i]);
        walk_value(w, &v->items[i]);
    }
    w->secret = outer;
}

static void walk_expr(walk *w, const lang_expr *e)
{
    if (!e)
        return;
    walk_expr(w, e->left);
    walk_expr(w, e->right);
    if (e->kind == LANG_E_OPERAND)
        walk_value(w, &e->operand);
}

/* What `for` goes through is read outside of its variables. */
static void walk_list(walk *w, const lang_stmt *s, const lang_list *list)
{
    const lang_list *vars = w->vars, *rows = vars ? lang_get(s, "list") : NULL;
    if (rows && rows->items == list->items)
        w->vars = NULL;
    for (size_t j = 0; j < list->n; j++)
        walk_value(w, &list->items[j]);
    w->vars = vars;
}

static void walk_block(walk *w, const lang_block *b);

static void walk_stmt(walk *w, const lang_stmt *s)
{
    bool outer = w->secret;
    walk_value(w, &s->head);
    for (size_t k = 0; k < s->nlists; k++)
        walk_list(w, s, &s->lists[k]);
    walk_expr(w, s->expr);
    w->secret |= s->value && chk_looks_secret(s->head.name.text);
    if (s->value)
        walk_value(w, s->value);
    w->secret = outer;
    if (s->block)
        walk_block(w, s->block);
}

static void walk_block(walk *w, const lang_block *b)
{
    for (size_t i = 0; i < b->n; i++)
        walk_stmt(w, b->stmts[i]);
}

/* All files; of the environments all, or the chosen one alone. */
static void walk_policy(walk *w, bool all)
{
    const res_shared *s = w->r->shared;
    for (size_t i = 0; i < s->files.n; i++) {
        const lang_block *top = s->files.v[i]->top;
        for (size_t k = 0; s->files.v[i]->has_vars && k < top->n; k++) {
            const lang_stmt *stmt = top->stmts[k];
            if (!all && lang_is(stmt, "top.environment") && stmt != w->r->environment)
                continue;
            w->vars = lang_get(stmt, "vars");
            walk_stmt(w, stmt);
        }
    }
}

static bool is_row_variable(const lang_list *vars, const char *name)
{
    for (size_t i = 0; vars && i < vars->n; i++)
        if (!strcmp(vars->items[i].name.text, name))
            return true;
    return false;
}

/* ---- uses ---- */

static void mark(walk *w, const lang_name *n)
{
    for (size_t i = 0; n->has_vars && i < n->nparts; i++) {
        const lang_part *p = &n->parts[i];
        est_variable *v = p->is_var && !is_row_variable(w->vars, p->text) ? res_variable(w->r->e, p->text) : NULL;
        if (v)
            v->used = true;
        if (v && v->value->kind == LANG_V_NAME && strcmp(v->name, "environment"))
            v->secret |= w->secret;
    }
}

static void mark_list(res *r, const lang_stmt *s)
{
    const lang_value *list = lang_get1(s, "list");
    est_variable *v =
        list && list->kind == LANG_V_NAME && list->name.quote == LANG_WORD ? res_variable(r->e, list->name.text) : NULL;
    if (v)
        v->used = true;
}

void res_mark_uses(res *r)
{
    walk w = {.r = r, .name = mark};
    walk_policy(&w, true);
    for (size_t i = 0; i < r->shared->files.n; i++)
        for (size_t k = 0; k < r->shared->files.v[i]->top->n; k++)
            mark_list(r, r->shared->files.v[i]->top->stmts[k]);
    for (size_t i = 0; i < r->e->variables.n; i++) {
        est_variable *v = (est_variable *)r->e->variables.v[i];
        v->secret |= chk_looks_secret(v->name);
    }
}

static void look_for(walk *w, const lang_name *n)
{
    for (size_t i = 0; w->secret && n->has_vars && i < n->nparts; i++)
        w->found |= n->parts[i].is_var && !strcmp(n->parts[i].text, w->wanted);
}

bool res_in_secret(const lang_stmt *s, const char *variable)
{
    walk w = {.name = look_for, .wanted = variable, .found = chk_looks_secret(variable)};
    walk_stmt(&w, s);
    return w.found;
}

const char *res_depends(res *r, const lang_name *n)
{
    for (size_t i = 0; n->has_vars && i < n->nparts; i++) {
        const lang_part *p = &n->parts[i];
        const est_variable *v = p->is_var && !p->row ? res_variable(r->e, p->text) : NULL;
        if (v && v->depends)
            return v->name;
        const fl_origin *o = p->row && n->span.src ? n->span.src->origin : NULL;
        for (; o; o = o->next)
            if (o->what && ((const res_row *)o->what)->depends)
                return p->text;
    }
    return NULL;
}

/* ---- what messages say of variables, and what they do not show ---- */

static void collect(walk *w, const lang_name *n)
{
    if (n->has_vars)
        FL_PUSH(w->r->a, w->uses, n);
}

static int by_place(const void *a, const void *b)
{
    const lang_name *x = *(const lang_name *const *)a, *y = *(const lang_name *const *)b;
    int order = strcmp(x->span.src->name, y->span.src->name);
    return order ? order : x->span.from < y->span.from ? -1 : x->span.from > y->span.from;
}

res_uses res_uses_of_variables(res *r)
{
    res_uses all = {0};
    walk w = {.r = r, .name = collect, .uses = &all};
    walk_policy(&w, true);
    if (all.n)
        qsort(all.v, all.n, sizeof *all.v, by_place);
    return all;
}

static bool part_is_secret(res *r, const lang_name *n, const lang_part *p)
{
    const est_variable *v = p->is_var && !p->row ? res_variable(r->e, p->text) : NULL;
    const fl_origin *o = p->row && n->span.src ? n->span.src->origin : NULL;
    for (; o; o = o->next) {
        const res_row *row = o->what;
        for (size_t i = 0; row && row->secret && i < row->n; i++)
            if (row->secret[i] && !strcmp(row->names[i], p->text))
                return true;
    }
    return v && v->secret;
}

const char *res_shown(res *r, const lang_name *n)
{
    for (size_t i = 0; n->has_vars && i < n->nparts; i++)
        if (part_is_secret(r, n, &n->parts[i]))
            return n->text;
    const char *text = est_expand(r->e, n);
    return text ? text : n->text;
}

void res_conceal(res *r, const char *text, const char *written)
{
    if (text && *text && !fl_map_get(r->written, text))
        fl_map_put(r->written, text, (void *)written);
}

/* ---- every name ---- */

static void unknown_variable(res *r, const lang_part *p)
{
    if (!strcmp(p->text, "environment")) {
        fl_diag *d =
            res_error(r, "unknown-name", p->span, "`${environment}` has no value: the policy declares no environment");
        fl_diag_help(r->diags, d, "write the name out");
        return;
    }
    const char **names = FL_NEW_N(r->a, const char *, r->e->variables.n + 1);
    for (size_t i = 0; i < r->e->variables.n; i++)
        names[i] = r->e->variables.v[i]->name;
    res_unknown(r, p->span, "variable", p->text, names, r->e->variables.n);
}

static void check(walk *w, const lang_name *n)
{
    size_t total = 0;
    res *r = w->r;
    for (size_t i = 0; n->has_vars && i < n->nparts; i++) {
        const lang_part *p = &n->parts[i];
        if (p->is_var && is_row_variable(w->vars, p->text))
            continue;
        const est_variable *v = p->is_var ? res_variable(r->e, p->text) : NULL;
        if (p->is_var && !v)
            unknown_variable(r, p);
        if (v && v->value->kind == LANG_V_LIST)
            res_error(r, "syntax", p->span, "`${%s}` is a list, and only a text can stand in a text", v->name);
        total += !p->is_var ? p->len : v && v->text ? strlen(v->text) : 0;
    }
    if (total > RES_MAX_TEXT)
        res_error(r, "syntax", n->span, "with its variables the text is longer than %u KiB", RES_MAX_TEXT >> 10);
}

static void unused(res *r)
{
    for (size_t i = 0; i < r->e->variables.n; i++) {
        const est_variable *v = r->e->variables.v[i];
        if (v->used)
            continue;
        fl_diag *d =
            fl_diag_add(r->diags, "unused-variable", FL_WARNING, v->at, "nothing uses the variable `%s`", v->name);
        fl_diag_help(r->diags, d, "take it out");
        res_mend_let(r, d, v);
        res_hide_variable(r, v);
    }
}

void res_check_texts(res *r)
{
    walk w = {.r = r, .name = check};
    walk_policy(&w, false);
    unused(r);
}
