/* pool.h: a few threads for what takes long: hashing a password, calling a key service. Everything of the server but
 * `run` stays on the server's own thread. */
#ifndef FLEC_RUNTIME_REST_POOL_H
#define FLEC_RUNTIME_REST_POOL_H

#include <stdbool.h>

/* One piece of work, the first member of what it is about. */
typedef struct rt_work rt_work;
struct rt_work {
    void (*run)(rt_work *w); /* on a thread of the pool */
    rt_work *next;
};

typedef struct rt_pool rt_pool;

/* threads: made with the first work. most: that wait for a thread. wake: an eventfd, written whenever a work is done.
 */
rt_pool *rt_pool_new(int threads, int most, int wake);
/* false: as many as may are waiting already (or no thread can be made). */
bool rt_pool_put(rt_pool *p, rt_work *w);
/* What is done, in a list, each once. */
rt_work *rt_pool_done(rt_pool *p);
/* Takes back what no thread has begun. */
rt_work *rt_pool_withdraw(rt_pool *p);
/* Waits for what is running; it is in *done then, with what was not taken out. NULL is allowed. */
void rt_pool_free(rt_pool *p, rt_work **done);

#endif
