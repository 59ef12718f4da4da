/* plan.c: plan.json, versions 1 and 2 (docs/build-directory.md): its tables, what must hold across it, and its
 * registration. */
#include "runtime/plan.h"

#include <errno.h>
#include <string.h>

#include "runtime/plan_read.h"

#define VERSION 2

/* ---- tables ---- */

#define M(T, json, k, field)     .name = json, .kind = k, .at = offsetof(T, field)
#define MN(T, json, k, field, n) M(T, json, k, field), .count_at = offsetof(T, n)

static const rt_member platform_table[] = {
    {M(rt_plan, "kind", RT_M_TEXT_NULL, platform_kind)},
    {M(rt_plan, "workers", RT_M_TEXT_NULL, workers)},
    {M(rt_plan, "kmsParameters", RT_M_TEXT_NULL, kms_parameters)},
    {MN(rt_plan, "converters", RT_M_PARAMS, converters, nconverters), .optional = true},
    {0},
};
static const rt_member auth_table[] = {
    {M(rt_plan, "type", RT_M_TEXT, registry_auth_type)},
    {M(rt_plan, "secret", RT_M_TEXT_NULL, registry_auth_secret)},
    {0},
};
static const rt_member registry_table[] = {
    {M(rt_plan, "url", RT_M_TEXT_NULL, registry_url)},
    {.name = "auth", .kind = RT_M_OBJECT, .optional = true, .table = auth_table},
    {MN(rt_plan, "config", RT_M_PARAMS, registry_config, nregistry_config), .optional = true},
    {0},
};
static const rt_member kafka_table[] = {
    {M(rt_plan, "bootstrap", RT_M_TEXT_NULL, bootstrap)},
    {MN(rt_plan, "config", RT_M_PARAMS, kafka_config, nkafka_config), .optional = true},
    {0},
};
static const rt_member kek_table[] = {
    {M(rt_plan_kek, "name", RT_M_TEXT, kek.name)},
    {M(rt_plan_kek, "kmsType", RT_M_TEXT, kek.kms_type)},
    {M(rt_plan_kek, "kmsKeyId", RT_M_TEXT, kek.kms_key_id)},
    {M(rt_plan_kek, "kmsProps", RT_M_JSON, kek.props), .optional = true},
    {M(rt_plan_kek, "doc", RT_M_TEXT_NULL, kek.doc)},
    {M(rt_plan_kek, "shared", RT_M_BOOL, kek.shared)},
    {MN(rt_plan_kek, "parameters", RT_M_PARAMS, params, nparams), .optional = true,
     .present_at = offsetof(rt_plan_kek, has_params)},
    {0},
};
static const rt_member ref_table[] = {
    {M(rt_schema_ref, "name", RT_M_TEXT, name)},
    {M(rt_schema_ref, "subject", RT_M_TEXT, subject)},
    {M(rt_schema_ref, "version", RT_M_INT, version)},
    {0},
};
#define SUBJECT(T, prefix, absent_ok)                                                                                  \
    {M(T, "subject", RT_M_TEXT, prefix subject), .optional = absent_ok},                                               \
        {M(T, "schemaType", RT_M_TEXT, prefix type), .optional = absent_ok},                                           \
        {M(T, "schema", RT_M_TEXT, prefix schema), .optional = absent_ok},                                             \
        {MN(T, "references", RT_M_LIST, prefix refs, prefix nrefs), .optional = true, .table = ref_table,              \
         .size = sizeof(rt_schema_ref)},                                                                               \
        {M(T, "metadata", RT_M_JSON, prefix metadata), .optional = true},                                              \
    {                                                                                                                  \
        M(T, "ruleSet", RT_M_JSON, prefix ruleset), .optional = true                                                   \
    }
static const rt_member subject_table[] = {
    SUBJECT(rt_subject, , false),
    {0},
};
static const rt_member leaf_table[] = {
    {M(struct rt_plan_leaf, "path", RT_M_TEXT, path)},
    {M(struct rt_plan_leaf, "kek", RT_M_TEXT, kek)},
    {M(struct rt_plan_leaf, "rule", RT_M_TEXT, rule)},
    {0},
};
static const rt_member payload_table[] = {
    {M(rt_plan_side, "kek", RT_M_TEXT, payload.kek)},
    {M(rt_plan_side, "rule", RT_M_TEXT, payload.rule)},
    {0},
};
static const rt_member rule_table[] = {
    {M(rt_plan_rule, "name", RT_M_TEXT, name)},
    {M(rt_plan_rule, "phase", RT_M_TEXT, phase)},
    {M(rt_plan_rule, "type", RT_M_TEXT, type)},
    {M(rt_plan_rule, "runs", RT_M_BOOL, runs)},
    {0},
};
static const rt_member side_table[] = {
    {M(rt_plan_side, "format", RT_M_TEXT, format)},
    {M(rt_plan_side, "clear", RT_M_TEXT_NULL, clear)},
    SUBJECT(rt_plan_side, subject., true),
    {M(rt_plan_side, "message", RT_M_TEXT, message), .optional = true},
    {.name = "payload", .kind = RT_M_OBJECT, .optional = true, .table = payload_table},
    {MN(rt_plan_side, "rules", RT_M_LIST, rules, nrules), .optional = true, .table = rule_table,
     .size = sizeof(rt_plan_rule)},
    {MN(rt_plan_side, "encrypted", RT_M_LIST, encrypted, nencrypted), .optional = true, .table = leaf_table,
     .size = sizeof(struct rt_plan_leaf)},
    {0},
};
static const rt_member topic_table[] = {
    {M(rt_plan_topic, "name", RT_M_TEXT, name)},
    {M(rt_plan_topic, "clear", RT_M_TEXT_NULL, clear)},
    {M(rt_plan_topic, "key", RT_M_OBJECT, key), .table = side_table},
    {M(rt_plan_topic, "value", RT_M_OBJECT, value), .table = side_table},
    {MN(rt_plan_topic, "readers", RT_M_TEXTS, readers, nreaders)},
    {MN(rt_plan_topic, "writers", RT_M_TEXTS, writers, nwriters)},
    {0},
};
static const rt_member connector_table[] = {
    {M(rt_plan_connector, "name", RT_M_TEXT, name)},
    {M(rt_plan_connector, "type", RT_M_TEXT, type)},
    {M(rt_plan_connector, "kind", RT_M_TEXT, kind)},
    {M(rt_plan_connector, "class", RT_M_TEXT, cls)},
    {M(rt_plan_connector, "file", RT_M_TEXT, file)},
    {M(rt_plan_connector, "principal", RT_M_TEXT_NULL, principal)},
    {M(rt_plan_connector, "worker", RT_M_TEXT_NULL, worker)},
    {MN(rt_plan_connector, "topics", RT_M_TEXTS, topics, ntopics)},
    {M(rt_plan_connector, "deadLetters", RT_M_TEXT_NULL, dead_letters)},
    {0},
};
static const rt_member principal_table[] = {
    {M(rt_plan_principal, "name", RT_M_TEXT, name)},
    {MN(rt_plan_principal, "keks", RT_M_TEXTS, keks, nkeks)},
    {MN(rt_plan_principal, "reads", RT_M_TEXTS, reads, nreads)},
    {MN(rt_plan_principal, "writes", RT_M_TEXTS, writes, nwrites)},
    {0},
};

static bool done_already(rt_plan_reader *r, const fl_json *j, void *out)
{
    return true; /* format and version: read first, before anything else is believed */
}

#define LIST(json, field, table_, T)                                                                                   \
    {                                                                                                                  \
        MN(rt_plan, json, RT_M_LIST, field, n##field), .table = table_, .size = sizeof(T)                              \
    }
static const rt_member plan_table[] = {
    {.name = "format", .kind = RT_M_CUSTOM, .custom = done_already},
    {.name = "version", .kind = RT_M_CUSTOM, .custom = done_already},
    {M(rt_plan, "environment", RT_M_TEXT_NULL, environment)},
    {.name = "platform", .kind = RT_M_OBJECT, .optional = true, .table = platform_table},
    {.name = "registry", .kind = RT_M_OBJECT, .optional = true, .table = registry_table},
    {.name = "kafka", .kind = RT_M_OBJECT, .optional = true, .table = kafka_table},
    LIST("keks", keks, kek_table, rt_plan_kek),
    LIST("subjects", subjects, subject_table, rt_subject),
    LIST("topics", topics, topic_table, rt_plan_topic),
    LIST("connectors", connectors, connector_table, rt_plan_connector),
    LIST("principals", principals, principal_table, rt_plan_principal),
    {0},
};

/* ---- what must hold across the plan ---- */

typedef struct format { /* of the sides that have a schema */
    const char *name, *type, *shown;
    int since; /* version of the plan */
} format;

static const format formats[] = {
    {"avro", "AVRO", "Avro", 1},
    {"json", "JSON", "JSON Schema", 2},
    {"protobuf", "PROTOBUF", "Protobuf", 2},
};

static const format *format_of(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static bool primitive_known(const char *name)
{
    static const char *const all[] = {"string", "bytes", "short", "integer", "long", "float", "double"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i], name) == 0)
            return true;
    return false;
}

/* Members of version 2 in a file that says 1: whoever wrote it meant something that readers of version 1 do not see. */
static bool check_side_version(rt_plan_reader *r, const fl_json *j, const rt_plan *p)
{
    static const char *const later[] = {"message", "payload", "rules"};
    for (size_t i = 0; p->version < 2 && i < sizeof later / sizeof *later; i++)
        if (fl_json_get(j, later[i]))
            return rt_plan_bad(r, fl_json_get(j, later[i]), "unknown member %s of a side in a plan of version %d",
                               later[i], p->version);
    return true;
}

static bool check_schema_side(rt_plan_reader *r, const fl_json *j, const rt_plan_side *s, const format *f)
{
    const rt_subject *u = &s->subject;
    if (!u->subject || !u->type || !u->schema)
        return rt_plan_bad(r, j, "a side of format %s needs subject, schemaType and schema", f->name);
    if (strcmp(u->type, f->type) != 0)
        return rt_plan_bad(r, j, "a side of format %s has the schemaType %.40s", f->name, u->type);
    if (!strcmp(f->name, "protobuf") != (s->message != NULL))
        return rt_plan_bad(r, j, "a side of format %s %s", f->name,
                           s->message ? "has no message" : "needs its message");
    return true;
}

static bool check_keks(rt_plan_reader *r, const fl_json *j, const rt_plan *p, const rt_plan_side *s)
{
    for (size_t i = 0; i < s->nencrypted; i++)
        if (!rt_plan_kek_find(p, s->encrypted[i].kek))
            return rt_plan_bad(r, j, "field %.100s is encrypted with %.100s, which is not among the keks",
                               s->encrypted[i].path, s->encrypted[i].kek);
    if (s->payload.kek && !rt_plan_kek_find(p, s->payload.kek))
        return rt_plan_bad(r, j, "the whole body is encrypted with %.100s, which is not among the keks",
                           s->payload.kek);
    return true;
}

static bool encrypts(const rt_plan_side *s)
{
    return s->nencrypted || s->payload.kek;
}

static bool check_side(rt_plan_reader *r, const fl_json *j, const rt_plan *p, const rt_plan_side *s)
{
    const format *f = format_of(s->format);
    const rt_subject *u = &s->subject;
    if (f ? f->since > p->version : !primitive_known(s->format))
        return rt_plan_bad(r, j, "format %.40s is beyond %s", s->format,
                           f ? "a plan of version 1" : "this version of flec");
    if (!f && (u->subject || u->type || u->schema || u->refs || u->metadata || u->ruleset || s->encrypted ||
               s->message || s->payload.kek || s->rules))
        return rt_plan_bad(r, j, "a side of format %s has no schema and no rules", s->format);
    if (!check_side_version(r, j, p) || (f && !check_schema_side(r, j, s, f)) || !check_keks(r, j, p, s))
        return false;
    if (s->clear && encrypts(s))
        return rt_plan_bad(r, j, "the side is said to be in clear and has encrypted fields");
    return true;
}

static bool check_topics(rt_plan_reader *r, const fl_json *list, const rt_plan *p)
{
    const fl_json *j = list->child;
    for (size_t i = 0; i < p->ntopics; i++, j = j->next) {
        rt_plan_topic *t = &p->topics[i];
        t->key.subject.message = t->key.message;
        t->value.subject.message = t->value.message;
        if (!check_side(r, fl_json_get(j, "key"), p, &t->key) || !check_side(r, fl_json_get(j, "value"), p, &t->value))
            return false;
        if (t->clear && (encrypts(&t->key) || encrypts(&t->value)))
            return rt_plan_bad(r, j, "topic %.100s is said to be in clear and has encrypted fields", t->name);
    }
    return true;
}

/* The name of each object of a list is its first member's place: two equal ones would make look-ups a matter of order.
 */
static bool check_names(rt_plan_reader *r, const fl_json *plan, const char *list, const char *member)
{
    fl_map *seen = fl_map_new();
    bool ok = true;
    const fl_json *l = fl_json_get(plan, list);
    for (const fl_json *e = l ? l->child : NULL; e && ok; e = e->next) {
        const char *name = fl_json_str(e, member);
        if (!*name)
            ok = rt_plan_bad(r, e, "an empty %s in %s", member, list);
        else if (fl_map_put(seen, name, r))
            ok = rt_plan_bad(r, e, "%.100s stands twice in %s", name, list);
    }
    fl_map_free(seen);
    return ok;
}

static bool check_principals(rt_plan_reader *r, const fl_json *list, const rt_plan *p)
{
    const fl_json *j = list->child;
    for (size_t i = 0; i < p->nprincipals; i++, j = j->next)
        for (size_t k = 0; k < p->principals[i].nkeks; k++)
            if (!rt_plan_kek_find(p, p->principals[i].keks[k]))
                return rt_plan_bad(r, j, "principal %.100s has %.100s, which is not among the keks",
                                   p->principals[i].name, p->principals[i].keks[k]);
    return true;
}

static bool check(rt_plan_reader *r, const fl_json *j, const rt_plan *p)
{
    return check_names(r, j, "keks", "name") && check_names(r, j, "subjects", "subject") &&
           check_names(r, j, "topics", "name") && check_names(r, j, "connectors", "name") &&
           check_names(r, j, "principals", "name") && check_topics(r, fl_json_get(j, "topics"), p) &&
           check_principals(r, fl_json_get(j, "principals"), p);
}

/* ---- reading ---- */

rt_code rt_plan_parse(fl_arena *a, const char *name, const char *text, size_t len, rt_plan **out, rt_error *err)
{
    rt_error own = {0};
    *out = NULL;
    if (len > RT_PLAN_MAX)
        return rt_fail(err, RT_BAD_INPUT, "%.100s: larger than the %u MiB that a plan may have", name,
                       RT_PLAN_MAX >> 20);
    rt_plan_reader r = {.a = a, .name = name, .text = text, .err = err ? err : &own};
    const fl_json *j = rt_plan_document(&r, len, 0, "flec-plan", VERSION, "plan");
    rt_plan *p = FL_NEW(a, rt_plan);
    int64_t version = 0;
    p->version = fl_json_int(j, "version", &version) ? (int)version : VERSION;
    if (!j || !rt_plan_object(&r, j, "the plan", plan_table, p) || !check(&r, j, p))
        return RT_BAD_INPUT;
    *out = p;
    return RT_OK;
}

rt_code rt_plan_load(fl_arena *a, const char *path, rt_plan **out, rt_error *err)
{
    char *text;
    size_t len;
    int e = fl_read_file(a, path, RT_PLAN_MAX, &text, &len);
    *out = NULL;
    if (e == EFBIG)
        return rt_fail(err, RT_BAD_INPUT, "%.200s: larger than the %u MiB that a plan may have", path,
                       RT_PLAN_MAX >> 20);
    if (e)
        return rt_fail(err, RT_IO, "%.200s: %s", path, strerror(e));
    return rt_plan_parse(a, path, text, len, out, err);
}

/* ---- what the engine cannot execute ---- */

const char *rt_plan_beyond(fl_arena *a, const rt_plan_topic *t, bool key)
{
    const rt_plan_side *s = key ? &t->key : &t->value;
    const char *side = key ? "key" : "value";
    for (size_t i = 0; i < s->nrules; i++)
        if (s->rules[i].runs)
            return fl_printf(a, "%s has the rule %s of type %s, which the engine of this version cannot execute", side,
                             s->rules[i].name, s->rules[i].type);
    return NULL;
}

const char *rt_plan_topic_beyond(fl_arena *a, const rt_plan_topic *t)
{
    const char *why = rt_plan_beyond(a, t, true);
    return why ? why : rt_plan_beyond(a, t, false);
}

bool rt_plan_undecided(const rt_plan_topic *t, bool key)
{
    const rt_plan_side *s = key ? &t->key : &t->value;
    return s->subject.subject && !s->clear && !t->clear && !encrypts(s);
}

/* ---- looking up ---- */

#define FIND(T, function, list, n, member)                                                                             \
    const T *function(const rt_plan *p, const char *name)                                                              \
    {                                                                                                                  \
        for (size_t i = 0; i < p->n; i++)                                                                              \
            if (strcmp(p->list[i].member, name) == 0)                                                                  \
                return &p->list[i];                                                                                    \
        return NULL;                                                                                                   \
    }
FIND(rt_plan_topic, rt_plan_topic_find, topics, ntopics, name)
FIND(rt_plan_kek, rt_plan_kek_find, keks, nkeks, kek.name)
FIND(rt_plan_connector, rt_plan_connector_find, connectors, nconnectors, name)
FIND(rt_plan_principal, rt_plan_principal_find, principals, nprincipals, name)

/* ---- registering ---- */

static rt_code register_kek(const rt_kek *k, rt_registry *r, fl_arena *a, rt_error *err)
{
    rt_kek there;
    rt_code code = r->ops->create_kek(r, k, err);
    if (code != RT_CONFLICT)
        return code;
    code = r->ops->get_kek(r, a, k->name, false, &there, err);
    if (code)
        return code;
    if (strcmp(there.kms_type, k->kms_type) != 0 || strcmp(there.kms_key_id, k->kms_key_id) != 0)
        return rt_fail(err, RT_CONFLICT,
                       "KEK %s is registered with %s key %.120s, the plan has %s key %.120s; neither can be changed, "
                       "so take another name",
                       k->name, there.kms_type, there.kms_key_id, k->kms_type, k->kms_key_id);
    if (there.shared != k->shared)
        return rt_fail(err, RT_CONFLICT, "KEK %s is registered as %s, the plan has it %s", k->name,
                       there.shared ? "shared" : "private", k->shared ? "shared" : "private");
    return RT_OK;
}

rt_code rt_plan_register(rt_plan *p, rt_registry *r, fl_arena *a, rt_error *err)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < p->nkeks && !code; i++)
        code = register_kek(&p->keks[i].kek, r, a, err);
    for (size_t i = 0; i < p->nsubjects && !code; i++)
        code = r->ops->register_subject(r, a, &p->subjects[i], err);
    for (size_t i = 0; i < p->ntopics && !code; i++) {
        rt_plan_side *sides[] = {&p->topics[i].key, &p->topics[i].value};
        for (int k = 0; k < 2 && !code; k++)
            if (sides[k]->subject.subject)
                code = r->ops->register_subject(r, a, &sides[k]->subject, err);
    }
    return code;
}

/* References to the latest version are to that which is the latest now. */
static rt_code settle_refs(const rt_subject *of, rt_registry *r, fl_arena *a, rt_subject *out, rt_error *err)
{
    rt_code code = RT_OK;
    *out = *of;
    out->refs = FL_NEW_N(a, rt_schema_ref, of->nrefs);
    for (size_t i = 0; i < of->nrefs && !code; i++) {
        rt_subject to;
        out->refs[i] = of->refs[i];
        if (of->refs[i].version > 0)
            continue;
        code = r->ops->subject_version(r, a, of->refs[i].subject, -1, &to, err);
        out->refs[i].version = code ? 0 : to.version;
    }
    return code;
}

static rt_code look_up(rt_subject *s, rt_registry *r, fl_arena *a, rt_error *err)
{
    rt_subject asked;
    rt_error why;
    if (!r->ops->find_subject)
        return rt_fail(err, RT_REFUSED, "this registry does not look versions up");
    rt_code code = settle_refs(s, r, a, &asked, &why);
    if (!code)
        code = r->ops->find_subject(r, a, &asked, &why);
    if (code == RT_NOT_FOUND)
        return rt_fail(err, code,
                       "subject %s: the registry has no version with the plan's schema, metadata and rules: register "
                       "it first (%.200s)",
                       s->subject, why.message);
    if (code)
        return rt_fail(err, code, "%s", why.message);
    asked.message = s->message;
    *s = asked;
    return RT_OK;
}

rt_code rt_plan_look_up(rt_plan *p, const char *topic, rt_registry *r, fl_arena *a, rt_error *err)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < p->ntopics && !code; i++) {
        rt_plan_side *sides[] = {&p->topics[i].key, &p->topics[i].value};
        for (int k = 0; k < 2 && !code && strcmp(p->topics[i].name, topic) == 0; k++)
            if (sides[k]->subject.subject)
                code = look_up(&sides[k]->subject, r, a, err);
    }
    return code;
}
