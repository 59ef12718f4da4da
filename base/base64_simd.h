/* base64_simd.h: base64 sixteen characters at a time, where the processor has SSSE3. Of both functions the caller does
 * what is left over: ends, and anything that is not plain. For encode.c. */
#ifndef FLEC_BASE_BASE64_SIMD_H
#define FLEC_BASE_BASE64_SIMD_H

#if defined(__x86_64__)

#include <stddef.h>
#include <stdint.h>
#include <tmmintrin.h>

#define FL_B64_SIMD 1

/* Encodes groups of 12 bytes while 16 can be read; returns how many bytes it took. Source: W. Muła, D. Lemire, "Faster
 * Base64 encoding and decoding using AVX2 instructions", ACM Trans. Web 12, 3 (2018). */
__attribute__((target("ssse3"))) static inline size_t fl_b64_encode_simd(char *out, const uint8_t *p, size_t n)
{
    const __m128i spread = _mm_set_epi8(10, 11, 9, 10, 7, 8, 6, 7, 4, 5, 3, 4, 1, 2, 0, 1);
    const __m128i shifts = _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                         '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
    size_t done = 0;
    for (; n - done >= 16; done += 12, out += 16) {
        __m128i v = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + done)), spread);
        __m128i ac = _mm_mulhi_epu16(_mm_and_si128(v, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
        __m128i bd = _mm_mullo_epi16(_mm_and_si128(v, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
        __m128i six = _mm_or_si128(ac, bd);
        __m128i row = _mm_or_si128(_mm_subs_epu8(six, _mm_set1_epi8(51)),
                                   _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), six), _mm_set1_epi8(13)));
        _mm_storeu_si128((__m128i *)(void *)out, _mm_add_epi8(_mm_shuffle_epi8(shifts, row), six));
    }
    return done;
}

/* Decodes groups of 16 characters, up to the first that holds one that is not of the alphabet; returns how many
 * characters it took. */
__attribute__((target("ssse3"))) static inline size_t fl_b64_decode_simd(uint8_t *out, const uint8_t *s, size_t n)
{
    /* A character is of the alphabet when the bits of its two halves have none in common. */
    const __m128i low_bits =
        _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
    const __m128i high_bits =
        _mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
    const __m128i shifts = _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i pack = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m128i slash = _mm_set1_epi8('/'), half = _mm_set1_epi8(0x0f);
    size_t done = 0;
    for (; n - done >= 16; done += 16, out += 12) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s + done));
        __m128i high = _mm_and_si128(_mm_srli_epi32(v, 4), half);
        __m128i odd =
            _mm_and_si128(_mm_shuffle_epi8(low_bits, _mm_and_si128(v, half)), _mm_shuffle_epi8(high_bits, high));
        if (_mm_movemask_epi8(_mm_cmpgt_epi8(odd, _mm_setzero_si128())))
            break;
        __m128i six = _mm_add_epi8(v, _mm_shuffle_epi8(shifts, _mm_add_epi8(_mm_cmpeq_epi8(v, slash), high)));
        __m128i twelve = _mm_maddubs_epi16(six, _mm_set1_epi32(0x01400140));
        __m128i bytes = _mm_shuffle_epi8(_mm_madd_epi16(twelve, _mm_set1_epi32(0x00011000)), pack);
        _mm_storel_epi64((__m128i *)(void *)out, bytes);
        uint32_t last = (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(bytes, 8));
        __builtin_memcpy(out + 8, &last, 4);
    }
    return done;
}

/* The compiler's own check: a load and a test. */
static inline int fl_b64_has_simd(void)
{
    return __builtin_cpu_supports("ssse3") != 0;
}

#endif
#endif
