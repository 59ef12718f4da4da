/* dead_letters_test.c: records that name their schema in a header, and records whose rule failed: where they go, with
 * what, and what is redacted. */
#include "runtime/lab.h"

#include <unistd.h>

#include "runtime/records.h"

#define PII "[\"PII\"]"
#define SCHEMA                                                                                                         \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"s\",\"type\":"  \
    "\"string\",\"confluent:tags\":[\"PII\"]}]}"
#define DLQ ",\"onFailure\":\"DLQ\""

static lab l;
static const char *got;
static rt_transcoded count;

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

/* ---- what was buried ---- */

static struct {
    int n;
    bool refuse;
    const char *topic, *key, *value;
    size_t nvalue;
    rt_header headers[16];
    size_t nheaders;
} dead;

static const char *text(rt_bytes b)
{
    return b.p ? fl_strndup(l.a, (const char *)b.p, b.n) : NULL;
}

static rt_code bury(void *ctx, const char *topic, const rt_message *m, rt_error *err)
{
    dead.n++;
    if (dead.refuse)
        return rt_fail(err, RT_IO, "no broker");
    dead.topic = fl_strdup(l.a, topic);
    dead.key = text(m->key);
    dead.value = text(m->value);
    dead.nvalue = m->value.n;
    dead.nheaders = m->nheaders;
    for (size_t i = 0; i < m->nheaders; i++)
        dead.headers[i] = (rt_header){fl_strdup(l.a, m->headers[i].name),
                                      {(const uint8_t *)text(m->headers[i].value), m->headers[i].value.n}};
    return RT_OK;
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < dead.nheaders; i++)
        if (strcmp(dead.headers[i].name, name) == 0)
            return (const char *)dead.headers[i].value.p;
    return NULL;
}

/* ---- running ---- */

static int temporary(const char *s)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    int fd = dup(fileno(f));
    fclose(f);
    assert_int_equal(write(fd, s, strlen(s)), (ssize_t)strlen(s));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static rt_code run(rt_codec *c, bool decrypt, const char *in)
{
    rt_transcode t = {.decrypt = decrypt,
                      .part = RT_VALUE,
                      .from = RT_ENVELOPE,
                      .to = RT_ENVELOPE,
                      .skip = true,
                      .topic = "orders",
                      .bury = bury,
                      .in = temporary(in),
                      .out = temporary("")};
    t.sides[RT_VALUE].codec = c;
    t.sides[RT_KEY].format = "string";
    rt_code code = rt_transcode_run(&t, &count, &l.err);
    size_t n = (size_t)lseek(t.out, 0, SEEK_END);
    char *p = fl_alloc(l.a, n + 1);
    assert_int_equal(pread(t.out, p, n, 0), (ssize_t)n);
    got = p;
    close(t.in);
    close(t.out);
    return code;
}

static rt_codec *codec(const char *extra, const rt_codec_options *opt)
{
    rt_codec *c;
    const char *set = lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", extra));
    if (lab_codec(&l, SCHEMA, NULL, set, opt, &c))
        fail_msg("%s", l.err.message);
    return c;
}

#define PLAIN "{\"key\":\"k\",\"value\":{\"id\":\"1\",\"s\":\"secret\"},\"headers\":{\"h\":\"x\"}}\n"

/* ---- schemas in headers ---- */

static void a_header_names_the_schema(void **state)
{
    rt_codec_options write = {.guid_framing = true}, read = {.read_only = true};
    rt_codec *c = codec("", &write), *r = codec("", &read);
    rt_subject s;
    assert_int_equal(l.registry->ops->subject_version(l.registry, l.a, "t-value", -1, &s, &l.err), RT_OK);
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    const char *at = strstr(got, "\"headers\":{\"h\":\"x\",\"__value_schema_id\":\"01");
    assert_non_null(at);
    for (const char *p = s.guid, *q = strstr(at, "\"01") + 3; *p; p++) /* the registry's GUID, without its dashes */
        assert_true(*p == '-' || *p == *q++);
    assert_non_null(strstr(got, "\"value\":\"0231")); /* the body alone */
    assert_int_equal(run(r, true, got), RT_OK);
    assert_string_equal(got, PLAIN); /* and without the header, which says nothing of it now */
    assert_int_equal(rt_encrypt(c,
                                (const uint8_t *)"\2"
                                                 "1\2"
                                                 "s",
                                4, &l.wire, &l.err),
                     RT_REFUSED);
    assert_says(&l, "in a header needs one");
    rt_codec_close(c);
    rt_codec_close(r);
}

/* ---- encrypting ---- */

static rt_codec *to_bury(const char *extra, bool read_only)
{
    rt_codec_options opt = {.read_only = read_only, .dead_letters = true, .dlq_topic = "dead"};
    return codec(extra, &opt);
}

static void what_failed_to_encrypt_is_redacted(void **state)
{
    rt_codec *c = to_bury(DLQ, false);
    l.barred = "kek";
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    assert_int_equal(dead.n, 1);
    assert_int_equal(count.failed, 1);
    assert_string_equal(got, "");
    assert_string_equal(dead.topic, "dead");
    assert_string_equal(dead.key, "k");
    assert_string_equal(dead.value, "{\"id\":\"1\",\"s\":\"<REDACTED>\"}");
    assert_string_equal(header("h"), "x");
    assert_string_equal(header("__rule.name"), "enc");
    assert_string_equal(header("__rule.mode"), "WRITE");
    assert_string_equal(header("__rule.subject"), "t-value");
    assert_string_equal(header("__rule.topic"), "orders");
    assert_non_null(strstr(header("__rule.exception"), "may not use KEK kek"));
    l.barred = NULL;
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    assert_int_equal(count.done, 1);
    rt_codec_close(c);
}

static void a_payload_is_redacted_whole(void **state)
{
    rt_codec *c;
    rt_codec_options opt = {.dead_letters = true};
    const char *set =
        "{\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\",\"params\":{\"encrypt.kek.name\":"
        "\"kek\",\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\",\"dlq.topic\":\"own\"},"
        "\"onFailure\":\"DLQ,ERROR\"}]}";
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, set, &opt, &c), RT_OK);
    l.barred = "kek";
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    assert_string_equal(dead.topic, "own");
    assert_string_equal(dead.value, "\"<REDACTED>\"");
    rt_codec_close(c);
}

static void only_rules_that_say_so(void **state)
{
    rt_codec *c = to_bury(",\"onFailure\":\"ERROR,DLQ\"", false);
    l.barred = "kek";
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    assert_int_equal(dead.n, 0);
    l.barred = NULL;
    assert_int_equal(run(c, false, "{\"value\":{\"id\":1}}\n"), RT_OK); /* no rule failed it */
    assert_int_equal(dead.n, 0);
    assert_int_equal(count.failed, 1);
    rt_codec_close(c);
}

static void nobody_takes_it(void **state)
{
    rt_codec *c = to_bury(DLQ, false);
    l.barred = "kek";
    dead.refuse = true;
    assert_int_equal(run(c, false, PLAIN PLAIN), RT_IO);
    assert_says(&l, "the dead letter topic dead does not take it: no broker");
    assert_int_equal(dead.n, 1);
    rt_codec_close(c);
}

static void refused_without_a_topic_or_a_way(void **state)
{
    rt_codec *c;
    rt_codec_options opt = {.dead_letters = true};
    const char *set = lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", DLQ));
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, set, &opt, &c), RT_REFUSED);
    assert_says(&l, "rule enc: has onFailure DLQ, and no topic for it is configured");
    opt = (rt_codec_options){.dlq_topic = "dead"};
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, set, &opt, &c), RT_REFUSED);
    assert_says(&l, "nothing here can write to topic dead");
    const char *write = lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onFailure\":\"DLQ,ERROR\""));
    opt = (rt_codec_options){.read_only = true};
    assert_int_equal(lab_codec(&l, SCHEMA, NULL, write, &opt, &c), RT_OK);
    rt_codec_close(c);
}

/* ---- decrypting ---- */

static void what_failed_to_decrypt_goes_as_it_came(void **state)
{
    rt_codec *c = to_bury(DLQ, false), *r = to_bury(DLQ, true);
    assert_int_equal(run(c, false, PLAIN), RT_OK);
    const char *wire = got;
    l.barred = "kek";
    rt_keys_free(l.keys); /* another client, which has no key yet */
    rt_codec_close(r);
    rt_codec_close(c);
    rt_keys_options opt = {
        .registry = l.registry, .params = {.get = lab_secret}, .may_use = lab_may_use, .may_use_ctx = &l};
    l.keys = rt_keys_new(&opt);
    r = to_bury(DLQ, true);
    assert_int_equal(run(r, true, wire), RT_OK);
    assert_int_equal(dead.n, 1);
    assert_string_equal(header("__rule.mode"), "READ");
    const char *hex = strstr(wire, "\"value\":\"") + 9;
    assert_int_equal(dead.nvalue, (size_t)(strchr(hex, '"') - hex) / 2);

    /* a dead letter: the rule that failed it is not run on it again, and its field stays as it is */
    const char *again = fl_printf(l.a, "%.*s,\"__rule.name\":\"enc\"}}\n", (int)(strstr(wire, "}}") - wire), wire);
    assert_int_equal(run(r, true, again), RT_OK);
    assert_int_equal(count.done, 1);
    assert_non_null(strstr(got, "\"id\":\"1\""));
    assert_null(strstr(got, "secret"));
    assert_non_null(strstr(got, "\"__rule.name\":\"enc\""));
    again = fl_printf(l.a, "%.*s,\"__rule.name\":\"other\"}}\n", (int)(strstr(wire, "}}") - wire), wire);
    assert_int_equal(run(r, true, again), RT_OK);
    assert_int_equal(count.failed, 1);
    rt_codec_close(r);
}

static int fresh(void **state)
{
    memset(&dead, 0, sizeof dead);
    return open_lab(state);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fresh, close_lab)
    const struct CMUnitTest tests[] = {
        T(a_header_names_the_schema),
        T(what_failed_to_encrypt_is_redacted),
        T(a_payload_is_redacted_whole),
        T(only_rules_that_say_so),
        T(nobody_takes_it),
        T(refused_without_a_topic_or_a_way),
        T(what_failed_to_decrypt_goes_as_it_came),
    };
    return cmocka_run_group_tests_name("dead letters", tests, NULL, NULL);
}
