/* literal.c: reads the literals of conditions: numbers, durations, dates and versions. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/guard/model.h"

static bool read_number(const char *s, long double *out)
{
    char *end;
    if (s[strspn(s, "0123456789.eE+-")])
        return false;
    *out = strtold(s, &end);
    return !*end && isfinite(*out);
}

static bool read_duration(const char *s, long double *seconds)
{
    size_t digits = strspn(s, "0123456789");
    const char *unit = digits && digits < 10 && s[digits] && !s[digits + 1] ? strchr("smhd", s[digits]) : NULL;
    static const int of[] = {1, 60, 3600, 86400};
    if (unit)
        *seconds = (long double)strtol(s, NULL, 10) * of[unit - strchr("smhd", 's')];
    return unit;
}

bool guard_read_as(const char *s, guard_type type, guard_value *v)
{
    int64_t day;
    switch (type) {
    case GUARD_NUMBER:
        return read_number(s, &v->number);
    case GUARD_DURATION:
        return read_duration(s, &v->number);
    case GUARD_DATE:
        if (!fl_date_parse(s, &day))
            return false;
        v->number = (long double)day;
        return true;
    case GUARD_VERSION:
        return fl_version_parse(s, &v->version);
    default:
        return false;
    }
}

const char *guard_example(guard_type t)
{
    static const char *const all[] = {[GUARD_BOOL] = "true or false", [GUARD_TEXT] = "\"text\" in quotes",
                                      [GUARD_NUMBER] = "1000",        [GUARD_DURATION] = "90d, 12h, 30m, 300s or never",
                                      [GUARD_DATE] = "2027-06-30",    [GUARD_VERSION] = "7.6.1",
                                      [GUARD_SET] = "[\"A\", \"B\"]"};
    return all[t];
}
