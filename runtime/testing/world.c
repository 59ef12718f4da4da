/* world.c: a test's registry, keys and topics. */
#include "runtime/testing/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/testing/build_dir.h"

/* ---- the plan with local keys ---- */

static bool private_kek(const rt_plan *p, const char *name)
{
    const rt_plan_kek *k = name ? rt_plan_kek_find(p, name) : NULL;
    return k && !k->kek.shared;
}

static void rewrite(const rt_plan *p, fl_jw *w, const fl_json *j);

static void rewrite_members(const rt_plan *p, fl_jw *w, const fl_json *j)
{
    bool local = private_kek(p, fl_json_str(j, "encrypt.kek.name"));
    fl_jw_object(w);
    for (const fl_json *m = j->child; m; m = m->next) {
        fl_jw_key(w, m->key);
        if (local && !strcmp(m->key, "encrypt.kms.type"))
            fl_jw_string(w, "local-kms");
        else
            rewrite(p, w, m);
    }
    fl_jw_end_object(w);
}

/* A condition looks at a record and changes nothing: what a test produces is taken to fulfil it, as no CEL is evaluated
 * here. */
static bool is_condition(const fl_json *rule)
{
    const char *kind = fl_json_str(rule, "kind"), *type = fl_json_str(rule, "type");
    return kind && type && !strcmp(kind, "CONDITION") && !strncmp(type, "CEL", 3);
}

/* Prints a JSON value again, with the KMS type of every rule of a private KEK changed, and without conditions. */
static void rewrite(const rt_plan *p, fl_jw *w, const fl_json *j)
{
    if (j->kind == FL_JOBJECT) {
        rewrite_members(p, w, j);
    } else if (j->kind == FL_JARRAY) {
        fl_jw_array(w);
        for (const fl_json *m = j->child; m; m = m->next)
            if (!is_condition(m))
                rewrite(p, w, m);
        fl_jw_end_array(w);
    } else {
        fl_jw_node(w, j);
    }
}

static const char *local_rules(fl_arena *a, const rt_plan *p, const char *text)
{
    fl_buf b;
    fl_jw w;
    fl_json_error e;
    const fl_json *j = text ? fl_json_parse(a, text, strlen(text), 0, &e) : NULL;
    if (!j)
        return text;
    fl_buf_init(&b, RT_PLAN_MAX);
    fl_jw_init(&w, &b, false);
    rewrite(p, &w, j);
    const char *out = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return out;
}

static const fl_json *rule_named(const fl_json *set, const rt_plan_rule *rule)
{
    const fl_json *list = fl_json_get(set, strcmp(rule->phase, "encoding") ? "domainRules" : "encodingRules");
    for (const fl_json *r = list ? list->child : NULL; r; r = r->next) {
        const char *name = fl_json_str(r, "name");
        if (name && !strcmp(name, rule->name))
            return r;
    }
    return NULL;
}

/* Conditions that are left out need not be executed. */
static void set_conditions_aside(fl_arena *a, rt_plan_side *side)
{
    fl_json_error e;
    const char *text = side->subject.ruleset;
    const fl_json *set = text ? fl_json_parse(a, text, strlen(text), 0, &e) : NULL;
    for (size_t i = 0; set && i < side->nrules; i++) {
        const fl_json *rule = rule_named(set, &side->rules[i]);
        if (rule && is_condition(rule))
            side->rules[i].runs = false;
    }
}

rt_code rt_bench_open(fl_arena *a, const char *dir, const rt_plan *plan, const char *plan_text, size_t len,
                      rt_bench *out, rt_error *err)
{
    rt_plan *local;
    rt_code code = rt_plan_parse(a, "plan.json", plan_text, len, &local, err);
    if (code)
        return code;
    for (size_t i = 0; i < local->ntopics; i++) {
        rt_subject *sides[] = {&local->topics[i].key.subject, &local->topics[i].value.subject};
        set_conditions_aside(a, &local->topics[i].key);
        set_conditions_aside(a, &local->topics[i].value);
        for (int k = 0; k < 2; k++) {
            sides[k]->ruleset = local_rules(a, plan, sides[k]->ruleset);
            sides[k]->metadata = local_rules(a, plan, sides[k]->metadata);
        }
    }
    for (size_t i = 0; i < local->nkeks; i++)
        if (!local->keks[i].kek.shared)
            local->keks[i].kek.kms_type = "local-kms";
    *out = (rt_bench){dir, plan, local};
    return RT_OK;
}

/* ---- clients ---- */

static bool may_use(void *ctx, const char *kek)
{
    const rt_client *c = ctx;
    if (c->all)
        return true;
    for (size_t i = 0; i < c->keks.n; i++)
        if (!strcmp(c->keks.v[i], kek))
            return !c->invert;
    return c->invert;
}

/* The secret of a KEK's stand-in: made from its name, so that runs and machines agree. It guards made-up records only.
 */
static fl_secret stand_in(void *ctx, const char *kek, const char *name)
{
    if (strcmp(name, "secret"))
        return (fl_secret){0};
    char digest[65];
    fl_sha256_hex(digest, kek, strlen(kek));
    return fl_secret_copy(digest, 64);
}

void rt_client_open(rt_client *c, const rt_world *w, bool all, rt_names keks, bool invert)
{
    *c = (rt_client){.world = w, .all = all, .keks = keks, .invert = invert};
    const rt_keys_options opt = {
        .registry = w->registry, .params = {.get = stand_in}, .may_use = may_use, .may_use_ctx = c};
    c->keys = rt_keys_new(&opt);
}

void rt_client_close(rt_client *c)
{
    if (c->keys)
        rt_keys_free(c->keys);
    c->keys = NULL;
}

/* ---- the world ---- */

rt_code rt_world_open(fl_arena *a, const rt_bench *bench, rt_world **out, rt_error *err)
{
    rt_world *w = FL_NEW(a, rt_world);
    const rt_registry_options opt = {0};
    *out = NULL;
    w->a = a;
    w->bench = bench;
    rt_code code = rt_registry_open("mem:", &opt, &w->registry, err);
    if (code)
        return code;
    /* registering fills in ids: on a copy, as the plan is shared by all tests */
    w->plan = FL_NEW(a, rt_plan);
    *w->plan = *bench->local;
    w->plan->subjects = FL_NEW_N(a, rt_subject, w->plan->nsubjects);
    memcpy(w->plan->subjects, bench->local->subjects, w->plan->nsubjects * sizeof(rt_subject));
    w->plan->topics = FL_NEW_N(a, rt_plan_topic, w->plan->ntopics);
    memcpy(w->plan->topics, bench->local->topics, w->plan->ntopics * sizeof(rt_plan_topic));
    code = rt_plan_register(w->plan, w->registry, a, err);
    if (code) {
        rt_registry_close(w->registry);
        return code;
    }
    rt_client_open(&w->everybody, w, true, (rt_names){0}, false);
    *out = w;
    return RT_OK;
}

void rt_world_close(rt_world *w)
{
    for (size_t i = 0; i < w->topics.n; i++)
        w->topics.v[i]->topic->ops->close(w->topics.v[i]->topic);
    rt_client_close(&w->everybody);
    rt_registry_close(w->registry);
    for (size_t i = 0; i < w->scratch.n; i++)
        fl_remove_tree(w->scratch.v[i]);
}

rt_test_topic *rt_world_topic(rt_world *w, const char *name)
{
    for (size_t i = 0; i < w->topics.n; i++)
        if (!strcmp(w->topics.v[i]->name, name))
            return w->topics.v[i];
    rt_test_topic *t = FL_NEW(w->a, rt_test_topic);
    t->name = t->subjects_of = name;
    t->topic = rt_topic_memory();
    FL_PUSH(w->a, &w->topics, t);
    return t;
}

const rt_plan_side *rt_side_of(const rt_plan_topic *t, int side)
{
    return side == RT_KEY_SIDE ? &t->key : &t->value;
}

rt_code rt_world_append(rt_world *w, rt_test_topic *t, rt_test_record *r, rt_error *err)
{
    const rt_message m = {
        .key = r->wire[RT_KEY_SIDE], .value = r->wire[RT_VALUE_SIDE], .headers = r->headers, .nheaders = r->nheaders};
    FL_PUSH(w->a, &t->records, r);
    return t->topic->ops->append(t->topic, &m, err);
}

/* ---- a saved registry ---- */

static rt_code copy_files(fl_arena *a, const char *from, const char *to, rt_error *err)
{
    char **paths;
    size_t n;
    int e = fl_find_files(a, from, "", &paths, &n);
    for (size_t i = 0; i < n && !e; i++) {
        char *text;
        size_t len;
        e = fl_read_regular(a, paths[i], RT_PLAN_MAX, &text, &len);
        if (!e)
            e = fl_write_file(fl_path_join(a, to, paths[i] + strlen(from) + 1), text, len, 0600, false);
    }
    return e ? rt_fail(err, RT_IO, "%.200s: %s", from, strerror(e)) : RT_OK;
}

rt_code rt_world_replace_registry(rt_world *w, const char *dir, rt_error *err)
{
    const rt_registry_options opt = {0};
    rt_registry *saved;
    if (!rt_build_inside(dir))
        return rt_fail(err, RT_BAD_INPUT, "%.200s is no folder of the build", dir);
    const char *tmp = getenv("TMPDIR");
    char *copy = fl_printf(w->a, "%s/flec-replay-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(copy))
        return rt_fail(err, RT_IO, "no temporary folder: %.200s: %s", copy, strerror(errno));
    rt_code code = copy_files(w->a, fl_printf(w->a, "%s/%s", w->bench->dir, dir), copy, err);
    if (!code)
        code = rt_registry_open(fl_printf(w->a, "file://%s", copy), &opt, &saved, err);
    if (code) {
        fl_remove_tree(copy);
        return code;
    }
    rt_client_close(&w->everybody);
    rt_registry_close(w->registry);
    w->registry = saved;
    rt_client_open(&w->everybody, w, true, (rt_names){0}, false);
    FL_PUSH(w->a, &w->scratch, copy);
    w->saved_keys = true;
    return rt_plan_register(w->plan, w->registry, w->a, err);
}
