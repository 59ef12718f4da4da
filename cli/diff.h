/* diff.h: two texts as a unified diff. */
#ifndef FLEC_CLI_DIFF_H
#define FLEC_CLI_DIFF_H

#include "base/base.h"

/* Appends `--- NAME`, `+++ NAME` and hunks with three lines of context; nothing if the texts are equal. Where the part
 * that differs is too large for an exact comparison (4 million pairs of lines) it is shown as removed and added whole.
 */
void cli_diff(fl_arena *a, const char *name, const char *from, size_t nfrom, const char *to, size_t nto, fl_buf *out);

#endif
