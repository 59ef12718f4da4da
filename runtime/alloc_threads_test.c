/* alloc_threads_test.c: memory that runs out in another thread than the one that waits for it: where a key is asked for
 * again in the background, and where `flec serve` calls a key service beside its loop. */
#include "base/alloc_lab.h"
#include "runtime/http_curl.h"
#include "runtime/keys.h"
#include "runtime/kms/lab.h"
#include "runtime/rest/pool.h"

#include <sys/eventfd.h>

static fl_arena *a;

static const char *message(void)
{
    return err.message;
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

static const char *says_why(int code)
{
    static char why[600];
    snprintf(why, sizeof why, "it says (%d): %s", code, err.message);
    return *err.message && rt_exit_status((rt_code)code) == FL_COULD_NOT_RUN ? NULL : why;
}

/* ---- a key that is asked for again ---- */

static rt_registry *registry;
static rt_keys *keys;
static rt_key *key;
static int64_t clock_ms;
static uint8_t sealed[20];
static const rt_key_spec spec = {
    .kek = "k", .subject = "s", .kms_type = "local-kms", .kms_key_id = "id", .alg = RT_AES256_SIV};

static int64_t now(void *ctx)
{
    return clock_ms;
}

static fl_secret the_secret(void *ctx, const char *kek, const char *name)
{
    return strcmp(name, "secret") == 0 ? fl_secret_copy("of the lab", 10) : (fl_secret){0};
}

static bool seals_as(uint8_t out[20])
{
    return rt_seal(key, out, (const uint8_t *)"text", 4);
}

static rt_code ask(void)
{
    int32_t version;
    return rt_keys_for_write(keys, &spec, &key, &version, &err);
}

static void refresh_set_up(void)
{
    rt_registry *store;
    rt_registry_options o = {.now_ms = now};
    clock_ms = INT64_C(100000000000);
    err = (rt_error){0};
    if (rt_registry_open("mem:", &o, &store, &err))
        alloc_wrong("%s", err.message);
    registry = rt_registry_locked(store);
    rt_keys_options opt = {.registry = registry, .params = {.get = the_secret}, .now_ms = now};
    keys = rt_keys_new(&opt);
    if (ask() || !seals_as(sealed))
        alloc_wrong("%s", err.message);
    clock_ms += INT64_C(3600000); /* it is asked for again */
}

/* The record at hand goes on under the key that is there; the next one sees the answer. */
static int refreshes(void)
{
    rt_keys_tend(keys);
    rt_code code = ask();
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    return code ? code : ask();
}

static const char *same_key(void)
{
    uint8_t again[20];
    return seals_as(again) && !memcmp(again, sealed, sizeof sealed) ? NULL : "it is another key";
}

static void refresh_shut(void)
{
    rt_keys_free(keys);
    rt_registry_close(registry);
}

static void a_key_is_asked_for_again(void **state)
{
    const alloc_case c = {.name = "key in the background",
                          .set_up = refresh_set_up,
                          .act = refreshes,
                          .failed = says_why,
                          .done = same_key,
                          .shut = refresh_shut};
    run(c, 25);
}

/* ---- a key service that a pool calls ---- */

static rt_pool *pool;
static int wake;

static struct call {
    rt_work work;
    rt_code code;
    fl_secret plain;
} call;

static void unwraps(rt_work *w)
{
    call.code = use("aws-kms", ARN, NULL, "wrapped", NULL, &call.plain);
    rt_http_disconnect();
}

static void pool_set_up(void)
{
    err = (rt_error){0};
    a = fl_arena_new();
    plain_server();
    for (int i = 0; i < LAB_ANSWERS; i++)
        lab_answer(&server, "200 OK", "{\"Plaintext\":\"a2V5IG1hdGVyaWFs\",\"KeyId\":\"" ARN "\"}");
    aws_client();
    wake = eventfd(0, EFD_CLOEXEC);
    pool = rt_pool_new(2, 4, wake);
    call = (struct call){.work = {.run = unwraps}};
}

static int calls_beside(void)
{
    uint64_t n;
    if (!rt_pool_put(pool, &call.work))
        return rt_fail(&err, RT_IO, "no thread");
    if (read(wake, &n, sizeof n) != sizeof n || rt_pool_done(pool) != &call.work)
        alloc_wrong("something else is done");
    return call.code;
}

static const char *unwrapped(void)
{
    return call.plain.len == 12 && !memcmp(call.plain.bytes, "key material", 12) ? NULL : "it is another key";
}

static const char *not_unwrapped(int code)
{
    return call.plain.bytes ? "there is a key" : says_why(code);
}

static void pool_shut(void)
{
    rt_work *left;
    rt_pool_free(pool, &left);
    close(wake);
    fl_secret_free(&call.plain);
    lab_stop(&server);
    fl_arena_free(a);
}

static void a_pool_calls_a_key_service(void **state)
{
    const alloc_case c = {.name = "pool",
                          .set_up = pool_set_up,
                          .act = calls_beside,
                          .failed = not_unwrapped,
                          .done = unwrapped,
                          .shut = pool_shut};
    run(c, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_asked_for_again),
        cmocka_unit_test(a_pool_calls_a_key_service),
    };
    fl_secret_setup();
    return cmocka_run_group_tests_name("alloc_threads", tests, NULL, NULL);
}
