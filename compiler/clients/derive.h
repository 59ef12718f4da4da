/* derive.h: constructs.json out of cases.json. */
#ifndef FLEC_CLIENTS_DERIVE_H
#define FLEC_CLIENTS_DERIVE_H

#include "base/base.h"

/* The text of constructs.json; false and a message if a case cannot be read. */
bool cl_derive(fl_arena *a, const char *cases, size_t len, fl_buf *out, char message[512]);

#endif
