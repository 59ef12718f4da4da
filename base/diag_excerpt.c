/* diag_excerpt.c: lines of a source with marks under them: carets under what a diagnostic is about, dashes under what
 * belongs to it, each with its label.
 *
 *        12 |     field ssn is PIII
 *           |     ---------    ^^^^ not declared
 *           |     |
 *           |     of this field
 *
 * A mark over several lines is drawn on its first and on its last one. */
#include <stdlib.h>
#include <string.h>

#include "base/diag_show.h"
#include "base/text.h"

#define LINE_SHOWN 160 /* bytes of a source line that are shown, around a mark */

/* A mark, or an end of one, on one line. */
typedef struct piece {
    unsigned line;        /* from 1 */
    size_t from, to;      /* bytes of the source; on the line */
    unsigned left, width; /* columns in what is shown */
    const char *label;    /* or NULL */
    bool primary;
} piece;

typedef FL_VEC(piece) pieces;

static size_t line_end(const fl_source *s, unsigned line)
{
    return line < s->nlines ? s->lines[line] - 1 : s->len;
}

/* ---- marks to pieces ---- */

static void add_piece(const fl_printer *p, pieces *all, const fl_mark *m, unsigned line, size_t from, size_t to)
{
    size_t end = line_end(m->span.src, line);
    from = from > end ? end : from;
    to = to > end ? end : to < from ? from : to;
    FL_PUSH(p->ds->arena, all, (piece){.line = line, .from = from, .to = to, .primary = m->primary});
}

static size_t first_shown(const fl_source *s, unsigned line)
{
    size_t at = s->lines[line - 1], end = line_end(s, line);
    while (at < end && (s->text[at] == ' ' || s->text[at] == '\t'))
        at++;
    return at;
}

static void add_mark(const fl_printer *p, pieces *all, const fl_mark *m)
{
    const fl_source *s = m->span.src;
    unsigned first, last, column;
    size_t to = m->span.to > s->len ? s->len : m->span.to;
    if (to > m->span.from && s->text[to - 1] == '\n')
        to--; /* a line's end belongs to its line */
    fl_source_place(s, m->span.from, &first, &column);
    fl_source_place(s, (uint32_t)to, &last, &column);
    add_piece(p, all, m, first, m->span.from, to);
    if (last > first)
        add_piece(p, all, m, last, first_shown(s, last), to);
    all->v[all->n - 1].label = m->label;
}

static int by_place(const void *a, const void *b)
{
    const piece *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x->primary - y->primary;
}

/* ---- one line ---- */

/* A cut that does not fall into a character. */
static size_t whole(const char *text, size_t at, size_t from)
{
    while (at > from && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

typedef struct window {
    size_t from, to; /* bytes that are shown */
    bool cut_before, cut_behind;
} window;

/* Of a long line the part around the primary mark, or around the first one. */
static window window_of(const fl_source *s, const piece *v, size_t n)
{
    size_t begin = s->lines[v->line - 1], end = line_end(s, v->line), at = v->from;
    for (size_t i = 0; i < n; i++)
        if (v[i].primary)
            at = v[i].from;
    window w = {begin, end, false, false};
    if (at - begin > LINE_SHOWN / 2 && end - begin > LINE_SHOWN)
        w.from = whole(s->text, at - LINE_SHOWN / 2, begin);
    if (w.to - w.from > LINE_SHOWN)
        w.to = whole(s->text, w.from + LINE_SHOWN, w.from);
    w.cut_before = w.from > begin;
    w.cut_behind = w.to < end;
    return w;
}

static size_t within(size_t at, const window *w)
{
    return at < w->from ? w->from : at > w->to ? w->to : at;
}

static void measure(const fl_source *s, const window *w, piece *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t from = within(v[i].from, w), to = within(v[i].to, w);
        v[i].left = fl_shown_width(s->text + w->from, from - w->from) + w->cut_before;
        unsigned width = fl_shown_width(s->text + from, to - from);
        v[i].width = width ? width : 1;
    }
}

static const char *ink(const fl_printer *p, char c)
{
    return fl_paint(p, c == '^' ? FL_RED : c == ' ' ? FL_PLAIN : FL_BLUE);
}

/* Carets lie over dashes. Returns the column behind the last mark. */
static unsigned put_marks(const fl_printer *p, const piece *v, size_t n)
{
    unsigned end = 0;
    for (size_t i = 0; i < n; i++)
        end = v[i].left + v[i].width > end ? v[i].left + v[i].width : end;
    char *row = fl_alloc(p->ds->arena, end + 1);
    memset(row, ' ', end);
    for (int primary = 0; primary < 2; primary++)
        for (size_t i = 0; i < n; i++)
            if (v[i].primary == primary)
                memset(row + v[i].left, primary ? '^' : '-', v[i].width);
    fl_put_gutter(p, 0, '|');
    fputc(' ', p->out);
    for (unsigned i = 0; i < end; i++) {
        if (!i || row[i] != row[i - 1])
            fputs(ink(p, row[i]), p->out);
        fputc(row[i], p->out);
    }
    fputs(fl_paint(p, FL_PLAIN), p->out);
    return end;
}

static void put_label(const fl_printer *p, const piece *v)
{
    fputs(fl_paint(p, v->primary ? FL_RED : FL_BLUE), p->out);
    fl_put_text(p, v->label);
    fputs(fl_paint(p, FL_PLAIN), p->out);
}

/* Threads down to the labels that are still to come, up to `column`; returns where it stands. */
static unsigned put_threads(const fl_printer *p, const piece *v, size_t n, unsigned column)
{
    unsigned at = 0;
    fl_put_gutter(p, 0, '|');
    fputc(' ', p->out);
    for (size_t i = 0; i < n; i++) {
        if (!v[i].label || v[i].left < at || v[i].left >= column)
            continue;
        fl_put_repeat(p, ' ', v[i].left - at);
        fprintf(p->out, "%s|%s", fl_paint(p, v[i].primary ? FL_RED : FL_BLUE), fl_paint(p, FL_PLAIN));
        at = v[i].left + 1;
    }
    return at;
}

/* Labels that do not fit behind the marks hang below them, the rightmost first. */
static void put_hanging(const fl_printer *p, const piece *v, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= v[i].label != NULL;
    if (!any)
        return;
    put_threads(p, v, n, UINT32_MAX);
    fputc('\n', p->out);
    for (size_t i = n; i-- > 0;) {
        if (!v[i].label)
            continue;
        unsigned at = put_threads(p, v, i, v[i].left);
        fl_put_repeat(p, ' ', v[i].left - at);
        put_label(p, &v[i]);
        fputc('\n', p->out);
    }
}

static void put_text_of_line(const fl_printer *p, const fl_source *s, unsigned line, const window *w)
{
    fl_put_gutter(p, line, '|');
    if (w->from < w->to)
        fputc(' ', p->out);
    fputs(w->cut_before ? "…" : "", p->out);
    fl_put_source(p, s, w->from, w->to);
    fputs(w->cut_behind ? "…\n" : "\n", p->out);
}

static void put_marked_line(const fl_printer *p, const fl_source *s, piece *v, size_t n)
{
    const window w = window_of(s, v, n);
    put_text_of_line(p, s, v->line, &w);
    measure(s, &w, v, n);
    unsigned end = put_marks(p, v, n);
    piece *last = &v[n - 1];
    if (last->label && last->left + last->width == end) {
        fputc(' ', p->out);
        put_label(p, last);
        n--;
    }
    fputc('\n', p->out);
    put_hanging(p, v, n);
}

/* ---- the excerpt ---- */

/* Between two marked lines: nothing, the one line that lies there, or a sign that some do. */
static void put_between(const fl_printer *p, const fl_source *s, unsigned line, unsigned next)
{
    if (next == line + 2) {
        const piece plain = {.line = line + 1, .from = s->lines[line]};
        const window w = window_of(s, &plain, 1);
        put_text_of_line(p, s, line + 1, &w);
    } else if (next > line + 2) {
        fprintf(p->out, "%s%*s%s\n", fl_paint(p, FL_BLUE), (int)p->gutter + 2, "...", fl_paint(p, FL_PLAIN));
    }
}

void fl_put_excerpt(const fl_printer *p, const fl_mark *marks, size_t n)
{
    pieces all = {0};
    const fl_source *s = marks->span.src;
    for (size_t i = 0; i < n; i++)
        add_mark(p, &all, &marks[i]);
    qsort(all.v, all.n, sizeof *all.v, by_place);
    for (size_t i = 0; i < all.n;) {
        size_t k = i + 1;
        while (k < all.n && all.v[k].line == all.v[i].line)
            k++;
        if (i)
            put_between(p, s, all.v[i - 1].line, all.v[i].line);
        put_marked_line(p, s, &all.v[i], k - i);
        i = k;
    }
}
