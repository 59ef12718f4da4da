/* fields.c: can what carries an encrypted tag be encrypted, and is every field spoken of? */
#include <string.h>

#include "compiler/check/check.h"

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    const est_side *side; /* set by each_hit */
} walk;

static bool leaf_kind(sch_kind k)
{
    return k != SCH_RECORD && k != SCH_ARRAY && k != SCH_MAP && k != SCH_UNION;
}

/* Calls fn for each hit of a line that carries an encrypted tag, until it returns true: one report a line. */
static void each_hit(const est_side *s, const walk *w, bool (*fn)(const walk *w, const est_field *f, const sch_hit *h))
{
    const walk here = {w->row, w->e, w->diags, s};
    for (size_t i = 0; i < s->fields.n; i++) {
        const est_field *f = &s->fields.v[i];
        for (size_t k = 0; k < f->hits.n; k++)
            if (fn(&here, f, &f->hits.v[k]))
                break;
    }
}

/* The first inline tag of a leaf that must be encrypted, where no line of the policy names the leaf. */
static const char *inline_secret(const walk *w, const est_side *s, const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    for (size_t k = 0; f && !l->line && k < f->ntags; k++)
        if (chk_needs_rule(w->e, s, f->tags[k]))
            return f->tags[k];
    return NULL;
}

/* ---- cannot-encrypt-type ---- */

static const char *encryptable(const est_side *s)
{
    return s->format == EST_JSON ? "a string without enum or const" : "string and bytes";
}

/* A value of a Protobuf map, in no message of its own: no client encrypts it (docs/wire.md 6). */
static bool map_value(const est_side *s, const sch_hit *h)
{
    return s->format == EST_PROTOBUF && h->field && h->field->type->kind == SCH_MAP && leaf_kind(h->type->kind);
}

static bool fits(const est_side *s, const sch_hit *h)
{
    return sch_is_encryptable(h->type) && !map_value(s, h);
}

static const char *why_not(const walk *w, const est_side *s, const sch_hit *h)
{
    if (sch_is_encryptable(h->type))
        return "is the value of a Protobuf map: Java, Python and JavaScript refuse to write it, Go leaves it in clear";
    return fl_printf(w->diags->arena, "has the type %s: only %s can be encrypted",
                     sch_type_text(h->type, w->diags->arena), encryptable(s));
}

static const char *make_it(const sch_hit *h)
{
    return sch_is_encryptable(h->type) ? "make it a string in a message that is the map's value"
                                       : "make it a string in the schema";
}

static bool wrong_type(const walk *w, const est_field *f, const sch_hit *h)
{
    if (!chk_line_secret(w->e, w->side, f) || h->mixed || !leaf_kind(h->type->kind) || fits(w->side, h))
        return false;
    fl_diag *d = chk_report(w->row, w->diags, f->path.at, "%s %s", h->path, why_not(w, w->side, h));
    fl_diag_relate(w->diags, d, chk_line_secret(w->e, w->side, f)->at, "tagged as something that must be encrypted");
    fl_diag_help(w->diags, d, "%s, or leave it in clear with `field %s is clear`", make_it(h),
                 chk_path_text(w->diags->arena, h->path));
    return true;
}

static void types_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    each_hit(s, w, wrong_type);
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const char *tag = inline_secret(w, s, l);
        if (!tag || l->hit.mixed || l->hit.recursive || fits(s, &l->hit))
            continue;
        fl_diag *d = chk_report(w->row, w->diags, s->schema_path.at, "the schema tags %s as `%s`, and it %s",
                                l->hit.path, tag, why_not(w, s, &l->hit));
        fl_diag_help(w->diags, d, "%s, or take its tag out", make_it(&l->hit));
    }
}

void chk_cannot_encrypt_type(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags, NULL};
    chk_each_side(e, types_of_side, &w);
}

/* ---- silent-plaintext-union ---- */

/* JSON Schema: elements of what need not be an array. A schema that says `items` and no `type` takes a bare text as
 * well, which has no elements to tag: Python writes it in clear (run). */
static bool untyped_array(const walk *w, const est_side *s, const sch_hit *h)
{
    const sch_step *way;
    size_t n = strlen(h->path);
    if (s->format != EST_JSON || n < 2 || strcmp(h->path + n - 2, "[]"))
        return false;
    n = sch_way(s->schema, w->diags->arena, h, &way);
    const sch_type *in = n ? way[n - 1].in : NULL;
    return in && in->kind == SCH_ARRAY && in->node && !fl_json_get(in->node, "type");
}

static void bare_text(const walk *w, const est_side *s, const sch_hit *h, fl_span at)
{
    fl_diag *d =
        chk_report(w->row, w->diags, at,
                   "%s of the %s of %s: its schema has `items` and no `type`, so it takes a bare text as well, "
                   "which goes out in clear",
                   h->path, est_side_name(s), s->topic->name.s);
    fl_diag_help(w->diags, d, "write `\"type\": \"array\"` beside its `items`");
}

static bool mixed_union(const walk *w, const est_field *f, const sch_hit *h)
{
    if (chk_line_secret(w->e, w->side, f) && !h->mixed && untyped_array(w, w->side, h)) {
        bare_text(w, w->side, h, f->path.at);
        return true;
    }
    if (!chk_line_secret(w->e, w->side, f) || !h->mixed)
        return false;
    fl_diag *d =
        chk_report(w->row, w->diags, f->path.at,
                   "%s has the type %s: where another branch than the text is taken, the value goes out in clear",
                   h->path, sch_type_text(h->type, w->diags->arena));
    fl_diag_label(w->diags, d, "not only a text");
    fl_diag_help(w->diags, d, "make it a union of null and one string or bytes, or split the field");
    return true;
}

static void unions_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    each_hit(s, w, mixed_union);
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const char *tag = l->hit.recursive ? NULL : inline_secret(w, s, l);
        if (tag && !l->hit.mixed && untyped_array(w, s, &l->hit))
            bare_text(w, s, &l->hit, s->schema_path.at);
        if (!tag || !l->hit.mixed)
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
    walk w = {row, e, diags, NULL};
    chk_each_side(e, unions_of_side, &w);
}

/* ---- tag-on-record ---- */

/* The path of what lies below another, as the policy writes it. */
static const char *below(const walk *w, const char *path, const char *step)
{
    fl_arena *a = w->diags->arena;
    return chk_path_text(a, fl_printf(a, "%s%s", path, !*path && *step == '.' ? step + 1 : step));
}

static bool on_record(const walk *w, const est_field *f, const sch_hit *h)
{
    if (h->mixed || leaf_kind(h->type->kind))
        return false;
    const char *what = sch_type_text(h->type, w->diags->arena), *is = f->clear ? "clear" : f->tags.v[0].s;
    fl_diag *d =
        chk_report(w->row, w->diags, f->path.at, "%s has the type %s and no value of its own: %s", h->path, what,
                   f->tags.n ? "clients disagree on what a tag there does"
                             : "a line names what is left in clear, not what holds it");
    if (h->type->kind == SCH_RECORD)
        fl_diag_help(w->diags, d, "name the fields in it: `field %s is %s`", below(w, h->path, ".NAME"), is);
    else
        fl_diag_help(w->diags, d, "name what it holds: `field %s is %s`",
                     below(w, h->path, h->type->kind == SCH_ARRAY ? "[]" : ".*"), is);
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
        const char *in = f->record->name, *what = record->name;
        fl_diag *d = chk_report(r->w->row, r->w->diags, r->side->schema_path.at,
                                "the schema tags %s%s%s, which holds %s%s%s: clients disagree on what a tag there does",
                                in ? in : "", in ? "." : "", f->name, what ? "records (" : "objects", what ? what : "",
                                what ? ")" : "");
        fl_diag_help(r->w->diags, d, "tag the fields of %s instead", what ? what : f->name);
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

static const char *line_of(const walk *w, const est_side *s, const sch_misplaced *m)
{
    unsigned line = 1;
    for (uint32_t i = 0; i < m->offset && i < s->schema->len; i++)
        line += s->schema->text[i] == '\n';
    return fl_printf(w->diags->arena, " (line %u)", line);
}

/* Of Protobuf: on a message, an enum, a file, an extension. */
static void misplaced_option(const walk *w, const est_side *s, const sch_misplaced *m)
{
    fl_diag *d = chk_report(w->row, w->diags, s->schema_path.at, "the schema tags %s%s as `%s`: clients look at fields",
                            m->what, m->foreign ? " (in a referred schema)" : line_of(w, s, m), m->tags[0]);
    fl_diag_label(w->diags, d, "this schema");
    fl_diag_help(w->diags, d, "tag the fields that are meant: `[(confluent.field_meta).tags = \"%s\"]`", m->tags[0]);
}

static void misplaced(const walk *w, const est_side *s, const sch_misplaced *m)
{
    if (m->what) {
        misplaced_option(w, s, m);
        return;
    }
    bool json = s->format == EST_JSON;
    const char *where = m->foreign ? " (in a referred schema)" : line_of(w, s, m);
    fl_diag *d =
        chk_report(w->row, w->diags, s->schema_path.at,
                   "the schema has `confluent:tags` inside the type of %s%s, where %s looks%s",
                   m->field ? m->field->name : "its root", where, json ? "hardly a client" : "no client",
                   json ? ": a tag counts at the property itself, not in `items`, in a branch or where a `$ref` leads"
                        : " for it");
    fl_diag_label(w->diags, d, "this schema");
    fl_diag_help(w->diags, d,
                 json ? "move it to the property: into the object that stands behind its name"
                      : "move it to the field: beside \"name\" and \"type\"");
}

static void records_of_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    records r = {w, s, FL_NEW_N(w->diags->arena, bool, s->schema->ntypes + 1)};
    each_hit(s, w, on_record);
    visit_type(&r, s->schema->root, 0);
    const sch_misplaced *m = s->schema->misplaced;
    for (size_t i = 0; i < s->schema->nmisplaced; i++)
        if (!i || m[i].offset != m[i - 1].offset || m[i].foreign != m[i - 1].foreign || m[i].what) /* once a place */
            misplaced(w, s, &m[i]);
}

void chk_tag_on_record(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags, NULL};
    chk_each_side(e, records_of_side, &w);
}

/* ---- field-not-listed ---- */

/* Does a line name the record, array or map that holds the leaf? That line is refused (tag-on-record) for being short
 * of it, and the leaf is not forgotten. */
static bool named_short(const est_side *s, const char *leaf)
{
    for (size_t i = 0; i < s->fields.n; i++)
        for (size_t k = 0; k < s->fields.v[i].hits.n; k++) {
            const sch_hit *h = &s->fields.v[i].hits.v[k];
            size_t n = h->mixed || leaf_kind(h->type->kind) ? 0 : strlen(h->path);
            if (n && !strncmp(leaf, h->path, n) && (leaf[n] == '.' || leaf[n] == '['))
                return true;
        }
    return false;
}

/* Protobuf: what `extend` adds to a message goes out in clear, and no line can name it. */
static void extensions_of(const walk *w, const est_side *s)
{
    const sch_schema *schema = s->schema;
    fl_diag *d = chk_report(w->row, w->diags, s->at,
                            "the %s of %s is exhaustive, and its schema extends a message with %s%s, which no `field` "
                            "line can name",
                            est_side_name(s), s->topic->name.s, schema->extensions[0],
                            schema->nextensions > 1 ? " and others" : "");
    fl_diag_help(w->diags, d, "write it as a field of the message: no client looks for tags on an extension");
    chk_about_side(d, s, NULL);
}

/* One finding a leaf: a waiver of one says nothing about the field that somebody adds next. */
static void listed_side(const est_side *s, void *ctx)
{
    const walk *w = ctx;
    for (size_t i = 0; s->exhaustive && i < s->leaves.n; i++) {
        const char *path = s->leaves.v[i].hit.path;
        if (s->leaves.v[i].line || s->leaves.v[i].hit.recursive || named_short(s, path) ||
            (i && !strcmp(path, s->leaves.v[i - 1].hit.path))) /* of two records of one union */
            continue;
        fl_diag *d = chk_report(w->row, w->diags, s->at, "the %s of %s is exhaustive, and no `field` line names %s",
                                est_side_name(s), s->topic->name.s, path);
        const char *text = chk_path_text(w->diags->arena, path);
        fl_diag_help(w->diags, d, "decide: `field %s is TAG` or `field %s is clear`", text, text);
        chk_about_side(d, s, path);
    }
    if (s->exhaustive && s->schema->nextensions)
        extensions_of(w, s);
}

void chk_field_not_listed(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    walk w = {row, e, diags, NULL};
    chk_each_side(e, listed_side, &w);
}
