/* json_scan.h: runs of bytes in a JSON text, sixteen at a time where the processor can. Nothing at or behind `end` is
 * read. Not for the rest of runtime/. */
#ifndef FLEC_RUNTIME_JSON_SCAN_H
#define FLEC_RUNTIME_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline const uint8_t *json_blanks(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Behind what may stand between tokens: most often nothing does. */
static inline const uint8_t *json_blank(const uint8_t *p, const uint8_t *end)
{
    return p < end && *p <= ' ' ? json_blanks(p, end) : p;
}

#ifdef __SSE2__
/* A bit for each of the 16 bytes at p that does not stand for itself in a string. */
static inline unsigned json_odd_bytes(const uint8_t *p)
{
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i odd = _mm_or_si128(_mm_cmplt_epi8(v, space), /* signed: from 0x80 on as well */
                               _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
    return (unsigned)_mm_movemask_epi8(odd);
}
#endif

/* To the first byte that does not stand for itself: below 0x20, '"', '\\', from 0x80 on. low: the bytes from there on
 * may be read as well, so that the last ones are looked at together. */
static inline const uint8_t *json_plain(const uint8_t *low, const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    unsigned odd;
    for (size_t blocks = (size_t)(end - p) / 16; blocks; blocks--, p += 16) {
        odd = json_odd_bytes(p);
        if (odd)
            return p + __builtin_ctz(odd);
    }
    if (p < end && end - low >= 16) {
        odd = json_odd_bytes(end - 16) >> (16 - (end - p));
        return odd ? p + __builtin_ctz(odd) : end;
    }
#else
    (void)low;
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* To the first byte that JSON wants escaped in a string: below 0x20, '"', '\\'. */
static inline const uint8_t *json_unescaped(const uint8_t *p, const uint8_t *end)
{
    while ((p = json_plain(p, p, end)) < end && *p >= 0x80)
        p++;
    return p;
}

static inline bool json_digit(const uint8_t *p, const uint8_t *end)
{
    return p < end && (uint8_t)(*p - '0') < 10;
}

static inline const uint8_t *json_digits(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i zero = _mm_set1_epi8('0'), nine = _mm_set1_epi8(9);
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), zero);
        unsigned mask = 0xffff & ~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, nine), v));
        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (json_digit(p, end))
        p++;
    return p;
}

static inline int json_hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Four hex digits at p, or -1. */
static inline int32_t json_hex4(const uint8_t *p, const uint8_t *end)
{
    int32_t v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = json_hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

#endif
