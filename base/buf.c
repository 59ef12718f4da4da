/* buf.c: the growable byte buffer with a maximum. */
#include "base/buf.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* What p of a buffer without memory points at; never written. cap == 0 tells the two apart. */
static char nothing[1];

void fl_buf_init(fl_buf *b, size_t max)
{
    *b = (fl_buf){.p = nothing, .max = max};
}

void fl_buf_free(fl_buf *b)
{
    if (b->cap)
        free(b->p);
    fl_buf_init(b, b->max);
}

void fl_buf_wipe(fl_buf *b)
{
    if (b->cap)
        OPENSSL_cleanse(b->p, b->cap);
    fl_buf_free(b);
}

void fl_buf_clear(fl_buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->cap)
        b->p[0] = '\0';
}

/* Not realloc: what the buffer holds may be wiped later, and a copy left behind in the heap would not be. */
static void grow(fl_buf *b, size_t need)
{
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need && cap <= b->max / 2)
        cap *= 2;
    if (cap < need || cap > b->max)
        cap = b->max;
    char *p = fl_xmalloc(cap + 1);
    memcpy(p, b->p ? b->p : nothing, b->len);
    p[b->len] = '\0';
    if (b->cap) {
        OPENSSL_cleanse(b->p, b->len);
        free(b->p);
    }
    b->p = p;
    b->cap = cap;
}

bool fl_buf_reserve(fl_buf *b, size_t more)
{
    if (b->full)
        return false;
    if (more > b->max - b->len) {
        b->full = true;
        return false;
    }
    if (b->len + more > b->cap)
        grow(b, b->len + more);
    return true;
}

bool fl_buf_add(fl_buf *b, const void *p, size_t n)
{
    if (!fl_buf_reserve(b, n))
        return false;
    if (!n)
        return true;
    memcpy(b->p + b->len, p, n);
    b->len += n;
    b->p[b->len] = '\0';
    return true;
}

bool fl_buf_addc(fl_buf *b, char c)
{
    return fl_buf_add(b, &c, 1);
}

bool fl_buf_adds(fl_buf *b, const char *s)
{
    return fl_buf_add(b, s, strlen(s));
}

bool fl_buf_vaddf(fl_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    bool ok = n >= 0 && fl_buf_reserve(b, (size_t)n);
    if (ok && n) {
        vsnprintf(b->p + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return ok;
}

bool fl_buf_addf(fl_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bool ok = fl_buf_vaddf(b, fmt, ap);
    va_end(ap);
    return ok;
}
