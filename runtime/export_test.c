/* export_test.c: a registry as a file and back: equal, complete, and nothing else is let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/export.h"
#include "runtime/rest/rest.h"

#define VERSION_1 "runtime/rest/exports/version-1.json"

static int64_t now(void *ctx)
{
    return 1764000000000;
}
static const rt_registry_options options = {.now_ms = now};

static rt_store *open_store(const char *url)
{
    rt_registry *r;
    rt_error err;
    if (rt_registry_open(url, &options, &r, &err) != RT_OK)
        fail_msg("%s", err.message);
    return (rt_store *)r;
}

static void close_store(rt_store *st)
{
    rt_registry_close(&st->registry);
}

/* What a registry can hold, all of it: contexts, references, metadata, rules, deletions, settings, keys. */
static const char *const calls[][3] = {
    {"POST", "/subjects/base/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"B\\\",\\\"fields\\\":[]}\"}"},
    {"POST", "/subjects/user/versions",
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"U\\\",\\\"fields\\\":[{\\\"name\\\":\\\"b\\\","
     "\\\"type\\\":\\\"B\\\"}]}\",\"references\":[{\"name\":\"B\",\"subject\":\"base\",\"version\":1}],"
     "\"metadata\":{\"tags\":{\"U.b\":[\"PII\"]},\"properties\":{\"owner\":\"J\\u00f6rg \\u20ac\"},"
     "\"sensitive\":[\"owner\"]},\"ruleSet\":{\"domainRules\":[{\"name\":\"r\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],"
     "\"params\":{\"encrypt.kek.name\":\"k\"}}]}}"},
    {"POST", "/subjects/other/versions", "{\"schema\":\"\\\"string\\\"\"}"},
    {"POST", "/subjects/same/versions", "{\"schema\":\"\\\"string\\\"\"}"},
    {"POST", "/subjects/:.team:same/versions", "{\"schema\":\"\\\"string\\\"\"}"},
    {"POST", "/subjects/gone/versions", "{\"schema\":\"\\\"int\\\"\"}"},
    {"DELETE", "/subjects/gone", NULL},
    {"POST", "/subjects/never/versions", "{\"schema\":\"\\\"long\\\"\"}"},
    {"DELETE", "/subjects/never", NULL},
    {"DELETE", "/subjects/never?permanent=true", NULL},
    {"POST", "/subjects/p/versions",
     "{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax = \\\"proto3\\\";\\nmessage M { string a = 1; }\\n\"}"},
    {"PUT", "/config", "{\"compatibility\":\"FULL\",\"normalize\":true}"},
    {"PUT", "/config/user", "{\"alias\":\"base\",\"defaultMetadata\":{\"properties\":{\"a\":\"b\"}}}"},
    {"PUT", "/mode/:.team:", "{\"mode\":\"READONLY\"}"},
    {"POST", "/dek-registry/v1/keks",
     "{\"name\":\"k\",\"kmsType\":\"aws-kms\",\"kmsKeyId\":\"arn:aws:kms:eu-west-1:1:key/1\",\"doc\":\"d\","
     "\"kmsProps\":{\"x\":\"y\"}}"},
    {"POST", "/dek-registry/v1/keks/k/deks/user", "{\"encryptedKeyMaterial\":\"AAECAw==\"}"},
    {"POST", "/dek-registry/v1/keks/k/deks/user", "{\"encryptedKeyMaterial\":\"BAUGBw==\",\"version\":2}"},
    {"POST", "/dek-registry/v1/keks/k/deks/user",
     "{\"encryptedKeyMaterial\":\"CAkKCw==\",\"algorithm\":\"AES256_SIV\"}"},
    {"DELETE", "/dek-registry/v1/keks/k/deks/user/versions/1", NULL},
    {"POST", "/dek-registry/v1/keks", "{\"name\":\"old\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"x\"}"},
    {"DELETE", "/dek-registry/v1/keks/old", NULL},
};

static void make_calls(rt_store *st)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        fl_arena *a = fl_arena_new();
        rt_rest_reply reply;
        rt_rest_request q = {.method = calls[i][0], .target = calls[i][1], .body = calls[i][2]};
        q.n = q.body ? strlen(q.body) : 0;
        rt_rest_handle(st, a, &q, &reply);
        if (reply.status >= 300)
            fail_msg("%s %s answers %d %s", calls[i][0], calls[i][1], reply.status, reply.body.p);
        fl_buf_wipe(&reply.body);
        fl_arena_free(a);
    }
}

static void export_text(const rt_store *st, fl_buf *b)
{
    rt_error err;
    fl_buf_init(b, RT_EXPORT_MAX);
    if (rt_store_export(st, b, &err) != RT_OK)
        fail_msg("%s", err.message);
}

/* Over a directory that is opened again: the file on the disk says it, too. */
static void round_trip(void **state)
{
    char top[] = "/tmp/flec-export-XXXXXX", url[64];
    fl_buf one, two, three;
    rt_error err;
    assert_non_null(mkdtemp(top));
    snprintf(url, sizeof url, "file://%s/r", top);
    rt_store *st = open_store("mem:");
    make_calls(st);
    export_text(st, &one);
    rt_store *to = open_store(url);
    if (rt_store_import(to, "one", one.p, one.len, &err) != RT_OK)
        fail_msg("%s", err.message);
    export_text(to, &two);
    assert_string_equal(one.p, two.p);
    close_store(to);
    to = open_store(url);
    export_text(to, &three);
    assert_string_equal(one.p, three.p);
    assert_int_equal(rt_store_import(to, "one", one.p, one.len, &err), RT_CONFLICT);
    assert_non_null(strstr(err.message, "is not empty"));
    close_store(to);
    close_store(st);
    fl_buf_free(&one);
    fl_buf_free(&two);
    fl_buf_free(&three);
    fl_remove_tree(top);
}

static void empty_is_equal(void **state)
{
    rt_error err;
    fl_buf b;
    rt_store *st = open_store("mem:"), *to = open_store("mem:");
    export_text(st, &b);
    assert_string_equal(b.p, "[\n{\"format\":\"flec-registry-export\",\"version\":1}\n]\n");
    assert_int_equal(rt_store_import(to, "e", b.p, b.len, &err), RT_OK);
    close_store(st);
    close_store(to);
    fl_buf_free(&b);
}

/* A file that version 1 wrote is read, and written again as it is. */
static void version_1(void **state)
{
    fl_arena *a = fl_arena_new();
    rt_error err;
    fl_buf b;
    char *text;
    size_t n;
    assert_int_equal(fl_read_file(a, VERSION_1, RT_EXPORT_MAX, &text, &n), 0);
    rt_store *st = open_store("mem:");
    if (rt_store_import(st, VERSION_1, text, n, &err) != RT_OK)
        fail_msg("%s", err.message);
    export_text(st, &b);
    assert_string_equal(b.p, text);
    close_store(st);
    fl_buf_free(&b);
    fl_arena_free(a);
}

/* ---- what is refused ---- */

static void refused(const char *text, const char *why)
{
    rt_error err;
    fl_buf b;
    rt_store *st = open_store("mem:");
    if (rt_store_import(st, "x", text, strlen(text), &err) != RT_BAD_INPUT)
        fail_msg("taken: %s", text);
    if (!strstr(err.message, why) || strncmp(err.message, "x:", 2) != 0)
        fail_msg("%s is refused with: %s", text, err.message);
    export_text(st, &b); /* nothing of it is there */
    assert_string_equal(b.p, "[\n{\"format\":\"flec-registry-export\",\"version\":1}\n]\n");
    fl_buf_free(&b);
    close_store(st);
}

#define HEAD    "[\n{\"format\":\"flec-registry-export\",\"version\":1}"
#define CONTEXT ",\n{\"kind\":\"context\",\"name\":\".\",\"lastId\":1}"
#define GUID    "f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff"
#define SCHEMA(type, text, guid)                                                                                       \
    ",\n{\"kind\":\"schema\",\"context\":\".\",\"id\":1,\"guid\":\"" guid "\",\"schemaType\":\"" type                  \
    "\",\"schema\":\"" text "\",\"versions\":[{\"subject\":\"s\",\"version\":1,\"ts\":1}]}"
#define KEK                                                                                                            \
    ",\n{\"kind\":\"kek\",\"name\":\"k\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"x\",\"shared\":false,\"ts\":1}"
#define DEK                                                                                                            \
    ",\n{\"kind\":\"dek\",\"kek\":\"k\",\"subject\":\"s\",\"version\":1,\"algorithm\":\"AES256_GCM\","                 \
    "\"encryptedKeyMaterial\":\"AAAA\",\"ts\":1}"

static void hostile(void **state)
{
    static const char *const cases[][2] = {
        {"", "not whole"},
        {"[\n", "not whole"},
        {"[\n]\n", "not whole"},
        {HEAD "\n", "x:2: the export is not whole"},
        {HEAD "\n]\n{}\n", "x:4: an export is"},
        {"{}", "x:1: an export is"},
        {"[\n{\"format\":\"flec-registry-export\",\"version\":2}\n]\n", "x:2: the export is of version 2"},
        {"[\n{\"format\":\"flec-build\",\"version\":1}\n]\n", "no export"},
        {"[\n{\n]\n", "x:2: no JSON"},
        {HEAD ",\n[]\n]\n", "a JSON object"},
        {HEAD ",\n{\"kind\":\"magic\"}\n]\n", "no kind"},
        {HEAD ",\n{}\n]\n", "no kind"},
        {HEAD ",\n{\"kind\":\"context\",\"name\":\".\",\"lastId\":1,\"more\":1}\n]\n", "\"more\" is not known"},
        {HEAD ",\n{\"kind\":\"context\",\"name\":\".\",\"lastId\":-1}\n]\n", "\"lastId\" must be"},
        {HEAD ",\n{\"kind\":\"context\",\"name\":\".\",\"lastId\":99999999999}\n]\n", "\"lastId\" must be"},
        {HEAD ",\n{\"kind\":\"context\",\"name\":\"a:b\",\"lastId\":1}\n]\n", "x:3:"},
        {HEAD CONTEXT CONTEXT "\n]\n", "x:4: context . is there twice"},
        {HEAD CONTEXT ",\n{\"kind\":\"schema\",\"context\":\".\",\"id\":1,\"guid\":\"" GUID
                      "\",\"schemaType\":\"AVRO\",\"schema\":\"\\\"string\\\"\",\"versions\":[]}\n]\n",
         "x:4: the GUID is not"},
        {HEAD CONTEXT ",\n{\"kind\":\"schema\",\"context\":\".\",\"id\":0,\"guid\":\"" GUID "\"}\n]\n",
         "\"id\" must be"},
        {HEAD CONTEXT ",\n{\"kind\":\"schema\",\"context\":\".\",\"id\":1,\"guid\":\"" GUID
                      "\",\"schemaType\":\"XML\",\"schema\":\"a\",\"versions\":[]}\n]\n",
         "of a type that is not known"},
        {HEAD ",\n{\"kind\":\"config\",\"scope\":\"\",\"config\":{\"compatibilityLevel\":\"SOME\"}}\n]\n", "x:3:"},
        {HEAD ",\n{\"kind\":\"config\",\"scope\":\"\",\"config\":{\"colour\":1}}\n]\n", "none holds"},
        {HEAD ",\n{\"kind\":\"mode\",\"scope\":\"\",\"mode\":\"OFF\"}\n]\n", "x:3: mode is"},
        {HEAD ",\n{\"kind\":\"mode\",\"scope\":\"\",\"mode\":\"IMPORT\"},\n{\"kind\":\"mode\",\"scope\":\"\",\"mode\":"
              "\"READONLY\"}\n]\n",
         "x:4: the mode of scope \"\" is there twice"},
        {HEAD KEK CONTEXT "\n]\n", "x:4: a context comes too late"},
        {HEAD KEK KEK "\n]\n", "x:4: KEK k is there twice"},
        {HEAD DEK "\n]\n", "x:3: KEK k of a DEK does not come before it"},
        {HEAD KEK DEK DEK "\n]\n", "x:5: KEK k, the DEK of subject s, AES256_GCM, version 1 is there twice"},
        {HEAD ",\n{\"kind\":\"kek\",\"name\":\"1\",\"kmsType\":\"t\",\"kmsKeyId\":\"x\",\"ts\":1}\n]\n", "x:3:"},
        {HEAD KEK ",\n{\"kind\":\"dek\",\"kek\":\"k\",\"subject\":\"s\",\"version\":1,\"algorithm\":\"AES256_GCM\","
                  "\"encryptedKeyMaterial\":\"!\",\"ts\":1}\n]\n",
         "x:4: a DEK's subject or encryptedKeyMaterial"},
        {HEAD CONTEXT SCHEMA("AVRO", "{}", "99914b93-2bd3-7a50-b983-c5e7c90ae93b") KEK "\n]\n",
         "x:4: subject s: the schema is no AVRO schema"},
        {HEAD CONTEXT SCHEMA("JSON", "{}", "99914b93-2bd3-7a50-b983-c5e7c90ae93b")
             SCHEMA("PROTOBUF", "{}", "99914b93-2bd3-7a50-b983-c5e7c90ae93b") "\n]\n",
         "x:5:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i][0], cases[i][1]);
}

/* A good export with one line taken out, or cut off anywhere: refused, or still a registry that exports itself. */
static void damaged(void **state)
{
    fl_buf b;
    rt_store *st = open_store("mem:");
    make_calls(st);
    export_text(st, &b);
    close_store(st);
    for (size_t n = 0; n + 1 < b.len; n += 7) {
        rt_error err;
        rt_store *to = open_store("mem:");
        assert_int_equal(rt_store_import(to, "cut", b.p, n, &err), RT_BAD_INPUT);
        close_store(to);
    }
    char *base = strstr(b.p, "{\"kind\":\"schema\""), *next = strchr(base, '\n') + 1;
    memmove(base, next, strlen(next) + 1);
    refused(b.p, "refers to subject base, version 1, which is not there");
    fl_buf_free(&b);
}

/* Only what the stand-in key wrapped is told. */
static void stand_ins(void **state)
{
    fl_arena *a = fl_arena_new();
    rt_kek_names names = {0};
    rt_store *st = open_store("mem:");
    rt_error err;
    rt_kek shared = {.name = "s", .kms_type = "local-kms", .kms_key_id = "x", .shared = true}, own = shared;
    rt_dek d = {.kek = "s", .subject = "a"}, out;
    own.name = "o";
    assert_int_equal(rt_store_create_kek(&st->registry, &shared, &err), RT_OK);
    assert_int_equal(rt_store_create_kek(&st->registry, &own, &err), RT_OK);
    rt_store_stand_ins(st, a, &names);
    assert_int_equal(names.n, 0);
    assert_int_equal(rt_store_create_dek(&st->registry, a, &d, &out, &err), RT_OK);
    fl_secret_free(&out.material);
    rt_store_stand_ins(st, a, &names);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.v[0], "s");
    close_store(st);
    fl_arena_free(a);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(empty_is_equal), cmocka_unit_test(version_1),
        cmocka_unit_test(hostile),    cmocka_unit_test(damaged),        cmocka_unit_test(stand_ins),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
