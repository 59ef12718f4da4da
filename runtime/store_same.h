/* store_same.h: when two schema versions are the same. */
#ifndef FLEC_RUNTIME_STORE_SAME_H
#define FLEC_RUNTIME_STORE_SAME_H

#include "runtime/store.h"

/* SHA-256 in hex over everything that makes two versions the same: type, text, references, metadata, rules. */
char *rt_store_identity(fl_arena *a, const rt_subject *s);

#endif
