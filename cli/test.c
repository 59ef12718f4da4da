/* test.c: flec test PATH… | DIR: the tests of a policy, or of a build directory as it lies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/stop.h"
#include "cli/verbs.h"
#include "compiler/compiler.h"
#include "runtime/testing/run.h"

static const char *const forms[] = {"text", "json", "tap", "junit", NULL};

static bool is_build(fl_arena *a, const cli_args *args)
{
    return args->n == 1 && fl_is_dir(args->v[0]) && fl_exists(fl_printf(a, "%s/MANIFEST", args->v[0]));
}

/* Errors of the policy, in the form that was asked for as far as it has a place for them. */
static fl_status wrong_policy(fl_diags *diags, int form)
{
    if (form == RT_REPORT_TEXT || form == RT_REPORT_JSON)
        return cli_report(diags, form == RT_REPORT_JSON ? CLI_JSON_FORMAT : CLI_TEXT_FORMAT);
    if (form == RT_REPORT_TAP)
        puts("TAP version 13\nBail out! the policy has errors");
    fl_diags_sort(diags);
    fl_diags_text(diags, stderr, CLI_MOST_SHOWN, cli_color(true));
    return FL_FINDINGS;
}

typedef struct options {
    const char *filter, *today, *environment;
    int form;
} options;

static bool holds_test(const est_estate *e, const char *filter)
{
    bool found = !filter;
    for (size_t i = 0; !found && i < e->tests.n; i++) {
        const char *name = est_expand(e, &lang_get1(e->tests.v[i], "text")->name);
        found = name && strstr(name, filter);
    }
    return found;
}

/* Where several environments are tested, each test says in which it ran. */
static void name_environment(rt_test_run *run, size_t first, const char *environment)
{
    for (size_t i = first; i < run->results.n; i++)
        run->results.v[i].name = fl_printf(run->a, "%s [%s]", run->results.v[i].name, environment);
}

/* Builds one environment into a folder of its own, runs its tests there, and takes the folder away. */
static fl_status test_estate(fl_arena *a, rt_test_run *run, const fc_build *build, const char *filter)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = fl_printf(a, "%s/flec-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
        fl_log(FL_LOG_ERROR, "%s: %s", dir, strerror(errno));
        return FL_COULD_NOT_RUN;
    }
    const char *out = fl_printf(a, "%s/build", dir);
    fl_status status = fc_write(build, out);
    if (!status)
        status = rt_test_dir(run, out, filter);
    fl_remove_tree(dir);
    return status;
}

static fl_status test_each(fl_arena *a, rt_test_run *run, const est_estate **all, size_t n, fc_build **builds,
                           const char *filter)
{
    fl_status status = FL_OK;
    size_t wanted = 0;
    for (size_t i = 0; i < n && !run->stop->signal; i++) {
        size_t first = run->results.n;
        if (!holds_test(all[i], filter))
            continue;
        wanted++;
        status = fl_status_worse(status, test_estate(a, run, builds[i], filter));
        if (n > 1)
            name_environment(run, first, all[i]->environment);
    }
    if (wanted || !n)
        return status;
    fl_log(FL_LOG_ERROR, "no test's name holds `%s`", filter);
    return FL_USAGE;
}

/* Every environment is compiled before the first test runs. */
static fl_status test_policy(fl_arena *a, rt_test_run *run, const cli_args *args, const options *o)
{
    fc_options opt = {.environment = o->environment};
    fl_diags diags;
    const char **paths;
    size_t n, nestates;
    fl_status status = FL_OK;
    fl_diags_init(&diags, a);
    if (!cli_today(o->today, &opt.today))
        return FL_USAGE;
    if (!cli_policy_paths(a, args->v, args->n, &paths, &n, &status))
        return status;
    const est_estate **all = fc_check(a, paths, n, &opt, &diags, &status, &nestates);
    fc_build **builds = FL_NEW_N(a, fc_build *, nestates + 1);
    bool built = all != NULL;
    for (size_t i = 0; i < nestates && !diags.errors; i++) {
        builds[i] = fc_emit(all[i], NULL, &diags);
        built &= builds[i] != NULL;
    }
    if (diags.errors)
        return fl_status_worse(status, wrong_policy(&diags, o->form));
    return built ? test_each(a, run, all, nestates, builds, o->filter) : fl_status_worse(status, FL_COULD_NOT_RUN);
}

int cli_test(int argc, char **argv)
{
    options o = {.form = RT_REPORT_TEXT};
    const cli_opt opts[] = {
        {"filter", 0, CLI_TEXT, NULL, "TEXT", "only tests whose name holds this", &o.filter},
        {"env", 0, CLI_TEXT, NULL, "NAME", "the environment; all, where the policy declares any", &o.environment},
        {"format", 0, CLI_ENUM, forms, NULL, "how to report", &o.form},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day to check the policy for (today, UTC)", &o.today},
        {0},
    };
    const cli_command cmd = {
        "test", "PATH... | DIR", "runs the tests of a policy, or of a build directory as it lies", opts, 1, SIZE_MAX};
    cli_args args;
    int done = cli_parse(&cmd, argc, argv, &args);
    if (done >= 0)
        return done;
    fl_arena *a = fl_arena_new();
    rt_test_run run = {.a = a, .stop = cli_stop_watch()};
    fl_status status = is_build(a, &args) ? rt_test_dir(&run, args.v[0], o.filter) : test_policy(a, &run, &args, &o);
    cli_stop_die(); /* half a report is none */
    if (status == FL_OK || run.results.n)
        rt_test_report(&run, (rt_report_form)o.form, cli_color(false), stdout);
    fl_arena_free(a);
    return cli_finish(status);
}
