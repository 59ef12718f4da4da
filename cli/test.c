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

/* Compiles the policy into a folder of its own, runs its tests there, and takes the folder away. */
static fl_status test_policy(fl_arena *a, rt_test_run *run, const cli_args *args, const char *today, const char *filter,
                             int form)
{
    fc_options opt = {0};
    fl_diags diags;
    const char **paths;
    size_t n;
    fl_status status = FL_OK;
    fl_diags_init(&diags, a);
    if (!cli_today(today, &opt.today))
        return FL_USAGE;
    if (!cli_policy_paths(a, args->v, args->n, &paths, &n, &status))
        return status;
    est_estate *e = fc_compile(a, paths, n, &opt, &diags, &status);
    fc_build *build = e && !diags.errors ? fc_emit(e, NULL, &diags) : NULL;
    if (diags.errors)
        return fl_status_worse(status, wrong_policy(&diags, form));
    if (!build)
        return fl_status_worse(status, FL_COULD_NOT_RUN);
    const char *tmp = getenv("TMPDIR");
    char *dir = fl_printf(a, "%s/flec-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
        fl_log(FL_LOG_ERROR, "%s: %s", dir, strerror(errno));
        return FL_COULD_NOT_RUN;
    }
    const char *out = fl_printf(a, "%s/build", dir);
    status = fc_write(build, out);
    if (!status)
        status = rt_test_dir(run, out, filter);
    fl_remove_tree(dir);
    return status;
}

int cli_test(int argc, char **argv)
{
    int form = RT_REPORT_TEXT;
    const char *filter = NULL, *today = NULL;
    const cli_opt opts[] = {
        {"filter", 0, CLI_TEXT, NULL, "TEXT", "only tests whose name holds this", &filter},
        {"format", 0, CLI_ENUM, forms, NULL, "how to report", &form},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day to check the policy for (today, UTC)", &today},
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
    fl_status status =
        is_build(a, &args) ? rt_test_dir(&run, args.v[0], filter) : test_policy(a, &run, &args, today, filter, form);
    cli_stop_die(); /* half a report is none */
    if (status == FL_OK || run.results.n)
        rt_test_report(&run, (rt_report_form)form, cli_color(false), stdout);
    fl_arena_free(a);
    return cli_finish(status);
}
