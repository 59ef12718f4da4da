/* utf8.c: UTF-8 read, written, checked, and made fit to be shown. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Lengths and lower bounds by the first byte: RFC 3629. */
unsigned fl_utf8_step(const char *s, size_t n, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    if (!n)
        return 0;
    if (p[0] < 0x80) {
        *cp = p[0];
        return 1;
    }
    unsigned len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4 || len > n)
        return 0;
    uint32_t c = p[0] & (0x7FU >> len);
    for (unsigned i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3FU);
    }
    if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *cp = c;
    return len;
}

bool fl_utf8_ok(const char *s, size_t n, size_t *bad)
{
    size_t i = 0;
    while (i < n) {
        uint64_t eight;
        if (n - i >= 8 && (memcpy(&eight, s + i, 8), !(eight & 0x8080808080808080U))) {
            i += 8;
            continue;
        }
        uint32_t cp;
        unsigned len = fl_utf8_step(s + i, n - i, &cp);
        if (!len) {
            if (bad)
                *bad = i;
            return false;
        }
        i += len;
    }
    return true;
}

unsigned fl_utf8_next(const char *s, uint32_t *cp)
{
    unsigned len = fl_utf8_step(s, 4, cp); /* a NUL ends a malformed tail early: no byte behind it is read */
    if (len)
        return len;
    *cp = 0xFFFD;
    return 1;
}

unsigned fl_utf8_put(char *out, uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    unsigned len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = len - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(lead[len] | cp);
    return len;
}

bool fl_bidi_control(uint32_t cp)
{
    return cp == 0x061C || cp == 0x200E || cp == 0x200F || (cp >= 0x202A && cp <= 0x202E) ||
           (cp >= 0x2066 && cp <= 0x2069);
}

bool fl_buf_add_shown(fl_buf *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned len = fl_utf8_step(s + i, n - i, &cp);
        bool plain = len && cp >= 0x20 && !(cp >= 0x7F && cp < 0xA0) && !fl_bidi_control(cp);
        if (cp == '\t' && len)
            fl_buf_adds(b, "    ");
        else if (plain)
            fl_buf_add(b, s + i, len);
        else
            fl_buf_adds(b, "\xEF\xBF\xBD"); /* U+FFFD */
        i += len ? len : 1;
    }
    return !b->full;
}
