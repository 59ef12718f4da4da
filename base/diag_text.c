/* diag_text.c: diagnostics as text: message, source line, caret range.
 *
 *     crm/crm.flec:12:18: error: there is no tag `PIII` [unknown-tag]
 *        12 |     field ssn is PIII
 *           |                  ^~~~
 *        help: did you mean `PII`?
 *        keys.flec:3:5: note: declared here
 *         3 | tag PII "…"
 *           |     ~~~ */
#include <string.h>

#include "base/diag.h"
#include "base/text.h"

#define LINE_SHOWN 160 /* columns of a source line that are shown, around the range */

typedef struct printer {
    FILE *out;
    bool color;
    const fl_diags *ds;
} printer;

static const char *paint(const printer *p, const char *code)
{
    return p->color ? code : "";
}

#define RED   "\x1b[1;31m"
#define AMBER "\x1b[1;33m"
#define BLUE  "\x1b[1;34m"
#define BOLD  "\x1b[1m"
#define PLAIN "\x1b[0m"

static unsigned width(const char *s, size_t n)
{
    unsigned total = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned len = fl_utf8_step(s + i, n - i, &cp);
        total += !len ? 1 : s[i] == '\t' ? 4 : (unsigned char)s[i] < ' ' || fl_bidi_control(cp) ? 1 : fl_utf8_width(cp);
        i += len ? len : 1;
    }
    return total;
}

static void repeat(FILE *out, char c, unsigned n)
{
    while (n--)
        fputc(c, out);
}

static void put_shown(FILE *out, const char *s, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 4 * n + 16); /* what cannot be shown becomes U+FFFD, a tab four blanks */
    fl_buf_add_shown(&b, s, n);
    fwrite(b.p ? b.p : "", 1, b.len, out);
    fl_buf_free(&b);
}

/* Names of files, tags and fields come from whoever wrote the input: no control character of theirs reaches a terminal.
 */
static void put_text(FILE *out, const char *s)
{
    put_shown(out, s, strlen(s));
}

/* As put_shown, with `*` for each character of what is hidden. */
static void put_line(const printer *p, const fl_source *s, size_t from, size_t to)
{
    size_t done = from;
    while (done < to) {
        size_t start = to, end = to; /* the first hidden part from here on */
        for (size_t i = 0; i < p->ds->hidden.n; i++) {
            const fl_span *h = &p->ds->hidden.v[i];
            size_t at = h->from > done ? h->from : done;
            if (fl_same_source(h->src, s) && h->to > done && at < start) {
                start = at;
                end = h->to < to ? h->to : to;
            }
        }
        put_shown(p->out, s->text + done, start - done);
        repeat(p->out, '*', width(s->text + start, end - start));
        done = end;
    }
}

/* A cut that does not fall into a character. */
static size_t whole(const char *text, size_t at, size_t from)
{
    while (at > from && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

/* The line on which the span begins, with the range under it; a range over several lines is cut at the line's end. */
static void excerpt(const printer *p, fl_span span, bool primary)
{
    const fl_source *s = span.src;
    unsigned line, column;
    fl_source_place(s, span.from, &line, &column);
    size_t from = s->lines[line - 1], end = from;
    while (end < s->len && s->text[end] != '\n')
        end++;
    size_t at = span.from > end ? end : span.from, to = span.to > end ? end : span.to;
    size_t shown = from, stop = end;
    if (at - from > LINE_SHOWN / 2)
        shown = whole(s->text, at - LINE_SHOWN / 2, from);
    if (stop - shown > LINE_SHOWN)
        stop = whole(s->text, shown + LINE_SHOWN, shown);
    to = to > stop ? stop : to < at ? at : to;
    fprintf(p->out, "%s%5u |%s ", paint(p, BLUE), line, paint(p, PLAIN));
    put_line(p, s, shown, stop);
    fprintf(p->out, "\n%s      |%s ", paint(p, BLUE), paint(p, PLAIN));
    repeat(p->out, ' ', width(s->text + shown, at - shown));
    unsigned range = width(s->text + at, to - at);
    fputs(paint(p, primary ? RED : BLUE), p->out);
    fputc(primary ? '^' : '~', p->out);
    repeat(p->out, '~', range > 1 ? range - 1 : 0);
    fprintf(p->out, "%s\n", paint(p, PLAIN));
}

static void heading(const printer *p, fl_span span)
{
    unsigned line, column;
    if (!span.src)
        return;
    fl_source_place(span.src, span.from, &line, &column);
    fputs(paint(p, BOLD), p->out);
    put_text(p->out, span.src->name);
    fprintf(p->out, ":%u:%u:%s ", line, column, paint(p, PLAIN));
}

static void one(const printer *p, const fl_diag *d)
{
    bool error = d->severity == FL_ERROR;
    heading(p, d->span);
    fprintf(p->out, "%s%s:%s ", paint(p, error ? RED : AMBER), error ? "error" : "warning", paint(p, PLAIN));
    put_text(p->out, d->message);
    fprintf(p->out, " [%s]\n", d->check);
    if (d->span.src)
        excerpt(p, d->span, true);
    if (d->help) {
        fprintf(p->out, "   %shelp:%s ", paint(p, BOLD), paint(p, PLAIN));
        put_text(p->out, d->help);
        fputc('\n', p->out);
    }
    for (size_t i = 0; i < d->nrelated; i++) {
        fputs("   ", p->out);
        heading(p, d->related[i].span);
        fputs("note: ", p->out);
        put_text(p->out, d->related[i].label);
        fputc('\n', p->out);
        if (d->related[i].span.src)
            excerpt(p, d->related[i].span, false);
    }
}

void fl_diags_text(const fl_diags *ds, FILE *out, size_t limit, bool color)
{
    const printer p = {out, color, ds};
    size_t n = limit && ds->list.n > limit ? limit : ds->list.n;
    for (size_t i = 0; i < n; i++)
        one(&p, ds->list.v[i]);
    if (n < ds->list.n)
        fprintf(out, "… and %zu more: --format json shows all\n", ds->list.n - n);
}
