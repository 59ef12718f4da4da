/* converter.c: the rows of the emulation, judged on a connector's file: does it start, which converter does a side get,
 * which keys. */
#include "runtime/testing/converter.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/testing/build_dir.h"

#define CONFIG_MAX (16u << 20)

static const char *const prefixes[] = {"key.converter", "value.converter"};

static const char *get(const rt_connector *c, const char *name)
{
    return fl_json_str(c->config, name);
}

static const char *get_sub(const rt_connector *c, rt_world *w, int side, const char *name)
{
    return get(c, fl_printf(w->a, "%s.%s", prefixes[side], name));
}

static bool is(const char *value, const char *wanted)
{
    return value && wanted && !strcmp(value, wanted); /* what the plan does not state, nothing equals */
}

/* As Connect reads a truth value: in any case, blanks around it. */
static bool is_true(const char *value)
{
    const char *from = value + strspn(value, " \t");
    return !strncasecmp(from, "true", 4) && strspn(from + 4, " \t") == strlen(from + 4);
}

/* ---- row 1: the five lines of the vendor's document ---- */

static const char *founding_lines(const rt_connector *c, rt_world *w)
{
    static const char *const lines[][2] = {
        {"csfle.enabled", "true"},
        {"key.converter.auto.register.schemas", "false"},
        {"value.converter.auto.register.schemas", "false"},
        {"key.converter.use.latest.version", "true"},
        {"value.converter.use.latest.version", "true"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!is(get(c, lines[i][0]), lines[i][1]))
            return fl_printf(w->a, "not-csfle: %s lacks the line %s = %s, without which nothing is encrypted",
                             c->plan->file, lines[i][0], lines[i][1]);
    return NULL;
}

/* ---- which converter ---- */

typedef struct known_class {
    const char *cls;
    rt_conversion kind;
    const char *format; /* the format that it is right for */
} known_class;

static const known_class classes[] = {
    {"io.confluent.connect.avro.AvroConverter", RT_CONV_REGISTRY, "avro"},
    {"io.confluent.connect.json.JsonSchemaConverter", RT_CONV_REGISTRY, "json"},
    {"io.confluent.connect.protobuf.ProtobufConverter", RT_CONV_REGISTRY, "protobuf"},
    {"org.apache.kafka.connect.storage.StringConverter", RT_CONV_TEXT, "string"},
    {"org.apache.kafka.connect.converters.ByteArrayConverter", RT_CONV_BYTES, "bytes"},
    {"org.apache.kafka.connect.json.JsonConverter", RT_CONV_JSON, ""},
    {"org.apache.kafka.connect.converters.ShortConverter", RT_CONV_PLAIN, "short"},
    {"org.apache.kafka.connect.converters.IntegerConverter", RT_CONV_PLAIN, "integer"},
    {"org.apache.kafka.connect.converters.LongConverter", RT_CONV_PLAIN, "long"},
    {"org.apache.kafka.connect.converters.FloatConverter", RT_CONV_PLAIN, "float"},
    {"org.apache.kafka.connect.converters.DoubleConverter", RT_CONV_PLAIN, "double"},
};

/* A class that is not known and that `platform converters` names stands for the vendor's of that format. */
static const known_class *find_class(const rt_world *w, const char *cls)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (!strcmp(classes[i].cls, cls))
            return &classes[i];
    for (size_t i = 0; i < w->plan->nconverters; i++)
        if (!strcmp(w->plan->converters[i].value, cls))
            for (size_t k = 0; k < sizeof classes / sizeof *classes; k++)
                if (!strcmp(classes[k].format, w->plan->converters[i].name))
                    return &classes[k];
    return NULL;
}

static const char *choose(rt_connector *c, rt_world *w, int side)
{
    rt_converter *v = &c->side[side];
    const char *cls = get(c, prefixes[side]);
    if (!cls) {
        v->kind =
            RT_CONV_JSON; /* the worker's: Plugins.newConverter ignores every line of a converter that is not named */
        return NULL;
    }
    const known_class *k = find_class(w, cls);
    if (!k)
        return fl_printf(w->a, "the connector does not start: %s names a class that the worker does not have",
                         prefixes[side]);
    v->kind = k->kind;
    if (!strcmp(k->format, v->side->format))
        v->kind = k->kind == RT_CONV_REGISTRY ? RT_CONV_REGISTRY : RT_CONV_PLAIN;
    else if (k->kind == RT_CONV_REGISTRY && v->side->subject.subject)
        v->broken = fl_printf(w->a, "%s is for %s, the subject %s is %s", prefixes[side], k->format,
                              v->side->subject.subject, v->side->format);
    return NULL;
}

/* ---- registry: reachable, and does it know the subject? ---- */

static const char *credentials(const rt_connector *c, rt_world *w, int side)
{
    const char *type = w->plan->registry_auth_type, *secret = w->plan->registry_auth_secret;
    bool basic = is(type, "basic");
    if (!type)
        return NULL;
    const char *source =
        get_sub(c, w, side, basic ? "basic.auth.credentials.source" : "bearer.auth.credentials.source");
    const char *value = get_sub(c, w, side, basic ? "basic.auth.user.info" : "bearer.auth.token");
    if (is(source, basic ? "USER_INFO" : "STATIC_TOKEN") && is(value, secret))
        return NULL;
    return fl_printf(w->a, "the registry answers 401: %s.%s are not what the policy states", prefixes[side],
                     basic ? "basic.auth.*" : "bearer.auth.*");
}

static const char *client_settings(const rt_connector *c, rt_world *w, int side)
{
    for (size_t i = 0; i < w->plan->nregistry_config; i++)
        if (!is(get_sub(c, w, side, w->plan->registry_config[i].name), w->plan->registry_config[i].value))
            return fl_printf(w->a, "the registry is not reached: %s.%s is not what the policy states", prefixes[side],
                             w->plan->registry_config[i].name);
    return NULL;
}

static const char *const strategy_property[] = {"key.subject.name.strategy", "value.subject.name.strategy"};
#define STRATEGIES "io.confluent.kafka.serializers.subject."

/* A class that the serde has not: its configuration is refused when the converter is made. */
static bool known_strategy(const char *cls)
{
    static const char *const names[] = {"TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy"};
    size_t n = strlen(STRATEGIES);
    for (size_t i = 0; i < 3; i++)
        if (!strncmp(cls, STRATEGIES, n) && !strcmp(cls + n, names[i]))
            return true;
    return false;
}

/* The subject that the strategy of the file gives; of a record strategy the one that the plan has, if the strategy is
 * that one. */
static const char *subject_name(const rt_connector *c, rt_world *w, int side, const char *topic)
{
    const char *strategy = get_sub(c, w, side, strategy_property[side]);
    const char *by_topic = fl_printf(w->a, "%s-%s", topic, side == RT_KEY_SIDE ? "key" : "value");
    const char *planned = c->side[side].side->subject.subject, *of_topic = fl_printf(w->a, "%s-", topic);
    if (!strategy || !strcmp(strategy, STRATEGIES "TopicNameStrategy"))
        return by_topic;
    bool topic_record = !strcmp(strategy, STRATEGIES "TopicRecordNameStrategy");
    bool fits = planned && strcmp(planned, by_topic) && topic_record == !strncmp(planned, of_topic, strlen(of_topic));
    return fits ? planned : fl_printf(w->a, "one that %s makes", strategy);
}

static const char *reach_registry(rt_connector *c, rt_world *w, int side, const char *topic)
{
    rt_converter *v = &c->side[side];
    const char *url = get_sub(c, w, side, "schema.registry.url");
    if (!url) {
        c->no_start =
            fl_printf(w->a, "the connector does not start: %s.schema.registry.url is missing", prefixes[side]);
        return NULL;
    }
    const char *strategy = get_sub(c, w, side, strategy_property[side]);
    if (strategy && !known_strategy(strategy)) {
        c->no_start = fl_printf(w->a, "the connector does not start: %s.%s names a class that the worker does not have",
                                prefixes[side], strategy_property[side]);
        return NULL;
    }
    if (!is(url, w->plan->registry_url))
        return fl_printf(w->a, "the registry is not reached: %s.schema.registry.url is not what the policy states",
                         prefixes[side]);
    const char *fault = credentials(c, w, side);
    if (!fault)
        fault = client_settings(c, w, side);
    if (fault)
        return fault;
    const char *subject = subject_name(c, w, side, topic);
    if (w->registry->ops->subject_version(w->registry, w->a, subject, -1, &v->subject, NULL))
        return fl_printf(w->a, "the registry has no subject %s", subject);
    return NULL;
}

/* ---- rules and keys ---- */

static bool rule_exists(const rt_converter *v, const char *name, size_t n)
{
    for (size_t i = 0; i < v->side->nencrypted; i++)
        if (strlen(v->side->encrypted[i].rule) == n && !memcmp(v->side->encrypted[i].rule, name, n))
            return true;
    return false;
}

/* K.rule.executors.NAME.{disabled,onFailure}: applied as written, NAME a rule, _ENCRYPT_ or _default_. */
static void rule_overrides(rt_connector *c, rt_world *w, int side)
{
    rt_converter *v = &c->side[side];
    const char *prefix = fl_printf(w->a, "%s.rule.executors.", prefixes[side]);
    for (const fl_json *m = c->config->child; m; m = m->next) {
        if (strncmp(m->key, prefix, strlen(prefix)))
            continue;
        const char *name = m->key + strlen(prefix), *dot = strrchr(name, '.');
        if (!dot)
            continue;
        size_t n = (size_t)(dot - name);
        bool ours =
            rule_exists(v, name, n) || (n == 9 && (!memcmp(name, "_default_", 9) || !memcmp(name, "_ENCRYPT_", 9)));
        if (ours && !strcmp(dot, ".disabled"))
            v->options.disabled |= is_true(m->str);
        if (ours && !strcmp(dot, ".onFailure")) {
            const char *comma = strchr(m->str, ',');
            v->options.on_failure_none_write |= !strncmp(m->str, "NONE", 4);
            v->options.on_failure_none_read |= !strcmp(comma ? comma + 1 : m->str, "NONE");
        }
    }
}

/* Does the file hand over the parameters of this KEK? The prefixed form reaches the converter on any worker; the
 * documented one counts only where the policy says that it is the one. */
static bool has_parameters(const rt_connector *c, rt_world *w, int side, const rt_plan_kek *k)
{
    bool documented = is(w->plan->kms_parameters, "documented");
    for (size_t i = 0; i < k->nparams; i++) {
        const char *name = fl_printf(w->a, "rule.executors._default_.param.%s", k->params[i].name);
        const char *value = documented ? get(c, name) : get_sub(c, w, side, name);
        if (!is(value, k->params[i].value))
            return false;
    }
    return true;
}

static void open_keys(rt_connector *c, rt_world *w, int side)
{
    rt_converter *v = &c->side[side];
    FL_VEC(const char *) held = {0};
    for (size_t i = 0; i < w->plan->nkeks; i++) {
        const rt_plan_kek *k = &w->plan->keks[i];
        if (k->kek.shared || !k->has_params || has_parameters(c, w, side, k))
            FL_PUSH(w->a, &held, k->kek.name);
    }
    rt_client_open(&v->client, w, false, (rt_names){held.v, held.n}, false);
}

/* ---- the connector as a whole ---- */

static bool in_list(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        p += strspn(p, " ");
        if (!strncmp(p, name, n) && (p[n] == 0 || p[n] == ',' || p[n] == ' '))
            return true;
    }
    return false;
}

static bool reads(const rt_connector *c, const char *topic)
{
    const char *list = get(c, "topics"), *pattern = get(c, "topics.regex");
    regex_t re;
    if (list || !pattern || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
        return list && in_list(list, topic);
    bool match = regexec(&re, topic, 0, NULL, 0) == 0;
    regfree(&re);
    return match;
}

static rt_code load(rt_connector *c, rt_world *w, rt_error *err)
{
    char *text;
    size_t len;
    fl_json_error e;
    const char *path = fl_printf(w->a, "%s/%s", w->bench->dir, c->plan->file);
    if (!rt_build_inside(c->plan->file))
        return rt_fail(err, RT_BAD_INPUT, "%.200s is no file of the build", c->plan->file);
    int fault = fl_read_regular(w->a, path, CONFIG_MAX, &text, &len);
    if (fault)
        return rt_fail(err, RT_IO, "%.200s: %s", c->plan->file, fl_read_error(w->a, fault, CONFIG_MAX));
    c->config = fl_json_parse(w->a, text, len, 0, &e);
    if (!c->config || c->config->kind != FL_JOBJECT)
        return rt_fail(err, RT_BAD_INPUT, "%.200s is no JSON object: %s", c->plan->file, c->config ? "" : e.message);
    /* Connect takes a number or a truth value for its text: what is overlooked here would still count there */
    for (const fl_json *m = c->config->child; m; m = m->next)
        if (m->kind != FL_JSTRING)
            return rt_fail(err, RT_BAD_INPUT, "%.200s: the value of %.200s is no text", c->plan->file, m->key);
    return RT_OK;
}

rt_code rt_connector_open(rt_connector *c, rt_world *w, const rt_plan_connector *plan, const rt_plan_topic *topic,
                          rt_error *err)
{
    *c = (rt_connector){.plan = plan};
    rt_code code = load(c, w, err);
    if (code)
        return code;
    c->not_csfle = founding_lines(c, w);
    if (!is(get(c, "connector.class"), plan->cls))
        c->no_start = fl_printf(w->a, "the connector does not start: %s has no such connector.class", plan->file);
    c->tolerant = is(get(c, "errors.tolerance"), "all");
    c->dead_letters = get(c, "errors.deadletterqueue.topic.name");
    c->reads_topic = reads(c, topic->name);
    for (int side = 0; side < 2; side++) {
        rt_converter *v = &c->side[side];
        v->side = rt_side_of(topic, side);
        const char *no_start = choose(c, w, side);
        if (no_start && !c->no_start)
            c->no_start = no_start;
        if (!no_start && v->kind == RT_CONV_REGISTRY && !v->broken)
            v->broken = reach_registry(c, w, side, topic->name);
        rule_overrides(c, w, side);
        open_keys(c, w, side);
    }
    return RT_OK;
}

void rt_connector_close(rt_connector *c)
{
    for (int side = 0; side < 2; side++) {
        if (c->side[side].codec)
            rt_codec_close(c->side[side].codec);
        rt_client_close(&c->side[side].client);
    }
}
