/* alloc_test.c: memory that runs out while a policy is compiled and built: the program ends with a message, and where
 * the build was to be there is nothing, or all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc_lab.h"
#include "compiler/compiler.h"

static const char policy[] =
    "platform cloud {\n  workers 7.6.1\n  registry \"https://registry.example\"\n  kafka \"broker.example:9092\"\n}\n"
    "tag PII \"identifies a person\"\n"
    "kek crm-kek {\n  kms aws \"arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\"\n"
    "  shared\n}\n"
    "topic crm.customers {\n  value avro \"customer.avsc\" {\n    field ssn is PII\n    encrypt PII with crm-kek {\n"
    "      rotate 90d\n    }\n  }\n  writers User:sa-crm\n  readers User:sa-crm\n}\n";
static const char schema[] =
    "{\"type\":\"record\",\"name\":\"Customer\",\"namespace\":\"com.acme\",\"doc\":\"\\u00e9\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"ssn\",\"type\":[\"null\",\"string\"],\"default\":null}]}";

static char top[] = "/tmp/flec-alloc-XXXXXX", file[80], out[80];
static char want[65]; /* digest of the MANIFEST, which has one of each file */
static fl_arena *a;
static fl_status status;

static void set_up(void)
{
    a = fl_arena_new();
}

static int builds(void)
{
    const char *paths[] = {file};
    const fc_options opt = {.today = 20000};
    fl_diags diags;
    fl_diags_init(&diags, a);
    est_estate *e = fc_compile(a, paths, 1, &opt, &diags, &status);
    if (!e)
        return status ? (int)status : FL_FINDINGS;
    fc_build *b = fc_emit(e, NULL, &diags);
    return b ? (int)fc_write(b, out) : FL_FINDINGS;
}

static const char *failed(int code)
{
    return code == FL_COULD_NOT_RUN ? NULL : "it calls the policy wrong";
}

static const char *says(void)
{
    return "see standard error";
}

/* NULL, or what is wrong with the build; absent: there may be none. */
static const char *looked_at(bool absent)
{
    char path[100], digest[65];
    fl_arena *b = fl_arena_new();
    char *text = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/MANIFEST", out);
    if (!fl_exists(out)) {
        fl_arena_free(b);
        return absent ? NULL : "there is no build";
    }
    int e = fl_read_file(b, path, 1 << 20, &text, &n);
    if (!e)
        fl_sha256_hex(digest, text, n);
    if (!e && !*want)
        memcpy(want, digest, sizeof want);
    bool same = !e && memcmp(want, digest, sizeof want) == 0;
    fl_arena_free(b);
    return same ? NULL : "there is part of a build";
}

static const char *done(void)
{
    return looked_at(false);
}

static void shut(void)
{
    fl_arena_free(a);
}

static const char *after(void)
{
    const char *wrong = looked_at(true);
    fl_remove_tree(out);
    return wrong;
}

static void a_build(void **state)
{
    const alloc_case c = {.name = "build",
                          .set_up = set_up,
                          .act = builds,
                          .failed = failed,
                          .says = says,
                          .done = done,
                          .shut = shut,
                          .after = after};
    uint64_t tally[ALLOC_OWNERS][ALLOC_OUTCOMES] = {0};
    if (!alloc_counts()) /* valgrind */
        skip();
    set_up();
    assert_int_equal(builds(), 0);
    shut();
    assert_null(done()); /* and now it is known what is wanted */
    fl_remove_tree(out);
    assert_int_equal(alloc_run(&c, 60, tally), 0);
    assert_true(tally[ALLOC_OURS][ALLOC_ENDED] > 0);
}

static int make_folder(void **state)
{
    char path[80];
    if (!mkdtemp(top))
        return 1;
    snprintf(file, sizeof file, "%s/estate.flec", top);
    snprintf(path, sizeof path, "%s/customer.avsc", top);
    snprintf(out, sizeof out, "%s/out", top);
    return fl_write_file(file, policy, strlen(policy), 0600, false) ||
           fl_write_file(path, schema, strlen(schema), 0600, false);
}

static int remove_folder(void **state)
{
    return fl_remove_tree(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build)};
    return cmocka_run_group_tests_name("alloc_build", tests, make_folder, remove_folder);
}
