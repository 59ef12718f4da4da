/* page.h: docs/clients.md out of the table. */
#ifndef FLEC_CLIENTS_PAGE_H
#define FLEC_CLIENTS_PAGE_H

#include "base/base.h"

void cl_page(fl_arena *a, fl_buf *out);

#endif
