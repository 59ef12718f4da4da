/* vars.c: `let`: variables, what an environment gives them, and their texts. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MAX_CHAIN 1000 /* variables that use one another in a row; bounds the depth of calls */

static const char *const environment = "environment"; /* the one variable that is built in */

est_variable *res_variable(const est_estate *e, const char *name)
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

bool res_is_variable_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == 0;
}

static bool is_text(const lang_value *v)
{
    return v->kind == LANG_V_NAME;
}

bool res_check_list(res *r, const lang_value *v)
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
        return false;
    }
    return true;
}

static void check_let(res *r, const lang_name *name, const lang_value *v)
{
    if (!res_is_variable_name(name->text)) {
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
        res_check_list(r, v);
}

/* One that is refused is declared all the same, without a text, so that its uses say nothing. */
static void declare(res *r, const lang_stmt *s)
{
    const lang_value *name = lang_get1(s, "name"), *value = lang_get1(s, "value");
    est_variable *v = FL_NEW(r->a, est_variable);
    size_t before = r->diags->list.n;
    check_let(r, &name->name, value);
    bool refused = r->diags->list.n > before;
    if (!strcmp(name->name.text, environment) && r->environment)
        return; /* the name is taken */
    *v = (est_variable){.name = name->name.text,
                        .at = name->span,
                        .value = value,
                        .used = refused,
                        .done = refused,
                        .refused = refused};
    FL_PUSH(r->a, &r->e->variables, v);
}

/* What a variable is used for is not known where it is declared: its text may be a secret. */
void res_hide_variable(res *r, const est_variable *v)
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
        fl_diag_again(r->diags, d, v[kept - 1]->at);
        res_hide_variable(r, v[i]);
        res_hide_variable(r, v[kept - 1]);
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
        const lang_part *p = &n->parts[i];
        const est_variable *v = p->is_var && !p->row ? res_variable(e, p->text) : NULL;
        const char *text = p->row ? p->row : v ? v->text : p->is_var ? NULL : p->text;
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

typedef struct expansion {
    res *r;
    stack *s;
} expansion;

/* The variables in a variable's own value: a text, a list, or rows. */
static void each_part(const lang_value *v, void (*fn)(const lang_part *p, void *ctx), void *ctx)
{
    for (size_t i = 0; is_text(v) && v->name.has_vars && i < v->name.nparts; i++)
        if (v->name.parts[i].is_var)
            fn(&v->name.parts[i], ctx);
    for (size_t i = 0; v->kind == LANG_V_LIST && i < v->n; i++)
        each_part(&v->items[i], fn, ctx);
}

static void expand_used(res *r, stack *s, const lang_part *p)
{
    est_variable *other = p->is_var ? res_variable(r->e, p->text) : NULL;
    if (!other || other->done || !is_text(other->value))
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

static void expand_part(const lang_part *p, void *ctx)
{
    const expansion *x = ctx;
    expand_used(x->r, x->s, p);
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
    each_part(v->value, expand_part, &(expansion){r, s});
    s->v.n--;
    v->active = false;
    v->done = true;
    v->text = is_text(v->value) ? est_expand(r->e, &v->value->name) : NULL;
    FL_PUSH(r->a, &r->ordered, v);
}

/* ---- what follows from what a variable is made of ---- */

typedef struct derivation {
    res *r;
    est_variable *v;
} derivation;

static void inherit(const lang_part *p, void *ctx)
{
    const derivation *d = ctx;
    const est_variable *used = res_variable(d->r->e, p->text);
    d->v->depends |= used && used->depends;
    d->v->secret |= used && used->secret;
}

static void bequeath(const lang_part *p, void *ctx)
{
    const derivation *d = ctx;
    est_variable *used = res_variable(d->r->e, p->text);
    if (used && used != d->v)
        used->secret |= d->v->secret;
}

void res_derive(res *r)
{
    for (size_t i = r->ordered.n; i-- > 0;)
        each_part(r->ordered.v[i]->value, bequeath, &(derivation){r, r->ordered.v[i]});
    for (size_t i = 0; i < r->ordered.n; i++)
        each_part(r->ordered.v[i]->value, inherit, &(derivation){r, r->ordered.v[i]});
}

/* ---- what the environment says ---- */

/* `${environment}`, with the name of the chosen one as its value. */
static void built_in(res *r)
{
    est_variable *v = FL_NEW(r->a, est_variable);
    const lang_value *name = lang_get1(r->environment, "name");
    *v = (est_variable){.name = environment, .at = name->span, .value = name, .used = true, .depends = true};
    FL_PUSH(r->a, &r->e->variables, v);
}

static bool same_shape(const lang_value *a, const lang_value *b)
{
    if (is_text(a) || is_text(b))
        return is_text(a) && is_text(b);
    if (!a->n || !b->n) /* an empty list is of every shape */
        return true;
    bool rows = a->items[0].kind == LANG_V_LIST;
    return rows == (b->items[0].kind == LANG_V_LIST) && (!rows || a->items[0].n == b->items[0].n);
}

static const char *shape(res *r, const lang_value *v)
{
    return is_text(v)                                ? "a text"
           : v->n && v->items[0].kind == LANG_V_LIST ? fl_printf(r->a, "a list of rows of %u", v->items[0].n)
                                                     : "a list of texts";
}

static void another_shape(res *r, const est_variable *v, const lang_value *value)
{
    fl_diag *d = res_error(r, "syntax", value->span, "`%s` is %s, and an environment cannot make it %s", v->name,
                           shape(r, v->value), shape(r, value));
    fl_diag_relate(r->diags, d, v->at, "the variable");
    fl_diags_hide(r->diags, value->span);
}

static void unknown_let(res *r, const lang_value *name)
{
    const char **names = FL_NEW_N(r->a, const char *, r->e->variables.n + 1);
    for (size_t i = 0; i < r->e->variables.n; i++)
        names[i] = r->e->variables.v[i]->name;
    size_t before = r->diags->list.n;
    res_unknown(r, name->span, "variable", name->name.text, names, r->e->variables.n);
    fl_diag_relate(r->diags, r->diags->list.v[before], lang_get1(r->environment, "name")->span,
                   "an environment gives another value to a variable that `let` declares outside of it");
}

/* seen: name to statement of those of this environment. */
static void overlay_one(res *r, const lang_stmt *s, fl_map *seen)
{
    const lang_value *name = lang_get1(s, "name"), *value = lang_get1(s, "value");
    est_variable *v = res_variable(r->e, name->name.text);
    const lang_stmt *first = fl_map_get(seen, name->name.text);
    if (first) {
        fl_diag *d =
            res_error(r, "duplicate-name", name->span, "`%s` has two values in this environment", name->name.text);
        fl_diag_again(r->diags, d, lang_get1(first, "name")->span);
        return;
    }
    fl_map_put(seen, name->name.text, (void *)s);
    if (!v) {
        unknown_let(r, name);
        return;
    }
    size_t before = r->diags->list.n;
    check_let(r, &name->name, value);
    if (v->done || r->diags->list.n > before)
        return;
    if (same_shape(v->value, value))
        v->value = value;
    else
        another_shape(r, v, value);
}

/* Which variables any environment changes, and what this one gives them. */
static void overlay(res *r)
{
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < r->shared->environments.n; i++) {
        const lang_stmt *e = r->shared->environments.v[i].stmt;
        for (size_t k = 0; e->block && k < e->block->n; k++) {
            const lang_stmt *s = e->block->stmts[k];
            est_variable *v =
                lang_is(s, "environment.let") ? res_variable(r->e, lang_get1(s, "name")->name.text) : NULL;
            if (v)
                v->depends = true;
            if (e == r->environment && lang_is(s, "environment.let"))
                overlay_one(r, s, seen);
        }
    }
    fl_map_free(seen);
}

void res_variables(res *r)
{
    stack s = {0};
    res_each_written(r, "top.let", declare);
    if (r->environment)
        built_in(r);
    drop_duplicates(r);
    overlay(r);
    res_mark_uses(r);
    for (size_t i = 0; i < r->e->variables.n; i++) {
        est_variable *v = (est_variable *)r->e->variables.v[i];
        if (!v->done)
            expand(r, &s, v);
    }
    res_derive(r);
}
