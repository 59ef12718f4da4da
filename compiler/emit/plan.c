/* plan.c: plan.json: all the engine needs, schemas included (docs/build-directory.md). */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/emit/emit.h"

static void text_or_null(fl_jw *w, const char *key, const char *s)
{
    fl_jw_key(w, key);
    if (s)
        fl_jw_string(w, s);
    else
        fl_jw_null(w);
}

static void texts(fl_jw *w, const char *key, const est_text *v, size_t n)
{
    fl_jw_key(w, key);
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        fl_jw_string(w, v[i].s);
    fl_jw_end_array(w);
}

/* ---- platform, registry, Kafka ---- */

static void converters(fl_jw *w, const est_platform *p)
{
    static const est_format sorted[] = {EST_AVRO, EST_BYTES, EST_DOUBLE,   EST_FLOAT, EST_INTEGER,
                                        EST_JSON, EST_LONG,  EST_PROTOBUF, EST_SHORT, EST_STRING};
    fl_jw_object(w);
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
        if (p->converter[sorted[i]].s)
            fl_jw_kstring(w, emit_format(sorted[i]), p->converter[sorted[i]].s);
    fl_jw_end_object(w);
}

static void platform(emit *m, fl_jw *w)
{
    const est_platform *p = &m->e->platform;
    fl_jw_key(w, "platform");
    fl_jw_object(w);
    fl_jw_kstring(w, "kind", p->cloud ? "cloud" : "onprem");
    fl_jw_kstring(w, "workers", p->workers.s);
    fl_jw_kstring(w, "kmsParameters", !p->kms_prefixed ? "documented" : !p->kms_documented ? "prefixed" : "both");
    fl_jw_key(w, "converters");
    converters(w, p);
    fl_jw_end_object(w);
    fl_jw_key(w, "registry");
    fl_jw_object(w);
    fl_jw_kstring(w, "url", p->registry_url.s);
    fl_jw_key(w, "auth");
    if (p->registry_auth_type.s) {
        fl_jw_object(w);
        fl_jw_kstring(w, "type", p->registry_auth_type.s);
        fl_jw_kstring(w, "secret", p->registry_auth.value);
        fl_jw_end_object(w);
    } else {
        fl_jw_null(w);
    }
    fl_jw_key(w, "config");
    emit_properties(m, w, p->registry_config.v, p->registry_config.n);
    fl_jw_end_object(w);
    fl_jw_key(w, "kafka");
    fl_jw_object(w);
    fl_jw_kstring(w, "bootstrap", p->kafka.s);
    fl_jw_key(w, "config");
    emit_properties(m, w, p->kafka_config.v, p->kafka_config.n);
    fl_jw_end_object(w);
}

/* ---- KEKs and subjects ---- */

static void keks(emit *m, fl_jw *w)
{
    fl_jw_key(w, "keks");
    fl_jw_array(w);
    for (size_t i = 0; i < m->e->keks.n; i++) {
        const est_kek *k = m->e->keks.v[i];
        fl_jw_object(w);
        emit_kek_members(m, w, k);
        if (!k->shared && k->has_private_block) {
            fl_jw_key(w, "parameters");
            emit_properties(m, w, k->params.v, k->params.n);
        }
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void subjects(emit *m, fl_jw *w)
{
    emit_nodes all = emit_registration_order(m);
    fl_jw_key(w, "subjects");
    fl_jw_array(w);
    for (size_t i = 0; i < all.list.n; i++) {
        const est_subject *s = all.list.v[i].subject;
        if (!s)
            continue;
        fl_jw_object(w);
        fl_jw_kstring(w, "subject", s->name.s);
        fl_jw_kstring(w, "schemaType", sch_format_name(est_schema_format(s->format)));
        fl_jw_key(w, "schema");
        fl_jw_string_n(w, s->schema_text, s->schema_len);
        fl_jw_key(w, "references");
        emit_references(w, s->refs.v, s->refs.n);
        emit_subject_members(m, w, s);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

/* ---- topics ---- */

static void encrypted(fl_jw *w, const est_side *s)
{
    fl_jw_key(w, "encrypted");
    fl_jw_array(w);
    for (size_t i = 0; i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        if (!l->encrypt)
            continue;
        fl_jw_object(w);
        fl_jw_kstring(w, "path", l->hit.path);
        fl_jw_kstring(w, "kek", l->encrypt->kek->name.s);
        fl_jw_kstring(w, "rule", l->encrypt->name.s);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void payload(fl_jw *w, const est_side *s)
{
    fl_jw_key(w, "payload");
    if (!s->payload) {
        fl_jw_null(w);
        return;
    }
    fl_jw_object(w);
    fl_jw_kstring(w, "kek", s->payload->kek->name.s);
    fl_jw_kstring(w, "rule", s->payload->name.s);
    fl_jw_end_object(w);
}

static void side(emit *m, fl_jw *w, const est_side *s)
{
    fl_jw_key(w, est_side_name(s));
    fl_jw_object(w);
    fl_jw_kstring(w, "format", emit_format(s->format));
    if (est_has_schema(s) || s->clear.s)
        text_or_null(w, "clear", s->clear.s);
    if (est_has_schema(s)) {
        fl_jw_kstring(w, "subject", s->subject);
        fl_jw_kstring(w, "schemaType", sch_format_name(est_schema_format(s->format)));
        if (s->format == EST_PROTOBUF)
            fl_jw_kstring(w, "message", s->schema->root->name);
        fl_jw_kstring(w, "schema", emit_schema_text(m, s));
        fl_jw_key(w, "references");
        emit_references(w, s->refs.v, s->refs.n);
        emit_side_members(m, w, s);
        encrypted(w, s);
        payload(w, s);
        fl_jw_key(w, "rules");
        emit_passed_rules(w, s);
    }
    fl_jw_end_object(w);
}

static void topics(emit *m, fl_jw *w)
{
    fl_jw_key(w, "topics");
    fl_jw_array(w);
    for (size_t i = 0; i < m->e->topics.n; i++) {
        const est_topic *t = m->e->topics.v[i];
        fl_jw_object(w);
        fl_jw_kstring(w, "name", t->name.s);
        text_or_null(w, "clear", t->clear.s);
        side(m, w, &t->key);
        side(m, w, &t->value);
        texts(w, "readers", t->readers.v, t->readers.n);
        texts(w, "writers", t->writers.v, t->writers.n);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

/* ---- connectors and principals ---- */

static void connectors(emit *m, fl_jw *w)
{
    fl_jw_key(w, "connectors");
    fl_jw_array(w);
    for (size_t i = 0; i < m->e->connectors.n; i++) {
        const est_connector *c = m->e->connectors.v[i];
        fl_jw_object(w);
        fl_jw_kstring(w, "name", c->name.s);
        fl_jw_kstring(w, "type", c->type.s);
        fl_jw_kstring(w, "kind", est_is_source(c) ? "source" : "sink");
        fl_jw_kstring(w, "class", c->catalog->cls);
        fl_jw_kstring(w, "file", fl_printf(m->arena, "connect/%s.json", fl_file_name(m->arena, c->name.s)));
        fl_jw_kstring(w, "principal", c->principal.s);
        text_or_null(w, "worker", c->worker.s);
        texts(w, "topics", c->topic_names.v, c->topic_names.n);
        text_or_null(w, "deadLetters", c->dead_letters.s);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

static void topic_names(fl_jw *w, const char *key, const est_topic *const *v, size_t n)
{
    fl_jw_key(w, key);
    fl_jw_array(w);
    for (size_t i = 0; i < n; i++)
        fl_jw_string(w, v[i]->name.s);
    fl_jw_end_array(w);
}

static void keks_of(emit *m, fl_jw *w, const emit_grantee *g)
{
    chk_keks all = {0};
    for (size_t i = 0; i < g->reads.n + g->writes.n; i++) {
        const est_topic *t = i < g->reads.n ? g->reads.v[i] : g->writes.v[i - g->reads.n];
        chk_side_keks(m->e, &t->key, false, &all);
        chk_side_keks(m->e, &t->value, false, &all);
    }
    fl_jw_key(w, "keks");
    fl_jw_array(w);
    for (size_t i = 0; i < all.list.n; i++)
        fl_jw_string(w, all.list.v[i]->name.s);
    fl_jw_end_array(w);
}

static void principals(emit *m, fl_jw *w)
{
    emit_grantees all = emit_all_grantees(m);
    fl_jw_key(w, "principals");
    fl_jw_array(w);
    for (size_t i = 0; i < all.list.n; i++) {
        const emit_grantee *g = &all.list.v[i];
        fl_jw_object(w);
        fl_jw_kstring(w, "name", g->name);
        keks_of(m, w, g);
        topic_names(w, "reads", g->reads.v, g->reads.n);
        topic_names(w, "writes", g->writes.v, g->writes.n);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
}

void emit_plan(emit *m)
{
    emit_json j;
    emit_begin(&j);
    fl_jw_object(&j.w);
    fl_jw_kstring(&j.w, "format", "flec-plan");
    fl_jw_kint(&j.w, "version", 2);
    text_or_null(&j.w, "environment", m->e->environment);
    platform(m, &j.w);
    keks(m, &j.w);
    subjects(m, &j.w);
    topics(m, &j.w);
    connectors(m, &j.w);
    principals(m, &j.w);
    fl_jw_end_object(&j.w);
    emit_end(m, &j, "plan.json");
}
