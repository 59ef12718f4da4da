/* wider.c: does what is written for a tag reach just the paths that carry it?
 *
 * Clients see names, never paths. In metadata the keys of sch_match_keys are matched against the names of leaves; an
 * inline tag stands at one field of one record type, or at one property of one JSON definition, and so at each of its
 * occurrences. Both are judged on what this side writes (`tags-in`). */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"

typedef struct reached { /* leaves that clients cannot tell apart */
    FL_VEC(const est_leaf *) leaves;
} reached;

typedef struct named { /* JSON Schema: a name under which clients look a leaf up */
    const char *name;
    const est_leaf *leaf;
} named;

typedef struct wide {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_side *side;
    fl_arena *scratch;
    fl_map *alike;       /* what tells fields apart, to reached */
    fl_map *said;        /* the same, or a key, with a tag: looked at once, whichever lines name it */
    FL_VEC(named) names; /* sorted */
} wide;

/* ---- what tells a leaf's field from others ---- */

static const char *simple_name(const char *full)
{
    const char *dot = strrchr(full, '.');
    return dot ? dot + 1 : full;
}

/* Avro's keys match any namespace; an inline tag, and a key of Protobuf, one full name. JSON: one object of the text;
 * a property that is written `true` has none. NULL: nothing is written there. */
static const char *identity(const wide *x, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    if (!f)
        return NULL;
    if (x->side->format == EST_JSON)
        return x->side->tags_inline ? fl_printf(x->scratch, "%p", (const void *)f->node) : NULL;
    bool simple = x->side->format == EST_AVRO && x->side->tags_metadata;
    return fl_printf(x->scratch, "%s.%s", simple ? simple_name(f->record->name) : f->record->name, f->name);
}

static void collect_alike(wide *x)
{
    for (size_t i = 0; i < x->side->leaves.n; i++) {
        const est_leaf *l = &x->side->leaves.v[i];
        const char *key = identity(x, l);
        reached *all = key ? fl_map_get(x->alike, key) : NULL;
        if (key && !all) {
            all = FL_NEW(x->scratch, reached);
            fl_map_put(x->alike, key, all);
        }
        if (all)
            FL_PUSH(x->scratch, &all->leaves, l);
    }
}

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->leaf > y->leaf) - (x->leaf < y->leaf);
}

static void collect_names(wide *x)
{
    for (size_t i = 0; i < x->side->leaves.n; i++) {
        const char *names[SCH_MAX_KEYS];
        size_t n = sch_client_names(x->side->schema, &x->side->leaves.v[i].hit, x->scratch, names);
        for (size_t k = 0; k < n; k++)
            FL_PUSH(x->scratch, &x->names, (named){names[k], &x->side->leaves.v[i]});
    }
    if (x->names.n)
        qsort(x->names.v, x->names.n, sizeof *x->names.v, by_name);
}

/* ---- what a tag reaches ---- */

static size_t first_not_before(const wide *x, const char *prefix, size_t n)
{
    size_t low = 0, high = x->names.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strncmp(x->names.v[mid].name, prefix, n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* A name with a dot in it looks like a path of two steps: `$.a.b` is the property b of a, and the property `a.b`. */
static bool may_end_alike(const est_leaf *other, const est_leaf *l)
{
    return !strcmp(other->hit.field->name, l->hit.field->name) || strchr(other->hit.field->name, '.');
}

/* A key is looked at with the names that begin as it does up to its first wildcard, and end in the same name. */
static void reach_by_key(const wide *x, const char *key, const est_leaf *l, reached *out)
{
    size_t n = strcspn(key, "*");
    for (size_t i = first_not_before(x, key, n); i < x->names.n; i++) {
        const named *other = &x->names.v[i];
        if (strncmp(other->name, key, n) != 0)
            break;
        if (may_end_alike(other->leaf, l) && sch_key_matches(key, other->name))
            FL_PUSH(x->scratch, &out->leaves, other->leaf);
    }
}

static bool is_new(const wide *x, const char *what, const char *tag)
{
    return !fl_map_put(x->said, fl_printf(x->scratch, "%s %s", what, tag), x->said);
}

/* What the tag on a leaf reaches, *by saying by what; each key and identity once. */
static reached reach(const wide *x, const est_leaf *l, const char *tag, const char **by)
{
    reached out = {0};
    const char *key = identity(x, l), *keys[SCH_MAX_KEYS];
    if (key && is_new(x, key, tag)) {
        const reached *all = fl_map_get(x->alike, key);
        for (size_t i = 0; i < all->leaves.n; i++)
            FL_PUSH(x->scratch, &out.leaves, all->leaves.v[i]);
    }
    bool json = x->side->format == EST_JSON && x->side->tags_metadata && l->hit.field;
    size_t n = json ? sch_match_keys(x->side->schema, &l->hit, x->scratch, keys) : 0;
    for (size_t i = 0; i < n; i++) {
        size_t before = out.leaves.n;
        if (is_new(x, keys[i], tag))
            reach_by_key(x, keys[i], l, &out);
        for (size_t k = before; k < out.leaves.n; k++)
            if (!chk_carries(out.leaves.v[k], tag))
                *by = fl_strdup(x->diags->arena, keys[i]);
    }
    return out;
}

static int by_place(const void *a, const void *b)
{
    const est_leaf *const *x = a, *const *y = b;
    return (*x > *y) - (*x < *y);
}

/* The paths that a tag on this leaf reaches and nobody gave it; NULL for none, or if that was looked at before. */
static const char *also_reached(const wide *x, const est_leaf *l, const char *tag, const char **by)
{
    if (!est_find_tag(x->e, tag))
        return NULL;
    reached all = reach(x, l, tag, by);
    const est_leaf *last = NULL;
    const char *text = NULL;
    fl_buf list;
    fl_buf_init(&list, 1 << 20);
    if (all.leaves.n)
        qsort(all.leaves.v, all.leaves.n, sizeof *all.leaves.v, by_place);
    for (size_t i = 0; i < all.leaves.n; i++) {
        const est_leaf *other = all.leaves.v[i];
        if (!chk_carries(other, tag) && (!last || strcmp(last->hit.path, other->hit.path) != 0)) {
            fl_buf_addf(&list, "%s%s", list.len ? ", " : "", other->hit.path);
            last = other;
        }
    }
    if (list.len)
        text = fl_strdup(x->diags->arena, list.p);
    fl_buf_free(&list);
    return text;
}

/* ---- messages ---- */

static const char *because(const wide *x, const char *key)
{
    if (x->side->format != EST_JSON)
        return "clients match the record type and the field, not the path";
    return key ? fl_printf(x->diags->arena, "clients match the key `%s`, not the path", key)
               : "one definition describes them, and an inline tag stands there";
}

static void help(const wide *x, fl_diag *d, const char *all, const char *key)
{
    if (x->side->format != EST_JSON)
        fl_diag_help(x->diags, d, "name them all (`%s`), or give them record types of their own", all);
    else if (key)
        fl_diag_help(x->diags, d, "name them all (`%s`), or write `tags-in inline`", all);
    else
        fl_diag_help(x->diags, d, "name them all (`%s`), or give them definitions of their own", all);
}

/* The spelling that reaches a field at every depth. */
static const char *at_any_depth(const wide *x, const est_leaf *l)
{
    if (x->side->format != EST_JSON)
        return "**";
    const char *end = l->hit.path + strlen(l->hit.path);
    while (end > l->hit.path && strchr("[]", end[-1]))
        end--;
    return chk_path_text(x->diags->arena, fl_printf(x->diags->arena, "**.%s%s", l->hit.field->name, end));
}

static void wider_line(const wide *x, const est_field *line, const est_leaf *l, const char *tag)
{
    const char *key = NULL, *more = also_reached(x, l, tag, &key);
    if (!more)
        return;
    fl_diag *d = chk_report(x->row, x->diags, line->path.at, "`%s` on %s also reaches %s: %s", tag, l->hit.path, more,
                            because(x, key));
    fl_diag_label(x->diags, d, "reaches more than this");
    bool any_depth = !line->clear && (l->hit.type->recursive || l->hit.recursive || l->hit.in_recursion);
    help(x, d, any_depth ? at_any_depth(x, l) : more, key);
}

static void wider_inline(const wide *x, const est_leaf *l, const char *tag)
{
    const char *key = NULL, *more = also_reached(x, l, tag, &key);
    if (!more)
        return;
    bool avro = x->side->format == EST_AVRO;
    fl_diag *d =
        chk_report(x->row, x->diags, x->side->schema_path.at, "`%s`, which the schema has on %s, also reaches %s: %s",
                   tag, l->hit.path, more,
                   avro ? "clients match the name of the record in any namespace, and the field" : because(x, key));
    if (avro)
        fl_diag_help(x->diags, d, "tag them all, give the records names of their own, or write `tags-in inline`");
    else
        help(x, d, more, key);
}

/* ---- JSON Schema: what no key can say ---- */

/* Below a type that contains itself the only key is `$**.NAME`, so the line says so, too. */
static bool short_of_recursion(const wide *x, const est_field *line, const est_leaf *l)
{
    if (!l->hit.in_recursion || line->clear || !strncmp(line->path.s, "**", 2))
        return false;
    const char *all = at_any_depth(x, l);
    fl_diag *d = chk_report(x->row, x->diags, line->path.at,
                            "%s lies in a type that contains itself: what is tagged there is tagged at every depth",
                            l->hit.path);
    fl_diag_label(x->diags, d, "this depth alone cannot be said");
    fl_diag_help(x->diags, d, "write `field %s is %s`", all, line->tags.v[0].s);
    return true;
}

/* A name with a wildcard's character, or a dot, has no key that means it alone. */
static bool needs_inline(const wide *x, const est_field *line, const est_leaf *l)
{
    const char *keys[SCH_MAX_KEYS];
    if (!x->side->tags_metadata || l->hit.unwalked || !l->hit.field ||
        sch_match_keys(x->side->schema, &l->hit, x->scratch, keys))
        return false;
    fl_diag *d = chk_report(x->row, x->diags, line ? line->path.at : x->side->schema_path.at,
                            "a name in %s has one of the characters . * ? \\ [ ]: as a key of metadata.tags it would "
                            "mean other fields as well",
                            l->hit.path);
    if (line)
        fl_diag_label(x->diags, d, "no key means this alone");
    fl_diag_relate(x->diags, d, x->side->tags_in_at, "tags are written into metadata as well");
    fl_diag_help(x->diags, d, "write `tags-in inline` into the %s block, or give the property another name",
                 est_side_name(x->side));
    return true;
}

static bool no_key(const wide *x, const est_field *line)
{
    bool found = false;
    for (size_t k = 0; x->side->format == EST_JSON && line->tags.n && k < line->leaves.n && !found; k++) {
        const est_leaf *l = line->leaves.v[k];
        found = short_of_recursion(x, line, l) || needs_inline(x, line, l);
    }
    return found;
}

static void inline_leaf(const wide *x, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    bool tagged = f && f->ntags;
    if (tagged && x->side->format == EST_JSON && !l->line && needs_inline(x, NULL, l))
        return;
    for (size_t t = 0; tagged && t < f->ntags; t++)
        wider_inline(x, l, f->tags[t]);
}

static void line_of_side(const wide *x, const est_field *line)
{
    if (no_key(x, line))
        return;
    for (size_t k = 0; k < line->leaves.n; k++)
        for (size_t t = 0; t < line->tags.n; t++)
            wider_line(x, line, line->leaves.v[k], line->tags.v[t].s);
}

static bool any_tag(const est_side *s)
{
    for (size_t i = 0; i < s->leaves.n; i++)
        if (s->leaves.v[i].tags.n)
            return true;
    return false;
}

static bool one_name(const sch_field *x, const sch_field *y)
{
    return x == y || (!strcmp(x->name, y->name) && !strcmp(simple_name(x->record->name), simple_name(y->record->name)));
}

/* Few leaves, and no two of them with one name of record and field: no key means two of them. Most schemas are so, and
 * cost no more. JSON Schema has no names of records, and its names of fields have characters of wildcards, and dots. */
static bool is_plain(const est_side *s)
{
    enum { FEW = 32 };
    if (s->format == EST_JSON)
        return false;
    for (size_t i = 0; i < s->leaves.n; i++) {
        const sch_field *f = s->leaves.v[i].hit.field;
        if (!f || f->record->recursive || i == FEW)
            return false;
        for (size_t k = 0; k < i; k++)
            if (one_name(f, s->leaves.v[k].hit.field))
                return false;
    }
    return true;
}

static void wider_side(const est_side *s, void *ctx)
{
    if (!any_tag(s) || is_plain(s))
        return;
    wide x = *(const wide *)ctx;
    x.side = s;
    x.alike = fl_map_new();
    x.said = fl_map_new();
    x.scratch = fl_arena_new();
    collect_alike(&x);
    if (s->format == EST_JSON && s->tags_metadata)
        collect_names(&x);
    for (size_t i = 0; i < s->fields.n; i++)
        line_of_side(&x, &s->fields.v[i]);
    for (size_t i = 0; i < s->leaves.n; i++)
        inline_leaf(&x, &s->leaves.v[i]);
    fl_map_free(x.alike);
    fl_map_free(x.said);
    fl_arena_free(x.scratch);
}

void chk_tag_wider_than_path(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    wide x = {.row = row, .e = e, .diags = diags};
    chk_each_side(e, wider_side, &x);
}
