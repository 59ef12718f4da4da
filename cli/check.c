/* check.c: `flec check`: parses, resolves and checks a policy. */
#include <string.h>

#include "cli/fix.h"
#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "compiler/compiler.h"

/* One compilation. With `made` the safe edits are made, and where there were any nothing is reported: what is there now
 * has to be looked at again. */
static fl_status check(const char *const *paths, size_t n, const fc_options *opt, int format, size_t *made)
{
    fl_arena *a = fl_arena_new();
    fl_diags diags;
    size_t nestates;
    fl_status status = FL_OK;
    fl_diags_init(&diags, a);
    fc_check(a, paths, n, opt, &diags, &status, &nestates);
    if (made && status != FL_USAGE)
        status = fl_status_worse(status, cli_fix(a, &diags, paths, n, made));
    if (status != FL_USAGE && !(made && *made))
        status = fl_status_worse(status, cli_report(&diags, format));
    fl_arena_free(a);
    return status;
}

/* An edit can make another one possible, and no edit unmakes one: it ends. */
static fl_status check_and_fix(const char *const *paths, size_t n, const fc_options *opt, int format)
{
    enum { MOST = 16 };
    size_t made = 1;
    fl_status status = FL_OK;
    for (int i = 0; i < MOST && made && status == FL_OK; i++)
        status = check(paths, n, opt, format, &made);
    return made && status == FL_OK ? check(paths, n, opt, format, NULL) : status;
}

int cli_check(int argc, char **argv)
{
    const char *today = NULL, *words = NULL;
    fc_options opt = {.checks_only = true};
    int format = CLI_TEXT_FORMAT;
    bool fix = false;
    const cli_opt opts[] = {
        {"env", 0, CLI_TEXT, NULL, "NAME", "the environment", &opt.environment},
        {"previous", 0, CLI_TEXT, NULL, "DIR", "the build that is in use: what would break its records is reported",
         &opt.previous},
        {"today", 0, CLI_TEXT, NULL, "DATE", "the day on which `until` is judged; today in UTC", &today},
        CLI_PERSONAL_WORDS(&words),
        {"format", 0, CLI_ENUM, cli_check_formats, NULL, "how to report", &format},
        {"fix", 0, CLI_FLAG, NULL, NULL, "make the edits that cannot change what is encrypted, then check again", &fix},
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
    if (fix && opt.environment)
        return cli_usage(&cmd, "--fix looks at all environments: leave --env out");
    for (size_t i = 0; fix && i < args.n; i++)
        if (!strcmp(args.v[i], "-"))
            return cli_usage(&cmd, "--fix changes files, and `-` is none");
    if (!cli_today(today, &opt.today))
        return FL_USAGE;
    fl_arena *a = fl_arena_new();
    if (cli_personal_words(a, words, &opt.personal_words, &status) &&
        cli_policy_paths(a, args.v, args.n, &paths, &n, &status))
        status = fix ? check_and_fix(paths, n, &opt, format) : check(paths, n, &opt, format, NULL);
    fl_arena_free(a);
    return cli_finish(status);
}
