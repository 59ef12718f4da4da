/* verbs.h: the commands, one small file each. argv[0] is the command's name; the result is the exit status. Each calls
 * cli_parse before anything else, so that its tables can be asked for (opt.h, cli_visit). */
#ifndef FLEC_CLI_VERBS_H
#define FLEC_CLI_VERBS_H

#include <stddef.h>

typedef struct cli_verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} cli_verb;
extern const cli_verb cli_verbs[]; /* in the order of the help; the last has no name */
size_t cli_nverbs(void);

int cli_build(int argc, char **argv);
int cli_catalog(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_completion(int argc, char **argv);
int cli_decrypt(int argc, char **argv);
int cli_encrypt(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_fmt(int argc, char **argv);
int cli_registry(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_test(int argc, char **argv);

#endif
