/* lab.h: for tests of the drivers: a client of a KEK with parameters and variables, and a server with canned answers.
 */
#ifndef FLEC_RUNTIME_KMS_LAB_H
#define FLEC_RUNTIME_KMS_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "runtime/http_lab.h"
#include "runtime/kek_kms.h"

/* Parameters and variables: "name", "value", …, NULL. */
typedef struct client {
    const char *set[24];
    bool names_all;
} client;

static lab_server server;
static client me;
static rt_error err;
static unsigned round_; /* makes credentials differ between tests: tokens are the process's */
static char own[64];

static inline const char *look(const char *name)
{
    for (size_t i = 0; i < 24 && me.set[i]; i += 2)
        if (!strcmp(me.set[i], name))
            return me.set[i + 1];
    return NULL;
}

static inline fl_secret found(const char *v)
{
    return v ? fl_secret_copy(v, strlen(v)) : (fl_secret){0};
}

static inline fl_secret get(void *ctx, const char *kek, const char *name)
{
    const char *v = look(name);
    if (v && !strcmp(v, "broken"))
        return (fl_secret){0};
    return found(v);
}

static inline fl_secret env(void *ctx, const char *name)
{
    return found(look(name));
}

/* A parameter whose value is "broken" is set, and cannot be had. */
static inline rt_code check(void *ctx, const char *kek, const char *name, rt_error *e)
{
    const char *v = look(name);
    return v && !strcmp(v, "broken") ? rt_fail(e, RT_NO_KEY, "no such variable") : RT_OK;
}

static inline bool may_call(void *ctx, const char *type, const char *key_id)
{
    return me.names_all;
}

static inline void plain_server(void)
{
    lab_start(&server);
    err = (rt_error){0};
    snprintf(own, sizeof own, "secret-%u", ++round_);
}

static inline void tls_server(void)
{
    lab_start_tls(&server);
    err = (rt_error){0};
    snprintf(own, sizeof own, "secret-%u", ++round_);
}

static inline rt_code use(const char *type, const char *id, const char *props, const char *wrapped, fl_buf *out,
                          fl_secret *plain)
{
    rt_kek kek = {.name = "crm", .kms_type = type, .kms_key_id = id, .props = props};
    rt_params p = {.get = get, .env = env, .may_call = may_call, .check = check};
    fl_secret key = fl_secret_copy("key material", 12);
    rt_kms *kms;
    rt_code code = rt_kek_kms_open(&kek, &p, &kms, &err);
    if (code == RT_OK) {
        code = wrapped ? kms->unwrap(kms, (const uint8_t *)wrapped, strlen(wrapped), plain, &err)
                       : kms->wrap(kms, &key, out, &err);
        kms->free(kms);
    }
    fl_secret_free(&key);
    return code;
}

static inline rt_code wrap_to(const char *type, const char *id, const char *props, const char *want)
{
    fl_buf out;
    fl_buf_init(&out, 10000);
    rt_code code = use(type, id, props, NULL, &out, NULL);
    if (want && code == RT_OK)
        assert_string_equal(out.p, want);
    if (code != RT_OK)
        assert_int_equal(out.len, 0);
    fl_buf_free(&out);
    return code;
}

static inline rt_code unwrap_to(const char *type, const char *id, const char *wrapped, const char *want)
{
    fl_secret plain = {0};
    rt_code code = use(type, id, NULL, wrapped, NULL, &plain);
    if (want && code == RT_OK) {
        assert_int_equal(plain.len, strlen(want));
        assert_memory_equal(plain.bytes, want, plain.len);
    }
    assert_int_equal(plain.bytes != NULL, code == RT_OK);
    fl_secret_free(&plain);
    return code;
}

static inline bool asked(size_t i, const char *text)
{
    return i < server.nasked && strstr(server.asked[i], text);
}

/* ---- what each answer is called ---- */

#define TOKEN "{\"access_token\":\"tok\",\"expires_in\":3599}"

typedef struct refusal {
    const char *head, *body, *says;
    rt_code code;
} refusal;

static inline void refusals(const refusal *rows, size_t n, const char *type, const char *id, const char *wrapped,
                            bool login)
{
    for (size_t i = 0; i < n; i++) {
        bool renewed = login && !strncmp(rows[i].head, "401", 3);
        if (login)
            lab_answer(&server, "200 OK", TOKEN);
        for (int k = 0; k < 4; k++) { /* as often as it may be tried */
            lab_answer(&server, rows[i].head, rows[i].body);
            if (renewed)
                lab_answer(&server, "200 OK", TOKEN);
        }
        rt_code code = wrapped ? unwrap_to(type, id, wrapped, NULL) : wrap_to(type, id, NULL, NULL);
        assert_int_equal(code, rows[i].code);
        assert_int_equal(rt_exit_status(code), FL_COULD_NOT_RUN);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_non_null(strstr(err.message, "KEK crm"));
        assert_null(strstr(err.message, own));
        lab_stop(&server);
        login ? tls_server() : plain_server();
    }
}

/* A file that the caller unlinks. */
static inline void write_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/flec-kms-XXXXXX");
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#define ARN       "arn:aws:kms:eu-west-1:123456789012:key/1a1702be-a9b7-4ce1-9241-6c64db82ca97"
#define OTHER_ARN "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"

static inline void aws_client(void)
{
    me = (client){.names_all = true,
                  .set = {"access.key.id", "AKID", "secret.access.key", own, "AWS_ENDPOINT_URL", server.url,
                          "request.timeout.ms", "9000"}};
}

#endif
