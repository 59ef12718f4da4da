/* fold.c: one diagnostic for many that say the same: of the rows of a list, and of environments. */
#include <stdlib.h>
#include <string.h>

#include "compiler/finish.h"

/* ---- rows ---- */

static bool in_word(char c)
{
    return (unsigned char)c >= 0x80 ||
           (c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c));
}

/* Replaces what stands in the text as a word, or several. */
static const char *replace(fl_arena *a, const char *s, const char *what, const char *by)
{
    size_t n = strlen(what);
    fl_buf b;
    if (!n || !strstr(s, what))
        return s;
    fl_buf_init(&b, (size_t)1 << 30);
    for (const char *p = s; *p;) {
        bool here = !strncmp(p, what, n) && (p == s || !in_word(p[-1]) || !in_word(*p)) &&
                    (!in_word(p[n - 1]) || !in_word(p[n]));
        if (here)
            fl_buf_addf(&b, "${%s}", by);
        else
            fl_buf_add(&b, p, 1);
        p += here ? n : 1;
    }
    const char *out = fl_strdup(a, b.p ? b.p : "");
    fl_buf_free(&b);
    return out;
}

static const res_row *row_of(const fl_diag *d)
{
    const fl_origin *o = d->span.src ? d->span.src->origin : NULL;
    while (o && !o->what)
        o = o->next;
    return o ? o->what : NULL;
}

/* What all rows would say alike, NULL for a diagnostic of no row. */
static const char *common(fl_arena *a, const fl_diag *d)
{
    const char *message = d->message;
    if (!row_of(d))
        return NULL;
    for (const fl_origin *o = d->span.src->origin; o; o = o->next) {
        const res_row *row = o->what;
        for (size_t i = 0; row && i < row->n; i++)
            if (row->texts[i])
                message = replace(a, message, row->texts[i], row->names[i]);
    }
    return fl_printf(a, "%s\n%d\n%s\n%u\n%u\n%s", d->check, d->severity, d->span.src->name, d->span.from, d->span.to,
                     message);
}

typedef struct group {
    fl_diag *first;
    FL_VEC(const fl_diag *) more;
} group;

static void tell_group(fl_arena *a, const group *g)
{
    fl_diag *d = g->first;
    const res_row *row = row_of(d);
    size_t own = d->nrelated, n = g->more.n;
    for (const fl_origin *o = d->span.src->origin; o; o = o->next)
        own++;
    fl_related *all = FL_NEW_N(a, fl_related, own + n);
    own = d->nrelated;
    if (own)
        memcpy(all, d->related, own * sizeof *all);
    for (const fl_origin *o = d->span.src->origin; o; o = o->next) /* before the others, of which text shows a few */
        all[own++] = (fl_related){o->at, o->label};
    for (size_t i = 0; i < n; i++) {
        const fl_origin *o = g->more.v[i]->span.src->origin;
        while (!o->what)
            o = o->next;
        all[own + i] = (fl_related){o->at, fl_printf(a, "and %s", o->label)};
    }
    d->related = all;
    d->nrelated = own + n;
    if (row->is_default)
        d->message = fl_printf(a, "%s, and so for %zu more", d->message, n);
    else
        d->message = fl_printf(a, "%s, and in %zu more row%s", d->message, n, n == 1 ? "" : "s");
}

void fc_fold(fl_diags *diags)
{
    fl_map *groups = fl_map_new();
    FL_VEC(group *) all = {0};
    size_t kept = 0;
    fl_diags_sort(diags);
    for (size_t i = 0; i < diags->list.n; i++) {
        fl_diag *d = diags->list.v[i];
        const char *key = common(diags->arena, d);
        group *g = key ? fl_map_get(groups, key) : NULL;
        if (g) {
            FL_PUSH(diags->arena, &g->more, d);
            *(d->severity == FL_ERROR ? &diags->errors : &diags->warnings) -= 1;
            continue;
        }
        diags->list.v[kept++] = d;
        if (!key)
            continue;
        g = FL_NEW(diags->arena, group);
        g->first = d;
        fl_map_put(groups, key, g);
        FL_PUSH(diags->arena, &all, g);
    }
    diags->list.n = kept;
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i]->more.n)
            tell_group(diags->arena, all.v[i]);
    fl_map_free(groups);
}

/* ---- environments ---- */

struct fc_merged {
    fl_diag *diag;
    FL_VEC(const char *) environments;
};

void fc_merge_begin(fc_merger *m, fl_arena *a, fl_diags *into)
{
    *m = (fc_merger){.a = a, .into = into, .seen = fl_map_new()};
}

static const char *identity(fl_arena *a, const fl_diag *d)
{
    return fl_printf(a, "%s\n%d\n%s\n%u\n%u\n%s\n%s", d->check, d->severity, d->span.src ? d->span.src->name : "",
                     d->span.from, d->span.to, d->message, d->help ? d->help : "");
}

static void add_one(fc_merger *m, fl_diag *d, const char *environment)
{
    const char *id = identity(m->a, d);
    struct fc_merged *e = fl_map_get(m->seen, id);
    if (!e) {
        e = FL_NEW(m->a, struct fc_merged);
        e->diag = d;
        d->seq = m->into->list.n;
        fl_map_put(m->seen, id, e);
        FL_PUSH(m->a, &m->all, e);
        FL_PUSH(m->a, &m->into->list, d);
        *(d->severity == FL_ERROR ? &m->into->errors : &m->into->warnings) += 1;
    }
    if (!e->environments.n || e->environments.v[e->environments.n - 1] != environment)
        FL_PUSH(m->a, &e->environments, environment);
}

static void add_waived(fc_merger *m, const fl_waived *w)
{
    const char *id = fl_printf(m->a, "waived %s", identity(m->a, w->diag));
    if (!fl_map_put(m->seen, id, m))
        FL_PUSH(m->a, &m->into->waived, *w);
}

void fc_merge_add(fc_merger *m, const fl_diags *of, const char *environment)
{
    m->nenvironments++;
    for (size_t i = 0; i < of->list.n; i++)
        add_one(m, of->list.v[i], environment);
    for (size_t i = 0; i < of->waived.n; i++)
        add_waived(m, &of->waived.v[i]);
    for (size_t i = 0; i < of->hidden.n; i++)
        fl_diags_hide(m->into, of->hidden.v[i]);
}

void fc_merge_end(fc_merger *m)
{
    for (size_t i = 0; i < m->all.n; i++) {
        struct fc_merged *e = m->all.v[i];
        if (e->environments.n == m->nenvironments)
            continue;
        FL_PUSH(m->a, &e->environments, NULL);
        e->diag->environments = e->environments.v;
    }
    fl_map_free(m->seen);
    fl_diags_sort(m->into);
}
