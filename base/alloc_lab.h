/* alloc_lab.h: for tests: allocations that fail, one after the other. The program's malloc is this file's, so every
 * library's are counted and can fail: ours, jansson's, OpenSSL's, libcurl's, the C library's.
 *
 * A case is a piece of work. It is done once to count its allocations; then, for each of them, a child process does it
 * with that one failing, and another with that one and all later ones. What may come of it: the work is done all the
 * same; or it says that it failed, leaves nothing behind, and is done when it is asked for again; or the program ends
 * with status 4 and a message. Anything else fails the test, and so does a block of the failed try that is never freed.
 *
 * Threads that the work starts are of the work: their allocations are counted and fail as well, and so does starting
 * them.
 *
 * Warm: the libraries have set themselves up before (the work was done twice). Cold: they do it under the failure; what
 * they keep for themselves is then no leak.
 *
 * ALLOC_POINTS: how many of the allocations of a case fail, at even distances (`all`: each). ALLOC_SEED: where the
 * first of them lies. */
#ifndef FLEC_BASE_ALLOC_LAB_H
#define FLEC_BASE_ALLOC_LAB_H

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct alloc_case {
    const char *name;
    bool cold;
    void (*set_up)(void);            /* with memory, like all but `act` */
    int (*act)(void);                /* 0: done */
    const char *(*failed)(int code); /* after a failure: NULL, or what is wrong with how it failed */
    const char *(*says)(void);       /* the message of a failure */
    const char *(*done)(void);       /* after success: NULL, or what is wrong with what was done */
    void (*shut)(void);
    const char *(*after)(void); /* in the parent when the child is gone, whichever way: NULL, or what is wrong */
} alloc_case;

/* ---- malloc ---- */

enum { ALLOC_TRACE = 40, ALLOC_TABLE = 1 << 17 };

enum { ALLOC_OURS, ALLOC_JANSSON, ALLOC_OPENSSL, ALLOC_CURL, ALLOC_OTHERS, ALLOC_OWNERS };
enum { ALLOC_DONE, ALLOC_ERROR, ALLOC_ENDED, ALLOC_OUTCOMES };
static const char *const alloc_owners[] = {"flec", "jansson", "OpenSSL", "libcurl", "others"};

static struct alloc_shared {  /* between the processes of a case */
    uint64_t seen;            /* allocations of the work */
    uint64_t left;            /* blocks of it that were never freed */
    bool acting;              /* the child is, or died, in the work */
    void *fired[ALLOC_TRACE]; /* who wanted the first that failed */
    int outcome;
    uint64_t tally[ALLOC_OWNERS][ALLOC_OUTCOMES];
} * alloc_shared;

static struct {
    uint64_t first, last; /* which allocations of the work fail */
    atomic_flag lock;
    atomic_size_t used;                     /* of the table */
    void *blocks[ALLOC_TABLE];              /* of the work, not freed yet */
    void *traces[ALLOC_TABLE][ALLOC_TRACE]; /* who wanted them */
    bool tracing;
} alloc_lab = {.lock = ATOMIC_FLAG_INIT};

static __thread bool alloc_acting; /* this thread is of the work */
#define ALLOC_GONE ((void *)1)

/* A thread that the work started may live on after it. */
static inline bool alloc_of_work(void)
{
    return alloc_acting && alloc_shared->acting;
}

static size_t alloc_slot(const void *p)
{
    return (size_t)(((uintptr_t)p >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 47) % ALLOC_TABLE;
}

/* These are frames of a trace, which alloc_asker leaves out. */
#define ALLOC_FRAME static __attribute__((noinline, unused))

ALLOC_FRAME void alloc_trace(void **trace)
{
    alloc_acting = false; /* it may allocate */
    memset(trace, 0, ALLOC_TRACE * sizeof *trace);
    backtrace(trace, ALLOC_TRACE);
    alloc_acting = true;
}

ALLOC_FRAME void *alloc_note(void *p)
{
    if (!p || !alloc_of_work())
        return p;
    while (atomic_flag_test_and_set(&alloc_lab.lock))
        ;
    size_t i = alloc_slot(p), n = 0;
    for (; alloc_lab.blocks[i] && alloc_lab.blocks[i] != ALLOC_GONE && n < ALLOC_TABLE; n++)
        i = (i + 1) % ALLOC_TABLE;
    if (n == ALLOC_TABLE)
        abort();
    alloc_lab.blocks[i] = p;
    alloc_lab.used++;
    atomic_flag_clear(&alloc_lab.lock);
    if (alloc_lab.tracing)
        alloc_trace(alloc_lab.traces[i]);
    return p;
}

static inline void alloc_forget(void *p)
{
    if (!p || !alloc_lab.used)
        return;
    while (atomic_flag_test_and_set(&alloc_lab.lock))
        ;
    for (size_t i = alloc_slot(p), n = 0; alloc_lab.blocks[i] && n < ALLOC_TABLE; i = (i + 1) % ALLOC_TABLE, n++)
        if (alloc_lab.blocks[i] == p) {
            alloc_lab.blocks[i] = ALLOC_GONE;
            alloc_lab.used--;
            break;
        }
    atomic_flag_clear(&alloc_lab.lock);
}

ALLOC_FRAME bool alloc_fails(void)
{
    if (!alloc_of_work())
        return false;
    uint64_t n = __atomic_add_fetch(&alloc_shared->seen, 1, __ATOMIC_RELAXED);
    if (n < alloc_lab.first || n > alloc_lab.last)
        return false;
    if (!alloc_shared->fired[0])
        alloc_trace(alloc_shared->fired);
    errno = ENOMEM;
    return true;
}

/* The sanitizers have taken malloc already: under them nothing is counted, and the tests are skipped. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALLOC_COUNTS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOC_COUNTS 0
#endif
#endif
#ifndef ALLOC_COUNTS
#define ALLOC_COUNTS 1
#endif

#if ALLOC_COUNTS
#define ALLOC_NEXT(name) __libc_##name
void *ALLOC_NEXT(malloc)(size_t n);
void *ALLOC_NEXT(calloc)(size_t n, size_t size);
void *ALLOC_NEXT(realloc)(void *p, size_t n);
void ALLOC_NEXT(free)(void *p);

void *malloc(size_t n)
{
    return alloc_fails() ? NULL : alloc_note(ALLOC_NEXT(malloc)(n));
}
void *calloc(size_t n, size_t size)
{
    return alloc_fails() ? NULL : alloc_note(ALLOC_NEXT(calloc)(n, size));
}
void *realloc(void *p, size_t n)
{
    if (alloc_fails())
        return NULL;
    alloc_forget(p);
    void *q = ALLOC_NEXT(realloc)(p, n);
    return alloc_note(q ? q : n ? p : NULL);
}
void free(void *p)
{
    alloc_forget(p);
    ALLOC_NEXT(free)(p);
}
#endif

/* ---- threads ---- */

typedef struct alloc_begin {
    void *(*run)(void *arg);
    void *arg;
} alloc_begin;

static inline void *alloc_thread(void *arg)
{
    alloc_begin b = *(alloc_begin *)arg;
    free(arg);
    alloc_acting = true;
    void *result = b.run(b.arg);
    alloc_acting = false;
    return result;
}

#if ALLOC_COUNTS
typedef int alloc_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

/* What the C library keeps of a thread for the next one is no leak: it is not counted. */
int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    bool of_work = alloc_acting, acting = alloc_of_work(), fails = alloc_fails();
    alloc_acting = false;
    alloc_create *next = (alloc_create *)dlsym(RTLD_NEXT, "pthread_create");
    alloc_begin *b = acting && !fails ? malloc(sizeof *b) : NULL;
    int e = !next || (acting && !b) ? EAGAIN : acting ? 0 : next(t, attr, run, arg);
    if (b && !e) {
        *b = (alloc_begin){run, arg};
        e = next(t, attr, alloc_thread, b);
        if (e)
            free(b);
    }
    alloc_acting = of_work;
    return e;
}
#endif

/* ---- who wanted it ---- */

/* The first of the trace that is of a file other than the C library's; ours: of this program. NULL: none. */
static void *alloc_asker(void *const *trace, bool ours)
{
    Dl_info self, at;
    dladdr((void *)alloc_asker, &self);
    for (int i = 3; i < ALLOC_TRACE && trace[i]; i++) /* alloc_trace, alloc_fails or alloc_note, malloc */
        if (dladdr(trace[i], &at) && (at.dli_fbase == self.dli_fbase || (!ours && !strstr(at.dli_fname, "libc.so"))))
            return trace[i];
    return NULL;
}

static int alloc_owner(void *const *trace)
{
    static const struct {
        const char *file;
        int owner;
    } libraries[] = {{"libjansson", ALLOC_JANSSON},
                     {"libcrypto", ALLOC_OPENSSL},
                     {"libssl", ALLOC_OPENSSL},
                     {"libcurl", ALLOC_CURL},
                     {".so", ALLOC_OTHERS}};
    void *asker = alloc_asker(trace, false);
    Dl_info at;
    if (!asker || !dladdr(asker, &at))
        return ALLOC_OTHERS;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strstr(at.dli_fname, libraries[i].file))
            return libraries[i].owner;
    return ALLOC_OURS;
}

/* A library that loses a block of its own on the way out of the call that failed: nobody else could free it. */
static bool alloc_theirs(void *const *trace)
{
    return alloc_shared->fired[0] && alloc_owner(trace) != ALLOC_OURS &&
           alloc_asker(trace, true) == alloc_asker(alloc_shared->fired, true);
}

/* For addr2line -f -e PROGRAM. */
static void alloc_print_trace(void *const *trace)
{
    for (int i = 0; i < ALLOC_TRACE && trace[i]; i++) {
        Dl_info at;
        if (dladdr(trace[i], &at))
            fprintf(stderr, "      %s(+0x%zx) %s\n", at.dli_fname, (size_t)((char *)trace[i] - (char *)at.dli_fbase),
                    at.dli_sname ? at.dli_sname : "");
    }
}

/* ---- one child ---- */

static void __attribute__((noreturn, format(printf, 1, 2))) alloc_wrong(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    _exit(90);
}

static int alloc_act(const alloc_case *c)
{
    alloc_shared->acting = alloc_acting = true;
    int code = c->act();
    alloc_shared->acting = alloc_acting = false;
    return code;
}

/* What OpenSSL keeps of an error is no leak. */
static void alloc_settle(const alloc_case *c)
{
    c->shut();
    ERR_clear_error();
    OPENSSL_thread_stop();
}

static void alloc_count_left(void)
{
    for (size_t i = 0; i < ALLOC_TABLE; i++) {
        if (!alloc_lab.blocks[i] || alloc_lab.blocks[i] == ALLOC_GONE || alloc_theirs(alloc_lab.traces[i]))
            continue;
        alloc_shared->left++;
        fputs("    never freed:\n", stderr);
        alloc_print_trace(alloc_lab.traces[i]);
    }
}

static void alloc_child(const alloc_case *c, uint64_t first, uint64_t last)
{
    const char *wrong = NULL;
    alarm(120);
    c->set_up();
    alloc_lab.first = first;
    alloc_lab.last = last;
    int code = alloc_act(c);
    alloc_shared->outcome = code ? ALLOC_ERROR : ALLOC_DONE;
    if (code && (wrong = c->failed(code)))
        alloc_wrong("it failed, but %s", wrong);
    if (code && !alloc_shared->fired[0])
        alloc_wrong("it failed (%d) with all the memory it wanted", code);
    if (code && (code = c->act()))
        alloc_wrong("there is memory again, and it still fails (%d): %s", code, c->says());
    if ((wrong = c->done()))
        alloc_wrong("it is done, but %s", wrong);
    alloc_settle(c);
    if (!c->cold)
        alloc_count_left();
}

/* ---- all of them ---- */

static FILE *alloc_said; /* standard error of the child */

/* Its exit status, or 128 and the signal. */
static int alloc_try(const alloc_case *c, uint64_t first, uint64_t last)
{
    int status = 0;
    *alloc_shared = (struct alloc_shared){.outcome = ALLOC_ENDED};
    rewind(alloc_said);
    if (ftruncate(fileno(alloc_said), 0))
        abort();
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        dup2(fileno(alloc_said), STDERR_FILENO);
        alloc_child(c, first, last);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static char *alloc_words(void)
{
    static char words[16384];
    rewind(alloc_said);
    words[fread(words, 1, sizeof words - 1, alloc_said)] = '\0';
    return words;
}

/* NULL, or what is wrong with what came of a child. */
static const char *alloc_judge(const alloc_case *c, int status, uint64_t left, int owner)
{
    const char *wrong = c->after ? c->after() : NULL;
    char *said = alloc_words();
    if (wrong)
        return wrong;
    if (status == 4 && alloc_shared->acting)
        return !strstr(said, "flec: error: ")                   ? "it ended without a message"
               : owner == ALLOC_OURS && !strstr(said, "memory") ? "it does not say that memory is out"
                                                                : NULL;
    if (status)
        return "it ended neither well nor with status 4 and a message";
    return !c->cold && alloc_shared->left > left ? "memory of the failed try was never freed" : NULL;
}

static uint64_t alloc_env(const char *name, uint64_t otherwise)
{
    const char *v = getenv(name);
    return !v || !*v ? otherwise : strcmp(v, "all") == 0 ? UINT64_MAX : strtoull(v, NULL, 10);
}

static int alloc_points(const alloc_case *c, uint64_t most)
{
    int wrong = 0;
    if (alloc_try(c, 0, 0))
        alloc_wrong("%s: it fails with memory: %s", c->name, alloc_words());
    uint64_t n = alloc_shared->seen, left = alloc_shared->left, step = n > most ? (n + most - 1) / most : 1;
    uint64_t seed = alloc_env("ALLOC_SEED", 1), tally[ALLOC_OWNERS][ALLOC_OUTCOMES] = {0};
    for (int onwards = 0; onwards < 2; onwards++)
        for (uint64_t i = 1 + (seed + (uint64_t)onwards * step / 2) % step; i <= n && wrong < 8; i += step) {
            int status = alloc_try(c, i, onwards ? UINT64_MAX : i);
            int owner = alloc_shared->fired[0] ? alloc_owner(alloc_shared->fired) : ALLOC_OTHERS;
            const char *why = alloc_judge(c, status, left, owner);
            tally[owner][alloc_shared->outcome]++;
            if (!why)
                continue;
            wrong++;
            fprintf(stderr, "  %s: allocation %llu of %llu%s, of %s: %s (status %d)\n%s", c->name,
                    (unsigned long long)i, (unsigned long long)n, onwards ? " and all later ones" : "",
                    alloc_owners[owner], why, status, alloc_words());
            alloc_print_trace(alloc_shared->fired);
        }
    fprintf(stderr, "%s: %llu allocations, every %llu, seed %llu:", c->name, (unsigned long long)n,
            (unsigned long long)step, (unsigned long long)seed);
    for (int i = 0; i < ALLOC_OWNERS; i++)
        fprintf(stderr, " %s %llu/%llu/%llu", alloc_owners[i], (unsigned long long)tally[i][ALLOC_DONE],
                (unsigned long long)tally[i][ALLOC_ERROR], (unsigned long long)tally[i][ALLOC_ENDED]);
    fprintf(stderr, " (done all the same/failed/ended)\n");
    memcpy(alloc_shared->tally, tally, sizeof tally);
    return wrong;
}

/* A case in a process of its own, so that what it sets up is not there for the next one. tally: added to; or NULL. */
static int alloc_run(const alloc_case *c, uint64_t most, uint64_t tally[ALLOC_OWNERS][ALLOC_OUTCOMES])
{
    int status = 0;
    void *first[1];
    backtrace(first, 1); /* loads what it needs */
    most = alloc_env("ALLOC_POINTS", most);
    alloc_lab.tracing = !c->cold;
    alloc_shared = mmap(NULL, sizeof *alloc_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (alloc_shared == MAP_FAILED || !(alloc_said = tmpfile()))
        abort();
    fflush(NULL);
    pid_t pid = fork();
    if (!pid) {
        for (int i = 0; !c->cold && i < 2; i++) {
            c->set_up();
            if (c->act())
                alloc_wrong("%s: it fails with memory", c->name);
            alloc_settle(c);
        }
        _exit(alloc_points(c, most));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    for (int i = 0; tally && i < ALLOC_OWNERS * ALLOC_OUTCOMES; i++)
        (&tally[0][0])[i] += (&alloc_shared->tally[0][0])[i];
    fclose(alloc_said);
    munmap(alloc_shared, sizeof *alloc_shared);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* False under valgrind, which has a malloc of its own that no program replaces, and under the sanitizers. */
static bool alloc_counts(void)
{
    struct alloc_shared here = {.acting = true}, *old = alloc_shared;
    const char *preloaded = getenv("LD_PRELOAD");
    alloc_shared = &here;
    alloc_acting = true;
    void *(*volatile through)(size_t) = malloc; /* not what the compiler knows of malloc */
    void *p = through(1);
    alloc_acting = false;
    alloc_shared = old;
    free(p);
    if (!here.seen && ALLOC_COUNTS && !(preloaded && strstr(preloaded, "vgpreload")))
        alloc_wrong("allocations are not counted");
    return here.seen > 0;
}

#endif
