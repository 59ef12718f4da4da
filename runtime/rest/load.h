/* load.h: a build directory's schemas, rules and keys brought into the embedded registry (docs/build-directory.md). */
#ifndef FLEC_RUNTIME_REST_LOAD_H
#define FLEC_RUNTIME_REST_LOAD_H

#include "runtime/rest/rest.h"

typedef struct rt_loaded {
    size_t keks, subjects;
} rt_loaded;

/* In MANIFEST's order, through the same calls that deployment makes. What is there already and equal stays; a KEK of
 * the same name with another key id, or a schema that is refused, ends it: RT_CONFLICT, RT_BAD_INPUT, with the file. */
rt_code rt_rest_load(rt_store *st, const char *dir, rt_loaded *out, rt_error *err);

#endif
