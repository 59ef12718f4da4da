/* answer_test.c: texts out of answers, base64 in both alphabets, tokens until they expire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/kms/answer.h"
#include "runtime/kms/tokens.h"

static fl_secret secret(const char *s)
{
    return fl_secret_copy(s, strlen(s));
}

/* want NULL: it must not be found. */
static void json(const char *text, const char *path, const char *want)
{
    fl_secret s = secret(text), out;
    assert_int_equal(kms_json_text(&s, path, &out), want != NULL);
    if (want)
        assert_string_equal((char *)out.bytes, want);
    else
        assert_null(out.bytes);
    fl_secret_free(&out);
    fl_secret_free(&s);
}

static void json_texts(void **state)
{
    json("{\"a\":\"x\"}", "a", "x");
    json(" { \"b\" : [1,{\"a\":\"no\"},-2.5e3,true,null] , \"a\":\"\" } ", "a", "");
    json("{\"data\":{\"n\":1,\"plaintext\":\"AAA=\"}}", "data/plaintext", "AAA=");
    json("{\"a\":\"q\\\"b\\\\s\\/n\\n\\u00e9\\ud83d\\ude00\"}", "a", "q\"b\\s/n\n\xc3\xa9\xf0\x9f\x98\x80");
    json("{\"a\":\"first\",\"a\":\"second\"}", "a", "first");
    json("{\"x\":\"\\\"a\\\":\\\"no\\\"\",\"a\":\"yes\"}", "a", "yes");
}

static void json_not_there(void **state)
{
    static const char *bad[] = {"",
                                "{",
                                "{}",
                                "[]",
                                "\"a\"",
                                "{\"a\"",
                                "{\"a\":",
                                "{\"a\":1}",
                                "{\"a\":\"x",
                                "{\"a\":\"\\",
                                "{\"a\":\"\\x\"}",
                                "{\"a\":\"\\u12\"}",
                                "{\"a\":\"\\u0000\"}",
                                "{\"a\":\"\\ud800\"}",
                                "{\"a\":\"\\udc00\"}",
                                "{\"a\":\"\\ud800\\u0041\"}",
                                "{\"b\":\"\n\",\"a\":\"x\"}",
                                "{\"b\":}",
                                "{b:1,\"a\":\"x\"}",
                                "{\"b\":[1,\"a\":\"x\"}",
                                "<html>\"a\":\"x\"</html>"};
    char deep[400] = "{\"b\":";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        json(bad[i], "a", NULL);
    json("{\"a\":\"x\"}", "a/b", NULL);
    for (int i = 0; i < 100; i++)
        strcat(deep, "[");
    json(deep, "a", NULL);
    for (int i = 0; i < 100; i++)
        strcat(deep, "]");
    strcat(deep, ",\"a\":\"x\"}");
    json(deep, "a", NULL);
}

/* The first element of an array, in order and in pieces: an answer that breaks off is not read past its end. */
static void json_firsts(void **state)
{
    static const char *bad[] = {"{\"errors\"",      "{\"errors\":",       "{\"errors\":[",    "{\"errors\":[]}",
                                "{\"errors\":[1]}", "{\"errors\":\"x\"}", "{\"errors\":[\"x", "errors"};
    fl_secret s = secret("{\"warnings\":null,\"errors\":[\"a\\tb\",\"c\"]}"), out;
    assert_true(kms_json_first(&s, "errors", &out));
    assert_string_equal((char *)out.bytes, "a\tb");
    fl_secret_free(&out);
    fl_secret_free(&s);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s = secret(bad[i]);
        assert_false(kms_json_first(&s, "errors", &out));
        assert_null(out.bytes);
        fl_secret_free(&s);
    }
}

static void integer(const char *text, bool found, int64_t want)
{
    fl_secret s = secret(text);
    int64_t got = 0;
    assert_int_equal(kms_json_int(&s, "n", &got), found);
    assert_int_equal(got, found ? want : got);
    fl_secret_free(&s);
}

static void json_integers(void **state)
{
    integer("{\"n\":3599}", true, 3599);
    integer("{\"n\":\"3599\"}", true, 3599);
    integer("{\"n\":-1}", true, -1);
    integer("{\"n\":\"3599}", false, 0);
    integer("{\"n\":null}", false, 0);
    integer("{\"n\":\"\"}", false, 0);
    integer("{\"n\":99999999999999999999}", false, 0);
    integer("{\"n\":1-1}", false, 0);
}

static void xml_texts(void **state)
{
    fl_secret s = secret("<R><Code>Access&amp;Denied&lt;&#x41;</Code><Code>two</Code><Open>x</R>"), out;
    assert_true(kms_xml_text(&s, "Code", &out));
    assert_string_equal((char *)out.bytes, "Access&Denied<&#x41;");
    fl_secret_free(&out);
    assert_false(kms_xml_text(&s, "Open", &out));
    assert_false(kms_xml_text(&s, "Cod", &out));
    fl_secret_free(&s);
    assert_false(kms_xml_text(&s, "Code", &out));
}

static void base64(void **state)
{
    static const uint8_t bytes[] = {0xfb, 0xff, 0xfe, 0x01};
    fl_secret s = kms_b64(bytes, 4, false), u = kms_b64(bytes, 4, true), back;
    assert_string_equal((char *)s.bytes, "+//+AQ==");
    assert_string_equal((char *)u.bytes, "-__-AQ");
    assert_int_equal(u.len, 6);
    assert_true(kms_unb64("-__-AQ", 6, true, &back));
    assert_memory_equal(back.bytes, bytes, 4);
    assert_int_equal(back.len, 4);
    fl_secret_free(&back);
    assert_false(kms_unb64("-__-AQ", 6, false, &back));
    assert_null(back.bytes);
    fl_secret_free(&s);
    fl_secret_free(&u);
}

static kms_token_id id_of(const char *a, const char *b)
{
    fl_secret one = {(uint8_t *)a, strlen(a)}, two = {(uint8_t *)b, b ? strlen(b) : 0};
    const fl_secret *parts[] = {&one, &two};
    return kms_token_of(parts, 2);
}

static void token_ids(void **state)
{
    kms_token_id one = id_of("ab", "c"), same = id_of("ab", "c"), moved = id_of("a", "bc"), empty = id_of("ab", ""),
                 absent = id_of("ab", NULL);
    assert_string_equal(one.hex, same.hex);
    assert_string_not_equal(one.hex, moved.hex);
    assert_string_not_equal(empty.hex, absent.hex);
}

static void tokens_expire(void **state)
{
    kms_token_id id = id_of("tokens", "expire");
    fl_secret t = secret("token"), newer = secret("newer"), out;
    assert_false(kms_token_get(&id, &out));
    kms_token_put(&id, &t, 3600);
    assert_true(kms_token_get(&id, &out));
    assert_string_equal((char *)out.bytes, "token");
    fl_secret_free(&out);
    kms_token_put(&id, &newer, 3600);
    kms_token_drop(&id, &t); /* not this one any more */
    assert_true(kms_token_get(&id, &out));
    assert_string_equal((char *)out.bytes, "newer");
    fl_secret_free(&out);
    kms_token_drop(&id, &newer);
    assert_false(kms_token_get(&id, &out));
    kms_token_put(&id, &t, 1); /* of which a tenth is the margin */
    assert_true(kms_token_get(&id, &out));
    fl_secret_free(&out);
    usleep(950000);
    assert_false(kms_token_get(&id, &out));
    fl_secret_free(&t);
    fl_secret_free(&newer);
}

/* The table is bounded: of many, the one that expires first goes. */
static void tokens_bounded(void **state)
{
    fl_secret t = secret("token"), out;
    char name[16];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "%d", i);
        kms_token_id id = id_of("bounded", name);
        kms_token_put(&id, &t, 100 + i);
    }
    kms_token_id first = id_of("bounded", "0"), last = id_of("bounded", "199");
    assert_false(kms_token_get(&first, &out));
    assert_true(kms_token_get(&last, &out));
    fl_secret_free(&out);
    fl_secret_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_texts),    cmocka_unit_test(json_not_there), cmocka_unit_test(json_firsts),
        cmocka_unit_test(json_integers), cmocka_unit_test(xml_texts),      cmocka_unit_test(base64),
        cmocka_unit_test(token_ids),     cmocka_unit_test(tokens_expire),  cmocka_unit_test(tokens_bounded),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
