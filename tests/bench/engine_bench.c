/* engine_bench.c: how fast the engine encrypts and decrypts, beside the floor that the ciphers set, in each format.
 *
 * The record is the one of docs/performance.md (twins.h): 12 fields, 4 of them sealed with AES256_GCM (3 strings of 11
 * to 40 characters, 32 bytes); 10,000 distinct ones. The floor does the same four seals with OpenSSL itself (kept
 * context, IVs from a pool), base64, and one copy of the record, and nothing else; a second line has the same through
 * the engine's own cipher seam (aead.h), which checks every result, counts seals and wipes IVs. Everything runs on one
 * pinned core; floor and engine take turns; medians of 5; CPU time, so that a busy machine does not blur it.
 *
 * usage: engine_bench [FLEC DIR]    with the program and an empty folder: whole processes as well */
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/engine.h"
#include "tests/bench/twins.h"

enum { RECORDS = 10000, ROUNDS = 5, PASSES = 12, PROCESS_PASSES = 60 };

static const char ruleset[] = "{\"domainRules\":[{\"name\":\"encrypt-PII\",\"kind\":\"TRANSFORM\",\"type\":\"ENCRYPT\","
                              "\"mode\":\"WRITEREAD\",\"tags\":[\"PII\"],"
                              "\"params\":{\"encrypt.kek.name\":\"bench-kek\",\"encrypt.kms.type\":\"local-kms\","
                              "\"encrypt.kms.key.id\":\"bench\","
                              "\"encrypt.dek.algorithm\":\"AES256_GCM\"},\"onFailure\":\"ERROR,ERROR\"}]}";

typedef struct record {
    uint8_t *body, *wire;
    size_t nbody, nwire;
    const uint8_t *field[SEALED]; /* the sealed fields: in the body for the floor */
    size_t len[SEALED];
    uint8_t *sealed[SEALED]; /* what the floor made of them */
    size_t nsealed[SEALED];
} record;

static const twin *now; /* the format at hand */
static record records[RECORDS];
static volatile uint64_t consumed;

/* ---- the records ---- */

static void make_record(record *r, int number)
{
    size_t at[SEALED];
    fl_buf b;
    fl_buf_init(&b, 4096);
    now->make(&b, number, at, r->len);
    r->nbody = b.len;
    r->body = memcpy(fl_xmalloc(b.len), b.p, b.len);
    for (int i = 0; i < SEALED; i++)
        r->field[i] = r->body + at[i];
    fl_buf_free(&b);
}

static void free_record(record *r)
{
    free(r->body);
    free(r->wire);
    for (int i = 0; i < SEALED; i++)
        free(r->sealed[i]);
    *r = (record){0};
}

/* ---- the floor ---- */

typedef struct ivs {
    uint8_t pool[12 * 341];
    size_t left;
} ivs;

static const uint8_t *next_iv(ivs *p)
{
    if (p->left == 0) {
        RAND_bytes(p->pool, sizeof p->pool);
        p->left = sizeof p->pool / 12;
    }
    return p->pool + 12 * --p->left;
}

static const uint8_t key[32] = {1, 2, 3};

static EVP_CIPHER_CTX *context(bool enc)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, NULL, enc);
    return c;
}

static size_t floor_seal(EVP_CIPHER_CTX *c, rt_key *k, ivs *iv, uint8_t *out, const uint8_t *in, size_t n)
{
    int len;
    if (k) {
        if (!rt_seal(k, out, in, n))
            abort();
        return n + 28;
    }
    memcpy(out, next_iv(iv), 12);
    EVP_EncryptInit_ex(c, NULL, NULL, NULL, out);
    EVP_EncryptUpdate(c, out + 12, &len, in, (int)n);
    EVP_EncryptFinal_ex(c, out + 12 + len, &len);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, out + 12 + n);
    return n + 28;
}

static void floor_encrypt(record *r, EVP_CIPHER_CTX *c, rt_key *k, ivs *iv, uint8_t *out, bool keep)
{
    uint8_t raw[128];
    memcpy(out, r->body, r->nbody);
    size_t at = r->nbody;
    for (int i = 0; i < SEALED; i++) {
        size_t n = floor_seal(c, k, iv, now->text[i] ? raw : out + at, r->field[i], r->len[i]);
        if (now->text[i])
            n = fl_b64_encode((char *)out + at, raw, n);
        if (keep) {
            r->sealed[i] = memcpy(fl_xmalloc(n), out + at, n);
            r->nsealed[i] = n;
        }
        at += n;
    }
    consumed += out[at - 1] + at;
}

static size_t floor_open(EVP_CIPHER_CTX *c, rt_key *k, uint8_t *out, const uint8_t *in, size_t n)
{
    int len;
    if (k) {
        if (rt_open(k, out, in, n) < 0)
            abort();
        return n - 28;
    }
    EVP_DecryptInit_ex(c, NULL, NULL, NULL, in);
    EVP_DecryptUpdate(c, out, &len, in + 12, (int)n - 28);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, (void *)(uintptr_t)(in + n - 16));
    if (EVP_DecryptFinal_ex(c, out + len, &len) != 1)
        abort();
    return n - 28;
}

static void floor_decrypt(const record *r, EVP_CIPHER_CTX *c, rt_key *k, uint8_t *out)
{
    uint8_t raw[128];
    memcpy(out, r->body, r->nbody);
    size_t at = r->nbody;
    for (int i = 0; i < SEALED; i++) {
        const uint8_t *in = r->sealed[i];
        size_t n = r->nsealed[i];
        if (now->text[i]) {
            n = (size_t)fl_b64_decode(raw, (const char *)in, n, FL_B64_STRICT);
            in = raw;
        }
        at += floor_open(c, k, out + at, in, n);
    }
    consumed += out[at - 1] + at;
}

/* ---- the engine ---- */

static fl_secret secret(void *ctx, const char *kek, const char *name)
{
    return strcmp(name, "secret") == 0 ? fl_secret_copy("bench", 5) : (fl_secret){0};
}

static rt_registry *registry;
static rt_keys *keys;
static rt_codec *codec;

static void open_engine(void)
{
    rt_error e;
    rt_subject s = {.subject = "bench-value", .type = now->type, .schema = now->schema, .ruleset = ruleset};
    fl_arena *a = fl_arena_new();
    fl_secret_setup();
    if (rt_registry_open("mem:", NULL, &registry, &e) || registry->ops->register_subject(registry, a, &s, &e))
        fl_die(FL_COULD_NOT_RUN, "%s", e.message);
    rt_keys_options opt = {.registry = registry, .params = {.get = secret}};
    keys = rt_keys_new(&opt);
    if (rt_codec_open(registry, keys, &s, NULL, &codec, &e))
        fl_die(FL_COULD_NOT_RUN, "%s", e.message);
    fl_arena_free(a);
}

static void engine_encrypt(record *r, fl_buf *out, bool keep)
{
    rt_error e;
    if (rt_encrypt(codec, r->body, r->nbody, out, &e))
        fl_die(FL_COULD_NOT_RUN, "%s", e.message);
    consumed += (uint8_t)out->p[out->len - 1] + out->len;
    if (keep) {
        r->wire = memcpy(fl_xmalloc(out->len), out->p, out->len);
        r->nwire = out->len;
    }
}

static void engine_decrypt(const record *r, fl_buf *out)
{
    rt_error e;
    int id;
    if (rt_decrypt(codec, r->wire, r->nwire, out, &id, &e))
        fl_die(FL_COULD_NOT_RUN, "%s", e.message);
    consumed += (uint8_t)out->p[out->len - 1] + out->len;
}

/* ---- measuring ---- */

typedef enum { FLOOR_ENCRYPT, SEAM_ENCRYPT, ENGINE_ENCRYPT, FLOOR_DECRYPT, SEAM_DECRYPT, ENGINE_DECRYPT, KINDS } kind;

typedef struct bench {
    EVP_CIPHER_CTX *enc, *dec;
    rt_key *key;
    ivs iv;
    uint8_t buf[4096];
    fl_buf out;
    double rate[KINDS][ROUNDS]; /* records a second */
} bench;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pass(bench *b, kind k, bool keep)
{
    for (int i = 0; i < RECORDS; i++) {
        if (k == FLOOR_ENCRYPT || k == SEAM_ENCRYPT)
            floor_encrypt(&records[i], b->enc, k == SEAM_ENCRYPT ? b->key : NULL, &b->iv, b->buf, keep);
        else if (k == ENGINE_ENCRYPT)
            engine_encrypt(&records[i], &b->out, keep);
        else if (k == FLOOR_DECRYPT || k == SEAM_DECRYPT)
            floor_decrypt(&records[i], b->dec, k == SEAM_DECRYPT ? b->key : NULL, b->buf);
        else
            engine_decrypt(&records[i], &b->out);
    }
}

static void measure(bench *b)
{
    for (int k = 0; k < KINDS; k++)
        pass(b, (kind)k, k == FLOOR_ENCRYPT || k == ENGINE_ENCRYPT); /* warm, and what the decrypting ones read */
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < KINDS; k++) {
            double start = cpu_seconds();
            for (int i = 0; i < PASSES; i++)
                pass(b, (kind)k, false);
            b->rate[k][round] = (double)RECORDS * PASSES / (cpu_seconds() - start);
        }
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

static void check(bench *b)
{
    for (int i = 0; i < RECORDS; i++) {
        engine_decrypt(&records[i], &b->out);
        if (b->out.len != records[i].nbody || memcmp(b->out.p, records[i].body, b->out.len) != 0)
            fl_die(FL_FINDINGS, "record %d does not come back as it was", i);
    }
}

static void line(const char *what, double rate, double floor)
{
    printf("%-34s %10.0f records/s", what, rate);
    if (floor > 0)
        printf("   %3.0f %% of the floor", 100 * rate / floor);
    putchar('\n');
}

/* ---- whole processes ---- */

static void write_plan(const char *dir)
{
    char path[4096];
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 1 << 20);
    fl_buf_adds(&b, "{\"format\":\"flec-plan\",\"version\":1,\"environment\":null,\"keks\":[{\"name\":\"bench-kek\","
                    "\"kmsType\":\"local-kms\","
                    "\"kmsKeyId\":\"bench\",\"kmsProps\":{},\"doc\":\"\",\"shared\":false}],\"subjects\":[],\"topics\":"
                    "[{\"name\":\"bench\","
                    "\"clear\":null,\"key\":{\"format\":\"string\"},\"value\":{\"clear\":null,"
                    "\"subject\":\"bench-value\",");
    fl_buf_addf(&b, "\"format\":\"%s\",\"schemaType\":\"%s\",\"schema\":", now->format, now->type);
    fl_jw_init(&w, &b, false);
    fl_jw_string(&w, now->schema);
    fl_buf_adds(&b, ",\"references\":[],\"metadata\":{\"tags\":{},\"properties\":{}},\"ruleSet\":");
    fl_buf_adds(&b, ruleset);
    fl_buf_adds(&b, ",\"encrypted\":[");
    for (int i = 0; i < SEALED; i++)
        fl_buf_addf(&b, "%s{\"path\":\"%s\",\"kek\":\"bench-kek\",\"rule\":\"encrypt-PII\"}", i ? "," : "",
                    sealed_names[i]);
    fl_buf_adds(&b, "]},\"readers\":[],\"writers\":[]}],\"connectors\":[],\"principals\":[]}\n");
    snprintf(path, sizeof path, "%s/plan.json", dir);
    if (fl_write_file(path, b.p, b.len, 0644, false))
        fl_die(FL_COULD_NOT_RUN, "cannot write %s", path);
    fl_buf_free(&b);
}

static void write_records(const char *path)
{
    FILE *f = fopen(path, "wb");
    for (int i = 0; f && i < RECORDS * PROCESS_PASSES; i++) {
        const record *r = &records[i % RECORDS];
        uint8_t head[4] = {0, 0, (uint8_t)(r->nbody >> 8), (uint8_t)r->nbody};
        fwrite(head, 1, 4, f);
        fwrite(r->body, 1, r->nbody, f);
    }
    if (!f || fclose(f))
        fl_die(FL_COULD_NOT_RUN, "cannot write %s", path);
}

/* The child's CPU seconds, start and end of the process included. */
static double run_flec(const char *flec, const char *verb, const char *dir, const char *in, const char *out)
{
    char plan[4096], url[4096];
    snprintf(plan, sizeof plan, "%s/plan.json", dir);
    snprintf(url, sizeof url, "file://%s/registry", dir);
    pid_t pid = fork();
    if (pid == 0) {
        int i = open(in, O_RDONLY), o = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(i, 0);
        dup2(o, 1);
        execl(flec, flec, verb, "--plan", plan, "--topic", "bench", "--registry", url, "--from", "raw", "--to", "raw",
              (char *)NULL);
        _exit(127);
    }
    int status;
    struct rusage u;
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fl_die(FL_COULD_NOT_RUN, "%s %s failed", flec, verb);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static bool same_file(const char *x, const char *y)
{
    char a[65536], b[65536];
    FILE *f = fopen(x, "rb"), *g = fopen(y, "rb");
    bool same = f && g;
    for (size_t n = 1; same && n;) {
        n = fread(a, 1, sizeof a, f);
        same = n == fread(b, 1, sizeof b, g) && memcmp(a, b, n) == 0;
    }
    if (f)
        fclose(f);
    if (g)
        fclose(g);
    return same;
}

static void processes(const char *flec, const char *dir, double floor_enc, double floor_dec)
{
    char plain[4096], wire[4096], back[4096];
    double enc[ROUNDS], dec[ROUNDS];
    snprintf(plain, sizeof plain, "%s/plain.raw", dir);
    snprintf(wire, sizeof wire, "%s/wire.raw", dir);
    snprintf(back, sizeof back, "%s/back.raw", dir);
    setenv("LOCAL_SECRET", "bench", 1);
    write_plan(dir);
    write_records(plain);
    for (int i = 0; i < ROUNDS; i++) {
        enc[i] = (double)RECORDS * PROCESS_PASSES / run_flec(flec, "encrypt", dir, plain, wire);
        dec[i] = (double)RECORDS * PROCESS_PASSES / run_flec(flec, "decrypt", dir, wire, back);
    }
    if (!same_file(plain, back))
        fl_die(FL_FINDINGS, "flec decrypt does not give back what flec encrypt took");
    line("flec encrypt --from raw --to raw", median(enc), floor_enc);
    line("flec decrypt --from raw --to raw", median(dec), floor_dec);
}

static void pin(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(sched_getcpu() < 0 ? 0 : sched_getcpu(), &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* One format; flec: the program, or NULL. */
static void run_twin(bench *b, const char *flec, const char *dir)
{
    for (int i = 0; i < RECORDS; i++)
        make_record(&records[i], i);
    open_engine();
    measure(b);
    check(b);
    double floor_enc = median(b->rate[FLOOR_ENCRYPT]), floor_dec = median(b->rate[FLOOR_DECRYPT]);
    printf("%s: 12 fields, 4 sealed with AES256_GCM, %zu bytes plain, %zu on the wire; one core, medians of %d, CPU "
           "time\n",
           now->type, records[0].nbody, records[0].nwire, ROUNDS);
    line("floor: 4 seals, base64, one copy", floor_enc, 0);
    line("the same through rt_seal", median(b->rate[SEAM_ENCRYPT]), floor_enc);
    line("rt_encrypt", median(b->rate[ENGINE_ENCRYPT]), floor_enc);
    line("floor: 4 opens, base64, one copy", floor_dec, 0);
    line("the same through rt_open", median(b->rate[SEAM_DECRYPT]), floor_dec);
    line("rt_decrypt", median(b->rate[ENGINE_DECRYPT]), floor_dec);
    if (flec)
        processes(flec, dir, floor_enc, floor_dec);
    rt_codec_close(codec);
    rt_keys_free(keys);
    rt_registry_close(registry);
    for (int i = 0; i < RECORDS; i++)
        free_record(&records[i]);
}

int main(int argc, char **argv)
{
    static bench b;
    pin();
    b.enc = context(true);
    b.dec = context(false);
    fl_secret raw = fl_secret_copy(key, sizeof key);
    b.key = rt_key_new(RT_AES256_GCM, &raw);
    fl_secret_free(&raw);
    fl_buf_init(&b.out, 1 << 20);
    for (now = twins; now < twins + TWINS; now++)
        run_twin(&b, argc == 3 ? argv[1] : NULL, argv[argc - 1]);
    rt_key_free(b.key);
    EVP_CIPHER_CTX_free(b.enc);
    EVP_CIPHER_CTX_free(b.dec);
    return consumed ? 0 : 1;
}
