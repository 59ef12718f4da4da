/* error.c: filling an rt_error, and what a code means as an exit status. */
#include "runtime/error.h"

#include <stdio.h>
#include <string.h>

/* One line whatever the arguments held: file names and subjects come from outside. */
static void one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

/* Cuts a UTF-8 sequence that vsnprintf broke at the end of the buffer. */
static void drop_broken_tail(char *s, size_t len)
{
    size_t bad;
    if (!fl_utf8_ok(s, len, &bad) && len - bad < 4)
        s[bad] = 0;
}

/* `tail` stands at the end whatever the length of the rest. */
static void fill(rt_error *err, const char *tail, const char *fmt, va_list ap)
{
    char text[sizeof err->message]; /* an argument may be err->message itself */
    vsnprintf(text, sizeof text - strlen(tail), fmt, ap);
    one_line(text);
    drop_broken_tail(text, strlen(text));
    strcat(text, tail);
    memcpy(err->message, text, sizeof text);
}

rt_code rt_fail(rt_error *err, rt_code code, const char *fmt, ...)
{
    va_list ap;
    if (!err)
        return code;
    va_start(ap, fmt);
    fill(err, "", fmt, ap);
    va_end(ap);
    err->code = code;
    err->number = 0;
    return code;
}

rt_code rt_fail_as(rt_error *err, rt_code code, int number, const char *fmt, ...)
{
    char tail[16];
    va_list ap;
    if (!err)
        return code;
    snprintf(tail, sizeof tail, " (%d)", number);
    va_start(ap, fmt);
    fill(err, tail, fmt, ap);
    va_end(ap);
    err->code = code;
    err->number = number;
    return code;
}

fl_status rt_exit_status(rt_code code)
{
    switch (code) {
    case RT_OK:
        return FL_OK;
    case RT_BAD_INPUT:
    case RT_TAMPERED:
    case RT_REFUSED:
        return FL_FINDINGS;
    case RT_NO_KEY:
    case RT_NOT_FOUND:
    case RT_CONFLICT:
    case RT_IO:
        break;
    }
    return FL_COULD_NOT_RUN;
}
