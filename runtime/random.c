/* random.c: random bytes from a pool per thread that is refilled in blocks: an IV costs a copy, not a call into the
 * generator.
 *
 * A forked child must not repeat its parent's IVs: a counter that the child's fork handler moves makes every pool of
 * the child stale. Bytes are wiped as they are handed out, the rest at exit or when the thread ends. Keys do not come
 * from here (dek.c asks for private bytes). */
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/aead.h"

enum { POOL = 4096, IV = 12 };

typedef struct pool {
    uint8_t bytes[POOL];
    size_t left;
    unsigned generation; /* of the process that filled it */
} pool;

static _Thread_local pool mine;
static unsigned generation = 1; /* 0: a pool never filled */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t ends;

static void forked(void)
{
    __atomic_add_fetch(&generation, 1, __ATOMIC_RELAXED);
}

static void wipe(void *p)
{
    fl_wipe(p, sizeof(pool));
}

static void wipe_mine(void)
{
    wipe(&mine);
}

static void setup(void)
{
    if (pthread_atfork(NULL, NULL, forked) || pthread_key_create(&ends, wipe) || atexit(wipe_mine))
        fl_die(FL_COULD_NOT_RUN, "cannot set up the pool of random bytes: out of memory");
}

static void draw(uint8_t *out, size_t n)
{
    if (RAND_bytes(out, (int)n) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes; nothing can be encrypted safely");
}

static __attribute__((noinline)) void refill(void)
{
    pthread_once(&once, setup);
    pthread_setspecific(ends, &mine);
    draw(mine.bytes, POOL);
    mine.left = POOL;
    mine.generation = __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

static inline bool stale(void)
{
    return mine.generation != __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

void rt_random_ivs(const rt_text *t, size_t n)
{
    while (n) {
        if (mine.left < IV || stale())
            refill();
        size_t have = mine.left / IV, some = n < have ? n : have;
        uint8_t *p = mine.bytes + (mine.left -= some * IV);
        for (size_t i = 0; i < some; i++) {
            memcpy(t[i].out, p + i * IV, IV);
            memset(p + i * IV, 0, IV);
        }
        t += some;
        n -= some;
    }
}

void rt_random(uint8_t *out, size_t n)
{
    if (n > POOL / 4) {
        for (size_t part; n; out += part, n -= part)
            draw(out, part = n < POOL ? n : POOL);
        return;
    }
    if (mine.left < n || stale())
        refill();
    mine.left -= n;
    memcpy(out, mine.bytes + mine.left, n);
    memset(mine.bytes + mine.left, 0, n);
}
