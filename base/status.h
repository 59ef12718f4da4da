/* status.h: exit statuses of the CLI contract, and the log. */
#ifndef FLEC_BASE_STATUS_H
#define FLEC_BASE_STATUS_H

#include <stdbool.h>

/* Where several hold: usage before could-not-run before findings before drift. */
typedef enum { FL_OK = 0, FL_FINDINGS = 1, FL_USAGE = 2, FL_DRIFT = 3, FL_COULD_NOT_RUN = 4 } fl_status;
fl_status fl_status_worse(fl_status a, fl_status b);

typedef enum { FL_LOG_ERROR, FL_LOG_WARN, FL_LOG_INFO, FL_LOG_DEBUG } fl_log_level;
/* To standard error; text `flec: warning: …` or one JSON object a line. Values of records and secrets are never logged.
 */
void fl_log_setup(fl_log_level level, bool json);
void fl_log(fl_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Each message that passes the level goes to fn, from whatever thread, instead of standard error; fn NULL: back to it.
 * For the library, before its first thread. */
typedef void fl_log_sink(fl_log_level level, const char *message);
void fl_log_to(fl_log_sink *fn, fl_log_level level);
/* Logs an error and ends the program. */
void fl_die(fl_status status, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

#endif
