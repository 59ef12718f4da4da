/* registry_http_test.c: the client of a registry: what it sends, whose credentials, and what it makes of answers that
 * are wrong, hostile or missing. That it does what every registry does stands in registry_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/http_lab.h"
#include "runtime/registry_http.h"

static lab_server lab;
static rt_registry *r;
static fl_arena *a;
static rt_error err;

#define ENV_BASIC "SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"
#define ENV_TOKEN "SCHEMA_REGISTRY_BEARER_AUTH_TOKEN"

static int setup(void **state)
{
    lab_start(&lab);
    a = fl_arena_new();
    r = NULL;
    unsetenv(ENV_BASIC);
    unsetenv(ENV_TOKEN);
    return 0;
}

static int teardown(void **state)
{
    if (r)
        rt_registry_close(r);
    fl_arena_free(a);
    lab_stop(&lab);
    return 0;
}

static void says(const char *text)
{
    if (!strstr(err.message, text))
        fail_msg("\"%s\" does not say \"%s\"", err.message, text);
}

static void open_urls(const char *urls)
{
    rt_registry_http_options o = {.urls = urls, .limits = {.tries = 1}};
    if (rt_registry_http(&o, &r, &err))
        fail_msg("%s", err.message);
}

/* ---- settings ---- */

static rt_code settings(const char *lines, const rt_plan *plan)
{
    rt_config *c;
    assert_int_equal(rt_config_load(NULL, &c, &err), RT_OK);
    char *copy = fl_strdup(a, lines), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *value = strchr(line, '=');
        *value = 0;
        rt_config_set(c, line, value + 1);
    }
    if (r)
        rt_registry_close(r);
    r = NULL;
    rt_code code = rt_registry_http_open(lab.url, c, plan, &r, &err);
    rt_config_free(c);
    return code;
}

/* What is sent with the next call. */
static const char *sent(void)
{
    rt_kek k;
    size_t i = lab.nasked;
    lab_answer(&lab, "404 Not Found", "{\"error_code\":40470,\"message\":\"no\"}");
    assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_NOT_FOUND);
    return lab.asked[i];
}

static void credentials(void **state)
{
    assert_int_equal(settings("basic.auth.credentials.source=USER_INFO\nbasic.auth.user.info=me:secret", NULL), RT_OK);
    assert_non_null(strstr(sent(), "Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_int_equal(settings("schema.registry.basic.auth.user.info=you:secret", NULL), RT_OK);
    assert_non_null(strstr(sent(), "Authorization: Basic eW91OnNlY3JldA==\r\n"));
    assert_int_equal(settings("bearer.auth.token=t0ken\nbearer.auth.logical.cluster=lsrc-1\n"
                              "bearer.auth.identity.pool.id=pool-2",
                              NULL),
                     RT_OK);
    const char *q = sent();
    assert_non_null(strstr(q, "Authorization: Bearer t0ken\r\n"));
    assert_non_null(strstr(q, "target-sr-cluster: lsrc-1\r\n"));
    assert_non_null(strstr(q, "Confluent-Identity-Pool-Id: pool-2\r\n"));
    assert_int_equal(settings("", NULL), RT_OK);
    assert_null(strstr(sent(), "Authorization"));
}

static void credentials_from_elsewhere(void **state)
{
    rt_plan plan = {.registry_auth_type = "basic", .registry_auth_secret = "${env:FLEC_TEST_AUTH}"};
    setenv("FLEC_TEST_AUTH", "plan:1", 1);
    assert_int_equal(settings("", &plan), RT_OK);
    assert_non_null(strstr(sent(), "Basic cGxhbjox\r\n"));
    setenv(ENV_BASIC, "env:1", 1);
    assert_int_equal(settings("", &plan), RT_OK);
    assert_non_null(strstr(sent(), "Basic ZW52OjE=\r\n"));
    assert_int_equal(settings("bearer.auth.token=x", &plan), RT_OK);
    assert_non_null(strstr(sent(), "Bearer x\r\n"));
    unsetenv(ENV_BASIC);
    unsetenv("FLEC_TEST_AUTH");
    assert_int_equal(settings("", &plan), RT_NO_KEY);
    says("FLEC_TEST_AUTH");
}

static void settings_that_are_refused(void **state)
{
    static const struct {
        const char *lines, *says;
        rt_code code;
    } rows[] = {
        {"basic.auth.credentials.source=URL", "basic.auth.credentials.source=URL", RT_REFUSED},
        {"bearer.auth.credentials.source=OAUTHBEARER", "OAUTHBEARER is beyond", RT_REFUSED},
        {"ssl.truststore.location=/x.jks", "Java key store", RT_REFUSED},
        {"ssl.keystore.location=/x.p12\nssl.keystore.type=PKCS12", "PKCS12 is beyond", RT_REFUSED},
        {"basic.auth.user.info=a:b\nbearer.auth.token=c", "which shall it be", RT_REFUSED},
        {"ssl.ca.location=/nowhere/ca.pem", "/nowhere/ca.pem", RT_IO},
        {"basic.auth.user.info=${env:FLEC_NOT_SET}", "FLEC_NOT_SET", RT_NO_KEY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(settings(rows[i].lines, NULL), rows[i].code);
        says(rows[i].says);
    }
}

static void urls(void **state)
{
    static const struct {
        const char *urls, *says;
    } rows[] = {
        {"", "no registry URL"},
        {" , ", "no registry URL"},
        {"ftp://x", "no http or https URL"},
        {"http://", "no http or https URL"},
        {"http://a?b=c", "no http or https URL"},
        {"http://me:secret@host", "basic.auth.user.info"},
        {"http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a,http://a", "more than 8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_registry_http_options o = {.urls = rows[i].urls};
        assert_int_equal(rt_registry_http(&o, &r, &err), RT_IO);
        says(rows[i].says);
        assert_null(strstr(err.message, "secret"));
    }
}

static void tls(void **state)
{
    lab_server secure;
    lab_start_tls(&secure);
    rt_registry_http_options o = {.urls = secure.url, .limits = {.tries = 1}};
    rt_kek k;
    lab_answer(&secure, "200 OK", "{\"name\":\"k\",\"kmsType\":\"t\",\"kmsKeyId\":\"i\"}");
    assert_int_equal(rt_registry_http(&o, &r, &err), RT_OK);
    assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_NO_KEY); /* nobody it trusts */
    rt_registry_close(r);
    o.ca_file = secure.ca;
    assert_int_equal(rt_registry_http(&o, &r, &err), RT_OK);
    assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_OK);
    lab_stop(&secure);
}

/* ---- what is asked ---- */

static void names_are_escaped(void **state)
{
    rt_subject s;
    rt_dek d;
    open_urls(fl_printf(a, "%s/base/", lab.url));
    lab_answer(&lab, "404 Not Found", "{}");
    assert_int_equal(r->ops->subject_version(r, a, ":.ctx:a/b ?\xc3\xa4", -1, &s, &err), RT_NOT_FOUND);
    assert_non_null(strstr(lab.asked[0], "GET /base/subjects/%3A.ctx%3Aa%2Fb%20%3F%C3%A4/versions/latest HTTP"));
    lab_answer(&lab, "404 Not Found", "{}");
    assert_int_equal(r->ops->get_dek(r, a, "k", ":.ctx:s", RT_AES256_SIV, -1, true, &d, &err), RT_NOT_FOUND);
    assert_non_null(strstr(lab.asked[1], "GET /base/dek-registry/v1/keks/k/deks/%3A.ctx%3As/versions/-1?algorithm="
                                         "AES256_SIV&deleted=true HTTP"));
}

/* KEKs of a subject in a context of its own are asked for in that context; what is not in one, as ever. */
static void keks_by_context(void **state)
{
    static const char *const subjects[][2] = {{":.ctx:s", "&context=.ctx HTTP"},
                                              {":.a%b:s", "&context=.a%25b HTTP"},
                                              {":.:s", "?deleted=true HTTP"},
                                              {"s", "?deleted=true HTTP"},
                                              {":odd", "?deleted=true HTTP"}};
    rt_kek k = {.name = "k", .kms_type = "t", .kms_key_id = "i"};
    open_urls(lab.url);
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        lab_answer(&lab, "404 Not Found", "{}");
        assert_int_equal(r->ops->get_kek_of(r, a, "k", subjects[i][0], true, &k, &err), RT_NOT_FOUND);
        assert_non_null(strstr(lab.asked[i], subjects[i][1]));
    }
    lab_answer(&lab, "200 OK", "{}");
    k = (rt_kek){.name = "k", .kms_type = "t", .kms_key_id = "i"};
    assert_int_equal(r->ops->create_kek_of(r, &k, ":.ctx:s", &err), RT_OK);
    assert_non_null(strstr(lab.asked[5], "POST /dek-registry/v1/keks?context=.ctx HTTP"));
}

#define DEK(kek, subject, version, alg)                                                                                \
    "{\"kekName\":\"" kek "\",\"subject\":\"" subject "\",\"version\":" version ",\"algorithm\":\"" alg                \
    "\",\"encryptedKeyMaterial\":\"AAAA\",\"ts\":7}"

static void deks_posted_the_older_way(void **state)
{
    rt_dek want = {.kek = "k", .subject = "s", .version = 1, .alg = RT_AES256_GCM, .encrypted = "AAAA"}, out;
    open_urls(lab.url);
    lab_answer(&lab, "405 Method Not Allowed", "{\"error_code\":405,\"message\":\"HTTP 405 Method Not Allowed\"}");
    lab_answer(&lab, "200 OK", DEK("k", "s", "1", "AES256_GCM"));
    assert_int_equal(r->ops->create_dek(r, a, &want, &out, &err), RT_OK);
    assert_non_null(strstr(lab.asked[0], "POST /dek-registry/v1/keks/k/deks/s HTTP"));
    assert_non_null(strstr(lab.asked[1], "POST /dek-registry/v1/keks/k/deks HTTP"));
    assert_non_null(strstr(lab.asked[1], "\"subject\":\"s\""));
    assert_int_equal(out.ts, 7);
}

/* An age is counted from it: what is before all times is none. */
static void a_time_that_cannot_be(void **state)
{
    static const char *const times[] = {"-1", "-9223372036854775808", "9223372036854775808", "1e3", "null", "\"7\""};
    rt_dek out;
    open_urls(lab.url);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        lab_answer(&lab, "200 OK",
                   fl_printf(a,
                             "{\"kekName\":\"k\",\"subject\":\"s\",\"version\":1,\"algorithm\":\"AES256_GCM\","
                             "\"encryptedKeyMaterial\":\"AAAA\",\"ts\":%s}",
                             times[i]));
        out.ts = 5;
        assert_int_equal(r->ops->get_dek(r, a, "k", "s", RT_AES256_GCM, 1, false, &out, &err), RT_OK);
        assert_true(out.ts == 0 || out.ts == 1000);
    }
}

/* What a registry answers to a registration may be the id alone. */
static void a_bare_id(void **state)
{
    rt_subject s = {.subject = "s", .schema = "\"int\"", .type = "AVRO"};
    open_urls(lab.url);
    lab_answer(&lab, "200 OK", "{\"id\":5}");
    lab_answer(&lab, "200 OK", "[{\"subject\":\"other\",\"version\":9},{\"subject\":\"s\",\"version\":3}]");
    lab_answer(&lab, "200 OK", "{\"subject\":\"s\",\"version\":3,\"id\":5,\"schema\":\"\\\"int\\\"\"}");
    assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_OK);
    assert_int_equal(s.version, 3);
    assert_int_equal(s.id, 5);
    assert_non_null(strstr(lab.asked[2], "GET /subjects/s/versions/3 HTTP"));
}

static void the_next_url(void **state)
{
    rt_kek k;
    open_urls(fl_printf(a, "http://127.0.0.1:9,%s", lab.url));
    for (int i = 0; i < 2; i++) {
        lab_answer(&lab, "200 OK", "{\"name\":\"k\",\"kmsType\":\"t\",\"kmsKeyId\":\"i\"}");
        assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_OK);
    }
}

/* ---- answers ---- */

static void subjects_that_are_none(void **state)
{
    static const struct {
        const char *head, *body, *says;
        rt_code code;
    } rows[] = {
        {"200 OK", "", "no JSON", RT_IO},
        {"200 OK", "<html>", "is it a Schema Registry", RT_IO},
        {"200 OK", "[]", "has no schema", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":2,\"id\":1}", "another version", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":1}", "no version or id", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":1,\"id\":0}", "another version", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":1,\"id\":1,\"metadata\":[]}", "no objects", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":1,\"id\":1,\"ruleSet\":\"\"}", "no objects", RT_IO},
        {"200 OK", "{\"schema\":\"x\",\"version\":1,\"id\":1,\"references\":[{\"name\":\"a\"}]}", "references", RT_IO},
        {"401 Unauthorized", "", "refuses the credentials (HTTP 401)", RT_NO_KEY},
        {"403 Forbidden", "{\"error_code\":40301,\"message\":\"no\"}", "no (40301)", RT_NO_KEY},
        {"500 Oops", "{\"message\":\"a\\u001b[2Jb\"}", "HTTP 500", RT_IO},
        {"503 Busy", "", "HTTP 503", RT_IO},
        {"404 Not Found", "<html>", "HTTP 404", RT_NOT_FOUND},
        {"302 Found\r\nLocation: http://elsewhere", "", "redirect", RT_NO_KEY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_subject s;
        open_urls(lab.url);
        lab_answer(&lab, rows[i].head, rows[i].body);
        assert_int_equal(r->ops->subject_version(r, a, "s", 1, &s, &err), rows[i].code);
        says(rows[i].says);
        assert_null(strchr(err.message, 27));
        rt_registry_close(r);
        r = NULL;
    }
}

/* A GUID that is not that of the schema it stands beside is not taken: records would name it. */
static void a_guid_of_another(void **state)
{
    rt_subject s = {.subject = "s", .schema = "\"int\"", .type = "AVRO"};
    char own[37];
    assert_int_equal(rt_schema_guid(&s, own, &err), RT_OK);
    open_urls(lab.url);
    for (int i = 0; i < 2; i++) {
        lab_answer(&lab, "200 OK",
                   fl_printf(a, "{\"subject\":\"s\",\"version\":3,\"id\":5,\"schema\":\"\\\"int\\\"\",\"guid\":\"%s\"}",
                             i ? own : "00000000-0000-0000-0000-000000000000"));
        assert_int_equal(r->ops->find_subject(r, a, &s, &err), RT_OK);
        assert_string_equal(s.guid, i ? own : "");
    }
}

static void keks_that_are_others(void **state)
{
    static const char *const rows[] = {
        "{\"name\":\"other\",\"kmsType\":\"t\",\"kmsKeyId\":\"i\"}",
        "{\"kmsType\":\"t\",\"kmsKeyId\":\"i\"}",
        "{\"name\":\"k\",\"kmsKeyId\":\"i\"}",
        "{\"name\":\"k\",\"kmsType\":\"t\",\"kmsKeyId\":7}",
        "{\"name\":\"k\",\"kmsType\":\"t\",\"kmsKeyId\":\"i\",\"kmsProps\":\"x\"}",
    };
    open_urls(lab.url);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_kek k;
        lab_answer(&lab, "200 OK", rows[i]);
        assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_IO);
        says("the registry's answer is");
    }
}

static void deks_that_are_others(void **state)
{
    static const char *const rows[] = {
        DEK("other", "s", "3", "AES256_GCM"),
        DEK("k", "other", "3", "AES256_GCM"),
        DEK("k", "s", "2", "AES256_GCM"),
        DEK("k", "s", "0", "AES256_GCM"),
        DEK("k", "s", "3", "AES128_GCM"),
        "{\"kekName\":\"k\",\"subject\":\"s\",\"version\":3,\"algorithm\":\"AES256_GCM\",\"keyMaterial\":\"*\"}",
        "{\"kekName\":\"k\",\"subject\":\"s\",\"version\":3,\"algorithm\":\"AES256_GCM\",\"keyMaterial\":7}",
        "7",
    };
    open_urls(lab.url);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_dek d;
        lab_answer(&lab, "200 OK", rows[i]);
        assert_int_equal(r->ops->get_dek(r, a, "k", "s", RT_AES256_GCM, 3, true, &d, &err), RT_IO);
        says("the registry's answer is");
        assert_null(d.material.bytes);
    }
}

/* Larger than what lies in the heap for secrets. */
static void a_large_schema(void **state)
{
    enum { N = 3 << 20 };
    char *body = fl_xmalloc(N + 100), *name = fl_alloc(a, N + 1);
    rt_subject s;
    memset(name, 'x', N);
    name[N] = 0;
    sprintf(body, "{\"schema\":\"%s\",\"version\":1,\"id\":1}", name);
    open_urls(lab.url);
    lab_answer(&lab, "200 OK", body);
    assert_int_equal(r->ops->subject_version(r, a, "s", 1, &s, &err), RT_OK);
    assert_string_equal(s.schema, name);
    free(body);
}

static void an_answer_too_large(void **state)
{
    rt_registry_http_options o = {.urls = lab.url, .limits = {.tries = 1, .answer_max = 100}};
    char body[202];
    rt_kek k;
    memset(body, ' ', sizeof body);
    body[201] = 0;
    assert_int_equal(rt_registry_http(&o, &r, &err), RT_OK);
    lab_answer(&lab, "200 OK", body);
    assert_int_equal(r->ops->get_kek(r, a, "k", false, &k, &err), RT_NO_KEY);
}

static void nothing_that_is_no_utf8_is_registered(void **state)
{
    rt_subject s = {.subject = "s", .schema = "\"\xff\"", .type = "AVRO"};
    open_urls(lab.url);
    assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_BAD_INPUT);
    s = (rt_subject){.subject = "s", .schema = "\"int\"", .metadata = "{", .type = "AVRO"};
    assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_BAD_INPUT);
    assert_int_equal(lab.nasked, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(credentials),
        TEST(credentials_from_elsewhere),
        TEST(settings_that_are_refused),
        TEST(urls),
        TEST(tls),
        TEST(names_are_escaped),
        TEST(keks_by_context),
        TEST(deks_posted_the_older_way),
        TEST(a_time_that_cannot_be),
        TEST(a_bare_id),
        TEST(the_next_url),
        TEST(subjects_that_are_none),
        TEST(a_guid_of_another),
        TEST(keks_that_are_others),
        TEST(deks_that_are_others),
        TEST(a_large_schema),
        TEST(an_answer_too_large),
        TEST(nothing_that_is_no_utf8_is_registered),
    };
    return cmocka_run_group_tests_name("registry over HTTP", tests, NULL, NULL);
}
