/* version.c: versions and dates as numbers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

/* Reads digits into *out; at most max of them. Returns how many. */
static size_t digits(const char *s, size_t max, unsigned *out)
{
    size_t n = 0;
    for (*out = 0; n < max && s[n] >= '0' && s[n] <= '9'; n++)
        *out = *out * 10 + (unsigned)(s[n] - '0');
    return n;
}

bool fl_version_parse(const char *s, fl_version *out)
{
    *out = (fl_version){0};
    for (unsigned i = 0; i < 4; i++) {
        size_t n = digits(s, 9, &out->part[i]);
        if (!n)
            return false;
        s += n;
        if (*s == '\0' || *s == '-')
            return true;
        if (*s++ != '.')
            return false;
    }
    return false;
}

int fl_version_cmp(const fl_version *a, const fl_version *b)
{
    for (unsigned i = 0; i < 4; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}

/* Days of the proleptic Gregorian calendar since 1970-01-01, years counted from March (Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms"). */
static int64_t days_of(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static unsigned month_days(unsigned y, unsigned m)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return days[m - 1] + (m == 2 && leap);
}

bool fl_date_parse(const char *s, int64_t *days)
{
    unsigned y, m, d;
    if (strlen(s) != 10 || digits(s, 4, &y) != 4 || s[4] != '-' || digits(s + 5, 2, &m) != 2 || s[7] != '-' ||
        digits(s + 8, 2, &d) != 2)
        return false;
    if (m < 1 || m > 12 || d < 1 || d > month_days(y, m))
        return false;
    *days = days_of(y, m, d);
    return true;
}

int64_t fl_date_today(void)
{
    return (int64_t)(time(NULL) / 86400);
}

void fl_date_print(int64_t days, char out[11])
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    unsigned d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    unsigned m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    int64_t y = yoe + era * 400 + (m <= 2);
    if (y < 0 || y > 9999) { /* four digits is what the form has */
        y = y < 0 ? 0 : 9999;
    }
    snprintf(out, 11, "%04u-%02u-%02u", (unsigned)y, m % 100, d % 100);
}
