/* records_test.c: streams of records: forms, tombstones, failures, bounds; and Kafka's primitive formats. */
#include "runtime/lab.h"

#include <sys/resource.h>
#include <unistd.h>

#include "runtime/primitive.h"
#include "runtime/records.h"
#include "runtime/stream.h"

static lab l;
static rt_codec *codec, *reading;
static const char *got; /* what the last run wrote */
static size_t got_len;
static rt_transcoded count;

#define SCHEMA                                                                                                         \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"s\",\"type\":"  \
    "\"string\","                                                                                                      \
    "\"confluent:tags\":[\"PII\"]}]}"

static int open_lab(void **state)
{
    rt_codec_options opt = {.read_only = true};
    lab_open(&l);
    const char *set = lab_set(&l, lab_rule(&l, "enc", "[\"PII\"]", "kek", "AES256_SIV", ""));
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, set, NULL, &codec), RT_OK);
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, set, &opt, &reading), RT_OK);
    return 0;
}
static int close_lab(void **state)
{
    rt_codec_close(codec);
    rt_codec_close(reading);
    lab_close(&l);
    return 0;
}

static int temporary(const void *p, size_t n)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    int fd = dup(fileno(f));
    fclose(f);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static rt_code run(rt_transcode t, const void *in, size_t n)
{
    t.in = temporary(in, n);
    t.out = temporary("", 0);
    t.sides[RT_VALUE] = (rt_side){.codec = t.decrypt ? reading : codec};
    if (!t.sides[RT_KEY].codec)
        t.sides[RT_KEY].format = "string";
    rt_code code = rt_transcode_run(&t, &count, &l.err);
    got_len = (size_t)lseek(t.out, 0, SEEK_END);
    char *p = fl_alloc(l.a, got_len + 1);
    assert_int_equal(pread(t.out, p, got_len, 0), (ssize_t)got_len);
    got = p;
    close(t.in);
    close(t.out);
    return code;
}

static void must(rt_transcode t, const void *in, size_t n)
{
    if (run(t, in, n))
        fail_msg("%s", l.err.message);
}

static const char lines[] = "{\"id\":\"1\",\"s\":\"first\"}\nnull\n\n{\"s\":\"second\",\"id\":\"2\"}\r\n";
static const char printed[] = "{\"id\":\"1\",\"s\":\"first\"}\nnull\n{\"id\":\"2\",\"s\":\"second\"}\n";

/* From json through each wire form and back, and through each plain form. */
static void every_form_there_and_back(void **state)
{
    static const rt_format wire[] = {RT_HEX, RT_RAW, RT_ENVELOPE}, plain[] = {RT_JSON, RT_HEX, RT_RAW};
    for (int w = 0; w < 3; w++)
        for (int p = 0; p < 3; p++) {
            must((rt_transcode){.part = RT_VALUE, .from = RT_JSON, .to = wire[w]}, lines, strlen(lines));
            assert_int_equal(count.done, 3);
            assert_null(memmem(got, got_len, "first", 5));
            must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = wire[w], .to = plain[p]}, got, got_len);
            must((rt_transcode){.part = RT_VALUE, .from = plain[p], .to = RT_HEX}, got, got_len);
            must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_HEX, .to = RT_JSON}, got, got_len);
            assert_string_equal(got, printed);
        }
}

static void raw_has_lengths_and_tombstones(void **state)
{
    static const uint8_t in[] = {0, 0, 0, 4, 2, '1', 2, 'a', 0xff, 0xff, 0xff, 0xff};
    must((rt_transcode){.part = RT_VALUE, .from = RT_RAW, .to = RT_RAW}, in, sizeof in);
    /* 00 + id, "1", base64 of 17 bytes */
    assert_int_equal(got_len, 4 + 5 + 2 + 1 + 24 + 4);
    assert_int_equal(got[3], 5 + 2 + 1 + 24);
    assert_memory_equal(got + got_len - 4, "\xff\xff\xff\xff", 4);
}

static void envelopes_carry_key_and_headers(void **state)
{
    static const char in[] = "{\"key\":\"k\\u00e9\",\"value\":{\"id\":\"1\",\"s\":\"first\"},\"headers\":{\"h\":\"x\"}}"
                             "\n{\"key\":null,\"value\":null}\n";
    must((rt_transcode){.part = RT_VALUE, .from = RT_ENVELOPE, .to = RT_ENVELOPE}, in, strlen(in));
    assert_true(strncmp(got, "{\"key\":\"6bc3a9\",\"value\":\"00000000", 32) == 0);
    assert_non_null(strstr(got, ",\"headers\":{\"h\":\"x\"}}\n{\"key\":null,\"value\":null}\n"));
    must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_ENVELOPE, .to = RT_ENVELOPE}, got, got_len);
    assert_string_equal(got, "{\"key\":\"k\xc3\xa9\",\"value\":{\"id\":\"1\",\"s\":\"first\"},\"headers\":{\"h\":\"x\"}"
                             "}\n{\"key\":null,\"value\":null}\n");
}

/* Records of an older version, as they were written and as the latest has them. */
static void as_the_latest_schema_has_them(void **state)
{
    static const char newer[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"more\",\"type\":\"int\",\"default\":7},"
        "{\"name\":\"s\",\"type\":[\"null\",\"string\"],\"confluent:tags\":[\"PII\"]}]}";
    rt_codec_options opt = {.read_only = true};
    rt_codec *c, *keep = reading;
    const char *set = lab_set(&l, lab_rule(&l, "enc", "[\"PII\"]", "kek", "AES256_SIV", ""));
    assert_int_equal(lab_codec(&l, newer, NULL, set, &opt, &c), RT_OK);
    must((rt_transcode){.part = RT_VALUE, .from = RT_JSON, .to = RT_HEX}, lines, sizeof lines - 1);
    const char *wire = got;
    size_t n = got_len;
    reading = c;
    must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_HEX, .to = RT_JSON}, wire, n);
    assert_string_equal(got, printed);
    must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_HEX, .to = RT_JSON, .latest = true}, wire, n);
    assert_string_equal(got, "{\"more\":7,\"s\":\"first\"}\nnull\n{\"more\":7,\"s\":\"second\"}\n");
    reading = keep;
    rt_codec_close(c);
}

static void broken_envelopes_are_refused(void **state)
{
    static const struct {
        const char *in, *says;
        bool decrypt;
    } rows[] = {
        {"[]\n", "must be a JSON object", false},
        {"{\"key\":\"k\"}\n", "has no value", false},
        {"{\"value\":null,\"topic\":\"t\"}\n", "not what stands at byte 14", false},
        {"{\"value\":null,\"headers\":[]}\n", "headers of the envelope must be an object", false},
        {"{\"value\":null,\"headers\":{\"h\":1}}\n", "must be texts", false},
        {"{\"value\":null,\"headers\":{\"__value_schema_id\":\"x\"}}\n", "must be hex in text", true},
        {"{\"value\":null,\"headers\":{\"__value_schema_id\":\"00\"}}\n", "has the header __value_schema_id already",
         false},
        {"{\"value\":\"02\",\"headers\":{\"__value_schema_id\":\"00\"}}\n", "the byte 1 and a GUID", true},
        {"{\"value\":{}}\n", "must be hex in text", true},
        {"{\"value\":\"0g\"}\n", "not hexadecimal", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_transcode t = {.decrypt = rows[i].decrypt, .part = RT_VALUE, .from = RT_ENVELOPE, .to = RT_ENVELOPE};
        assert_int_not_equal(run(t, rows[i].in, strlen(rows[i].in)), RT_OK);
        assert_says(&l, rows[i].says);
        assert_says(&l, "record 1: ");
        assert_int_equal(got_len, 0);
    }
}

static void the_run_stops_or_skips(void **state)
{
    static const char in[] = "{\"id\":\"1\",\"s\":\"a\"}\n{\"id\":1}\n{\"id\":\"2\",\"s\":\"b\",\"x\":1}\nnonsense\n{"
                             "\"id\":\"3\",\"s\":\"c\"}\n";
    fl_log_setup(FL_LOG_ERROR, false);
    rt_transcode t = {.part = RT_VALUE, .from = RT_JSON, .to = RT_HEX};
    assert_int_equal(run(t, in, strlen(in)), RT_BAD_INPUT);
    assert_says(&l, "record 2: value: id: ");
    assert_non_null(strchr(got, '\n')); /* what came before is written */
    assert_int_equal(count.done, 1);
    t.skip = true;
    must(t, in, strlen(in));
    assert_int_equal(count.done, 2);
    assert_int_equal(count.failed, 3);
    must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_HEX, .to = RT_JSON}, got, got_len);
    assert_string_equal(got, "{\"id\":\"1\",\"s\":\"a\"}\n{\"id\":\"3\",\"s\":\"c\"}\n");
}

/* A cut in the middle of a raw stream cannot be skipped: nothing after it can be found. */
static void a_truncated_raw_stream_stops_the_run(void **state)
{
    static const uint8_t in[] = {0, 0, 0, 4, 2, '1', 2, 'a', 0, 0, 0, 9, 1};
    for (size_t n = 9; n < sizeof in; n++) {
        rt_transcode t = {.part = RT_VALUE, .from = RT_RAW, .to = RT_RAW, .skip = true};
        assert_int_equal(run(t, in, n), RT_BAD_INPUT);
        assert_says(&l, "ends inside a record");
        assert_int_equal(count.done, 1);
    }
    static const uint8_t huge[] = {0x7f, 0, 0, 0};
    assert_int_equal(run((rt_transcode){.part = RT_VALUE, .from = RT_RAW, .to = RT_RAW}, huge, 4), RT_BAD_INPUT);
    assert_says(&l, "larger than");
}

static void many_records_keep_their_order(void **state)
{
    fl_buf in;
    fl_buf_init(&in, 16 << 20);
    for (int i = 0; i < 20000; i++)
        fl_buf_addf(&in, "{\"id\":\"%d\",\"s\":\"secret of %d\"}\n", i, i);
    const char *all = fl_strndup(l.a, in.p, in.len);
    must((rt_transcode){.part = RT_VALUE, .from = RT_JSON, .to = RT_RAW}, in.p, in.len);
    must((rt_transcode){.decrypt = true, .part = RT_VALUE, .from = RT_RAW, .to = RT_JSON}, got, got_len);
    assert_int_equal(count.done, 20000);
    assert_string_equal(got, all);
    fl_buf_free(&in);
}

static void a_key_of_a_primitive_format_passes(void **state)
{
    rt_transcode t = {.part = RT_KEY, .sides = {[RT_KEY] = {.format = "long"}}, .from = RT_JSON, .to = RT_HEX};
    t.in = temporary("-2\nnull\n258\n", 12);
    t.out = temporary("", 0);
    assert_int_equal(rt_transcode_run(&t, &count, &l.err), RT_OK);
    char out[64] = {0};
    assert_true(pread(t.out, out, 63, 0) > 0);
    assert_string_equal(out, "fffffffffffffffe\nnull\n0000000000000102\n");
    close(t.in);
    close(t.out);
}

/* ---- primitive formats ---- */

static void primitives(void **state)
{
    static const struct {
        const char *format, *json, *hex;
    } rows[] = {
        {"string", "\"k\xc3\xa9\"", "6bc3a9"},
        {"string", "\"\"", ""},
        {"bytes", "\"\xc3\xbf\"", "ff"},
        {"short", "-2", "fffe"},
        {"short", "32767", "7fff"},
        {"integer", "-2", "fffffffe"},
        {"integer", "2147483647", "7fffffff"},
        {"long", "-2", "fffffffffffffffe"},
        {"long", "1", "0000000000000001"},
        {"float", "1.5", "3fc00000"},
        {"double", "-1.5", "bff8000000000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fl_json_error je;
        fl_buf b, hex;
        fl_buf_init(&b, 1000);
        fl_buf_init(&hex, 1000);
        const fl_json *j = fl_json_parse(l.a, rows[i].json, strlen(rows[i].json), 0, &je);
        assert_int_equal(rt_primitive_from_json(rows[i].format, j, SCH_BYTES_TEXT, &b, &l.err), RT_OK);
        fl_buf_reserve(&hex, 2 * b.len + 1);
        fl_hex(hex.p, b.p, b.len);
        assert_string_equal(hex.p, rows[i].hex);
        hex.len = 0;
        assert_int_equal(rt_primitive_to_json(rows[i].format, (uint8_t *)b.p, b.len, SCH_BYTES_TEXT, &hex, &l.err),
                         RT_OK);
        assert_string_equal(hex.p, rows[i].json);
        fl_buf_free(&b);
        fl_buf_free(&hex);
    }
}

static void primitives_that_do_not_fit(void **state)
{
    static const struct {
        const char *format, *json;
    } rows[] = {{"short", "32768"}, {"integer", "2147483648"}, {"string", "1"}, {"long", "1.5"}, {"uuid", "1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fl_json_error je;
        fl_buf b;
        fl_buf_init(&b, 1000);
        const fl_json *j = fl_json_parse(l.a, rows[i].json, strlen(rows[i].json), 0, &je);
        assert_int_not_equal(rt_primitive_from_json(rows[i].format, j, SCH_BYTES_TEXT, &b, &l.err), RT_OK);
        assert_int_equal(b.len, 0);
        fl_buf_free(&b);
    }
    assert_int_equal(rt_primitive_to_json("integer", (const uint8_t *)"abc", 3, SCH_BYTES_TEXT, &l.out, &l.err),
                     RT_BAD_INPUT);
    assert_int_equal(rt_primitive_to_json("string", (const uint8_t *)"\xff", 1, SCH_BYTES_TEXT, &l.out, &l.err),
                     RT_BAD_INPUT);
}

/* ---- lines ---- */

static void a_line_may_be_longer_than_a_block(void **state)
{
    size_t n = 3 << 20;
    char *in = malloc(n + 3);
    memset(in, 'x', n);
    memcpy(in + n, "\ny", 2);
    for (int big = 0; big < 2; big++) {
        rt_source s;
        const char *p;
        size_t len = 0;
        rt_source_init(&s, temporary(in, n + 2), big ? n + 2 : n / 2, NULL);
        rt_code code = rt_source_line(&s, &p, &len, &l.err);
        assert_int_equal(code, big ? RT_OK : RT_BAD_INPUT);
        if (big) {
            assert_int_equal(len, n);
            assert_int_equal(rt_source_line(&s, &p, &len, &l.err), RT_OK);
            assert_int_equal(len, 1);
            assert_int_equal(rt_source_line(&s, &p, &len, &l.err), RT_OK);
            assert_null(p);
        }
        close(s.fd);
        rt_source_free(&s);
    }
    free(in);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(every_form_there_and_back),
        T(raw_has_lengths_and_tombstones),
        T(envelopes_carry_key_and_headers),
        T(as_the_latest_schema_has_them),
        T(broken_envelopes_are_refused),
        T(the_run_stops_or_skips),
        T(a_truncated_raw_stream_stops_the_run),
        T(many_records_keep_their_order),
        T(a_key_of_a_primitive_format_passes),
        T(primitives),
        T(primitives_that_do_not_fit),
        T(a_line_may_be_longer_than_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
