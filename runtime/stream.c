/* stream.c: block-wise reading and writing of file descriptors. */
#include "runtime/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK ((size_t)256 << 10)

/* ---- out ---- */

void rt_sink_init(rt_sink *s, int fd, size_t max_record)
{
    s->fd = fd;
    s->block = BLOCK;
    fl_buf_init(&s->buf, max_record + 2 * BLOCK);
}

void rt_sink_free(rt_sink *s)
{
    fl_buf_wipe(&s->buf);
}

rt_code rt_sink_flush(rt_sink *s, rt_error *err)
{
    size_t done = 0;
    while (done < s->buf.len) {
        ssize_t n = write(s->fd, s->buf.p + done, s->buf.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return rt_fail(err, RT_IO, "writing the output: %s", strerror(errno));
        done += (size_t)n;
    }
    fl_buf_clear(&s->buf);
    return RT_OK;
}

rt_code rt_sink_check(rt_sink *s, rt_error *err)
{
    if (s->buf.full)
        return rt_fail(err, RT_BAD_INPUT, "a record is larger than what is allowed");
    return s->buf.len >= s->block ? rt_sink_flush(s, err) : RT_OK;
}

/* ---- in ---- */

void rt_source_init(rt_source *s, int fd, size_t max_record, rt_sink *sink)
{
    *s = (rt_source){.fd = fd, .max = max_record, .sink = sink, .cap = BLOCK};
    s->p = fl_xmalloc(s->cap);
}

void rt_source_free(rt_source *s)
{
    if (s->p)
        fl_wipe(s->p, s->cap);
    free(s->p);
    s->p = NULL;
}

/* Room behind `to`: moves what is left to the front, or grows. Not realloc: a copy left behind could not be wiped. */
static rt_code make_room(rt_source *s, rt_error *err)
{
    size_t have = s->to - s->from;
    if (s->from) {
        memmove(s->p, s->p + s->from, have);
        s->from = 0;
        s->to = have;
    }
    if (s->to < s->cap)
        return RT_OK;
    if (s->cap >= s->max)
        return rt_fail(err, RT_BAD_INPUT, "a record of the input is larger than the %zu bytes that are allowed",
                       s->max);
    size_t cap = s->cap * 2 < s->max ? s->cap * 2 : s->max;
    uint8_t *p = fl_xmalloc(cap);
    memcpy(p, s->p, have);
    fl_wipe(s->p, s->cap);
    free(s->p);
    s->p = p;
    s->cap = cap;
    return RT_OK;
}

/* Waits until something can be read, or a signal came. */
static bool wait_for_input(rt_source *s)
{
    if (!s->stop)
        return true;
    struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->stop->fd, .events = POLLIN}};
    while (!s->stop->signal && poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    s->stopped = s->stop->signal != 0;
    return !s->stopped;
}

/* Reads more; sets ended at the end, stopped if a signal came. */
static rt_code more(rt_source *s, rt_error *err)
{
    rt_code code = make_room(s, err);
    if (!code && s->sink)
        code = rt_sink_flush(s->sink, err);
    if (code || !wait_for_input(s))
        return code;
    ssize_t n;
    do
        n = read(s->fd, s->p + s->to, s->cap - s->to);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return rt_fail(err, RT_IO, "reading the input: %s", strerror(errno));
    s->ended = n == 0;
    s->to += (size_t)n;
    return RT_OK;
}

rt_code rt_source_take(rt_source *s, size_t n, const uint8_t **p, rt_error *err)
{
    *p = NULL;
    if (n > s->max)
        return rt_fail(err, RT_BAD_INPUT, "a record of %zu bytes is larger than the %zu that are allowed", n, s->max);
    while (s->to - s->from < n && !s->ended) {
        rt_code code = more(s, err);
        if (code || s->stopped)
            return code;
    }
    size_t have = s->to - s->from;
    if (have < n)
        return have ? rt_fail(err, RT_BAD_INPUT, "the input ends inside a record: %zu of %zu bytes are there", have, n)
                    : RT_OK;
    *p = s->p + s->from;
    s->from += n;
    return RT_OK;
}

rt_code rt_source_line(rt_source *s, const char **p, size_t *n, rt_error *err)
{
    size_t seen = 0;
    *p = NULL;
    for (;;) {
        size_t have = s->to - s->from;
        const uint8_t *start = s->p + s->from, *nl = have > seen ? memchr(start + seen, '\n', have - seen) : NULL;
        if (nl || (s->ended && have)) {
            *n = nl ? (size_t)(nl - start) : have;
            s->from += *n + (nl != NULL);
            *p = (const char *)start;
            if (*n && start[*n - 1] == '\r')
                --*n;
            return RT_OK;
        }
        if (s->ended)
            return RT_OK;
        seen = have;
        rt_code code = more(s, err);
        if (code || s->stopped)
            return code;
    }
}
