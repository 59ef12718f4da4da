/* text_test.c: UTF-8, near misses, versions, dates, hex, base64, digests. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
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
    assert_int_equal(fl_utf8_width('a'), 1);
    assert_int_equal(fl_utf8_width(0x4e2d), 2);
    assert_int_equal(fl_utf8_width(0x0301), 0);
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
        cmocka_unit_test(near_misses),
        cmocka_unit_test(versions),
        cmocka_unit_test(dates),
        cmocka_unit_test(hex),
        cmocka_unit_test(base64_round_trips),
        cmocka_unit_test(base64_refuses),
        cmocka_unit_test(digest),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
