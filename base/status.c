/* status.c: which exit status wins, and the log on standard error. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"

#define MAX_LINE ((size_t)64 * 1024)

static fl_log_level threshold = FL_LOG_WARN;
static bool as_json;
static fl_log_sink *sink; /* NULL: standard error */

fl_status fl_status_worse(fl_status a, fl_status b)
{
    static const int rank[] = {[FL_OK] = 0, [FL_DRIFT] = 1, [FL_FINDINGS] = 2, [FL_COULD_NOT_RUN] = 3, [FL_USAGE] = 4};
    return rank[a] >= rank[b] ? a : b;
}

void fl_log_setup(fl_log_level level, bool json)
{
    threshold = level;
    as_json = json;
}

void fl_log_to(fl_log_sink *fn, fl_log_level level)
{
    sink = fn;
    threshold = level;
}

/* Shown as on a terminal: what is logged holds names from outside. */
static void tell(fl_log_level level, const char *message, size_t len)
{
    fl_buf line;
    fl_buf_init(&line, 8 * MAX_LINE);
    fl_buf_add_shown(&line, message, len);
    sink(level, line.p);
    fl_buf_free(&line);
}

static void write_line(fl_log_level level, const char *message, size_t len)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    fl_buf line;
    if (sink) {
        tell(level, message, len);
        return;
    }
    fl_buf_init(&line, 8 * MAX_LINE);
    if (as_json) {
        fl_jw w;
        fl_jw_init(&w, &line, false);
        fl_jw_object(&w);
        fl_jw_kstring(&w, "level", names[level]);
        fl_jw_key(&w, "message");
        fl_jw_string_n(&w, message, len);
        fl_jw_end_object(&w);
    } else {
        fl_buf_addf(&line, "flec: %s: ", names[level]);
        fl_buf_add_shown(&line, message, len);
    }
    fl_buf_addc(&line, '\n');
    fwrite(line.p, 1, line.len, stderr); /* one write a line: standard error is unbuffered */
    fl_buf_free(&line);
}

static void __attribute__((format(printf, 2, 0))) vlog(fl_log_level level, const char *fmt, va_list ap)
{
    if (level > threshold)
        return;
    va_list again;
    va_copy(again, ap);
    fl_buf message;
    fl_buf_init(&message, MAX_LINE);
    if (fl_buf_vaddf(&message, fmt, ap)) {
        write_line(level, message.p, message.len);
    } else { /* too long: as much as fits */
        fl_buf_clear(&message);
        fl_buf_reserve(&message, MAX_LINE);
        vsnprintf(message.p, MAX_LINE, fmt, again);
        write_line(level, message.p, MAX_LINE - 1);
    }
    va_end(again);
    fl_buf_free(&message);
}

void fl_log(fl_log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vlog(level, fmt, ap);
    va_end(ap);
}

/* Not exit(): that takes OpenSSL and others away under the threads that go on. */
void fl_die(fl_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vlog(FL_LOG_ERROR, fmt, ap);
    va_end(ap);
    if (!sink)
        fflush(stdout); /* an application's streams are its own */
    _exit((int)status);
}
