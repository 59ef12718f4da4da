/* format.c: the canonical form of a file: blank lines, comments, and the runs of statements that align
 * (docs/language.md 12). */
#include <string.h>

#include "lang/format.h"

#include "lang/parse.h"

/* A line of a block: a comment of its own, or a statement with what follows it. */
typedef struct item {
    const lang_stmt *stmt; /* NULL: comment */
    size_t token;          /* the comment */
    size_t trailing;       /* comment behind the statement's first part, 0 for none (token 0 can't trail) */
    size_t trailing_close; /* comment behind its closing brace */
    bool blank;            /* a blank line stands before it */
    lang_piece piece;
} item;
typedef FL_VEC(item) items;

static void print_block(const lang_printer *p, const lang_block *b, size_t from, size_t to, int indent, bool aligned);

static bool has_body(const lang_stmt *s)
{
    return s && s->block && s->block->n;
}

/* The comment behind token i on its line, 0 if there is none. */
static size_t trailing(const lang_printer *p, size_t i)
{
    return i + 1 < p->n && p->tokens[i + 1].kind == LT_COMMENT && !p->tokens[i + 1].first ? i + 1 : 0;
}

static size_t add_stmt(const lang_printer *p, items *all, const lang_stmt *s, bool blank, int indent)
{
    item it = {.stmt = s, .blank = blank, .piece = lang_piece_of(p, s, indent)};
    size_t last = it.piece.last;
    it.trailing = trailing(p, last);
    if (has_body(s)) {
        last = lang_token_at(p, s->block->close.from);
        it.trailing_close = trailing(p, last);
    }
    FL_PUSH(p->a, all, it);
    return last + 1;
}

/* Lines of the block whose tokens are [from, to). */
static items collect(const lang_printer *p, const lang_block *b, size_t from, size_t to, int indent)
{
    items all = {0};
    size_t lines = 0, next = 0;
    for (size_t i = from; i < to;) {
        const lang_token *t = &p->tokens[i];
        bool blank = lines > 1 && all.n;
        if (t->kind == LT_LINE) {
            lines++;
            i++;
            continue;
        }
        lines = 0;
        if (t->kind == LT_COMMENT && t->first) {
            FL_PUSH(p->a, &all, (item){.token = i, .blank = blank});
            i++;
        } else if (t->kind != LT_COMMENT && next < b->n) {
            i = add_stmt(p, &all, b->stmts[next++], blank, indent);
        } else {
            i++; /* a comment behind something, which the item before has */
        }
    }
    return all;
}

/* Exactly one blank line around a top-level block that has a body; comments right above it belong to it. */
static void separate(items *all)
{
    for (size_t i = 1; i < all->n; i++) {
        size_t k = i;
        while (k + 1 < all->n && !all->v[k].stmt && !all->v[k + 1].blank)
            k++;
        if (has_body(all->v[i - 1].stmt) || (has_body(all->v[k].stmt) && all->v[i - 1].stmt))
            all->v[i].blank = true;
    }
}

/* ---- runs ---- */

typedef enum { SHAPE_ASSIGN, SHAPE_FIELD, SHAPE_TAG, SHAPE_OTHER } shape;

static shape shape_of(const lang_stmt *s)
{
    if (s->value)
        return SHAPE_ASSIGN;
    if (s->head.name.quote == LANG_WORD && strcmp(s->head.name.text, "field") == 0)
        return SHAPE_FIELD;
    if (s->head.name.quote == LANG_WORD && strcmp(s->head.name.text, "tag") == 0)
        return SHAPE_TAG;
    return SHAPE_OTHER;
}

static void align_run(const lang_printer *p, item *run, size_t n)
{
    unsigned widest = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned w = run[i].piece.align ? lang_piece_width(p, &run[i].piece) : 0;
        run[i].piece.pad = w;
        widest = w > widest ? w : widest;
    }
    for (size_t i = 0; i < n; i++)
        run[i].piece.pad = run[i].piece.align ? widest - run[i].piece.pad : 0;
}

static void align(const lang_printer *p, items *all)
{
    for (size_t i = 0; i < all->n;) {
        size_t n = 1;
        if (all->v[i].stmt) {
            while (i + n < all->n && all->v[i + n].stmt && !all->v[i + n].blank && !has_body(all->v[i + n - 1].stmt) &&
                   shape_of(all->v[i + n].stmt) == shape_of(all->v[i].stmt))
                n++;
            align_run(p, &all->v[i], n);
        }
        i += n;
    }
}

/* ---- printing ---- */

static void print_trailing(const lang_printer *p, size_t comment)
{
    if (comment) {
        fl_buf_adds(p->out, "  ");
        lang_print_comment(p, comment);
    }
    fl_buf_addc(p->out, '\n');
}

static void print_item(const lang_printer *p, const item *it, int indent)
{
    if (it->blank)
        fl_buf_addc(p->out, '\n');
    if (!it->stmt) {
        lang_print_indent(p, indent);
        lang_print_comment(p, it->token);
        fl_buf_addc(p->out, '\n');
        return;
    }
    const lang_stmt *s = it->stmt;
    lang_print_piece(p, &it->piece);
    print_trailing(p, it->trailing);
    if (!has_body(s))
        return;
    bool test = indent == 0 && strcmp(s->head.name.text, "test") == 0;
    print_block(p, s->block, it->piece.last + 1, lang_token_at(p, s->block->close.from), indent + 1, !test);
    lang_print_indent(p, indent);
    fl_buf_addc(p->out, '}');
    print_trailing(p, it->trailing_close);
}

static void print_block(const lang_printer *p, const lang_block *b, size_t from, size_t to, int indent, bool aligned)
{
    items all = collect(p, b, from, to, indent);
    if (indent == 0)
        separate(&all);
    if (aligned)
        align(p, &all);
    for (size_t i = 0; i < all.n; i++)
        print_item(p, &all.v[i], indent);
}

void lang_format(const lang_file *file, fl_buf *out)
{
    const lang_trivia *t = file->trivia;
    lang_printer p = {.a = fl_arena_new(), .text = file->source->text, .tokens = t->tokens, .n = t->n, .out = out};
    if (!file->damaged)
        print_block(&p, file->top, 0, t->n, 0, true);
    fl_arena_free(p.a);
}
