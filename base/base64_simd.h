/* base64_simd.h: base64 with the processor's wide registers, where it has SSSE3 or AVX2. Of both functions the caller
 * does what is left over: short texts, the last group that is not whole, and anything that is not plain. For encode.c.
 *
 * Source: W. Muła, D. Lemire, "Faster Base64 encoding and decoding using AVX2 instructions", ACM Trans. Web 12, 3
 * (2018). What is fewer than a register at the end is done with the register moved back over what was done before: most
 * texts here are a few registers long, and ends by table would cost as much as all before them. */
#ifndef FLEC_BASE_BASE64_SIMD_H
#define FLEC_BASE_BASE64_SIMD_H

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FL_B64_SIMD 1
#define FL_SSSE3    __attribute__((target("ssse3")))
#define FL_AVX2     __attribute__((target("avx2")))

/* ---- encoding: 12 bytes in the lower part of a lane, three for each four characters ---- */

/* Where the bytes of a lane go when its 12 begin at the byte `at`: 0 or 4. */
#define FL_B64_SPREAD(at)                                                                                              \
    10 + (at), 11 + (at), 9 + (at), 10 + (at), 7 + (at), 8 + (at), 6 + (at), 7 + (at), 4 + (at), 5 + (at), 3 + (at),   \
        4 + (at), 1 + (at), 2 + (at), 0 + (at), 1 + (at)
#define FL_B64_LETTERS                                                                                                 \
    'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,      \
        '+' - 62, '/' - 63, 'A', 0, 0

FL_SSSE3 static inline __m128i fl_b64_text16(__m128i spread)
{
    __m128i ac = _mm_mulhi_epu16(_mm_and_si128(spread, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
    __m128i bd = _mm_mullo_epi16(_mm_and_si128(spread, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
    __m128i six = _mm_or_si128(ac, bd);
    __m128i row = _mm_or_si128(_mm_subs_epu8(six, _mm_set1_epi8(51)),
                               _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), six), _mm_set1_epi8(13)));
    return _mm_add_epi8(_mm_shuffle_epi8(_mm_setr_epi8(FL_B64_LETTERS), row), six);
}

FL_AVX2 static inline __m256i fl_b64_text32(__m256i spread)
{
    __m256i ac =
        _mm256_mulhi_epu16(_mm256_and_si256(spread, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    __m256i bd =
        _mm256_mullo_epi16(_mm256_and_si256(spread, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    __m256i six = _mm256_or_si256(ac, bd);
    __m256i row = _mm256_or_si256(_mm256_subs_epu8(six, _mm256_set1_epi8(51)),
                                  _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), six), _mm256_set1_epi8(13)));
    return _mm256_add_epi8(_mm256_shuffle_epi8(_mm256_setr_epi8(FL_B64_LETTERS, FL_B64_LETTERS), row), six);
}

/* Encodes all whole groups of three of n bytes, 18 or more; returns how many bytes those are. */
FL_SSSE3 static inline size_t fl_b64_encode_ssse3(char *out, const uint8_t *p, size_t n)
{
    const __m128i first = _mm_set_epi8(FL_B64_SPREAD(0)), next = _mm_set_epi8(FL_B64_SPREAD(4));
    size_t whole = n / 3 * 3, at = 12;
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    _mm_storeu_si128((__m128i *)(void *)out, fl_b64_text16(_mm_shuffle_epi8(v, first)));
    for (bool more = true; more; at += 12) { /* each 12 are read with the four before them */
        more = whole - at > 12;
        at = more ? at : whole - 12;
        v = _mm_loadu_si128((const __m128i *)(const void *)(p + at - 4));
        _mm_storeu_si128((__m128i *)(void *)(out + at / 3 * 4), fl_b64_text16(_mm_shuffle_epi8(v, next)));
    }
    return whole;
}

FL_AVX2 static inline __m256i fl_b64_load24(const uint8_t *p)
{
    return _mm256_loadu2_m128i((const __m128i *)(const void *)(p + 12), (const __m128i *)(const void *)p);
}

/* The same of 30 bytes or more. */
FL_AVX2 static inline size_t fl_b64_encode_avx2(char *out, const uint8_t *p, size_t n)
{
    const __m256i first = _mm256_set_epi8(FL_B64_SPREAD(0), FL_B64_SPREAD(0));
    const __m256i next = _mm256_set_epi8(FL_B64_SPREAD(4), FL_B64_SPREAD(4));
    size_t whole = n / 3 * 3, at = 24;
    _mm256_storeu_si256((__m256i *)(void *)out, fl_b64_text32(_mm256_shuffle_epi8(fl_b64_load24(p), first)));
    for (bool more = true; more; at += 24) {
        more = whole - at > 24;
        at = more ? at : whole - 24;
        __m256i v = _mm256_shuffle_epi8(fl_b64_load24(p + at - 4), next);
        _mm256_storeu_si256((__m256i *)(void *)(out + at / 3 * 4), fl_b64_text32(v));
    }
    return whole;
}

/* ---- decoding ---- */

/* A character is of the alphabet when the bits of its two halves have none in common. */
#define FL_B64_LOW    0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a
#define FL_B64_HIGH   0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10
#define FL_B64_VALUES 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
#define FL_B64_PACK   2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1

/* 12 bytes in the lower part; false: a character is not of the alphabet. */
FL_SSSE3 static inline bool fl_b64_bytes12(const uint8_t *s, uint8_t *out)
{
    const __m128i half = _mm_set1_epi8(0x0f);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
    __m128i high = _mm_and_si128(_mm_srli_epi32(v, 4), half);
    __m128i odd = _mm_and_si128(_mm_shuffle_epi8(_mm_setr_epi8(FL_B64_LOW), _mm_and_si128(v, half)),
                                _mm_shuffle_epi8(_mm_setr_epi8(FL_B64_HIGH), high));
    if (_mm_movemask_epi8(_mm_cmpgt_epi8(odd, _mm_setzero_si128())))
        return false;
    __m128i row = _mm_add_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('/')), high);
    __m128i six = _mm_add_epi8(v, _mm_shuffle_epi8(_mm_setr_epi8(FL_B64_VALUES), row));
    __m128i twelve = _mm_maddubs_epi16(six, _mm_set1_epi32(0x01400140));
    __m128i bytes = _mm_shuffle_epi8(_mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000)), _mm_setr_epi8(FL_B64_PACK));
    _mm_storel_epi64((__m128i *)(void *)out, bytes);
    uint32_t last = (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(bytes, 8));
    __builtin_memcpy(out + 8, &last, 4);
    return true;
}

/* 24 bytes. */
FL_AVX2 static inline bool fl_b64_bytes24(const uint8_t *s, uint8_t *out)
{
    const __m256i half = _mm256_set1_epi8(0x0f);
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)s);
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(v, 4), half);
    __m256i low_bits = _mm256_shuffle_epi8(_mm256_setr_epi8(FL_B64_LOW, FL_B64_LOW), _mm256_and_si256(v, half));
    __m256i high_bits = _mm256_shuffle_epi8(_mm256_setr_epi8(FL_B64_HIGH, FL_B64_HIGH), high);
    if (!_mm256_testz_si256(low_bits, high_bits))
        return false;
    __m256i row = _mm256_add_epi8(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('/')), high);
    __m256i six = _mm256_add_epi8(v, _mm256_shuffle_epi8(_mm256_setr_epi8(FL_B64_VALUES, FL_B64_VALUES), row));
    __m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
    __m256i bytes = _mm256_shuffle_epi8(_mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000)),
                                        _mm256_setr_epi8(FL_B64_PACK, FL_B64_PACK));
    bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    _mm_storeu_si128((__m128i *)(void *)out, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((__m128i *)(void *)(out + 16), _mm256_extracti128_si256(bytes, 1));
    return true;
}

/* Decodes all whole groups of four of n characters, 16 or more; returns how many characters those are, or fewer where
 * one is not of the alphabet. */
FL_SSSE3 static inline size_t fl_b64_decode_ssse3(uint8_t *out, const uint8_t *s, size_t n)
{
    size_t whole = n / 4 * 4, done = 0;
    for (; n - done >= 16; done += 16)
        if (!fl_b64_bytes12(s + done, out + done / 4 * 3))
            return done;
    if (done < whole && !fl_b64_bytes12(s + whole - 16, out + (whole - 16) / 4 * 3))
        return done;
    return whole;
}

/* The same of 32 characters or more. */
FL_AVX2 static inline size_t fl_b64_decode_avx2(uint8_t *out, const uint8_t *s, size_t n)
{
    size_t whole = n / 4 * 4, done = 0;
    for (; n - done >= 32; done += 32)
        if (!fl_b64_bytes24(s + done, out + done / 4 * 3))
            return done;
    if (done < whole && !fl_b64_bytes24(s + whole - 32, out + (whole - 32) / 4 * 3))
        return done;
    return whole;
}

/* ---- which of them: the compiler's own check, a load and a test ---- */

static inline size_t fl_b64_encode_simd(char *out, const uint8_t *p, size_t n)
{
    if (n >= 30 && __builtin_cpu_supports("avx2"))
        return fl_b64_encode_avx2(out, p, n);
    return n >= 18 && __builtin_cpu_supports("ssse3") ? fl_b64_encode_ssse3(out, p, n) : 0;
}

static inline size_t fl_b64_decode_simd(uint8_t *out, const uint8_t *s, size_t n)
{
    if (n >= 32 && __builtin_cpu_supports("avx2"))
        return fl_b64_decode_avx2(out, s, n);
    return n >= 16 && __builtin_cpu_supports("ssse3") ? fl_b64_decode_ssse3(out, s, n) : 0;
}

#endif
#endif
