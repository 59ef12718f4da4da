/* version.h: what this program is made of. */
#ifndef FLEC_CLI_VERSION_H
#define FLEC_CLI_VERSION_H

void cli_print_version(void); /* `flec 0.1.0 (commit)`, then the libraries */

#endif
