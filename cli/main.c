/* main.c: the program: finds the command and runs it. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "cli/version.h"

/* Named by the contract of the command line, and not there yet: said so, rather than called unknown. */
static const char *const to_come[] = {"plan", "apply", "verify", "run", "keys", "import", "graph", "init", "lsp"};

static int usage(FILE *out, int status)
{
    fputs("flec: policies for client-side field level encryption on Kafka, compiled, tested, executed\n\n"
          "usage: flec COMMAND [OPTION...] ...\n\n",
          out);
    for (const cli_verb *v = cli_verbs; v->name; v++)
        fprintf(out, "  %-10s %s\n", v->name, v->help);
    fputs("\nflec COMMAND --help shows the options; flec --version the versions.\n", out);
    return (int)cli_finish((fl_status)status);
}

static int no_such_verb(const char *name)
{
    const char *names[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof to_come / sizeof *to_come; i++)
        if (!strcmp(name, to_come[i])) {
            fprintf(stderr, "flec: `%s` is not in this version\n", name);
            return FL_USAGE;
        }
    for (const cli_verb *v = cli_verbs; v->name && n < sizeof names / sizeof *names; v++)
        names[n++] = v->name;
    const char *near = fl_nearest(name, names, n);
    fprintf(stderr, "flec: there is no command `%s`%s%s%s\n", name, near ? "; did you mean `" : "", near ? near : "",
            near ? "`?" : "");
    return FL_USAGE;
}

static int run(int argc, char **argv)
{
    for (const cli_verb *v = cli_verbs; v->name; v++)
        if (!strcmp(argv[0], v->name))
            return v->run(argc, argv);
    return no_such_verb(argv[0]);
}

static int help(int argc, char **argv)
{
    char flag[] = "--help";
    char *forward[] = {argc > 1 ? argv[1] : NULL, flag, NULL};
    return argc > 1 && strcmp(argv[1], "help") ? run(2, forward) : usage(stdout, FL_OK);
}

/* The next file that is opened would take the place of a standard stream that is closed, and get the records that were
 * meant for it. What stands there instead can be neither read nor written. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH) != fd)
            abort();
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    setlocale(LC_ALL, "C");
    setenv("TZ", "UTC", 1);
    tzset();
    if (!fl_secret_setup())
        fl_log(FL_LOG_WARN, "memory for keys could not be locked (ulimit -l is too small): keys may reach swap");
    if (argc < 2)
        return usage(stderr, FL_USAGE);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        cli_print_version();
        return (int)cli_finish(FL_OK);
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help(argc - 1, argv + 1);
    return run(argc - 1, argv + 1);
}
