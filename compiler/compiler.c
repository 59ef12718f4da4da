/* compiler.c: one compilation: files once; then, for each environment, names and schemas, then checks. */
#include "compiler/compiler.h"

#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/previous.h"
#include "compiler/finish.h"
#include "compiler/guard/guard.h"
#include "compiler/resolve/resolve.h"
#include "compiler/waive/waive.h"

/* In an order in which each finds what it refers to. */
static void resolve(res *r)
{
    res_variables(r);
    res_check_texts(r);
    res_repeat(r);
    res_declare(r);
    res_overlay(r);
    res_platform(r);
    res_tags(r);
    res_principals(r);
    res_keks(r);
    res_subjects(r);
    res_topics(r);
    res_connectors(r);
    res_judgements(r);
    res_drop_passing(r);
    res_references(r);
    res_schemas(r);
    fl_map_free(r->by_subject);
    fl_arena_free(r->scratch);
    res_fields(r);
}

struct fc_policy {
    res_shared shared;
    prev_build *previous; /* --previous, once it was read */
};

/* ---- files ---- */

fc_policy *fc_read(fl_arena *a, const char *const *paths, size_t n, fl_diags *diags, fl_status *status)
{
    fc_policy *p = FL_NEW(a, fc_policy);
    p->shared = (res_shared){.a = a, .schema_files = fl_map_new(), .parsed = fl_map_new()};
    bool read = res_files(&p->shared, diags, paths, n, status);
    if (read) {
        res_environments(&p->shared, diags);
        res_settle_early(&p->shared);
    }
    fl_diags_sort(diags);
    if (read)
        return p;
    fc_free(p);
    return NULL;
}

void fc_free(fc_policy *p)
{
    if (!p)
        return;
    fl_arena_free(p->shared.passing);
    fl_map_free(p->shared.schema_files);
    fl_map_free(p->shared.parsed);
}

/* ---- environments ---- */

size_t fc_environments(const fc_policy *p)
{
    return p->shared.environments.n;
}

const char *fc_environment(const fc_policy *p, size_t i)
{
    return p->shared.environments.v[i].name.s;
}

static const est_environment *find(const fc_policy *p, const char *name)
{
    for (size_t i = 0; name && i < p->shared.environments.n; i++)
        if (!strcmp(p->shared.environments.v[i].name.s, name))
            return &p->shared.environments.v[i];
    return NULL;
}

static const char *all_names(const fc_policy *p)
{
    const char *text = "";
    for (size_t i = 0; i < p->shared.environments.n; i++)
        text = fl_printf(p->shared.a, "%s%s%s", text, i ? ", " : "", fc_environment(p, i));
    return text;
}

static void no_environment(const fc_policy *p, const char *name)
{
    size_t n = p->shared.environments.n;
    const char **names = FL_NEW_N(p->shared.a, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = fc_environment(p, i);
    const char *near = fl_nearest(name, names, n);
    if (!n)
        fl_log(FL_LOG_ERROR, "there is no environment `%s`: the policy declares none", name);
    else if (near)
        fl_log(FL_LOG_ERROR, "there is no environment `%s`, did you mean `%s`?", name, near);
    else
        fl_log(FL_LOG_ERROR, "there is no environment `%s`: the policy declares %s", name, all_names(p));
}

bool fc_environment_exists(const fc_policy *p, const char *name)
{
    if (!name || find(p, name))
        return true;
    no_environment(p, name);
    return false;
}

static bool one_environment(const fc_policy *p, const char *name)
{
    if (!fc_environment_exists(p, name))
        return false;
    if (name || !p->shared.environments.n)
        return true;
    fl_log(FL_LOG_ERROR, "the policy declares environments: --env says for which one (%s)", all_names(p));
    return false;
}

/* ---- --previous ---- */

static bool same_environment(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static const char *shown(const fc_policy *p, const char *environment)
{
    return environment ? fl_printf(p->shared.a, "environment %s", environment) : "no environment";
}

/* A build is of one environment. Compared with another one, its keys and rules would say nothing. */
static bool right_environment(const fc_policy *p, const fc_options *opt)
{
    const char *is = p->previous->environment;
    if (opt->environment || !fc_environments(p)) {
        if (same_environment(is, opt->environment))
            return true;
        fl_log(FL_LOG_ERROR, "%s is a build of %s, and this is %s: name the build of the same environment",
               opt->previous, shown(p, is), shown(p, opt->environment));
        return false;
    }
    if (is && find(p, is))
        return true;
    fl_log(FL_LOG_ERROR, "%s is a build of %s, and the policy declares %s", opt->previous, shown(p, is), all_names(p));
    return false;
}

static bool read_previous(fc_policy *p, const fc_options *opt, fl_status *status)
{
    if (!opt->previous)
        return true;
    p->previous = prev_read(p->shared.a, opt->previous, status);
    if (!p->previous)
        return false;
    if (right_environment(p, opt))
        return true;
    *status = fl_status_worse(*status, FL_USAGE);
    return false;
}

/* ---- compiling ---- */

est_estate *fc_resolve(fc_policy *p, const fc_options *opt, fl_diags *diags)
{
    fl_arena *a = p->shared.a;
    const est_environment *env = find(p, opt->environment);
    res r = {.e = FL_NEW(a, est_estate),
             .a = a,
             .diags = diags,
             .shared = &p->shared,
             .environment = env ? env->stmt : NULL,
             .scratch = fl_arena_new(),
             .by_subject = fl_map_new(),
             .written = fl_map_new()};
    est_estate *e = r.e;
    e->arena = a;
    e->today = opt->today;
    e->personal_words = opt->personal_words;
    e->checks_only = opt->checks_only;
    e->environment = env ? env->name.s : NULL;
    if (p->previous && same_environment(p->previous->environment, e->environment))
        e->previous = p->previous;
    p->shared.lean = opt->checks_only && !p->previous;
    RES_SET(e->environments, p->shared.environments);
    RES_SET(e->files, p->shared.files);
    resolve(&r);
    chk_run_all(e, diags);
    guard_run(e, diags);
    emit_check_tests(e, diags);
    waive_judge(e, diags);
    fc_chain(&r, diags);
    waive_apply(e, diags);
    fc_fold(diags);
    fl_map_free(r.written);
    return e;
}

/* What only all environments together can tell. */
static void over_all(const est_estate *const *all, size_t n, fl_diags *diags)
{
    chk_keks_of_environments(all, n, diags);
    guard_idle(all, n, diags);
    waive_unused(all, n, diags);
    fl_diags_sort(diags);
}

static est_estate *check_one(fc_policy *p, const fc_options *opt, fl_diags *diags)
{
    est_estate *e = fc_resolve(p, opt, diags);
    const est_estate *all[] = {e};
    over_all(all, 1, diags);
    return e;
}

est_estate *fc_compile(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                       fl_status *status)
{
    fc_policy *p = fc_read(a, paths, n, diags, status);
    est_estate *e = NULL;
    if (p && !one_environment(p, opt->environment))
        *status = fl_status_worse(*status, FL_USAGE);
    else if (p && read_previous(p, opt, status))
        e = check_one(p, opt, diags);
    fc_free(p);
    return e;
}

static const est_estate **check_all(fc_policy *p, fl_arena *a, const fc_options *opt, fl_diags *diags)
{
    size_t n = fc_environments(p);
    const est_estate **all = FL_NEW_N(a, const est_estate *, n);
    fc_merger m;
    fc_merge_begin(&m, a, diags);
    for (size_t i = 0; i < n; i++) {
        fc_options one = *opt;
        fl_diags found;
        fl_diags_init(&found, a);
        one.environment = fc_environment(p, i);
        all[i] = fc_resolve(p, &one, &found);
        fc_merge_add(&m, &found, one.environment);
    }
    fc_merge_end(&m);
    over_all(all, n, diags);
    return all;
}

static const est_estate **check_each(fc_policy *p, fl_arena *a, const fc_options *opt, fl_diags *diags, size_t *n)
{
    *n = opt->environment || !fc_environments(p) ? 1 : fc_environments(p);
    if (!opt->environment && fc_environments(p))
        return check_all(p, a, opt, diags);
    const est_estate **all = FL_NEW_N(a, const est_estate *, 1);
    all[0] = check_one(p, opt, diags);
    return all;
}

const est_estate **fc_check(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                            fl_status *status, size_t *nestates)
{
    fc_policy *p = fc_read(a, paths, n, diags, status);
    const est_estate **all = NULL;
    *nestates = 0;
    if (p && !fc_environment_exists(p, opt->environment))
        *status = fl_status_worse(*status, FL_USAGE);
    else if (p && read_previous(p, opt, status))
        all = check_each(p, a, opt, diags, nestates);
    fc_free(p);
    return all;
}
