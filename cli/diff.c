/* diff.c: unified diffs of two texts, for `flec fmt --diff`. */
#include <string.h>

#include "cli/diff.h"

enum { CONTEXT = 3, MAX_CELLS = 4000000 };

typedef struct line {
    const char *s;
    size_t n; /* with its line end */
} line;
typedef FL_VEC(line) lines;

typedef struct edit {
    char kind; /* ' ', '-', '+' */
    line text;
} edit;
typedef FL_VEC(edit) edits;

static lines split(fl_arena *a, const char *s, size_t n)
{
    lines out = {0};
    while (n) {
        const char *end = memchr(s, '\n', n);
        size_t len = end ? (size_t)(end - s) + 1 : n;
        FL_PUSH(a, &out, (line){s, len});
        s += len;
        n -= len;
    }
    return out;
}

static bool equal(line a, line b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

/* The edits of the part that differs: x lines become y lines. Longest common subsequence, from the end. */
static void compare(fl_arena *a, const line *x, size_t nx, const line *y, size_t ny, edits *out)
{
    size_t i = 0, k = 0;
    if (nx && ny && nx <= MAX_CELLS / ny) {
        unsigned *common = FL_NEW_N(a, unsigned, (nx + 1) * (ny + 1));
        size_t w = ny + 1;
        for (size_t p = nx; p-- > 0;)
            for (size_t q = ny; q-- > 0;) {
                unsigned down = common[(p + 1) * w + q], right = common[p * w + q + 1];
                common[p * w + q] = equal(x[p], y[q]) ? common[(p + 1) * w + q + 1] + 1 : down > right ? down : right;
            }
        while (i < nx && k < ny) {
            if (equal(x[i], y[k])) {
                FL_PUSH(a, out, (edit){' ', x[i]});
                i++, k++;
            } else if (common[(i + 1) * w + k] >= common[i * w + k + 1]) {
                FL_PUSH(a, out, (edit){'-', x[i++]});
            } else {
                FL_PUSH(a, out, (edit){'+', y[k++]});
            }
        }
    }
    while (i < nx)
        FL_PUSH(a, out, (edit){'-', x[i++]});
    while (k < ny)
        FL_PUSH(a, out, (edit){'+', y[k++]});
}

static edits all_edits(fl_arena *a, const lines *x, const lines *y)
{
    edits out = {0};
    size_t head = 0, tail = 0;
    while (head < x->n && head < y->n && equal(x->v[head], y->v[head]))
        head++;
    while (tail < x->n - head && tail < y->n - head && equal(x->v[x->n - 1 - tail], y->v[y->n - 1 - tail]))
        tail++;
    for (size_t i = 0; i < head; i++)
        FL_PUSH(a, &out, (edit){' ', x->v[i]});
    compare(a, x->v + head, x->n - head - tail, y->v + head, y->n - head - tail, &out);
    for (size_t i = x->n - tail; i < x->n; i++)
        FL_PUSH(a, &out, (edit){' ', x->v[i]});
    return out;
}

/* The edits [from, to) as one hunk; the numbers are of the first line on each side, from 0. */
static void hunk(const edits *e, size_t from, size_t to, size_t old, size_t new, fl_buf *out)
{
    size_t nold = 0, nnew = 0;
    for (size_t i = from; i < to; i++) {
        nold += e->v[i].kind != '+';
        nnew += e->v[i].kind != '-';
    }
    fl_buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", nold ? old + 1 : old, nold, nnew ? new + 1 : new, nnew);
    for (size_t i = from; i < to; i++) {
        line l = e->v[i].text;
        fl_buf_addc(out, e->v[i].kind);
        fl_buf_add(out, l.s, l.n);
        if (l.n == 0 || l.s[l.n - 1] != '\n')
            fl_buf_adds(out, "\n\\ No newline at end of file\n");
    }
}

void cli_diff(fl_arena *a, const char *name, const char *from, size_t nfrom, const char *to, size_t nto, fl_buf *out)
{
    lines x = split(a, from, nfrom), y = split(a, to, nto);
    edits e = all_edits(a, &x, &y);
    size_t old = 0, new = 0; /* lines before edit i on each side */
    bool any = false;
    for (size_t i = 0; i < e.n;) {
        size_t start = i;
        while (i < e.n && e.v[i].kind == ' ')
            i++;
        if (i == e.n)
            break;
        size_t lead = i - start < CONTEXT ? i - start : CONTEXT, first = i - lead, end = i, last = i;
        for (; end < e.n && end <= last + 2 * CONTEXT; end++) /* changes that are near share a hunk */
            last = e.v[end].kind != ' ' ? end : last;
        end = last + 1 + CONTEXT < e.n ? last + 1 + CONTEXT : e.n;
        old += first - start;
        new += first - start;
        if (!any)
            fl_buf_addf(out, "--- %s\n+++ %s\n", name, name);
        any = true;
        hunk(&e, first, end, old, new, out);
        for (i = first; i < end; i++) {
            old += e.v[i].kind != '+';
            new += e.v[i].kind != '-';
        }
    }
}
