/* buf.h: the one growable byte buffer. Every use names its maximum, so that no input can make it grow without end.
 *
 * A buffer that would pass its maximum keeps what it has, sets `full`, and every later add returns false: callers may
 * check once at the end. The bytes are always followed by a NUL that is not counted. */
#ifndef FLEC_BASE_BUF_H
#define FLEC_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fl_buf {
    char *p;
    size_t len, cap, max;
    bool full; /* an add was refused */
} fl_buf;

void fl_buf_init(fl_buf *b, size_t max);
void fl_buf_free(fl_buf *b);  /* the buffer may be initialised again */
void fl_buf_wipe(fl_buf *b);  /* as fl_buf_free, and overwrites the bytes first */
void fl_buf_clear(fl_buf *b); /* length 0, memory kept */
bool fl_buf_reserve(fl_buf *b, size_t more);
bool fl_buf_add(fl_buf *b, const void *p, size_t n);
bool fl_buf_addc(fl_buf *b, char c);
bool fl_buf_adds(fl_buf *b, const char *s);
bool fl_buf_addf(fl_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds a text of unknown origin as one line fit for a terminal: control and bidirectional characters and what is no
 * UTF-8 become U+FFFD, a tab four spaces. */
bool fl_buf_add_shown(fl_buf *b, const char *s, size_t n);
bool fl_buf_vaddf(fl_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#endif
