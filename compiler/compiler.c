/* compiler.c: one compilation: files, then names and schemas, then checks. */
#include "compiler/compiler.h"

#include "compiler/check/check.h"
#include "compiler/resolve/resolve.h"

/* In an order in which each finds what it refers to. */
static void resolve(res *r)
{
    r->by_subject = fl_map_new();
    res_variables(r);
    res_declare(r);
    res_platform(r);
    res_tags(r);
    res_principals(r);
    res_keks(r);
    res_subjects(r);
    res_topics(r);
    res_references(r);
    res_schemas(r);
    res_fields(r);
    res_connectors(r);
    fl_map_free(r->by_subject);
}

/* No policy of this version declares an environment: the statement is refused by name. */
static bool environment_exists(const fc_options *opt, fl_status *status)
{
    if (!opt->environment)
        return true;
    fl_log(FL_LOG_ERROR, "there is no environment `%s`: the policy declares none", opt->environment);
    *status = fl_status_worse(*status, FL_USAGE);
    return false;
}

est_estate *fc_compile(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                       fl_status *status)
{
    res r = {.e = FL_NEW(a, est_estate), .a = a, .diags = diags};
    r.e->arena = a;
    r.e->today = opt->today;
    r.e->personal_words = opt->personal_words;
    est_estate *e = res_files(&r, paths, n, status) && environment_exists(opt, status) ? r.e : NULL;
    if (e) {
        resolve(&r);
        chk_run_all(e, diags);
        emit_check_tests(e, diags);
    }
    fl_diags_sort(diags);
    return e;
}
