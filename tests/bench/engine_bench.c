/* engine_bench.c: how fast the engine encrypts and decrypts, beside the floor that the ciphers set.
 *
 * The record is the one of docs/performance.md (twins.h): 12 fields, 4 of them sealed; 10,000 distinct ones. A scene is
 * that record in one format, sealed one way, by one library. Its floor (floors.h) does the same four seals with the
 * library itself, base64, and one copy of the record, and nothing else; a second line has the same through the engine's
 * own cipher seam (aead.h), which checks every result, counts seals and wipes IVs. Everything runs on one pinned core
 * and takes turns; medians of 5; CPU time, so that a busy machine does not blur it.
 *
 * usage: engine_bench PARTS FLEC DIR     PARTS: of library,process,workers, with commas; FLEC: the program; DIR: an
 * empty folder, where rates.tsv is left (scene, library, what, records a second) */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#include "runtime/engine.h"
#include "tests/bench/floors.h"
#include "tests/bench/twins.h"

enum { RECORDS = 10000, ROUNDS = 5, PASSES = 6, PROCESS_PASSES = 20, WORKER_PASSES = 12 };

typedef struct scene {
    const char *name;
    const twin *t;
    const char *alg;
    rt_alg alg_id;
    bool payload;
    rt_crypto crypto;
} scene;

static const char *const libraries[] = {[RT_CRYPTO_OPENSSL] = "openssl", [RT_CRYPTO_IPSEC_MB] = "ipsec-mb"};
#define SEALED_GCM "AES256_GCM", RT_AES256_GCM
static const scene scenes[] = {
    {"avro", &twins[AVRO], SEALED_GCM, false, RT_CRYPTO_OPENSSL},
    {"avro", &twins[AVRO], SEALED_GCM, false, RT_CRYPTO_IPSEC_MB},
    {"json", &twins[JSON], SEALED_GCM, false, RT_CRYPTO_OPENSSL},
    {"json", &twins[JSON], SEALED_GCM, false, RT_CRYPTO_IPSEC_MB},
    {"protobuf", &twins[PROTOBUF], SEALED_GCM, false, RT_CRYPTO_OPENSSL},
    {"protobuf", &twins[PROTOBUF], SEALED_GCM, false, RT_CRYPTO_IPSEC_MB},
    {"payload", &twins[AVRO], SEALED_GCM, true, RT_CRYPTO_OPENSSL},
    {"payload", &twins[AVRO], SEALED_GCM, true, RT_CRYPTO_IPSEC_MB},
    {"siv", &twins[AVRO], "AES256_SIV", RT_AES256_SIV, false, RT_CRYPTO_OPENSSL},
};

typedef struct record {
    const uint8_t *body, *wire;
    size_t nbody, nwire;
    const uint8_t *field[SEALED]; /* the sealed fields: in the body for the floor */
    size_t len[SEALED];
    const uint8_t *raw[SEALED], *sealed[SEALED]; /* what the floor made of them: before base64, after it */
    size_t nraw[SEALED], nsealed[SEALED];
} record;

static const scene *now; /* the one at hand */
static record records[RECORDS];
static _Thread_local volatile uint64_t consumed;
static FILE *rates;

/* ---- the records ---- */

static unsigned nsealed(void)
{
    return now->payload ? 1 : SEALED;
}

static bool is_text(unsigned i)
{
    return !now->payload && now->t->text[i];
}

/* Each of these lies in one piece, record behind record, as a stream is. */
typedef enum { BODIES, WIRES, RAWS, SEALEDS, POOLS } pool;
static fl_buf pools[POOLS];

static void empty_pools(void)
{
    for (int i = 0; i < POOLS; i++) {
        if (!pools[i].max)
            fl_buf_init(&pools[i], (size_t)16 << 20);
        fl_buf_clear(&pools[i]);
        fl_buf_reserve(&pools[i], ((size_t)16 << 20) - 1); /* it stays where it is */
    }
}

static const uint8_t *put(pool p, const void *from, size_t n)
{
    const char *at = pools[p].p + pools[p].len;
    if (!fl_buf_add(&pools[p], from, n))
        fl_die(FL_COULD_NOT_RUN, "the records are larger than expected");
    return (const uint8_t *)at;
}

static void make_record(record *r, int number)
{
    size_t at[SEALED];
    fl_buf b;
    fl_buf_init(&b, 4096);
    now->t->make(&b, number, at, r->len);
    r->nbody = b.len;
    r->body = put(BODIES, b.p, b.len);
    for (int i = 0; i < SEALED; i++)
        r->field[i] = r->body + at[i];
    if (now->payload) {
        r->field[0] = r->body;
        r->len[0] = r->nbody;
    }
    fl_buf_free(&b);
}

/* ---- what is measured ---- */

typedef struct bench { /* of one worker */
    rt_key *key;
    rt_keys *keys, *walk_keys;
    rt_codec *codec, *walk_codec; /* the second: the same schema without a rule */
    uint8_t buf[4096];
    fl_buf out;
} bench;

static void seal(bench *b, bool seam, uint8_t *out, const uint8_t *in, size_t n)
{
    if (!seam)
        floors[now->crypto].seal(out, in, n);
    else if (!rt_seal(b->key, out, in, n))
        abort();
}

/* seam: through aead.h. Returns where the output ends. */
static size_t encrypt_floor(bench *b, const record *r, bool seam)
{
    uint8_t raw[1024], *out = b->buf;
    size_t at = now->payload ? 0 : r->nbody, over = rt_alg_overhead(now->alg_id);
    if (!now->payload)
        memcpy(out, r->body, r->nbody);
    for (unsigned i = 0; i < nsealed(); i++) {
        size_t n = r->len[i] + over;
        seal(b, seam, is_text(i) ? raw : out + at, r->field[i], r->len[i]);
        if (is_text(i))
            n = fl_b64_encode((char *)out + at, raw, n);
        at += n;
    }
    consumed += out[at - 1] + at;
    return at;
}

/* What those find that decrypt or do a part. */
static void keep_floor(bench *b, record *r)
{
    uint8_t raw[1024];
    char text[1024];
    for (unsigned i = 0; i < nsealed(); i++) {
        size_t n = r->nraw[i] = r->len[i] + rt_alg_overhead(now->alg_id);
        seal(b, now->alg_id == RT_AES256_SIV, raw, r->field[i], r->len[i]);
        r->raw[i] = put(RAWS, raw, n);
        r->nsealed[i] = is_text(i) ? fl_b64_encode(text, raw, n) : n;
        r->sealed[i] = put(SEALEDS, is_text(i) ? text : (char *)raw, r->nsealed[i]);
    }
}

static void decrypt_floor(bench *b, const record *r, bool seam)
{
    uint8_t raw[1024], *out = b->buf;
    size_t at = now->payload ? 0 : r->nbody, over = rt_alg_overhead(now->alg_id);
    if (!now->payload)
        memcpy(out, r->body, r->nbody);
    for (unsigned i = 0; i < nsealed(); i++) {
        const uint8_t *in = r->sealed[i];
        size_t n = r->nsealed[i];
        if (is_text(i)) {
            n = (size_t)fl_b64_decode(raw, (const char *)in, n, FL_B64_STRICT);
            in = raw;
        }
        if (!seam)
            floors[now->crypto].open(out + at, in, n - over);
        else if (rt_open(b->key, out + at, in, n) < 0)
            abort();
        at += n - over;
    }
    consumed += out[at - 1] + at;
}

static void floor_encrypt(bench *b, record *r)
{
    encrypt_floor(b, r, false);
}

static void floor_decrypt(bench *b, record *r)
{
    decrypt_floor(b, r, false);
}

static void seam_encrypt(bench *b, record *r)
{
    encrypt_floor(b, r, true);
}

static void seam_decrypt(bench *b, record *r)
{
    decrypt_floor(b, r, true);
}

static void must(rt_code code, const rt_error *e)
{
    if (code)
        fl_die(FL_COULD_NOT_RUN, "%s", e->message);
}

static void engine_encrypt(bench *b, record *r)
{
    rt_error e;
    must(rt_encrypt(b->codec, r->body, r->nbody, &b->out, &e), &e);
    consumed += (uint8_t)b->out.p[b->out.len - 1] + b->out.len;
}

static void engine_decrypt(bench *b, record *r)
{
    rt_error e;
    int id;
    must(rt_decrypt(b->codec, r->wire, r->nwire, &b->out, &id, &e), &e);
    consumed += (uint8_t)b->out.p[b->out.len - 1] + b->out.len;
}

/* ---- parts of it ---- */

static void copy(bench *b, record *r)
{
    memcpy(b->buf, r->body, r->nbody);
    consumed += b->buf[r->nbody - 1];
}

static void walk(bench *b, record *r)
{
    rt_error e;
    must(rt_encrypt(b->walk_codec, r->body, r->nbody, &b->out, &e), &e);
    consumed += (uint8_t)b->out.p[b->out.len - 1] + b->out.len;
}

static void seals(bench *b, record *r)
{
    for (unsigned i = 0; i < nsealed(); i++)
        seal(b, true, b->buf, r->field[i], r->len[i]);
    consumed += b->buf[0];
}

static void opens(bench *b, record *r)
{
    for (unsigned i = 0; i < nsealed(); i++)
        if (rt_open(b->key, b->buf, r->raw[i], r->nraw[i]) < 0)
            abort();
    consumed += b->buf[0];
}

static void base64_encode(bench *b, record *r)
{
    for (unsigned i = 0; i < nsealed(); i++)
        if (is_text(i))
            consumed += fl_b64_encode((char *)b->buf, r->raw[i], r->nraw[i]);
}

static void base64_decode(bench *b, record *r)
{
    for (unsigned i = 0; i < nsealed(); i++)
        if (is_text(i))
            consumed += (uint64_t)fl_b64_decode(b->buf, (const char *)r->sealed[i], r->nsealed[i], FL_B64_STRICT);
}

typedef enum {
    FLOOR_ENCRYPT,
    SEAM_ENCRYPT,
    ENGINE_ENCRYPT,
    FLOOR_DECRYPT,
    SEAM_DECRYPT,
    ENGINE_DECRYPT,
    COPY,
    WALK,
    SEALS,
    OPENS,
    BASE64_ENCODE,
    BASE64_DECODE,
    KINDS
} kind;
typedef struct measured {
    const char *name;
    void (*fn)(bench *b, record *r);
    int of; /* percent of that, or -1 */
} measured;
static const measured kinds[KINDS] = {
    [FLOOR_ENCRYPT] = {"floor: seals, base64, one copy", floor_encrypt, -1},
    [SEAM_ENCRYPT] = {"the same through rt_seal", seam_encrypt, FLOOR_ENCRYPT},
    [ENGINE_ENCRYPT] = {"rt_encrypt", engine_encrypt, FLOOR_ENCRYPT},
    [FLOOR_DECRYPT] = {"floor: opens, base64, one copy", floor_decrypt, -1},
    [SEAM_DECRYPT] = {"the same through rt_open", seam_decrypt, FLOOR_DECRYPT},
    [ENGINE_DECRYPT] = {"rt_decrypt", engine_decrypt, FLOOR_DECRYPT},
    [COPY] = {NULL, copy, -1},
    [WALK] = {NULL, walk, -1},
    [SEALS] = {NULL, seals, -1},
    [OPENS] = {NULL, opens, -1},
    [BASE64_ENCODE] = {NULL, base64_encode, -1},
    [BASE64_DECODE] = {NULL, base64_decode, -1},
};

/* ---- the engine ---- */

static fl_secret secret(void *ctx, const char *kek, const char *name)
{
    return strcmp(name, "secret") == 0 ? fl_secret_copy("bench", 5) : (fl_secret){0};
}

static const char *rule_set(const scene *s)
{
    static char text[1024];
    snprintf(text, sizeof text,
             "{\"%s\":[{\"name\":\"encrypt-PII\",\"kind\":\"TRANSFORM\",\"type\":\"%s\",\"mode\":\"WRITEREAD\"%s,"
             "\"params\":{\"encrypt.kek.name\":\"bench-kek\",\"encrypt.kms.type\":\"local-kms\","
             "\"encrypt.kms.key.id\":\"bench\",\"encrypt.dek.algorithm\":\"%s\"},\"onFailure\":\"ERROR,ERROR\"}]}",
             s->payload ? "encodingRules" : "domainRules", s->payload ? "ENCRYPT_PAYLOAD" : "ENCRYPT",
             s->payload ? "" : ",\"tags\":[\"PII\"]", s->alg);
    return text;
}

static rt_registry *registry;

static void open_codec(const char *subject, bool bare, rt_keys **keys, rt_codec **codec)
{
    rt_error e;
    rt_subject s = {.subject = subject,
                    .type = now->t->type,
                    .schema = now->t->schema,
                    .message = now->t->message,
                    .ruleset = bare ? NULL : rule_set(now)};
    fl_arena *a = fl_arena_new();
    must(registry->ops->register_subject(registry, a, &s, &e), &e);
    rt_keys_options opt = {.registry = registry, .params = {.get = secret}};
    *keys = rt_keys_new(&opt);
    must(rt_codec_open(registry, *keys, &s, NULL, codec, &e), &e);
    fl_arena_free(a);
}

static void open_bench(bench *b)
{
    fl_secret raw = fl_secret_new(rt_alg_key_len(now->alg_id));
    memset(raw.bytes, 7, raw.len);
    memcpy(raw.bytes, floor_key, sizeof floor_key);
    b->key = rt_key_new(now->alg_id, &raw);
    fl_secret_free(&raw);
    fl_buf_init(&b->out, 1 << 20);
    open_codec("bench-value", false, &b->keys, &b->codec);
    open_codec("walk-value", true, &b->walk_keys, &b->walk_codec);
}

static void close_bench(bench *b)
{
    rt_key_free(b->key);
    rt_codec_close(b->codec);
    rt_codec_close(b->walk_codec);
    rt_keys_free(b->keys);
    rt_keys_free(b->walk_keys);
    fl_buf_free(&b->out);
    *b = (bench){0};
}

/* ---- measuring ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pass(bench *b, void (*fn)(bench *b, record *r))
{
    for (int i = 0; i < RECORDS; i++)
        fn(b, &records[i]);
}

static int by_value(const void *x, const void *y)
{
    const double *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static void line(const char *what, double rate, double floor)
{
    printf("  %-34s %10.0f records/s", what, rate);
    if (floor > 0)
        printf("   %3.0f %% of the floor", 100 * rate / floor);
    putchar('\n');
    fprintf(rates, "%s\t%s\t%s\t%.0f\n", now->name, libraries[now->crypto], what, rate);
    fflush(stdout);
}

/* What the ones that decrypt find: sealed by the floor and by the engine. */
static void keep(bench *b)
{
    for (int i = 0; i < RECORDS; i++) {
        record *r = &records[i];
        keep_floor(b, r);
        engine_encrypt(b, r);
        r->wire = put(WIRES, b->out.p, b->out.len);
        r->nwire = b->out.len;
    }
}

static void check(bench *b)
{
    for (int i = 0; i < RECORDS; i++) {
        engine_decrypt(b, &records[i]);
        if (b->out.len != records[i].nbody || memcmp(b->out.p, records[i].body, b->out.len) != 0)
            fl_die(FL_FINDINGS, "record %d does not come back as it was", i);
    }
}

/* SIV has no floor: OpenSSL's own has to set the key for every text. */
static bool skipped(kind k)
{
    return now->alg_id == RT_AES256_SIV && (k == FLOOR_ENCRYPT || k == FLOOR_DECRYPT);
}

static void parts(const double *rate)
{
    double ns[KINDS];
    for (int k = 0; k < KINDS; k++)
        ns[k] = rate[k] > 0 ? 1e9 / rate[k] : 0;
    printf("  nanoseconds a record:       whole = walk + copy + seals + base64 + keys, lengths, frame\n");
    for (int i = 0; i < 2; i++) {
        double whole = ns[i ? ENGINE_DECRYPT : ENGINE_ENCRYPT], cipher = ns[i ? OPENS : SEALS],
               text = ns[i ? BASE64_DECODE : BASE64_ENCODE], all = ns[WALK];
        printf("  %-26s %6.0f = %4.0f + %4.0f + %5.0f + %6.0f + %4.0f\n", i ? "  decrypt" : "  encrypt", whole,
               all - ns[COPY], ns[COPY], cipher, text, whole - all - cipher - text);
    }
}

static void measure(bench *b, double *rate)
{
    double all[KINDS][ROUNDS] = {0};
    for (int k = 0; k < KINDS; k++)
        if (!skipped((kind)k))
            pass(b, kinds[k].fn);
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < KINDS; k++) {
            double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
            for (int i = 0; i < PASSES && !skipped((kind)k); i++)
                pass(b, kinds[k].fn);
            all[k][round] = (double)RECORDS * PASSES / (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start);
        }
    for (int k = 0; k < KINDS; k++)
        rate[k] = skipped((kind)k) ? 0 : median(all[k]);
    for (int k = 0; k < KINDS; k++)
        if (kinds[k].name && rate[k] > 0)
            line(kinds[k].name, rate[k], kinds[k].of < 0 ? 0 : rate[kinds[k].of]);
}

static void pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* The first two cores that this program may use; the same twice where there is but one. */
static void find_cores(int core[2])
{
    cpu_set_t set;
    int found = 0;
    core[0] = core[1] = 0;
    sched_getaffinity(0, sizeof set, &set);
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            core[found++] = i;
    if (found == 1)
        core[1] = core[0];
}

#include "tests/bench/processes.h"
#include "tests/bench/workers.h"

static void run_scene(bool library, bool process, bool several, const char *flec, const char *dir, const int core[2])
{
    static bench b[2];
    double rate[KINDS] = {0};
    rt_error e;
    must(rt_crypto_use(now->crypto, &e), &e);
    must(rt_registry_open("mem:", NULL, &registry, &e), &e);
    empty_pools();
    for (int i = 0; i < RECORDS; i++)
        make_record(&records[i], i);
    for (int i = 0; i < 2; i++)
        open_bench(&b[i]);
    keep(&b[0]);
    check(&b[0]);
    printf("%s, %s%s by %s: %zu bytes plain, %zu on the wire\n", now->t->type,
           now->payload ? "payload, " : "4 fields, ", now->alg, libraries[now->crypto], records[0].nbody,
           records[0].nwire);
    if (library) {
        measure(&b[0], rate);
        parts(rate);
    }
    if (process)
        processes(flec, dir, rate);
    if (several)
        two_workers(b, core);
    for (int i = 0; i < 2; i++)
        close_bench(&b[i]);
    rt_registry_close(registry);
}

int main(int argc, char **argv)
{
    char path[4096];
    int core[2];
    if (argc < 4)
        fl_die(FL_USAGE, "usage: engine_bench library,process,workers FLEC DIR [SCENE]");
    find_cores(core);
    pin(core[0]);
    fl_secret_setup();
    bool fast = imb_ready();
    snprintf(path, sizeof path, "%s/rates.tsv", argv[3]);
    rates = fopen(path, "w");
    if (!rates)
        fl_die(FL_COULD_NOT_RUN, "cannot write %s", path);
    printf("%s%s%s; one core, medians of %d, CPU time\n", OpenSSL_version(OPENSSL_VERSION), fast ? ", " : "",
           fast ? rt_imb_name() : "", ROUNDS);
    for (now = scenes; now < scenes + sizeof scenes / sizeof *scenes; now++)
        if ((fast || now->crypto != RT_CRYPTO_IPSEC_MB) && (argc < 5 || strcmp(argv[4], now->name) == 0))
            run_scene(strstr(argv[1], "library"), strstr(argv[1], "process"), strstr(argv[1], "workers"), argv[2],
                      argv[3], core);
    fclose(rates);
    return consumed ? 0 : 1;
}
