/* opt_test.c: command lines held against an option table: spellings, operands, what is refused and how it is said. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/opt.h"

static bool diff;
static const char *output;
static int format, jobs;

static const cli_opt opts[] = {
    {"diff", 'd', CLI_FLAG, NULL, NULL, "show the difference", &diff},
    {"output", 'o', CLI_TEXT, NULL, "DIR", "where to", &output},
    {"format", 0, CLI_ENUM, cli_formats, NULL, "how to report", &format},
    {"jobs", 'j', CLI_INT, NULL, NULL, "how many", &jobs},
    {0},
};
static const cli_command cmd = {"try", "PATH [PATH]", "tries a command line", opts, 1, 2};

static cli_args args;
static char said[4096]; /* what the last run wrote to the watched descriptor */

static int fresh(void **state)
{
    diff = false;
    output = NULL;
    format = jobs = -1;
    return 0;
}

/* Parses the words and keeps what is written to fd meanwhile. */
static int parse(int fd, const char *const *words)
{
    char *argv[16];
    int argc = 0;
    for (; argc < 15 && words[argc]; argc++)
        argv[argc] = (char *)words[argc]; /* cli_parse writes into no word */
    argv[argc] = NULL;
    fflush(NULL);
    FILE *caught = tmpfile();
    int kept = dup(fd);
    assert_non_null(caught);
    assert_int_equal(dup2(fileno(caught), fd), fd);
    int status = cli_parse(&cmd, argc, argv, &args);
    fflush(NULL);
    assert_int_equal(dup2(kept, fd), fd);
    close(kept);
    rewind(caught);
    said[fread(said, 1, sizeof said - 1, caught)] = '\0';
    fclose(caught);
    return status;
}
#define PARSE(...) parse(STDERR_FILENO, (const char *const[]){"try", __VA_ARGS__, NULL})

static void refused(int status, const char *why)
{
    char want[512];
    snprintf(want, sizeof want,
             "flec try: %s\nusage: flec try [OPTION...] PATH [PATH]    (flec try --help shows the options)\n", why);
    assert_int_equal(status, 2);
    assert_string_equal(said, want);
}

static void spellings(void **state)
{
    assert_int_equal(PARSE("--diff", "--output", "dir", "--format", "json", "--jobs", "3", "a"), -1);
    assert_true(diff);
    assert_string_equal(output, "dir");
    assert_int_equal(format, CLI_JSON_FORMAT);
    assert_int_equal(jobs, 3);
    assert_int_equal(PARSE("--output=x=y", "--format=text", "-j12", "a"), -1);
    assert_string_equal(output, "x=y");
    assert_int_equal(format, CLI_TEXT_FORMAT);
    assert_int_equal(jobs, 12);
    assert_int_equal(PARSE("-o", "one", "-otwo", "-j", "0", "a"), -1);
    assert_string_equal(output, "two"); /* the last one counts */
    assert_int_equal(jobs, 0);
    assert_string_equal(said, "");
}

/* A value may look like an option, and may be empty. */
static void values_are_not_options(void **state)
{
    assert_int_equal(PARSE("-o", "--diff", "a"), -1);
    assert_string_equal(output, "--diff");
    assert_false(diff);
    assert_int_equal(PARSE("--output=", "a"), -1);
    assert_string_equal(output, "");
}

static void operands_anywhere(void **state)
{
    assert_int_equal(PARSE("a", "--diff", "b"), -1);
    assert_int_equal(args.n, 2);
    assert_string_equal(args.v[0], "a");
    assert_string_equal(args.v[1], "b");
    assert_null(args.v[2]);
    assert_int_equal(PARSE("-"), -1); /* standard input */
    assert_string_equal(args.v[0], "-");
    diff = false;
    assert_int_equal(PARSE("--", "--diff", "-x"), -1);
    assert_int_equal(args.n, 2);
    assert_string_equal(args.v[0], "--diff");
    assert_false(diff);
}

static void how_many_operands(void **state)
{
    refused(PARSE("--diff"), "what shall it work on?");
    refused(PARSE("a", "b", "c"), "`c` is one operand too many");
}

static void unknown_options(void **state)
{
    refused(PARSE("--fromat", "json", "a"), "there is no option `--fromat`; did you mean `--format`?");
    refused(PARSE("--fromat=json", "a"), "there is no option `--fromat`; did you mean `--format`?");
    refused(PARSE("--colour", "never", "a"), "there is no option `--colour`; did you mean `--color`?");
    refused(PARSE("--everything", "a"), "there is no option `--everything`");
    refused(PARSE("-x", "a"), "there is no option `-x`");
    refused(PARSE("--form", "json", "a"), "there is no option `--form`"); /* no short cuts */
    refused(PARSE("--\x1b[31m", "a"), "there is no option `--\xef\xbf\xbd[31m`");
}

static void bad_values(void **state)
{
    refused(PARSE("a", "--output"), "--output needs a value");
    refused(PARSE("a", "-o"), "--output needs a value");
    refused(PARSE("a", "--diff=yes"), "--diff takes no value");
    refused(PARSE("a", "--format", "xml"), "--format takes one of text, json, not `xml`");
    refused(PARSE("a", "--format", "JSON"), "--format takes one of text, json, not `JSON`");
    static const char *const bad[] = {"", "x", "3x", "-1", "1.5", "2147483648", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[128];
        snprintf(why, sizeof why, "--jobs takes a whole number, not `%s`", bad[i]);
        refused(PARSE("a", "--jobs", bad[i]), why);
        assert_int_equal(jobs, -1);
    }
    assert_int_equal(PARSE("a", "--jobs", "2147483647"), -1);
    assert_int_equal(jobs, 2147483647);
}

/* What cli_color says while fd is standard error. */
static bool color_with(int fd)
{
    int kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    bool answer = cli_color(true);
    dup2(kept, STDERR_FILENO);
    close(kept);
    return answer;
}

static bool color_on_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    bool answer = color_with(terminal);
    close(terminal);
    close(master);
    return answer;
}

static void no_colours_elsewhere(void **state)
{
    assert_int_equal(PARSE("--color", "auto", "a"), -1);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    int fd = open("/dev/null", O_WRONLY);
    assert_true(fd >= 0);
    assert_false(color_with(fd));
    close(fd);
}

/* An empty NO_COLOR counts as none (no-color.org). */
static void colours_of_terminals(void **state)
{
    assert_int_equal(PARSE("--color", "auto", "a"), -1);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    assert_true(color_on_terminal());
    assert_int_equal(setenv("NO_COLOR", "", 1), 0);
    assert_true(color_on_terminal());
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_false(color_on_terminal());
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    assert_int_equal(PARSE("--color", "never", "a"), -1);
    assert_false(color_on_terminal());
}

/* The command line before NO_COLOR. */
static void colours(void **state)
{
    assert_int_equal(PARSE("--color", "always", "a"), -1);
    assert_true(cli_color(false));
    assert_true(cli_color(true));
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_true(cli_color(true)); /* asked for on the command line */
    assert_int_equal(PARSE("--color=never", "a"), -1);
    assert_false(cli_color(false));
    assert_false(cli_color(true));
    refused(PARSE("--color", "sometimes", "a"), "--color takes one of auto, always, never, not `sometimes`");
}

/* The last one: --help stays set for the rest of a program. It wins over missing operands. */
static void help_from_the_table(void **state)
{
    assert_int_equal(parse(STDOUT_FILENO, (const char *const[]){"try", "-h", NULL}), 0);
    assert_memory_equal(said, "usage: flec try [OPTION...] PATH [PATH]\n\nflec try tries a command line.\n\n", 73);
    assert_non_null(strstr(said, "  -d, --diff "));
    assert_non_null(strstr(said, "  -o, --output DIR "));
    assert_non_null(strstr(said, "how to report: text|json\n"));
    assert_non_null(strstr(said, "  -j, --jobs N "));
    assert_non_null(strstr(said, "  -h, --help "));
    assert_non_null(strstr(said, "--log-level "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(spellings, fresh),
        cmocka_unit_test_setup(values_are_not_options, fresh),
        cmocka_unit_test_setup(operands_anywhere, fresh),
        cmocka_unit_test_setup(how_many_operands, fresh),
        cmocka_unit_test_setup(unknown_options, fresh),
        cmocka_unit_test_setup(bad_values, fresh),
        cmocka_unit_test_setup(colours, fresh),
        cmocka_unit_test_setup(colours_of_terminals, fresh),
        cmocka_unit_test_setup(no_colours_elsewhere, fresh),
        cmocka_unit_test_setup(help_from_the_table, fresh),
    };
    return cmocka_run_group_tests_name("cli/opt", tests, NULL, NULL);
}
