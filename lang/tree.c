/* tree.c: builds the tree for the grammar. */
#include <string.h>

#include "lang/syntax.h"

fl_span lang_span(const lang_reader *r, lang_loc at)
{
    return (fl_span){r->src, at.from, at.to};
}

fl_diag *lang_error(lang_reader *r, lang_loc at, const char *fmt, ...)
{
    r->damaged = true;
    if (r->ended)
        return NULL;
    va_list ap;
    va_start(ap, fmt);
    const char *text = fl_vprintf(r->a, fmt, ap);
    va_end(ap);
    if (++r->errors > LANG_MAX_ERRORS) {
        r->ended = true;
        return fl_diag_add(r->diags, "syntax", FL_ERROR, lang_span(r, at),
                           "more than %d errors in this file; the rest of it was not read", LANG_MAX_ERRORS);
    }
    return fl_diag_add(r->diags, "syntax", FL_ERROR, lang_span(r, at), "%s", text);
}

void lang_limit(lang_reader *r, lang_loc at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = fl_vprintf(r->a, fmt, ap);
    va_end(ap);
    fl_diag *d = lang_error(r, at, "%s", text);
    if (d)
        fl_diag_help(r->diags, d, "the rest of the file was not read");
    r->ended = true;
}

const lang_name lang_no_name = {.text = "", .quote = LANG_STRING};

/* What was collected in the scratch arena, in a piece of the tree that is just as large. */
static void *settled(const lang_reader *r, const void *v, size_t n, size_t size)
{
    if (!n)
        return NULL;
    void *p = fl_alloc_n(r->tree, n, size);
    return memcpy(p, v, n * size);
}

lang_value lang_tree_name(const lang_reader *r, uint32_t raw)
{
    const lang_name *n = r->raw.v[raw].name;
    return (lang_value){.kind = LANG_V_NAME, .span = n->span, .name = *n, .second = &lang_no_name};
}

lang_value lang_tree_pair(const lang_reader *r, lang_value a, lang_value b)
{
    a.kind = LANG_V_PAIR;
    lang_name *second = FL_NEW(r->tree, lang_name);
    *second = b.name;
    a.second = second;
    a.span.to = b.span.to;
    return a;
}

lang_value lang_tree_call(const lang_reader *r, lang_value function, lang_value text, fl_span span)
{
    lang_name *second = FL_NEW(r->tree, lang_name);
    *second = text.name;
    return (lang_value){.kind = LANG_V_CALL, .span = span, .name = function.name, .second = second};
}

/* true if a list may grow; reports the first item that is too many */
static bool room(lang_reader *r, size_t n, fl_span span)
{
    if (n < LANG_MAX_LIST)
        return true;
    lang_limit(r, (lang_loc){span.from, span.to}, "a list of more than %d items", LANG_MAX_LIST);
    return false;
}

lang_values *lang_tree_push(lang_reader *r, lang_values *list, lang_value v)
{
    if (!list)
        list = FL_NEW(r->scratch, lang_values);
    if (room(r, list->n, v.span))
        FL_PUSH(r->scratch, list, v);
    return list;
}

lang_value lang_tree_list(const lang_reader *r, const lang_values *items, fl_span span)
{
    size_t n = items ? items->n : 0;
    return (lang_value){.kind = LANG_V_LIST,
                        .span = span,
                        .second = &lang_no_name,
                        .items = n ? settled(r, items->v, n, sizeof *items->v) : NULL,
                        .n = n};
}

lang_members *lang_tree_member(lang_reader *r, lang_members *m, lang_value key, lang_value v)
{
    if (!m)
        m = FL_NEW(r->scratch, lang_members);
    if (room(r, m->values.n, key.span)) {
        FL_PUSH(r->scratch, &m->keys, key.name);
        FL_PUSH(r->scratch, &m->values, v);
    }
    return m;
}

lang_value lang_tree_object(const lang_reader *r, const lang_members *m, fl_span span)
{
    lang_value v = {.kind = LANG_V_OBJECT, .span = span, .second = &lang_no_name};
    if (m) {
        v.keys = settled(r, m->keys.v, m->keys.n, sizeof *m->keys.v);
        v.items = settled(r, m->values.v, m->values.n, sizeof *m->values.v);
        v.n = m->values.n;
    }
    return v;
}

lang_lists *lang_tree_lists(lang_reader *r, lang_lists *lists, const lang_values *items)
{
    lang_list l = {.items = settled(r, items->v, items->n, sizeof *items->v), .n = items->n, .span = items->v[0].span};
    l.span.to = items->v[items->n - 1].span.to;
    if (!lists)
        lists = FL_NEW(r->scratch, lang_lists);
    if (room(r, lists->n, l.span))
        FL_PUSH(r->scratch, lists, l);
    return lists;
}

lang_stmt *lang_tree_phrase(lang_reader *r, lang_value head, lang_lists *lists)
{
    lang_stmt *s = FL_NEW(r->tree, lang_stmt);
    s->head = head;
    s->span = head.span;
    if (lists) {
        s->lists = settled(r, lists->v, lists->n, sizeof *lists->v);
        s->nlists = lists->n;
        s->span.to = lists->v[lists->n - 1].span.to;
    }
    return s;
}

/* A statement that could not be read: its first word, if it has one, and its block. */
lang_stmt *lang_tree_damaged(lang_reader *r, lang_loc at, lang_block *block)
{
    lang_stmt *s = FL_NEW(r->tree, lang_stmt);
    s->damaged = true;
    s->block = block;
    s->span = lang_span(r, (lang_loc){at.from, block ? block->open.to : at.to});
    size_t lo = 0, hi = r->raw.n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (r->raw.v[mid].from < at.from)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < r->raw.n && r->raw.v[lo].name)
        s->head = lang_tree_name(r, (uint32_t)lo);
    else
        s->head = (lang_value){
            .kind = LANG_V_NAME, .span = s->span, .name = {.text = "", .span = s->span}, .second = &lang_no_name};
    return s;
}

lang_stmts *lang_tree_stmt(lang_reader *r, lang_stmts *stmts, lang_stmt *s)
{
    if (!stmts)
        stmts = FL_NEW(r->scratch, lang_stmts);
    FL_PUSH(r->scratch, stmts, s);
    return stmts;
}

lang_block *lang_tree_block(lang_reader *r, const lang_stmts *stmts, lang_loc open, lang_loc close)
{
    lang_block *b = FL_NEW(r->tree, lang_block);
    b->open = lang_span(r, open);
    b->close = lang_span(r, close);
    b->stmts = stmts ? settled(r, stmts->v, stmts->n, sizeof *stmts->v) : NULL;
    b->n = stmts ? stmts->n : 0;
    return b;
}

lang_expr *lang_tree_expr(lang_reader *r, lang_ekind kind, lang_expr *left, lang_expr *right, fl_span span)
{
    lang_expr *e = FL_NEW(r->tree, lang_expr);
    e->kind = kind;
    e->left = left;
    e->right = right;
    e->span = span;
    return e;
}

lang_expr *lang_tree_operand(lang_reader *r, lang_value v, fl_span span)
{
    lang_expr *e = lang_tree_expr(r, LANG_E_OPERAND, NULL, NULL, span);
    if (v.kind == LANG_V_PAIR) {
        e->index = *v.second;
        v.kind = LANG_V_NAME;
    }
    e->operand = v;
    return e;
}

lang_exprs *lang_tree_chain(lang_reader *r, lang_exprs *chain, lang_expr *e)
{
    if (!chain)
        chain = FL_NEW(r->scratch, lang_exprs);
    if (room(r, chain->n, e->span))
        FL_PUSH(r->scratch, chain, e);
    return chain;
}

static lang_expr *join(lang_reader *r, lang_ekind kind, lang_expr **v, size_t n)
{
    if (n == 1)
        return v[0];
    lang_expr *left = join(r, kind, v, n / 2), *right = join(r, kind, v + n / 2, n - n / 2);
    fl_span span = left->span;
    span.to = right->span.to;
    return lang_tree_expr(r, kind, left, right, span);
}

lang_expr *lang_tree_join(lang_reader *r, lang_ekind kind, const lang_exprs *chain)
{
    return join(r, kind, chain->v, chain->n);
}
