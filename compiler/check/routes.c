/* routes.c: topics of a source: what its own properties name, then what transformations make of it, as a worker does
 * it: in the order of `transforms`, before the converter. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "compiler/check/routes.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000
#define MAX_TOPIC   1024 /* bytes; Kafka takes 249 */
#define MAX_ROUTES  1000 /* topics of one connector */

/* ---- regular expressions ---- */

typedef struct matcher {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *mc;
} matcher;

static void done(matcher *m)
{
    pcre2_match_context_free(m->mc);
    pcre2_match_data_free(m->data);
    pcre2_code_free(m->code);
}

/* What java.util.regex and PCRE2 read alike is nearly everything that names of topics need. */
static bool whole(matcher *m, const char *regex)
{
    int error;
    PCRE2_SIZE offset;
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    *m = (matcher){0};
    if (fl_buf_addf(&b, "\\A(?:%s)\\z", regex))
        m->code = pcre2_compile((PCRE2_SPTR)b.p, b.len, PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    fl_buf_free(&b);
    if (!m->code)
        return false;
    m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
    m->mc = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(m->mc, MATCH_LIMIT);
    pcre2_set_depth_limit(m->mc, DEPTH_LIMIT);
    return true;
}

static bool runs(matcher *m, const char *name, bool *sure)
{
    int rc = pcre2_match(m->code, (PCRE2_SPTR)name, strlen(name), 0, 0, m->data, m->mc);
    *sure = rc >= 0 || rc == PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

bool chk_regex_whole(const char *regex, const char *name, bool *sure)
{
    matcher m;
    *sure = whole(&m, regex);
    bool yes = *sure && runs(&m, name, sure);
    done(&m);
    return yes;
}

static bool add_group(fl_buf *out, const matcher *m, const char *name, int group)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
    if (group < 0 || group >= (int)pcre2_get_ovector_count(m->data))
        return false;
    if (at[2 * group] != PCRE2_UNSET)
        fl_buf_add(out, name + at[2 * group], at[2 * group + 1] - at[2 * group]);
    return true;
}

/* `$12`: as many digits as name a group of the expression. Returns what stands behind it; NULL: no group. */
static const char *numbered(fl_buf *out, const matcher *m, const char *name, const char *at)
{
    int group = *at++ - '0', groups = (int)pcre2_get_ovector_count(m->data);
    while (*at >= '0' && *at <= '9' && group * 10 + (*at - '0') < groups)
        group = group * 10 + (*at++ - '0');
    return add_group(out, m, name, group) ? at : NULL;
}

static const char *named(fl_buf *out, const matcher *m, const char *name, const char *at)
{
    char group[64];
    size_t n = strcspn(at, "}");
    if (!at[n] || n >= sizeof group)
        return NULL;
    memcpy(group, at, n);
    group[n] = '\0';
    int number = pcre2_substring_number_from_name(m->code, (PCRE2_SPTR)group);
    return add_group(out, m, name, number) ? at + n + 1 : NULL;
}

static bool expand(fl_buf *out, const matcher *m, const char *name, const char *replacement)
{
    for (const char *at = replacement; at && *at;) {
        if (*at == '\\' && at[1]) {
            fl_buf_addc(out, at[1]);
            at += 2;
        } else if (*at == '$' && at[1] == '{') {
            at = named(out, m, name, at + 2);
        } else if (*at == '$') {
            at = at[1] >= '0' && at[1] <= '9' ? numbered(out, m, name, at + 1) : NULL;
        } else {
            fl_buf_addc(out, *at++);
        }
        if (!at)
            return false;
    }
    return !out->full;
}

const char *chk_regex_replace(const est_estate *e, const char *regex, const char *replacement, const char *name,
                              bool *sure)
{
    matcher m;
    const char *made = NULL;
    *sure = whole(&m, regex);
    if (*sure && runs(&m, name, sure)) {
        fl_buf out;
        fl_buf_init(&out, MAX_TOPIC);
        *sure = expand(&out, &m, name, replacement) && out.len > 0;
        made = *sure ? fl_strndup(e->arena, out.p, out.len) : NULL;
        fl_buf_free(&out);
    }
    done(&m);
    return made;
}

/* ---- the topics that a type names itself ---- */

typedef struct routing {
    const est_estate *e;
    const est_connector *c;
    chk_routes *out;
} routing;

static void unknown(routing *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void unknown(routing *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!r->out->unknown)
        r->out->unknown = fl_vprintf(r->e->arena, fmt, ap);
    va_end(ap);
}

static void add(routing *r, const char *topic, const char *side, const char *because)
{
    for (size_t i = 0; i < r->out->list.n; i++)
        if (!strcmp(r->out->list.v[i].topic, topic))
            return;
    if (r->out->list.n == MAX_ROUTES) {
        unknown(r, "it writes to more than %d topics", MAX_ROUTES);
        return;
    }
    FL_PUSH(r->e->arena, &r->out->list, (chk_route){topic, side, because, chk_value_at(r->c, because)});
}

/* A property that names one topic. */
static void fixed(routing *r, const char *property)
{
    const char *topic = chk_value(r->c, property);
    if (topic && *topic)
        add(r, topic, NULL, property);
    else
        unknown(r, "%s is known to the worker alone", property);
}

/* `${_EventType}` and `${_ObjectType}` stand for the event; every name is lower-cased unless that is switched off. */
static void salesforce(routing *r)
{
    const char *topic = chk_value(r->c, "kafka.topic"), *event = chk_value(r->c, "salesforce.platform.event.name"),
               *lower = chk_value(r->c, "kafka.topic.lowercase");
    if (!topic || !event || !lower || !*topic) {
        unknown(r, "its topic is known to the worker alone");
        return;
    }
    fl_buf b;
    fl_buf_init(&b, MAX_TOPIC);
    for (const char *at = topic; *at;) {
        bool type = !strncmp(at, "${_EventType}", 13), object = !strncmp(at, "${_ObjectType}", 14);
        if (type || object)
            fl_buf_adds(&b, event);
        else
            fl_buf_addc(&b, *at);
        at += type ? 13 : object ? 14 : 1;
    }
    if (b.full || strstr(b.p, "${")) {
        unknown(r, "kafka.topic is a template of which not all can be told here");
    } else {
        char *name = fl_strndup(r->e->arena, b.p, b.len);
        for (char *p = name; !strcasecmp(lower, "true") && *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        add(r, name, NULL, "kafka.topic");
    }
    fl_buf_free(&b);
}

/* RESTORE_BACKUP: the folder below topics.dir is the topic's name. Which there are is known where `folders` lists them:
 * TOPICS.DIR/TOPIC/… */
static void s3_folder(const char *item, size_t n, void *ctx)
{
    routing *r = ctx;
    const char *dir = chk_value(r->c, "topics.dir"), *delim = chk_value(r->c, "directory.delim");
    size_t head = dir ? strlen(dir) : 0;
    if (!dir || !delim || strlen(delim) != 1 || n <= head + 1 || strncmp(item, dir, head) || item[head] != *delim) {
        unknown(r, "a folder that `folders` lists does not lie below topics.dir");
        return;
    }
    const char *topic = item + head + 1, *end = memchr(topic, *delim, n - head - 1);
    size_t len = end ? (size_t)(end - topic) : n - head - 1;
    if (len)
        add(r, fl_strndup(r->e->arena, topic, len), NULL, "folders");
    else
        unknown(r, "a folder that `folders` lists has no name");
}

/* GENERIC: `topic:regex` pairs. */
static void s3_pair(const char *item, size_t n, void *ctx)
{
    routing *r = ctx;
    const char *colon = memchr(item, ':', n);
    if (colon && colon > item)
        add(r, fl_strndup(r->e->arena, item, (size_t)(colon - item)), NULL, "topic.regex.list");
    else
        unknown(r, "topic.regex.list has an item that is no topic:regex pair");
}

static void s3(routing *r)
{
    const char *mode = chk_value(r->c, "mode"), *list = chk_value(r->c, "topic.regex.list"),
               *folders = chk_value(r->c, "folders");
    if (mode && list && !strcmp(mode, "GENERIC"))
        chk_each_item(list, s3_pair, r);
    else if (mode && folders && *folders && !strcmp(mode, "RESTORE_BACKUP"))
        chk_each_item(folders, s3_folder, r);
    else
        unknown(r, "the folders of its bucket name its topics");
}

/* ---- Debezium: prefix.schema.table, and side topics ---- */

typedef struct tables {
    routing *r;
    const char *prefix;
} tables;

/* An item of table.include.list is a regular expression; one that means just one table is taken apart. */
static const char *one_table(fl_arena *a, const char *item, size_t n)
{
    char *name = fl_alloc(a, n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        char c = item[i];
        bool dot = c == '\\' && i + 1 < n && item[i + 1] == '.';
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!dot && !plain && c != '.') /* a bare dot matches any one character, and is meant as a dot */
            return NULL;
        name[k++] = dot ? '.' : c;
        i += dot;
    }
    name[k] = '\0';
    return name;
}

static void table(const char *item, size_t n, void *ctx)
{
    tables *t = ctx;
    const char *name = one_table(t->r->e->arena, item, n);
    if (name)
        add(t->r, fl_printf(t->r->e->arena, "%s.%s", t->prefix, name), NULL, "table.include.list");
    else
        unknown(t->r, "table.include.list has patterns");
}

static void debezium_tables(routing *r, const char *prefix)
{
    const char *list = chk_value(r->c, "table.include.list"), *naming = chk_value(r->c, "topic.naming.strategy");
    if (!naming || (strcmp(naming, "io.debezium.schema.SchemaTopicNamingStrategy") &&
                    strcmp(naming, "io.debezium.schema.DefaultTopicNamingStrategy")))
        unknown(r, "topic.naming.strategy names its topics");
    else if (!list || !*list)
        unknown(r, "table.include.list does not name its tables");
    else
        chk_each_item(list, table, &(tables){r, prefix});
}

static void debezium_sides(routing *r, const char *prefix)
{
    const char *beat = chk_value(r->c, "heartbeat.interval.ms"), *head = chk_value(r->c, "heartbeat.topics.prefix"),
               *channels = chk_value(r->c, "notification.enabled.channels"),
               *notes = chk_value(r->c, "notification.sink.topic.name");
    if (beat && strtol(beat, NULL, 10) > 0 && head)
        add(r, fl_printf(r->e->arena, "%s.%s", head, prefix), "heartbeats", "heartbeat.interval.ms");
    if (chk_is_on(r->c, "provide.transaction.metadata"))
        add(r, fl_printf(r->e->arena, "%s.transaction", prefix), "transactions", "provide.transaction.metadata");
    if (channels && strstr(channels, "sink") && notes && *notes)
        add(r, notes, "notifications", "notification.enabled.channels");
}

static void debezium(routing *r)
{
    const char *prefix = chk_value(r->c, "topic.prefix");
    if (!prefix || !*prefix) {
        unknown(r, "topic.prefix is known to the worker alone");
        return;
    }
    debezium_tables(r, prefix);
    debezium_sides(r, prefix);
}

/* ---- transformations ---- */

typedef enum { KEEPS, ROUTES, ROUTES_TABLES, MAY_ROUTE } effect;

static const struct {
    const char *cls; /* without $Key, $Value */
    effect does;
    const char *if_set; /* it routes only where this property of its own is set */
} known[] = {
    {"org.apache.kafka.connect.transforms.RegexRouter", ROUTES, NULL},
    {"io.debezium.transforms.ByLogicalTableRouter", ROUTES_TABLES, NULL},
    {"io.debezium.transforms.ExtractNewRecordState", KEEPS, "route.by.field"},
    {"org.apache.kafka.connect.transforms.Cast", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.DropHeaders", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.ExtractField", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.Filter", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.Flatten", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.HeaderFrom", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.HoistField", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.InsertField", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.InsertHeader", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.MaskField", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.ReplaceField", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.SetSchemaMetadata", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.TimestampConverter", KEEPS, NULL},
    {"org.apache.kafka.connect.transforms.ValueToKey", KEEPS, NULL},
};

typedef struct step {
    routing *r;
    const char *alias;
    const char *predicate; /* pattern of a TopicNameMatches; NULL: none, or one that cannot be told */
    bool always, negate;
} step;

static const char *part(step *s, const char *kind, const char *alias, const char *name)
{
    return fl_printf(s->r->e->arena, "%s.%s.%s", kind, alias, name);
}

static const char *of(step *s, const char *name)
{
    return chk_value(s->r->c, part(s, "transforms", s->alias, name));
}

static effect does(step *s, const char *cls)
{
    size_t n = strcspn(cls, "$");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].cls) != n || strncmp(known[i].cls, cls, n))
            continue;
        const char *set = known[i].if_set ? of(s, known[i].if_set) : "";
        return set && !*set ? known[i].does : MAY_ROUTE;
    }
    return MAY_ROUTE;
}

/* Who decides whether the step runs: 1 it does, 0 it does not, -1 nobody knows here, so both may be. */
static int applies(step *s, const char *topic)
{
    bool sure, yes;
    if (s->always)
        return 1;
    if (!s->predicate)
        return -1;
    yes = chk_regex_whole(s->predicate, topic, &sure);
    return !sure ? -1 : yes != s->negate;
}

static void read_predicate(step *s)
{
    static const char *const by_name = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
    const char *alias = of(s, "predicate"), *negate = of(s, "negate");
    s->always = alias && !*alias;
    s->negate = negate && !strcasecmp(negate, "true");
    if (s->always || !alias || !negate)
        return;
    const char *type = chk_value(s->r->c, part(s, "predicates", alias, "type"));
    if (type && !strcmp(type, by_name))
        s->predicate = chk_value(s->r->c, part(s, "predicates", alias, "pattern"));
}

static void route_all(step *s, const char *regex, const char *replacement)
{
    routing *r = s->r;
    chk_routes before = *r->out;
    r->out->list.v = NULL;
    r->out->list.n = r->out->list.cap = 0;
    for (size_t i = 0; i < before.list.n; i++) {
        chk_route from = before.list.v[i];
        bool sure = true;
        int run = applies(s, from.topic);
        const char *to = run ? chk_regex_replace(r->e, regex, replacement, from.topic, &sure) : NULL;
        if (!sure)
            unknown(r, "what %s makes of %s cannot be told", part(s, "transforms", s->alias, "regex"), from.topic);
        if (to)
            add(r, to, from.side, from.because);
        if (!to || run < 0)
            add(r, from.topic, from.side, from.because);
    }
}

static void transform(const char *item, size_t n, void *ctx)
{
    step s = {.r = ctx};
    s.alias = fl_strndup(s.r->e->arena, item, n);
    const char *cls = of(&s, "type");
    effect what = cls ? does(&s, cls) : MAY_ROUTE;
    if (what == KEEPS)
        return;
    read_predicate(&s);
    const char *regex = of(&s, what == ROUTES_TABLES ? "topic.regex" : "regex"),
               *replacement = of(&s, what == ROUTES_TABLES ? "topic.replacement" : "replacement");
    if (what == MAY_ROUTE || !regex || !replacement)
        unknown(s.r, "the transformation %s may route records anywhere", s.alias);
    else
        route_all(&s, regex, replacement);
}

/* ---- all of it ---- */

void chk_source_routes(const est_estate *e, const est_connector *c, chk_routes *out)
{
    routing r = {e, c, out};
    const char *list;
    *out = (chk_routes){0};
    if (c->catalog->topic_property && strcmp(c->catalog->id, "salesforce-platform-event-source"))
        fixed(&r, c->catalog->topic_property);
    else if (c->catalog->topic_property)
        salesforce(&r);
    else if (!strncmp(c->catalog->id, "postgres-cdc", 12))
        debezium(&r);
    else if (!strcmp(c->catalog->id, "s3-source"))
        s3(&r);
    else
        unknown(&r, "nothing is known of the topics of this type");
    list = chk_value(c, "transforms");
    if (list)
        chk_each_item(list, transform, &r);
    else
        unknown(&r, "`transforms` is known to the worker alone");
}
