/* encoding.c: the bytes of a policy file: line ends, byte-order mark, UTF-8, characters that may stand nowhere. */
#include <string.h>

#include "lang/syntax.h"

/* LF line ends, no byte-order mark. */
static char *fold(fl_arena *a, const char *text, size_t *len)
{
    size_t n = *len, k = 0, i = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (!memchr(text, '\r', n)) {
        *len = n - i;
        return fl_strndup(a, text + i, n - i);
    }
    char *out = fl_alloc(a, n + 1);
    for (; i < n; i++)
        if (text[i] != '\r' || i + 1 == n || text[i + 1] != '\n')
            out[k++] = text[i];
    *len = k;
    return out;
}

/* Nothing is to be said of it: most characters are such. */
static bool is_plain(char c)
{
    return (c >= 0x20 && c < 0x7f) || c == '\t';
}

/* What is wrong with the character at s; NULL if nothing. Sets its length. */
static const char *judge(const char *s, size_t n, uint32_t *cp, unsigned *width)
{
    unsigned char c = (unsigned char)s[0];
    *cp = c;
    *width = 1;
    if (c < 0x80)
        return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ? "a control character" : NULL;
    unsigned want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    size_t bad;
    if (want > n || !fl_utf8_ok(s, want, &bad))
        return "invalid UTF-8";
    *width = fl_utf8_next(s, cp);
    if (fl_bidi_control(*cp))
        return "a bidirectional control character, which makes text read otherwise than it is,";
    return *cp < 0xa0 || *cp == 0x2028 || *cp == 0x2029 ? "a control character" : NULL;
}

void lang_read_text(lang_reader *r, const char *name, const char *text, size_t len)
{
    bool large = len > LANG_MAX_FILE;
    size_t n = large ? 0 : len;
    char *copy = fold(r->a, text, &n);
    r->src = fl_source_new(r->a, name, copy, n);
    r->bad = fl_alloc(r->scratch, r->src->nlines + 2);
    if (large)
        lang_limit(r, (lang_loc){0, 0}, "the file is larger than 16 MiB");
    uint32_t line = 0;
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        unsigned width;
        while (is_plain(copy[i])) /* it ends with a NUL */
            i++;
        if (i == n)
            break;
        const char *what = judge(copy + i, n - i, &cp, &width);
        if (what) {
            if (!r->bad[line])
                lang_error(r, (lang_loc){(uint32_t)i, (uint32_t)i + width}, "%s (%s%02X) cannot stand in a policy",
                           what, what[0] == 'i' ? "byte 0x" : "U+", (unsigned)cp);
            r->bad[line] = 1;
            memset(copy + i, '?', width);
        }
        line += copy[i] == '\n';
        i += width;
    }
}
