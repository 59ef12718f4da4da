/* parallel.c: a few threads that take pieces of work until none is left. */
#include "base/parallel.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

enum { MOST = 8 }; /* threads */

typedef struct work {
    void (*fn)(size_t piece, void *ctx);
    void *ctx;
    size_t n;
    atomic_size_t next;
} work;

static void *take_pieces(void *arg)
{
    work *w = arg;
    for (size_t i; (i = atomic_fetch_add(&w->next, 1)) < w->n;)
        w->fn(i, w->ctx);
    return NULL;
}

static size_t processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return n < 1 ? 1 : (size_t)n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Signals stay with the thread that set them up. */
static size_t start(work *w, pthread_t *threads, size_t wanted)
{
    sigset_t all, before;
    size_t n = 0;
    mallopt(M_ARENA_MAX, 1); /* what one thread frees the next one takes: memory is the estate's, once */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (n < wanted && !pthread_create(&threads[n], NULL, take_pieces, w))
        n++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return n;
}

void fl_parallel(size_t n, size_t most, void (*fn)(size_t piece, void *ctx), void *ctx)
{
    pthread_t threads[MOST];
    work w = {.fn = fn, .ctx = ctx, .n = n};
    size_t wanted = least(least(n, processors()), least(most, MOST));
    size_t started = wanted > 1 ? start(&w, threads, wanted - 1) : 0;
    take_pieces(&w);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

fl_piece fl_piece_of(size_t n, size_t pieces, size_t piece)
{
    size_t from = n / pieces * piece + (piece < n % pieces ? piece : n % pieces);
    return (fl_piece){from, n / pieces + (piece < n % pieces)};
}
