/* threads_test.c: one engine, eight workers: they encrypt, decrypt what others wrote, open and close codecs, while keys
 * rotate and are asked for again. Meant for -fsanitize=thread (make test-threads); holds without it, too. */
#include "runtime/lib/lib_lab.h"

#include <pthread.h>

#include "runtime/lib/lib.h"

enum { WORKERS = 8, RECORDS = 2000, DAYS = 5, SLOTS = 64 };

static lib_lab l;
static flec_engine *engine;
static int64_t today; /* ms; atomic */

static int64_t now_ms(void *ctx)
{
    return __atomic_load_n(&today, __ATOMIC_RELAXED);
}

/* ---- records that pass from worker to worker ---- */

typedef struct slot {
    pthread_mutex_t lock;
    unsigned char record[256];
    size_t n;
} slot;

static slot slots[SLOTS];

static void put(slot *s, const void *record, size_t n)
{
    pthread_mutex_lock(&s->lock);
    if (n <= sizeof s->record) {
        memcpy(s->record, record, n);
        s->n = n;
    }
    pthread_mutex_unlock(&s->lock);
}

static size_t take(slot *s, unsigned char *out)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->n;
    memcpy(out, s->record, n);
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* ---- workers: cmocka's asserts are for its own thread alone ---- */

typedef struct worker {
    pthread_t thread;
    int number;
    unsigned written, read;
    int most; /* the highest DEK version seen in a record */
    char problem[600];
} worker;

static bool wrong(worker *w, const char *what, const flec_codec *c)
{
    snprintf(w->problem, sizeof w->problem, "worker %d, %s: %s", w->number, what, flec_error(c));
    return false;
}

/* Behind the frame (5 bytes), the id (its length and "w") and the length of the field: base64 of 00 and the version in
 * 4 bytes, of which the last two are enough here. */
static int version_of(const unsigned char *record)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *text = record + 5 + 2 + 1;
    int v = 0;
    for (int i = 4; i < 8; i++) { /* bytes 3, 4 and 5; the fifth is the IV's first */
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        v = v << 6 | (at ? (int)(at - digits) : 0);
    }
    return v >> 8 & 0xffff;
}

static bool write_one(worker *w, flec_codec *c, slot *to)
{
    unsigned char body[64];
    const void *record;
    size_t n = lab_person(body, "w", "078-05-1120"), nrecord;
    if (flec_encrypt(c, body, n, &record, &nrecord) != FLEC_OK)
        return wrong(w, "encrypt", c);
    int version = version_of(record);
    w->most = version > w->most ? version : w->most;
    w->written++;
    put(to, record, nrecord);
    return true;
}

static bool read_one(worker *w, flec_codec *c, slot *from)
{
    unsigned char record[256], want[64];
    const void *body;
    size_t n = take(from, record), nwant = lab_person(want, "w", "078-05-1120"), nbody;
    if (!n)
        return true;
    if (flec_decrypt(c, record, n, &body, &nbody) != FLEC_OK)
        return wrong(w, "decrypt", c);
    if (nbody != nwant || memcmp(body, want, nwant) != 0)
        return wrong(w, "another record came back", c);
    w->read++;
    return true;
}

static flec_codec *codec(worker *w, unsigned flags)
{
    flec_codec *c;
    if (flec_codec_open(&c, engine, "turning", flags, w->problem, sizeof w->problem) != FLEC_OK)
        return NULL;
    return c;
}

/* One day of a worker: codecs of its own, opened while others work. */
static bool a_day(worker *w)
{
    flec_codec *out = codec(w, FLEC_ENCRYPT), *in = codec(w, FLEC_DECRYPT);
    bool ok = out && in;
    for (unsigned i = 0; i < RECORDS && ok; i++)
        ok = write_one(w, out, &slots[(i + (unsigned)w->number) % SLOTS]) && read_one(w, in, &slots[(i * 7) % SLOTS]);
    flec_codec_close(out);
    flec_codec_close(in);
    return ok;
}

/* The first worker turns the clock while the others are in the middle of their records. */
static void *work(void *ctx)
{
    worker *w = ctx;
    for (int day = 0; day < DAYS; day++) {
        if (!a_day(w))
            break;
        if (w->number == 0 && day + 1 < DAYS)
            __atomic_add_fetch(&today, INT64_C(86400000), __ATOMIC_RELAXED);
    }
    return NULL;
}

static worker workers[WORKERS];

static void run(void)
{
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (worker){.number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < WORKERS; i++)
        if (*workers[i].problem)
            fail_msg("%s", workers[i].problem);
}

static void eight_workers(void **state)
{
    rt_error err;
    rt_lib_clock clock = {.now_ms = now_ms};
    today = INT64_C(1800000000000);
    for (int i = 0; i < SLOTS; i++)
        pthread_mutex_init(&slots[i].lock, NULL);
    lab_make(&l);
    if (rt_lib_open(&engine, l.plan, l.settings, &clock, &err))
        fail_msg("%s", err.message);
    run();
    int most = 0;
    for (int i = 0; i < WORKERS; i++) {
        assert_int_equal(workers[i].written, RECORDS * DAYS);
        assert_true(workers[i].read > 0);
        most = workers[i].most > most ? workers[i].most : most;
    }
    /* the first worker writes on each day before it turns the clock, and all others race for the same version */
    assert_int_equal(most, DAYS);
    flec_engine_close(engine);
    lab_remove(&l);
}

/* Engines of one process, opened and closed by several threads: what they share (seals, log, ciphers) is shared well.
 */
static void *open_and_close(void *ctx)
{
    worker *w = ctx;
    char registry[128], message[512];
    const char *settings[] = {"schema.registry.url", registry, "rule.executors._default_.param.secret", "s", NULL};
    snprintf(registry, sizeof registry, "file://%s/r%d", l.dir, w->number);
    for (int i = 0; i < 3 && !*w->problem; i++) {
        flec_engine *e;
        flec_codec *c;
        if (flec_engine_open(&e, l.plan, settings, w->problem, sizeof w->problem) != FLEC_OK)
            break;
        if (flec_codec_open(&c, e, "people", FLEC_DECRYPT, message, sizeof message) == FLEC_OK)
            flec_codec_close(c);
        else
            snprintf(w->problem, sizeof w->problem, "%s", message);
        flec_engine_close(e);
    }
    return NULL;
}

static void many_engines(void **state)
{
    lab_make(&l);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (worker){.number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, open_and_close, &workers[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < WORKERS; i++)
        assert_string_equal(workers[i].problem, "");
    lab_remove(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(eight_workers), cmocka_unit_test(many_engines)};
    return cmocka_run_group_tests_name("libflec-threads", tests, NULL, NULL);
}
