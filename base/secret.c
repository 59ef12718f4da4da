/* secret.c: key material in OpenSSL's secure heap. */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/status.h"

#define HEAP_BYTES ((size_t)4 * 1024 * 1024)
#define SMALLEST   32 /* bytes a piece takes at least: a data key fits */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool locked, leave_process;

static void set_up(void)
{
    /* 1: locked and guarded, 2: made, but not locked (or not guarded), 0: none */
    int made = CRYPTO_secure_malloc_init(HEAP_BYTES, SMALLEST);
    if (!made && !CRYPTO_secure_malloc_initialized())
        fl_die(FL_COULD_NOT_RUN, "cannot set up the heap for key material (%zu bytes)", HEAP_BYTES);
    locked = made == 1;
    if (leave_process)
        return;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

void fl_secret_leave_process(void)
{
    leave_process = true;
}

bool fl_secret_setup(void)
{
    pthread_once(&once, set_up);
    return locked;
}

fl_secret fl_secret_new(size_t len)
{
    fl_secret_setup();
    fl_secret s = {.len = len};
    if (!len)
        return s;
    s.bytes = OPENSSL_secure_zalloc(len);
    if (!s.bytes)
        fl_die(FL_COULD_NOT_RUN, "the heap for key material is full (%zu of %zu bytes in use, %zu more wanted)",
               CRYPTO_secure_used(), HEAP_BYTES, len);
    return s;
}

fl_secret fl_secret_spare(size_t len)
{
    fl_secret_setup();
    fl_secret s = {.len = len};
    if (len && CRYPTO_secure_used() + len <= HEAP_BYTES / 2)
        s.bytes = OPENSSL_secure_zalloc(len);
    if (!s.bytes)
        s.len = 0;
    return s;
}

fl_secret fl_secret_copy(const void *p, size_t len)
{
    fl_secret s = fl_secret_new(len);
    if (len)
        memcpy(s.bytes, p, len);
    return s;
}

void fl_secret_free(fl_secret *s)
{
    OPENSSL_secure_clear_free(s->bytes, s->len);
    *s = (fl_secret){0};
}

bool fl_secret_eq(const fl_secret *a, const fl_secret *b)
{
    return a->len == b->len && (a->len == 0 || CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0);
}

void fl_wipe(void *p, size_t n)
{
    if (n)
        OPENSSL_cleanse(p, n);
}
