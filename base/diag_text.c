/* diag_text.c: diagnostics as text: message, source lines with marks, help, the text to write.
 *
 *     crm/crm.flec:12:18: error: there is no tag `PIII` [unknown-tag]
 *        11 |   value avro "customer.avsc" {
 *           |              --------------- its schema
 *        12 |     field ssn is PIII
 *           |                  ^^^^ not declared
 *           --> keys.flec:3:5: a tag that is near
 *         3 | tag PII "…"
 *           |     ---
 *           = help: did you mean `PII`?
 *           = fix:
 *        12 -     field ssn is PIII
 *        12 +     field ssn is PII */
#include <stdlib.h>
#include <string.h>

#include "base/diag_show.h"
#include "base/text.h"

#define PLACES_SHOWN 8 /* related places of one diagnostic; JSON holds all */

/* ---- pieces of a line ---- */

const char *fl_paint(const fl_printer *p, const char *code)
{
    return p->color ? code : "";
}

void fl_put_repeat(const fl_printer *p, char c, unsigned n)
{
    while (n--)
        fputc(c, p->out);
}

static void put_shown(const fl_printer *p, const char *s, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, 4 * n + 16); /* what cannot be shown becomes U+FFFD, a tab four blanks */
    fl_buf_add_shown(&b, s, n);
    fwrite(b.p ? b.p : "", 1, b.len, p->out);
    fl_buf_free(&b);
}

void fl_put_text(const fl_printer *p, const char *s)
{
    put_shown(p, s, strlen(s));
}

void fl_put_gutter(const fl_printer *p, unsigned line, char c)
{
    fputs(fl_paint(p, FL_BLUE), p->out);
    if (line)
        fprintf(p->out, "%*u %c", (int)p->gutter, line, c);
    else
        fprintf(p->out, "%*s %c", (int)p->gutter, "", c);
    fputs(fl_paint(p, FL_PLAIN), p->out);
}

/* The first hidden part of [from, to) of s; empty at `to` when there is none. */
static void next_hidden(const fl_diags *ds, const fl_source *s, size_t from, size_t to, size_t *start, size_t *end)
{
    *start = *end = to;
    for (size_t i = 0; i < ds->hidden.n; i++) {
        const fl_span *h = &ds->hidden.v[i];
        size_t at = h->from > from ? h->from : from;
        if (fl_same_source(h->src, s) && h->to > from && at < *start) {
            *start = at;
            *end = h->to < to ? h->to : to;
        }
    }
}

void fl_put_source(const fl_printer *p, const fl_source *s, size_t from, size_t to)
{
    while (from < to) {
        size_t start, end;
        next_hidden(p->ds, s, from, to, &start, &end);
        put_shown(p, s->text + from, start - from);
        fl_put_repeat(p, '*', fl_shown_width(s->text + start, end - start));
        from = end;
    }
}

/* ---- one diagnostic ---- */

static void put_place(const fl_printer *p, fl_span span)
{
    unsigned line, column;
    fl_source_place(span.src, span.from, &line, &column);
    fl_put_text(p, span.src->name);
    fprintf(p->out, ":%u:%u:", line, column);
}

static void put_head(const fl_printer *p, const fl_diag *d)
{
    bool error = d->severity == FL_ERROR;
    if (d->span.src) {
        fputs(fl_paint(p, FL_BOLD), p->out);
        put_place(p, d->span);
        fprintf(p->out, "%s ", fl_paint(p, FL_PLAIN));
    }
    fprintf(p->out, "%s%s:%s ", fl_paint(p, error ? FL_RED : FL_AMBER), error ? "error" : "warning",
            fl_paint(p, FL_PLAIN));
    fl_put_text(p, d->message);
    fprintf(p->out, " [%s]\n", d->check);
}

static void begin_note(const fl_printer *p, const char *kind)
{
    fl_put_gutter(p, 0, '=');
    fprintf(p->out, " %s%s:%s", fl_paint(p, FL_BOLD), kind, fl_paint(p, FL_PLAIN));
}

static void put_note(const fl_printer *p, const char *kind, const char *text)
{
    begin_note(p, kind);
    fputc(' ', p->out);
    fl_put_text(p, text);
    fputc('\n', p->out);
}

/* A place in another file than the diagnostic's: a block of its own. */
static void put_elsewhere(const fl_printer *p, const fl_related *r)
{
    fprintf(p->out, "%*s %s-->%s ", (int)p->gutter, "", fl_paint(p, FL_BLUE), fl_paint(p, FL_PLAIN));
    put_place(p, r->span);
    fputc(' ', p->out);
    fl_put_text(p, r->label);
    fputc('\n', p->out);
    fl_put_excerpt(p, &(fl_mark){.span = r->span}, 1);
}

static void put_environments(const fl_printer *p, const fl_diag *d)
{
    if (!d->environments || !d->environments[0])
        return;
    begin_note(p, "in");
    for (size_t i = 0; d->environments[i]; i++) {
        fputs(i ? ", " : " ", p->out);
        fl_put_text(p, d->environments[i]);
    }
    fputc('\n', p->out);
}

/* Places of the diagnostic's own file are marked in its excerpt. */
static void put_own_file(const fl_printer *p, const fl_diag *d, const fl_related *places, size_t n)
{
    fl_mark marks[PLACES_SHOWN + 1] = {{.span = d->span, .label = d->label, .primary = true}};
    size_t nmarks = 1;
    for (size_t i = 0; i < n; i++)
        if (fl_same_source(places[i].span.src, d->span.src))
            marks[nmarks++] = (fl_mark){.span = places[i].span, .label = places[i].label};
    if (d->span.src)
        fl_put_excerpt(p, marks, nmarks);
}

static void put_one(const fl_printer *p, const fl_diag *d)
{
    size_t all, n;
    const fl_related *places = fl_diag_places(p->ds, d, &all);
    n = all > PLACES_SHOWN ? PLACES_SHOWN : all;
    put_head(p, d);
    put_own_file(p, d, places, d->span.src ? n : 0);
    for (size_t i = 0; i < n; i++)
        if (!places[i].span.src)
            put_note(p, "note", places[i].label);
        else if (!d->span.src || !fl_same_source(places[i].span.src, d->span.src))
            put_elsewhere(p, &places[i]);
    if (n < all)
        put_note(p, "note", fl_printf(p->ds->arena, "and %zu more places: --format json shows all", all - n));
    put_environments(p, d);
    if (d->help)
        put_note(p, "help", d->help);
    if (d->edits.n)
        fl_put_fix(p, d);
}

/* Wide enough for the last line of each file that is shown. */
static unsigned gutter(const fl_diags *ds, size_t n)
{
    unsigned width = 5;
    for (size_t i = 0; i < n; i++) {
        size_t places;
        const fl_related *r = fl_diag_places(ds, ds->list.v[i], &places);
        for (size_t k = 0; k <= places; k++) {
            const fl_source *s = k < places ? r[k].span.src : ds->list.v[i]->span.src;
            unsigned digits = 1;
            for (size_t lines = s ? s->nlines : 0; lines > 9; lines /= 10)
                digits++;
            width = digits > width ? digits : width;
        }
    }
    return width;
}

void fl_diags_text(const fl_diags *ds, FILE *out, size_t limit, bool color)
{
    size_t n = limit && ds->list.n > limit ? limit : ds->list.n;
    const fl_printer p = {out, color, ds, gutter(ds, n)};
    for (size_t i = 0; i < n; i++)
        put_one(&p, ds->list.v[i]);
    if (n < ds->list.n)
        fprintf(out, "… and %zu more: --format json shows all\n", ds->list.n - n);
}
