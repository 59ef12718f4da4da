/* github.c: diagnostics as workflow commands, which GitHub shows beside the changed lines.
 *
 * Escapes: in a message `%` (no line end reaches it), in a property `:` and `,` too
 * (https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions; actions/toolkit, command.ts). */
#include <string.h>

#include "cli/report.h"

static void escaped(fl_buf *out, const char *s, const char *more)
{
    fl_buf shown; /* a log is read in terminals: no control character of a schema's reaches one */
    fl_buf_init(&shown, 4 * strlen(s) + 16);
    fl_buf_add_shown(&shown, s, strlen(s));
    for (size_t i = 0; i < shown.len; i++)
        if (shown.p[i] == '%' || strchr(more, shown.p[i]))
            fl_buf_addf(out, "%%%02X", (unsigned char)shown.p[i]);
        else
            fl_buf_addc(out, shown.p[i]);
    fl_buf_free(&shown);
}

/* A column counts for a range on one line only. */
static void place(fl_buf *out, fl_span span)
{
    unsigned line, column, end_line, end_column;
    fl_source_place(span.src, span.from, &line, &column);
    fl_source_place(span.src, span.to, &end_line, &end_column);
    fl_buf_adds(out, "file=");
    escaped(out, span.src->name, ":,");
    fl_buf_addf(out, ",line=%u,endLine=%u", line, end_line);
    if (line == end_line)
        fl_buf_addf(out, ",col=%u,endColumn=%u", column, end_column > column ? end_column - 1 : column);
    fl_buf_addc(out, ',');
}

static void where(fl_buf *out, const fl_diag *d)
{
    if (!d->environments || !d->environments[0])
        return;
    fl_buf_adds(out, "%0Ain: ");
    for (size_t i = 0; d->environments[i]; i++) {
        fl_buf_adds(out, i ? ", " : "");
        escaped(out, d->environments[i], "");
    }
}

static void one(fl_buf *out, const fl_diags *ds, const fl_diag *d)
{
    size_t n;
    const fl_related *places = fl_diag_places(ds, d, &n);
    fl_buf_adds(out, d->severity == FL_ERROR ? "::error " : "::warning ");
    if (d->span.src)
        place(out, d->span);
    fl_buf_adds(out, "title=");
    escaped(out, d->check, ":,");
    fl_buf_adds(out, "::");
    escaped(out, d->message, "");
    for (size_t i = 0; i < n; i++) {
        unsigned line, column;
        fl_buf_adds(out, "%0A");
        if (places[i].span.src) {
            fl_source_place(places[i].span.src, places[i].span.from, &line, &column);
            escaped(out, places[i].span.src->name, "");
            fl_buf_addf(out, ":%u:%u: ", line, column);
        }
        escaped(out, places[i].label, "");
    }
    where(out, d);
    if (d->help) {
        fl_buf_adds(out, "%0Ahelp: ");
        escaped(out, d->help, "");
    }
    fl_buf_addc(out, '\n');
}

void cli_github(const fl_diags *ds, fl_buf *out)
{
    for (size_t i = 0; i < ds->list.n; i++)
        one(out, ds, ds->list.v[i]);
}
