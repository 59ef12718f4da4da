/* tags.c: are tags declared, carried, encrypted, and each once? */
#include <string.h>

#include "compiler/check/check.h"

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
} walk;

static void each_side(const chk_row *row, const est_estate *e, fl_diags *diags,
                      void (*fn)(const est_side *s, void *ctx))
{
    walk w = {row, e, diags};
    chk_each_side(e, fn, &w);
}

/* ---- unknown-tag ---- */

static const char *nearest_tag(const est_estate *e, fl_diags *diags, const char *name)
{
    const char **names = FL_NEW_N(diags->arena, const char *, e->tags.n + 1);
    for (size_t i = 0; i < e->tags.n; i++)
        names[i] = e->tags.v[i]->name.s;
    return fl_nearest(name, names, e->tags.n);
}

static void unknown(const walk *w, fl_span at, const char *name, const char *where)
{
    fl_diag *d = chk_report(w->row, w->diags, at, "there is no tag `%s`%s", name, where);
    const char *near = nearest_tag(w->e, w->diags, name);
    if (near)
        fl_diag_help(w->diags, d, "did you mean `%s`?", near);
    else
        fl_diag_help(w->diags, d, "declare it: tag %s \"what it means\"", name);
}

static void unknown_in_list(const walk *w, const est_text *tags, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!est_find_tag(w->e, tags[i].s))
            unknown(w, tags[i].at, tags[i].s, "");
}

static bool in_line(const est_side *s, const char *tag)
{
    for (size_t i = 0; i < s->fields.n; i++)
        for (size_t k = 0; k < s->fields.v[i].tags.n; k++)
            if (!strcmp(s->fields.v[i].tags.v[k].s, tag))
                return true;
    return false;
}

/* Inline tags that no line of the policy names: each once a side, at the schema's path. */
static void unknown_inline(const walk *w, const est_side *s)
{
    FL_VEC(const char *) said = {0};
    for (size_t i = 0; i < s->leaves.n; i++) {
        const sch_field *f = s->leaves.v[i].hit.field;
        for (size_t k = 0; f && k < f->ntags; k++) {
            bool known = est_find_tag(w->e, f->tags[k]) || in_line(s, f->tags[k]);
            for (size_t j = 0; j < said.n; j++)
                known |= !strcmp(said.v[j], f->tags[k]);
            if (known)
                continue;
            FL_PUSH(w->diags->arena, &said, f->tags[k]);
            unknown(w, s->schema_path.at, f->tags[k],
                    fl_printf(w->diags->arena, ", which the schema has on %s", s->leaves.v[i].hit.path));
        }
    }
}

static void unknown_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    for (size_t i = 0; i < s->fields.n; i++)
        unknown_in_list(w, s->fields.v[i].tags.v, s->fields.v[i].tags.n);
    for (size_t i = 0; i < s->encrypts.n; i++)
        unknown_in_list(w, s->encrypts.v[i].tags.v, s->encrypts.v[i].tags.n);
    for (size_t i = 0; i < s->rules.n; i++)
        unknown_in_list(w, s->rules.v[i].tags.v, s->rules.v[i].tags.n);
    unknown_inline(w, s);
}

void chk_unknown_tag(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, unknown_side);
}

/* ---- tags that were meant ---- */

/* The tags that the unknown ones of a side are near to. A mistyped tag is reported as unknown, and what follows from
 * its absence is not. */
typedef struct meant {
    fl_map *seen; /* the unknown ones */
    FL_VEC(const char *) tags;
} meant;

static void add_meant(const walk *w, meant *m, const char *name)
{
    if (est_find_tag(w->e, name) || fl_map_put(m->seen, name, m))
        return;
    const char *near = nearest_tag(w->e, w->diags, name);
    if (near)
        FL_PUSH(w->diags->arena, &m->tags, near);
}

static bool is_meant(const meant *m, const char *tag)
{
    for (size_t i = 0; i < m->tags.n; i++)
        if (!strcmp(m->tags.v[i], tag))
            return true;
    return false;
}

static meant meant_by_encrypts(const walk *w, const est_side *s)
{
    meant m = {.seen = fl_map_new()};
    for (size_t i = 0; i < s->encrypts.n; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++)
            add_meant(w, &m, s->encrypts.v[i].tags.v[k].s);
    fl_map_free(m.seen);
    return m;
}

static meant meant_by_fields(const walk *w, const est_side *s)
{
    meant m = {.seen = fl_map_new()};
    for (size_t i = 0; i < s->fields.n; i++)
        for (size_t k = 0; k < s->fields.v[i].tags.n; k++)
            add_meant(w, &m, s->fields.v[i].tags.v[k].s);
    for (size_t i = 0; i < s->leaves.n; i++)
        for (size_t k = 0; k < s->leaves.v[i].tags.n; k++)
            add_meant(w, &m, s->leaves.v[i].tags.v[k]);
    fl_map_free(m.seen);
    return m;
}

/* ---- tag-not-encrypted ---- */

/* By a line that names the tag, or as part of the whole body. */
static bool encrypted_here(const est_side *s, const char *tag)
{
    return s->payload || chk_names_tag(s, tag);
}

static void line_not_encrypted(const walk *w, const est_side *s, const meant *m, const est_field *f)
{
    bool labels_only = f->tags.n && !f->clear;
    for (size_t i = 0; i < f->tags.n; i++) {
        const est_text *t = &f->tags.v[i];
        labels_only &= est_find_tag(w->e, t->s) && !chk_must_encrypt(w->e, t->s);
        if (!chk_must_encrypt(w->e, t->s))
            continue;
        if (f->clear) {
            fl_diag *d = chk_report(w->row, w->diags, t->at,
                                    "%s is declared clear, and `%s` says that it must be encrypted", f->path.s, t->s);
            fl_diag_help(w->diags, d, "take `clear` out, or the tag");
        } else if (!encrypted_here(s, t->s) && !is_meant(m, t->s)) {
            fl_diag *d =
                chk_report(w->row, w->diags, t->at,
                           "%s carries `%s`, and no `encrypt` line of this %s names it: it would go out in clear",
                           f->path.s, t->s, est_side_name(s));
            fl_diag_help(w->diags, d, "write `encrypt %s with KEK`, or add the tag to an `encrypt` line", t->s);
        }
    }
    if (labels_only) {
        fl_diag *d = chk_report(w->row, w->diags, f->at,
                                "%s has only tags that leave it in clear, so its line must say so", f->path.s);
        fl_diag_help(w->diags, d, "write `field %s is clear, %s`", f->path.s, f->tags.v[0].s);
    }
}

/* Tags that the schema itself has and no line of the policy repeats: each once a side. */
static void inline_not_encrypted(const walk *w, const est_side *s, const meant *m)
{
    FL_VEC(const char *) said = {0};
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const sch_field *f = l->hit.field;
        for (size_t k = 0; f && k < f->ntags; k++) {
            bool skip = !chk_must_encrypt(w->e, f->tags[k]) || encrypted_here(s, f->tags[k]) ||
                        in_line(s, f->tags[k]) || is_meant(m, f->tags[k]);
            for (size_t j = 0; j < said.n; j++)
                skip |= !strcmp(said.v[j], f->tags[k]);
            if (skip)
                continue;
            FL_PUSH(w->diags->arena, &said, f->tags[k]);
            fl_diag *d = chk_report(
                w->row, w->diags, s->schema_path.at,
                "the schema tags %s as `%s`, and no `encrypt` line of this %s names it: it would go out in clear",
                l->hit.path, f->tags[k], est_side_name(s));
            fl_diag_help(w->diags, d, "write `encrypt %s with KEK`", f->tags[k]);
        }
    }
}

static bool has_tag(const est_field *f, const char *tag)
{
    for (size_t i = 0; i < f->tags.n; i++)
        if (!strcmp(f->tags.v[i].s, tag))
            return true;
    return false;
}

/* The tag of a leaf that wins over this `is clear` line with every client: from the schema, or from another line. */
static const char *against_clear(const walk *w, const est_field *clear, const est_leaf *l)
{
    for (size_t i = 0; i < l->tags.n; i++)
        if (chk_must_encrypt(w->e, l->tags.v[i]) && !has_tag(clear, l->tags.v[i]))
            return l->tags.v[i];
    return NULL;
}

static const est_field *line_with(const est_side *s, const est_leaf *l, const char *tag)
{
    for (size_t i = 0; i < s->fields.n; i++)
        for (size_t k = 0; has_tag(&s->fields.v[i], tag) && k < s->fields.v[i].leaves.n; k++)
            if (s->fields.v[i].leaves.v[k] == l)
                return &s->fields.v[i];
    return NULL;
}

static void clear_and_tagged(const walk *w, const est_side *s, const est_field *clear, const est_leaf *l,
                             const char *tag)
{
    const est_field *line = line_with(s, l, tag);
    fl_diag *d =
        chk_report(w->row, w->diags, clear->at, "%s is declared clear, and %s tags it as `%s`, which must be encrypted",
                   l->hit.path, line ? "another line" : "the schema", tag);
    if (line) {
        fl_diag_relate(w->diags, d, line->path.at, "tagged here");
        fl_diag_help(w->diags, d, "take one of the two lines out; a line with a wildcard cannot leave a field out");
    } else {
        fl_diag_help(w->diags, d, "write `field %s is %s`, or take the tag out of the schema", l->hit.path, tag);
    }
}

/* One report a line. */
static void clear_against_tags(const walk *w, const est_side *s)
{
    for (size_t i = 0; i < s->fields.n; i++) {
        const est_field *f = &s->fields.v[i];
        const char *tag = NULL;
        for (size_t k = 0; f->clear && !tag && k < f->leaves.n; k++) {
            tag = against_clear(w, f, f->leaves.v[k]);
            if (tag)
                clear_and_tagged(w, s, f, f->leaves.v[k], tag);
        }
    }
}

static void encrypt_of_clear(const walk *w, const est_encrypt *x)
{
    for (size_t i = 0; i < x->tags.n; i++) {
        const est_tag *t = est_find_tag(w->e, x->tags.v[i].s);
        if (!t || !t->clear.s)
            continue;
        fl_diag *d =
            chk_report(w->row, w->diags, x->tags.v[i].at,
                       "`%s` is a clear tag: what carries it stays in clear, and no line encrypts it", t->name.s);
        fl_diag_relate(w->diags, d, t->clear.at, "declared clear here");
        fl_diag_help(w->diags, d, "use another tag, or take `clear because …` out of its declaration");
    }
}

static void not_encrypted_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    meant m = meant_by_encrypts(w, s);
    for (size_t i = 0; i < s->fields.n; i++)
        line_not_encrypted(w, s, &m, &s->fields.v[i]);
    for (size_t i = 0; i < s->encrypts.n; i++)
        encrypt_of_clear(w, &s->encrypts.v[i]);
    inline_not_encrypted(w, s, &m);
    clear_against_tags(w, s);
}

void chk_tag_not_encrypted(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, not_encrypted_side);
}

/* ---- idle-rule ---- */

static bool carried(const est_side *s, const char *tag)
{
    for (size_t i = 0; i < s->leaves.n; i++)
        if (chk_carries(&s->leaves.v[i], tag))
            return true;
    return in_line(s, tag); /* on something that another check refuses */
}

static void idle_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    meant m = meant_by_fields(w, s);
    for (size_t i = 0; i < s->encrypts.n; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++) {
            const est_text *t = &s->encrypts.v[i].tags.v[k];
            if (!chk_must_encrypt(w->e, t->s) || carried(s, t->s) || is_meant(&m, t->s))
                continue;
            fl_diag *d =
                chk_report(w->row, w->diags, t->at, "no field of the %s of %s carries `%s`: this line encrypts nothing",
                           est_side_name(s), s->topic->name.s, t->s);
            fl_diag_help(w->diags, d, "tag the field it is meant for: `field PATH is %s`", t->s);
        }
}

void chk_idle_rule(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, idle_side);
}

/* ---- encrypted-twice ---- */

static const est_encrypt *names_tag(const est_side *s, size_t before, const char *tag)
{
    for (size_t i = 0; i < before; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++)
            if (!strcmp(s->encrypts.v[i].tags.v[k].s, tag))
                return &s->encrypts.v[i];
    return NULL;
}

static bool reaches(const est_encrypt *x, const est_leaf *l)
{
    for (size_t i = 0; i < x->tags.n; i++)
        if (chk_carries(l, x->tags.v[i].s))
            return true;
    return false;
}

static bool share_a_tag(const est_encrypt *a, const est_encrypt *b)
{
    for (size_t i = 0; i < a->tags.n; i++)
        for (size_t k = 0; k < b->tags.n; k++)
            if (!strcmp(a->tags.v[i].s, b->tags.v[k].s))
                return true;
    return false;
}

static void twice_by_leaf(const walk *w, const est_side *s, const est_leaf *l)
{
    const est_encrypt *first = NULL;
    for (size_t i = 0; i < s->encrypts.n; i++) {
        const est_encrypt *x = &s->encrypts.v[i];
        if (!reaches(x, l))
            continue;
        if (first && !share_a_tag(first, x)) {
            fl_diag *d =
                chk_report(w->row, w->diags, x->at,
                           "%s is reached by two `encrypt` lines: clients would encrypt it twice", l->hit.path);
            fl_diag_relate(w->diags, d, first->at, "the other line");
            fl_diag_help(w->diags, d, "give the field tags of one line only, or put both tags into one line");
            return;
        }
        first = first ? first : x;
    }
}

static void twice_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    for (size_t i = 0; i < s->encrypts.n; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++) {
            const est_text *t = &s->encrypts.v[i].tags.v[k];
            const est_encrypt *other = names_tag(s, i, t->s);
            if (!other)
                continue;
            fl_diag *d = chk_report(w->row, w->diags, t->at, "`%s` stands in two `encrypt` lines of this %s", t->s,
                                    est_side_name(s));
            fl_diag_relate(w->diags, d, other->at, "the other line");
            fl_diag_help(w->diags, d, "take it out of one of them");
        }
    for (size_t i = 0; i < s->leaves.n; i++)
        twice_by_leaf(w, s, &s->leaves.v[i]);
}

void chk_encrypted_twice(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_side(row, e, diags, twice_side);
}
