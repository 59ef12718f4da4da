/* registry_test.c: what every registry behind the seam must do: one table of cases, run against mem:, file://DIR, and
 * the HTTP client before a server of ours. For the durable one each case ends with closing, opening again, and looking
 * whether the state is the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/dek.h"
#include "runtime/registry.h"
#include "runtime/registry_http.h"
#include "runtime/rest/server.h"

#define S "{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}"
#define T "{\"type\":\"record\",\"name\":\"T\",\"fields\":[]}"
#define RULES                                                                                                          \
    "{\"domainRules\":[{\"name\":\"enc\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],\"params\":{\"encrypt.kek.name\":"    \
    "\"k\"}}]}"

static int64_t clock_ms;
static rt_error err;
static fl_arena *a;
static rt_registry *r;
static char dir[64], url[80];
static const char *kind; /* "mem" or "file" */
static bool locked;

static int64_t now(void *ctx)
{
    return clock_ms;
}

static fl_secret local_secret(void *ctx, const char *kek, const char *name)
{
    return !strcmp(name, "secret") ? fl_secret_copy("registry's own", 14) : (fl_secret){0};
}

static const rt_params own = {.get = local_secret};
static const rt_params *params; /* of the registry at hand */

/* ---- the HTTP client, before a server in a thread ---- */

static bool over_http;
static struct {
    rt_registry *store;
    rt_server *server;
    rt_stop stop;
    int wake[2];
    pthread_t thread;
} served;

static void *serve(void *ctx)
{
    rt_error e;
    if (rt_server_run(served.server, &served.stop, &e) != RT_OK)
        print_error("%s\n", e.message);
    return NULL;
}

/* Cases register schemas that have nothing to do with each other under one subject. */
static void start_server(void)
{
    fl_json_error e;
    static const char none[] = "{\"compatibility\":\"NONE\"}";
    rt_store *st = (rt_store *)r;
    served.store = r;
    served.stop.signal = 0;
    assert_int_equal(pipe(served.wake), 0);
    served.stop.fd = served.wake[0];
    assert_int_equal(rt_store_set_config(st, a, "", fl_json_parse(a, none, sizeof none - 1, 0, &e), &err), RT_OK);
    assert_int_equal(rt_server_open("127.0.0.1:0", st, &served.server, &err), RT_OK);
    assert_int_equal(pthread_create(&served.thread, NULL, serve, NULL), 0);
    rt_registry_http_options opt = {
        .urls = fl_printf(a, "http://127.0.0.1:1, http://%s/", rt_server_address(served.server)),
        .limits = {.tries = 1}};
    assert_int_equal(rt_registry_http(&opt, &r, &err), RT_OK);
}

static void stop_server(void)
{
    served.stop.signal = 15;
    assert_int_equal(write(served.wake[1], "x", 1), 1);
    pthread_join(served.thread, NULL);
    rt_server_close(served.server);
    rt_registry_close(served.store);
    close(served.wake[0]);
    close(served.wake[1]);
}

static void open_it(void)
{
    rt_registry_options opt = {.params = params, .now_ms = now};
    rt_code code = rt_registry_open(url, &opt, &r, &err);
    if (code != RT_OK)
        fail_msg("%s", err.message);
    if (locked)
        r = rt_registry_locked(r);
    if (over_http)
        start_server();
}

/* ---- short forms ---- */

static rt_subject reg(const char *subject, const char *schema, const char *metadata, const char *ruleset)
{
    rt_subject s = {.subject = subject, .schema = schema, .metadata = metadata, .ruleset = ruleset};
    if (r->ops->register_subject(r, a, &s, &err) != RT_OK)
        fail_msg("%s", err.message);
    return s;
}

static void refused(rt_code got, rt_code want, const char *why)
{
    assert_int_equal(got, want);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static rt_code try_reg(rt_subject s)
{
    return r->ops->register_subject(r, a, &s, &err);
}

static rt_kek kek_of(const char *name, bool shared)
{
    return (rt_kek){.name = name, .kms_type = "local-kms", .kms_key_id = "id", .shared = shared};
}

static rt_code kek(const char *name, bool shared)
{
    rt_kek k = kek_of(name, shared);
    return r->ops->create_kek(r, &k, &err);
}

static rt_dek dek_of(const char *k, const char *subject, int version, const char *encrypted)
{
    return (rt_dek){.kek = k, .subject = subject, .version = version, .alg = RT_AES256_GCM, .encrypted = encrypted};
}

static rt_code dek(rt_dek d, rt_dek *out)
{
    return r->ops->create_dek(r, a, &d, out, &err);
}

static rt_code get(const char *k, const char *subject, int version, bool deleted, rt_dek *out)
{
    return r->ops->get_dek(r, a, k, subject, RT_AES256_GCM, version, deleted, out, &err);
}

/* ---- schemas ---- */

static void numbers(void)
{
    rt_subject one = reg("a-value", S, NULL, NULL), again = reg("a-value", S, NULL, NULL),
               two = reg("a-value", T, NULL, NULL);
    assert_int_equal(one.version, 1);
    assert_int_equal(one.id, 1);
    assert_int_equal(again.version, 1);
    assert_int_equal(again.id, 1);
    assert_int_equal(two.version, 2);
    assert_int_equal(two.id, 2);
    assert_int_equal(reg("a-value", S, NULL, NULL).version, 1); /* also when it is not the latest */
    rt_subject other = reg("b-value", T, NULL, NULL);
    assert_int_equal(other.id, 2); /* the same content has the same id */
    assert_int_equal(other.version, 1);
    assert_string_equal(other.guid, two.guid);
    assert_string_not_equal(one.guid, two.guid);
}

static void identity(void)
{
    rt_subject plain = reg("s", S, NULL, NULL), tagged = reg("s", S, "{\"tags\":{\"R.x\":[\"PII\"]}}", NULL),
               ruled = reg("s", S, NULL, RULES);
    assert_int_equal(plain.version, 1);
    assert_int_equal(tagged.version, 2);
    assert_int_equal(ruled.version, 3);
    assert_true(plain.id != tagged.id && tagged.id != ruled.id);
    assert_string_equal(ruled.metadata, tagged.metadata); /* what is not given is the version's before */
    assert_int_equal(reg("s", S, NULL, NULL).version, 3);
    assert_int_equal(reg("s", S, "{}", "{}").version, 4); /* given, and empty */
}

static void canonical_form(void)
{
    rt_subject s = reg("s", S, "{\"properties\":{\"b\":\"1\",\"a\":\"2\"},\"junk\":1}",
                       "{\"domainRules\":[{\"type\":\"ENCRYPT\",\"name\":\"r\",\"tags\":[\"B\",\"A\"]}]}"),
               got;
    assert_string_equal(s.metadata, "{\"properties\":{\"a\":\"2\",\"b\":\"1\"}}");
    assert_string_equal(s.ruleset, "{\"domainRules\":[{\"name\":\"r\",\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\","
                                   "\"type\":\"ENCRYPT\",\"tags\":[\"A\",\"B\"],\"disabled\":false}]}");
    assert_int_equal(r->ops->subject_version(r, a, "s", -1, &got, &err), RT_OK);
    assert_string_equal(got.ruleset, s.ruleset);
    assert_string_equal(got.schema, S);
    assert_string_equal(got.guid, s.guid);
    assert_string_equal(got.type, "AVRO");
}

static void references(void)
{
    reg("base", S, NULL, NULL);
    reg("base", T, NULL, NULL);
    rt_schema_ref refs[] = {{"R", "base", 1}, {"T", "base", -1}};
    rt_subject s = {.subject = "user", .schema = "{\"type\":\"array\",\"items\":\"T\"}", .refs = refs, .nrefs = 2}, got;
    assert_int_equal(r->ops->register_subject(r, a, &s, &err), RT_OK);
    assert_int_equal(s.refs[1].version, 2);
    assert_int_equal(refs[1].version, -1); /* the caller's are left alone */
    assert_int_equal(r->ops->schema_by_id(r, a, s.id, NULL, &got, &err), RT_OK);
    assert_int_equal(got.nrefs, 2);
    assert_string_equal(got.refs[1].name, "T");
    assert_int_equal(got.refs[1].version, 2);
    refs[0].version = 9;
    s.refs = refs;
    refused(try_reg(s), RT_BAD_INPUT, "subject base, version 9");
    refs[0] = (rt_schema_ref){"R", "nowhere", 1};
    refused(try_reg(s), RT_BAD_INPUT, "nowhere");
}

static void lookups(void)
{
    rt_subject got;
    reg("a", S, NULL, NULL);
    reg("b", T, NULL, NULL);
    reg("b", S, NULL, NULL);
    assert_int_equal(r->ops->subject_version(r, a, "b", -1, &got, &err), RT_OK);
    assert_int_equal(got.version, 2);
    assert_int_equal(got.id, 1);
    assert_int_equal(r->ops->subject_version(r, a, "b", 1, &got, &err), RT_OK);
    assert_string_equal(got.schema, T);
    assert_int_equal(r->ops->schema_by_id(r, a, 1, NULL, &got, &err), RT_OK);
    assert_string_equal(got.subject, "a");
    assert_int_equal(r->ops->schema_by_id(r, a, 1, "b", &got, &err), RT_OK);
    assert_string_equal(got.subject, "b");
    assert_int_equal(got.version, 2);
    assert_int_equal(r->ops->schema_by_id(r, a, 2, "a", &got, &err), RT_OK);
    assert_string_equal(got.subject, "b");
    rt_subject first = got;
    assert_int_equal(r->ops->schema_by_guid(r, a, first.guid, NULL, &got, &err), RT_OK);
    assert_int_equal(got.id, over_http ? 0 : first.id);
    assert_string_equal(got.schema, first.schema);
    assert_string_equal(got.guid, first.guid);
    assert_int_equal(r->ops->subject_version(r, a, "a", 1, &first, &err), RT_OK);
    assert_int_equal(r->ops->schema_by_guid(r, a, first.guid, "b", &got, &err), RT_OK);
    assert_string_equal(got.subject, "b");
    refused(r->ops->schema_by_guid(r, a, "00000000-0000-0000-0000-000000000000", NULL, &got, &err), RT_NOT_FOUND,
            "40403");
    refused(r->ops->subject_version(r, a, "c", -1, &got, &err), RT_NOT_FOUND, "40401");
    refused(r->ops->subject_version(r, a, "a", 2, &got, &err), RT_NOT_FOUND, "40402");
    refused(r->ops->subject_version(r, a, "a", 0, &got, &err), RT_BAD_INPUT, "42202");
    refused(r->ops->subject_version(r, a, "a", -2, &got, &err), RT_BAD_INPUT, "42202");
    refused(r->ops->schema_by_id(r, a, 3, NULL, &got, &err), RT_NOT_FOUND, "40403");
    refused(r->ops->schema_by_id(r, a, 0, NULL, &got, &err), RT_NOT_FOUND, "40403");
}

static void found_by_content(void)
{
    rt_subject tagged = reg("s", S, "{\"tags\":{\"R.x\":[\"PII\"]}}", RULES);
    rt_subject s = {.subject = "s", .schema = S, .metadata = tagged.metadata, .ruleset = tagged.ruleset};
    reg("s", T, NULL, NULL);
    assert_int_equal(r->ops->find_subject(r, a, &s, &err), RT_OK);
    assert_int_equal(s.version, 1);
    assert_int_equal(s.id, tagged.id);
    assert_string_equal(s.guid, tagged.guid);
    s.ruleset = "{}";
    refused(r->ops->find_subject(r, a, &s, &err), RT_NOT_FOUND, "40403");
    s.subject = "nobody";
    refused(r->ops->find_subject(r, a, &s, &err), RT_NOT_FOUND, "40401");
}

static void refused_schemas(void)
{
    refused(try_reg((rt_subject){.subject = "", .schema = S}), RT_BAD_INPUT, "42208");
    refused(try_reg((rt_subject){.subject = "a\nb", .schema = S}), RT_BAD_INPUT, "control character");
    refused(try_reg((rt_subject){.subject = "a", .schema = ""}), RT_BAD_INPUT, "42201");
    refused(try_reg((rt_subject){.subject = "a", .schema = "\xff"}), RT_BAD_INPUT, "UTF-8");
    refused(try_reg((rt_subject){
                .subject = "a", .schema = S, .ruleset = "{\"domainRules\":[{\"name\":\"1\",\"type\":\"E\"}]}"}),
            RT_BAD_INPUT, "42210");
    refused(try_reg((rt_subject){.subject = "a", .schema = S, .metadata = "[]"}), RT_BAD_INPUT, "metadata");
    rt_subject got;
    refused(r->ops->subject_version(r, a, "a", -1, &got, &err), RT_NOT_FOUND, "40401"); /* nothing of it stayed */
}

/* ---- KEKs ---- */

static void keks(void)
{
    rt_kek k = {.name = "crm",
                .kms_type = "AWS",
                .kms_key_id = "arn:aws:kms:eu:1:key/x",
                .doc = "d",
                .props = "{\"b\":\"1\",\"a\":\"2\"}",
                .shared = true},
           got;
    clock_ms = 1764000000123;
    assert_int_equal(r->ops->create_kek(r, &k, &err), RT_OK);
    refused(r->ops->create_kek(r, &k, &err), RT_CONFLICT, "40971");
    assert_int_equal(r->ops->get_kek(r, a, "crm", false, &got, &err), RT_OK);
    assert_string_equal(got.kms_type, "aws-kms");
    assert_string_equal(got.props, "{\"a\":\"2\",\"b\":\"1\"}");
    assert_string_equal(got.doc, "d");
    assert_true(got.shared && !got.deleted && got.ts == 1764000000123);
    refused(r->ops->get_kek(r, a, "other", true, &got, &err), RT_NOT_FOUND, "40470");
    k.doc = "another";
    refused(r->ops->create_kek(r, &k, &err), RT_CONFLICT, "40971");
}

static void deleted_keks(void)
{
    rt_kek k = kek_of("k", false), got;
    rt_dek out;
    k.deleted = true; /* a registry takes a key over in that state */
    assert_int_equal(r->ops->create_kek(r, &k, &err), RT_OK);
    refused(r->ops->get_kek(r, a, "k", false, &got, &err), RT_NOT_FOUND, "40470");
    assert_int_equal(r->ops->get_kek(r, a, "k", true, &got, &err), RT_OK);
    assert_true(got.deleted);
    refused(dek(dek_of("k", "s", 1, "AAAA"), &out), RT_NOT_FOUND, "40470");
    k.deleted = false;
    assert_int_equal(r->ops->create_kek(r, &k, &err), RT_OK); /* an equal one revives it */
    assert_int_equal(r->ops->get_kek(r, a, "k", false, &got, &err), RT_OK);
    k.deleted = true;
    assert_int_equal(r->ops->create_kek(r, &k, &err), RT_OK);
    k.deleted = false;
    k.kms_key_id = "other";
    refused(r->ops->create_kek(r, &k, &err), RT_CONFLICT, "40971"); /* another one does not */
}

static void refused_keks(void)
{
    static const rt_kek bad[] = {
        {.name = "", .kms_type = "local-kms", .kms_key_id = "x"},
        {.name = "a.b", .kms_type = "local-kms", .kms_key_id = "x"},
        {.name = "k", .kms_key_id = "x"},
        {.name = "k", .kms_type = "local-kms", .kms_key_id = ""},
        {.name = "k", .kms_type = "aws-kms", .kms_key_id = "1234"},
        {.name = "k", .kms_type = "azure-kms", .kms_key_id = "http://x"},
        {.name = "k", .kms_type = "gcp-kms", .kms_key_id = "/projects"},
        {.name = "k", .kms_type = "hcvault", .kms_key_id = "ftp://x"},
        {.name = "k", .kms_type = "local-kms", .kms_key_id = "x", .props = "{\"a\":{}}"},
        {.name = "k", .kms_type = "local-kms", .kms_key_id = "\xff"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(r->ops->create_kek(r, &bad[i], &err), RT_BAD_INPUT);
    rt_kek vault = {.name = "v", .kms_type = "hcvault", .kms_key_id = "http://x/transit/keys/y"};
    assert_int_equal(r->ops->create_kek(r, &vault, &err), RT_OK);
}

/* ---- DEKs ---- */

static void deks(void)
{
    rt_dek out;
    kek("k", false);
    clock_ms = 5000;
    refused(get("k", "s", 1, false, &out), RT_NOT_FOUND, "40470");
    assert_int_equal(dek(dek_of("k", "s", 0, "AAAA"), &out), RT_OK);
    assert_true(out.version == 1 && out.ts == 5000 && !out.deleted && !out.material.bytes);
    assert_string_equal(out.encrypted, "AAAA");
    refused(dek(dek_of("k", "s", 1, "BBBB"), &out), RT_CONFLICT, "40971");
    refused(dek(dek_of("k", "s", 1, "AAAA"), &out), RT_CONFLICT, "40971");
    assert_int_equal(dek(dek_of("k", "s", 7, "CCCC"), &out), RT_OK);
    assert_int_equal(dek(dek_of("k", "s", 3, "DDDD"), &out), RT_OK);
    assert_int_equal(get("k", "s", -1, false, &out), RT_OK);
    assert_int_equal(out.version, 7);
    assert_int_equal(get("k", "s", 3, false, &out), RT_OK);
    assert_string_equal(out.encrypted, "DDDD");
    refused(get("k", "s", 2, true, &out), RT_NOT_FOUND, "version 2");
    refused(get("k", "other", -1, true, &out), RT_NOT_FOUND, "other");
    refused(get("k", "s", 0, true, &out), RT_BAD_INPUT, "42202");
    assert_int_equal(r->ops->get_dek(r, a, "k", "s", RT_AES256_SIV, 1, true, &out, &err),
                     RT_NOT_FOUND); /* algorithms are apart */
    rt_dek siv = dek_of("k", "s", 1, "EEEE");
    siv.alg = RT_AES256_SIV;
    assert_int_equal(dek(siv, &out), RT_OK);
}

static void refused_deks(void)
{
    rt_dek out;
    kek("k", false);
    refused(dek(dek_of("nowhere", "s", 1, "AAAA"), &out), RT_NOT_FOUND, "nowhere");
    refused(dek(dek_of("k", "s", 1, NULL), &out), RT_BAD_INPUT, "encryptedKeyMaterial");
    refused(dek(dek_of("k", "s", 1, "A"), &out), RT_BAD_INPUT, "base64");
    refused(dek(dek_of("k", "s", 1, ""), &out), RT_BAD_INPUT, "encryptedKeyMaterial");
    refused(dek(dek_of("k", "", 1, "AAAA"), &out), RT_BAD_INPUT, "42271");
    refused(dek(dek_of("k", "a\x1f", 1, "AAAA"), &out), RT_BAD_INPUT, "control");
    refused(dek(dek_of("k", "s", -1, "AAAA"), &out), RT_BAD_INPUT, "42202");
    refused(get("k", "s", -1, true, &out), RT_NOT_FOUND, "40470");
}

static void deleted_deks(void)
{
    rt_dek out, d = dek_of("k", "s", 1, "AAAA");
    rt_kek gone = kek_of("k", false);
    kek("k", false);
    assert_int_equal(dek(d, &out), RT_OK);
    gone.deleted = true;
    refused(r->ops->create_kek(r, &gone, &err), RT_CONFLICT, "42272");
    d.deleted = true;
    assert_int_equal(dek(d, &out), RT_OK);
    refused(get("k", "s", 1, false, &out), RT_NOT_FOUND, "40470");
    refused(get("k", "s", -1, false, &out), RT_NOT_FOUND, "40470");
    assert_int_equal(get("k", "s", -1, true, &out), RT_OK);
    assert_true(out.deleted);
    refused(dek(dek_of("k", "s", 1, "BBBB"), &out), RT_CONFLICT,
            "40971"); /* another key under the number of a deleted one */
    assert_int_equal(r->ops->create_kek(r, &gone, &err), RT_OK);
    assert_int_equal(get("k", "s", 1, true, &out), RT_OK); /* reading finds keys of deleted KEKs */
    refused(get("k", "s", 1, false, &out), RT_NOT_FOUND, "40470");
    gone.deleted = false;
    assert_int_equal(r->ops->create_kek(r, &gone, &err), RT_OK);
    assert_int_equal(dek(dek_of("k", "s", 1, "AAAA"), &out), RT_OK); /* revived */
    assert_int_equal(get("k", "s", 1, false, &out), RT_OK);
}

/* The registry makes the keys of a shared KEK and hands out both forms. */
static void shared(void)
{
    rt_dek made, got;
    fl_secret raw;
    kek("k", true);
    assert_int_equal(dek(dek_of("k", "s", 1, NULL), &made), RT_OK);
    assert_non_null(made.encrypted);
    assert_int_equal(rt_tink_unwrap(RT_AES256_GCM, &made.material, &raw, &err), RT_OK);
    assert_int_equal(get("k", "s", 1, false, &got), RT_OK);
    assert_true(fl_secret_eq(&made.material, &got.material));
    assert_string_equal(made.encrypted, got.encrypted);
    fl_secret_free(&raw);
    fl_secret_free(&got.material);
    refused(dek(dek_of("k", "s", 1, NULL), &got), RT_CONFLICT, "40971");
    refused(dek(dek_of("k", "t", 1, "AAAA"), &got), RT_NO_KEY, "KEK k"); /* material that the registry cannot open */
    rt_dek other;
    assert_int_equal(dek(dek_of("k", "t", 1, NULL), &other), RT_OK);
    assert_false(fl_secret_eq(&made.material, &other.material));
    fl_secret_free(&made.material);
    fl_secret_free(&other.material);
}

/* With credentials of its own the registry wraps under the KEK's real KMS, so that a client with them could unwrap,
 * too. */
static void shared_with_params(void)
{
    rt_dek made;
    rt_kms *kms;
    fl_secret proto;
    if (!params)
        return;
    kek("k", true);
    assert_int_equal(dek(dek_of("k", "s", 1, NULL), &made), RT_OK);
    assert_int_equal(rt_kms_open("k", "local-kms", "id", &own, &kms, &err), RT_OK);
    assert_int_equal(rt_dek_open(kms, made.encrypted, &proto, &err), RT_OK);
    assert_true(fl_secret_eq(&made.material, &proto));
    fl_secret_free(&proto);
    fl_secret_free(&made.material);
    kms->free(kms);
}

/* ---- running them ---- */

/* Everything that can be asked, as text. */
static char *state_of(void)
{
    static const char *subjects[] = {"a-value", "b-value", "s", "base", "user", "a", "b"},
                      *kek_names[] = {"k", "crm", "v"};
    static const char *dek_subjects[] = {"s", "t"};
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    for (size_t i = 0; i < 7; i++)
        for (int v = 1; v < 6; v++) {
            rt_subject s;
            if (r->ops->subject_version(r, a, subjects[i], v, &s, NULL) == RT_OK)
                fl_buf_addf(&b, "%s %d %d %s %s %s %s %zu\n", s.subject, s.version, s.id, s.guid, s.schema,
                            s.metadata ? s.metadata : "-", s.ruleset ? s.ruleset : "-", s.nrefs);
        }
    for (size_t i = 0; i < 3; i++) {
        rt_kek k;
        if (r->ops->get_kek(r, a, kek_names[i], true, &k, NULL) == RT_OK)
            fl_buf_addf(&b, "%s %s %s %s %s %d %d %lld\n", k.name, k.kms_type, k.kms_key_id, k.doc, k.props, k.shared,
                        k.deleted, (long long)k.ts);
        for (int v = 1; v < 9; v++)
            for (size_t s = 0; s < 2; s++) {
                rt_dek d;
                if (get(kek_names[i], dek_subjects[s], v, true, &d) != RT_OK)
                    continue;
                fl_buf_addf(&b, "%s %s %d %s %d %lld %zu\n", d.kek, d.subject, d.version, d.encrypted, d.deleted,
                            (long long)d.ts, d.material.len);
                fl_secret_free(&d.material);
            }
    }
    char *text = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

static const struct conformance {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"numbers", numbers},
    {"identity", identity},
    {"canonical_form", canonical_form},
    {"references", references},
    {"lookups", lookups},
    {"found_by_content", found_by_content},
    {"refused_schemas", refused_schemas},
    {"keks", keks},
    {"deleted_keks", deleted_keks},
    {"refused_keks", refused_keks},
    {"deks", deks},
    {"refused_deks", refused_deks},
    {"deleted_deks", deleted_deks},
    {"shared", shared},
    {"shared_with_params", shared_with_params},
};

static void run_case(const struct conformance *c)
{
    bool file = !strcmp(kind, "file");
    strcpy(dir, "/tmp/flec-registry-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, file ? "file://%s/r" : "mem:", dir);
    a = fl_arena_new();
    clock_ms = 1000;
    open_it();
    c->run();
    char *before = state_of();
    if (file) {
        rt_registry_close(r);
        open_it();
        assert_string_equal(state_of(), before);
    }
    rt_registry_close(r);
    if (over_http)
        stop_server();
    fl_arena_free(a);
    fl_remove_tree(dir);
}

/* state: "mem", "file", or the same with the registry's own credentials: "mem+", "file+"; "mem locked": for several
 * threads. */
static void conformance(void **state)
{
    const char *how = *state;
    kind = how[0] == 'm' ? "mem" : "file";
    params = strchr(how, '+') ? &own : NULL;
    locked = strstr(how, "locked") != NULL;
    over_http = strstr(how, "http") != NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(&cases[i]);
}

static void urls(void **state)
{
    static const char *bad[] = {"", "memory:", "http://localhost:8081", "file://", "file:/tmp"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(rt_registry_open(bad[i], NULL, &r, &err), RT_IO);
}

int main(void)
{
    static char *hows[] = {"mem", "file", "mem+", "file+", "mem locked", "mem http", "mem http+"};
    const struct CMUnitTest tests[] = {
        {"mem", conformance, NULL, NULL, hows[0]},
        {"file", conformance, NULL, NULL, hows[1]},
        {"mem_with_credentials", conformance, NULL, NULL, hows[2]},
        {"file_with_credentials", conformance, NULL, NULL, hows[3]},
        {"mem_for_several_threads", conformance, NULL, NULL, hows[4]},
        {"http", conformance, NULL, NULL, hows[5]},
        {"http_with_credentials", conformance, NULL, NULL, hows[6]},
        cmocka_unit_test(urls),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
