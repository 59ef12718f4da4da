/* arena.c: chunks of zeroed memory handed out in order, and the allocator everything else goes through. */
#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)64 * 1024)
#define FIRST ((size_t)1024) /* bytes of the first chunk; each is twice the one before, up to CHUNK */
#define ALIGN _Alignof(max_align_t)

typedef struct chunk {
    struct chunk *next;
    size_t used, size; /* of bytes */
    _Alignas(max_align_t) char bytes[];
} chunk;

struct fl_arena {
    chunk *current; /* where small pieces are cut from; older and large ones follow it */
};

/* ---- malloc that does not return NULL ---- */

/* No log here: it would allocate. */
void fl_no_memory(void)
{
    static const char message[] = "flec: error: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    _exit(4);
}

static size_t product(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        fl_no_memory();
    return bytes;
}

void *fl_xrealloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        fl_no_memory();
    return q;
}

void *fl_xmalloc(size_t n)
{
    return fl_xrealloc(NULL, n);
}

void *fl_xcalloc(size_t n, size_t size)
{
    size_t bytes = product(n, size);
    void *p = calloc(bytes ? bytes : 1, 1);
    if (!p)
        fl_no_memory();
    return p;
}

char *fl_xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(fl_xmalloc(n), s, n);
}

/* ---- the arena ---- */

static chunk *chunk_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(chunk))
        fl_no_memory();
    chunk *c = fl_xcalloc(1, sizeof(chunk) + size);
    c->size = size;
    return c;
}

fl_arena *fl_arena_new(void)
{
    fl_arena *a = fl_xcalloc(1, sizeof *a);
    a->current = chunk_new(FIRST);
    return a;
}

void fl_arena_free(fl_arena *a)
{
    if (!a)
        return;
    for (chunk *c = a->current, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void fl_arena_adopt(fl_arena *into, fl_arena *from)
{
    if (!from)
        return;
    chunk *last = from->current;
    while (last->next)
        last = last->next;
    last->next = into->current->next;
    into->current->next = from->current;
    free(from);
}

/* A large piece gets a chunk of its own behind the current one, so that the rest of that one is not lost. */
static void *alloc_large(fl_arena *a, size_t n)
{
    chunk *c = chunk_new(n);
    c->used = n;
    c->next = a->current->next;
    a->current->next = c;
    return c->bytes;
}

/* align: a power of two. */
static size_t aligned(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static chunk *next_chunk(fl_arena *a, size_t n)
{
    size_t size = a->current->size < CHUNK ? a->current->size * 2 : CHUNK;
    chunk *c = chunk_new(size < n ? CHUNK : size);
    c->next = a->current;
    a->current = c;
    return c;
}

static void *alloc_aligned(fl_arena *a, size_t n, size_t align)
{
    if (n > CHUNK / 4)
        return alloc_large(a, n);
    chunk *c = a->current;
    size_t from = aligned(c->used, align);
    if (from > c->size || n > c->size - from) {
        c = next_chunk(a, n);
        from = 0;
    }
    c->used = from + n;
    return c->bytes + from;
}

/* A type's size is a multiple of its alignment: what is no multiple of 16 needs less. */
void *fl_alloc(fl_arena *a, size_t n)
{
    return alloc_aligned(a, n, n % ALIGN ? sizeof(void *) : ALIGN);
}

void *fl_alloc_n(fl_arena *a, size_t n, size_t size)
{
    return fl_alloc(a, product(n, size));
}

char *fl_strndup(fl_arena *a, const char *s, size_t n)
{
    char *p = alloc_aligned(a, n + 1, 1);
    if (n)
        memcpy(p, s, n);
    return p;
}

char *fl_strdup(fl_arena *a, const char *s)
{
    return fl_strndup(a, s, strlen(s));
}

/* Written where the next piece will be cut from; most fit there. */
char *fl_vprintf(fl_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    chunk *c = a->current;
    size_t room = c->size - c->used;
    int n = vsnprintf(c->bytes + c->used, room, fmt, ap);
    if (n < 0)
        fl_no_memory();
    bool fits = (size_t)n < room && (size_t)n < CHUNK / 4;
    if (!fits)
        memset(c->bytes + c->used, 0, room);
    char *p = alloc_aligned(a, (size_t)n + 1, 1);
    if (!fits)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}

char *fl_printf(fl_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *p = fl_vprintf(a, fmt, ap);
    va_end(ap);
    return p;
}

/* Most arrays of a policy and of a schema have one item, so the first piece has room for few; one that was handed out
 * last grows where it is. */
static bool extends(fl_arena *a, void *old, size_t had, size_t wants)
{
    chunk *c = a->current;
    if (wants > CHUNK / 4 || (char *)old + had != c->bytes + c->used || wants - had > c->size - c->used)
        return false;
    c->used += wants - had;
    return true;
}

void *fl_vec_grow(fl_arena *a, void *old, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? product(*cap, 2) : size <= ALIGN ? ALIGN / (size ? size : 1) : 1;
    if (*cap && extends(a, old, *cap * size, product(more, size))) {
        *cap = more;
        return old;
    }
    void *p = fl_alloc_n(a, more, size);
    if (n)
        memcpy(p, old, n * size);
    *cap = more;
    return p;
}
