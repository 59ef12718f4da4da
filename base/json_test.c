/* json_test.c: what is JSON, where its parts stand, and the writer. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static fl_json *parse(fl_arena *a, const char *text, int flags)
{
    fl_json_error e;
    return fl_json_parse(a, text, strlen(text), flags, &e);
}

static void every_node_knows_its_place(void **state)
{
    static const char text[] = " {\"a\\n\": [1, -2.5e3, \"\\u00e9x\"], \"b\" : {}, \"t\":true,\"f\":false,\"n\":null} ";
    fl_arena *a = fl_arena_new();
    fl_json *j = parse(a, text, 0);
    assert_non_null(j);
    assert_int_equal(j->kind, FL_JOBJECT);
    assert_int_equal(j->from, 1);
    assert_int_equal(j->to, strlen(text) - 1);
    assert_int_equal(j->count, 5);
    const fl_json *list = fl_json_get(j, "a\n");
    assert_string_equal(fl_strndup(a, text + list->key_from, list->key_to - list->key_from), "\"a\\n\"");
    assert_string_equal(fl_strndup(a, text + list->from, list->to - list->from), "[1, -2.5e3, \"\\u00e9x\"]");
    const fl_json *number = list->child->next, *s = number->next;
    assert_string_equal(number->str, "-2.5e3");
    assert_string_equal(s->str, "\xc3\xa9x");
    assert_int_equal(s->len, 3);
    assert_string_equal(fl_strndup(a, text + s->from, s->to - s->from), "\"\\u00e9x\"");
    assert_true(fl_json_bool(j, "t", false));
    assert_false(fl_json_bool(j, "f", true));
    assert_true(fl_json_bool(j, "gone", true));
    assert_int_equal(fl_json_get(j, "n")->kind, FL_JNULL);
    assert_null(fl_json_str(j, "n"));
    assert_null(fl_json_get(list, "a"));
    fl_arena_free(a);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "",   "{",   "[1,]", "{\"a\":1,\"a\":2}", "{a:1}", "'x'",         "\"\\x\"", "\"\t\"",
        "01", "1 2", "nul",  "\"\\ud800\"",       "\xff",  "\"\xc0\xaf\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fl_arena *a = fl_arena_new();
        fl_json_error e = {0};
        if (fl_json_parse(a, bad[i], strlen(bad[i]), 0, &e))
            fail_msg("`%s` passes as JSON", bad[i]);
        assert_true(e.message[0] && e.offset <= strlen(bad[i]));
        fl_arena_free(a);
    }
}

static void nul_only_where_allowed(void **state)
{
    fl_arena *a = fl_arena_new();
    assert_null(parse(a, "\"a\\u0000b\"", 0));
    fl_json *j = parse(a, "\"a\\u0000b\"", FL_JSON_ALLOW_NUL);
    assert_non_null(j);
    assert_int_equal(j->len, 3);
    assert_memory_equal(j->str, "a\0b", 4);
    fl_arena_free(a);
}

/* jansson takes a zero byte behind a number or a word for nothing, so that the index would read past the text. */
static void a_zero_byte_is_refused(void **state)
{
    static const char texts[][12] = {"{\"a\":1\0}", "[true\0]", "[1\0,2]", "[\0]", "1\0", "{\"a\"\0:1}"};
    static const uint32_t places[] = {6, 5, 2, 1, 1, 4};
    fl_arena *a = fl_arena_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int flags = 0; flags <= FL_JSON_ALLOW_NUL; flags++) {
            fl_json_error err;
            size_t len = strlen(texts[i]) + 1 + strlen(texts[i] + strlen(texts[i]) + 1);
            assert_null(fl_json_parse(a, texts[i], len, flags, &err));
            assert_int_equal(err.offset, places[i]);
            assert_string_equal(err.message, "a zero byte");
        }
    fl_arena_free(a);
}

static void depth(void **state)
{
    char text[2 * FL_JSON_MAX_DEPTH + 8];
    for (int over = 0; over < 2; over++) {
        fl_arena *a = fl_arena_new();
        size_t n = FL_JSON_MAX_DEPTH + (size_t)over;
        memset(text, '[', n);
        memset(text + n, ']', n);
        text[2 * n] = 0;
        assert_int_equal(parse(a, text, 0) != NULL, !over);
        fl_arena_free(a);
    }
    fl_arena *a = fl_arena_new();
    char *deep = fl_alloc(a, 2000001);
    memset(deep, '[', 2000000);
    assert_null(parse(a, deep, 0)); /* and no stack is lost on it */
    fl_arena_free(a);
}

/* Refused unseen: a length over the limit is never read. */
static void too_large(void **state)
{
    fl_arena *a = fl_arena_new();
    fl_json_error e;
    assert_null(fl_json_parse(a, "1", FL_JSON_MAX_BYTES + 1, 0, &e));
    assert_non_null(strstr(e.message, "64 MiB"));
    fl_arena_free(a);
}

/* An error says where, and quotes nothing of the text, which may hold secrets. */
static void errors_have_a_place_and_no_text(void **state)
{
    static const struct {
        const char *text;
        uint32_t least, most;
    } rows[] = {
        {"{\"password\": hunter2}", 13, 20},
        {"{\"password\": \"hunter2\" \"hunter2\"}", 24, 34},
        {"[1, 2 hunter2", 6, 13},
        {"{\"hunter2\":1,\n\"hunter2\":2}", 15, 25},
        {"\"hunter2", 0, 8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fl_arena *a = fl_arena_new();
        fl_json_error e;
        assert_null(fl_json_parse(a, rows[i].text, strlen(rows[i].text), 0, &e));
        if (strstr(e.message, "hunter2") || e.offset < rows[i].least || e.offset > rows[i].most)
            fail_msg("`%s`: offset %u, %s", rows[i].text, e.offset, e.message);
        fl_arena_free(a);
    }
}

static void escapes(void **state)
{
    static const char text[] = "[\"\\ud83d\\ude42\\u20ac\", \"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\"]";
    fl_arena *a = fl_arena_new();
    const fl_json *j = parse(a, text, 0);
    assert_non_null(j);
    assert_string_equal(j->child->str, "\xf0\x9f\x99\x82\xe2\x82\xac");
    assert_int_equal(j->child->len, 7);
    assert_string_equal(j->child->next->str, "\"\\/\b\f\n\r\t");
    assert_string_equal(j->child->next->next->str, "");
    assert_null(j->child->next->next->next);
    assert_null(parse(a, "\"\\ude42\"", 0)); /* second half alone */
    assert_null(parse(a, "\"\\ud83dx\"", 0));
    assert_null(parse(a, "{\"a\\u0000b\":1}", FL_JSON_ALLOW_NUL)); /* names are C strings */
    fl_arena_free(a);
}

/* A text that ends where its memory ends is not read past it; what stands behind its length is not seen. */
static void only_its_own_bytes(void **state)
{
    static const char *const texts[] = {"12", "true", "\"a\\n\"", "[1,{\"a\":2}]", "null ", "-0.5e+1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strlen(texts[i]);
        char *exact = malloc(n);
        fl_json_error e;
        fl_arena *a = fl_arena_new();
        assert_non_null(exact);
        memcpy(exact, texts[i], n);
        assert_non_null(fl_json_parse(a, exact, n, 0, &e));
        fl_json_parse(a, exact, n - 1, 0, &e);
        free(exact);
        fl_arena_free(a);
    }
    fl_arena *a = fl_arena_new();
    fl_json_error e;
    int64_t v;
    assert_true(fl_json_to_int(fl_json_parse(a, "123", 2, 0, &e), &v) && v == 12);
    fl_arena_free(a);
}

static void integers(void **state)
{
    fl_arena *a = fl_arena_new();
    int64_t v;
    fl_json *j = parse(
        a, "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":1.0,\"d\":9223372036854775808,\"e\":\"1\"}", 0);
    assert_true(fl_json_int(j, "a", &v) && v == INT64_MAX);
    assert_true(fl_json_int(j, "b", &v) && v == INT64_MIN);
    assert_false(fl_json_int(j, "c", &v) || fl_json_int(j, "d", &v) || fl_json_int(j, "e", &v) ||
                 fl_json_int(j, "gone", &v));
    assert_true(fl_json_to_int(parse(a, "-0", 0), &v) && v == 0);
    assert_false(fl_json_to_int(parse(a, "1e2", 0), &v) || fl_json_to_int(parse(a, "-9223372036854775809", 0), &v));
    fl_arena_free(a);
}

static void writes(void **state)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 4096);
    fl_jw_init(&w, &b, true);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "a\"b", "x\n\x01\xc3\xa9/");
    fl_jw_kint(&w, "n", -7);
    fl_jw_kbool(&w, "t", true);
    fl_jw_key(&w, "empty");
    fl_jw_array(&w);
    fl_jw_end_array(&w);
    fl_jw_key(&w, "list");
    fl_jw_array(&w);
    fl_jw_null(&w);
    fl_jw_string_n(&w, "a\0b", 3);
    fl_jw_end_array(&w);
    fl_jw_end_object(&w);
    assert_string_equal(b.p, "{\n  \"a\\\"b\": \"x\\n\\u0001\xc3\xa9/\",\n  \"n\": -7,\n  \"t\": true,\n  \"empty\": "
                             "[],\n  \"list\": [\n    null,\n    \"a\\u0000b\"\n  ]\n}");
    fl_buf_free(&b);
}

/* Bytes that are no UTF-8 do not get out, and a buffer that is full says so. */
static void writes_only_json(void **state)
{
    fl_buf b;
    fl_jw w;
    fl_json_error err;
    fl_buf_init(&b, 64);
    fl_jw_init(&w, &b, false);
    fl_jw_array(&w);
    fl_jw_string(&w, "a\xff\xed\xa0\x80\xc3z\x7f");
    fl_jw_raw(&w, "1.50", 4);
    fl_jw_int(&w, INT64_MIN);
    fl_jw_bool(&w, false);
    fl_jw_end_array(&w);
    assert_string_equal(b.p, "[\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\x7f\",1.50,"
                             "-9223372036854775808,false]");
    fl_arena *a = fl_arena_new();
    assert_non_null(fl_json_parse(a, b.p, b.len, 0, &err));
    fl_jw_string(&w, "and more than there is room for");
    assert_true(b.full);
    assert_true(b.len <= 64);
    fl_buf_free(&b);
    fl_arena_free(a);
}

/* For people to look at: what a terminal acts on is escaped, and reads the same. */
static void guards_terminals(void **state)
{
    static const char odd[] = "a\x7f\xc2\x9b\xe2\x80\xae\xc3\xa4";
    fl_buf b;
    fl_jw w;
    fl_json_error err;
    fl_buf_init(&b, 256);
    fl_jw_init(&w, &b, false);
    fl_jw_string(&w, odd);
    w.guarded = true;
    fl_jw_string(&w, odd);
    assert_string_equal(b.p, "\"a\x7f\xc2\x9b\xe2\x80\xae\xc3\xa4\",\"a\\u007f\\u009b\\u202e\xc3\xa4\"");
    fl_arena *a = fl_arena_new();
    const fl_json *back = fl_json_parse(a, strchr(b.p, ',') + 1, strlen(strchr(b.p, ',') + 1), 0, &err);
    assert_non_null(back);
    assert_string_equal(back->str, odd);
    fl_buf_free(&b);
    fl_arena_free(a);
}

static void reprints(void **state)
{
    static const char text[] = "{\"z\":[1.50,\"\\u00e9\",{}],\"a\":null}";
    fl_arena *a = fl_arena_new();
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 4096);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, parse(a, text, 0));
    assert_string_equal(b.p, "{\"z\":[1.50,\"\xc3\xa9\",{}],\"a\":null}");
    fl_buf_free(&b);
    fl_arena_free(a);
}

static bool jansson_takes(const char *text, size_t n)
{
    json_error_t e;
    json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &e);
    json_decref(j);
    return j != NULL;
}

/* What is decided without jansson is decided as it would. Bytes of good texts are taken out, put in and changed; the
 * names are those of an object that is small enough to be compared here, and one that is not. */
static void as_jansson_says(void **state)
{
    static const char alphabet[] = "{}[],:\"\\/ \n\t0123456789-+.eEu\x01\x7f\x80\xc3\xa9truefalsn";
    static const char *const seeds[] = {
        "{\"a\": [1, -2.5e3, 0.1, 1e99], \"b\\n\": {\"c\": true, \"d\": false}, \"e\": null, \"f\": \"x\\\"y\"}",
        "[\"\\u00e9\", \"\\ud83d\\ude00\", \"\xc3\xa9\", {}, [], \"\", 1e300, -0, 123456789012345678901234567890]",
        "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,"
        "\"n\":1,"
        "\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1}"};
    unsigned random = 7, taken = 0;
    for (unsigned i = 0; i < 60000; i++) {
        char text[256];
        size_t n = strlen(seeds[i % 3]);
        memcpy(text, seeds[i % 3], n);
        for (unsigned k = 0; k < 1 + i % 2; k++) {
            random = random * 1103515245u + 12345u;
            size_t at = (random >> 8) % n, how = random >> 28;
            if (how < 4)
                memmove(text + at, text + at + 1, --n - at);
            else if (how < 6)
                memmove(text + at + 1, text + at, n++ - at);
            text[at] = how < 4 ? text[at] : alphabet[(random >> 3) % (sizeof alphabet - 1)];
        }
        fl_arena *a = fl_arena_new();
        fl_json_error e;
        bool takes = fl_json_parse(a, text, n, 0, &e);
        if (takes != jansson_takes(text, n))
            fail_msg("%s: `%.*s`", takes ? "passes" : "is refused", (int)n, text);
        taken += takes;
        fl_arena_free(a);
    }
    assert_in_range(taken, 6000, 54000);
}

/* What the writer puts for one byte of ASCII. */
static void expect_byte(fl_buf *b, int c, bool guarded)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *p = strchr(from, c);
    if (p)
        fl_buf_add(b, (char[]){'\\', to[p - from]}, 2);
    else if (c < ' ' || (guarded && c == 0x7f))
        fl_buf_addf(b, "\\u%04x", (unsigned)c);
    else
        fl_buf_addc(b, (char)c);
}

/* Texts are looked at eight bytes at a time: each byte at each place among plain ones, before and behind another odd
 * one. */
static void every_byte_at_every_place(void **state)
{
    enum { LEN = 19 };
    char text[LEN];
    for (int c = 1; c < 0x80; c++)
        for (int place = 0; place < LEN * 2; place++) {
            fl_buf got, want;
            fl_jw w;
            fl_buf_init(&got, 512);
            fl_buf_init(&want, 512);
            fl_jw_init(&w, &got, false);
            w.guarded = place >= LEN;
            memset(text, 'a' + c % 26, LEN);
            text[(place + c) % LEN] = (char)(c % 7 ? '~' : '"');
            text[place % LEN] = (char)c;
            fl_jw_string_n(&w, text, LEN);
            fl_buf_addc(&want, '"');
            for (int i = 0; i < LEN; i++)
                expect_byte(&want, text[i], w.guarded);
            fl_buf_addc(&want, '"');
            assert_string_equal(got.p, want.p);
            assert_int_equal(got.len, want.len);
            fl_buf_free(&got);
            fl_buf_free(&want);
        }
}

/* They are put together in blocks: all that takes more than a byte, at each place of one. */
static void long_texts(void **state)
{
    static const char *const parts[] = {"\x01", "\"", "\xf0\x9f\x99\x82", "a", "\xe2\x82\xac", "\n"};
    for (size_t from = 0; from < 6; from++) {
        fl_buf text, got, want;
        fl_jw w;
        fl_buf_init(&text, 8192);
        fl_buf_init(&got, 65536);
        fl_buf_init(&want, 65536);
        fl_jw_init(&w, &got, false);
        fl_buf_addc(&want, '"');
        for (size_t i = 0; text.len < 3000; i++) {
            const char *part = parts[(from + i * i) % 6];
            fl_buf_adds(&text, part);
            if ((unsigned char)*part < 0x80)
                expect_byte(&want, *part, false);
            else
                fl_buf_adds(&want, part);
        }
        fl_buf_addc(&want, '"');
        fl_jw_string(&w, text.p);
        assert_string_equal(got.p, want.p);
        fl_buf_free(&text);
        fl_buf_free(&got);
        fl_buf_free(&want);
    }
}

static void every_integer(void **state)
{
    static const int64_t some[] = {0, 7, -7, 9, 10, 99, 100, -1000, INT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        char want[32];
        fl_buf b;
        fl_jw w;
        fl_buf_init(&b, 64);
        fl_jw_init(&w, &b, false);
        fl_jw_int(&w, some[i]);
        snprintf(want, sizeof want, "%lld", (long long)some[i]);
        assert_string_equal(b.p, want);
        fl_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_only_where_allowed),
        cmocka_unit_test(a_zero_byte_is_refused),
        cmocka_unit_test(depth),
        cmocka_unit_test(integers),
        cmocka_unit_test(writes),
        cmocka_unit_test(reprints),
        cmocka_unit_test(too_large),
        cmocka_unit_test(errors_have_a_place_and_no_text),
        cmocka_unit_test(escapes),
        cmocka_unit_test(only_its_own_bytes),
        cmocka_unit_test(as_jansson_says),
        cmocka_unit_test(writes_only_json),
        cmocka_unit_test(guards_terminals),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(every_integer),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
