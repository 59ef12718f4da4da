/* source.c: the line index of a text. */
#include "base/source.h"

#include <string.h>

#include "base/status.h"

const fl_source *fl_source_new(fl_arena *a, const char *name, const char *text, size_t len)
{
    if (len >= UINT32_MAX)
        fl_die(FL_COULD_NOT_RUN, "%s: too large (%zu bytes)", name, len);
    fl_source *s = FL_NEW(a, fl_source);
    size_t n = 1;
    for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))); p++)
        n++;
    uint32_t *lines = FL_NEW_N(a, uint32_t, n);
    size_t i = 1;
    for (const char *p = text; (p = memchr(p, '\n', len - (size_t)(p - text))); p++)
        lines[i++] = (uint32_t)(p - text) + 1;
    *s = (fl_source){.name = name, .text = text, .len = len, .lines = lines, .nlines = n};
    return s;
}

const fl_source *fl_source_because(fl_arena *a, const fl_source *src, fl_span at, const char *label)
{
    return fl_source_because_of(a, src, at, label, NULL);
}

const fl_source *fl_source_because_of(fl_arena *a, const fl_source *src, fl_span at, const char *label,
                                      const void *what)
{
    fl_source *s = FL_NEW(a, fl_source);
    fl_origin *o = FL_NEW(a, fl_origin);
    *s = *src;
    *o = (fl_origin){at, label, src->origin, what};
    s->origin = o;
    return s;
}

bool fl_same_source(const fl_source *x, const fl_source *y)
{
    return x == y || (x && y && x->text == y->text && x->name == y->name);
}

void fl_source_place(const fl_source *s, uint32_t offset, unsigned *line, unsigned *column)
{
    if (offset > s->len)
        offset = (uint32_t)s->len;
    size_t low = 0, high = s->nlines; /* lines[low] <= offset < lines[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (s->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    unsigned points = 0;
    for (uint32_t i = s->lines[low]; i < offset; i++)
        points += ((unsigned char)s->text[i] & 0xC0) != 0x80;
    *line = (unsigned)low + 1;
    *column = points + 1;
}
