/* stop.h: signals that end a run: what is in flight is finished or given up, then the program dies by the signal. */
#ifndef FLEC_CLI_STOP_H
#define FLEC_CLI_STOP_H

#include "runtime/stream.h"

/* From now on SIGINT, SIGTERM and SIGHUP (those that are not ignored) are noted, once; a second one kills at once. */
const rt_stop *cli_stop_watch(void);
/* Dies by the signal, if one came. Everything is closed and cleaned up by then. */
void cli_stop_die(void);

#endif
