/* format_stmt.c: one statement in canonical form: spaces between tokens, and where its lists break. Nothing here looks
 * at columns of the input. */
#include <string.h>

#include "lang/format.h"

#include "lang/parse.h"

size_t lang_token_at(const lang_printer *p, uint32_t offset)
{
    size_t lo = 0, hi = p->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (p->tokens[mid].from < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

unsigned lang_width(const char *s, size_t n)
{
    unsigned w = 0;
    for (size_t i = 0; i < n; i++)
        w += ((unsigned char)s[i] & 0xc0) != 0x80;
    return w;
}

static unsigned token_width(const lang_printer *p, size_t i)
{
    return lang_width(p->text + p->tokens[i].from, p->tokens[i].to - p->tokens[i].from);
}

void lang_print_indent(const lang_printer *p, int levels)
{
    for (int i = 0; i < levels * LANG_INDENT; i++)
        fl_buf_addc(p->out, ' ');
}

void lang_print_comment(const lang_printer *p, size_t token)
{
    uint32_t from = p->tokens[token].from, to = p->tokens[token].to;
    while (to > from && (p->text[to - 1] == ' ' || p->text[to - 1] == '\t'))
        to--;
    fl_buf_add(p->out, p->text + from, to - from);
}

static bool is(const lang_value *v, const char *word)
{
    return v->kind == LANG_V_NAME && v->name.quote == LANG_WORD && strcmp(v->name.text, word) == 0;
}

/* ---- which token aligns ---- */

static uint32_t align_offset(const lang_stmt *s)
{
    if (s->value || !(s->nlists || s->expr))
        return 0;
    if (is(&s->head, "field") && s->nlists > 1 && s->lists[1].n == 1 && is(&s->lists[1].items[0], "is"))
        return s->lists[1].span.from;
    if (is(&s->head, "tag")) {
        const lang_value *v = s->nlists > 1 ? &s->lists[1].items[0] : NULL;
        return v && v->kind == LANG_V_NAME && v->name.quote != LANG_WORD ? v->span.from : 0;
    }
    if (lang_width(s->head.name.text, s->head.name.len) > LANG_ALIGNED_HEAD)
        return 0;
    return s->expr ? s->expr->span.from : s->lists[0].span.from;
}

lang_piece lang_piece_of(const lang_printer *p, const lang_stmt *s, int indent)
{
    uint32_t end = !s->block ? s->span.to : s->block->n ? s->block->open.to : s->block->close.to;
    lang_piece piece = {
        .stmt = s, .first = lang_token_at(p, s->span.from), .last = lang_token_at(p, end), .indent = indent};
    do
        piece.last--;
    while (p->tokens[piece.last].kind == LT_LINE || p->tokens[piece.last].kind == LT_COMMENT);
    if (s->value) {
        piece.align = lang_token_at(p, s->value->span.from) - 1;
        while (p->tokens[piece.align].kind != LT_ASSIGN)
            piece.align--;
    } else if (s->expr) {
        piece.align =
            align_offset(s) ? piece.first + 1 : 0; /* an open parenthesis is no part of the expression's span */
    } else {
        uint32_t at = align_offset(s);
        piece.align = at ? lang_token_at(p, at) : 0;
    }
    for (size_t i = piece.first; i < piece.align; i++)
        if (p->tokens[i].kind == LT_COMMENT || p->tokens[i].kind == LT_LINE)
            piece.align = 0; /* what stands on another line aligns with nothing */
    return piece;
}

/* ---- spaces ---- */

typedef struct spacing {
    const lang_piece *piece;
    bool connector; /* `connector NAME : TYPE` has spaces at its colon, other pairs have none */
    unsigned char open[LANG_MAX_DEPTH + 1];
    size_t depth;
} spacing;

static spacing spacing_of(const lang_piece *piece)
{
    return (spacing){.piece = piece, .connector = is(&piece->stmt->head, "connector")};
}

static bool opens(int k)
{
    return k == LT_BRACE || k == LT_BRACKET || k == LT_PAREN;
}

static bool closes(int k)
{
    return k == LT_ENDBRACE || k == LT_ENDBRACKET || k == LT_ENDPAREN;
}

/* Is there a space between two neighbours? inside: in a JSON object. */
static bool space(const spacing *sp, int a, int b)
{
    bool object = sp->depth && sp->open[sp->depth - 1] == 'o';
    if (a == LT_PAREN || b == LT_ENDPAREN || a == LT_BRACKET || b == LT_ENDBRACKET || b == LT_COMMA)
        return false;
    if (a == LT_BRACE && b == LT_ENDBRACE)
        return false;
    if (b == LT_COLON)
        return !object && sp->connector;
    if (a == LT_COLON)
        return object || sp->connector;
    if (b == LT_PAREN)
        return sp->piece->stmt->expr != NULL;
    if (b == LT_BRACKET)
        return !(sp->piece->stmt->expr && a == LT_WORD);
    return true;
}

static void track(spacing *sp, int k)
{
    if (opens(k) && sp->depth < LANG_MAX_DEPTH)
        sp->open[sp->depth++] = k == LT_BRACE ? 'o' : 'l';
}

unsigned lang_piece_width(const lang_printer *p, const lang_piece *piece)
{
    spacing sp = spacing_of(piece);
    unsigned w = 0;
    for (size_t i = piece->first; i < piece->align; i++) {
        int k = p->tokens[i].kind;
        if (closes(k) && sp.depth)
            sp.depth--;
        w += (i > piece->first && space(&sp, p->tokens[i - 1].kind, k)) + token_width(p, i);
        track(&sp, k);
    }
    return w;
}

/* ---- lists that may break ---- */

typedef struct breakable {
    FL_VEC(size_t) before; /* tokens that start a line when it is broken */
    size_t first, last;    /* its tokens */
    unsigned width;
    bool broken;
} breakable;
typedef FL_VEC(breakable) breakables;

static void add_breakable(const lang_printer *p, breakables *all, breakable b)
{
    for (size_t i = b.first; i <= b.last; i++) {
        if (p->tokens[i].kind == LT_COMMENT)
            b.broken = true;
        else if (p->tokens[i].kind != LT_LINE)
            b.width += token_width(p, i) + 1;
    }
    FL_PUSH(p->a, all, b);
}

static void add_list(const lang_printer *p, breakables *all, const lang_list *l)
{
    breakable b = {.first = lang_token_at(p, l->span.from), .last = lang_token_at(p, l->span.to) - 1};
    for (size_t i = 1; i < l->n; i++)
        FL_PUSH(p->a, &b.before, lang_token_at(p, l->items[i].span.from));
    if (l->n > 1)
        add_breakable(p, all, b);
}

static void add_bracket(const lang_printer *p, breakables *all, const lang_value *v)
{
    if (v->kind != LANG_V_LIST || v->n == 0)
        return;
    breakable b = {.first = lang_token_at(p, v->span.from), .last = lang_token_at(p, v->span.to) - 1};
    while (p->tokens[b.last].kind != LT_ENDBRACKET)
        b.last--;
    for (size_t i = 0; i < v->n; i++)
        FL_PUSH(p->a, &b.before, lang_token_at(p, v->items[i].span.from));
    FL_PUSH(p->a, &b.before, b.last);
    add_breakable(p, all, b);
}

/* A condition in parentheses, of several parts: one part a line, each beginning with its `and` or `or`. */
static void add_group(const lang_printer *p, breakables *all, size_t first, size_t last)
{
    breakable b = {.first = first, .last = last};
    size_t depth = 0, words = 0;
    for (size_t i = first + 1; i <= last; i++) {
        int k = p->tokens[i].kind;
        if (k == LT_LINE || k == LT_COMMENT)
            continue;
        depth -= closes(k) && i < last;
        bool word = depth == 0 && (k == LT_AND || k == LT_OR);
        if (word || b.before.n == 0 || i == last)
            FL_PUSH(p->a, &b.before, i);
        words += word;
        depth += opens(k);
    }
    if (words)
        add_breakable(p, all, b);
}

static void add_groups(const lang_printer *p, breakables *all, const lang_piece *piece)
{
    size_t stack[LANG_MAX_DEPTH + 1], depth = 0;
    for (size_t i = piece->first; i <= piece->last; i++) {
        int k = p->tokens[i].kind;
        if (opens(k) && depth <= LANG_MAX_DEPTH)
            stack[depth++] = i;
        if (closes(k) && depth && k == LT_ENDPAREN)
            add_group(p, all, stack[depth - 1], i);
        if (closes(k) && depth)
            depth--;
    }
}

static breakables breakables_of(const lang_printer *p, const lang_piece *piece)
{
    breakables all = {0};
    const lang_stmt *s = piece->stmt;
    for (size_t i = 0; i < s->nlists; i++) {
        add_list(p, &all, &s->lists[i]);
        for (size_t k = 0; k < s->lists[i].n; k++)
            add_bracket(p, &all, &s->lists[i].items[k]);
    }
    if (s->value)
        add_bracket(p, &all, s->value);
    if (s->expr)
        add_groups(p, &all, piece);
    return all;
}

/* ---- printing ---- */

typedef struct line_state {
    const lang_printer *p;
    const lang_piece *piece;
    spacing sp;
    const bool *breaks; /* by token, from piece->first */
    size_t prev;        /* token printed last, or none */
    bool any, pending;  /* a token was printed; the next one starts a line */
    bool comment;       /* a comment was printed since */
    size_t objects;     /* JSON objects that are open */
} line_state;

static void new_line(line_state *st, int levels)
{
    fl_buf_addc(st->p->out, '\n');
    lang_print_indent(st->p, st->piece->indent + levels);
}

static void print_inner_comment(line_state *st, size_t i)
{
    if (st->p->tokens[i].first)
        new_line(st, st->sp.depth ? (int)st->sp.depth : 1);
    else
        fl_buf_adds(st->p->out, "  ");
    lang_print_comment(st->p, i);
    st->pending = st->comment = true;
}

static void print_token(line_state *st, size_t i)
{
    const lang_token *t = &st->p->tokens[i];
    int before = st->any ? st->p->tokens[st->prev].kind : 0;
    if (closes(t->kind) && st->sp.depth) {
        st->objects -= t->kind == LT_ENDBRACE && st->objects;
        st->sp.depth--;
    }
    bool empty = before == LT_BRACE && t->kind == LT_ENDBRACE && !st->comment;
    if ((st->pending && !empty) || st->breaks[i - st->piece->first])
        new_line(st, st->sp.depth ? (int)st->sp.depth : closes(t->kind) ? 0 : 1);
    else if (st->any && space(&st->sp, before, t->kind))
        fl_buf_addc(st->p->out, ' ');
    if (i == st->piece->align)
        for (unsigned k = 0; k < st->piece->pad; k++)
            fl_buf_addc(st->p->out, ' ');
    fl_buf_add(st->p->out, st->p->text + t->from, t->to - t->from);
    bool block = t->kind == LT_BRACE && i == st->piece->last;
    if (!block)
        track(&st->sp, t->kind);
    st->objects += t->kind == LT_BRACE && !block;
    st->prev = i;
    st->any = true;
    st->pending = st->comment = false;
}

static void print_with(const lang_printer *p, const lang_piece *piece, const bool *breaks)
{
    line_state st = {.p = p, .piece = piece, .sp = spacing_of(piece), .breaks = breaks};
    lang_print_indent(p, piece->indent);
    for (size_t i = piece->first; i <= piece->last; i++) {
        int k = p->tokens[i].kind;
        if (k == LT_LINE)
            st.pending |= st.objects > 0;
        else if (k == LT_COMMENT)
            print_inner_comment(&st, i);
        else
            print_token(&st, i);
    }
}

/* Is any line from this offset of the output on too wide? */
static bool too_wide(const fl_buf *out, size_t from)
{
    for (size_t i = from; i < out->len;) {
        const char *end = memchr(out->p + i, '\n', out->len - i);
        size_t n = end ? (size_t)(end - out->p) - i : out->len - i;
        if (lang_width(out->p + i, n) > LANG_WIDTH)
            return true;
        i += n + 1;
    }
    return false;
}

static void apply(bool *breaks, const breakable *b, size_t first)
{
    for (size_t i = 0; i < b->before.n; i++)
        breaks[b->before.v[i] - first] = true;
}

void lang_print_piece(const lang_printer *p, const lang_piece *piece)
{
    breakables all = breakables_of(p, piece);
    bool *breaks = FL_NEW_N(p->a, bool, piece->last - piece->first + 1);
    size_t start = p->out->len;
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].broken)
            apply(breaks, &all.v[i], piece->first);
    print_with(p, piece, breaks);
    for (size_t round = 0; round < 8 && too_wide(p->out, start); round++) {
        breakable *widest = NULL;
        for (size_t i = 0; i < all.n; i++)
            if (!all.v[i].broken && (!widest || all.v[i].width > widest->width))
                widest = &all.v[i];
        if (!widest)
            return;
        widest->broken = true;
        apply(breaks, widest, piece->first);
        p->out->len = start;
        print_with(p, piece, breaks);
    }
}
