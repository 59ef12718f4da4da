/* walk.h: runs a field program over an encoded datum. Everything a record needs is in the walk and is used again:
 * nothing is allocated a record once buffers have grown to the size of the records. */
#ifndef FLEC_RUNTIME_WALK_H
#define FLEC_RUNTIME_WALK_H

#include "runtime/program.h"

/* Limits of one record. */
#define RT_MAX_RECORD      (64u << 20) /* bytes, either side */
#define RT_MAX_NESTING     1000        /* arrays, maps and recursive records open at once */
#define RT_MAX_EMPTY_ITEMS 1000000     /* items that take no bytes, in all */

typedef struct rt_walk rt_walk;
rt_walk *rt_walk_new(rt_keys *keys); /* keys: not owned */
void rt_walk_free(rt_walk *w);

/* Appends the record to out. On any error out is what it was before, and no plaintext stays behind its end.
 * RT_BAD_INPUT: in is not one datum of the program's schema; RT_TAMPERED, RT_NO_KEY, …: a rule failed. A failed rule
 * whose failures pass leaves all of its fields as they are. */
rt_code rt_walk_run(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, fl_buf *out, rt_error *err);

#endif
