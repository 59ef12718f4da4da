/* processes.h: the same records through `flec encrypt` and `flec decrypt`: raw form from a file to a file. Start, plan,
 * registry and keys are inside the time. For engine_bench.c, of whose scene it is. */
#ifndef FLEC_BENCH_PROCESSES_H
#define FLEC_BENCH_PROCESSES_H

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_plan(const char *path)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, 1 << 20);
    fl_buf_adds(&b, "{\"format\":\"flec-plan\",\"version\":2,\"environment\":null,\"keks\":[{\"name\":\"bench-kek\","
                    "\"kmsType\":\"local-kms\",\"kmsKeyId\":\"bench\",\"kmsProps\":{},\"doc\":\"\",\"shared\":false}],"
                    "\"subjects\":[],\"topics\":[{\"name\":\"bench\",\"clear\":null,\"key\":{\"format\":\"string\"},"
                    "\"value\":{\"clear\":null,\"subject\":\"bench-value\",");
    fl_buf_addf(&b, "\"format\":\"%s\",\"schemaType\":\"%s\",", now->t->format, now->t->type);
    if (now->t->message)
        fl_buf_addf(&b, "\"message\":\"%s\",", now->t->message);
    fl_buf_adds(&b, "\"schema\":");
    fl_jw_init(&w, &b, false);
    fl_jw_string(&w, now->t->schema);
    fl_buf_adds(&b, ",\"references\":[],\"metadata\":{\"tags\":{},\"properties\":{}},\"ruleSet\":");
    fl_buf_adds(&b, rule_set(now));
    fl_buf_adds(&b, ",\"encrypted\":[");
    for (int i = 0; i < SEALED && !now->payload; i++)
        fl_buf_addf(&b, "%s{\"path\":\"%s\",\"kek\":\"bench-kek\",\"rule\":\"encrypt-PII\"}", i ? "," : "",
                    sealed_names[i]);
    fl_buf_addf(&b, "]%s},\"readers\":[],\"writers\":[]}],\"connectors\":[],\"principals\":[]}\n",
                now->payload ? ",\"payload\":{\"kek\":\"bench-kek\",\"rule\":\"encrypt-PII\"}" : "");
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

typedef struct run { /* of the program; paths */
    const char *flec;
    char plan[4096], url[4096], plain[4096], wire[4096], back[4096];
} run;

static double of_timeval(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The child's CPU seconds, start and end of the process included; *kernel: of them in the kernel. */
static double run_flec(const run *r, const char *verb, const char *in, const char *out, double *kernel)
{
    int status;
    struct rusage u;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open(in, O_RDONLY), 0);
        dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
        execl(r->flec, r->flec, verb, "--plan", r->plan, "--topic", "bench", "--registry", r->url, "--from", "raw",
              "--to", "raw", "--crypto", libraries[now->crypto], (char *)NULL);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fl_die(FL_COULD_NOT_RUN, "%s %s failed", r->flec, verb);
    *kernel = of_timeval(u.ru_stime);
    return *kernel + of_timeval(u.ru_utime);
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

/* What is asked of libipsec-mb: its whole process beside OpenSSL's floor, of the scene before. */
static void beside_openssl(bool decrypt, double process, double floor)
{
    static struct {
        const char *name;
        double floor[2];
    } openssl;
    if (now->crypto == RT_CRYPTO_OPENSSL) {
        openssl.name = now->name;
        openssl.floor[decrypt] = floor;
    } else if (openssl.name && strcmp(openssl.name, now->name) == 0 && openssl.floor[decrypt] > 0) {
        printf("    %.2f times the floor of OpenSSL\n", process / openssl.floor[decrypt]);
    }
}

static void processes(const char *flec, const char *dir, const double *rate)
{
    static run r;
    double took[2][ROUNDS], kernel[2][ROUNDS], n = (double)RECORDS * PROCESS_PASSES;
    r.flec = flec;
    snprintf(r.plan, sizeof r.plan, "%s/plan.json", dir);
    snprintf(r.url, sizeof r.url, "file://%s/registry-%s-%s", dir, now->name, libraries[now->crypto]);
    snprintf(r.plain, sizeof r.plain, "%s/plain.raw", dir);
    snprintf(r.wire, sizeof r.wire, "%s/wire.raw", dir);
    snprintf(r.back, sizeof r.back, "%s/back.raw", dir);
    setenv("LOCAL_SECRET", "bench", 1);
    write_plan(r.plan);
    write_records(r.plain);
    for (int i = 0; i < ROUNDS; i++) {
        took[0][i] = run_flec(&r, "encrypt", r.plain, r.wire, &kernel[0][i]);
        took[1][i] = run_flec(&r, "decrypt", r.wire, r.back, &kernel[1][i]);
    }
    if (!same_file(r.plain, r.back))
        fl_die(FL_FINDINGS, "flec decrypt does not give back what flec encrypt took");
    for (int i = 0; i < 2; i++) {
        double whole = median(took[i]), engine = rate[i ? ENGINE_DECRYPT : ENGINE_ENCRYPT];
        line(i ? "flec decrypt, whole process" : "flec encrypt, whole process", n / whole,
             rate[i ? FLOOR_DECRYPT : FLOOR_ENCRYPT]);
        printf("    nanoseconds a record: %.0f, of them %.0f in the kernel, %.0f in the library\n", 1e9 * whole / n,
               1e9 * median(kernel[i]) / n, engine > 0 ? 1e9 / engine : 0);
        beside_openssl(i, n / whole, rate[i ? FLOOR_DECRYPT : FLOOR_ENCRYPT]);
    }
}

#endif
