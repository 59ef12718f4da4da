/* export.c: what a registry holds, as lines of JSON (export.h). */
#include "runtime/export.h"

#include <stdlib.h>
#include <string.h>

typedef struct writer {
    fl_buf *out;
    fl_jw w; /* of the line that is open */
} writer;

static void open_line(writer *x, const char *kind)
{
    fl_buf_adds(x->out, ",\n");
    fl_jw_init(&x->w, x->out, false);
    fl_jw_object(&x->w);
    fl_jw_kstring(&x->w, "kind", kind);
}

static void print_deleted(fl_jw *w, bool deleted)
{
    if (deleted)
        fl_jw_kbool(w, "deleted", true);
}

/* ---- schemas ---- */

static void print_versions(fl_jw *w, const rt_content *c)
{
    fl_jw_key(w, "versions");
    fl_jw_array(w);
    for (size_t i = 0; i < c->users.n; i++) {
        const rt_versions *of = c->users.v[i];
        for (size_t k = 0; k < of->list.n; k++) {
            const rt_version *v = &of->list.v[k];
            if (v->content != c)
                continue;
            fl_jw_object(w);
            fl_jw_kstring(w, "subject", of->subject);
            fl_jw_kint(w, "version", v->number);
            fl_jw_kint(w, "ts", v->ts);
            print_deleted(w, v->deleted);
            fl_jw_end_object(w);
        }
    }
    fl_jw_end_array(w);
}

typedef struct of_context {
    writer *x;
    const char *name;
} of_context;

static bool add_schema(const char *key, void *value, void *ctx)
{
    const of_context *in = ctx;
    const rt_content *c = value;
    fl_jw *w = &in->x->w;
    open_line(in->x, "schema");
    fl_jw_kstring(w, "context", in->name);
    fl_jw_kint(w, "id", c->id);
    fl_jw_kstring(w, "guid", c->is.guid);
    fl_jw_kstring(w, "schemaType", c->is.type);
    fl_jw_kstring(w, "schema", c->is.schema);
    if (c->is.nrefs)
        rt_store_print_refs(w, &c->is);
    rt_store_print_json(w, "metadata", c->is.metadata);
    rt_store_print_json(w, "ruleSet", c->is.ruleset);
    print_versions(w, c);
    fl_jw_end_object(w);
    return !in->x->out->full;
}

static bool add_context(const char *key, void *value, void *ctx)
{
    writer *x = ctx;
    const rt_context *c = value;
    of_context in = {x, c->name};
    if (c->gone)
        return true;
    open_line(x, "context");
    fl_jw_kstring(&x->w, "name", c->name);
    fl_jw_kint(&x->w, "lastId", c->last_id);
    fl_jw_end_object(&x->w);
    fl_map_each(c->by_id, add_schema, &in);
    return !x->out->full;
}

/* ---- settings ---- */

static bool add_scope(const char *key, void *value, void *ctx)
{
    writer *x = ctx;
    const rt_scope *s = value;
    if (s->config) {
        open_line(x, "config");
        fl_jw_kstring(&x->w, "scope", key);
        rt_store_print_json(&x->w, "config", s->config);
        fl_jw_end_object(&x->w);
    }
    if (s->mode) {
        open_line(x, "mode");
        fl_jw_kstring(&x->w, "scope", key);
        fl_jw_kstring(&x->w, "mode", s->mode);
        fl_jw_end_object(&x->w);
    }
    return !x->out->full;
}

/* ---- keys ---- */

static void add_dek(writer *x, const rt_dek *d)
{
    open_line(x, "dek");
    fl_jw_kstring(&x->w, "kek", d->kek);
    fl_jw_kstring(&x->w, "subject", d->subject);
    fl_jw_kint(&x->w, "version", d->version);
    fl_jw_kstring(&x->w, "algorithm", rt_alg_name(d->alg));
    fl_jw_kstring(&x->w, "encryptedKeyMaterial", d->encrypted);
    fl_jw_kint(&x->w, "ts", d->ts);
    print_deleted(&x->w, d->deleted);
    fl_jw_end_object(&x->w);
}

static bool add_kek(const char *key, void *value, void *ctx)
{
    writer *x = ctx;
    const rt_kek_entry *e = value;
    open_line(x, "kek");
    fl_jw_kstring(&x->w, "name", e->kek.name);
    fl_jw_kstring(&x->w, "kmsType", e->kek.kms_type);
    fl_jw_kstring(&x->w, "kmsKeyId", e->kek.kms_key_id);
    rt_store_print_json(&x->w, "kmsProps", strcmp(e->kek.props, "{}") ? e->kek.props : NULL);
    if (*e->kek.doc)
        fl_jw_kstring(&x->w, "doc", e->kek.doc);
    fl_jw_kbool(&x->w, "shared", e->kek.shared);
    fl_jw_kint(&x->w, "ts", e->kek.ts);
    print_deleted(&x->w, e->kek.deleted);
    fl_jw_end_object(&x->w);
    for (size_t i = 0; i < e->deks.n && !x->out->full; i++)
        add_dek(x, e->deks.v[i]);
    return !x->out->full;
}

rt_code rt_store_export(const rt_store *st, fl_buf *out, rt_error *err)
{
    writer x = {.out = out};
    fl_buf_addf(out, "[\n{\"format\":\"%s\",\"version\":%d}", RT_EXPORT_FORMAT, RT_EXPORT_VERSION);
    fl_map_each(st->contexts, add_context, &x);
    fl_map_each(st->scopes, add_scope, &x);
    fl_map_each(st->keks, add_kek, &x);
    fl_buf_adds(out, "\n]\n");
    return out->full ? rt_fail(err, RT_IO, "registry %s: the export is larger than %zu bytes", st->url, RT_EXPORT_MAX)
                     : RT_OK;
}

/* ---- what cannot be opened elsewhere ---- */

typedef struct search {
    rt_store *st;
    fl_arena *a;
    rt_kek_names *out;
} search;

static bool opens(rt_store *st, const rt_kek *kek, const rt_dek *d)
{
    fl_secret proto = {0};
    rt_error e;
    bool ok = rt_store_open_key(st, kek, d->encrypted, &proto, &e) == RT_OK;
    fl_secret_free(&proto);
    return ok;
}

static bool ask(const char *key, void *value, void *ctx)
{
    search *s = ctx;
    const rt_kek_entry *e = value;
    bool found = false;
    for (size_t i = 0; i < e->deks.n && e->kek.shared && !found; i++)
        found = opens(s->st, &e->kek, e->deks.v[i]);
    if (found)
        FL_PUSH(s->a, s->out, e->kek.name);
    return true;
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

void rt_store_stand_ins(rt_store *st, fl_arena *a, rt_kek_names *out)
{
    search s = {st, a, out};
    fl_map_each(st->keks, ask, &s);
    if (out->n)
        qsort(out->v, out->n, sizeof *out->v, by_text);
}
