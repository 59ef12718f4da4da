/* key_refresh.c: asking again for a key in a thread of its own. */
#include "runtime/key_refresh.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

typedef enum { FREE, ASKED, ANSWERED } state;

struct rt_refresh {
    const rt_keys_options *opt;
    pthread_mutex_t lock;
    pthread_cond_t change;
    pthread_t thread;
    bool started; /* it is to be joined */
    state state;  /* written with the lock; ANSWERED is looked at without */
    rt_key_want want;
    void *of;
    rt_key_found found;
    rt_code code;
    rt_error err;
};

rt_refresh *rt_refresh_new(const rt_keys_options *opt)
{
    rt_refresh *r = fl_xcalloc(1, sizeof *r);
    r->opt = opt;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->change, NULL);
    return r;
}

static void set_state(rt_refresh *r, state s)
{
    __atomic_store_n(&r->state, s, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&r->change);
}

static void *work(void *ctx)
{
    rt_refresh *r = ctx;
    rt_key_found found;
    rt_error err = {0};
    rt_code code = rt_key_find(&r->want, &found, &err); /* nobody writes it while it is asked */
    pthread_mutex_lock(&r->lock);
    r->found = found;
    r->code = code;
    r->err = err;
    set_state(r, ANSWERED);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Signals are for the threads of the program. */
static bool start(rt_refresh *r)
{
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_BLOCK, &every, &before);
    r->started = pthread_create(&r->thread, NULL, work, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r->started;
}

static void join(rt_refresh *r)
{
    if (r->started)
        pthread_join(r->thread, NULL);
    r->started = false;
}

void rt_refresh_free(rt_refresh *r)
{
    if (!r)
        return;
    join(r);
    rt_key_free(r->found.key);
    pthread_cond_destroy(&r->change);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

bool rt_refresh_ask(rt_refresh *r, const rt_key_want *want, void *of)
{
    if (__atomic_load_n(&r->state, __ATOMIC_ACQUIRE) != FREE)
        return false;
    join(r); /* the one before has answered */
    pthread_mutex_lock(&r->lock);
    r->want = *want;
    r->of = of;
    set_state(r, ASKED);
    pthread_mutex_unlock(&r->lock);
    if (start(r))
        return true;
    pthread_mutex_lock(&r->lock);
    set_state(r, FREE);
    pthread_mutex_unlock(&r->lock);
    return false;
}

bool rt_refresh_answer(rt_refresh *r, void **of, rt_key_found *found, rt_code *code, rt_error *err)
{
    if (__atomic_load_n(&r->state, __ATOMIC_ACQUIRE) != ANSWERED)
        return false;
    pthread_mutex_lock(&r->lock);
    *of = r->of;
    *found = r->found;
    *code = r->code;
    *err = r->err;
    r->found = (rt_key_found){0};
    set_state(r, FREE);
    pthread_mutex_unlock(&r->lock);
    return true;
}

void rt_refresh_wait(rt_refresh *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->state == ASKED)
        pthread_cond_wait(&r->change, &r->lock);
    pthread_mutex_unlock(&r->lock);
}
