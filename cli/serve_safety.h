/* serve_safety.h: `flec serve`: certificates, users, role bindings; hashing a password for the users file. */
#ifndef FLEC_CLI_SERVE_SAFETY_H
#define FLEC_CLI_SERVE_SAFETY_H

#include "base/status.h"
#include "runtime/rest/server.h"

/* The options; NULL: not given. */
typedef struct cli_safety_options {
    const char *cert, *key, *client_ca, *users, *bindings;
    const char *build; /* its role bindings count where there are users */
    bool anybody;
} cli_safety_options;

typedef struct cli_safety {
    rt_tls *tls;
    rt_users *users;
    rt_roles *roles;
} cli_safety;

/* NULL, or what is wrong with the options together. */
const char *cli_safety_wrong(const cli_safety_options *o);
/* Reads the files. s is to be closed whatever came of it. */
rt_code cli_safety_open(cli_safety *s, const cli_safety_options *o, rt_error *err);
void cli_safety_close(cli_safety *s);

/* `--hash-password NAME`: reads a password from the terminal, or a line of standard input, and prints the line for the
 * users file. */
fl_status cli_hash_password(const char *name);

#endif
