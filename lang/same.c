/* same.c: do two files say the same? What `flec fmt` asks before it overwrites anything. */
#include <string.h>

#include "lang/syntax.h"

#include "lang/parse.h"

static bool same_name(const lang_name *a, const lang_name *b)
{
    return (a->text == NULL) == (b->text == NULL) && a->quote == b->quote && a->len == b->len &&
           a->has_vars == b->has_vars && (!a->text || memcmp(a->text, b->text, a->len) == 0);
}

/* An expression without an operand has an empty value there. */
static const lang_name *second(const lang_value *v)
{
    return v->second ? v->second : &lang_no_name;
}

static bool same_value(const lang_value *a, const lang_value *b)
{
    if (a->kind != b->kind || a->n != b->n || !same_name(&a->name, &b->name) || !same_name(second(a), second(b)))
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_value(&a->items[i], &b->items[i]) ||
            (a->kind == LANG_V_OBJECT && !same_name(&a->keys[i], &b->keys[i])))
            return false;
    return true;
}

static bool same_list(const lang_list *a, const lang_list *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_value(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static bool same_expr(const lang_expr *a, const lang_expr *b)
{
    if (!a || !b)
        return a == b;
    return a->kind == b->kind && a->op == b->op && same_value(&a->operand, &b->operand) &&
           same_name(&a->index, &b->index) && same_name(&a->property, &b->property) && same_expr(a->left, b->left) &&
           same_expr(a->right, b->right);
}

static bool same_block(const lang_block *a, const lang_block *b);

static bool same_stmt(const lang_stmt *a, const lang_stmt *b)
{
    if (a->nlists != b->nlists || !same_value(&a->head, &b->head) || !a->value != !b->value || !a->block != !b->block)
        return false;
    for (size_t i = 0; i < a->nlists; i++)
        if (!same_list(&a->lists[i], &b->lists[i]))
            return false;
    return (!a->value || same_value(a->value, b->value)) && same_expr(a->expr, b->expr) &&
           (!a->block || same_block(a->block, b->block));
}

static bool same_block(const lang_block *a, const lang_block *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_stmt(a->stmts[i], b->stmts[i]))
            return false;
    return true;
}

/* The next comment at or behind *i, without spaces at its end. */
static bool next_comment(const lang_file *f, size_t *i, const char **text, size_t *len)
{
    const lang_trivia *t = f->trivia;
    while (*i < t->n && t->tokens[*i].kind != LT_COMMENT)
        ++*i;
    if (*i == t->n)
        return false;
    *text = f->source->text + t->tokens[*i].from;
    *len = t->tokens[*i].to - t->tokens[*i].from;
    while (*len && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
        --*len;
    ++*i;
    return true;
}

static bool same_comments(const lang_file *a, const lang_file *b)
{
    const char *s, *t;
    size_t i = 0, k = 0, n, m;
    for (;;) {
        bool more = next_comment(a, &i, &s, &n);
        if (next_comment(b, &k, &t, &m) != more)
            return false;
        if (!more)
            return true;
        if (n != m || memcmp(s, t, n) != 0)
            return false;
    }
}

bool lang_same(const lang_file *a, const lang_file *b)
{
    return !a->damaged && !b->damaged && same_block(a->top, b->top) && same_comments(a, b);
}
