/* stream.h: bytes in and out of file descriptors in big blocks, with bounded memory. */
#ifndef FLEC_RUNTIME_STREAM_H
#define FLEC_RUNTIME_STREAM_H

#include <signal.h>

#include "runtime/error.h"

/* Filled by a signal's handler, so that a run ends between two records. */
typedef struct rt_stop {
    volatile sig_atomic_t signal; /* which one came, 0: none */
    int fd;                       /* can be read as soon as one came: wakes who waits for input */
} rt_stop;

typedef struct rt_sink {
    int fd;
    fl_buf buf;
    size_t block; /* written when it holds as much */
} rt_sink;

void rt_sink_init(rt_sink *s, int fd, size_t max_record);
void rt_sink_free(rt_sink *s);
/* Adds to s->buf are the caller's; this writes if a block is full. */
rt_code rt_sink_check(rt_sink *s, rt_error *err);
rt_code rt_sink_flush(rt_sink *s, rt_error *err);

typedef struct rt_source {
    int fd;
    uint8_t *p;
    size_t from, to, cap, max;
    bool ended, stopped;
    rt_sink *sink;       /* flushed before a read that may wait, so that a slow input has its output at once; or NULL */
    const rt_stop *stop; /* or NULL */
} rt_source;

void rt_source_init(rt_source *s, int fd, size_t max_record, rt_sink *sink);
void rt_source_free(rt_source *s);
/* What they return stays good until the next call. *p NULL: the input has ended (n bytes before it were fewer than
 * asked for: RT_BAD_INPUT), or a signal came (stopped), whatever was there of a record. */
rt_code rt_source_take(rt_source *s, size_t n, const uint8_t **p, rt_error *err);
/* A line without its line end (LF or CRLF). A last line without one counts. */
rt_code rt_source_line(rt_source *s, const char **p, size_t *n, rt_error *err);

#endif
