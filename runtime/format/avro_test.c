/* avro_test.c: field programs over records drawn from seeds, held against the schema's own codec; and over damaged
 * records. */
#include "runtime/lab.h"

#include "runtime/random_avro.h"

static lab l;

static int open_lab(void **state)
{
    lab_open(&l);
    return 0;
}
static int close_lab(void **state)
{
    lab_close(&l);
    return 0;
}

static const char *two_rules(void)
{
    return lab_set(&l, fl_printf(l.a, "%s,%s", lab_rule(&l, "pii", "[\"PII\"]", "kek", "AES256_GCM", ""),
                                 lab_rule(&l, "pci", "[\"PCI\"]", "other", "AES256_SIV", "")));
}

/* ---- differential ---- */

/* What stands at a leaf, in the order of the bytes. */
static sch_ats at(rt_codec *c, const char *path, const void *p, size_t n)
{
    sch_ats ats;
    sch_value_error e;
    if (!sch_avro_extract(rt_codec_schema(c), p, n, path, l.a, &ats, &e))
        fail_msg("%s: %s: %s", path, e.path, e.message);
    return ats;
}

static const rt_sealed *sealed_at(const rt_sealed *v, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].path, path) == 0)
            return &v[i];
    return NULL;
}

static void same_or_sealed(const char *path, const sch_at *x, const uint8_t *body, const sch_at *y, const uint8_t *wire,
                           const rt_sealed *s)
{
    size_t over = !s ? 0 : strcmp(s->rule, "pii") == 0 ? 28 : 16;
    bool text = x->kind == SCH_AT_STRING || x->kind == SCH_AT_BYTES;
    assert_int_equal(x->kind, y->kind);
    if (!s || !text) {
        assert_int_equal(x->len, y->len);
        assert_memory_equal(body + x->offset, wire + y->offset, x->len);
        return;
    }
    size_t want = x->kind == SCH_AT_STRING ? FL_B64_LEN(x->len + over) : x->len + over;
    if (y->len != want)
        fail_msg("%s: %zu bytes instead of %zu", path, y->len, want);
    assert_true(x->len < 4 || !memmem(wire + y->offset, y->len, body + x->offset, x->len));
}

/* Every leaf of the schema: sealed where a rule reaches it, byte for byte the same elsewhere. */
static void compare_leaves(rt_codec *c, const fl_buf *body)
{
    sch_hits leaves = {0};
    rt_sealed *sealed;
    size_t n = rt_codec_sealed(c, l.a, &sealed);
    const uint8_t *wire = (const uint8_t *)l.wire.p + 5;
    sch_leaves(rt_codec_schema(c), l.a, &leaves);
    for (size_t i = 0; i < leaves.n; i++) {
        const char *path = leaves.v[i].path;
        if (leaves.v[i].recursive || leaves.v[i].mixed || !*path)
            continue; /* a mixed union is one leaf, and may hold a record with sealed fields */
        sch_ats x = at(c, path, body->p, body->len), y = at(c, path, wire, l.wire.len - 5);
        assert_int_equal(x.n, y.n);
        for (size_t k = 0; k < x.n; k++)
            same_or_sealed(path, &x.v[k], (const uint8_t *)body->p, &y.v[k], wire, sealed_at(sealed, n, path));
    }
}

static void one_schema(uint64_t seed)
{
    rnd r = {.state = seed * 0x9e3779b97f4a7c15 + 1};
    fl_buf schema, body;
    rt_codec *c = NULL;
    fl_buf_init(&schema, 1 << 20);
    fl_buf_init(&body, 16 << 20);
    rnd_record(&r, &schema, 0);
    if (lab_codec(&l, schema.p, NULL, two_rules(), NULL, &c))
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, l.err.message, schema.p);
    const sch_schema *s = rt_codec_schema(c);
    for (int i = 0; i < 8; i++) {
        fl_buf_clear(&body);
        rnd_value(&r, &body, s->root, 0);
        if (lab_encrypt(&l, c, &body))
            fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, l.err.message, schema.p);
        compare_leaves(c, &body);
        if (lab_decrypt(&l, c))
            fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, l.err.message, schema.p);
        /* blocks may be written otherwise; the value is the same */
        assert_string_equal(lab_json(&l, s, body.p, body.len), lab_json(&l, s, l.out.p, l.out.len));
    }
    rt_codec_close(c);
    fl_buf_free(&schema);
    fl_buf_free(&body);
}

static void random_schemas_and_values(void **state)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        open_lab(NULL);
        one_schema(seed);
        close_lab(NULL);
    }
}

/* ---- damage ---- */

static const char rich[] =
    "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},"
    "{\"name\":\"name\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},{\"name\":\"kind\",\"type\":{\"type\":"
    "\"enum\",\"name\":\"K\",\"symbols\":[\"A\",\"B\"]}},"
    "{\"name\":\"opt\",\"type\":[\"null\",\"string\"],\"confluent:tags\":[\"PCI\"]},"
    "{\"name\":\"list\",\"type\":{\"type\":\"array\",\"items\":\"bytes\"},\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"plain\",\"type\":{\"type\":\"map\",\"values\":\"string\"}},"
    "{\"name\":\"next\",\"type\":[\"null\",\"n.R\"]}]}";
static const char rich_value[] = "{\"id\":77,\"name\":\"Maria Fernandez\",\"kind\":\"B\",\"opt\":\"card "
                                 "4711\",\"list\":[\"first bytes\",\"second bytes\"],\"plain\":{\"k\":\"v\"},"
                                 "\"next\":{\"id\":78,\"name\":\"Jorge Ruiz "
                                 "Ruiz\",\"kind\":\"A\",\"opt\":null,\"list\":[],\"plain\":{},\"next\":null}}";
static const char *const secrets[] = {"Maria Fernandez", "card 4711", "first bytes", "second bytes", "Jorge Ruiz Ruiz"};

static rt_codec *rich_record(fl_buf *body)
{
    rt_codec *c;
    fl_buf_init(body, 1 << 20);
    if (lab_codec(&l, rich, NULL, two_rules(), NULL, &c))
        fail_msg("%s", l.err.message);
    lab_body(&l, rt_codec_schema(c), rich_value, body);
    return c;
}

static void truncated_at_each_byte(void **state)
{
    fl_buf body;
    rt_codec *c = rich_record(&body);
    for (size_t n = 0; n < body.len; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees a read behind the end */
        memcpy(exact, body.p, n);
        assert_int_equal(rt_encrypt(c, exact, n, &l.out, &l.err), RT_BAD_INPUT);
        assert_int_equal(l.out.len, 0);
        free(exact);
    }
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    for (size_t n = 0; n < l.wire.len; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, l.wire.p, n);
        assert_int_not_equal(rt_decrypt(c, exact, n, &l.out, NULL, &l.err), RT_OK);
        assert_int_equal(l.out.len, 0);
        free(exact);
    }
    fl_buf_addc(&l.wire, 0);
    assert_int_equal(lab_decrypt(&l, c), RT_BAD_INPUT);
    assert_says(&l, "bytes follow");
    rt_codec_close(c);
    fl_buf_free(&body);
}

/* The texts that stand at the sealed leaves of an opened record: each must be one that was sealed, or there must be
 * none. */
static void only_known_secrets(rt_codec *c)
{
    static const char *const paths[] = {"name", "opt", "list[]", "next.name", "next.opt", "next.list[]"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        sch_ats v = at(c, paths[i], l.out.p, l.out.len);
        for (size_t k = 0; k < v.n; k++) {
            bool known = v.v[k].kind == SCH_AT_NULL;
            for (size_t j = 0; j < sizeof secrets / sizeof *secrets && !known; j++)
                known = v.v[k].len == strlen(secrets[j]) && !memcmp(l.out.p + v.v[k].offset, secrets[j], v.v[k].len);
            assert_true(known);
        }
    }
}

static void every_bit_flipped(void **state)
{
    fl_buf body;
    rt_codec *c = rich_record(&body);
    size_t opened = 0;
    sch_value_error e;
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_true(fl_buf_reserve(&l.out, 4096));
    memset(l.out.p, 0, l.out.cap);
    for (size_t bit = 0; bit < 8 * l.wire.len; bit++) {
        l.wire.p[bit / 8] ^= (char)(1 << bit % 8);
        if (lab_decrypt(&l, c)) {
            assert_int_equal(l.out.len, 0);
            for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++)
                if (l.out.cap && memmem(l.out.p, l.out.cap, secrets[j], strlen(secrets[j])))
                    fail_msg("bit %zu: a secret stays in the buffer", bit);
        } else {
            opened++; /* an untagged value was flipped */
            assert_true(sch_avro_check(rt_codec_schema(c), (uint8_t *)l.out.p, l.out.len, &e));
            only_known_secrets(c);
        }
        fl_wipe(l.out.p, l.out.cap);
        l.wire.p[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(opened > 0 && opened < 64);
    rt_codec_close(c);
    fl_buf_free(&body);
}

/* ---- bodies that lie ---- */

static void lies_are_refused(void **state)
{
    static const struct {
        const char *type, *bytes;
        size_t n;
        const char *says;
    } rows[] = {
        {"\"string\"", "\1", 1, "negative"},
        {"\"string\"", "\377\377\377\377\377\377\377\377\377\1", 10, "negative"},
        {"\"string\"", "\376\377\377\377\377\377\377\377\377\1", 10, "more than what is left"},
        {"\"long\"", "\377\377\377\377\377\377\377\377\377\377\1", 11, "64 bits"},
        {"\"int\"", "\200\200\200\200\200\1", 6, "too many bytes"},
        {"\"int\"", "\377\377\377\377\177", 5, "32 bits"},
        {"[\"null\",\"int\"]", "\4", 1, "no branch"},
        {"[\"null\",\"int\"]", "\1", 1, "no branch"},
        {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\2", 1, "no symbol"},
        {"{\"type\":\"array\",\"items\":\"string\"}", "\376\377\377\377\17", 5, "more items than"},
        {"{\"type\":\"array\",\"items\":\"long\"}", "\376\377\377\377\17", 5, "more items than"},
        {"{\"type\":\"array\",\"items\":\"long\"}", "\1\4\2\0", 4, "does not end where its size says"},
        {"{\"type\":\"array\",\"items\":\"string\"}", "\1\2\2a\0", 5, "does not end where its size says"},
        {"{\"type\":\"array\",\"items\":\"long\"}", "\1\1\2\0", 4, "size of a block"},
        {"{\"type\":\"array\",\"items\":\"null\"}", "\376\377\377\377\17\0", 6, "too many empty items"},
        {"{\"type\":\"array\",\"items\":\"long\"}", "\377\377\377\377\377\377\377\377\377\1\0\0", 12,
         "more items than"},
        {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}", "abc", 3, "ends before"},
        {"\"double\"", "abc", 3, "ends before"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_codec *c;
        const char *schema = fl_printf(
            l.a, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":%s}]}", rows[i].type);
        assert_int_equal(lab_codec(&l, schema, NULL, two_rules(), NULL, &c), RT_OK);
        assert_int_equal(rt_encrypt(c, (const uint8_t *)rows[i].bytes, rows[i].n, &l.out, &l.err), RT_BAD_INPUT);
        assert_says(&l, rows[i].says);
        assert_says(&l, "field f");
        assert_int_equal(l.out.len, 0);
        rt_codec_close(c);
    }
}

static void nesting_is_bounded(void **state)
{
    static const char list[] =
        "{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"N\"]}]}";
    rt_codec *c;
    fl_buf deep;
    fl_buf_init(&deep, 1 << 20);
    assert_int_equal(lab_codec(&l, list, NULL, NULL, NULL, &c), RT_OK);
    for (int i = 0; i < 999; i++)
        fl_buf_addc(&deep, 2);
    fl_buf_addc(&deep, 0);
    assert_int_equal(lab_encrypt(&l, c, &deep), RT_OK);
    for (int i = 0; i < 100000; i++)
        fl_buf_addc(&deep, 2);
    memset(deep.p, 2, deep.len);
    assert_int_equal(lab_encrypt(&l, c, &deep), RT_BAD_INPUT);
    assert_says(&l, "nests too deep");
    rt_codec_close(c);
    fl_buf_free(&deep);
}

/* Records that use each other in fans: the program stays small, and every leaf is reached all the same. */
static void fans_of_records_do_not_explode(void **state)
{
    fl_buf s, body;
    rt_codec *c;
    fl_buf_init(&s, 1 << 20);
    fl_buf_init(&body, 1 << 20);
    fl_buf_adds(&s, "{\"type\":\"record\",\"name\":\"T\",\"fields\":[");
    for (int i = 0; i < 20; i++) { /* L0 has two L1, each of which has two L2, …: 2^20 leaves */
        fl_buf_addf(&s, "{\"name\":\"a\",\"type\":{\"type\":\"record\",\"name\":\"L%d\",\"fields\":[", i);
    }
    fl_buf_adds(&s, "{\"name\":\"s\",\"type\":[\"null\",\"string\"],\"confluent:tags\":[\"PII\"]}]}}");
    for (int i = 19; i > 0; i--)
        fl_buf_addf(&s, ",{\"name\":\"b\",\"type\":[\"null\",\"L%d\"]}]}}", i);
    fl_buf_adds(&s, "]}");
    assert_int_equal(lab_codec(&l, s.p, NULL, two_rules(), NULL, &c), RT_OK);
    const char *value = "{\"a\":{\"s\":\"deep secret\"},\"b\":{\"s\":\"beside it\"}}";
    for (int i = 17; i >= 0; i--)
        value = fl_printf(l.a, "{\"a\":%s,\"b\":null}", value);
    lab_body(&l, rt_codec_schema(c), fl_printf(l.a, "{\"a\":%s}", value), &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_null(memmem(l.wire.p, l.wire.len, "deep secret", 11));
    assert_null(memmem(l.wire.p, l.wire.len, "beside it", 9));
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_int_equal(l.out.len, body.len);
    assert_memory_equal(l.out.p, body.p, body.len);
    rt_codec_close(c);
    fl_buf_free(&s);
    fl_buf_free(&body);
}

static void more_sealed_values_than_one_batch(void **state)
{
    static const char schema[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":{\"type\":"
                                 "\"array\",\"items\":\"string\"},"
                                 "\"confluent:tags\":[\"PII\"]}]}";
    fl_buf body;
    rt_codec *c;
    rnd r = {.state = 99};
    fl_buf_init(&body, 1 << 20);
    assert_int_equal(lab_codec(&l, schema, NULL, two_rules(), NULL, &c), RT_OK);
    rnd_long(&body, 1000);
    for (int i = 0; i < 1000; i++)
        rnd_bytes(&r, &body, true);
    rnd_long(&body, 0);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_int_equal(l.out.len, body.len);
    assert_memory_equal(l.out.p, body.p, body.len);
    rt_codec_close(c);
    fl_buf_free(&body);
}

static void an_output_that_is_too_small_stays_empty(void **state)
{
    fl_buf body, small;
    rt_codec *c = rich_record(&body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    for (size_t max = 0; max < l.wire.len; max += 7) {
        fl_buf_init(&small, max);
        assert_int_equal(rt_encrypt(c, (uint8_t *)body.p, body.len, &small, &l.err), RT_BAD_INPUT);
        assert_int_equal(small.len, 0);
        fl_buf_free(&small);
    }
    rt_codec_close(c);
    fl_buf_free(&body);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schemas_and_values),
        T(truncated_at_each_byte),
        T(every_bit_flipped),
        T(lies_are_refused),
        T(nesting_is_bounded),
        T(fans_of_records_do_not_explode),
        T(more_sealed_values_than_one_batch),
        T(an_output_that_is_too_small_stays_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
