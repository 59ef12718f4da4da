/* fields.c: can what carries an encrypted tag be encrypted, and does the tag reach just that? */
#include <string.h>

#include "compiler/check/check.h"

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
} walk;

static bool leaf_kind(sch_kind k)
{
    return k != SCH_RECORD && k != SCH_ARRAY && k != SCH_MAP && k != SCH_UNION;
}

/* Calls fn for each hit of a line that carries an encrypted tag, until it returns true: one report a line. */
static void each_hit(const est_side *s, const walk *w, bool (*fn)(const walk *w, const est_field *f, const sch_hit *h))
{
    for (size_t i = 0; i < s->fields.n; i++) {
        const est_field *f = &s->fields.v[i];
        for (size_t k = 0; k < f->hits.n; k++)
            if (fn(w, f, &f->hits.v[k]))
                break;
    }
}

/* The first inline tag of a leaf that must be encrypted, where no line of the policy names the leaf. */
static const char *inline_secret(const walk *w, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    for (size_t k = 0; f && !l->line && k < f->ntags; k++)
        if (chk_must_encrypt(w->e, f->tags[k]))
            return f->tags[k];
    return NULL;
}

/* ---- cannot-encrypt-type ---- */

static bool wrong_type(const walk *w, const est_field *f, const sch_hit *h)
{
    if (!chk_line_secret(w->e, f) || h->mixed || !leaf_kind(h->type->kind) || sch_is_encryptable(h->type))
        return false;
    fl_diag *d = chk_report(w->row, w->diags, f->path.at, "%s has the type %s: only string and bytes can be encrypted", h->path,
                            sch_type_text(h->type, w->diags->arena));
    fl_diag_relate(w->diags, d, chk_line_secret(w->e, f)->at, "tagged as something that must be encrypted");
    fl_diag_help(w->diags, d, "make it a string in the schema, or leave it in clear with `field %s is clear`", h->path);
    return true;
}

static void types_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    each_hit(s, w, wrong_type);
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const char *tag = inline_secret(w, l);
        if (!tag || l->hit.mixed || l->hit.recursive || sch_is_encryptable(l->hit.type))
            continue;
        fl_diag *d = chk_report(w->row, w->diags, s->schema_path.at,
                                "the schema tags %s as `%s`, and its type is %s: only string and bytes can be encrypted",
                                l->hit.path, tag, sch_type_text(l->hit.type, w->diags->arena));
        fl_diag_help(w->diags, d, "make it a string in the schema, or take its tag out");
    }
}

void chk_cannot_encrypt_type(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags};
    chk_each_side(e, types_of_side, &w);
}

/* ---- silent-plaintext-union ---- */

static bool mixed_union(const walk *w, const est_field *f, const sch_hit *h)
{
    if (!chk_line_secret(w->e, f) || !h->mixed)
        return false;
    fl_diag *d = chk_report(w->row, w->diags, f->path.at,
                            "%s has the type %s: where another branch than the text is taken, the value goes out in clear",
                            h->path, sch_type_text(h->type, w->diags->arena));
    fl_diag_help(w->diags, d, "make it a union of null and one string or bytes, or split the field");
    return true;
}

static void unions_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    each_hit(s, w, mixed_union);
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const char *tag = l->hit.mixed && !l->hit.recursive ? inline_secret(w, l) : NULL;
        if (!tag)
            continue;
        fl_diag *d = chk_report(w->row, w->diags, s->schema_path.at,
                                "the schema tags %s as `%s`, and its type is %s: where another branch than the text is "
                                "taken, the value goes out in clear",
                                l->hit.path, tag, sch_type_text(l->hit.type, w->diags->arena));
        fl_diag_help(w->diags, d, "make it a union of null and one string or bytes, or split the field");
    }
}

void chk_silent_plaintext_union(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags};
    chk_each_side(e, unions_of_side, &w);
}

/* ---- tag-on-record ---- */

static bool on_record(const walk *w, const est_field *f, const sch_hit *h)
{
    if (!f->tags.n || h->mixed || leaf_kind(h->type->kind))
        return false;
    const char *what = sch_type_text(h->type, w->diags->arena);
    fl_diag *d =
        chk_report(w->row, w->diags, f->path.at,
                   "%s has the type %s and no value of its own: clients disagree on what a tag there does", h->path, what);
    if (h->type->kind == SCH_RECORD)
        fl_diag_help(w->diags, d, "name the fields in it: `field %s.NAME is %s`", h->path, f->tags.v[0].s);
    else
        fl_diag_help(w->diags, d, "name what it holds: `field %s%s is %s`", h->path,
                     h->type->kind == SCH_ARRAY ? "[]" : ".*", f->tags.v[0].s);
    return true;
}

/* What a field's values are, behind null-unions, arrays and maps: is there a record? */
static const sch_type *record_below(const sch_type *t, unsigned depth)
{
    if (depth > SCH_MAX_DEPTH || t->kind == SCH_RECORD)
        return t->kind == SCH_RECORD ? t : NULL;
    if (t->kind == SCH_ARRAY || t->kind == SCH_MAP)
        return record_below(t->item, depth + 1);
    for (size_t i = 0; t->kind == SCH_UNION && i < t->nbranches; i++) {
        const sch_type *r = record_below(t->branches[i], depth + 1);
        if (r)
            return r;
    }
    return NULL;
}

typedef struct records { /* walks every record type once */
    const walk *w;
    const est_side *side;
    bool *seen;
} records;

static void visit_type(records *r, const sch_type *t, unsigned depth);

static void visit_field(records *r, const sch_field *f, unsigned depth)
{
    const sch_type *record = f->ntags ? record_below(f->type, 0) : NULL;
    if (record) {
        fl_diag *d =
            chk_report(r->w->row, r->w->diags, r->side->schema_path.at,
                       "the schema tags %s.%s, which holds records (%s): clients disagree on what a tag there does",
                       f->record->name, f->name, record->name);
        fl_diag_help(r->w->diags, d, "tag the fields of %s instead", record->name);
    }
    visit_type(r, f->type, depth + 1);
}

static void visit_type(records *r, const sch_type *t, unsigned depth)
{
    if (depth > SCH_MAX_DEPTH * 4 || r->seen[t->id])
        return;
    r->seen[t->id] = true;
    for (size_t i = 0; i < t->nfields; i++)
        visit_field(r, &t->fields[i], depth);
    for (size_t i = 0; i < t->nbranches; i++)
        visit_type(r, t->branches[i], depth + 1);
    if (t->item)
        visit_type(r, t->item, depth + 1);
}

static void records_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    records r = {w, s, FL_NEW_N(w->diags->arena, bool, s->schema->ntypes + 1)};
    each_hit(s, w, on_record);
    visit_type(&r, s->schema->root, 0);
    for (size_t i = 0; i < s->schema->nmisplaced; i++) {
        const sch_misplaced *m = &s->schema->misplaced[i];
        fl_diag *d = chk_report(w->row, w->diags, s->schema_path.at,
                                "the schema has `confluent:tags` inside the type of %s, where no client looks for it",
                                m->field ? m->field->name : "its root");
        fl_diag_help(w->diags, d, "move it to the field: beside \"name\" and \"type\"");
    }
}

void chk_tag_on_record(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags};
    chk_each_side(e, records_of_side, &w);
}

/* ---- tag-wider-than-path ---- */

static const est_leaf *leaf_at(const est_side *s, const char *path)
{
    for (size_t i = 0; i < s->leaves.n; i++)
        if (!strcmp(s->leaves.v[i].hit.path, path))
            return &s->leaves.v[i];
    return NULL;
}

/* With metadata, clients match by names; inline, the tag stands at the field of the record type and so at each of its
 * occurrences. */
static bool gets_the_tag(const est_side *s, const sch_field *f, const sch_hit *covered)
{
    return s->tags_metadata || covered->field == f;
}

static void wider(const walk *w, const est_side *s, const est_field *line, const sch_hit *h, const est_text *tag)
{
    sch_hits all;
    fl_buf list;
    size_t missing = 0;
    sch_covered(s->schema, w->diags->arena, h->field, &all);
    fl_buf_init(&list, 1 << 20);
    for (size_t i = 0; i < all.n; i++) {
        const est_leaf *l = leaf_at(s, all.v[i].path);
        if (!gets_the_tag(s, h->field, &all.v[i]) || (l && chk_carries(l, tag->s)))
            continue;
        fl_buf_addf(&list, "%s%s", missing++ ? ", " : "", all.v[i].path);
    }
    if (missing) {
        fl_diag *d = chk_report(w->row, w->diags, line->path.at,
                                "`%s` on %s also reaches %s: clients match the record type and the field, not the path",
                                tag->s, h->path, list.p);
        fl_diag_help(w->diags, d, "name them all (`%s`), or give them record types of their own",
                     h->type->recursive || h->recursive ? "**" : list.p);
    }
    fl_buf_free(&list);
}

static bool reported_before(const est_field *f, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (f->hits.v[i].field == f->hits.v[k].field)
            return true;
    return false;
}

static void wider_side(const est_side *s, void *ctx)
{
    for (size_t i = 0; i < s->fields.n; i++) {
        const est_field *f = &s->fields.v[i];
        for (size_t k = 0; k < f->hits.n; k++)
            for (size_t t = 0; t < f->tags.n && f->hits.v[k].field && !reported_before(f, k); t++)
                wider(ctx, s, f, &f->hits.v[k], &f->tags.v[t]);
    }
}

void chk_tag_wider_than_path(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags};
    chk_each_side(e, wider_side, &w);
}

/* ---- field-not-listed ---- */

static void listed_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    fl_buf list;
    size_t missing = 0;
    fl_buf_init(&list, 1 << 20);
    for (size_t i = 0; s->exhaustive && i < s->leaves.n; i++)
        if (!s->leaves.v[i].line && !s->leaves.v[i].hit.recursive)
            fl_buf_addf(&list, "%s%s", missing++ ? ", " : "", s->leaves.v[i].hit.path);
    if (missing) {
        fl_diag *d = chk_report(w->row, w->diags, s->at, "the %s of %s is exhaustive, and no `field` line names %s",
                                est_side_name(s), s->topic->name.s, list.p);
        fl_diag_help(w->diags, d, "decide for each: `field PATH is TAG` or `field PATH is clear`");
    }
    fl_buf_free(&list);
}

void chk_field_not_listed(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags};
    chk_each_side(e, listed_side, &w);
}
