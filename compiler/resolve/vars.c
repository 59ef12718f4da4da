/* vars.c: `let`, and the variables that stand in the texts of a policy. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MAX_CHAIN 1000 /* variables that use one another in a row; bounds the depth of calls */

static const char *const environment = "environment"; /* the one variable that is built in */

static est_variable *find(const est_estate *e, const char *name)
{
    size_t from = 0, to = e->variables.n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = strcmp(name, e->variables.v[mid]->name);
        if (!order)
            return (est_variable *)e->variables.v[mid];
        if (order < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return NULL;
}

/* ---- declaring ---- */

static bool is_plain(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == 0;
}

static bool is_text(const lang_value *v)
{
    return v->kind == LANG_V_NAME;
}

/* A list holds texts, or rows that are lists of texts of one length. */
static void check_list(res *r, const lang_value *v)
{
    for (size_t i = 0; i < v->n; i++) {
        const lang_value *row = &v->items[i];
        bool fits =
            v->items[0].kind == LANG_V_LIST ? row->kind == LANG_V_LIST && row->n == v->items[0].n : is_text(row);
        for (size_t k = 0; fits && row->kind == LANG_V_LIST && k < row->n; k++)
            fits = is_text(&row->items[k]);
        if (fits)
            continue;
        fl_diag *d = res_error(r, "syntax", row->span, "a list holds texts alone, or rows of one length");
        fl_diag_help(r->diags, d, "as [\"eu\", \"us\"], or [[\"eu\", \"a\"], [\"us\", \"b\"]]");
        return;
    }
}

static void check_let(res *r, const lang_name *name, const lang_value *v)
{
    if (!is_plain(name->text)) {
        fl_diag *d = res_error(r, "syntax", name->span, "`%s` is no name of a variable", name->text);
        fl_diag_help(r->diags, d, "letters, digits, `_` and `-` stand in `${…}`");
    }
    if (!strcmp(name->text, environment))
        res_error(r, "duplicate-name", name->span, "`environment` is the variable that is built in");
    if (v->kind == LANG_V_CALL) {
        fl_diag *d = res_error(r, "syntax", v->span, "a variable holds no secret");
        fl_diag_help(r->diags, d, "write `secret(…)` at the property itself; variables may stand in it");
    }
    if (v->kind == LANG_V_LIST)
        check_list(r, v);
}

/* One that is refused is declared all the same, without a text, so that its uses say nothing. */
static void declare(res *r, const lang_stmt *s)
{
    const lang_value *name = lang_get1(s, "name"), *value = lang_get1(s, "value");
    est_variable *v = FL_NEW(r->a, est_variable);
    size_t before = r->diags->list.n;
    check_let(r, &name->name, value);
    bool refused = r->diags->list.n > before;
    *v = (est_variable){.name = name->name.text, .at = name->span, .value = value, .used = refused, .done = refused};
    FL_PUSH(r->a, &r->e->variables, v);
}

/* What a variable is used for is not known where it is declared: its text may be a secret. */
static void hide(res *r, const est_variable *v)
{
    if (is_text(v->value))
        fl_diags_hide(r->diags, v->value->span);
}

static int by_name(const void *a, const void *b)
{
    const est_variable *x = *(const est_variable *const *)a, *y = *(const est_variable *const *)b;
    int order = strcmp(x->name, y->name);
    order = order ? order : strcmp(x->at.src->name, y->at.src->name);
    return order ? order : x->at.from < y->at.from ? -1 : 1;
}

static void drop_duplicates(res *r)
{
    size_t kept = 0;
    const est_variable **v = r->e->variables.v;
    if (r->e->variables.n)
        qsort(v, r->e->variables.n, sizeof *v, by_name);
    for (size_t i = 0; i < r->e->variables.n; i++) {
        if (!kept || strcmp(v[kept - 1]->name, v[i]->name)) {
            v[kept++] = v[i];
            continue;
        }
        fl_diag *d = res_error(r, "duplicate-name", v[i]->at, "there are two variables `%s`", v[i]->name);
        fl_diag_relate(r->diags, d, v[kept - 1]->at, "the first");
        hide(r, v[i]);
        hide(r, v[kept - 1]);
    }
    r->e->variables.n = kept;
}

/* ---- expanding ---- */

const char *est_expand(const est_estate *e, const lang_name *n)
{
    fl_buf b;
    if (!n->has_vars)
        return n->text;
    fl_buf_init(&b, RES_MAX_TEXT);
    for (size_t i = 0; i < n->nparts; i++) {
        const est_variable *v = n->parts[i].is_var ? find(e, n->parts[i].text) : NULL;
        const char *text = v ? v->text : n->parts[i].is_var ? NULL : n->parts[i].text;
        if (!text || !fl_buf_adds(&b, text)) {
            fl_buf_free(&b);
            return NULL;
        }
    }
    const char *out = fl_strdup(e->arena, b.p ? b.p : "");
    fl_buf_free(&b);
    return out;
}

/* The variables on the way to one that is reached again, each once, in order of use. */
static void report_cycle(res *r, est_variable *const *stack, size_t n, fl_span at)
{
    fl_diag *d = res_error(r, "variable-cycle", at, "the variable `%s` is used in its own value", stack[0]->name);
    for (size_t i = 0; n > 1 && i < n; i++)
        fl_diag_relate(r->diags, d, stack[i]->at, "`%s` uses `%s`", stack[i]->name, stack[(i + 1) % n]->name);
}

typedef struct stack {
    FL_VEC(est_variable *) v;
} stack;

static void expand(res *r, stack *s, est_variable *v);

static void expand_used(res *r, stack *s, const lang_part *p)
{
    est_variable *other = p->is_var ? find(r->e, p->text) : NULL;
    if (!other || other->done)
        return;
    if (!other->active) {
        expand(r, s, other);
        return;
    }
    size_t i = s->v.n;
    while (s->v.v[i - 1] != other)
        i--;
    report_cycle(r, &s->v.v[i - 1], s->v.n - (i - 1), p->span);
}

static void expand(res *r, stack *s, est_variable *v)
{
    if (s->v.n == MAX_CHAIN) {
        res_error(r, "variable-cycle", v->at, "more than %d variables use one another in a chain", MAX_CHAIN);
        v->done = true;
        return;
    }
    v->active = true;
    FL_PUSH(r->a, &s->v, v);
    for (size_t i = 0; is_text(v->value) && i < v->value->name.nparts; i++)
        expand_used(r, s, &v->value->name.parts[i]);
    s->v.n--;
    v->active = false;
    v->done = true;
    v->text = is_text(v->value) ? est_expand(r->e, &v->value->name) : NULL;
}

/* ---- every name of the policy ---- */

static void unknown_variable(res *r, const lang_part *p)
{
    if (!strcmp(p->text, environment)) {
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

static void check_name(res *r, const lang_name *n)
{
    size_t total = 0;
    for (size_t i = 0; n->has_vars && i < n->nparts; i++) {
        const lang_part *p = &n->parts[i];
        est_variable *v = p->is_var ? find(r->e, p->text) : NULL;
        if (p->is_var && !v)
            unknown_variable(r, p);
        if (v && v->value->kind == LANG_V_LIST)
            res_error(r, "syntax", p->span, "`${%s}` is a list, and only a text can stand in a text", v->name);
        total += !p->is_var ? p->len : v && v->text ? strlen(v->text) : 0;
        if (v)
            v->used = true;
    }
    if (total > RES_MAX_TEXT)
        res_error(r, "syntax", n->span, "with its variables the text is longer than %u KiB", RES_MAX_TEXT >> 10);
}

static void check_value(res *r, const lang_value *v)
{
    check_name(r, &v->name);
    check_name(r, &v->second);
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == LANG_V_OBJECT)
            check_name(r, &v->keys[i]);
        check_value(r, &v->items[i]);
    }
}

static void check_block(res *r, const lang_block *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const lang_stmt *s = b->stmts[i];
        check_value(r, &s->head);
        for (size_t k = 0; k < s->nlists; k++)
            for (size_t j = 0; j < s->lists[k].n; j++)
                check_value(r, &s->lists[k].items[j]);
        if (s->value)
            check_value(r, s->value);
        if (s->block)
            check_block(r, s->block);
    }
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
        hide(r, v);
    }
}

void res_variables(res *r)
{
    stack s = {0};
    res_each(r, "top.let", declare);
    drop_duplicates(r);
    for (size_t i = 0; i < r->e->variables.n; i++) {
        est_variable *v = (est_variable *)r->e->variables.v[i];
        if (!v->done)
            expand(r, &s, v);
    }
    for (size_t i = 0; i < r->e->files.n; i++)
        check_block(r, r->e->files.v[i]->top);
    unused(r);
}
