/* opt.h: command lines. One table of options a command gives parsing, `--help`, completion and the manual.
 *
 *     const char *out = NULL;
 *     int format = 0;
 *     const cli_opt opts[] = {
 *         {"output", 'o', CLI_TEXT, NULL, "DIR", "where the artefacts go", &out},
 *         {"format", 0, CLI_ENUM, cli_formats, NULL, "how to report", &format},
 *         {0},
 *     };
 *     const cli_command cmd = {"build", "PATH... -o DIR", "checks, then writes the artefacts", opts, 1, SIZE_MAX};
 *     cli_args args;
 *     int status = cli_parse(&cmd, argc, argv, &args);
 *     if (status >= 0) return status;
 *
 * Options may stand anywhere, as `--name VALUE`, `--name=VALUE`, `-o VALUE`, `-oVALUE`; `--` ends them; `-` is an
 * operand. Every command also takes
 * --help, --color, --log-level and --log-format. A wrong option is reported with the nearest right one; status 2. */
#ifndef FLEC_CLI_OPT_H
#define FLEC_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CLI_FLAG, /* to: bool */
    CLI_TEXT, /* to: const char * */
    CLI_ENUM, /* to: int, the number of the value in `values` */
    CLI_INT,  /* to: int, 0 or more */
    CLI_LIST  /* to: cli_args; may be given more than once */
} cli_kind;

typedef struct cli_opt {
    const char *name;
    char letter; /* or 0 */
    cli_kind kind;
    const char *const *values; /* ENUM; ended by NULL */
    const char *arg;           /* name of the value in the help; NULL: from the kind */
    const char *help;
    void *to;
} cli_opt;

typedef struct cli_command {
    const char *name;
    const char *operands; /* as the usage line shows them, options that are always given included */
    const char *help;     /* one sentence */
    const cli_opt *opts;  /* ended by an entry without a name */
    size_t min, max;      /* how many operands */
} cli_command;

typedef struct cli_args {
    const char **v;
    size_t n;
} cli_args;

/* argv[0] is the command's name. Returns -1 when the command shall run, else the exit status: 0 after --help, 2 after
 * wrong usage (reported). args->v lasts as long as the program. */
int cli_parse(const cli_command *cmd, int argc, char **argv, cli_args *args);
/* From here on cli_parse runs no command but hands its tables to fn: for the manual and completion, which are made of
 * them. NULL: as before. */
typedef void cli_visitor(const cli_command *cmd, const cli_opt *common, void *ctx);
void cli_visit(cli_visitor *fn, void *ctx);
/* What stands for an option's value in texts: "" for a flag. */
const char *cli_value_name(const cli_opt *o);
/* Reports wrong usage that the table cannot know, and returns 2. */
int cli_usage(const cli_command *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

extern const char *const cli_formats[];       /* text, json */
extern const char *const cli_check_formats[]; /* these, sarif, github */
enum { CLI_TEXT_FORMAT, CLI_JSON_FORMAT, CLI_SARIF_FORMAT, CLI_GITHUB_FORMAT };

/* Is standard output (err: standard error) to be coloured? By --color, NO_COLOR, and whether it is a terminal. */
bool cli_color(bool err);

#endif
