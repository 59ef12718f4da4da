/* walked.c: paths that no client walks, and tags that would be written nowhere. */
#include <string.h>

#include "compiler/check/check.h"

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_side *side;
} walk;

/* What to do about each construct (schema/json_parts.c, json_object.c and json_shape.c name them). */
static const struct {
    const char *construct, *help;
} advice[] = {
    {"additionalProperties",
     "give the value a name in `properties`, or encrypt the whole body: `encrypt payload with KEK`"},
    {"patternProperties",
     "give the value a name in `properties`, or encrypt the whole body: `encrypt payload with KEK`"},
    {"unevaluatedProperties",
     "give the value a name in `properties`, or encrypt the whole body: `encrypt payload with KEK`"},
    {"a list in items", "describe the elements by one schema in `items`, or make them properties of an object"},
    {"prefixItems", "describe the elements by one schema in `items`, or make them properties of an object"},
    {"additionalItems", "describe the elements by one schema in `items`, or make them properties of an object"},
    {"unevaluatedItems", "describe the elements by one schema in `items`, or make them properties of an object"},
    {"contains", "describe the elements by `items`"},
    {"siblings of a $ref", "move the property into the schema that the `$ref` leads to"},
    {"an object with enum", "take `enum` or `const` out of the object"},
    {"a name in brackets", "give the property a name without brackets"},
};

static const char *advice_for(const char *construct)
{
    for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
        if (!strcmp(advice[i].construct, construct))
            return advice[i].help;
    return "describe the property in `properties` of the object itself";
}

/* ---- behind a construct ---- */

/* A keyword in backticks; what is described in words as it is. */
static const char *quoted(const walk *w, const char *construct)
{
    return strchr(construct, ' ') ? construct : fl_printf(w->diags->arena, "`%s`", construct);
}

static void line_behind(const walk *w, const est_field *f, const sch_hit *h)
{
    fl_diag *d = chk_report(w->row, w->diags, f->path.at,
                            "%s lies behind %s, where no client looks for tags: it would go out in clear", h->path,
                            quoted(w, h->unwalked));
    fl_diag_label(w->diags, d, "reached by no client");
    fl_diag_relate(w->diags, d, w->side->schema_path.at, "the schema");
    fl_diag_help(w->diags, d, "%s", advice_for(h->unwalked));
}

static void inline_behind(const walk *w, const est_leaf *l, const char *tag)
{
    fl_diag *d = chk_report(w->row, w->diags, w->side->schema_path.at,
                            "the schema tags %s as `%s`, and it lies behind %s, where no client looks for tags: it "
                            "would go out in clear",
                            l->hit.path, tag, quoted(w, l->hit.unwalked));
    fl_diag_help(w->diags, d, "%s", advice_for(l->hit.unwalked));
}

/* ---- written nowhere ---- */

static bool has_tag(const sch_field *f, const char *tag)
{
    for (size_t i = 0; i < f->ntags; i++)
        if (!strcmp(f->tags[i], tag))
            return true;
    return false;
}

/* Why a tag on this leaf would stand in no place that a client reads; NULL if it stands somewhere. */
static const char *nowhere_because(const walk *w, const sch_hit *h, const char *tag, const char **help)
{
    const sch_field *f = h->field;
    *help = "leave `tags-in inline` out: in metadata the tag holds";
    if (!f) {
        *help = "make the values fields of a record: a tag stands at a field";
        return "it is no field, and a tag stands at a field";
    }
    if (w->side->tags_metadata || has_tag(f, tag))
        return NULL;
    if (sch_is_foreign(f))
        return "tags are written inline alone, and the field is defined in a referred schema, whose text is not "
               "changed";
    if (f->node && f->node->kind != FL_JOBJECT)
        return "tags are written inline alone, and a property that is written `true` has no object that could hold one";
    return NULL;
}

static bool line_nowhere(const walk *w, const est_field *f, const sch_hit *h)
{
    for (size_t i = 0; i < f->tags.n; i++) {
        const char *help, *why = NULL;
        if (chk_needs_rule(w->e, w->side, f->tags.v[i].s) && sch_is_encryptable(h->type))
            why = nowhere_because(w, h, f->tags.v[i].s, &help);
        if (!why)
            continue;
        fl_diag *d = chk_report(w->row, w->diags, f->path.at, "`%s` on %s would be written nowhere: %s", f->tags.v[i].s,
                                h->path, why);
        fl_diag_label(w->diags, d, "would go out in clear");
        if (h->field)
            fl_diag_relate(w->diags, d, w->side->tags_in_at, "where tags are written");
        fl_diag_help(w->diags, d, "%s", help);
        return true;
    }
    return false;
}

/* ---- sides ---- */

/* One report a line. */
static void walk_line(const walk *w, const est_field *f)
{
    if (!chk_line_secret(w->e, w->side, f))
        return;
    for (size_t k = 0; k < f->hits.n; k++) {
        const sch_hit *h = &f->hits.v[k];
        if (h->unwalked)
            line_behind(w, f, h);
        if (h->unwalked || line_nowhere(w, f, h))
            return;
    }
}

/* Tags of the schema itself on leaves that no line of the policy names. */
static void walk_leaf(const walk *w, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    for (size_t k = 0; f && l->hit.unwalked && !l->line && k < f->ntags; k++)
        if (chk_needs_rule(w->e, w->side, f->tags[k])) {
            inline_behind(w, l, f->tags[k]);
            return;
        }
}

static void walk_side(const est_side *s, void *ctx)
{
    walk w = *(const walk *)ctx;
    w.side = s;
    for (size_t i = 0; i < s->fields.n; i++)
        walk_line(&w, &s->fields.v[i]);
    for (size_t i = 0; i < s->leaves.n; i++)
        walk_leaf(&w, &s->leaves.v[i]);
}

void chk_path_not_walked(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags, NULL};
    chk_each_side(e, walk_side, &w);
}
