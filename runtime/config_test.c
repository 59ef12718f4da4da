/* config_test.c: settings files as Java reads them, references, and where KMS parameters come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/config.h"
#include "runtime/properties.h"

static char dir[64];
static rt_error err;

static int setup(void **state)
{
    strcpy(dir, "/tmp/flec-config-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    return fl_remove_tree(dir);
}

static char *write_file(const char *name, const char *text, size_t n)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    close(fd);
    return path;
}

static rt_config *config_of(const char *text)
{
    rt_config *c;
    if (rt_config_load(write_file("c.properties", text, strlen(text)), &c, &err) != RT_OK)
        fail_msg("%s", err.message);
    return c;
}

/* ---- the text form ---- */

static void list(const char *key, const char *value, void *ctx)
{
    fl_buf_addf(ctx, "[%s][%s]", key, value);
}

static void reads(const char *text, const char *want)
{
    fl_buf out;
    fl_buf_init(&out, 10000);
    assert_int_equal(rt_properties_read("t", text, strlen(text), list, &out, &err), RT_OK);
    assert_string_equal(out.len ? out.p : "", want);
    fl_buf_free(&out);
}

static void text_form(void **state)
{
    reads("", "");
    reads("# a\n! b\n\n   \t\n a=b", "[a][b]");
    reads("a=b\nc: d\ne f\n  g   =   h i \n", "[a][b][c][d][e][f][g][h i ]");
    reads("a\nb=\n=c\n", "[a][][b][][][c]");
    reads("a=1\r\nb=2\rc=3", "[a][1][b][2][c][3]");
    reads("a = b\\\n    c\\\r\n  d\ne=f", "[a][bcd][e][f]");
    reads("a\\=b\\:c\\ d=e\\=f=g:h", "[a=b:c d][e=f=g:h]");
    reads("a=\\t\\n\\r\\f\\\\\\q\\\"", "[a][\t\n\r\f\\q\"]");
    reads("a=\\u00e9\\u20AC\\uD83D\\uDE00", "[a][\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80]");
    reads("a=\xc3\xa9", "[a][\xc3\xa9]");
    reads("\xef\xbb\xbf"
          "a=b",
          "[a][b]");
    reads("a=b \\\n# no comment", "[a][b # no comment]");
    reads("a=b\\", "[a][b]");
    reads("#c\\\na=b", "[a][b]"); /* a comment does not go on */
}

static void bad_text(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *why;
    } cases[] = {
        {"a=\\u12", 6, "line 1: \\u wants four hex digits"},
        {"x=1\na=\\u0000", 12, "line 2: \\u0000"},
        {"a=\\ud800", 8, "surrogate"},
        {"a=\\ude00", 8, "surrogate"},
        {"a=\\ud83dx", 9, "surrogate"},
        {"a=\\ud83d\\u0041", 14, "surrogate"},
        {"a=\0b", 4, "NUL"},
        {"a=\\\0b", 5, "NUL"},
        {"a=\xff", 3, "not UTF-8 at byte 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fl_buf out;
        fl_buf_init(&out, 1000);
        assert_int_equal(rt_properties_read("t", cases[i].text, cases[i].n, list, &out, &err), RT_IO);
        if (!strstr(err.message, cases[i].why))
            fail_msg("\"%s\" does not say \"%s\"", err.message, cases[i].why);
        fl_buf_free(&out);
    }
}

/* ---- settings ---- */

static void settings(void **state)
{
    rt_config *c = config_of("a=1\nb=2\na=3\n");
    assert_string_equal(rt_config_get(c, "a"), "3");
    assert_null(rt_config_get(c, "c"));
    rt_config_set(c, "a", "flag");
    assert_string_equal(rt_config_get(c, "a"), "flag");
    rt_config_free(c);
    assert_int_equal(rt_config_load(NULL, &c, &err), RT_OK);
    assert_null(rt_config_get(c, "a"));
    rt_config_free(c);
    assert_int_equal(rt_config_load("/nowhere/x", &c, &err), RT_IO);
    assert_non_null(strstr(err.message, "/nowhere/x"));
    assert_int_equal(rt_config_load(dir, &c, &err), RT_IO);
}

static void too_long(void **state)
{
    char *text = malloc(RT_CONFIG_MAX + 1);
    rt_config *c;
    memset(text, '\n', RT_CONFIG_MAX + 1);
    assert_int_equal(rt_config_load(write_file("big", text, RT_CONFIG_MAX), &c, &err), RT_OK);
    rt_config_free(c);
    assert_int_equal(rt_config_load(write_file("big", text, RT_CONFIG_MAX + 1), &c, &err), RT_IO);
    free(text);
}

/* --config <(…) */
static void from_a_pipe(void **state)
{
    char path[32];
    int p[2];
    rt_config *c;
    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], "a=b\n", 4), 4);
    close(p[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", p[0]);
    assert_int_equal(rt_config_load(path, &c, &err), RT_OK);
    assert_string_equal(rt_config_get(c, "a"), "b");
    rt_config_free(c);
    close(p[0]);
}

static bool collect(const char *key, const char *value, void *ctx)
{
    list(key, value, ctx);
    return true;
}

static void by_prefix(void **state)
{
    rt_config *c = config_of("kafka.b=1\nx=2\nkafka.a=3\n");
    fl_buf out;
    fl_buf_init(&out, 1000);
    rt_config_each(c, "kafka.", collect, &out);
    assert_string_equal(out.p, "[kafka.b][1][kafka.a][3]");
    fl_buf_free(&out);
    rt_config_free(c);
}

/* ---- references ---- */

static void resolves(const char *text, const char *want)
{
    fl_secret s;
    if (rt_config_resolve(text, &s, &err) != RT_OK)
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(s.len, strlen(want));
    assert_string_equal((char *)s.bytes, want);
    fl_secret_free(&s);
}

static void refuses(const char *text, const char *why)
{
    fl_secret s = {0};
    rt_code code = rt_config_resolve(text, &s, &err);
    assert_true(code == RT_NO_KEY || code == RT_IO);
    assert_null(s.bytes);
    if (!strstr(err.message, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.message, why);
}

static void references(void **state)
{
    char text[512];
    write_file("s.properties", "user = u\npass\\ word = p:1\nuser = last\n", 38);
    write_file("token", "t0k3n\n", 6);
    setenv("FLEC_TEST_VAR", "from env", 1);
    unsetenv("FLEC_TEST_NONE");
    resolves("", "");
    resolves("plain $x ${} ${connector} ${", "plain $x ${} ${connector} ${");
    resolves("${env:FLEC_TEST_VAR}", "from env");
    resolves("<${env:FLEC_TEST_VAR}|${env:FLEC_TEST_VAR}>", "<from env|from env>");
    resolves("${no}${env:FLEC_TEST_VAR}", "${no}from env");
    snprintf(text, sizeof text, "${file:%s/s.properties:user}:${file:%s/s.properties:pass word}", dir, dir);
    resolves(text, "last:p:1");
    snprintf(text, sizeof text, "${dir:%s:token}", dir);
    resolves(text, "t0k3n\n"); /* as it is: Kafka's provider cuts nothing either */
}

/* What a reference brings is not looked at again. */
static void no_second_round(void **state)
{
    setenv("FLEC_TEST_VAR", "${env:HOME}", 1);
    resolves("${env:FLEC_TEST_VAR}", "${env:HOME}");
}

static void refused_references(void **state)
{
    char text[2048];
    unsetenv("FLEC_TEST_NONE");
    write_file("s.properties", "a=b\n", 4);
    refuses("${env:FLEC_TEST_NONE}", "FLEC_TEST_NONE}: the environment variable is not set");
    refuses("${env:a:HOME}", "no path");
    refuses("${vault:secret/x:key}", "${vault:…}");
    refuses("${secret:x:y}", "--config");
    refuses("${file:x}", "a path is missing");
    refuses("${file::x}", "a path is missing");
    refuses("${dir:x}", "a path is missing");
    refuses("${file:/nowhere/x:k}", "/nowhere/x");
    refuses("${dir:/etc:../etc/hostname}", "name of a file");
    refuses("${dir:/etc:..}", "name of a file");
    refuses("${dir:/:etc}", "/etc");
    snprintf(text, sizeof text, "${file:%s/s.properties:c}", dir);
    refuses(text, "no such key");
    memset(text, 'x', sizeof text);
    memcpy(text, "${env:", 6);
    memcpy(text + 2000, "}", 2);
    refuses(text, "too long");
}

static void value_of_key(void **state)
{
    rt_config *c = config_of("a=${env:FLEC_TEST_VAR}!\n");
    fl_secret s;
    setenv("FLEC_TEST_VAR", "v", 1);
    assert_int_equal(rt_config_value(c, "a", &s, &err), RT_OK);
    assert_string_equal((char *)s.bytes, "v!");
    fl_secret_free(&s);
    assert_int_equal(rt_config_value(c, "b", &s, &err), RT_NOT_FOUND);
    rt_config_free(c);
}

/* ---- KMS parameters ---- */

static const char *env_of(const char *name)
{
    return !strcmp(name, "LOCAL_SECRET") ? "from env" : !strcmp(name, "AZURE_CLIENT_ID") ? "azure" : NULL;
}

static void param_is(const rt_param_source *s, const char *kek, const char *name, const char *want)
{
    rt_params p = rt_param_source_params(s);
    fl_secret v = p.get(p.ctx, kek, name);
    if (!want) {
        assert_null(v.bytes);
        return;
    }
    assert_int_equal(v.len, strlen(want));
    assert_memory_equal(v.bytes, want, v.len);
    fl_secret_free(&v);
}

static void precedence(void **state)
{
    rt_plan_param in_plan[] = {{"secret", "from plan"},
                               {"only.plan", "${env:FLEC_TEST_VAR}"},
                               {"broken", "${env:FLEC_TEST_NONE}"},
                               {"client.id", "plan's"}};
    rt_plan_kek keks[] = {{.kek = {.name = "k", .kms_type = "local-kms"}, .params = in_plan, .nparams = 4},
                          {.kek = {.name = "g", .kms_type = "gcp-kms"}, .params = in_plan, .nparams = 4}};
    rt_plan plan = {.keks = keks, .nkeks = 2};
    rt_config *c = config_of(
        "rule.executors._default_.param.secret=${env:FLEC_TEST_VAR}\nrule.executors._default_.param.empty=\n");
    rt_param_source all = {c, &plan, env_of}, no_config = {NULL, &plan, env_of}, nothing = {0};
    setenv("FLEC_TEST_VAR", "from setting", 1);
    unsetenv("FLEC_TEST_NONE");
    param_is(&all, "k", "secret", "from setting");
    param_is(&no_config, "k", "secret", "from env");
    param_is(&no_config, "g", "secret", "from plan"); /* LOCAL_SECRET is for local-kms alone */
    param_is(&all, "k", "only.plan", "from setting");
    param_is(&all, "other", "only.plan", NULL);
    param_is(&all, "k", "broken", NULL);
    param_is(&all, "k", "empty", NULL);
    param_is(&all, "k", "unknown", NULL);
    param_is(&no_config, "g", "client.id", "plan's");
    param_is(&nothing, "k", "unknown", NULL);
    rt_config_free(c);
}

/* What may be called: key ids of the plan, of their alternates, of the settings; nothing else. */
static void named_key_ids(void **state)
{
    rt_plan_kek keks[] = {
        {.kek = {.name = "a",
                 .kms_type = "aws-kms",
                 .kms_key_id = "arn:1",
                 .props = "{\"encrypt.alternate.kms.key.ids\":\"arn:2, arn:3\",\"role.arn\":\"arn:role\"}"}},
        {.kek = {.name = "v", .kms_type = "hcvault", .kms_key_id = "https://v/transit/keys/k"}}};
    rt_plan plan = {.keks = keks, .nkeks = 2};
    rt_config *c = config_of("flec.kms.key.ids=arn:8 ,arn:9\n"
                             "rule.executors._default_.param.encrypt.alternate.kms.key.ids=arn:7\n");
    rt_param_source all = {c, &plan, env_of}, nothing = {0};
    rt_params p = rt_param_source_params(&all), none = rt_param_source_params(&nothing);
    static const char *yes[] = {"arn:1", "arn:2", "arn:3", "arn:7", "arn:8", "arn:9"};
    static const char *no[] = {"arn:", "arn:11", "arn:role", "arn:2, arn:3", "", ",", "https://v/transit/keys/k"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        assert_true(p.may_call(p.ctx, "aws-kms", yes[i]));
        assert_false(none.may_call(none.ctx, "aws-kms", yes[i]));
    }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(p.may_call(p.ctx, "aws-kms", no[i])); /* the last one is another type's */
    assert_true(p.may_call(p.ctx, "hcvault", "https://v/transit/keys/k"));
    assert_false(p.may_call(p.ctx, "hcvault", "arn:1"));
    param_is(&all, "a", "role.arn", "arn:role"); /* kmsProps of the policy itself */
    param_is(&all, "v", "role.arn", NULL);
    rt_config_free(c);
}

/* Whose credentials are given: by a setting, a variable behind a parameter, one of its own, the plan. */
static const char *metadata_host(const char *name)
{
    return !strcmp(name, "GCE_METADATA_HOST") ? "localhost:1" : !strcmp(name, "VAULT_TOKEN") ? "" : NULL;
}

static void has_credentials(void **state)
{
    rt_plan_kek keks[] = {
        {.kek = {.name = "a", .kms_type = "aws-kms"}, .params = &(rt_plan_param){"profile", "${env:P}"}, .nparams = 1}};
    rt_plan plan = {.keks = keks, .nkeks = 1};
    rt_config *c = config_of("rule.executors._default_.param.approle.role.id=r\n");
    rt_param_source s = {c, &plan, env_of}, machine = {.getenv = metadata_host};
    assert_true(rt_param_source_has(&s, "k", "local-kms")); /* LOCAL_SECRET */
    assert_true(rt_param_source_has(&s, "k", "azure-kms")); /* AZURE_CLIENT_ID */
    assert_false(rt_param_source_has(&s, "k", "gcp-kms"));  /* which has no variable for client.id */
    assert_true(rt_param_source_has(&s, "k", "hcvault"));   /* a setting */
    assert_true(rt_param_source_has(&s, "a", "aws-kms"));   /* the plan's */
    assert_false(rt_param_source_has(&s, "k", "aws-kms"));
    assert_false(rt_param_source_has(&s, "a", "rot13"));
    assert_true(rt_param_source_has(&machine, "k", "gcp-kms"));
    assert_false(rt_param_source_has(&machine, "k", "hcvault")); /* empty */
    rt_config_free(c);
}

/* A setting whose reference does not resolve is told apart from one that is not there. */
static void broken_parameters(void **state)
{
    rt_config *c = config_of("rule.executors._default_.param.a=${env:FLEC_TEST_NONE}\n"
                             "rule.executors._default_.param.b=x\n");
    rt_param_source s = {.config = c, .getenv = env_of};
    rt_params p = rt_param_source_params(&s);
    unsetenv("FLEC_TEST_NONE");
    assert_int_equal(p.check(p.ctx, "k", "a", &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "FLEC_TEST_NONE"));
    assert_int_equal(p.check(p.ctx, "k", "b", &err), RT_OK);
    assert_int_equal(p.check(p.ctx, "k", "c", &err), RT_OK);
    rt_config_free(c);
}

static void variables(void **state)
{
    assert_string_equal(rt_param_env("local-kms", "secret"), "LOCAL_SECRET");
    assert_string_equal(rt_param_env(NULL, "secret"), "LOCAL_SECRET");
    assert_string_equal(rt_param_env("aws-kms", "access.key.id"), "AWS_ACCESS_KEY_ID");
    assert_string_equal(rt_param_env("azure-kms", "client.id"), "AZURE_CLIENT_ID");
    assert_string_equal(rt_param_env("hcvault", "token.id"), "VAULT_TOKEN");
    assert_null(rt_param_env("gcp-kms", "client.id"));
    assert_null(rt_param_env(NULL, "client.id")); /* two KMSs have it */
    assert_null(rt_param_env("aws-kms", "secret"));
    assert_null(rt_param_env(NULL, "nothing"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(text_form),  TEST(bad_text),   TEST(settings),        TEST(too_long),           TEST(from_a_pipe),
        TEST(by_prefix),  TEST(references), TEST(no_second_round), TEST(refused_references), TEST(value_of_key),
        TEST(precedence), TEST(variables),  TEST(named_key_ids),   TEST(has_credentials),    TEST(broken_parameters),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
