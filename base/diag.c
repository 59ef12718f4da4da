/* diag.c: collecting and sorting diagnostics. */
#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

void fl_diags_init(fl_diags *ds, fl_arena *a)
{
    memset(ds, 0, sizeof *ds);
    ds->arena = a;
}

fl_diag *fl_diag_add(fl_diags *ds, const char *check, fl_severity sev, fl_span span, const char *fmt, ...)
{
    va_list ap;
    fl_diag *d = FL_NEW(ds->arena, fl_diag);
    d->check = check;
    d->severity = sev;
    d->span = span;
    d->seq = ds->list.n;
    va_start(ap, fmt);
    d->message = fl_vprintf(ds->arena, fmt, ap);
    va_end(ap);
    FL_PUSH(ds->arena, &ds->list, d);
    if (sev == FL_ERROR)
        ds->errors++;
    else
        ds->warnings++;
    return d;
}

void fl_diag_help(fl_diags *ds, fl_diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    d->help = fl_vprintf(ds->arena, fmt, ap);
    va_end(ap);
}

void fl_diag_relate(fl_diags *ds, fl_diag *d, fl_span span, const char *fmt, ...)
{
    va_list ap;
    fl_related *all = FL_NEW_N(ds->arena, fl_related, d->nrelated + 1);
    if (d->nrelated)
        memcpy(all, d->related, d->nrelated * sizeof *all);
    all[d->nrelated].span = span;
    va_start(ap, fmt);
    all[d->nrelated].label = fl_vprintf(ds->arena, fmt, ap);
    va_end(ap);
    d->related = all;
    d->nrelated++;
}

void fl_diag_label(fl_diags *ds, fl_diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    d->label = fl_vprintf(ds->arena, fmt, ap);
    va_end(ap);
}

void fl_diag_again(fl_diags *ds, fl_diag *d, fl_span first)
{
    fl_diag_relate(ds, d, first, "first here");
    fl_diag_label(ds, d, "again here");
}

void fl_diag_edit(fl_diags *ds, fl_diag *d, fl_span span, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    FL_PUSH(ds->arena, &d->edits, (fl_edit){span, fl_vprintf(ds->arena, fmt, ap)});
    va_end(ap);
}

static int by_place(const void *a, const void *b)
{
    const fl_diag *x = *(fl_diag *const *)a, *y = *(fl_diag *const *)b;
    const char *xn = x->span.src ? x->span.src->name : "", *yn = y->span.src ? y->span.src->name : "";
    int c = strcmp(xn, yn);
    if (c)
        return c;
    if (x->span.from != y->span.from)
        return x->span.from < y->span.from ? -1 : 1;
    if (x->span.to != y->span.to)
        return x->span.to < y->span.to ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void fl_diags_sort(fl_diags *ds)
{
    if (ds->list.n)
        qsort(ds->list.v, ds->list.n, sizeof(fl_diag *), by_place);
}

void fl_diags_hide(fl_diags *ds, fl_span span)
{
    if (span.src && span.from < span.to)
        FL_PUSH(ds->arena, &ds->hidden, span);
}

void fl_diags_join(fl_diags *ds, fl_diags *more)
{
    for (size_t i = 0; i < more->list.n; i++) {
        more->list.v[i]->seq = ds->list.n;
        FL_PUSH(ds->arena, &ds->list, more->list.v[i]);
    }
    for (size_t i = 0; i < more->hidden.n; i++)
        FL_PUSH(ds->arena, &ds->hidden, more->hidden.v[i]);
    ds->errors += more->errors;
    ds->warnings += more->warnings;
    more->list.n = more->hidden.n = more->errors = more->warnings = 0;
}

/* ---- places ---- */

static bool has_place(const fl_related *v, size_t n, const fl_origin *o)
{
    for (size_t i = 0; i < n; i++)
        if (fl_same_source(v[i].span.src, o->at.src) && v[i].span.from == o->at.from && v[i].span.to == o->at.to &&
            !strcmp(v[i].label, o->label))
            return true;
    return false;
}

const fl_related *fl_diag_places(const fl_diags *ds, const fl_diag *d, size_t *n)
{
    size_t steps = 0;
    const fl_origin *origin = d->span.src ? d->span.src->origin : NULL;
    for (const fl_origin *o = origin; o; o = o->next)
        steps++;
    *n = d->nrelated;
    if (!steps)
        return d->related;
    fl_related *all = FL_NEW_N(ds->arena, fl_related, d->nrelated + steps);
    if (d->nrelated)
        memcpy(all, d->related, d->nrelated * sizeof *all);
    for (const fl_origin *o = origin; o; o = o->next)
        if (!has_place(all, *n, o))
            all[(*n)++] = (fl_related){o->at, o->label};
    return all;
}
