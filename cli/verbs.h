/* verbs.h: the commands, one small file each. argv[0] is the command's name; the result is the exit status. */
#ifndef FLEC_CLI_VERBS_H
#define FLEC_CLI_VERBS_H

int cli_build(int argc, char **argv);
int cli_catalog(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_decrypt(int argc, char **argv);
int cli_encrypt(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_fmt(int argc, char **argv);
int cli_test(int argc, char **argv);

#endif
