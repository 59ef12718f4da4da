/* key_refresh.h: one thread that asks registry and KMS again for a key that is in use, while records go on under the
 * one that is there. One question at a time: who finds it busy asks later. The thread lives as long as its question: a
 * process with many clients has none that wait. */
#ifndef FLEC_RUNTIME_KEY_REFRESH_H
#define FLEC_RUNTIME_KEY_REFRESH_H

#include "runtime/key_find.h"

typedef struct rt_refresh rt_refresh;

/* opt must outlive it; its registry must take calls from several threads (rt_registry.threads). */
rt_refresh *rt_refresh_new(const rt_keys_options *opt);
void rt_refresh_free(rt_refresh *r); /* waits for the question that is under way */

/* Hands a question over; want->spec and `of` must stay until it is answered. false: it is busy. */
bool rt_refresh_ask(rt_refresh *r, const rt_key_want *want, void *of);
/* Is there an answer? Then all of the rest is set, and the thread is free again. Costs a look at a flag. */
bool rt_refresh_answer(rt_refresh *r, void **of, rt_key_found *found, rt_code *code, rt_error *err);
/* For tests: waits until there is one. */
void rt_refresh_wait(rt_refresh *r);

#endif
