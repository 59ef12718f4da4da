/* seals.h: how often each GCM key encrypted. Random IVs of 96 bits may meet beyond 2^32 seals under one key (NIST SP
 * 800-38D 8.3; derivation: docs/threat-model.md), so seals are counted a key, not a context: all contexts of the
 * process share one count, whichever client, codec or thread has them.
 *
 * With a file the count outlives the process, and processes that name the same file share it: seals are reserved in the
 * file before they are used, and what was not used is given back when the process ends in order. A process that is
 * killed loses what it had reserved: a key is then thought older than it is, never younger. A child made by fork() has
 * no file: what is reserved is its parent's; it may name one, the same or another. What other writers seal (the
 * vendor's clients, processes with another file) nobody counts here: that is what rotation by days is for. */
#ifndef FLEC_RUNTIME_SEALS_H
#define FLEC_RUNTIME_SEALS_H

#include "runtime/error.h"

#define RT_SEALS_WARN ((uint64_t)1 << 31) /* said once a key */
#define RT_SEALS_MAX  ((uint64_t)1 << 32) /* no more */
#define RT_SEALS_ROTATE                                                                                                \
    (RT_SEALS_MAX - ((uint64_t)1 << 27)) /* from here a rotating key is replaced: the largest record                   \
                                            has 2^26 fields, so none runs into the end */
#define RT_SEALS_ID 33                   /* 32 hex digits and a NUL: SHA-256 of a purpose and the key, cut */

/* The name under which a raw key is counted. It tells nothing of a random key. */
void rt_seals_id(const void *raw, size_t n, char out[RT_SEALS_ID]);

/* The count of a key, shared by who asks under one id; good as long as the process. kept: it goes into the file, as
 * those of data keys do. A key that is made of a password has no business there: its id would be something to try
 * passwords on. */
typedef struct rt_seals rt_seals;
rt_seals *rt_seals_of(const char *id, bool kept);
/* Takes up to n seals; 0: there is none left, or the file cannot be written (said in the log). what: for the warning,
 * "KEK k, subject s, version 2", or NULL. */
uint32_t rt_seals_take(rt_seals *s, uint32_t n, const char *what);
void rt_seals_return(rt_seals *s, uint32_t n);
uint64_t rt_seals_count(const rt_seals *s); /* those that were taken and not returned; with a file: all who share it,
                                               as last seen */

/* Counts in this file from now on, for the whole process; made if absent, for its user alone. RT_IO: it cannot be
 * opened, or is no such file. */
rt_code rt_seals_keep(const char *path, rt_error *err);
/* From now on fork() is noticed; rt_seals_keep sees to it. For who has locks of its own around that call, which fork()
 * must take before those here: their handlers come after this. */
void rt_seals_forks(void);
/* Gives back what is reserved and closes the file: when the process ends, and its contexts are freed. */
void rt_seals_close(void);

#endif
