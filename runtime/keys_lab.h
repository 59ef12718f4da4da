/* keys_lab.h: what the tests of data keys share: a registry, a real one in memory behind a wrapper that counts, and
 * that can lose a race or fail; a clock of our own; clients. Each test includes it once and has its own copy of the
 * state. */
#ifndef FLEC_RUNTIME_KEYS_LAB_H
#define FLEC_RUNTIME_KEYS_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <pthread.h>

#include "runtime/cipher.h"
#include "runtime/kek_kms.h"
#include "runtime/keys.h"

#define DAY INT64_C(86400000)

/* ---- the wrapper ---- */

static struct wrapper {
    rt_registry registry;
    rt_registry *real;
    int calls, creates;
    bool lose_kek, lose_dek; /* another client is quicker, once */
    rt_code fail_create_dek, fail_get_kek;
    rt_params rival;      /* the quicker client's credentials */
    pthread_mutex_t gate; /* who holds it holds all calls up */
    bool strip_encrypted, inject;
} w;

static int64_t clock_ms;
static rt_error err;
static const char *secret = "client";

static int64_t now(void *ctx)
{
    return clock_ms;
}

static fl_secret get_secret(void *ctx, const char *kek, const char *name)
{
    const char *s = *(const char **)ctx;
    return s && !strcmp(name, "secret") ? fl_secret_copy(s, strlen(s)) : (fl_secret){0};
}

static rt_code no_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *e)
{
    return RT_REFUSED;
}

static rt_code get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *e)
{
    pthread_mutex_lock(&w.gate);
    w.calls++;
    pthread_mutex_unlock(&w.gate);
    if (w.fail_get_kek)
        return rt_fail(e, w.fail_get_kek, "the wire is cut");
    return w.real->ops->get_kek(w.real, a, name, deleted, out, e);
}

static rt_code create_kek(rt_registry *r, const rt_kek *k, rt_error *e)
{
    w.calls++;
    w.creates++;
    if (w.lose_kek) {
        w.lose_kek = false;
        assert_int_equal(w.real->ops->create_kek(w.real, k, e), RT_OK);
    }
    return w.real->ops->create_kek(w.real, k, e);
}

static rt_code get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                       bool deleted, rt_dek *out, rt_error *e)
{
    w.calls++;
    rt_code code = w.real->ops->get_dek(w.real, a, kek, subject, alg, version, deleted, out, e);
    if (code == RT_OK && w.strip_encrypted)
        out->encrypted = NULL;
    if (code == RT_OK && w.inject) { /* a registry that would like to know the key */
        fl_secret raw = fl_secret_new(rt_alg_key_len(alg));
        fl_secret_free(&out->material);
        out->material = rt_tink_wrap(alg, &raw);
        fl_secret_free(&raw);
    }
    return code;
}

/* The quicker one makes a DEK of its own under the same number. */
static void rival_creates(fl_arena *a, const rt_dek *d)
{
    rt_kek kek;
    rt_dek theirs = *d, out;
    rt_kms *kms;
    assert_int_equal(w.real->ops->get_kek(w.real, a, d->kek, false, &kek, &err), RT_OK);
    if (!kek.shared) {
        fl_secret raw = fl_secret_new(rt_alg_key_len(d->alg));
        memset(raw.bytes, 0x77, raw.len);
        fl_secret proto = rt_tink_wrap(d->alg, &raw);
        fl_buf wrapped;
        fl_buf_init(&wrapped, 1000);
        assert_int_equal(rt_kek_kms_open(&kek, &w.rival, &kms, &err), RT_OK);
        assert_int_equal(kms->wrap(kms, &proto, &wrapped, &err), RT_OK);
        kms->free(kms);
        char *text = fl_alloc(a, FL_B64_LEN(wrapped.len) + 1);
        fl_b64_encode(text, (uint8_t *)wrapped.p, wrapped.len);
        theirs.encrypted = text;
        fl_buf_free(&wrapped);
        fl_secret_free(&raw);
        fl_secret_free(&proto);
    }
    assert_int_equal(w.real->ops->create_dek(w.real, a, &theirs, &out, &err), RT_OK);
    fl_secret_free(&out.material);
}

static rt_code create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *e)
{
    w.calls++;
    w.creates++;
    if (w.fail_create_dek)
        return rt_fail(e, w.fail_create_dek, "the registry does not want to");
    if (w.lose_dek) {
        w.lose_dek = false;
        rival_creates(a, d);
    }
    return w.real->ops->create_dek(w.real, a, d, out, e);
}

static void no_close(rt_registry *r)
{
}

static const rt_registry_ops wrapper_ops = {.register_subject = no_subject,
                                            .create_kek = create_kek,
                                            .get_kek = get_kek,
                                            .create_dek = create_dek,
                                            .get_dek = get_dek,
                                            .close = no_close};

/* ---- a client ---- */

static rt_keys *keys;
static const char *forbidden;

static bool may_use(void *ctx, const char *kek)
{
    return !forbidden || strcmp(kek, forbidden) != 0;
}

static inline rt_keys *client(const char **its_secret)
{
    rt_keys_options opt = {
        .registry = &w.registry, .params = {.get = get_secret, .ctx = its_secret}, .may_use = may_use, .now_ms = now};
    return rt_keys_new(&opt);
}

static int setup(void **state)
{
    rt_registry_options opt = {.now_ms = now};
    clock_ms = 1000 * DAY;
    forbidden = NULL;
    memset(&w, 0, sizeof w);
    pthread_mutex_init(&w.gate, NULL);
    w.registry.ops = &wrapper_ops;
    w.rival = (rt_params){.get = get_secret, .ctx = &secret};
    assert_int_equal(rt_registry_open("mem:", &opt, &w.real, &err), RT_OK);
    keys = client(&secret);
    return 0;
}

static int teardown(void **state)
{
    rt_keys_free(keys);
    rt_registry_close(w.real);
    return 0;
}

static const rt_key_spec plain = {
    .kek = "k", .subject = "s", .kms_type = "local-kms", .kms_key_id = "id", .alg = RT_AES256_SIV};

static inline rt_key_spec rotating(int days)
{
    rt_key_spec s = plain;
    s.expiry_days = days;
    return s;
}

static inline rt_key *write_key(const rt_key_spec *s, int want_version)
{
    rt_key *k;
    int32_t version = -7;
    if (rt_keys_for_write(keys, s, &k, &version, &err) != RT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(version, want_version);
    return k;
}

static inline rt_key *read_key(rt_keys *of, const rt_key_spec *s, int version)
{
    rt_key *k;
    if (rt_keys_for_read(of, s, version, &k, &err) != RT_OK)
        fail_msg("%s", err.message);
    return k;
}

static inline void no_write(const rt_key_spec *s, const char *why)
{
    rt_key *k = NULL;
    int32_t version;
    assert_int_equal(rt_keys_for_write(keys, s, &k, &version, &err), RT_NO_KEY);
    assert_null(k);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static inline void no_read(rt_keys *of, const rt_key_spec *s, int version, rt_code code, const char *why)
{
    rt_key *k = NULL;
    assert_int_equal(rt_keys_for_read(of, s, version, &k, &err), code);
    assert_null(k);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

/* SIV: the same key gives the same bytes. */
static inline bool same_key(rt_key *a, rt_key *b)
{
    uint8_t x[20], y[20];
    assert_true(rt_seal(a, x, (const uint8_t *)"text", 4) && rt_seal(b, y, (const uint8_t *)"text", 4));
    return !memcmp(x, y, sizeof x);
}

static inline void make_kek(const char *name, bool shared)
{
    rt_kek k = {.name = name, .kms_type = "local-kms", .kms_key_id = "id", .shared = shared};
    assert_int_equal(w.real->ops->create_kek(w.real, &k, &err), RT_OK);
}

#endif
