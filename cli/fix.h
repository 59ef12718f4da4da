/* fix.h: the edits of diagnostics, made in the files. */
#ifndef FLEC_CLI_FIX_H
#define FLEC_CLI_FIX_H

#include "base/base.h"

/* Makes the edits of the diagnostics that are safe (fl_diag_is_safe) and whose files are all among paths: of a
 * diagnostic all or none, of a file all or none; edits that overlap earlier ones are left for the next time. Line ends
 * and a byte-order mark of a file stay as they are. Says on standard error what was mended. *made: how many
 * diagnostics. FL_COULD_NOT_RUN if a file could not be written or is no longer what was read (logged). */
fl_status cli_fix(fl_arena *a, fl_diags *ds, const char *const *paths, size_t n, size_t *made);

#endif
