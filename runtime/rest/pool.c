/* pool.c: threads, a queue before them and a list behind them. */
#include "runtime/rest/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

enum { THREADS_MOST = 16 };

typedef struct list {
    rt_work *first, **end;
} list;

struct rt_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    pthread_t threads[THREADS_MOST];
    int nthreads, most_threads, waiting, most, wake;
    bool closing;
    list queue, done;
};

static void add(list *l, rt_work *w)
{
    w->next = NULL;
    *l->end = w;
    l->end = &w->next;
}

static rt_work *take_all(list *l)
{
    rt_work *all = l->first;
    *l = (list){NULL, &l->first};
    return all;
}

static rt_work *take(list *l)
{
    rt_work *w = l->first;
    l->first = w->next;
    if (!l->first)
        l->end = &l->first;
    return w;
}

static void *work(void *arg)
{
    rt_pool *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->queue.first && !p->closing)
            pthread_cond_wait(&p->more, &p->lock);
        if (!p->queue.first)
            break;
        rt_work *w = take(&p->queue);
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        w->run(w);
        pthread_mutex_lock(&p->lock);
        add(&p->done, w);
        ssize_t put = write(p->wake, &(uint64_t){1}, sizeof(uint64_t)); /* a counter that is full wakes as well */
        (void)put;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

rt_pool *rt_pool_new(int threads, int most, int wake)
{
    rt_pool *p = fl_xcalloc(1, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    p->most_threads = threads < THREADS_MOST ? threads : THREADS_MOST;
    p->most = most;
    p->wake = wake;
    p->queue.end = &p->queue.first;
    p->done.end = &p->done.first;
    return p;
}

/* Signals are for the thread that made the pool. */
static void start_threads(rt_pool *p)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (p->nthreads < p->most_threads && !pthread_create(&p->threads[p->nthreads], NULL, work, p))
        p->nthreads++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

bool rt_pool_put(rt_pool *p, rt_work *w)
{
    if (!p->nthreads)
        start_threads(p);
    pthread_mutex_lock(&p->lock);
    bool room = p->nthreads && p->waiting < p->most;
    if (room) {
        add(&p->queue, w);
        p->waiting++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return room;
}

rt_work *rt_pool_done(rt_pool *p)
{
    pthread_mutex_lock(&p->lock);
    rt_work *all = take_all(&p->done);
    pthread_mutex_unlock(&p->lock);
    return all;
}

rt_work *rt_pool_withdraw(rt_pool *p)
{
    pthread_mutex_lock(&p->lock);
    rt_work *all = take_all(&p->queue);
    p->waiting = 0;
    pthread_mutex_unlock(&p->lock);
    return all;
}

void rt_pool_free(rt_pool *p, rt_work **done)
{
    *done = NULL;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->nthreads; i++)
        pthread_join(p->threads[i], NULL);
    *done = take_all(&p->done);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->more);
    free(p);
}
