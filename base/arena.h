/* arena.h: memory that is freed at once.
 *
 * One arena serves one compilation, one plan or one document. Nothing in an arena is freed alone, nothing is moved,
 * so pointers into it stay good until fl_arena_free. Memory is zeroed, and aligned for any type of that size; texts
 * (fl_strndup, fl_printf) are not. A failed allocation ends the program with a message and exit status 4 (could not
 * run): no caller checks for NULL. Never put key material here (secret.h). */
#ifndef FLEC_BASE_ARENA_H
#define FLEC_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fl_arena fl_arena;

fl_arena *fl_arena_new(void);
void fl_arena_free(fl_arena *a); /* NULL is allowed */
/* All that lies in `from` is freed with `into` from now on; `from` itself is gone. NULL is allowed. */
void fl_arena_adopt(fl_arena *into, fl_arena *from);

void *fl_alloc(fl_arena *a, size_t n);
char *fl_strndup(fl_arena *a, const char *s, size_t n); /* adds a NUL */
char *fl_strdup(fl_arena *a, const char *s);
char *fl_printf(fl_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *fl_vprintf(fl_arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#define FL_NEW(arena, T)      ((T *)fl_alloc((arena), sizeof(T)))
#define FL_NEW_N(arena, T, n) ((T *)fl_alloc_n((arena), (n), sizeof(T)))
void *fl_alloc_n(fl_arena *a, size_t n, size_t size); /* checks n * size for overflow */

/* Growable array in an arena: FL_VEC(int) v = {0}; FL_PUSH(a, &v, 7); v.v[0], v.n. Growth leaves the old copy behind.
 */
#define FL_VEC(T)                                                                                                      \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        size_t n, cap;                                                                                                 \
    }
/* The same in less memory, for what is there by the ten thousand: what grows to 2^32 items does not fit. */
#define FL_LIST(T)                                                                                                     \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        uint32_t n, cap;                                                                                               \
    }
#define FL_PUSH(arena, vec, ...)                                                                                       \
    do {                                                                                                               \
        if ((vec)->n == (vec)->cap) {                                                                                  \
            size_t fl_cap_ = (vec)->cap;                                                                               \
            (vec)->v = fl_vec_grow((arena), (vec)->v, (vec)->n, &fl_cap_, sizeof *(vec)->v);                           \
            (vec)->cap = (__typeof__((vec)->cap))fl_cap_;                                                              \
        }                                                                                                              \
        (vec)->v[(vec)->n++] = (__VA_ARGS__);                                                                          \
    } while (0)
void *fl_vec_grow(fl_arena *a, void *old, size_t n, size_t *cap, size_t size);

/* malloc and friends that end the program with status 4 instead of returning NULL, for long-lived single objects. */
void *fl_xmalloc(size_t n);
void *fl_xcalloc(size_t n, size_t size);
void *fl_xrealloc(void *p, size_t n);
char *fl_xstrdup(const char *s);
/* How all of the above end: for what cannot go on without memory that it asked another library for. */
void fl_no_memory(void) __attribute__((noreturn));

#endif
