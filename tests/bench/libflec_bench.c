/* libflec_bench.c: the shared library through its header: one engine, a codec a worker, the Avro record of
 * docs/performance.md (twins.h), 10,000 distinct ones, AES256_GCM; and what a second worker gives on a second core.
 *
 * One worker on one core, two on two, in turn; medians of 9 pairs. By the clock, which other programs on the machine
 * blur, and by CPU time of the workers, in which waiting for each other would not show: so both are printed, and the
 * share of its time that each worker was on its core. usage: libflec_bench FOLDER    an empty one */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "runtime/lib/flec.h"
#include "tests/bench/twins.h"

enum { RECORDS = 10000, PASSES = 40, ROUNDS = 9, WORKERS = 2 };

typedef struct bytes {
    uint8_t *p;
    size_t n;
} bytes;

typedef struct worker {
    pthread_t thread;
    flec_codec *codec;
    pthread_barrier_t *start;
    int core;
    bool decrypt;
    double began, ended, cpu; /* seconds */
    uint64_t consumed;
} worker;

static bytes bodies[RECORDS], records[RECORDS];
static flec_engine *engine;
static int cores[WORKERS];

static void __attribute__((noreturn)) stop(const char *why)
{
    fprintf(stderr, "libflec_bench: %s\n", why);
    exit(4);
}

static bytes copy(const void *p, size_t n)
{
    bytes b = {fl_xmalloc(n), n};
    memcpy(b.p, p, n);
    return b;
}

/* ---- the plan ---- */

static void write_plan(const char *path)
{
    fl_buf b;
    fl_jw w;
    FILE *f = fopen(path, "w");
    if (!f)
        stop(path);
    fl_buf_init(&b, 1 << 20);
    fl_jw_init(&w, &b, false);
    fl_jw_string(&w, twins[AVRO].schema);
    fprintf(f,
            "{\"format\":\"flec-plan\",\"version\":1,\"environment\":null,\"platform\":{\"kind\":\"cloud\",\"workers\":"
            "\"7.9.2\",\"kmsParameters\":\"both\"},\"registry\":{\"url\":\"http://127.0.0.1:9\",\"auth\":null,"
            "\"config\":{}},\"kafka\":{\"bootstrap\":\"b:9092\",\"config\":{}},\"keks\":[{\"name\":\"bench-kek\","
            "\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\",\"kmsProps\":{},\"doc\":\"\",\"shared\":false}],"
            "\"subjects\":[],\"topics\":[{\"name\":\"t\",\"clear\":null,\"key\":{\"format\":\"string\"},\"value\":{"
            "\"format\":\"avro\",\"clear\":null,\"subject\":\"t-value\",\"schemaType\":\"AVRO\",\"schema\":%.*s,"
            "\"references\":[],\"metadata\":null,\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\","
            "\"type\":\"ENCRYPT\",\"mode\":\"WRITEREAD\",\"tags\":[\"PII\"],\"params\":{\"encrypt.kek.name\":"
            "\"bench-kek\",\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\"}}]},\"encrypted\":[",
            (int)b.len, b.p);
    for (int i = 0; i < SEALED; i++)
        fprintf(f, "%s{\"path\":\"%s\",\"kek\":\"bench-kek\",\"rule\":\"r\"}", i ? "," : "", sealed_names[i]);
    fputs("]},\"readers\":[],\"writers\":[]}],\"connectors\":[],\"principals\":[]}", f);
    if (fclose(f))
        stop(path);
    fl_buf_free(&b);
}

/* ---- records ---- */

static void make_records(flec_codec *c)
{
    size_t at[SEALED], len[SEALED], n;
    const void *record;
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    for (int i = 0; i < RECORDS; i++) {
        fl_buf_clear(&b);
        twins[AVRO].make(&b, i, at, len);
        bodies[i] = copy(b.p, b.len);
        if (flec_encrypt(c, bodies[i].p, bodies[i].n, &record, &n) != FLEC_OK)
            stop(flec_error(c));
        records[i] = copy(record, n);
    }
    fl_buf_free(&b);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pass_once(worker *w)
{
    const void *out;
    size_t n;
    for (int i = 0; i < RECORDS; i++) {
        flec_code code = w->decrypt ? flec_decrypt(w->codec, records[i].p, records[i].n, &out, &n)
                                    : flec_encrypt(w->codec, bodies[i].p, bodies[i].n, &out, &n);
        if (code != FLEC_OK)
            stop(flec_error(w->codec));
        w->consumed += ((const uint8_t *)out)[n / 2] + n;
    }
}

static void *work(void *ctx)
{
    worker *w = ctx;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(w->core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    pass_once(w); /* keys, buffers, caches */
    pthread_barrier_wait(w->start);
    w->began = seconds(CLOCK_MONOTONIC);
    double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < PASSES; i++)
        pass_once(w);
    w->cpu = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
    w->ended = seconds(CLOCK_MONOTONIC);
    return NULL;
}

/* ---- one measurement ---- */

typedef struct rate {
    double clock, cpu, share; /* records a second, a second of CPU over all workers; part of the time on a core */
} rate;

static rate run(int n, bool decrypt)
{
    char message[512];
    pthread_barrier_t start;
    worker w[WORKERS];
    pthread_barrier_init(&start, NULL, (unsigned)n);
    for (int i = 0; i < n; i++) {
        w[i] = (worker){.start = &start, .core = cores[i], .decrypt = decrypt};
        if (flec_codec_open(&w[i].codec, engine, "t", FLEC_ENCRYPT, message, sizeof message) != FLEC_OK)
            stop(message);
        if (pthread_create(&w[i].thread, NULL, work, &w[i]))
            stop("no thread");
    }
    rate r = {0};
    double began = 0, ended = 0;
    for (int i = 0; i < n; i++) {
        pthread_join(w[i].thread, NULL);
        flec_codec_close(w[i].codec);
        began = i == 0 || w[i].began < began ? w[i].began : began;
        ended = i == 0 || w[i].ended > ended ? w[i].ended : ended;
        r.cpu += (double)PASSES * RECORDS / w[i].cpu;
        r.share += w[i].cpu / (w[i].ended - w[i].began) / n;
    }
    r.clock = (double)n * PASSES * RECORDS / (ended - began);
    pthread_barrier_destroy(&start);
    return r;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_size);
    return v[ROUNDS / 2];
}

static void measure(bool decrypt)
{
    double clock[2][ROUNDS], cpu[2][ROUNDS], share[2][ROUNDS], by_clock[ROUNDS], by_cpu[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        rate r[2] = {run(1, decrypt), run(2, decrypt)};
        for (int k = 0; k < 2; k++) {
            clock[k][i] = r[k].clock;
            cpu[k][i] = r[k].cpu;
            share[k][i] = r[k].share;
        }
        by_clock[i] = r[1].clock / r[0].clock;
        by_cpu[i] = r[1].cpu / r[0].cpu;
    }
    printf("%s  one worker %9.0f/s (CPU %9.0f/s, %3.0f %% of a core)  two %9.0f/s (CPU %9.0f/s, %3.0f %%)  "
           "two to one: %.2f, by CPU time %.2f\n",
           decrypt ? "decrypt" : "encrypt", median(clock[0]), median(cpu[0]), 100 * median(share[0]), median(clock[1]),
           median(cpu[1]), 100 * median(share[1]), median(by_clock), median(by_cpu));
}

static bool find_cores(void)
{
    cpu_set_t set;
    int n = 0;
    if (sched_getaffinity(0, sizeof set, &set))
        return false;
    for (int i = 0; i < CPU_SETSIZE && n < WORKERS; i++)
        if (CPU_ISSET(i, &set))
            cores[n++] = i;
    return n == WORKERS;
}

int main(int argc, char **argv)
{
    char plan[4096], registry[4096], message[512];
    flec_codec *c;
    if (argc != 2)
        stop("usage: libflec_bench FOLDER");
    if (!find_cores())
        stop("there is one core only");
    snprintf(plan, sizeof plan, "%s/plan.json", argv[1]);
    snprintf(registry, sizeof registry, "file://%s/workers", argv[1]);
    write_plan(plan);
    const char *const settings[] = {"schema.registry.url", registry, "rule.executors._default_.param.secret", "s",
                                    NULL};
    if (flec_engine_open(&engine, plan, settings, message, sizeof message) != FLEC_OK ||
        flec_codec_open(&c, engine, "t", FLEC_ENCRYPT, message, sizeof message) != FLEC_OK)
        stop(message);
    make_records(c);
    flec_codec_close(c);
    printf("libflec, %s: 12-field/4-tag Avro record, medians of %d\n", flec_crypto(), ROUNDS);
    measure(false);
    measure(true);
    flec_engine_close(engine);
    for (int i = 0; i < RECORDS; i++) {
        free(bodies[i].p);
        free(records[i].p);
    }
    return 0;
}
