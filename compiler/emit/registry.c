/* registry.c: registry/: the bodies of the calls that register KEKs, subjects, compatibility and tags. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/emit.h"

/* ---- properties and KEKs ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const est_prop *const *)a)->name.s, (*(const est_prop *const *)b)->name.s);
}

void emit_properties(emit *m, fl_jw *w, const est_prop *v, size_t n)
{
    const est_prop **sorted = FL_NEW_N(m->arena, const est_prop *, n + 1);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &v[i];
    qsort(sorted, n, sizeof *sorted, by_name);
    fl_jw_object(w);
    for (size_t i = 0; i < n; i++)
        fl_jw_kstring(w, sorted[i]->name.s, sorted[i]->value);
    fl_jw_end_object(w);
}

static const char *joined_texts(emit *m, const est_text *v, size_t n)
{
    fl_buf b;
    fl_buf_init(&b, EMIT_MAX);
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(&b, "%s%s", i ? "," : "", v[i].s);
    const char *s = fl_strdup(m->arena, b.p);
    fl_buf_free(&b);
    return s;
}

static void kms_props(emit *m, fl_jw *w, const est_kek *k)
{
    FL_VEC(est_prop) all = {0};
    for (size_t i = 0; i < k->properties.n; i++)
        FL_PUSH(m->arena, &all, k->properties.v[i]);
    if (k->alternates.n) {
        est_prop p = {.name = {.s = "encrypt.alternate.kms.key.ids"},
                      .value = joined_texts(m, k->alternates.v, k->alternates.n)};
        FL_PUSH(m->arena, &all, p);
    }
    emit_properties(m, w, all.v, all.n);
}

static const char *kek_doc(emit *m, const est_kek *k)
{
    if (k->owner.s && k->doc.s)
        return fl_printf(m->arena, "%s (owner: %s)", k->doc.s, k->owner.s);
    return k->owner.s ? fl_printf(m->arena, "owner: %s", k->owner.s) : k->doc.s ? k->doc.s : "";
}

void emit_kek_members(emit *m, fl_jw *w, const est_kek *k)
{
    fl_jw_kstring(w, "name", k->name.s);
    fl_jw_kstring(w, "kmsType", k->kms_type);
    fl_jw_kstring(w, "kmsKeyId", k->key_id.s);
    fl_jw_key(w, "kmsProps");
    kms_props(m, w, k);
    fl_jw_kstring(w, "doc", kek_doc(m, k));
    fl_jw_kbool(w, "shared", k->shared);
}

static void one_kek(emit *m, const est_kek *k)
{
    emit_json j;
    emit_begin(&j);
    fl_jw_object(&j.w);
    emit_kek_members(m, &j.w, k);
    fl_jw_end_object(&j.w);
    emit_end(m, &j, fl_printf(m->arena, "registry/keks/%s.json", fl_file_name(m->arena, k->name.s)));
    FL_PUSH(m->arena, &m->order, fl_printf(m->arena, "keks/%s", k->name.s));
}

/* ---- schema text with its tags ---- */

/* Two sorted lists as one. */
static const char **united(emit *m, const char *const *a, size_t na, const char *const *b, size_t nb, size_t *n)
{
    const char **out = FL_NEW_N(m->arena, const char *, na + nb + 1);
    size_t i = 0, j = 0;
    *n = 0;
    while (i < na || j < nb) {
        int order = i == na ? 1 : j == nb ? -1 : strcmp(a[i], b[j]);
        out[(*n)++] = order <= 0 ? a[i] : b[j];
        i += order <= 0;
        j += order >= 0;
    }
    return out;
}

/* A field of a referred schema cannot be written to: this text is not its own. */
const char *emit_schema_text(emit *m, const est_side *s)
{
    size_t n = 0;
    sch_edit *edits = FL_NEW_N(m->arena, sch_edit, s->leaves.n + 1);
    for (size_t i = 0; s->tags_inline && i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const sch_field *f = l->hit.field;
        if (l->tags.n && f && !f->record->foreign) /* the tags that the field has already are among the leaf's */
            edits[n++] = (sch_edit){.field = f, .tags = l->tags.v, .ntags = l->tags.n};
    }
    if (!n)
        return fl_strndup(m->arena, s->schema_text, s->schema_len);
    fl_buf out;
    fl_buf_init(&out, EMIT_MAX);
    sch_write_tags(s->schema, edits, n, &out);
    if (out.full)
        fl_die(FL_COULD_NOT_RUN, "the schema of %s would be larger than %u bytes with its tags", s->subject, EMIT_MAX);
    const char *text = fl_strndup(m->arena, out.p, out.len);
    fl_buf_free(&out);
    return text;
}

/* ---- metadata ---- */

typedef struct key_tags {
    const char *key;
    const char **tags;
    size_t n;
} key_tags;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const key_tags *)a)->key, ((const key_tags *)b)->key);
}

typedef struct key_list {
    FL_VEC(key_tags) rows; /* in order of key */
} key_list;

static key_list keys_of(emit *m, const est_side *s)
{
    key_list all = {0};
    for (size_t i = 0; s->tags_metadata && i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const char *keys[SCH_MAX_KEYS];
        size_t nkeys = l->tags.n ? sch_match_keys(s->schema, &l->hit, m->arena, keys) : 0;
        for (size_t k = 0; k < nkeys; k++)
            FL_PUSH(m->arena, &all.rows, (key_tags){keys[k], l->tags.v, l->tags.n});
    }
    if (all.rows.n)
        qsort(all.rows.v, all.rows.n, sizeof *all.rows.v, by_key);
    return all;
}

static void metadata_tags(emit *m, fl_jw *w, const key_list *keys)
{
    fl_jw_object(w);
    for (size_t i = 0; i < keys->rows.n;) {
        key_tags all = keys->rows.v[i];
        for (i++; i < keys->rows.n && !strcmp(keys->rows.v[i].key, all.key); i++)
            all.tags = united(m, all.tags, all.n, keys->rows.v[i].tags, keys->rows.v[i].n, &all.n);
        fl_jw_key(w, all.key);
        fl_jw_array(w);
        for (size_t k = 0; k < all.n; k++)
            fl_jw_string(w, all.tags[k]);
        fl_jw_end_array(w);
    }
    fl_jw_end_object(w);
}

static void metadata(emit *m, fl_jw *w, const est_side *s, const key_list *keys)
{
    fl_jw_object(w);
    fl_jw_key(w, "tags");
    metadata_tags(m, w, keys);
    fl_jw_key(w, "properties");
    emit_properties(m, w, s->properties.v, s->properties.n);
    fl_jw_end_object(w);
}

/* ---- subjects ---- */

void emit_side_members(emit *m, fl_jw *w, const est_side *s)
{
    key_list keys = keys_of(m, s);
    if (keys.rows.n || s->properties.n) {
        fl_jw_key(w, "metadata");
        metadata(m, w, s, &keys);
    }
    if (s->encrypts.n || s->rules.n) {
        fl_jw_key(w, "ruleSet");
        emit_ruleset(m, w, s);
    }
}

void emit_subject_members(emit *m, fl_jw *w, const est_subject *s)
{
    if (!s->properties.n)
        return;
    fl_jw_key(w, "metadata");
    fl_jw_object(w);
    fl_jw_key(w, "properties");
    emit_properties(m, w, s->properties.v, s->properties.n);
    fl_jw_end_object(w);
}

void emit_references(fl_jw *w, const est_ref *refs, size_t n)
{
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "name", refs[i].name.s);
        fl_jw_kstring(w, "subject", refs[i].subject.s);
        fl_jw_kint(w, "version", refs[i].version);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void finish_subject(emit *m, emit_json *j, const char *subject, const est_text *compatibility)
{
    const char *name = fl_file_name(m->arena, subject);
    fl_jw_end_object(&j->w);
    emit_end(m, j, fl_printf(m->arena, "registry/subjects/%s.json", name));
    FL_PUSH(m->arena, &m->order, fl_printf(m->arena, "subjects/%s", subject));
    if (!compatibility->s)
        return;
    emit_json c;
    emit_begin(&c);
    fl_jw_object(&c.w);
    fl_jw_kstring(&c.w, "compatibility", compatibility->s);
    fl_jw_end_object(&c.w);
    emit_end(m, &c, fl_printf(m->arena, "registry/config/%s.json", name));
}

static void begin_subject(emit_json *j, est_format format, const char *schema, const est_ref *refs, size_t nrefs)
{
    emit_begin(j);
    fl_jw_object(&j->w);
    fl_jw_kstring(&j->w, "schemaType", sch_format_name(est_schema_format(format)));
    fl_jw_kstring(&j->w, "schema", schema);
    if (nrefs) {
        fl_jw_key(&j->w, "references");
        emit_references(&j->w, refs, nrefs);
    }
}

static void one_subject(emit *m, const est_subject *s)
{
    emit_json j;
    begin_subject(&j, s->format, s->schema_text, s->refs.v, s->refs.n);
    emit_subject_members(m, &j.w, s);
    finish_subject(m, &j, s->name.s, &s->compatibility);
}

static void one_side(emit *m, const est_side *s)
{
    emit_json j;
    begin_subject(&j, s->format, emit_schema_text(m, s), s->refs.v, s->refs.n);
    emit_side_members(m, &j.w, s);
    finish_subject(m, &j, s->subject, &s->compatibility);
}

static void tag_definitions(emit *m)
{
    emit_json j;
    emit_begin(&j);
    fl_jw_array(&j.w);
    for (size_t i = 0; i < m->e->tags.n; i++) {
        fl_jw_object(&j.w);
        fl_jw_key(&j.w, "entityTypes");
        fl_jw_array(&j.w);
        fl_jw_string(&j.w, "sr_schema");
        fl_jw_string(&j.w, "sr_record");
        fl_jw_string(&j.w, "sr_field");
        fl_jw_end_array(&j.w);
        fl_jw_kstring(&j.w, "name", m->e->tags.v[i]->name.s);
        fl_jw_kstring(&j.w, "description", m->e->tags.v[i]->doc.s ? m->e->tags.v[i]->doc.s : "");
        fl_jw_end_object(&j.w);
    }
    fl_jw_end_array(&j.w);
    emit_end(m, &j, "registry/tags.json");
}

void emit_registry(emit *m)
{
    emit_nodes all = emit_registration_order(m);
    for (size_t i = 0; i < m->e->keks.n; i++)
        one_kek(m, m->e->keks.v[i]);
    for (size_t i = 0; i < all.list.n; i++) {
        if (all.list.v[i].subject)
            one_subject(m, all.list.v[i].subject);
        else
            one_side(m, all.list.v[i].side);
    }
    tag_definitions(m);
}
