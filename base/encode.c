/* encode.c: hex and base64. Both directions of base64 are on the engine's hot path: they work 32 or 16 characters
 * at a time where the processor can, else by table. */
#include <string.h>

#include "base/base64_simd.h"
#include "base/text.h"

/* ---- hex ---- */

void fl_hex(char *out, const void *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++) {
        *out++ = digit[b[i] >> 4];
        *out++ = digit[b[i] & 15];
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool fl_unhex(uint8_t *out, const char *s, size_t n)
{
    if (n % 2)
        return false;
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_value(s[i]), low = hex_value(s[i + 1]);
        if (high < 0 || low < 0)
            return false;
        *out++ = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- base64 ---- */

/* clang-format off */
/* Two characters for each 12 bits. */
#define ROW(c) \
    {c, 'A'}, {c, 'B'}, {c, 'C'}, {c, 'D'}, {c, 'E'}, {c, 'F'}, {c, 'G'}, {c, 'H'}, {c, 'I'}, {c, 'J'}, {c, 'K'}, \
    {c, 'L'}, {c, 'M'}, {c, 'N'}, {c, 'O'}, {c, 'P'}, {c, 'Q'}, {c, 'R'}, {c, 'S'}, {c, 'T'}, {c, 'U'}, {c, 'V'}, \
    {c, 'W'}, {c, 'X'}, {c, 'Y'}, {c, 'Z'}, {c, 'a'}, {c, 'b'}, {c, 'c'}, {c, 'd'}, {c, 'e'}, {c, 'f'}, {c, 'g'}, \
    {c, 'h'}, {c, 'i'}, {c, 'j'}, {c, 'k'}, {c, 'l'}, {c, 'm'}, {c, 'n'}, {c, 'o'}, {c, 'p'}, {c, 'q'}, {c, 'r'}, \
    {c, 's'}, {c, 't'}, {c, 'u'}, {c, 'v'}, {c, 'w'}, {c, 'x'}, {c, 'y'}, {c, 'z'}, {c, '0'}, {c, '1'}, {c, '2'}, \
    {c, '3'}, {c, '4'}, {c, '5'}, {c, '6'}, {c, '7'}, {c, '8'}, {c, '9'}, {c, '+'}, {c, '/'}
static const char pair[4096][2] = {
    ROW('A'), ROW('B'), ROW('C'), ROW('D'), ROW('E'), ROW('F'), ROW('G'), ROW('H'), ROW('I'), ROW('J'), ROW('K'),
    ROW('L'), ROW('M'), ROW('N'), ROW('O'), ROW('P'), ROW('Q'), ROW('R'), ROW('S'), ROW('T'), ROW('U'), ROW('V'),
    ROW('W'), ROW('X'), ROW('Y'), ROW('Z'), ROW('a'), ROW('b'), ROW('c'), ROW('d'), ROW('e'), ROW('f'), ROW('g'),
    ROW('h'), ROW('i'), ROW('j'), ROW('k'), ROW('l'), ROW('m'), ROW('n'), ROW('o'), ROW('p'), ROW('q'), ROW('r'),
    ROW('s'), ROW('t'), ROW('u'), ROW('v'), ROW('w'), ROW('x'), ROW('y'), ROW('z'), ROW('0'), ROW('1'), ROW('2'),
    ROW('3'), ROW('4'), ROW('5'), ROW('6'), ROW('7'), ROW('8'), ROW('9'), ROW('+'), ROW('/')
};
#define VALID 0x40 /* set in each entry that stands for a character of the alphabet */
static const uint8_t value[256] = {
    ['A'] = VALID | 0, ['B'] = VALID | 1, ['C'] = VALID | 2, ['D'] = VALID | 3, ['E'] = VALID | 4, ['F'] = VALID |
    5, ['G'] = VALID | 6, ['H'] = VALID | 7, ['I'] = VALID | 8, ['J'] = VALID | 9, ['K'] = VALID | 10, ['L'] =
    VALID | 11, ['M'] = VALID | 12, ['N'] = VALID | 13, ['O'] = VALID | 14, ['P'] = VALID | 15, ['Q'] = VALID |
    16, ['R'] = VALID | 17, ['S'] = VALID | 18, ['T'] = VALID | 19, ['U'] = VALID | 20, ['V'] = VALID | 21, ['W']
    = VALID | 22, ['X'] = VALID | 23, ['Y'] = VALID | 24, ['Z'] = VALID | 25, ['a'] = VALID | 26, ['b'] = VALID |
    27, ['c'] = VALID | 28, ['d'] = VALID | 29, ['e'] = VALID | 30, ['f'] = VALID | 31, ['g'] = VALID | 32, ['h']
    = VALID | 33, ['i'] = VALID | 34, ['j'] = VALID | 35, ['k'] = VALID | 36, ['l'] = VALID | 37, ['m'] = VALID |
    38, ['n'] = VALID | 39, ['o'] = VALID | 40, ['p'] = VALID | 41, ['q'] = VALID | 42, ['r'] = VALID | 43, ['s']
    = VALID | 44, ['t'] = VALID | 45, ['u'] = VALID | 46, ['v'] = VALID | 47, ['w'] = VALID | 48, ['x'] = VALID |
    49, ['y'] = VALID | 50, ['z'] = VALID | 51, ['0'] = VALID | 52, ['1'] = VALID | 53, ['2'] = VALID | 54, ['3']
    = VALID | 55, ['4'] = VALID | 56, ['5'] = VALID | 57, ['6'] = VALID | 58, ['7'] = VALID | 59, ['8'] = VALID |
    60, ['9'] = VALID | 61, ['+'] = VALID | 62, ['/'] = VALID | 63
};
/* clang-format on */

static inline void put12(char *out, uint64_t bits)
{
    memcpy(out, pair[bits & 0xFFF], 2);
}

/* One or two last bytes, padded. */
static char *encode_tail(char *out, const uint8_t *p, size_t n)
{
    uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    put12(out, v >> 12);
    put12(out + 2, v);
    out[3] = '=';
    if (n == 1)
        out[2] = '=';
    return out + 4;
}

size_t fl_b64_encode(char *out, const uint8_t *p, size_t n)
{
    char *start = out;
#ifdef FL_B64_SIMD
    size_t done = fl_b64_encode_simd(out, p, n);
    if (done) { /* p may be NULL, to which nothing may be added, not even 0 */
        p += done;
        n -= done;
        out += done / 3 * 4;
    }
#endif
    for (; n >= 8; n -= 6, p += 6, out += 8) { /* reads 8 bytes, uses 6 */
        uint64_t v;
        memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        put12(out, v >> 52);
        put12(out + 2, v >> 40);
        put12(out + 4, v >> 28);
        put12(out + 6, v >> 16);
    }
    for (; n >= 3; n -= 3, p += 3, out += 4) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        put12(out, v >> 12);
        put12(out + 2, v);
    }
    if (n)
        out = encode_tail(out, p, n);
    return (size_t)(out - start);
}

/* Four characters into 24 bits; false if one is not of the alphabet. */
static inline bool quad(const uint8_t *s, uint32_t *v)
{
    uint8_t a = value[s[0]], b = value[s[1]], c = value[s[2]], d = value[s[3]];
    *v = (uint32_t)(a & 63) << 18 | (uint32_t)(b & 63) << 12 | (uint32_t)(c & 63) << 6 | (d & 63);
    return (a & b & c & d & VALID) != 0;
}

/* Two or three last characters, padding taken off: 1 or 2 bytes, whose unused bits must be zero. */
static int decode_tail(uint8_t *out, const uint8_t *s, size_t n)
{
    uint32_t v;
    if (n < 2)
        return -1;
    const uint8_t four[4] = {s[0], s[1], n == 3 ? s[2] : 'A', 'A'};
    if (!quad(four, &v) || (v & (n == 3 ? 0xFF : 0xFFFF)))
        return -1;
    out[0] = (uint8_t)(v >> 16);
    if (n == 3)
        out[1] = (uint8_t)(v >> 8);
    return (int)n - 1;
}

ptrdiff_t fl_b64_decode(uint8_t *out, const char *text, size_t n, int flags)
{
    const uint8_t *s = (const uint8_t *)text, *start = out;
    if (!n) /* either may be NULL, to which nothing may be added, not even 0 */
        return 0;
    if (n % 4 == 0) {
        if (s[n - 1] == '=')
            n -= s[n - 2] == '=' ? 2 : 1;
    } else if (!(flags & FL_B64_LAX)) {
        return -1;
    }
#ifdef FL_B64_SIMD
    size_t done = fl_b64_decode_simd(out, s, n);
    s += done;
    n -= done;
    out += done / 4 * 3;
#endif
    for (; n >= 4; n -= 4, s += 4, out += 3) {
        uint32_t v;
        if (!quad(s, &v))
            return -1;
        out[0] = (uint8_t)(v >> 16);
        out[1] = (uint8_t)(v >> 8);
        out[2] = (uint8_t)v;
    }
    int tail = n ? decode_tail(out, s, n) : 0;
    return tail < 0 ? -1 : out - start + tail;
}
