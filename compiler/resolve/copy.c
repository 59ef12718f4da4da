/* copy.c: statements that stand in another place than they were written for: an instance of `for`, a default, what an
 * environment says. The copy has its spans in a source of its own, which says why it is there, and knows its row. */
#include <string.h>

#include "compiler/resolve/resolve.h"

static fl_span at(const res_copy *c, fl_span span)
{
    span.src = span.src ? c->as : NULL;
    return span;
}

static const char *row_text(const res_row *row, const char *name)
{
    for (size_t i = 0; row && i < row->n; i++)
        if (!strcmp(row->names[i], name))
            return row->texts[i];
    return NULL;
}

static void copy_parts(const res_copy *c, lang_name *n)
{
    lang_part *parts = FL_NEW_N(c->a, lang_part, n->nparts);
    memcpy(parts, n->parts, n->nparts * sizeof *parts);
    for (size_t i = 0; i < n->nparts; i++) {
        parts[i].span = at(c, parts[i].span);
        if (parts[i].is_var && !parts[i].row)
            parts[i].row = row_text(c->row, parts[i].text);
    }
    n->parts = parts;
}

static lang_name copy_name(const res_copy *c, lang_name n)
{
    n.span = at(c, n.span);
    if (n.has_vars) {
        copy_parts(c, &n);
    } else { /* nobody asks for them */
        n.parts = NULL;
        n.nparts = 0;
    }
    return n;
}

static const lang_name *copy_second(const res_copy *c, const lang_name *n)
{
    if (!n->span.src)
        return n;
    lang_name *copy = FL_NEW(c->a, lang_name);
    *copy = copy_name(c, *n);
    return copy;
}

static lang_value copy_value(const res_copy *c, lang_value v)
{
    const lang_value *items = v.items;
    const lang_name *keys = v.keys;
    v.span = at(c, v.span);
    v.name = copy_name(c, v.name);
    v.second = copy_second(c, v.second);
    if (v.n)
        v.items = FL_NEW_N(c->a, lang_value, v.n);
    if (v.n && keys)
        v.keys = FL_NEW_N(c->a, lang_name, v.n);
    for (size_t i = 0; i < v.n; i++) {
        v.items[i] = copy_value(c, items[i]);
        if (keys)
            v.keys[i] = copy_name(c, keys[i]);
    }
    return v;
}

static lang_list copy_list(const res_copy *c, const lang_list *l)
{
    lang_list out = {FL_NEW_N(c->a, lang_value, l->n), l->n, at(c, l->span)};
    for (size_t i = 0; i < l->n; i++)
        out.items[i] = copy_value(c, l->items[i]);
    return out;
}

/* A slot is one of the lists of the phrase, or a list that was made of a part of one. */
static const lang_list *copy_slot(const res_copy *c, const lang_stmt *from, const lang_stmt *to, const lang_list *slot)
{
    if (!slot)
        return NULL;
    for (size_t i = 0; i < from->nlists; i++)
        if (slot == &from->lists[i])
            return &to->lists[i];
    lang_list *own = FL_NEW(c->a, lang_list);
    *own = copy_list(c, slot);
    return own;
}

lang_stmt *res_copy_stmt(const res_copy *c, const lang_stmt *s)
{
    lang_stmt *out = FL_NEW(c->a, lang_stmt);
    size_t n = s->form ? lang_slots(s->form) : 0;
    *out = *s;
    out->span = at(c, s->span);
    out->head = copy_value(c, s->head);
    out->lists = FL_NEW_N(c->a, lang_list, s->nlists);
    for (size_t i = 0; i < s->nlists; i++)
        out->lists[i] = copy_list(c, &s->lists[i]);
    if (s->value) {
        out->value = FL_NEW(c->a, lang_value);
        *out->value = copy_value(c, *s->value);
    }
    out->slots = FL_NEW_N(c->a, const lang_list *, n);
    for (size_t i = 0; i < n; i++)
        out->slots[i] = copy_slot(c, s, out, s->slots[i]);
    if (s->block)
        out->block = res_copy_block(c, s->block);
    return out;
}

lang_block *res_copy_block(const res_copy *c, const lang_block *b)
{
    lang_block *out = FL_NEW(c->a, lang_block);
    *out = *b;
    out->open = at(c, b->open);
    out->close = at(c, b->close);
    out->stmts = FL_NEW_N(c->a, lang_stmt *, b->n);
    for (size_t i = 0; i < b->n; i++)
        out->stmts[i] = res_copy_stmt(c, b->stmts[i]);
    return out;
}
