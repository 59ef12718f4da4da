/* text_test.c: UTF-8, near misses, versions, dates, hex, base64, digests. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void utf8(void **state)
{
    static const struct {
        const char *s;
        size_t n;
        size_t bad; /* n: all is well */
    } rows[] = {
        {"", 0, 0},
        {"plain", 5, 5},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82", 9, 9},
        {"\x7f", 1, 1},
        {"a\x80", 2, 1},            /* a continuation alone */
        {"\xc0\xaf", 2, 0},         /* overlong */
        {"\xe0\x80\xaf", 3, 0},     /* overlong */
        {"\xf0\x80\x80\xaf", 4, 0}, /* overlong */
        {"\xed\xa0\x80", 3, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
        {"ab\xe2\x82", 4, 2},       /* cut off */
        {"\xff", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t bad = 99;
        bool ok = fl_utf8_ok(rows[i].s, rows[i].n, &bad);
        assert_int_equal(ok, rows[i].bad == rows[i].n);
        if (!ok)
            assert_int_equal(bad, rows[i].bad);
    }
}

static void code_points(void **state)
{
    static const uint32_t all[] = {'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char out[5] = "";
        uint32_t back = 0;
        unsigned n = fl_utf8_put(out, all[i]);
        assert_int_equal(fl_utf8_next(out, &back), n);
        assert_int_equal(back, all[i]);
        assert_int_equal(fl_utf8_step(out, n, &back), n);
        assert_int_equal(fl_utf8_step(out, n - 1, &back), 0);
    }
    assert_true(fl_bidi_control(0x202e) && fl_bidi_control(0x2066) && fl_bidi_control(0x061c) &&
                fl_bidi_control(0x200f));
    assert_false(fl_bidi_control('a') || fl_bidi_control(0x202f) || fl_bidi_control(0x2065));
    static const struct {
        const char *text;
        unsigned columns;
    } shown[] = {
        {"", 0},
        {"abc", 3},
        {"a\tb", 6},                                 /* a tab is shown as four blanks */
        {"e\xcc\x81", 1},                            /* a mark above */
        {"\xe4\xb8\xad\xe6\x96\x87", 4},             /* Han */
        {"\xed\x95\x9c", 2},                         /* a syllable of Hangul */
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 2}, /* the same of three pieces */
        {"\xf0\x9f\x98\x80", 2},                     /* a face */
        {"\xef\xbc\xa1", 2},                         /* a fullwidth A */
        {"\xe0\xb8\x81\xe0\xb8\xb4", 1},             /* Thai with a vowel above */
        {"a\xe2\x80\x8d"
         "b",
         2},                 /* a joiner */
        {"\xc3\x28", 2},     /* no UTF-8: U+FFFD, then a parenthesis */
        {"\xe2\x80\xae", 1}, /* a bidirectional control: U+FFFD */
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        assert_int_equal(fl_shown_width(shown[i].text, strlen(shown[i].text)), shown[i].columns);
    assert_int_equal(fl_utf8_width('a'), 1);
    assert_int_equal(fl_utf8_width(0x4e2d), 2);
    assert_int_equal(fl_utf8_width(0x0301), 0);
}

/* Every code point there is, forth and back; nothing between them. */
static void all_code_points(void **state)
{
    for (uint32_t cp = 0; cp <= 0x110000; cp++) {
        char out[4];
        uint32_t back = 0;
        unsigned n = fl_utf8_put(out, cp), got = fl_utf8_step(out, n, &back);
        bool well = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
        if (got != (well ? n : 0) || (well && back != cp))
            fail_msg("U+%04X: %u bytes, read back %u as U+%04X", cp, n, got, back);
    }
}

/* Eight bytes are looked at together: a bad one is found at each place. */
static void bad_bytes_at_each_place(void **state)
{
    for (size_t n = 1; n <= 40; n++)
        for (size_t at = 0; at < n; at++) {
            char text[40];
            size_t bad = 99;
            memset(text, 'a', sizeof text);
            text[at] = (char)0x80;
            assert_false(fl_utf8_ok(text, n, &bad));
            assert_int_equal(bad, at);
            assert_false(fl_utf8_ok(text, n, NULL));
        }
}

static void near_misses(void **state)
{
    static const char *const words[] = {"algorithm", "rotate", "kms", "PII"};
    assert_int_equal(fl_distance("rotate", "rotate", 3), 0);
    assert_int_equal(fl_distance("rotate", "rotaet", 3), 1); /* two letters change places: one step */
    assert_int_equal(fl_distance("kitten", "sitting", 5), 3);
    assert_true(fl_distance("abc", "xyzuvw", 2) > 2);
    assert_string_equal(fl_nearest("algoritm", words, 4), "algorithm");
    assert_string_equal(fl_nearest("ROTATE", words, 4), "rotate"); /* case alone always counts */
    assert_string_equal(fl_nearest("PIII", words, 4), "PII");
    assert_null(fl_nearest("completely", words, 4));
    assert_null(fl_nearest("x", words, 0));
    assert_null(fl_nearest("a", (const char *const[]){"b"}, 1)); /* of one letter everything would be near */
    assert_string_equal(fl_nearest("kmt", (const char *const[]){"kmx", "kms"}, 2), "kmx"); /* the first of equals */
    char long_word[301], other[301];
    memset(long_word, 'a', 300);
    long_word[300] = '\0';
    memcpy(other, long_word, 301);
    assert_int_equal(fl_distance(long_word, other, 3), 0);
    other[150] = 'b';
    assert_int_equal(fl_distance(long_word, other, 3), 4); /* too long to be compared: far */
}

static void versions(void **state)
{
    fl_version a, b;
    assert_true(fl_version_parse("7.6.1", &a) && fl_version_parse("7.10", &b));
    assert_true(fl_version_cmp(&a, &b) < 0 && fl_version_cmp(&b, &a) > 0 && fl_version_cmp(&a, &a) == 0);
    assert_true(fl_version_parse("7.6.1-ccs", &b));
    assert_int_equal(fl_version_cmp(&a, &b), 0);
    static const char *const bad[] = {"", "x", "7.", ".7", "7..1", "7.x", "1.2.3.4.5", "99999999999", "-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (fl_version_parse(bad[i], &a))
            fail_msg("`%s` passes as a version", bad[i]);
}

static void dates(void **state)
{
    int64_t d;
    char out[11];
    assert_true(fl_date_parse("1970-01-01", &d));
    assert_int_equal(d, 0);
    assert_true(fl_date_parse("2024-02-29", &d));
    fl_date_print(d, out);
    assert_string_equal(out, "2024-02-29");
    assert_true(fl_date_parse("2026-11-24", &d));
    assert_int_equal(d, 20781);
    static const char *const bad[] = {"2023-02-29", "1900-02-29",  "2026-13-01",
                                      "2026-00-10", "2026-04-31",  "2026-1-1",
                                      "26-01-01",   "2026-01-01x", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (fl_date_parse(bad[i], &d))
            fail_msg("`%s` passes as a day", bad[i]);
}

static void days_follow(int64_t first, int64_t last)
{
    char out[11];
    for (int64_t d = first, back; d <= last; d++) {
        fl_date_print(d, out);
        if (!fl_date_parse(out, &back) || back != d)
            fail_msg("day %lld prints as %s", (long long)d, out);
    }
}

/* The calendar repeats after 400 years: each day of one such period, and around both ends of the four-digit years. */
static void every_day(void **state)
{
    int64_t first = 0, last = 0, from = 0, to = 0;
    assert_true(fl_date_parse("0000-01-01", &first) && fl_date_parse("9999-12-31", &last));
    assert_int_equal(last - first + 1, 25 * 146097);
    assert_true(fl_date_parse("1899-12-31", &from) && fl_date_parse("2300-01-01", &to));
    days_follow(first, first + 800);
    days_follow(from, to);
    days_follow(last - 800, last);
    assert_true(fl_date_today() > 20000 && fl_date_today() < last);
}

static void hex(void **state)
{
    uint8_t bytes[4];
    char text[9];
    assert_true(fl_unhex(bytes, "00ffA5b1", 8));
    fl_hex(text, bytes, 4);
    assert_string_equal(text, "00ffa5b1");
    assert_false(fl_unhex(bytes, "0", 1) || fl_unhex(bytes, "0g", 2) || fl_unhex(bytes, " 0", 2));
}

static void base64_round_trips(void **state)
{
    uint8_t in[200], out[FL_B64_ROOM(300)];
    char text[FL_B64_LEN(200)];
    srand(4711);
    for (size_t n = 0; n <= 200; n++) {
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)rand();
        size_t len = fl_b64_encode(text, in, n);
        assert_int_equal(len, FL_B64_LEN(n));
        assert_int_equal(fl_b64_decode(out, text, len, FL_B64_STRICT), n);
        assert_memory_equal(out, in, n);
        while (len && text[len - 1] == '=')
            len--;
        assert_int_equal(fl_b64_decode(out, text, len, FL_B64_LAX), n);
        if (len % 4)
            assert_int_equal(fl_b64_decode(out, text, len, FL_B64_STRICT), -1);
    }
}

/* What wide registers make of a text is what its groups of three make one by one. */
static void base64_by_groups(void **state)
{
    uint8_t in[200], out[FL_B64_ROOM(300)];
    char text[FL_B64_LEN(200)], groups[FL_B64_LEN(200)];
    srand(4712);
    for (size_t n = 0; n <= 200; n++) {
        size_t len = 0, back = 0;
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)rand();
        for (size_t i = 0; i < n; i += 3)
            len += fl_b64_encode(groups + len, in + i, n - i < 3 ? n - i : 3);
        assert_int_equal(fl_b64_encode(text, in, n), len);
        assert_memory_equal(text, groups, len);
        for (size_t i = 0; i < len; i += 4)
            back += (size_t)fl_b64_decode(out + back, text + i, 4, FL_B64_STRICT);
        assert_int_equal(back, n);
        assert_memory_equal(out, in, n);
    }
}

static void base64_refuses(void **state)
{
    uint8_t out[64];
    static const char *const bad[] = {"A",
                                      "A===",
                                      "====",
                                      "AB=C",
                                      "A=BC",
                                      "AB\nC",
                                      "AB C",
                                      "AB-_",
                                      "AAAAA",
                                      "AAA*",
                                      "AB==CDEF",
                                      "AB",
                                      /* unused bits: */ "AB==",
                                      "AAB="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool lax_only = !strcmp(bad[i], "AB"); /* its unused bits are not zero either */
        if (fl_b64_decode(out, bad[i], strlen(bad[i]), FL_B64_STRICT) >= 0)
            fail_msg("`%s` decodes", bad[i]);
        if (!lax_only && fl_b64_decode(out, bad[i], strlen(bad[i]), FL_B64_LAX) >= 0)
            fail_msg("`%s` decodes, lax", bad[i]);
    }
    assert_int_equal(fl_b64_decode(out, "QQ==", 4, FL_B64_STRICT), 1);
    assert_int_equal(fl_b64_decode(out, "QQ", 2, FL_B64_LAX), 1);
    assert_int_equal(fl_b64_decode(out, "", 0, FL_B64_STRICT), 0);
}

/* Of all endings of two and three letters those decode that the encoder writes, and they come back the same. */
static void base64_endings(void **state)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned taken[2] = {0};
    for (unsigned i = 0; i < 64 * 64 * 65; i++) {
        char text[5], again[4];
        uint8_t out[3];
        unsigned third = i / 4096; /* 64: padding */
        snprintf(text, sizeof text, "%c%c%c=", letters[i % 64], letters[i / 64 % 64],
                 third < 64 ? letters[third] : '=');
        ptrdiff_t n = fl_b64_decode(out, text, 4, FL_B64_STRICT);
        size_t bare = third < 64 ? 3 : 2;
        assert_int_equal(fl_b64_decode(out, text, bare, FL_B64_LAX), n);
        if (n == -1)
            continue;
        assert_in_range(n, 1, 2);
        taken[n == 2]++;
        assert_int_equal(fl_b64_encode(again, out, (size_t)n), 4);
        assert_memory_equal(again, text, 4);
    }
    assert_int_equal(taken[0], 256);
    assert_int_equal(taken[1], 65536);
}

/* No byte outside the alphabet passes, at no place of a group, in groups or at the end. */
static void base64_alphabet(void **state)
{
    uint8_t out[16];
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 10; at++) {
            char text[] = "AAAAAAAAAA==";
            bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                          (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';
            text[at] = (char)byte;
            bool want = letter && (at < 9 || byte == 'A' || byte == 'Q' || byte == 'g' || byte == 'w');
            assert_int_equal(fl_b64_decode(out, text, 12, FL_B64_STRICT) == 7, want);
            assert_int_equal(fl_b64_decode(out, text, 10, FL_B64_LAX) == 7, want);
        }
}

/* As the alphabet is written down, one character after the other. */
static size_t plain_base64(char *out, const uint8_t *p, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = 0;
    for (size_t bit = 0; bit < 8 * n; bit += 6) {
        unsigned v = 0;
        for (size_t i = bit; i < bit + 6; i++)
            v = v << 1 | (i / 8 < n ? p[i / 8] >> (7 - i % 8) & 1u : 0);
        out[len++] = letters[v];
    }
    while (len % 4)
        out[len++] = '=';
    return len;
}

/* Long enough for what works on many characters at once: every value of six bits at every place of a group, and every
 * byte at every place of a long text. */
static void base64_long(void **state)
{
    uint8_t in[48], out[FL_B64_ROOM(64)];
    char text[64], want[64];
    for (unsigned v = 0; v < 4096; v++) {
        for (size_t i = 0; i < sizeof in; i += 3) {
            in[i] = (uint8_t)(v >> 4);
            in[i + 1] = (uint8_t)(v << 4 | (v + i) >> 8);
            in[i + 2] = (uint8_t)(v + i);
        }
        assert_int_equal(plain_base64(want, in, sizeof in), 64);
        assert_int_equal(fl_b64_encode(text, in, sizeof in), 64);
        assert_memory_equal(text, want, 64);
        assert_int_equal(fl_b64_decode(out, text, 64, FL_B64_STRICT), 48);
        assert_memory_equal(out, in, 48);
    }
    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 64; at++) {
            bool letter = byte && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (int)byte);
            bool padding = byte == '=' && at == 63;
            memset(text, 'A', sizeof text);
            text[at] = (char)byte;
            assert_int_equal(fl_b64_decode(out, text, 64, FL_B64_STRICT), letter ? 48 : padding ? 47 : -1);
        }
}

/* Under a sanitizer: neither direction touches a byte outside of what it was given. */
static void base64_bounds(void **state)
{
    for (size_t n = 1; n <= 64; n++) {
        uint8_t *in = calloc(n, 1), *out = malloc(FL_B64_ROOM(FL_B64_LEN(n)));
        char *text = malloc(FL_B64_LEN(n));
        assert_true(in && out && text);
        assert_int_equal(fl_b64_encode(text, in, n), FL_B64_LEN(n));
        assert_int_equal(fl_b64_decode(out, text, FL_B64_LEN(n), FL_B64_STRICT), n);
        free(in);
        free(text);
        free(out);
        for (int flags = FL_B64_STRICT; flags <= FL_B64_LAX; flags++) { /* nothing but padding */
            char *padding = malloc(n);
            uint8_t *room = malloc(FL_B64_ROOM(n));
            assert_true(padding && room);
            memset(padding, '=', n);
            assert_int_equal(fl_b64_decode(room, padding, n, flags), -1);
            free(padding);
            free(room);
        }
    }
}

static void digest(void **state)
{
    char out[65];
    fl_sha256_hex(out, "abc", 3);
    assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),
        cmocka_unit_test(code_points),
        cmocka_unit_test(bad_bytes_at_each_place),
        cmocka_unit_test(all_code_points),
        cmocka_unit_test(near_misses),
        cmocka_unit_test(versions),
        cmocka_unit_test(dates),
        cmocka_unit_test(every_day),
        cmocka_unit_test(hex),
        cmocka_unit_test(base64_round_trips),
        cmocka_unit_test(base64_by_groups),
        cmocka_unit_test(base64_refuses),
        cmocka_unit_test(base64_long),
        cmocka_unit_test(base64_bounds),
        cmocka_unit_test(base64_alphabet),
        cmocka_unit_test(base64_endings),
        cmocka_unit_test(digest),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
