/* fix.c: flec check --fix: the safe edits of diagnostics, made in the files.
 *
 * Places are offsets into the text as the parser has it: without a byte-order mark, with LF line ends. The file's own
 * bytes are walked beside it, so that what no edit touches stays to the byte. */
#include "cli/fix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/io.h"

enum { MAX_FILE = 16 << 20, MAX_OUT = 64 << 20 };

typedef struct target {
    const fl_source *src;
    FL_VEC(const fl_edit *) edits;
    uint32_t *taken; /* for each offset of the text: the number of the edit that covers it, from 1 */
    bool failed;
} target;

typedef struct fixer {
    fl_arena *a;
    fl_map *given;   /* paths that may be changed */
    fl_map *targets; /* name of the file to its target */
    FL_VEC(target *) order;
} fixer;

/* ---- which edits ---- */

static target *target_of(fixer *f, const fl_source *src)
{
    target *t = fl_map_get(f->targets, src->name);
    if (t)
        return t;
    t = FL_NEW(f->a, target);
    t->src = src;
    t->taken = FL_NEW_N(f->a, uint32_t, src->len + 1);
    fl_map_put(f->targets, src->name, t);
    FL_PUSH(f->a, &f->order, t);
    return t;
}

/* An insertion covers the byte that it stands before: two at one place would have no order. */
static uint32_t end_of(const fl_edit *e)
{
    return e->span.to > e->span.from ? e->span.to : e->span.from + 1;
}

/* The edit itself, made already for another diagnostic (a statement that is repeated for each row of a list). */
static bool is_made(const target *t, const fl_edit *e)
{
    uint32_t k = t->taken[e->span.from];
    const fl_edit *x = k ? t->edits.v[k - 1] : NULL;
    return x && x->span.from == e->span.from && x->span.to == e->span.to && !strcmp(x->text, e->text);
}

static bool can_make(fixer *f, const fl_edit *e)
{
    if (!e->span.src || !fl_map_get(f->given, e->span.src->name) || end_of(e) > e->span.src->len + 1)
        return false;
    const target *t = target_of(f, e->span.src);
    if (!fl_same_source(t->src, e->span.src))
        return false;
    if (is_made(t, e))
        return true;
    for (uint32_t i = e->span.from; i < end_of(e); i++)
        if (t->taken[i])
            return false;
    return true;
}

static void take(fixer *f, const fl_edit *e)
{
    target *t = target_of(f, e->span.src);
    if (is_made(t, e))
        return;
    FL_PUSH(f->a, &t->edits, e);
    for (uint32_t i = e->span.from; i < end_of(e); i++)
        t->taken[i] = (uint32_t)t->edits.n;
}

static bool take_all(fixer *f, const fl_diag *d)
{
    if (!fl_diag_is_safe(d))
        return false;
    for (size_t i = 0; i < d->edits.n; i++)
        if (!can_make(f, &d->edits.v[i]))
            return false;
    for (size_t i = 0; i < d->edits.n; i++)
        take(f, &d->edits.v[i]);
    return true;
}

/* ---- one file ---- */

/* Two ways through one text: the file's bytes and what the parser made of them. */
typedef struct walk {
    const char *raw;
    size_t raw_len, at; /* in the file */
    const fl_source *src;
    size_t folded; /* in the source */
} walk;

/* On to an offset of the source; false where the file says something else. */
static bool walk_to(walk *w, size_t folded)
{
    while (w->folded < folded) {
        if (w->at + 1 < w->raw_len && w->raw[w->at] == '\r' && w->raw[w->at + 1] == '\n')
            w->at++;
        if (w->at >= w->raw_len || w->raw[w->at] != w->src->text[w->folded])
            return false;
        w->at++;
        w->folded++;
    }
    return true;
}

static bool has_crlf(const char *raw, size_t n)
{
    const char *newline = memchr(raw, '\n', n);
    return newline && newline > raw && newline[-1] == '\r';
}

static void write_text(fl_buf *out, const char *text, bool crlf)
{
    for (; *text; text++) {
        if (*text == '\n' && crlf)
            fl_buf_addc(out, '\r');
        fl_buf_addc(out, *text);
    }
}

static int by_place(const void *a, const void *b)
{
    const fl_edit *x = *(const fl_edit *const *)a, *y = *(const fl_edit *const *)b;
    return x->span.from < y->span.from ? -1 : x->span.from > y->span.from;
}

static bool edited(const target *t, const char *raw, size_t n, fl_buf *out)
{
    bool bom = n >= 3 && !memcmp(raw, "\xEF\xBB\xBF", 3), crlf = has_crlf(raw, n);
    walk w = {raw, n, bom ? 3 : 0, t->src, 0};
    size_t from = 0;
    for (size_t i = 0; i < t->edits.n; i++) {
        const fl_edit *e = t->edits.v[i];
        if (!walk_to(&w, e->span.from))
            return false;
        fl_buf_add(out, raw + from, w.at - from);
        write_text(out, e->text, crlf);
        if (!walk_to(&w, e->span.to))
            return false;
        from = w.at;
    }
    if (!walk_to(&w, t->src->len) || w.at != n)
        return false;
    return fl_buf_add(out, raw + from, n - from);
}

static fl_status change(fl_arena *a, target *t)
{
    char *raw;
    size_t n;
    fl_buf out;
    const char *name = t->src->name;
    int err = fl_read_regular(a, name, MAX_FILE, &raw, &n);
    if (err) {
        fl_log(FL_LOG_ERROR, "%s: %s", name, fl_read_error(a, err, MAX_FILE));
        return FL_COULD_NOT_RUN;
    }
    qsort(t->edits.v, t->edits.n, sizeof *t->edits.v, by_place);
    fl_buf_init(&out, MAX_OUT);
    fl_status status = FL_COULD_NOT_RUN;
    if (edited(t, raw, n, &out))
        status = cli_rewrite(name, out.p ? out.p : "", out.len);
    else
        fl_log(FL_LOG_ERROR, "%s: it is no longer what was checked, and is left as it is", name);
    fl_buf_free(&out);
    t->failed = status != FL_OK;
    return status;
}

/* ---- all ---- */

static void say(const fl_diag *d)
{
    fl_buf b;
    unsigned line, column;
    fl_buf_init(&b, 1u << 20);
    if (d->span.src) {
        fl_source_place(d->span.src, d->span.from, &line, &column);
        fl_buf_add_shown(&b, d->span.src->name, strlen(d->span.src->name));
        fl_buf_addf(&b, ":%u:%u: ", line, column);
    }
    fl_buf_adds(&b, "mended: ");
    fl_buf_add_shown(&b, d->message, strlen(d->message));
    fprintf(stderr, "%s [%s]\n", b.p, d->check);
    fl_buf_free(&b);
}

static bool is_written(fixer *f, const fl_diag *d)
{
    for (size_t i = 0; i < d->edits.n; i++)
        if (target_of(f, d->edits.v[i].span.src)->failed)
            return false;
    return true;
}

fl_status cli_fix(fl_arena *a, fl_diags *ds, const char *const *paths, size_t n, size_t *made)
{
    fixer f = {.a = a, .given = fl_map_new(), .targets = fl_map_new()};
    FL_VEC(const fl_diag *) taken = {0};
    fl_status status = FL_OK;
    *made = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(paths[i], "-"))
            fl_map_put(f.given, paths[i], (void *)paths[i]);
    fl_diags_sort(ds);
    for (size_t i = 0; i < ds->list.n; i++)
        if (take_all(&f, ds->list.v[i]))
            FL_PUSH(a, &taken, ds->list.v[i]);
    for (size_t i = 0; i < f.order.n; i++)
        if (f.order.v[i]->edits.n)
            status = fl_status_worse(status, change(a, f.order.v[i]));
    for (size_t i = 0; i < taken.n; i++)
        if (is_written(&f, taken.v[i])) {
            say(taken.v[i]);
            ++*made;
        }
    fl_map_free(f.given);
    fl_map_free(f.targets);
    return status;
}
