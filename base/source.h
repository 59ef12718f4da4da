/* source.h: a text that diagnostics point into, and places in it. Offsets are bytes; lines and columns count from 1,
 * and a column counts Unicode code points. */
#ifndef FLEC_BASE_SOURCE_H
#define FLEC_BASE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct fl_source {
    const char *name; /* as the user gave it; "<stdin>" for standard input */
    const char *text; /* NUL-terminated; no byte-order mark, LF line ends only (the reader folds CRLF) */
    size_t len;
    const uint32_t *lines; /* byte offset of each line's start */
    size_t nlines;
} fl_source;

typedef struct fl_span {
    const fl_source *src; /* NULL: no place */
    uint32_t from, to;    /* [from, to) */
} fl_span;

/* Wraps a text (kept by pointer, must outlive the source) and indexes its lines. */
const fl_source *fl_source_new(fl_arena *a, const char *name, const char *text, size_t len);
void fl_source_place(const fl_source *s, uint32_t offset, unsigned *line, unsigned *column);

#endif
