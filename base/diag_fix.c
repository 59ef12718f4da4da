/* diag_fix.c: edits of diagnostics: in order, as a difference to read, and made. */
#include <stdlib.h>
#include <string.h>

#include "base/diag_show.h"

static int by_place(const void *a, const void *b)
{
    const fl_edit *x = a, *y = b;
    if (x->span.from != y->span.from)
        return x->span.from < y->span.from ? -1 : 1;
    return x->span.to < y->span.to ? -1 : x->span.to > y->span.to;
}

/* ---- as a difference ---- */

/* Lines [first, last] hold the edits; both as they stand and as they will. */
typedef struct hunk {
    const fl_source *s;
    const fl_edit *v;
    size_t n;
    unsigned first, last;
} hunk;

static size_t end_of(const fl_source *s, unsigned line)
{
    return line < s->nlines ? s->lines[line] - 1 : s->len;
}

static void put_sign(const fl_printer *p, unsigned line, char sign)
{
    fl_put_gutter(p, line, sign);
    fprintf(p->out, " %s", fl_paint(p, sign == '-' ? FL_RED : FL_GREEN));
}

static void put_before(const fl_printer *p, const hunk *h)
{
    for (unsigned line = h->first; line <= h->last; line++) {
        put_sign(p, line, '-');
        fl_put_source(p, h->s, h->s->lines[line - 1], end_of(h->s, line));
        fprintf(p->out, "%s\n", fl_paint(p, FL_PLAIN));
    }
}

/* The text as it will be may have other lines than the one it replaces: each gets its number. */
typedef struct after {
    const fl_printer *p;
    unsigned line;
    bool open; /* a line has been begun */
} after;

static void begin_line(after *a)
{
    if (a->open)
        return;
    put_sign(a->p, a->line++, '+');
    a->open = true;
}

static void end_line(after *a)
{
    begin_line(a);
    fprintf(a->p->out, "%s\n", fl_paint(a->p, FL_PLAIN));
    a->open = false;
}

static void put_kept(after *a, const fl_source *s, size_t from, size_t to)
{
    while (from < to) {
        const char *newline = memchr(s->text + from, '\n', to - from);
        size_t end = newline ? (size_t)(newline - s->text) : to;
        begin_line(a);
        fl_put_source(a->p, s, from, end);
        if (newline)
            end_line(a);
        from = end + (newline != NULL);
    }
}

static void put_written(after *a, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        begin_line(a);
        fl_put_text(a->p, fl_strndup(a->p->ds->arena, text, n));
        if (text[n])
            end_line(a);
        text += n + (text[n] == '\n');
    }
}

static void put_after(const fl_printer *p, const hunk *h)
{
    after a = {p, h->first, false};
    size_t at = h->s->lines[h->first - 1];
    for (size_t i = 0; i < h->n; i++) {
        put_kept(&a, h->s, at, h->v[i].span.from);
        put_written(&a, h->v[i].text);
        at = h->v[i].span.to;
    }
    put_kept(&a, h->s, at, end_of(h->s, h->last));
    if (a.open)
        end_line(&a);
}

/* Edits that touch one line, or lines that follow each other, are read together. */
static size_t take_hunk(const fl_edit *v, size_t n, hunk *h)
{
    unsigned column, first, last;
    *h = (hunk){.s = v->span.src, .v = v};
    fl_source_place(h->s, v->span.from, &h->first, &column);
    for (h->last = h->first; h->n < n; h->n++) {
        const fl_edit *e = &v[h->n];
        fl_source_place(h->s, e->span.from, &first, &column);
        fl_source_place(h->s, e->span.to, &last, &column);
        if (column == 1 && last > first && e->span.to > e->span.from)
            last--; /* a whole line with its end */
        if (!fl_same_source(e->span.src, h->s) || first > h->last + 1)
            break;
        h->last = last > h->last ? last : h->last;
    }
    return h->n;
}

void fl_put_fix(const fl_printer *p, const fl_diag *d)
{
    fl_edit *v = fl_diag_edits(p->ds, d);
    fl_put_gutter(p, 0, '=');
    fprintf(p->out, " %sfix:%s%s\n", fl_paint(p, FL_BOLD), fl_paint(p, FL_PLAIN),
            fl_diag_is_safe(d) ? " (flec check --fix makes it)" : "");
    for (size_t i = 0; i < d->edits.n;) {
        hunk h;
        i += take_hunk(v + i, d->edits.n - i, &h);
        put_before(p, &h);
        put_after(p, &h);
    }
}

bool fl_diag_is_safe(const fl_diag *d)
{
    return d->safe && d->edits.n && !d->environments;
}

fl_edit *fl_diag_edits(const fl_diags *ds, const fl_diag *d)
{
    fl_edit *v = FL_NEW_N(ds->arena, fl_edit, d->edits.n + 1);
    if (d->edits.n) {
        memcpy(v, d->edits.v, d->edits.n * sizeof *v);
        qsort(v, d->edits.n, sizeof *v, by_place);
    }
    return v;
}
