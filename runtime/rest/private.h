/* private.h: files that must not be everybody's. */
#ifndef FLEC_RUNTIME_REST_PRIVATE_H
#define FLEC_RUNTIME_REST_PRIVATE_H

#include "runtime/error.h"

/* A regular file of at most max bytes into the heap for secrets, with a NUL that is not counted. RT_IO: it cannot be
 * read, or others than its owner and group may read it, or others than its owner may write it. */
rt_code rt_read_private(const char *path, size_t max, fl_secret *out, rt_error *err);

#endif
