/* fields.c: what the `field` lines of a side select in its schema, and its leaves with all that reaches them. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- field lines ---- */

static void nothing_there(res *r, const est_side *s, const est_field *f)
{
    const char *near[3];
    fl_diag *d = res_error(r, "no-such-field", f->path.at, "the %s of %s has no field %s", est_side_name(s),
                           s->topic->name.s, f->path.s);
    fl_diag_label(r->diags, d, "no such field");
    fl_diag_relate(r->diags, d, s->schema_path.at, "the schema");
    size_t n = sch_nearest(s->schema, r->a, f->path.s, near, 3);
    if (n && *near[0]) /* the only path in a schema of one primitive is empty */
        fl_diag_help(r->diags, d, "the nearest: %s%s%s%s%s", near[0], n > 1 ? ", " : "", n > 1 ? near[1] : "",
                     n > 2 ? ", " : "", n > 2 ? near[2] : "");
}

/* Steps of a path that are `*`, and whether one is `**`; what stands in double quotes is a name. */
static size_t stars(const char *path, bool *any_depth)
{
    size_t n = 0;
    for (bool quoted = false; *path; path++) {
        if (quoted && *path == '\\' && path[1])
            path++;
        else if (*path == '"')
            quoted = !quoted;
        else if (!quoted && path[0] == '*' && path[1] == '*')
            *any_depth = true;
        n += !quoted && *path == '*';
    }
    return n;
}

/* Whoever reads `is clear` shall see what is left in clear; the values of a map have no other name than `*`. Such a
 * line counts as one that names its leaves, and is looked at no more. */
static void clear_wildcard(res *r, est_field *f)
{
    bool any_depth = false;
    size_t written = stars(f->path.s, &any_depth);
    for (size_t i = 0; f->clear && written && i < f->hits.n; i++) {
        const char *path = f->hits.v[i].path;
        if (!any_depth && stars(path, &any_depth) == written)
            continue;
        fl_diag *d = res_error(r, "syntax", f->path.at,
                               "%s leaves in clear whatever it matches, also what the schema gets later", f->path.s);
        fl_diag_help(r->diags, d, "name each field that is in clear: `field %s is clear`", path);
        f->hits.n = f->leaves.n = 0;
    }
}

static void select_field(res *r, const est_side *s, est_field *f)
{
    char message[160];
    if (sch_select(s->schema, r->a, f->path.s, &f->hits, message) == SCH_PATH_BAD) {
        f->hits = (sch_hits){0};
        res_error(r, "syntax", f->path.at, "%s", message);
    } else if (f->hits.truncated) {
        res_error(r, "syntax", f->path.at, "%s selects more than can be looked at: %zu fields and more", f->path.s,
                  f->hits.n);
    } else if (!f->hits.n) {
        nothing_there(r, s, f);
    }
}

/* ---- leaves ---- */

/* Leaves by their path. Two can have one path, in a union of records: they are chained. Few are looked through. */
typedef struct lookup {
    est_side *side;
    fl_map *first;   /* NULL: there are few */
    est_leaf **next; /* by number of the leaf */
} lookup;

enum { FEW = 32 };

static void make_leaves(res *r, lookup *l)
{
    est_side *s = l->side;
    sch_hits all = *s->all_leaves;
    if (all.truncated)
        res_error(r, "syntax", s->schema_path.at, "the schema has more leaves than can be looked at: %zu and more",
                  all.n);
    s->leaves.v = FL_NEW_N(r->a, est_leaf, all.n);
    s->leaves.n = s->leaves.cap = all.n;
    for (size_t i = 0; i < all.n; i++)
        s->leaves.v[i].hit = all.v[i];
    if (all.n <= FEW)
        return;
    l->first = fl_map_new();
    l->next = FL_NEW_N(r->a, est_leaf *, all.n);
    for (size_t i = 0; i < all.n; i++)
        l->next[i] = fl_map_put(l->first, all.v[i].path, &s->leaves.v[i]);
}

static void add_tag(res *r, est_leaf *l, const char *tag)
{
    size_t i = 0;
    while (i < l->tags.n && strcmp(l->tags.v[i], tag) < 0)
        i++;
    if (i < l->tags.n && !strcmp(l->tags.v[i], tag))
        return;
    FL_PUSH(r->a, &l->tags, tag);
    memmove(&l->tags.v[i + 1], &l->tags.v[i], (l->tags.n - 1 - i) * sizeof *l->tags.v);
    l->tags.v[i] = tag;
}

static void reach(res *r, est_leaf *leaf, est_field *f)
{
    if (!leaf->line)
        leaf->line = f;
    FL_PUSH(r->a, &f->leaves, leaf);
    for (size_t i = 0; i < f->tags.n; i++)
        add_tag(r, leaf, f->tags.v[i].s);
}

static bool is_at(const est_leaf *l, const sch_hit *h)
{
    return l->hit.field == h->field && l->hit.type == h->type;
}

static void reach_hit(res *r, const lookup *l, est_field *f, const sch_hit *h)
{
    est_leaf *all = l->side->leaves.v;
    for (size_t i = l->first ? 0 : l->side->leaves.n; i-- > 0;)
        if (is_at(&all[i], h) && !strcmp(all[i].hit.path, h->path))
            reach(r, &all[i], f);
    for (est_leaf *leaf = l->first ? fl_map_get(l->first, h->path) : NULL; leaf; leaf = l->next[leaf - all])
        if (is_at(leaf, h))
            reach(r, leaf, f);
}

/* The one leaf that has this path, where a path reaches one thing: a look at the leaves finds what a walk through the
 * schema would. NULL: there is none, or that has to be looked for. */
static est_leaf *only_leaf(const lookup *l, const est_field *f)
{
    enum { PLAIN = 64 }; /* bytes of a path with fewer steps than a path may have */
    const est_side *s = l->side;
    if (s->schema->format != SCH_AVRO || s->all_leaves->split || s->all_leaves->truncated ||
        strlen(f->path.s) > PLAIN || strchr(f->path.s, '"'))
        return NULL;
    if (l->first)
        return fl_map_get(l->first, f->path.s);
    for (size_t i = 0; i < s->leaves.n; i++)
        if (!strcmp(s->leaves.v[i].hit.path, f->path.s))
            return &s->leaves.v[i];
    return NULL;
}

static void reach_hits(res *r, const lookup *l, est_field *f)
{
    for (size_t i = 0; i < f->hits.n; i++)
        reach_hit(r, l, f, &f->hits.v[i]);
}

static const est_encrypt *encrypted_by(const est_side *s, const est_leaf *l)
{
    for (size_t i = 0; i < s->encrypts.n; i++)
        for (size_t k = 0; k < s->encrypts.v[i].tags.n; k++)
            for (size_t j = 0; j < l->tags.n; j++)
                if (!strcmp(s->encrypts.v[i].tags.v[k].s, l->tags.v[j]))
                    return &s->encrypts.v[i];
    return NULL;
}

static void side(res *r, est_side *s)
{
    if (!s->schema)
        return;
    lookup l = {.side = s};
    make_leaves(r, &l);
    for (size_t i = 0; i < s->fields.n; i++) {
        est_field *f = &s->fields.v[i];
        est_leaf *only = only_leaf(&l, f);
        if (only) {
            f->hits = (sch_hits){.v = &only->hit, .n = 1};
            reach(r, only, f);
        } else {
            select_field(r, s, f);
            reach_hits(r, &l, f);
        }
        clear_wildcard(r, f);
    }
    for (size_t i = 0; i < s->leaves.n; i++) {
        est_leaf *leaf = &s->leaves.v[i];
        for (size_t k = 0; leaf->hit.field && k < leaf->hit.field->ntags; k++)
            add_tag(r, leaf, leaf->hit.field->tags[k]);
        leaf->encrypt = encrypted_by(s, leaf);
    }
    fl_map_free(l.first);
}

/* ---- all topics ---- */

enum { FEW_TOPICS = 100, PIECES = 16 };

/* A piece of the topics, with an arena and a list of its own. */
typedef struct piece {
    res r;
    fl_diags diags;
} piece;

typedef struct pieces {
    const res *r;
    piece v[PIECES];
} pieces;

static void some_topics(res *r, fl_piece p)
{
    for (size_t i = p.from; i < p.from + p.n; i++) {
        side(r, &r->e->topics.v[i]->key);
        side(r, &r->e->topics.v[i]->value);
    }
}

static void one_piece(size_t i, void *ctx)
{
    pieces *all = ctx;
    piece *p = &all->v[i];
    p->r = *all->r;
    p->r.a = fl_arena_new();
    p->r.diags = &p->diags;
    fl_diags_init(&p->diags, p->r.a);
    some_topics(&p->r, fl_piece_of(p->r.e->topics.n, PIECES, i));
}

void res_fields(res *r)
{
    size_t n = r->e->topics.n;
    if (n < FEW_TOPICS) {
        some_topics(r, (fl_piece){0, n});
        return;
    }
    pieces all = {.r = r};
    fl_parallel(PIECES, RES_THREADS, one_piece, &all);
    for (size_t i = 0; i < PIECES; i++) {
        fl_diags_join(r->diags, &all.v[i].diags);
        fl_arena_adopt(r->a, all.v[i].r.a);
    }
}
