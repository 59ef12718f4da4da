/* connect.c: connect/: the configuration of each connector, as JSON and as a properties file.
 *
 * Always written, whatever the sides hold: the converter class, the registry and its credentials for key and value,
 * since a connector that names no converter of its own ignores every converter line and uses the worker's
 * (docs/connect-emulation.md); and the five lines of the vendor's document. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/emit/emit.h"

typedef struct config {
    emit *m;
    const est_connector *c;
    FL_VEC(emit_line) lines;
} config;

/* The first line of a name stands: what is generated comes before what the policy adds. */
static void put(config *f, const char *name, const char *value)
{
    for (size_t i = 0; i < f->lines.n; i++)
        if (!strcmp(f->lines.v[i].name, name))
            return;
    FL_PUSH(f->m->arena, &f->lines, (emit_line){name, value});
}

static void put_sub(config *f, const char *converter, const char *name, const char *value)
{
    put(f, fl_printf(f->m->arena, "%s.%s", converter, name), value);
}

/* ---- converters ---- */

static const char *converter_class(const config *f, const est_side *s)
{
    const char *own = f->m->e->platform.converter[s->format].s;
    return own ? own : cat_converter_class(emit_format(s->format));
}

static void registry_access(config *f, const char *k)
{
    const est_platform *p = &f->m->e->platform;
    put_sub(f, k, "schema.registry.url", p->registry_url.s);
    if (p->registry_auth_type.s && !strcmp(p->registry_auth_type.s, "basic")) {
        put_sub(f, k, "basic.auth.credentials.source", "USER_INFO");
        put_sub(f, k, "basic.auth.user.info", p->registry_auth.value);
    } else if (p->registry_auth_type.s) {
        put_sub(f, k, "bearer.auth.credentials.source", "STATIC_TOKEN");
        put_sub(f, k, "bearer.auth.token", p->registry_auth.value);
    }
}

static void strategy(config *f, const char *k, const est_side *s)
{
    static const char *const classes[] = {NULL, "RecordNameStrategy", "TopicRecordNameStrategy"};
    if (s->strategy != EST_TOPIC_NAME)
        put_sub(f, k, s->is_key ? "key.subject.name.strategy" : "value.subject.name.strategy",
                fl_printf(f->m->arena, "io.confluent.kafka.serializers.subject.%s", classes[s->strategy]));
}

static void converter(config *f, const char *k, const est_side *s, int refresh)
{
    put(f, k, converter_class(f, s));
    registry_access(f, k);
    put_sub(f, k, "auto.register.schemas", "false");
    put_sub(f, k, "use.latest.version", "true");
    if (refresh >= 0)
        put_sub(f, k, "latest.cache.ttl.sec", fl_printf(f->m->arena, "%d", refresh));
    strategy(f, k, s);
}

/* ---- KMS parameters ---- */

static void params_of(config *f, const char *prefix, const est_kek *k)
{
    for (size_t i = 0; i < k->params.n; i++)
        put(f, fl_printf(f->m->arena, "%srule.executors._default_.param.%s", prefix, k->params.v[i].name.s),
            k->params.v[i].value);
}

/* The documented spelling has no prefix; Connect itself hands a converter only what carries its prefix:
 * docs/connect-emulation.md. */
static void kms_parameters(config *f)
{
    const est_estate *e = f->m->e;
    chk_keks all = {0}, key = {0}, value = {0};
    chk_connector_keks(e, f->c, true, &all);
    for (size_t i = 0; i < f->c->topics.n; i++) {
        chk_side_keks(e, &f->c->topics.v[i]->key, true, &key);
        chk_side_keks(e, &f->c->topics.v[i]->value, true, &value);
    }
    for (size_t i = 0; e->platform.kms_documented && i < all.list.n; i++)
        params_of(f, "", all.list.v[i]);
    for (size_t i = 0; e->platform.kms_prefixed && i < key.list.n; i++)
        params_of(f, "key.converter.", key.list.v[i]);
    for (size_t i = 0; e->platform.kms_prefixed && i < value.list.n; i++)
        params_of(f, "value.converter.", value.list.v[i]);
}

/* ---- topics, dead letters, reports ---- */

static const char *topic_list(config *f)
{
    fl_buf b;
    fl_buf_init(&b, EMIT_MAX);
    for (size_t i = 0; i < f->c->topic_names.n; i++)
        fl_buf_addf(&b, "%s%s", i ? "," : "", f->c->topic_names.v[i].s);
    const char *s = fl_strdup(f->m->arena, b.p);
    fl_buf_free(&b);
    return s;
}

static void topics(config *f)
{
    const est_connector *c = f->c;
    if (est_is_sink(c) && !chk_config(c, "topics.regex"))
        put(f, "topics", topic_list(f));
    if (c->dead_letters.s) {
        put(f, "errors.tolerance", "all");
        put(f, "errors.deadletterqueue.topic.name", c->dead_letters.s);
    }
    if (c->catalog->uses_reporter) { /* an absent name means a topic of the vendor's choice, an empty one means off */
        put(f, "reporter.result.topic.name", c->reports_success.s ? c->reports_success.s : "");
        put(f, "reporter.error.topic.name", c->reports_errors.s ? c->reports_errors.s : "");
    }
}

/* ---- the policy's own lines ---- */

static void own_lines(config *f)
{
    for (size_t i = 0; i < f->c->config.n; i++) {
        const est_prop *p = &f->c->config.v[i];
        const char *full = p->is_list ? NULL : cat_class(f->c->catalog, p->name.s, p->value);
        put(f, p->name.s, full ? full : p->value);
    }
}

/* What the platform says for all connectors, unless this one says otherwise. */
static void platform_lines(config *f)
{
    const est_platform *p = &f->m->e->platform;
    for (size_t i = 0; i < p->registry_config.n; i++) {
        put_sub(f, "key.converter", p->registry_config.v[i].name.s, p->registry_config.v[i].value);
        put_sub(f, "value.converter", p->registry_config.v[i].name.s, p->registry_config.v[i].value);
    }
    if (f->c->catalog->license)
        put(f, "confluent.topic.bootstrap.servers", p->kafka.s);
    if (f->c->catalog->uses_reporter)
        put(f, "reporter.bootstrap.servers", p->kafka.s);
}

/* ---- all of it ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const emit_line *)a)->name, ((const emit_line *)b)->name);
}

static void lines_of(config *f)
{
    const est_connector *c = f->c;
    put(f, "name", c->name.s);
    put(f, "connector.class", c->catalog->cls);
    put(f, "tasks.max", fl_printf(f->m->arena, "%d", c->tasks));
    put(f, "csfle.enabled", "true");
    topics(f);
    converter(f, "key.converter", &c->topics.v[0]->key, c->refresh_key);
    converter(f, "value.converter", &c->topics.v[0]->value, c->refresh_value);
    kms_parameters(f);
    own_lines(f);
    platform_lines(f);
    qsort(f->lines.v, f->lines.n, sizeof *f->lines.v, by_name);
}

static void one_connector(emit *m, const est_connector *c)
{
    config f = {.m = m, .c = c};
    emit_json j;
    fl_buf properties;
    const char *base = fl_file_name(m->arena, c->name.s);
    lines_of(&f);
    emit_begin(&j);
    fl_jw_object(&j.w);
    for (size_t i = 0; i < f.lines.n; i++)
        fl_jw_kstring(&j.w, f.lines.v[i].name, f.lines.v[i].value);
    fl_jw_end_object(&j.w);
    emit_end(m, &j, fl_printf(m->arena, "connect/%s.json", base));
    fl_buf_init(&properties, EMIT_MAX);
    emit_java_properties(f.lines.v, f.lines.n, &properties);
    emit_file(m, fl_printf(m->arena, "connect/%s.properties", base), properties.p, properties.len);
    fl_buf_free(&properties);
}

void emit_connect(emit *m)
{
    for (size_t i = 0; i < m->e->connectors.n; i++)
        one_connector(m, m->e->connectors.v[i]);
}
