/* opt.c: parses command lines by their tables. */
#include "cli/opt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "cli/io.h"

const char *const cli_formats[] = {"text", "json", NULL};
const char *const cli_check_formats[] = {"text", "json", "sarif", "github", NULL};

/* ---- options that every command has ---- */

static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static int color, level = FL_LOG_WARN, log_format;
static bool help;

static const cli_opt common[] = {
    {"help", 'h', CLI_FLAG, NULL, NULL, "show this", &help},
    {"color", 0, CLI_ENUM, colors, NULL, "colour reports (auto: on a terminal, unless NO_COLOR is set)", &color},
    {"log-level", 0, CLI_ENUM, levels, NULL, "what is logged to standard error (warn)", &level},
    {"log-format", 0, CLI_ENUM, cli_formats, NULL, "how it is logged", &log_format},
    {0},
};

bool cli_color(bool err)
{
    const char *no = getenv("NO_COLOR");
    if (color)
        return color == 1;
    return !(no && *no) && isatty(err ? STDERR_FILENO : STDOUT_FILENO);
}

/* ---- help ---- */

static void print_values(const cli_opt *o)
{
    for (size_t i = 0; o->values[i]; i++)
        printf("%s%s", i ? "|" : "", o->values[i]);
}

const char *cli_value_name(const cli_opt *o)
{
    switch (o->kind) {
    case CLI_TEXT:
    case CLI_LIST:
        return o->arg ? o->arg : "TEXT";
    case CLI_INT:
        return "N";
    default:
        return "";
    }
}

static void print_opts(const cli_opt *o)
{
    for (; o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? "," : " ", o->name, o->kind == CLI_FLAG || o->kind == CLI_ENUM ? "" : " ",
                 cli_value_name(o));
        printf("  %-28s %s", left, o->help);
        if (o->kind == CLI_ENUM) {
            fputs(": ", stdout);
            print_values(o);
        }
        putchar('\n');
    }
}

static int print_help(const cli_command *cmd)
{
    printf("usage: flec %s [OPTION...] %s\n\nflec %s %s.\n\n", cmd->name, cmd->operands, cmd->name, cmd->help);
    print_opts(cmd->opts);
    print_opts(common);
    return (int)cli_finish(FL_OK);
}

int cli_usage(const cli_command *cmd, const char *fmt, ...)
{
    va_list ap;
    fl_arena *a = fl_arena_new();
    fl_buf shown; /* a name that is near may come from a plan: no control character of it reaches a terminal */
    va_start(ap, fmt);
    const char *why = fl_vprintf(a, fmt, ap);
    va_end(ap);
    fl_buf_init(&shown, 4 * strlen(why) + 16);
    fl_buf_add_shown(&shown, why, strlen(why));
    fprintf(stderr, "flec %s: %s", cmd->name, shown.p);
    fl_buf_free(&shown);
    fl_arena_free(a);
    fprintf(stderr, "\nusage: flec %s [OPTION...] %s    (flec %s --help shows the options)\n", cmd->name, cmd->operands,
            cmd->name);
    return FL_USAGE;
}

/* ---- tables for others ---- */

static cli_visitor *visitor;
static void *visitor_ctx;

void cli_visit(cli_visitor *fn, void *ctx)
{
    visitor = fn;
    visitor_ctx = ctx;
}

/* ---- finding ---- */

static const cli_opt *find_in(const cli_opt *o, const char *name, size_t n, char letter)
{
    for (; o->name; o++)
        if (letter ? o->letter == letter : strlen(o->name) == n && !memcmp(o->name, name, n))
            return o;
    return NULL;
}

static const cli_opt *find(const cli_command *cmd, const char *name, size_t n, char letter)
{
    const cli_opt *o = find_in(cmd->opts, name, n, letter);
    return o ? o : find_in(common, name, n, letter);
}

static int unknown(const cli_command *cmd, const char *arg, size_t n)
{
    const char *names[64];
    size_t count = 0;
    char word[64];
    for (const cli_opt *o = cmd->opts; o->name && count < 60; o++)
        names[count++] = o->name;
    for (const cli_opt *o = common; o->name; o++)
        names[count++] = o->name;
    snprintf(word, sizeof word, "%.*s", (int)(n > 2 ? n - 2 : 0), n > 2 ? arg + 2 : "");
    const char *near = fl_nearest(word, names, count);
    if (near && arg[1] == '-')
        return cli_usage(cmd, "there is no option `%.*s`; did you mean `--%s`?", (int)n, arg, near);
    return cli_usage(cmd, "there is no option `%.*s`", (int)n, arg);
}

/* ---- storing ---- */

static int bad_value(const cli_command *cmd, const cli_opt *o, const char *value)
{
    char all[256] = "";
    for (size_t i = 0, n = 0; o->kind == CLI_ENUM && o->values[i] && n < sizeof all; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", o->values[i]);
    return cli_usage(cmd, "--%s takes %s%s, not `%s`", o->name, o->kind == CLI_INT ? "a whole number" : "one of ", all,
                     value);
}

/* Lists are few and short, and last as long as the program. */
static void append(cli_args *list, const char *value)
{
    static fl_arena *kept;
    if (!kept)
        kept = fl_arena_new();
    const char **v = FL_NEW_N(kept, const char *, list->n + 1);
    if (list->n)
        memcpy(v, list->v, list->n * sizeof *v);
    v[list->n++] = value;
    list->v = v;
}

/* -1, or a status */
static int store(const cli_command *cmd, const cli_opt *o, const char *value)
{
    char *end;
    switch (o->kind) {
    case CLI_FLAG:
        *(bool *)o->to = true;
        return -1;
    case CLI_TEXT:
        *(const char **)o->to = value;
        return -1;
    case CLI_LIST:
        append(o->to, value);
        return -1;
    case CLI_INT:
        errno = 0;
        long n = strtol(value, &end, 10);
        if (errno || *end || end == value || n < 0 || n > INT_MAX)
            return bad_value(cmd, o, value);
        *(int *)o->to = (int)n;
        return -1;
    case CLI_ENUM:
        for (int i = 0; o->values[i]; i++)
            if (!strcmp(o->values[i], value)) {
                *(int *)o->to = i;
                return -1;
            }
        return bad_value(cmd, o, value);
    }
    return -1;
}

/* One option at argv[*i]; *i moves on over a value of its own word. */
static int one(const cli_command *cmd, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value = NULL;
    bool is_long = arg[1] == '-';
    size_t n = is_long ? strcspn(arg, "=") : 2;
    const cli_opt *o = is_long ? find(cmd, arg + 2, n - 2, 0) : find(cmd, NULL, 0, arg[1]);
    if (!o)
        return unknown(cmd, arg, n);
    if (is_long && arg[n] == '=')
        value = arg + n + 1;
    else if (!is_long && arg[2])
        value = arg + 2;
    if (o->kind == CLI_FLAG && value)
        return cli_usage(cmd, "--%s takes no value", o->name);
    if (o->kind != CLI_FLAG && !value) {
        if (*i + 1 >= argc)
            return cli_usage(cmd, "--%s needs a value", o->name);
        value = argv[++*i];
    }
    return store(cmd, o, value);
}

int cli_parse(const cli_command *cmd, int argc, char **argv, cli_args *args)
{
    static const char **kept; /* lasts as long as the program, and is reachable as long */
    bool ended = false;
    if (visitor) {
        visitor(cmd, common, visitor_ctx);
        return FL_OK;
    }
    free(kept);
    args->v = kept = fl_xcalloc((size_t)argc + 1, sizeof *args->v);
    args->n = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (ended || arg[0] != '-' || !arg[1]) {
            args->v[args->n++] = arg;
        } else if (!strcmp(arg, "--")) {
            ended = true;
        } else {
            int status = one(cmd, argc, argv, &i);
            if (status >= 0)
                return status;
        }
    }
    fl_log_setup((fl_log_level)level, log_format == CLI_JSON_FORMAT);
    if (help)
        return print_help(cmd);
    if (args->n < cmd->min)
        return cli_usage(cmd, args->n ? "too few operands" : "what shall it work on?");
    if (args->n > cmd->max)
        return cli_usage(cmd, "`%s` is one operand too many", args->v[cmd->max]);
    return -1;
}
