/* alloc_lib_test.c: memory that runs out under the C library: an engine is opened, a record goes in and comes back,
 * all is closed; and the same by two workers of one engine at once. OpenSSL has set itself up before: where it has no
 * memory for that it aborts or crashes by itself (docs/libflec.md). */
#include "base/alloc_lab.h"
#include "runtime/lib/lib.h"
#include "runtime/lib/lib_lab.h"

static struct shared {
    char dir[64];
} * shared; /* between the child and who clears up after it */

static lib_lab l;
static char text[512];
static flec_engine *engine;
static bool changed; /* another value came back */
static unsigned char body[64];
static size_t nbody;

static const char *message(void)
{
    return text;
}

static void run(alloc_case c, uint64_t most)
{
    c.says = message;
    const char *only = getenv("ALLOC_ONLY");
    if (!alloc_counts()) /* valgrind */
        skip();
    if (!only || strstr(c.name, only))
        assert_int_equal(alloc_run(&c, most, NULL), 0);
}

/* As the program's: an application sees it where it wants to. */
static void tell(void *ctx, flec_level level, const char *said)
{
    fprintf(stderr, "flec: error: %s\n", said);
}

static void set_up(void)
{
    lab_make(&l);
    strcpy(shared->dir, l.dir);
    flec_log(tell, NULL, FLEC_LOG_ERROR);
    engine = NULL;
    changed = false;
    *text = 0;
    nbody = lab_person(body, "k-1", "a secret");
}

/* There and back by codecs of its own. */
static flec_code round_trip(flec_engine *e, bool *other, char *why, size_t room)
{
    flec_codec *w = NULL, *r = NULL;
    const void *record = NULL, *again = NULL;
    size_t n = 0, nagain = 0;
    flec_code code = flec_codec_open(&w, e, "people", FLEC_VALUE | FLEC_ENCRYPT, why, room);
    if (!code)
        code = flec_codec_open(&r, e, "people", FLEC_VALUE | FLEC_DECRYPT, why, room);
    if (!code && (code = flec_encrypt(w, body, nbody, &record, &n)))
        snprintf(why, room, "%s", flec_error(w));
    if (!code && (code = flec_decrypt(r, record, n, &again, &nagain)))
        snprintf(why, room, "%s", flec_error(r));
    *other |= (code && w && r && again) || (!code && (nagain != nbody || memcmp(again, body, nbody) != 0));
    flec_codec_close(w);
    flec_codec_close(r);
    return code;
}

static int works(void)
{
    flec_code code = flec_engine_open(&engine, l.plan, l.settings, text, sizeof text);
    if (!code)
        code = round_trip(engine, &changed, text, sizeof text);
    flec_engine_close(engine);
    engine = NULL;
    return (int)code;
}

static const char *failed(int code)
{
    static char why[600];
    snprintf(why, sizeof why, "it says (%s): %s", flec_code_name((flec_code)code), text);
    if (changed)
        return "there is a value";
    return *text && rt_exit_status((rt_code)code) == FL_COULD_NOT_RUN ? NULL : why;
}

static const char *done(void)
{
    return changed ? "another value came back" : NULL;
}

static void shut(void)
{
    flec_log(NULL, NULL, FLEC_LOG_ERROR);
}

static const char *cleared(void)
{
    return fl_remove_tree(shared->dir) ? "its folder stays" : NULL;
}

static void one_worker(void **state)
{
    const alloc_case c = {.name = "library",
                          .set_up = set_up,
                          .act = works,
                          .failed = failed,
                          .done = done,
                          .shut = shut,
                          .after = cleared};
    run(c, 25);
}

/* ---- two workers ---- */

typedef struct worker {
    pthread_t thread;
    bool started, changed;
    flec_code code;
    char text[512];
} worker;

static void with_engine(void)
{
    set_up();
    if (flec_engine_open(&engine, l.plan, l.settings, text, sizeof text))
        alloc_wrong("%s", text);
}

static void *goes(void *arg)
{
    worker *w = arg;
    w->code = round_trip(engine, &w->changed, w->text, sizeof w->text);
    return NULL;
}

static int two_work(void)
{
    static worker w[2];
    flec_code code = FLEC_OK;
    memset(w, 0, sizeof w);
    for (int i = 0; i < 2; i++)
        w[i].started = pthread_create(&w[i].thread, NULL, goes, &w[i]) == 0;
    for (int i = 0; i < 2; i++) {
        if (w[i].started)
            pthread_join(w[i].thread, NULL);
        flec_code its = w[i].started ? w[i].code : FLEC_IO;
        changed |= w[i].changed;
        if (its && !code)
            snprintf(text, sizeof text, "%s", w[i].started ? w[i].text : "no thread");
        code = code ? code : its;
    }
    return (int)code;
}

static void engine_shut(void)
{
    flec_engine_close(engine);
    shut();
}

static void two_workers(void **state)
{
    const alloc_case c = {.name = "library, two workers",
                          .set_up = with_engine,
                          .act = two_work,
                          .failed = failed,
                          .done = done,
                          .shut = engine_shut,
                          .after = cleared};
    run(c, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_worker), cmocka_unit_test(two_workers)};
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 2 : cmocka_run_group_tests_name("alloc_lib", tests, NULL, NULL);
}
