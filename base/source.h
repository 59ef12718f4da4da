/* source.h: a text that diagnostics point into, and places in it. Offsets are bytes; lines and columns count from 1,
 * and a column counts Unicode code points. */
#ifndef FLEC_BASE_SOURCE_H
#define FLEC_BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct fl_span fl_span;

typedef struct fl_source {
    const char *name; /* as the user gave it; "<stdin>" for standard input */
    const char *text; /* NUL-terminated; no byte-order mark, LF line ends only (the reader folds CRLF) */
    size_t len;
    const uint32_t *lines; /* byte offset of each line's start */
    size_t nlines;
    /* Why the text counts here: NULL for a text as it stands. A statement that was repeated for a row of a list, or
     * that stands in for something else (a default, an environment), has spans into a source of its own, which shares
     * everything with the file's but this (fl_source_because). */
    const struct fl_origin *origin;
} fl_source;

struct fl_span {
    const fl_source *src; /* NULL: no place */
    uint32_t from, to;    /* [from, to) */
};

typedef struct fl_origin {
    fl_span at;                   /* the row, the thing that a default went to, … */
    const char *label;            /* "for region = \"eu\"", "a default of connector customers-archive" */
    const struct fl_origin *next; /* the step before, or NULL */
    const void *what;             /* its maker's own: what sets this source apart from its sisters, or NULL */
} fl_origin;

/* Wraps a text (kept by pointer, must outlive the source) and indexes its lines. */
const fl_source *fl_source_new(fl_arena *a, const char *name, const char *text, size_t len);
/* A source that shares the text of src and has one more origin. */
const fl_source *fl_source_because(fl_arena *a, const fl_source *src, fl_span at, const char *label);
/* The same; `what` as in fl_origin. */
const fl_source *fl_source_because_of(fl_arena *a, const fl_source *src, fl_span at, const char *label,
                                      const void *what);
/* Are they one text? Sources that differ in their origin alone are. */
bool fl_same_source(const fl_source *x, const fl_source *y);
void fl_source_place(const fl_source *s, uint32_t offset, unsigned *line, unsigned *column);

#endif
