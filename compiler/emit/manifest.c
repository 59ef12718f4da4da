/* manifest.c: MANIFEST: what is in the directory, and from what it was made. */
#include <string.h>

#include "compiler/emit/emit.h"

/* Over the files' names and bytes, each with its length before it, so that no two policies share a text. */
static void policy_digest(emit *m, char out[65])
{
    fl_buf all;
    fl_buf_init(&all, EMIT_MAX);
    for (size_t i = 0; i < m->e->files.n; i++) {
        const fl_source *s = m->e->files.v[i]->source;
        const char *name = emit_policy_name(m->e, s->name);
        fl_buf_addf(&all, "%zu %s %zu ", strlen(name), name, s->len);
        fl_buf_add(&all, s->text, s->len);
    }
    if (all.full)
        fl_die(FL_COULD_NOT_RUN, "the policy is larger than %u bytes", EMIT_MAX);
    fl_sha256_hex(out, all.p, all.len);
    fl_buf_free(&all);
}

static void digests(emit *m, fl_jw *w)
{
    char hex[65];
    fl_jw_key(w, "files");
    fl_jw_object(w);
    for (size_t i = 0; i < m->build->files.n; i++) {
        fl_sha256_hex(hex, m->build->files.v[i].bytes, m->build->files.v[i].len);
        fl_jw_kstring(w, m->build->files.v[i].path, hex);
    }
    fl_jw_end_object(w);
}

static void text_or_null(fl_jw *w, const char *key, const char *s)
{
    fl_jw_key(w, key);
    if (s)
        fl_jw_string(w, s);
    else
        fl_jw_null(w);
}

/* Those in force, in order of file and place: what they silence is in no report, so it is on record here. */
static void waivers(emit *m, fl_jw *w)
{
    fl_jw_key(w, "waivers");
    fl_jw_array(w);
    for (size_t i = 0; i < m->e->waivers.n; i++) {
        const est_waiver *x = m->e->waivers.v[i];
        bool topic = !strcmp(x->kind, "topic");
        if (!x->used)
            continue;
        fl_jw_object(w);
        fl_jw_kstring(w, "check", x->check.s);
        fl_jw_kstring(w, "kind", x->kind);
        text_or_null(w, "name", x->name.s);
        text_or_null(w, "side", topic ? x->key ? "key" : "value" : NULL);
        text_or_null(w, "part", x->part.s);
        text_or_null(w, "reason", x->reason.s);
        text_or_null(w, "until", x->until.s);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

void emit_manifest(emit *m)
{
    emit_json j;
    char hex[65];
    policy_digest(m, hex);
    emit_begin(&j);
    fl_jw_object(&j.w);
    fl_jw_kstring(&j.w, "format", "flec-build");
    fl_jw_kint(&j.w, "version", 1);
    fl_jw_kstring(&j.w, "flec", FLEC_VERSION);
    fl_jw_kstring(&j.w, "policy", hex);
    fl_jw_key(&j.w, "environment");
    if (m->e->environment)
        fl_jw_string(&j.w, m->e->environment);
    else
        fl_jw_null(&j.w);
    waivers(m, &j.w);
    fl_jw_key(&j.w, "order");
    fl_jw_array(&j.w);
    for (size_t i = 0; i < m->build->norder; i++)
        fl_jw_string(&j.w, m->build->order[i]);
    fl_jw_end_array(&j.w);
    fl_jw_key(&j.w, "omitted");
    fl_jw_array(&j.w);
    for (size_t i = 0; fc_part(i); i++)
        if (!emit_wants(m, fc_part(i)))
            fl_jw_string(&j.w, fc_part(i));
    fl_jw_end_array(&j.w);
    digests(m, &j.w);
    fl_jw_end_object(&j.w);
    emit_end(m, &j, "MANIFEST");
}
