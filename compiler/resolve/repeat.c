/* repeat.c: `for`: a statement is written out once a row of its list. */
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MAX_STMTS 10000000u /* of an estate, with its repetitions written out */
#define MAX_SHOWN 60        /* bytes of a row's text in a label */

/* One `for`, with what all its rows share. */
typedef struct repetition {
    const lang_stmt *stmt;
    const lang_list *vars;
    const lang_value *list;
    bool depends; /* the list is a variable that differs between environments */
    const char **names;
    bool *secret; /* by variable: may stand in a secret */
} repetition;

size_t res_count(const lang_stmt *s)
{
    size_t n = 1;
    for (size_t i = 0; s->block && i < s->block->n; i++)
        n += res_count(s->block->stmts[i]);
    return n;
}

/* ---- the head ---- */

static bool judge_variable(res *r, const lang_value *v)
{
    const char *name = v->name.text;
    const est_variable *other = res_variable(r->e, name);
    if (!res_is_variable_name(name)) {
        fl_diag *d = res_error(r, "syntax", v->span, "`%s` is no name of a variable", name);
        fl_diag_help(r->diags, d, "letters, digits, `_` and `-` stand in `${…}`");
        return false;
    }
    if (!other && strcmp(name, "environment"))
        return true;
    fl_diag *d = res_error(r, "duplicate-name", v->span, "`%s` hides another variable", name);
    if (other)
        fl_diag_relate(r->diags, d, other->at, "this one");
    fl_diag_help(r->diags, d, "give the variable of `for` a name of its own");
    return false;
}

static bool judge_variables(res *r, const lang_list *vars)
{
    bool ok = true;
    for (size_t i = 0; i < vars->n; i++) {
        ok &= judge_variable(r, &vars->items[i]);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(vars->items[k].name.text, vars->items[i].name.text)) {
                fl_diag *d = res_error(r, "duplicate-name", vars->items[i].span, "`%s` stands twice in this list",
                                       vars->items[i].name.text);
                fl_diag_again(r->diags, d, vars->items[k].span);
                ok = false;
                break;
            }
    }
    return ok;
}

static void no_list(res *r, const lang_value *v)
{
    fl_diag *d = res_error(r, "syntax", v->span, "`for` goes through a list or a variable that is one");
    fl_diag_help(r->diags, d, "as `for r in [\"eu\", \"us\"]`, or `for r in regions` with `let regions = [\"eu\", …]`");
}

/* The list itself, NULL if there is none (reported). */
static const lang_value *list_of(res *r, const lang_value *v, bool *depends)
{
    if (v->kind == LANG_V_LIST)
        return res_check_list(r, v) ? v : NULL;
    if (v->kind != LANG_V_NAME || v->name.quote != LANG_WORD) {
        no_list(r, v);
        return NULL;
    }
    const est_variable *named = res_variable(r->e, v->name.text);
    if (!named) {
        const char **names = FL_NEW_N(r->a, const char *, r->e->variables.n + 1);
        for (size_t i = 0; i < r->e->variables.n; i++)
            names[i] = r->e->variables.v[i]->name;
        res_unknown(r, v->span, "variable", v->name.text, names, r->e->variables.n);
        return NULL;
    }
    *depends = named->depends;
    if (named->value->kind == LANG_V_LIST)
        return named->done && !named->refused ? named->value : NULL;
    if (!named->refused) {
        fl_diag *d = res_error(r, "syntax", v->span, "`%s` is a text, and `for` goes through a list", named->name);
        fl_diag_relate(r->diags, d, named->at, "the variable");
    }
    return NULL;
}

/* Do rows and variables agree in number? The list's rows are of one length. */
static bool judge_rows(res *r, const repetition *f)
{
    const lang_value *row = &f->list->items[0];
    size_t width = row->kind == LANG_V_LIST ? row->n : 1;
    if (width == f->vars->n)
        return true;
    fl_diag *d = res_error(r, "syntax", f->vars->span, "`for` has %zu variable%s, and a row of the list %zu text%s",
                           f->vars->n, f->vars->n == 1 ? "" : "s", width, width == 1 ? "" : "s");
    fl_diag_relate(r->diags, d, row->span, "the first row");
    return false;
}

static bool begin(res *r, const lang_stmt *s, repetition *f)
{
    const lang_value *list = lang_get1(s, "list");
    *f = (repetition){.stmt = s, .vars = lang_get(s, "vars")};
    bool ok = judge_variables(r, f->vars);
    f->list = list_of(r, list, &f->depends);
    if (f->list && !f->list->n) {
        fl_diag *d = fl_diag_add(r->diags, "syntax", FL_WARNING, list->span, "the list is empty: nothing is repeated");
        if (f->list != list)
            fl_diag_relate(r->diags, d, f->list->span, "the list");
        return false;
    }
    return ok && f->list && judge_rows(r, f);
}

/* ---- rows ---- */

static const char *shown(res *r, const char *text)
{
    size_t n = strlen(text);
    if (n <= MAX_SHOWN)
        return text;
    for (n = MAX_SHOWN; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    return fl_printf(r->a, "%.*s…", (int)n, text);
}

/* `region = "eu", zone = "eu-west-1"`; what may stand in a secret is not shown. */
static const char *label(res *r, const repetition *f, const res_row *row)
{
    const char *text = "";
    for (size_t i = 0; i < row->n; i++) {
        const char *one = f->secret[i] || !row->texts[i]
                              ? row->names[i]
                              : fl_printf(r->a, "%s = \"%s\"", row->names[i], shown(r, row->texts[i]));
        text = fl_printf(r->a, "%s%s%s", text, i ? ", " : "", one);
    }
    return text;
}

static bool holds_depending(res *r, const lang_value *v)
{
    bool depends = v->kind == LANG_V_NAME && res_depends(r, &v->name);
    for (size_t i = 0; v->kind == LANG_V_LIST && i < v->n; i++)
        depends |= holds_depending(r, &v->items[i]);
    return depends;
}

static bool row_secret(res *r, const repetition *f, size_t i, const lang_value *v)
{
    bool secret = f->secret[i];
    for (size_t k = 0; v->name.has_vars && k < v->name.nparts; k++) {
        const est_variable *used = v->name.parts[k].is_var ? res_variable(r->e, v->name.parts[k].text) : NULL;
        secret |= used && used->secret;
    }
    return secret;
}

static const res_row *row_of(res *r, repetition *f, const lang_value *item)
{
    res_row *row = FL_NEW(r->a, res_row);
    *row = (res_row){.names = f->names, .n = f->vars->n, .texts = FL_NEW_N(r->a, const char *, f->vars->n)};
    row->secret = f->secret;
    row->depends = f->depends || holds_depending(r, item);
    for (size_t i = 0; i < row->n; i++) {
        const lang_value *v = item->kind == LANG_V_LIST ? &item->items[i] : item;
        row->texts[i] = est_expand(r->e, &v->name);
        if (!row_secret(r, f, i, v))
            continue;
        f->secret[i] = true;
        fl_diags_hide(r->diags, v->span);
    }
    row->label = label(r, f, row);
    return row;
}

/* ---- instances ---- */

/* What the expanded texts of an instance may be: too long, or not to be shown. */
static void judge_name(res *r, const repetition *f, const lang_name *n)
{
    size_t total = 0, rows = 0;
    bool concealed = false;
    for (size_t i = 0; i < n->nparts; i++) {
        const lang_part *p = &n->parts[i];
        const est_variable *v = p->is_var && !p->row ? res_variable(r->e, p->text) : NULL;
        total += p->row ? strlen(p->row) : v && v->text ? strlen(v->text) : p->is_var ? 0 : p->len;
        rows += p->row ? strlen(p->row) : 0;
        concealed |= v && v->secret;
        for (size_t k = 0; p->row && k < f->vars->n; k++)
            concealed |= f->secret[k] && !strcmp(f->names[k], p->text);
    }
    if (total > RES_MAX_TEXT && total - rows <= RES_MAX_TEXT) /* else it was said where it is written */
        res_error(r, "syntax", n->span, "with its variables the text is longer than %u KiB", RES_MAX_TEXT >> 10);
    if (concealed)
        res_conceal(r, est_expand(r->e, n), n->text);
}

static void judge_value(res *r, const repetition *f, const lang_value *v)
{
    if (v->name.has_vars)
        judge_name(r, f, &v->name);
    if (v->second->has_vars && v->kind != LANG_V_CALL)
        judge_name(r, f, v->second);
    for (size_t i = 0; i < v->n; i++)
        judge_value(r, f, &v->items[i]);
}

static void judge_stmt(res *r, const repetition *f, const lang_stmt *s)
{
    for (size_t i = 0; i < s->nlists; i++)
        for (size_t k = 0; k < s->lists[i].n; k++)
            judge_value(r, f, &s->lists[i].items[k]);
    if (s->value)
        judge_value(r, f, s->value);
    for (size_t i = 0; s->block && i < s->block->n; i++)
        judge_stmt(r, f, s->block->stmts[i]);
}

/* How often a statement will be written out, as far as that is known before its list is judged. */
static size_t times(res *r, const lang_stmt *s)
{
    const lang_value *list = lang_get1(s, "list");
    const est_variable *named = list && list->kind == LANG_V_NAME ? res_variable(r->e, list->name.text) : NULL;
    list = named ? named->value : list;
    return !list ? 1 : list->kind == LANG_V_LIST ? list->n : 0;
}

static bool too_many(res *r, fl_span at)
{
    res_error(r, "syntax", at, "with its repetitions written out the estate has more than %u statements", MAX_STMTS);
    return false;
}

/* Is there room for all repetitions? Asked before the first is written out: a small file can ask for any number. */
static bool affordable(res *r)
{
    for (size_t i = 0; i < r->shared->files.n; i++) {
        const lang_block *top = r->shared->files.v[i]->top;
        r->nstmts += r->shared->sources.v[i].nstmts;
        if (r->nstmts > MAX_STMTS)
            return too_many(r, (fl_span){r->shared->files.v[i]->source, 0, 0});
        for (size_t k = 0; k < top->n; k++) {
            size_t n = times(r, top->stmts[k]), each = res_count(top->stmts[k]);
            const lang_list *vars = lang_get(top->stmts[k], "vars");
            if (n && each > (MAX_STMTS - r->nstmts) / n)
                return too_many(r, vars ? vars->span : top->stmts[k]->span);
            r->nstmts += n * each;
        }
    }
    return true;
}

static void repeat(res *r, const lang_stmt *s, bool room)
{
    repetition f;
    if (!room || !begin(r, s, &f)) {
        int kind = res_kind_of(s);
        r->e->incomplete = true;
        if (kind >= 0)
            r->unnamed[kind] = true;
        return;
    }
    f.names = FL_NEW_N(r->a, const char *, f.vars->n);
    f.secret = FL_NEW_N(r->a, bool, f.vars->n);
    for (size_t i = 0; i < f.vars->n; i++) {
        f.names[i] = f.vars->items[i].name.text;
        f.secret[i] = res_in_secret(s, f.names[i]);
    }
    for (size_t i = 0; i < f.list->n; i++) {
        const res_row *row = row_of(r, &f, &f.list->items[i]);
        res_copy c = {r->a, NULL, row};
        c.as =
            fl_source_because_of(r->a, s->span.src, f.list->items[i].span, fl_printf(r->a, "for %s", row->label), row);
        const lang_stmt *instance = res_copy_stmt(&c, s);
        judge_stmt(r, &f, instance);
        FL_PUSH(r->a, &r->top, instance);
    }
}

void res_repeat(res *r)
{
    bool room = affordable(r);
    r->first = FL_NEW_N(r->a, size_t, r->shared->files.n + 1);
    for (size_t i = 0; i < r->shared->files.n; i++) {
        const lang_block *top = r->shared->files.v[i]->top;
        r->first[i] = r->top.n;
        for (size_t k = 0; k < top->n; k++) {
            const lang_stmt *s = top->stmts[k];
            if (lang_get(s, "vars")) {
                repeat(r, s, room);
                continue;
            }
            FL_PUSH(r->a, &r->top, s);
        }
    }
    r->first[r->shared->files.n] = r->top.n;
}
