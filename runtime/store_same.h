/* store_same.h: when two schema versions are the same, and the property `confluent:version` of their metadata: the
 * number of the version, kept up by the registry where it is asked for, and not counted where it is not. */
#ifndef FLEC_RUNTIME_STORE_SAME_H
#define FLEC_RUNTIME_STORE_SAME_H

#include "runtime/store.h"

/* SHA-256 in hex over everything that makes two versions the same: type, text, references, metadata, rules. */
char *rt_store_identity(fl_arena *a, const rt_subject *s);

/* The number that the metadata (JSON, or NULL) says; NULL: none. */
const char *rt_store_mark_of(fl_arena *a, const char *metadata);
/* The metadata with that number in it. */
const char *rt_store_mark(fl_arena *a, const char *metadata, int version);
/* The newest version of the subject that is s but for the number: `asked` is the one that the request says, and is then
 * that of the version; NULL: it says none. */
const rt_version *rt_store_same_marked(const rt_store *st, fl_arena *a, const rt_subject *s, const char *asked,
                                       bool deleted);

#endif
