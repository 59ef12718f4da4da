/* sides.h: what `flec encrypt` and `flec decrypt` share: the plan, the registry, the keys, a codec for key and value of
 * a topic. */
#ifndef FLEC_CLI_SIDES_H
#define FLEC_CLI_SIDES_H

#include "cli/opt.h"
#include "runtime/config.h"
#include "runtime/records.h"

typedef struct cli_sides_options {
    bool decrypt;
    const char *plan, *topic, *registry, *config;
    bool key; /* json, hex and raw carry the record's key */
    int from, to, bytes;
    int on_error;
    int crypto;  /* as rt_crypto */
    int framing; /* encrypt: CLI_ID, CLI_GUID */
    int schema;  /* decrypt: CLI_WRITTEN, CLI_LATEST */
} cli_sides_options;

enum { CLI_STOP, CLI_SKIP };
enum { CLI_ID, CLI_GUID };
enum { CLI_WRITTEN, CLI_LATEST };

/* Runs the whole command on standard input and output, options checked already but for what only the plan knows. */
fl_status cli_transcode(const cli_command *cmd, const cli_sides_options *o);

extern const char *const cli_bytes_modes[], *const cli_error_modes[], *const cli_framings[];

#endif
