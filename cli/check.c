/* check.c: `flec check`: parses, resolves and checks a policy. */
#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "compiler/compiler.h"

static fl_status check(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, int format)
{
    fl_diags diags;
    fl_status status = FL_OK;
    fl_diags_init(&diags, a);
    fc_compile(a, paths, n, opt, &diags, &status);
    if (status == FL_USAGE)
        return status;
    return fl_status_worse(status, cli_report(&diags, format));
}

int cli_check(int argc, char **argv)
{
    const char *today = NULL;
    fc_options opt = {0};
    int format = CLI_TEXT_FORMAT;
    const cli_opt opts[] = {
        {"env", 0, CLI_TEXT, NULL, "NAME", "the environment", &opt.environment},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day on which `until` is judged; today in UTC", &today},
        {"format", 0, CLI_ENUM, cli_formats, NULL, "how to report", &format},
        {0},
    };
    const cli_command cmd = {"check", "PATH...", "parses, resolves and checks a policy; `-` is standard input",
                             opts,    1,         SIZE_MAX};
    cli_args args;
    const char **paths;
    size_t n;
    fl_status status = FL_OK;
    int rc = cli_parse(&cmd, argc, argv, &args);
    if (rc >= 0)
        return rc;
    if (!cli_today(today, &opt.today))
        return FL_USAGE;
    fl_arena *a = fl_arena_new();
    if (cli_policy_paths(a, args.v, args.n, &paths, &n, &status))
        status = check(a, paths, n, &opt, format);
    fl_arena_free(a);
    return cli_finish(status);
}
