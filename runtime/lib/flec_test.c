/* flec_test.c: the C library through its header alone: what an application sees. */
#include "runtime/lib/lib_lab.h"

#include <pthread.h>
#include <sys/wait.h>

static lib_lab l;
static flec_engine *engine;
static char message[512];

static flec_engine *opened(const char *plan)
{
    flec_engine *e;
    if (flec_engine_open(&e, plan, l.settings, message, sizeof message) != FLEC_OK)
        fail_msg("%s", message);
    return e;
}

static flec_codec *codec(flec_engine *e, const char *topic, unsigned flags)
{
    flec_codec *c;
    if (flec_codec_open(&c, e, topic, flags, message, sizeof message) != FLEC_OK)
        fail_msg("%s", message);
    return c;
}

static int open_lab(void **state)
{
    lab_make(&l);
    engine = opened(l.plan);
    return 0;
}

static int close_lab(void **state)
{
    flec_log(NULL, NULL, FLEC_LOG_ERROR);
    flec_engine_close(engine);
    engine = NULL;
    lab_remove(&l);
    return 0;
}

static const char ssn[] = "078-05-1120";

typedef struct bytes {
    unsigned char p[512];
    size_t n;
} bytes;

static bytes person(const char *id)
{
    bytes b;
    b.n = lab_person(b.p, id, ssn);
    return b;
}

static bytes kept(const void *p, size_t n)
{
    bytes b = {.n = n};
    assert_true(p && n <= sizeof b.p);
    memcpy(b.p, p, n);
    return b;
}

static bytes encrypt(flec_codec *c, const bytes *body)
{
    const void *record;
    size_t n;
    if (flec_encrypt(c, body->p, body->n, &record, &n) != FLEC_OK)
        fail_msg("%s", flec_error(c));
    return kept(record, n);
}

static void decrypts_to(flec_codec *c, const bytes *record, const bytes *want)
{
    const void *body;
    size_t n;
    if (flec_decrypt(c, record->p, record->n, &body, &n) != FLEC_OK)
        fail_msg("%s", flec_error(c));
    assert_int_equal(n, want->n);
    assert_memory_equal(body, want->p, n);
}

/* ---- records ---- */

static void record_and_back(void **state)
{
    flec_codec *w = codec(engine, "people", FLEC_ENCRYPT), *r = codec(engine, "people", FLEC_DECRYPT);
    bytes body = person("p-1"), record = encrypt(w, &body);
    assert_int_equal(record.p[0], 0);
    assert_null(memmem(record.p, record.n, ssn, strlen(ssn)));
    assert_non_null(memmem(record.p, record.n, "p-1", 3));
    decrypts_to(r, &record, &body);
    decrypts_to(w, &record, &body); /* a codec that encrypts does both */
    assert_string_equal(flec_error(w), "");
    flec_codec_close(w);
    flec_codec_close(r);
}

static void nothing_but_a_registry(void **state)
{
    flec_codec *w = codec(engine, "people", FLEC_ENCRYPT);
    bytes body = person("p-2"), record = encrypt(w, &body);
    flec_codec_close(w);
    flec_engine_close(engine);
    engine = opened(NULL);
    flec_codec *r = codec(engine, "people", FLEC_DECRYPT);
    decrypts_to(r, &record, &body);
    flec_codec_close(r);
    assert_int_equal(flec_codec_open(&w, engine, "people", FLEC_ENCRYPT, message, sizeof message), FLEC_USAGE);
    assert_null(w);
    assert_string_equal(message, "what shall be encrypted how? An engine without a plan only decrypts");
}

static void build_directory(void **state)
{
    flec_engine_close(engine);
    engine = opened(l.dir);
    flec_codec_close(codec(engine, "people", FLEC_ENCRYPT));
}

static void null_and_empty(void **state)
{
    flec_codec *v = codec(engine, "people", FLEC_ENCRYPT), *k = codec(engine, "people", FLEC_ENCRYPT | FLEC_KEY);
    const void *out = "x";
    size_t n = 1;
    assert_int_equal(flec_encrypt(v, NULL, 0, &out, &n), FLEC_OK);
    assert_true(!out && !n);
    assert_int_equal(flec_decrypt(v, NULL, 0, &out, &n), FLEC_OK);
    assert_true(!out && !n);
    assert_int_equal(flec_encrypt(k, "", 0, &out, &n), FLEC_OK);
    assert_true(out && !n);
    assert_int_equal(flec_encrypt(v, "", 0, &out, &n), FLEC_BAD_INPUT);
    assert_true(!out && !n);
    assert_int_equal(flec_encrypt(v, NULL, 3, &out, &n), FLEC_USAGE);
    flec_codec_close(v);
    flec_codec_close(k);
}

static void keys_without_schema_pass(void **state)
{
    flec_codec *k = codec(engine, "people", FLEC_ENCRYPT | FLEC_KEY);
    const void *out;
    size_t n;
    assert_int_equal(flec_encrypt(k, "k-1", 3, &out, &n), FLEC_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "k-1", 3);
    assert_null(flec_schema(k, NULL, NULL));
    flec_codec_close(k);
}

/* ---- what goes wrong ---- */

static void every_bit_counts(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    bytes body = person("p-3"), record = encrypt(c, &body);
    const void *out;
    size_t n;
    for (size_t bit = 0; bit < 8 * 20; bit += 7) { /* in the ciphertext, which is the record's end */
        bytes bad = record;
        bad.p[bad.n - 1 - bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_not_equal(flec_decrypt(c, bad.p, bad.n, &out, &n), FLEC_OK);
        assert_true(!out && !n);
    }
    bytes bad = record;
    bad.p[bad.n - 6] ^= 1; /* still base64 of the same form */
    assert_int_equal(flec_decrypt(c, bad.p, bad.n, &out, &n), FLEC_TAMPERED);
    assert_non_null(strstr(flec_error(c), "field ssn"));
    assert_non_null(strstr(flec_error(c), "lab-kek"));
    decrypts_to(c, &record, &body);
    assert_string_equal(flec_error(c), "");
    flec_codec_close(c);
}

static void reading_codecs_do_not_write(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_DECRYPT);
    bytes body = person("p-4");
    const void *out;
    size_t n;
    assert_int_equal(flec_encrypt(c, body.p, body.n, &out, &n), FLEC_USAGE);
    assert_string_equal(flec_error(c), "the codec was opened without FLEC_ENCRYPT");
    flec_codec_close(c);
}

static void topics_and_flags(void **state)
{
    flec_codec *c;
    assert_int_equal(flec_codec_open(&c, engine, "peeple", 0, message, sizeof message), FLEC_NOT_FOUND);
    assert_string_equal(message, "the plan has no topic peeple; did you mean people");
    assert_int_equal(flec_codec_open(&c, engine, "people", 1u << 30, message, sizeof message), FLEC_USAGE);
    assert_int_equal(flec_codec_open(&c, engine, NULL, 0, message, sizeof message), FLEC_USAGE);
    assert_int_equal(flec_codec_open(&c, NULL, "people", 0, NULL, 0), FLEC_USAGE);
    assert_null(c);
    assert_int_equal(flec_codec_open(&c, engine, "peeple", 0, message, 8), FLEC_NOT_FOUND);
    assert_string_equal(message, "the pla");
}

static flec_code with(const char *name, const char *value)
{
    const char *const settings[] = {name, value, NULL};
    flec_engine *e = NULL;
    flec_code code = flec_engine_open(&e, NULL, settings, message, sizeof message);
    assert_null(e);
    return code;
}

static void settings_are_checked(void **state)
{
    assert_int_equal(with("flec.cripto", "openssl"), FLEC_USAGE);
    assert_string_equal(message, "there is no setting flec.cripto; did you mean flec.crypto");
    assert_int_equal(with("flec.crypto", "best"), FLEC_USAGE);
    assert_int_equal(with("schema.registry.url", NULL), FLEC_USAGE);
    assert_string_equal(message, "setting schema.registry.url has no value");
    assert_int_equal(with("schema.registry.url", "mem:"), FLEC_USAGE);
    assert_int_equal(with("schema.registry.url", "${env:FLEC_TEST_UNSET}"), FLEC_NO_KEY);
    assert_int_equal(with("flec.config.file", "/nowhere/client.properties"), FLEC_IO);
    assert_int_equal(with("cache.expiry.secs", "soon"), FLEC_USAGE);
    assert_int_equal(with("flec.kms.key.ids", "k"), FLEC_USAGE);
    assert_string_equal(message, "no registry is named: set schema.registry.url");
    assert_int_equal(flec_engine_open(NULL, NULL, NULL, NULL, 0), FLEC_USAGE);
}

static void settings_of_a_file(void **state)
{
    char path[96], text[256];
    snprintf(path, sizeof path, "%s/client.properties", l.dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    snprintf(text, sizeof text, "schema.registry.url=http://127.0.0.1:9\nrule.executors._default_.param.secret=s\n");
    fputs(text, f);
    fclose(f);
    flec_engine_close(engine);
    const char *const settings[] = {"flec.config.file", path, "schema.registry.url", l.registry, NULL};
    assert_int_equal(flec_engine_open(&engine, l.plan, settings, message, sizeof message), FLEC_OK);
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    bytes body = person("p-5"), record = encrypt(c, &body); /* with the file's secret */
    decrypts_to(c, &record, &body);
    flec_codec_close(c);
}

static void another_secret(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    bytes body = person("p-6"), record = encrypt(c, &body);
    const void *out;
    size_t n;
    flec_codec_close(c);
    flec_engine_close(engine);
    l.settings[3] = "another";
    engine = opened(l.plan);
    c = codec(engine, "people", FLEC_DECRYPT);
    assert_int_equal(flec_decrypt(c, record.p, record.n, &out, &n), FLEC_NO_KEY);
    assert_true(!out && !n);
    flec_codec_close(c);
}

/* ---- headers, dead letters ---- */

static void guid_in_a_header(void **state)
{
    flec_codec *w = codec(engine, "people", FLEC_ENCRYPT | FLEC_GUID), *r = codec(engine, "people", FLEC_DECRYPT);
    bytes body = person("p-7"), record = encrypt(w, &body);
    const char *name;
    const void *value, *out;
    size_t n;
    assert_int_equal(flec_header_get(w, 0, &name, &value, &n), FLEC_OK);
    assert_string_equal(name, "__value_schema_id");
    assert_int_equal(n, 17);
    assert_int_equal(*(const unsigned char *)value, 1);
    assert_int_equal(record.p[0], 6); /* the body begins with "p-7", no prefix before it */
    assert_int_equal(flec_header_set(r, "trace", "t", 1), FLEC_OK);
    assert_int_equal(flec_header_set(r, name, value, n), FLEC_OK);
    decrypts_to(r, &record, &body);
    assert_int_not_equal(flec_decrypt(r, record.p, record.n, &out, &n), FLEC_OK); /* it counted once */
    assert_int_equal(flec_header_get(w, 1, &name, &value, &n), FLEC_NOT_FOUND);
    assert_int_equal(flec_header_get(r, 0, &name, &value, &n), FLEC_NOT_FOUND);
    flec_codec_close(w);
    flec_codec_close(r);
}

static void headers_have_limits(void **state)
{
    static const char big[4096] = "encrypt-PII";
    flec_codec *c = codec(engine, "people", FLEC_DECRYPT);
    assert_int_equal(flec_header_set(c, "__value_schema_id", big, sizeof big), FLEC_BAD_INPUT);
    assert_int_equal(flec_header_set(c, "__rule.name", big, 20), FLEC_BAD_INPUT); /* a NUL in it */
    assert_int_equal(flec_header_set(c, "other", big, sizeof big), FLEC_OK);
    assert_int_equal(flec_header_set(c, NULL, big, 1), FLEC_USAGE);
    flec_codec_close(c);
}

static void dead_letters(void **state)
{
    flec_codec *c;
    const char *rule, *topic;
    const void *out;
    size_t n;
    assert_int_equal(flec_codec_open(&c, engine, "letters", FLEC_ENCRYPT, message, sizeof message), FLEC_REFUSED);
    c = codec(engine, "letters", FLEC_ENCRYPT | FLEC_DEAD_LETTERS);
    bytes body = person("p-8"), record = encrypt(c, &body);
    assert_int_equal(flec_failure(c, &rule, &topic), FLEC_NOT_FOUND);
    record.p[record.n - 6] ^= 1;
    assert_int_equal(flec_decrypt(c, record.p, record.n, &out, &n), FLEC_TAMPERED);
    assert_int_equal(flec_failure(c, &rule, &topic), FLEC_OK);
    assert_string_equal(rule, "encrypt-PII");
    assert_string_equal(topic, "dead");
    /* the dead letter itself: the rule that failed is passed over */
    assert_int_equal(flec_header_set(c, "__rule.name", rule, strlen(rule)), FLEC_OK);
    assert_int_equal(flec_decrypt(c, record.p, record.n, &out, &n), FLEC_OK);
    assert_null(memmem(out, n, ssn, strlen(ssn)));
    flec_codec_close(c);
}

static void schema_of_a_record(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    const char *type;
    int id, again;
    assert_non_null(strstr(flec_schema(c, &type, &id), "\"Person\""));
    assert_string_equal(type, "AVRO");
    assert_true(id > 0);
    bytes body = person("p-9"), record = encrypt(c, &body);
    decrypts_to(c, &record, &body);
    assert_non_null(strstr(flec_schema(c, NULL, &again), "\"Person\""));
    assert_int_equal(id, again);
    flec_codec_close(c);
}

/* ---- lives ---- */

static void engine_closed_before_its_codecs(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    flec_engine_close(engine);
    engine = NULL;
    bytes body = person("p-10"), record = encrypt(c, &body);
    decrypts_to(c, &record, &body);
    flec_codec_close(c);
    engine = opened(l.plan); /* the store is free again */
}

static void nothing_is_nothing(void **state)
{
    const void *out;
    size_t n;
    flec_engine_close(NULL);
    flec_codec_close(NULL);
    assert_int_equal(flec_encrypt(NULL, "x", 1, &out, &n), FLEC_USAGE);
    assert_int_equal(flec_decrypt(NULL, "x", 1, &out, &n), FLEC_USAGE);
    assert_string_equal(flec_error(NULL), "there is no codec");
    assert_null(flec_schema(NULL, NULL, NULL));
}

static int child(flec_codec *c, const bytes *body)
{
    const void *out;
    size_t n;
    flec_codec *other;
    if (flec_encrypt(c, body->p, body->n, &out, &n) != FLEC_USAGE || out)
        return 1;
    if (!strstr(flec_error(c), "fork"))
        return 2;
    if (flec_codec_open(&other, engine, "people", FLEC_DECRYPT, message, sizeof message) != FLEC_USAGE)
        return 3;
    flec_codec_close(c);
    flec_engine_close(engine);
    return 0;
}

static void forks(void **state)
{
    flec_codec *c = codec(engine, "people", FLEC_ENCRYPT);
    bytes body = person("p-11"), first = encrypt(c, &body);
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child(c, &body));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    decrypts_to(c, &first, &body); /* the parent goes on */
    flec_codec_close(c);
}

static unsigned lines, odd_lines;

static void one_line(void *ctx, flec_level level, const char *text)
{
    lines++; /* nothing is asserted here: that would leave the library by a jump */
    odd_lines += ctx != &lines || level > FLEC_LOG_WARNING || !*text || strchr(text, '\n');
}

/* A reference that does not resolve is a warning, and then the key is refused. */
static void log_goes_to_the_caller(void **state)
{
    flec_codec *c;
    bytes body = person("p-12");
    const void *out;
    size_t n;
    flec_engine_close(engine);
    l.settings[3] = "${env:FLEC_TEST_UNSET}";
    lines = odd_lines = 0;
    flec_log(one_line, &lines, FLEC_LOG_WARNING);
    engine = opened(l.plan);
    c = codec(engine, "people", FLEC_ENCRYPT);
    assert_int_equal(flec_encrypt(c, body.p, body.n, &out, &n), FLEC_NO_KEY);
    assert_true(lines > 0);
    assert_int_equal(odd_lines, 0);
    flec_log(NULL, NULL, FLEC_LOG_DEBUG);
    unsigned before = lines;
    assert_int_equal(flec_encrypt(c, body.p, body.n, &out, &n), FLEC_NO_KEY);
    assert_int_equal(lines, before);
    flec_codec_close(c);
}

static void one_file_of_seals(void **state)
{
    char other[96], file[96];
    snprintf(other, sizeof other, "file://%s/other", l.dir);
    snprintf(file, sizeof file, "%s/registry/seals.log", l.dir);
    flec_codec *a = codec(engine, "people", FLEC_ENCRYPT), *b;
    l.settings[1] = other;
    flec_engine *second = opened(l.plan);
    assert_int_equal(flec_codec_open(&b, second, "people", FLEC_ENCRYPT, message, sizeof message), FLEC_REFUSED);
    assert_non_null(strstr(message, "flec.seals.file"));
    flec_codec_close(codec(second, "people", FLEC_DECRYPT));
    flec_engine_close(second);
    l.settings[4] = "flec.seals.file";
    l.settings[5] = file;
    l.settings[6] = NULL;
    second = opened(l.plan);
    flec_codec_close(codec(second, "people", FLEC_ENCRYPT));
    flec_codec_close(a);
    flec_engine_close(second);
}

/* Numbers that are compiled into applications: none of them ever changes (docs/libflec.md). */
static void numbers(void **state)
{
    static const int codes[] = {FLEC_OK,       FLEC_BAD_INPUT, FLEC_TAMPERED, FLEC_NO_KEY, FLEC_NOT_FOUND,
                                FLEC_CONFLICT, FLEC_REFUSED,   FLEC_IO,       FLEC_USAGE};
    static const char *const names[] = {"OK",       "BAD_INPUT", "TAMPERED", "NO_KEY", "NOT_FOUND",
                                        "CONFLICT", "REFUSED",   "IO",       "USAGE"};
    for (int i = 0; i < 9; i++) {
        assert_int_equal(codes[i], i);
        assert_string_equal(flec_code_name((flec_code)i), names[i]);
    }
    assert_string_equal(flec_code_name((flec_code)9), "UNKNOWN");
    assert_int_equal(sizeof(flec_code), sizeof(int));
    assert_int_equal(sizeof(flec_level), sizeof(int));
    assert_true(FLEC_LOG_ERROR == 0 && FLEC_LOG_WARNING == 1 && FLEC_LOG_INFO == 2 && FLEC_LOG_DEBUG == 3);
    assert_true(FLEC_VALUE == 0 && FLEC_KEY == 1 && FLEC_DECRYPT == 0 && FLEC_ENCRYPT == 2 && FLEC_GUID == 4 &&
                FLEC_DEAD_LETTERS == 8);
    assert_int_equal(FLEC_ABI, 0);
    assert_string_equal(flec_version(), FLEC_VERSION);
    assert_true(strstr(flec_crypto(), "OpenSSL") || strstr(flec_crypto(), "libipsec-mb"));
}

#define LAB(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB(record_and_back),
        LAB(nothing_but_a_registry),
        LAB(build_directory),
        LAB(null_and_empty),
        LAB(keys_without_schema_pass),
        LAB(every_bit_counts),
        LAB(reading_codecs_do_not_write),
        LAB(topics_and_flags),
        LAB(settings_are_checked),
        LAB(settings_of_a_file),
        LAB(another_secret),
        LAB(guid_in_a_header),
        LAB(headers_have_limits),
        LAB(dead_letters),
        LAB(schema_of_a_record),
        LAB(engine_closed_before_its_codecs),
        LAB(nothing_is_nothing),
        LAB(forks),
        LAB(log_goes_to_the_caller),
        LAB(one_file_of_seals),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests_name("libflec", tests, NULL, NULL);
}
