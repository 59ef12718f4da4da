/* width.c: how many columns of a terminal a text takes. The C locale's wcwidth knows ASCII alone, so the table is our
 * own. */
#include "base/text.h"
#include "base/width_ranges.h"

static bool is_in(const width_range *v, size_t n, uint32_t cp)
{
    size_t low = 0, high = n; /* v[low - 1].to < cp, cp <= v[high].to */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle].to < cp)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && v[low].from <= cp;
}

unsigned fl_utf8_width(uint32_t cp)
{
    if (cp < width_none[0].from)
        return 1;
    if (is_in(width_none, sizeof width_none / sizeof *width_none, cp))
        return 0;
    return is_in(width_two, sizeof width_two / sizeof *width_two, cp) ? 2 : 1;
}

unsigned fl_shown_width(const char *s, size_t n)
{
    unsigned total = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned len = fl_utf8_step(s + i, n - i, &cp);
        bool replaced = !len || cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || fl_bidi_control(cp);
        total += len && cp == '\t' ? 4 : replaced ? 1 : fl_utf8_width(cp);
        i += len ? len : 1;
    }
    return total;
}
