/* alloc_services_test.c: memory that runs out under the registry's directory, its REST API, the client of a registry, a
 * key service and calls over HTTPS. What was acknowledged is there when the directory is opened again, however the
 * process ended. */
#include "base/alloc_lab.h"
#include "runtime/http_curl.h"
#include "runtime/kms/lab.h"
#include "runtime/registry_http.h"
#include "runtime/rest/rest.h"

static uint64_t tally[ALLOC_OWNERS][ALLOC_OUTCOMES];

static const char *message(void)
{
    return err.message;
}

static int run(alloc_case c, uint64_t most)
{
    c.says = message;
    const char *only = getenv("ALLOC_ONLY");
    if (!alloc_counts()) /* valgrind */
        skip();
    return only && !strstr(c.name, only) ? 0 : alloc_run(&c, most, tally);
}

/* ---- a directory ---- */

enum { STEPS = 5 };

static struct shared {
    char top[64];
    int acked; /* steps that were answered with success */
} * shared;    /* between the child and who opens the directory after it */

static fl_arena *a;
static rt_registry *registry;

static const char schema[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"string\"}]}";
static const char longer[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"f\",\"type\":\"string\"},"
                             "{\"name\":\"g\",\"type\":\"string\",\"default\":\"\\u00e9\"}]}";
static const char rules[] =
    "{\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\",\"type\":\"ENCRYPT\",\"mode\":\"WRITEREAD\",\"tags\":["
    "\"PII\"],\"params\":{\"encrypt.kek.name\":\"kek\"}}]}";

static rt_code open_directory(rt_registry **out)
{
    char url[100];
    snprintf(url, sizeof url, "file://%s/r", shared->top);
    return rt_registry_open(url, NULL, out, &err);
}

static void folder(void)
{
    strcpy(shared->top, "/tmp/flec-alloc-XXXXXX");
    if (!mkdtemp(shared->top))
        alloc_wrong("no folder");
    shared->acked = 0;
    registry = NULL;
    a = fl_arena_new();
    err = (rt_error){0};
}

static rt_code register_it(const char *text, const char *ruleset)
{
    rt_subject s = {.subject = "s-value", .type = "AVRO", .schema = text, .ruleset = ruleset};
    return registry->ops->register_subject(registry, a, &s, &err);
}

/* One that failed may have been done all the same. */
static rt_code step(int i)
{
    rt_kek kek = {.name = "kek", .kms_type = "local-kms", .kms_key_id = "k", .doc = "\u00e9", .shared = true};
    rt_dek dek = {.kek = "kek", .subject = "s-value", .alg = RT_AES256_GCM, .version = 1}, made = {0};
    rt_code code;
    switch (i) {
    case 0:
        return open_directory(&registry);
    case 1:
        code = registry->ops->create_kek(registry, &kek, &err);
        break;
    case 2:
        code = registry->ops->create_dek(registry, a, &dek, &made, &err);
        fl_secret_free(&made.material);
        break;
    default:
        return register_it(i == 3 ? schema : longer, i == 3 ? NULL : rules);
    }
    return code == RT_CONFLICT ? RT_OK : code;
}

static int works_on_directory(void)
{
    for (int i = shared->acked; i < STEPS; i++) {
        rt_code code = step(i);
        if (code)
            return code;
        shared->acked = i + 1;
    }
    return 0;
}

static const char *says_why(int code)
{
    static char why[600];
    snprintf(why, sizeof why, "it says (%d): %s", code, err.message);
    return *err.message && rt_exit_status((rt_code)code) == FL_COULD_NOT_RUN ? NULL : why;
}

/* How many steps a registry shows, one after the other; -1: one is missing, or half there. */
static int shown(rt_registry *r)
{
    fl_arena *b = fl_arena_new();
    rt_kek kek;
    rt_dek dek = {0};
    rt_subject s = {0};
    rt_error e;
    bool has[STEPS] = {true};
    has[1] = !r->ops->get_kek(r, b, "kek", false, &kek, &e) && !strcmp(kek.kms_key_id, "k") && kek.shared;
    has[2] = !r->ops->get_dek(r, b, "kek", "s-value", RT_AES256_GCM, -1, false, &dek, &e) && dek.material.bytes &&
             dek.encrypted;
    fl_secret_free(&dek.material);
    has[3] = !r->ops->subject_version(r, b, "s-value", 1, &s, &e) && !strcmp(s.schema, schema) && s.id == 1;
    has[4] = !r->ops->subject_version(r, b, "s-value", 2, &s, &e) && strstr(s.schema, "\"g\"") && s.ruleset &&
             strstr(s.ruleset, "encrypt.kek.name") && s.id == 2;
    fl_arena_free(b);
    int n = 1;
    while (n < STEPS && has[n])
        n++;
    for (int i = n; i < STEPS; i++)
        if (has[i])
            return -1;
    return n;
}

static const char *all_steps(void)
{
    return shown(registry) == STEPS ? NULL : "something is missing";
}

static void shut(void)
{
    if (registry)
        rt_registry_close(registry);
    fl_arena_free(a);
}

/* What was acknowledged, and at most the step after it. */
static const char *reopened(void)
{
    static char why[700];
    rt_registry *r = NULL;
    int acked = shared->acked, there = 0;
    if (open_directory(&r)) {
        snprintf(why, sizeof why, "the directory does not open again: %s", err.message);
        return why;
    }
    there = shown(r);
    rt_registry_close(r);
    fl_remove_tree(shared->top);
    if ((there >= acked || (acked == 0 && there == 1)) && there <= acked + 1)
        return NULL;
    snprintf(why, sizeof why, "%d steps were acknowledged, %d are there", acked, there);
    return why;
}

static void a_directory(void **state)
{
    const alloc_case c = {.name = "directory",
                          .set_up = folder,
                          .act = works_on_directory,
                          .failed = says_why,
                          .done = all_steps,
                          .shut = shut,
                          .after = reopened};
    assert_int_equal(run(c, 60), 0);
}

/* ---- the REST API, as flec serve calls it ---- */

static const struct {
    const char *target, *body;
} calls[STEPS] = {
    {"", NULL},
    {"/dek-registry/v1/keks",
     "{\"name\":\"kek\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\",\"doc\":\"\\u00e9\",\"shared\":true}"},
    {"/dek-registry/v1/keks/kek/deks", "{\"subject\":\"s-value\",\"algorithm\":\"AES256_GCM\",\"version\":1}"},
    {"/subjects/s-value/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":\\\"f\\\","
     "\\\"type\\\":\\\"string\\\"}]}\"}"},
    {"/subjects/s-value/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":\\\"f\\\","
     "\\\"type\\\":\\\"string\\\"},{\\\"name\\\":\\\"g\\\",\\\"type\\\":\\\"string\\\",\\\"default\\\":\\\"x\\\"}]}\","
     "\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\",\"type\":\"ENCRYPT\",\"mode\":"
     "\"WRITEREAD\",\"tags\":[\"PII\"],\"params\":{\"encrypt.kek.name\":\"kek\"}}]}}"},
};

static void served(void)
{
    folder();
    if (open_directory(&registry))
        alloc_wrong("%s", err.message);
    shared->acked = 1;
}

/* A conflict: it was done before, and the answer could not be made. */
static int serves(void)
{
    for (int i = shared->acked; i < STEPS; i++) {
        rt_rest_request q = {
            .method = "POST", .target = calls[i].target, .body = calls[i].body, .n = strlen(calls[i].body)};
        rt_rest_reply reply = {0};
        fl_arena *b = fl_arena_new();
        rt_rest_handle((rt_store *)registry, b, &q, &reply);
        snprintf(err.message, sizeof err.message, "%d: %.400s", reply.status, reply.body.p ? reply.body.p : "");
        fl_buf_wipe(&reply.body);
        fl_arena_free(b);
        if (reply.status != 200 && reply.status != 409)
            return reply.status;
        shared->acked = i + 1;
    }
    return 0;
}

/* It is not the client's fault. */
static const char *answers_why(int status)
{
    static char why[600];
    snprintf(why, sizeof why, "it answers %s", err.message);
    return status >= 500 ? NULL : why;
}

static void a_server(void **state)
{
    const alloc_case c = {.name = "REST API",
                          .set_up = served,
                          .act = serves,
                          .failed = answers_why,
                          .done = all_steps,
                          .shut = shut,
                          .after = reopened};
    assert_int_equal(run(c, 60), 0);
}

/* ---- over HTTP ---- */

static rt_http *http;
static rt_http_answer answer;
static bool tls;

static int64_t the_time(void *ctx)
{
    static int64_t t;
    return t += 1;
}
static void no_pause(void *ctx, int64_t ms)
{
}
static const rt_http_clock clock_of = {the_time, no_pause, NULL};

static void listens(const char *body)
{
    err = (rt_error){0};
    a = fl_arena_new();
    tls ? tls_server() : plain_server();
    for (int i = 0; i < LAB_ANSWERS; i++)
        lab_answer(&server, "200 OK", body);
}

static void stops(void)
{
    rt_http_disconnect();
    lab_stop(&server);
    fl_arena_free(a);
}

static void http_set_up(void)
{
    listens("{\"an\":\"answer\"}");
    rt_http_options o = {.ca_file = tls ? server.ca : NULL, .no_proxy = true, .clock = &clock_of};
    http = rt_http_new(&o);
    answer = (rt_http_answer){0};
}

static int http_calls(void)
{
    char url[100];
    rt_http_request q = {.method = "POST", .url = url, .body = fl_secret_copy("body", 4)};
    snprintf(url, sizeof url, "%s/path", server.url);
    rt_http_header(&q, "Authorization", "Bearer token", 12);
    rt_code code = rt_http_call(http, &q, &answer, &err);
    rt_http_request_free(&q);
    return code;
}

static const char *http_answered(void)
{
    return answer.status == 200 && answer.body.len == 15 && !memcmp(answer.body.bytes, "{\"an\":\"answer\"}", 15)
               ? NULL
               : "it is another answer";
}

static const char *http_failed(int code)
{
    return answer.body.bytes ? "there is an answer" : says_why(code);
}

static void http_shut(void)
{
    rt_http_answer_free(&answer);
    rt_http_free(http);
    stops();
}

static void calls_over_http(void **state)
{
    alloc_case c = {.name = "HTTP",
                    .set_up = http_set_up,
                    .act = http_calls,
                    .failed = http_failed,
                    .done = http_answered,
                    .shut = http_shut};
    assert_int_equal(run(c, 30), 0);
    c.name = "HTTPS";
    tls = true;
    int wrong = run(c, 12);
    tls = false;
    assert_int_equal(wrong, 0);
}

/* ---- the client of a registry ---- */

static rt_kek got;

static void client_set_up(void)
{
    listens("{\"name\":\"kek\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\\u00e9\",\"shared\":false}");
    rt_registry_http_options o = {.urls = server.url, .limits = {.tries = 1}, .clock = &clock_of};
    got = (rt_kek){0};
    if (rt_registry_http(&o, &registry, &err))
        alloc_wrong("%s", err.message);
}
static int client_asks(void)
{
    return registry->ops->get_kek(registry, a, "kek", false, &got, &err);
}
static const char *client_has(void)
{
    return got.kms_key_id && !strcmp(got.kms_key_id, "k\u00e9") ? NULL : "it is another KEK";
}
static void client_shut(void)
{
    rt_registry_close(registry);
    stops();
}

static void a_client(void **state)
{
    const alloc_case c = {.name = "client of a registry",
                          .set_up = client_set_up,
                          .act = client_asks,
                          .failed = says_why,
                          .done = client_has,
                          .shut = client_shut};
    assert_int_equal(run(c, 30), 0);
}

/* ---- key services ---- */

static fl_secret plain;

static void kms_set_up(void)
{
    listens("{\"Plaintext\":\"a2V5IG1hdGVyaWFs\",\"KeyId\":\"" ARN "\"}");
    aws_client();
    plain = (fl_secret){0};
}
static int kms_unwraps(void)
{
    return use("aws-kms", ARN, NULL, "wrapped", NULL, &plain);
}
static const char *kms_unwrapped(void)
{
    return plain.len == 12 && !memcmp(plain.bytes, "key material", 12) ? NULL : "it is another key";
}
static const char *kms_failed(int code)
{
    return plain.bytes ? "there is a key" : says_why(code);
}
static void kms_shut(void)
{
    fl_secret_free(&plain);
    stops();
}

static void a_key_service(void **state)
{
    const alloc_case c = {.name = "AWS KMS",
                          .set_up = kms_set_up,
                          .act = kms_unwraps,
                          .failed = kms_failed,
                          .done = kms_unwrapped,
                          .shut = kms_shut};
    assert_int_equal(run(c, 12), 0);
}

/* The cases reach what they are for. */
static void every_library_was_hit(void **state)
{
    if (!alloc_counts() || getenv("ALLOC_ONLY"))
        skip();
    assert_true(tally[ALLOC_OURS][ALLOC_ENDED] > 0);
    assert_true(tally[ALLOC_OPENSSL][ALLOC_ERROR] > 0);
    assert_true(tally[ALLOC_CURL][ALLOC_ERROR] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory), cmocka_unit_test(a_server),      cmocka_unit_test(calls_over_http),
        cmocka_unit_test(a_client),    cmocka_unit_test(a_key_service), cmocka_unit_test(every_library_was_hit),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    fl_secret_setup();
    return cmocka_run_group_tests_name("alloc_services", tests, NULL, NULL);
}
