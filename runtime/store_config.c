/* store_config.c: config and mode: for everything, a context, a subject. The nearest scope that has a config counts,
 * as a whole; of a level that it does not name, the next one's. */
#include <string.h>
#include <strings.h>

#include "runtime/canon.h"
#include "runtime/store.h"

/* ---- what holds for a subject ---- */

const rt_scope *rt_store_scope(const rt_store *st, const char *scope)
{
    return fl_map_get(st->scopes, scope);
}

static const fl_json *config_of(const rt_scope *s, fl_arena *a)
{
    return s && s->config ? fl_json_parse(a, s->config, strlen(s->config), 0, &(fl_json_error){0}) : NULL;
}

static const char *part(fl_arena *a, const rt_scope *s, const fl_json *config, const char *member)
{
    const fl_json *v = fl_json_get(config, member);
    return v && v->kind == FL_JOBJECT ? fl_strndup(a, s->config + v->from, v->to - v->from) : NULL;
}

void rt_store_settings(const rt_store *st, fl_arena *a, const char *subject, rt_settings *out)
{
    const char *scopes[] = {subject, rt_context_scope(a, rt_subject_context(a, subject)), ""};
    const fl_json *found = NULL;
    bool level = false;
    *out = (rt_settings){.level = SCH_BACKWARD};
    for (size_t i = 0; i < 3; i++) {
        const rt_scope *s = rt_store_scope(st, scopes[i]);
        const fl_json *config = config_of(s, a);
        const char *name = config ? fl_json_str(config, "compatibilityLevel") : NULL;
        level = level || (name && sch_level_find(name, &out->level));
        if (s && s->mode && !out->mode)
            out->mode = s->mode;
        if (found || !config)
            continue;
        found = config;
        out->normalize = fl_json_bool(config, "normalize", false);
        out->validate_fields = fl_json_bool(config, "validateFields", false);
        out->group = fl_json_str(config, "compatibilityGroup");
        out->metadata_before = part(a, s, config, "defaultMetadata");
        out->metadata_after = part(a, s, config, "overrideMetadata");
        out->rules_before = part(a, s, config, "defaultRuleSet");
        out->rules_after = part(a, s, config, "overrideRuleSet");
    }
    const rt_scope *all = rt_store_scope(st, "");
    if (all && all->mode && !strcmp(all->mode, "READONLY_OVERRIDE"))
        out->mode = all->mode;
    out->mode = out->mode ? out->mode : "READWRITE";
}

rt_code rt_store_writable(const rt_store *st, fl_arena *a, const char *subject, rt_error *err)
{
    rt_settings set;
    rt_store_settings(st, a, subject, &set);
    if (strncmp(set.mode, "READONLY", 8) != 0)
        return RT_OK;
    return rt_fail_as(err, RT_REFUSED, 42205, "subject %s is in %s mode", subject, set.mode);
}

/* ---- changing it ---- */

typedef enum { TEXT, SUBJECT, FLAG, LEVEL, POLICY, METADATA, RULES } kind;

static const struct member {
    const char *name, *asked; /* as GET gives it; as PUT takes it */
    kind kind;
} members[] = {
    {"alias", "alias", SUBJECT},
    {"aliasForDeks", "aliasForDeks", FLAG},
    {"normalize", "normalize", FLAG},
    {"validateFields", "validateFields", FLAG},
    {"validateNewSchemas", "validateNewSchemas", FLAG},
    {"validateRules", "validateRules", FLAG},
    {"compatibilityLevel", "compatibility", LEVEL},
    {"compatibilityPolicy", "compatibilityPolicy", POLICY},
    {"compatibilityGroup", "compatibilityGroup", TEXT},
    {"defaultMetadata", "defaultMetadata", METADATA},
    {"overrideMetadata", "overrideMetadata", METADATA},
    {"defaultRuleSet", "defaultRuleSet", RULES},
    {"overrideRuleSet", "overrideRuleSet", RULES},
};
enum { NMEMBERS = sizeof members / sizeof members[0] };

static rt_code bad_member(const struct member *m, const char *what, rt_error *err)
{
    return rt_fail_as(err, RT_BAD_INPUT, 42203, "config: %s %s", m->asked, what);
}

static char *node_text(fl_arena *a, const fl_json *v)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, (size_t)8 * RT_META_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, v);
    char *text = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

/* *out: the member's JSON in the registry's form. */
static rt_code canonical(fl_arena *a, const struct member *m, const fl_json *v, const char **out, rt_error *err)
{
    rt_metadata *meta;
    rt_ruleset *rules;
    sch_level level;
    rt_code code = RT_OK;
    *out = node_text(a, v);
    switch (m->kind) {
    case LEVEL:
        if (v->kind != FL_JSTRING || !sch_level_find(v->str, &level))
            return bad_member(m, "is NONE, BACKWARD, FORWARD, FULL, or one of the last three with _TRANSITIVE", err);
        break;
    case POLICY: /* LENIENT and LOGICAL judge by rules that are not known here */
        if (v->kind != FL_JSTRING || strcasecmp(v->str, "STRICT") != 0)
            return bad_member(m, "is STRICT, the rules of the schema's type; flec has no LENIENT and no LOGICAL", err);
        break;
    case TEXT:
        if (v->kind != FL_JSTRING)
            return bad_member(m, "must be a text", err);
        break;
    case SUBJECT: /* "" is none */
        if (v->kind != FL_JSTRING || (*v->str && (rt_subject_wrong(v->str) || !*rt_subject_bare(v->str))))
            return bad_member(m, "must be the name of a subject", err);
        break;
    case FLAG:
        if (v->kind != FL_JTRUE && v->kind != FL_JFALSE)
            return bad_member(m, "must be true or false", err);
        break;
    case METADATA:
        code = rt_canon_metadata(a, *out, &meta, err);
        *out = code == RT_OK ? rt_canon_metadata_text(a, meta) : NULL;
        break;
    case RULES:
        code = rt_canon_ruleset(a, *out, &rules, err);
        *out = code == RT_OK ? rt_canon_ruleset_text(a, rules) : NULL;
        break;
    }
    return code;
}

void rt_store_print_setting(fl_buf *b, const char *op, const char *scope, const char *value)
{
    fl_jw w;
    rt_store_begin_record(b, &w, op);
    fl_jw_kstring(&w, "scope", scope);
    if (value)
        fl_jw_kstring(&w, "value", value);
    fl_jw_end_object(&w);
}

static rt_code commit(rt_store *st, const char *op, const char *scope, const char *value, rt_error *err)
{
    fl_buf b;
    rt_store_print_setting(&b, op, scope, value);
    return rt_store_commit(st, &b, err);
}

rt_code rt_store_set_config(rt_store *st, fl_arena *a, const char *scope, const fl_json *request, rt_error *err)
{
    const fl_json *old = config_of(rt_store_scope(st, scope), a);
    rt_code code = RT_OK;
    fl_buf b;
    fl_jw w;
    if (request->kind != FL_JOBJECT)
        return rt_fail_as(err, RT_BAD_INPUT, 42203, "config: a JSON object is expected");
    fl_buf_init(&b, RT_RECORD_MAX / 2);
    fl_jw_init(&w, &b, false);
    fl_jw_object(&w);
    for (size_t i = 0; i < NMEMBERS && code == RT_OK; i++) {
        const struct member *m = &members[i];
        const fl_json *asked = fl_json_get(request, m->asked), *had = old ? fl_json_get(old, m->name) : NULL;
        const char *text = NULL;
        if (asked && asked->kind != FL_JNULL)
            code = canonical(a, m, asked, &text, err);
        else if (!asked && had)
            text = node_text(a, had);
        if (text) {
            fl_jw_key(&w, m->name);
            fl_jw_raw(&w, text, strlen(text));
        }
    }
    fl_jw_end_object(&w);
    if (code == RT_OK && b.full)
        code = rt_fail_as(err, RT_BAD_INPUT, 42209, "config: it is too large");
    if (code == RT_OK)
        code = commit(st, "config", scope, b.p, err);
    fl_buf_free(&b);
    return code;
}

static bool in_scope(const rt_versions *v, const rt_version *version, void *ctx)
{
    const char **scope = ctx; /* NULL once one was found */
    if (!**scope || !strcmp(*scope, v->subject) ||
        ((*scope)[strlen(*scope) - 1] == ':' && !strncmp(v->subject, *scope, strlen(*scope))))
        *scope = NULL;
    return *scope != NULL;
}

rt_code rt_store_set_mode(rt_store *st, fl_arena *a, const char *scope, const char *mode, bool force, rt_error *err)
{
    static const char *const modes[] = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && mode; i++)
        if (!strcmp(mode, modes[i]))
            found = modes[i];
    if (!found)
        return rt_fail_as(err, RT_BAD_INPUT, 42204,
                          "mode is READWRITE, READONLY, READONLY_OVERRIDE, FORWARD or IMPORT");
    const char *held = scope;
    if (!strcmp(found, "IMPORT") && !force)
        rt_store_each(st, in_scope, &held);
    if (!held)
        return rt_fail_as(err, RT_REFUSED, 42205, "cannot set mode IMPORT while there are subjects; force=true does");
    return commit(st, "mode", scope, found, err);
}

rt_code rt_store_unset(rt_store *st, const char *scope, bool config, rt_error *err)
{
    return commit(st, config ? "config" : "mode", scope, NULL, err);
}

/* ---- applying ---- */

static rt_scope *scope_of(rt_store *st, const fl_json *record, const char **value, rt_error *err)
{
    const char *scope = fl_json_str(record, "scope");
    if (!scope) {
        rt_fail(err, RT_IO, "a record of a setting names no scope");
        return NULL;
    }
    const char *text = fl_json_str(record, "value");
    *value = text ? fl_strdup(st->arena, text) : NULL;
    rt_scope *s = fl_map_get(st->scopes, scope);
    if (!s) {
        s = FL_NEW(st->arena, rt_scope);
        fl_map_put(st->scopes, scope, s);
    }
    return s;
}

rt_code rt_store_apply_config(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *value;
    rt_scope *s = scope_of(st, record, &value, err);
    if (s)
        s->config = value;
    return s ? RT_OK : RT_IO;
}

rt_code rt_store_apply_mode(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *value;
    rt_scope *s = scope_of(st, record, &value, err);
    if (s)
        s->mode = value;
    return s ? RT_OK : RT_IO;
}
