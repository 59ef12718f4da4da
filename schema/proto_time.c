/* proto_time.c: google.protobuf.Timestamp and Duration as JSON has them: RFC 3339 in UTC, and seconds with an `s`. */
#include "schema/proto_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NANOS        1000000000
#define MIN_SECONDS  (-62135596800) /* 0001-01-01T00:00:00Z */
#define MAX_SECONDS  253402300799   /* 9999-12-31T23:59:59Z */
#define MAX_DURATION 315576000000   /* 10,000 years */

proto_special sch_proto_special(const proto_message *m)
{
    static const char *const wrappers[] = {"DoubleValue", "FloatValue", "Int64Value",  "UInt64Value", "Int32Value",
                                           "UInt32Value", "BoolValue",  "StringValue", "BytesValue"};
    if (strncmp(m->full, "google.protobuf.", 16) != 0)
        return PROTO_PLAIN;
    const char *name = m->full + 16;
    if (strcmp(name, "Timestamp") == 0)
        return PROTO_TIMESTAMP;
    if (strcmp(name, "Duration") == 0)
        return PROTO_DURATION;
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (strcmp(name, wrappers[i]) == 0)
            return PROTO_WRAPPER;
    return PROTO_PLAIN;
}

/* ---- days ---- */

/* Days since 1970-01-01 of a date of the Gregorian calendar, and back: years begin in March, so that a leap day ends
 * one. */
static int64_t days_of(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    *d = (int)(of_year - (153 * month + 2) / 5 + 1);
    *m = (int)(month < 10 ? month + 3 : month - 9);
    *y = year + era * 400 + (*m <= 2);
}

/* ---- reading ---- */

/* Exactly n digits. */
static bool digits(const char **s, int n, int *out)
{
    *out = 0;
    for (; n > 0; n--, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        *out = *out * 10 + (**s - '0');
    }
    return true;
}

static bool sign(const char **s, char c)
{
    bool is = **s == c;
    *s += is;
    return is;
}

/* ".5", one to nine digits; nothing is 0. */
static bool fraction(const char **s, int32_t *nanos)
{
    *nanos = 0;
    if (!sign(s, '.'))
        return true;
    int32_t unit = NANOS / 10;
    const char *from = *s;
    for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10) {
        if (!unit)
            return false;
        *nanos += (**s - '0') * unit;
    }
    return *s > from;
}

static bool offset(const char **s, int64_t *seconds)
{
    int hours, minutes, way = **s == '-' ? -1 : 1;
    if (sign(s, 'Z') || sign(s, 'z'))
        return true;
    if ((!sign(s, '+') && !sign(s, '-')) || !digits(s, 2, &hours) || !sign(s, ':') || !digits(s, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    *seconds -= way * (hours * 3600 + minutes * 60);
    return true;
}

static bool date(const char **s, int64_t *days)
{
    static const int last[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;
    if (!digits(s, 4, &y) || !sign(s, '-') || !digits(s, 2, &m) || !sign(s, '-') || !digits(s, 2, &d))
        return false;
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > last[m - 1])
        return false;
    int64_t back_y;
    int back_m, back_d;
    *days = days_of(y, m, d);
    date_of(*days, &back_y, &back_m, &back_d);
    return back_d == d; /* no 29 February of a common year */
}

static bool read_timestamp(const char *s, int64_t *seconds, int32_t *nanos)
{
    int h, m, sec;
    int64_t days;
    if (!date(&s, &days) || (!sign(&s, 'T') && !sign(&s, 't')) || !digits(&s, 2, &h) || !sign(&s, ':') ||
        !digits(&s, 2, &m) || !sign(&s, ':') || !digits(&s, 2, &sec) || h > 23 || m > 59 || sec > 59 ||
        !fraction(&s, nanos))
        return false;
    *seconds = days * 86400 + h * 3600 + m * 60 + sec;
    return offset(&s, seconds) && !*s && *seconds >= MIN_SECONDS && *seconds <= MAX_SECONDS;
}

static bool read_duration(const char *s, int64_t *seconds, int32_t *nanos)
{
    bool minus = sign(&s, '-');
    const char *from = s;
    for (*seconds = 0; *s >= '0' && *s <= '9'; s++) {
        *seconds = *seconds * 10 + (*s - '0');
        if (*seconds > MAX_DURATION)
            return false;
    }
    if (s == from || !fraction(&s, nanos) || !sign(&s, 's') || *s)
        return false;
    if (minus) {
        *seconds = -*seconds;
        *nanos = -*nanos;
    }
    return true;
}

bool sch_proto_read_time(proto_special kind, const char *text, int64_t *seconds, int32_t *nanos)
{
    return kind == PROTO_TIMESTAMP ? read_timestamp(text, seconds, nanos) : read_duration(text, seconds, nanos);
}

/* ---- printing ---- */

/* In 0, 3, 6 or 9 digits, as the mapping says. */
static void add_fraction(fl_buf *out, int32_t nanos)
{
    if (nanos % 1000000 == 0 && nanos)
        fl_buf_addf(out, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0 && nanos)
        fl_buf_addf(out, ".%06d", nanos / 1000);
    else if (nanos)
        fl_buf_addf(out, ".%09d", nanos);
}

bool sch_proto_print_time(proto_special kind, int64_t seconds, int32_t nanos, fl_buf *out)
{
    if (kind == PROTO_DURATION) {
        bool minus = seconds < 0 || nanos < 0;
        if (seconds > MAX_DURATION || seconds < -MAX_DURATION || nanos <= -NANOS || nanos >= NANOS ||
            (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0))
            return false;
        fl_buf_addf(out, "\"%s%" PRId64, minus ? "-" : "", minus ? -seconds : seconds);
        add_fraction(out, minus ? -nanos : nanos);
        return fl_buf_adds(out, "s\"");
    }
    if (seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos < 0 || nanos >= NANOS)
        return false;
    int64_t days = (seconds - MIN_SECONDS) / 86400 + MIN_SECONDS / 86400, of_day = seconds - days * 86400, y;
    int m, d;
    date_of(days, &y, &m, &d);
    fl_buf_addf(out, "\"%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", y, m, d, (int)(of_day / 3600), (int)(of_day / 60 % 60),
                (int)(of_day % 60));
    add_fraction(out, nanos);
    return fl_buf_adds(out, "Z\"");
}
