/* explain.c: flec explain CHECK: the page of a check; without one, the list. */
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/pages.h"
#include "cli/verbs.h"
#include "compiler/check/check.h"

static int list_checks(void)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n; i++)
        printf("%-24s %-8s %s\n", rows[i].name, rows[i].severity == FL_ERROR ? "error" : "warning", rows[i].doc);
    return FL_OK;
}

static int unknown(const cli_command *cmd, const char *name)
{
    const char *names[128];
    size_t n;
    const chk_row *rows = chk_rows(&n);
    for (size_t i = 0; i < n && i < 128; i++)
        names[i] = rows[i].name;
    const char *near = fl_nearest(name, names, n);
    if (near)
        return cli_usage(cmd, "there is no check `%s`; did you mean `%s`?", name, near);
    return cli_usage(cmd, "there is no check `%s`; `flec explain` lists them", name);
}

int cli_explain(int argc, char **argv)
{
    const cli_opt opts[] = {{0}};
    const cli_command cmd = {"explain", "[CHECK]", "prints what a check means and what to do; without one, lists them",
                             opts,      0,         1};
    cli_args args;
    int done = cli_parse(&cmd, argc, argv, &args);
    if (done >= 0)
        return done;
    if (!args.n)
        return cli_finish(list_checks());
    for (size_t i = 0; i < cli_npages; i++)
        if (!strcmp(cli_pages[i].name, args.v[0])) {
            fputs(cli_pages[i].text, stdout);
            return cli_finish(FL_OK);
        }
    return unknown(&cmd, args.v[0]);
}
