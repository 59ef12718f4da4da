/* lib.h: the inside of the C library (flec.h), for its files and for tests that turn the clock. */
#ifndef FLEC_RUNTIME_LIB_LIB_H
#define FLEC_RUNTIME_LIB_LIB_H

#include <pthread.h>

#include "runtime/link.h"
#include "runtime/engine.h"
#include "runtime/lib/flec.h"

/* For tests: NULL as now_ms is the system's clock. Any thread calls it. */
typedef struct rt_lib_clock {
    int64_t (*now_ms)(void *ctx);
    void *ctx;
} rt_lib_clock;

struct flec_engine {
    fl_arena *a; /* with the lock, once the engine is open */
    rt_config *config;
    rt_plan *plan; /* or NULL */
    rt_param_source source;
    rt_link link;
    rt_key_share *share;
    int64_t expiry_s;
    rt_lib_clock clock;
    pthread_mutex_t lock;
    bool *known;    /* by topic of the plan: its subjects were looked up, and do not change any more */
    bool counts;    /* it holds the process's file of seals */
    unsigned users; /* codecs, and whoever opened it; atomic */
    unsigned life;  /* rt_lib_life when it was opened */
};

rt_code rt_lib_open(flec_engine **out, const char *plan, const char *const *settings, const rt_lib_clock *clock,
                    rt_error *err);
void rt_lib_hold(flec_engine *e);
void rt_lib_release(flec_engine *e); /* the last one frees */

/* Once a process: the log is the library's, the process its owner's, and fork() is noticed. */
void rt_lib_setup(void);
unsigned rt_lib_life(void);                  /* another number in a forked child */
bool rt_lib_inherited(const flec_engine *e); /* it is of the process before fork() */

/* The process's one file of counted seals, held by engines with codecs that encrypt. */
rt_code rt_lib_count(const char *file, rt_error *err);
void rt_lib_count_end(void);
typedef enum { RT_LIB_BEFORE, RT_LIB_PARENT, RT_LIB_CHILD } rt_lib_fork;
void rt_lib_count_fork(rt_lib_fork when);

flec_code rt_lib_fail(rt_code code, const rt_error *why, char *message, size_t size);

#endif
