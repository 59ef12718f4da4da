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

rt_code rt_fail(rt_error *err, rt_code code, const char *fmt, ...)
{
    if (!err)
        return code;
    char text[sizeof err->message]; /* an argument may be err->message itself */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    one_line(text);
    drop_broken_tail(text, strlen(text));
    err->code = code;
    memcpy(err->message, text, sizeof text);
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
