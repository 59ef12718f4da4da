/* lib_log.c: the process around the library: its log, its forks, its name. */
#include <stdio.h>

#include "runtime/lib/lib.h"
#include "runtime/seals.h"

static struct {
    pthread_mutex_t lock;
    flec_log_fn *fn;
    void *ctx;
    flec_level level;
} logging = {.lock = PTHREAD_MUTEX_INITIALIZER};

static unsigned life = 1; /* atomic */

_Static_assert((int)FLEC_LOG_ERROR == FL_LOG_ERROR && (int)FLEC_LOG_DEBUG == FL_LOG_DEBUG, "levels are the same");

/* The lock is held while the function runs, so that one that was taken away is not called any more. */
static void hand_on(fl_log_level level, const char *message)
{
    pthread_mutex_lock(&logging.lock);
    if (logging.fn && (int)level <= (int)logging.level)
        logging.fn(logging.ctx, (flec_level)level, message);
    pthread_mutex_unlock(&logging.lock);
}

void flec_log(flec_log_fn *fn, void *ctx, flec_level level)
{
    rt_lib_setup();
    pthread_mutex_lock(&logging.lock);
    logging.fn = fn;
    logging.ctx = ctx;
    logging.level = level;
    pthread_mutex_unlock(&logging.lock);
}

/* ---- the process ---- */

static void lock_log(void)
{
    pthread_mutex_lock(&logging.lock);
}

static void unlock_log(void)
{
    pthread_mutex_unlock(&logging.lock);
}

static void before_fork(void)
{
    rt_lib_count_fork(RT_LIB_BEFORE);
}

static void in_parent(void)
{
    rt_lib_count_fork(RT_LIB_PARENT);
}

static void in_child(void)
{
    rt_lib_count_fork(RT_LIB_CHILD);
    __atomic_add_fetch(&life, 1, __ATOMIC_RELAXED);
}

/* Locks are taken in the order in which calls take them: the file's of the library, those of seals.c, the log's. The
 * handler that comes last locks first. */
static void notice_forks(void)
{
    bool ok = pthread_atfork(lock_log, unlock_log, unlock_log) == 0;
    rt_seals_forks();
    if (!ok || pthread_atfork(before_fork, in_parent, in_child))
        fl_die(FL_COULD_NOT_RUN, "out of memory");
}

static void set_up(void)
{
    fl_log_to(hand_on, FL_LOG_DEBUG);
    fl_secret_leave_process();
    notice_forks();
}

void rt_lib_setup(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
}

unsigned rt_lib_life(void)
{
    return __atomic_load_n(&life, __ATOMIC_RELAXED);
}

bool rt_lib_inherited(const flec_engine *e)
{
    return e->life != rt_lib_life();
}

/* ---- names ---- */

const char *flec_version(void)
{
    return FLEC_VERSION;
}

const char *flec_crypto(void)
{
    rt_lib_setup();
    return rt_crypto_name();
}

const char *flec_code_name(flec_code code)
{
    static const char *const names[] = {[FLEC_OK] = "OK",
                                        [FLEC_BAD_INPUT] = "BAD_INPUT",
                                        [FLEC_TAMPERED] = "TAMPERED",
                                        [FLEC_NO_KEY] = "NO_KEY",
                                        [FLEC_NOT_FOUND] = "NOT_FOUND",
                                        [FLEC_CONFLICT] = "CONFLICT",
                                        [FLEC_REFUSED] = "REFUSED",
                                        [FLEC_IO] = "IO",
                                        [FLEC_USAGE] = "USAGE"};
    return (unsigned)code < sizeof names / sizeof *names ? names[code] : "UNKNOWN";
}

_Static_assert((int)FLEC_OK == RT_OK && (int)FLEC_BAD_INPUT == RT_BAD_INPUT && (int)FLEC_TAMPERED == RT_TAMPERED &&
                   (int)FLEC_NO_KEY == RT_NO_KEY && (int)FLEC_NOT_FOUND == RT_NOT_FOUND &&
                   (int)FLEC_CONFLICT == RT_CONFLICT && (int)FLEC_REFUSED == RT_REFUSED && (int)FLEC_IO == RT_IO,
               "codes are the same");

flec_code rt_lib_fail(rt_code code, const rt_error *why, char *message, size_t size)
{
    if (message && size)
        snprintf(message, size, "%s", why->message);
    return (flec_code)code;
}
