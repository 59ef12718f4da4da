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

/* ---- values ---- */

/* What was collected on a stack, in a piece of the tree that is just as large. */
static void *settled(const lang_reader *r, const void *v, size_t n, size_t size)
{
    if (!n)
        return NULL;
    void *p = fl_alloc_n(r->tree, n, size);
    return memcpy(p, v, n * size);
}

static lang_value *push(lang_reader *r)
{
    FL_PUSH(r->scratch, &r->values, (lang_value){.second = &lang_no_name});
    return &r->values.v[r->values.n - 1];
}

static const lang_value *pop(lang_reader *r)
{
    return &r->values.v[--r->values.n];
}

static lang_name name_of(const lang_reader *r, uint32_t raw)
{
    return *r->raw.v[raw].name;
}

static void set_name(lang_value *v, const lang_name *n)
{
    v->kind = LANG_V_NAME;
    v->span = n->span;
    v->name = *n;
}

void lang_tree_name(lang_reader *r, uint32_t raw)
{
    set_name(push(r), r->raw.v[raw].name);
}

static const lang_name *second(lang_reader *r, uint32_t raw)
{
    lang_name *n = FL_NEW(r->tree, lang_name);
    *n = name_of(r, raw);
    return n;
}

void lang_tree_pair(lang_reader *r, uint32_t first, uint32_t other)
{
    lang_value *v = push(r);
    set_name(v, r->raw.v[first].name);
    v->kind = LANG_V_PAIR;
    v->second = second(r, other);
    v->span.to = v->second->span.to;
}

void lang_tree_call(lang_reader *r, uint32_t function, uint32_t text, fl_span span)
{
    lang_value *v = push(r);
    *v = (lang_value){.kind = LANG_V_CALL, .span = span, .name = name_of(r, function), .second = second(r, text)};
}

void lang_tree_list(lang_reader *r, lang_range items, fl_span span)
{
    lang_value *all = items.n ? settled(r, &r->values.v[items.from], items.n, sizeof *all) : NULL;
    if (items.n)
        r->values.n = items.from;
    lang_value *v = push(r);
    v->kind = LANG_V_LIST;
    v->span = span;
    v->items = all;
    v->n = items.n;
}

void lang_tree_object(lang_reader *r, const lang_members *m, fl_span span)
{
    lang_value *v = push(r);
    v->kind = LANG_V_OBJECT;
    v->span = span;
    if (!m)
        return;
    v->keys = settled(r, m->keys.v, m->keys.n, sizeof *m->keys.v);
    v->items = settled(r, m->values.v, m->values.n, sizeof *m->values.v);
    v->n = (uint32_t)m->values.n;
}

/* ---- lists ---- */

/* true if a list may grow; reports the first item that is too many */
static bool room(lang_reader *r, size_t n, fl_span span)
{
    if (n < LANG_MAX_LIST)
        return true;
    lang_limit(r, (lang_loc){span.from, span.to}, "a list of more than %d items", LANG_MAX_LIST);
    return false;
}

lang_range lang_tree_first(lang_reader *r)
{
    return (lang_range){(uint32_t)r->values.n - 1, 1};
}

lang_range lang_tree_next(lang_reader *r, lang_range list)
{
    const lang_value *v = pop(r);
    if (!room(r, list.n, v->span))
        return list;
    r->values.v[list.from + list.n] = *v; /* it is there already */
    r->values.n = list.from + list.n + 1;
    return (lang_range){list.from, list.n + 1};
}

lang_members *lang_tree_member(lang_reader *r, lang_members *m, uint32_t key)
{
    const lang_value *v = pop(r);
    if (!m)
        m = FL_NEW(r->scratch, lang_members);
    if (room(r, m->values.n, r->raw.v[key].name->span)) {
        FL_PUSH(r->scratch, &m->keys, name_of(r, key));
        FL_PUSH(r->scratch, &m->values, *v);
    }
    return m;
}

lang_value *lang_tree_value(lang_reader *r)
{
    return settled(r, pop(r), 1, sizeof(lang_value));
}

lang_range lang_tree_lists(lang_reader *r, lang_range lists, lang_range items)
{
    const lang_value *v = &r->values.v[items.from];
    lang_list l = {.items = settled(r, v, items.n, sizeof *v), .n = items.n, .span = v->span};
    l.span.to = v[items.n - 1].span.to;
    r->values.n = items.from;
    if (!room(r, lists.n, l.span))
        return lists;
    r->lists.n = lists.from + lists.n;
    FL_PUSH(r->scratch, &r->lists, l);
    return (lang_range){lists.from, lists.n + 1};
}

/* ---- statements ---- */

lang_stmt *lang_tree_phrase(lang_reader *r, uint32_t head)
{
    lang_stmt *s = FL_NEW(r->tree, lang_stmt);
    s->head.second = &lang_no_name;
    set_name(&s->head, r->raw.v[head].name);
    s->span = s->head.span;
    return s;
}

void lang_tree_rest(lang_reader *r, lang_stmt *s, lang_range lists)
{
    s->lists = settled(r, &r->lists.v[lists.from], lists.n, sizeof *s->lists);
    s->nlists = lists.n;
    s->span.to = s->lists[lists.n - 1].span.to;
    r->lists.n = lists.from;
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
    s->head.second = &lang_no_name;
    if (lo < r->raw.n && r->raw.v[lo].name)
        set_name(&s->head, r->raw.v[lo].name);
    else
        s->head = (lang_value){
            .kind = LANG_V_NAME, .span = s->span, .name = {.text = "", .span = s->span}, .second = &lang_no_name};
    return s;
}

lang_range lang_tree_stmts(lang_reader *r)
{
    return (lang_range){(uint32_t)r->stmts.n, 0};
}

lang_range lang_tree_stmt(lang_reader *r, lang_range stmts, lang_stmt *s)
{
    r->stmts.n = stmts.from + stmts.n;
    FL_PUSH(r->scratch, &r->stmts, s);
    return (lang_range){stmts.from, stmts.n + 1};
}

lang_block *lang_tree_block(lang_reader *r, lang_range stmts, lang_loc open, lang_loc close)
{
    lang_block *b = FL_NEW(r->tree, lang_block);
    b->open = lang_span(r, open);
    b->close = lang_span(r, close);
    b->stmts = stmts.n ? settled(r, &r->stmts.v[stmts.from], stmts.n, sizeof *b->stmts) : NULL;
    b->n = stmts.n;
    r->stmts.n = stmts.from;
    return b;
}

/* ---- expressions ---- */

lang_expr *lang_tree_expr(lang_reader *r, lang_ekind kind, lang_expr *left, lang_expr *right, fl_span span)
{
    lang_expr *e = FL_NEW(r->tree, lang_expr);
    e->kind = kind;
    e->left = left;
    e->right = right;
    e->span = span;
    return e;
}

lang_expr *lang_tree_every(lang_reader *r, lang_ekind kind, uint32_t property, lang_expr *inner, fl_span span)
{
    lang_expr *e = lang_tree_expr(r, kind, inner, NULL, span);
    e->property = name_of(r, property);
    return e;
}

lang_expr *lang_tree_operand(lang_reader *r, fl_span span)
{
    lang_expr *e = lang_tree_expr(r, LANG_E_OPERAND, NULL, NULL, span);
    e->operand = *pop(r);
    if (e->operand.kind == LANG_V_PAIR) {
        e->index = *e->operand.second;
        e->operand.kind = LANG_V_NAME;
    }
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
