/* keys_test.c: the life of data keys: creation, races, rotation under a clock of our own, refusals, and that a hit asks
 * nobody. The registry is a real one in memory behind a wrapper that counts, and that can lose a race or fail. */
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

static rt_keys *client(const char **its_secret)
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

static rt_key_spec rotating(int days)
{
    rt_key_spec s = plain;
    s.expiry_days = days;
    return s;
}

static rt_key *write_key(const rt_key_spec *s, int want_version)
{
    rt_key *k;
    int32_t version = -7;
    if (rt_keys_for_write(keys, s, &k, &version, &err) != RT_OK)
        fail_msg("%s", err.message);
    assert_int_equal(version, want_version);
    return k;
}

static rt_key *read_key(rt_keys *of, const rt_key_spec *s, int version)
{
    rt_key *k;
    if (rt_keys_for_read(of, s, version, &k, &err) != RT_OK)
        fail_msg("%s", err.message);
    return k;
}

static void no_write(const rt_key_spec *s, const char *why)
{
    rt_key *k = NULL;
    int32_t version;
    assert_int_equal(rt_keys_for_write(keys, s, &k, &version, &err), RT_NO_KEY);
    assert_null(k);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void no_read(rt_keys *of, const rt_key_spec *s, int version, rt_code code, const char *why)
{
    rt_key *k = NULL;
    assert_int_equal(rt_keys_for_read(of, s, version, &k, &err), code);
    assert_null(k);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

/* SIV: the same key gives the same bytes. */
static bool same_key(rt_key *a, rt_key *b)
{
    uint8_t x[20], y[20];
    assert_true(rt_seal(a, x, (const uint8_t *)"text", 4) && rt_seal(b, y, (const uint8_t *)"text", 4));
    return !memcmp(x, y, sizeof x);
}

static void make_kek(const char *name, bool shared)
{
    rt_kek k = {.name = name, .kms_type = "local-kms", .kms_key_id = "id", .shared = shared};
    assert_int_equal(w.real->ops->create_kek(w.real, &k, &err), RT_OK);
}

/* ---- creation and reading ---- */

static void made_when_missing(void **state)
{
    rt_key *k = write_key(&plain, 1);
    rt_keys *other = client(&secret);
    assert_int_equal(w.creates, 2); /* KEK and DEK */
    assert_true(same_key(k, read_key(other, &plain, 1)));
    fl_arena *a = fl_arena_new();
    rt_kek kek;
    assert_int_equal(w.real->ops->get_kek(w.real, a, "k", false, &kek, &err), RT_OK);
    assert_false(kek.shared);
    assert_string_equal(kek.kms_key_id, "id");
    fl_arena_free(a);
    rt_keys_free(other);
}

static void not_made_without_type(void **state)
{
    rt_key_spec s = plain;
    s.kms_type = NULL;
    no_write(&s, "names no kms type");
    s = plain;
    s.kms_key_id = NULL;
    no_write(&s, "names no kms type");
    assert_int_equal(w.creates, 0);
    make_kek("k", false);
    s.kms_type = NULL;
    write_key(&s, 1); /* one that exists needs neither */
}

static void not_made_where_that_is_not_allowed(void **state)
{
    rt_keys_options opt = {
        .registry = &w.registry, .params = {.get = get_secret, .ctx = &secret}, .now_ms = now, .makes_no_keks = true};
    rt_keys_free(keys);
    keys = rt_keys_new(&opt);
    no_write(&plain, "register it first");
    assert_int_equal(w.creates, 0);
    make_kek("k", false);
    write_key(&plain, 1); /* its DEK is the client's to make */
}

static void reading_makes_nothing(void **state)
{
    no_read(keys, &plain, 1, RT_NO_KEY, "KEK k is not in the registry");
    make_kek("k", false);
    no_read(keys, &plain, 1, RT_NO_KEY, "has no DEK of subject s");
    assert_int_equal(w.creates, 0);
}

static void a_hit_asks_nobody(void **state)
{
    rt_key_spec again = plain; /* another address, the same texts */
    rt_key *k = write_key(&plain, 1);
    int calls = w.calls;
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(write_key(i % 2 ? &again : &plain, 1), k);
    assert_int_equal(w.calls, calls);
    k = read_key(keys, &plain, 1);
    calls = w.calls;
    for (int i = 0; i < 1000; i++)
        assert_ptr_equal(read_key(keys, i % 2 ? &again : &plain, 1), k);
    assert_int_equal(w.calls, calls);
}

/* One address, other texts in it: a codec was closed and another one lies in its place. */
static void an_address_proves_nothing(void **state)
{
    char subject[8] = "s1", kek[8] = "k1";
    rt_key_spec s = plain;
    s.subject = subject;
    s.kek = kek;
    rt_key *one = write_key(&s, 1);
    strcpy(subject, "s2");
    rt_key *two = write_key(&s, 1);
    assert_false(same_key(one, two));
    strcpy(kek, "k2");
    assert_false(same_key(two, write_key(&s, 1)));
    strcpy(subject, "s1");
    strcpy(kek, "k1");
    assert_true(same_key(one, write_key(&s, 1)));
}

static void shared_keks(void **state)
{
    static const char *none;
    rt_keys *stranger = client(&none); /* a shared KEK needs no KMS on the client */
    make_kek("k", true);
    rt_key *k = write_key(&plain, 1);
    assert_true(same_key(k, read_key(stranger, &plain, 1)));
    rt_keys_free(stranger);
}

/* ---- refusals ---- */

static void kms_refuses(void **state)
{
    static const char *none, *wrong = "another";
    rt_keys *without = client(&none), *with_wrong = client(&wrong);
    write_key(&plain, 1);
    no_read(without, &plain, 1, RT_NO_KEY, "needs its secret");
    no_read(with_wrong, &plain, 1, RT_NO_KEY, "wrapped under another secret");
    rt_keys_free(without);
    rt_keys_free(with_wrong);
}

static void may_not_use(void **state)
{
    forbidden = "k";
    no_write(&plain, "may not use KEK k");
    no_read(keys, &plain, 1, RT_NO_KEY, "may not use KEK k");
    assert_int_equal(w.calls, 0);
}

static void conflicting_kek(void **state)
{
    rt_key_spec s = plain;
    make_kek("k", false);
    s.kms_key_id = "other";
    no_write(&s, "the rule says other");
    s = plain;
    s.kms_type = "aws-kms";
    no_write(&s, "the rule says aws-kms");
    no_read(keys, &s, 1, RT_NO_KEY, "the rule says aws-kms");
}

static void odd_versions(void **state)
{
    write_key(&plain, 1);
    no_read(keys, &plain, 0, RT_BAD_INPUT, "version 0");
    no_read(keys, &plain, -1, RT_BAD_INPUT, "version -1");
    no_read(keys, &plain, 2, RT_NO_KEY, "version 2");
}

static void registry_without_key(void **state)
{
    write_key(&plain, 1);
    w.strip_encrypted = true;
    no_read(keys, &plain, 1, RT_NO_KEY, "a DEK without a key");
}

/* keyMaterial of an unshared KEK is not taken: it would be a key of the registry's choice. */
static void injected_material(void **state)
{
    rt_key *k = write_key(&plain, 1);
    rt_keys *other = client(&secret);
    w.inject = true;
    assert_true(same_key(k, read_key(other, &plain, 1)));
    rt_keys_free(other);
}

static void failures_are_not_kept(void **state)
{
    w.fail_get_kek = RT_IO;
    rt_key *k;
    int32_t version;
    assert_int_equal(rt_keys_for_write(keys, &plain, &k, &version, &err), RT_IO);
    w.fail_get_kek = RT_OK;
    write_key(&plain, 1);
}

/* ---- races ---- */

static void races(void **state)
{
    w.lose_kek = w.lose_dek = true;
    rt_key *k = write_key(&plain, 1);
    assert_false(w.lose_kek || w.lose_dek);
    fl_secret raw = fl_secret_new(64);
    memset(raw.bytes, 0x77, 64);
    rt_key *theirs = rt_key_new(RT_AES256_SIV, &raw);
    assert_true(same_key(k, theirs)); /* the quicker one's key is the key */
    fl_secret_free(&raw);
    rt_key_free(theirs);
}

static void race_of_shared(void **state)
{
    make_kek("k", true);
    w.lose_dek = true;
    rt_key *k = write_key(&plain, 1);
    assert_true(same_key(k, read_key(keys, &plain, 1)));
}

static void race_of_rotation(void **state)
{
    rt_key_spec s = rotating(10);
    rt_key *old = write_key(&s, 1);
    clock_ms += 10 * DAY;
    w.lose_dek = true;
    rt_key *fresh = write_key(&s, 2);
    assert_false(same_key(old, fresh));
    assert_true(same_key(fresh, read_key(keys, &s, 2)));
}

/* ---- rotation ---- */

static void rotates(void **state)
{
    rt_key_spec s = rotating(10);
    rt_key *one = write_key(&s, 1);
    clock_ms += 10 * DAY - 1;
    one = write_key(&s, 1); /* whole days; past its time, so that it was asked for again */
    clock_ms += 1;
    rt_key *two = write_key(&s, 2);
    assert_false(same_key(one, two)); /* the old context lives on for the record at hand */
    int calls = w.calls;
    assert_ptr_equal(write_key(&s, 2), two);
    assert_int_equal(w.calls, calls);
    clock_ms += 25 * DAY;
    write_key(&s, 3);
    assert_true(same_key(two, read_key(keys, &s, 2))); /* reading does not look at the age */
    read_key(keys, &s, 1);
}

static void starts_with_the_latest(void **state)
{
    rt_key_spec s = rotating(10);
    write_key(&s, 1);
    clock_ms += 11 * DAY;
    write_key(&s, 2);
    rt_keys *later = client(&secret);
    rt_key *k;
    int32_t version;
    assert_int_equal(rt_keys_for_write(later, &s, &k, &version, &err), RT_OK);
    assert_int_equal(version, 2);
    rt_keys_free(later);
    write_key(&plain, 1); /* without rotation always the first, whatever its age */
}

static void failed_rotation(void **state)
{
    rt_key_spec s = rotating(1);
    rt_key *one = write_key(&s, 1);
    clock_ms += 2 * DAY;
    w.fail_create_dek = RT_NO_KEY;
    rt_key *still = write_key(&s, 1); /* with a warning */
    assert_true(same_key(one, still));
    int calls = w.calls;
    write_key(&s, 1);
    assert_int_equal(w.calls, calls); /* not again for each record */
    w.fail_create_dek = RT_OK;
    clock_ms += 60000;
    write_key(&s, 2);
}

static void registry_gone_at_rotation(void **state)
{
    rt_key_spec s = rotating(1);
    rt_key *one = write_key(&s, 1);
    clock_ms += 2 * DAY;
    w.fail_get_kek = RT_IO;
    assert_true(same_key(one, write_key(&s, 1)));
    w.fail_get_kek = RT_OK;
    clock_ms += 60000;
    forbidden = "k"; /* not so if the key may no longer be used */
    no_write(&s, "may not use");
    forbidden = NULL;
    write_key(&s, 2);
}

/* ---- deleted keys ---- */

static void delete_dek(void)
{
    fl_arena *a = fl_arena_new();
    rt_dek d, out;
    assert_int_equal(w.real->ops->get_dek(w.real, a, "k", "s", RT_AES256_SIV, 1, false, &d, &err), RT_OK);
    d.deleted = true;
    assert_int_equal(w.real->ops->create_dek(w.real, a, &d, &out, &err), RT_OK);
    fl_arena_free(a);
}

static void deleted(void **state)
{
    rt_key *k = write_key(&plain, 1);
    delete_dek();
    rt_keys *other = client(&secret);
    assert_true(same_key(k, read_key(other, &plain, 1)));
    rt_key *none;
    int32_t version;
    assert_int_equal(rt_keys_for_write(other, &plain, &none, &version, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, "is deleted"));
    rt_kek kek = {.name = "k", .kms_type = "local-kms", .kms_key_id = "id", .deleted = true};
    assert_int_equal(w.real->ops->create_kek(w.real, &kek, &err), RT_OK);
    rt_keys_free(other);
    other = client(&secret);
    assert_true(same_key(k, read_key(other, &plain, 1)));
    assert_int_equal(rt_keys_for_write(other, &plain, &none, &version, &err), RT_NO_KEY);
    assert_non_null(
        strstr(err.message, "is deleted")); /* the KEK came back, as in the vendor's registry; its DEK did not */
    rt_keys_free(other);
}

/* More uses than the table holds: the oldest go, and come back when asked for. */
static void many(void **state)
{
    char subject[16];
    rt_key_spec s = plain;
    make_kek("k", true);
    s.subject = subject;
    for (int i = 0; i < 4200; i++) {
        snprintf(subject, sizeof subject, "s%d", i);
        write_key(&s, 1);
    }
    int calls = w.calls;
    write_key(&s, 1);
    assert_int_equal(w.calls, calls);
    strcpy(subject, "s0");
    write_key(&s, 1);
    assert_int_equal(w.calls, calls + 2);
}

/* The bound is an option: the one used longest ago goes. */
static void few(void **state)
{
    rt_keys_options opt = {
        .registry = &w.registry, .params = {.get = get_secret, .ctx = &secret}, .now_ms = now, .most = 2};
    rt_keys *small = rt_keys_new(&opt);
    rt_key_spec s[3] = {plain, plain, plain};
    s[1].subject = "t";
    s[2].subject = "u";
    for (int i = 0; i < 3; i++)
        write_key(&s[i], 1);
    int calls = w.calls;
    for (int i = 0; i < 3; i++)
        read_key(small, &s[i], 1);
    assert_int_equal(w.calls, calls + 6);
    read_key(small, &s[2], 1);
    read_key(small, &s[1], 1);
    assert_int_equal(w.calls, calls + 6);
    read_key(small, &s[0], 1);
    assert_int_equal(w.calls, calls + 8);
    rt_keys_free(small);
}

/* ---- time ---- */

#define HOUR INT64_C(3600000)

/* One that nobody uses goes at the end of its time, and one that is used is asked for again before. */
static void expiry(void **state)
{
    rt_key_spec other = plain;
    other.subject = "t";
    rt_key *k = write_key(&plain, 1);
    write_key(&other, 1);
    uint64_t epoch = rt_keys_epoch(keys);
    int calls = w.calls;
    clock_ms += HOUR - 1;
    rt_keys_tend(keys);
    assert_true(rt_keys_epoch(keys) == epoch);
    clock_ms += 1;
    rt_keys_tend(keys);
    assert_true(rt_keys_epoch(keys) != epoch); /* whoever uses one asks, and so it is asked for again */
    assert_true(same_key(k, write_key(&plain, 1)));
    assert_int_equal(w.calls, calls + 2);
    clock_ms += 23 * HOUR;
    rt_keys_tend(keys);
    write_key(&plain, 1);
    assert_int_equal(w.calls, calls + 4);
    w.fail_get_kek = RT_IO; /* the other one is gone: nothing is left to go on with */
    int32_t version;
    assert_int_equal(rt_keys_for_write(keys, &other, &k, &version, &err), RT_IO);
}

static void no_expiry(void **state)
{
    rt_keys_options opt = {
        .registry = &w.registry, .params = {.get = get_secret, .ctx = &secret}, .now_ms = now, .expiry_s = -1};
    rt_keys *lasting = rt_keys_new(&opt);
    write_key(&plain, 1);
    rt_key *k = read_key(lasting, &plain, 1);
    int calls = w.calls;
    clock_ms += 10000 * DAY;
    rt_keys_tend(lasting);
    assert_ptr_equal(read_key(lasting, &plain, 1), k);
    assert_int_equal(w.calls, calls);
    rt_keys_free(lasting);
}

/* Out of reach: the old one goes on, is tried each minute, and goes at its end all the same. */
static void out_of_reach(void **state)
{
    rt_key *k = write_key(&plain, 1);
    w.fail_get_kek = RT_IO;
    clock_ms += HOUR;
    rt_keys_tend(keys);
    int calls = w.calls;
    assert_ptr_equal(write_key(&plain, 1), k);
    assert_ptr_equal(write_key(&plain, 1), k);
    assert_int_equal(w.calls, calls + 1);
    clock_ms += 60000;
    rt_keys_tend(keys);
    assert_ptr_equal(write_key(&plain, 1), k);
    assert_int_equal(w.calls, calls + 2);
    clock_ms += 23 * HOUR;
    rt_keys_tend(keys);
    int32_t version;
    assert_int_equal(rt_keys_for_write(keys, &plain, &k, &version, &err), RT_IO);
    w.fail_get_kek = RT_OK;
    write_key(&plain, 1);
}

static void refused_later(void **state)
{
    write_key(&plain, 1);
    forbidden = "k";
    clock_ms += HOUR;
    rt_keys_tend(keys);
    no_write(&plain, "may not use KEK k");
}

/* ---- in the background ---- */

static rt_keys *client_with_thread(void)
{
    w.registry.threads = true;
    rt_keys *k = client(&secret);
    rt_keys_free(keys);
    return keys = k;
}

/* The registry hangs: no record waits for it. */
static void no_record_waits(void **state)
{
    client_with_thread();
    rt_key *k = write_key(&plain, 1);
    clock_ms += HOUR;
    pthread_mutex_lock(&w.gate);
    int calls = w.calls;
    for (int i = 0; i < 100; i++) {
        rt_keys_tend(keys);
        assert_ptr_equal(write_key(&plain, 1), k);
    }
    assert_int_equal(w.calls, calls);
    uint64_t epoch = rt_keys_epoch(keys);
    pthread_mutex_unlock(&w.gate);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    assert_true(rt_keys_epoch(keys) != epoch);
    assert_int_equal(w.calls, calls + 2);
    write_key(&plain, 1);
    assert_int_equal(w.calls, calls + 2);
}

/* A rotation that takes its time: the old version until the new one is there. */
static void rotation_in_background(void **state)
{
    rt_key_spec s = rotating(1);
    client_with_thread();
    rt_key *old = write_key(&s, 1);
    clock_ms += DAY - 1;
    rt_keys_tend(keys); /* past its time: asked for anew, before the next record */
    write_key(&s, 1);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    old = write_key(&s, 1);
    clock_ms += 1;
    pthread_mutex_lock(&w.gate);
    rt_keys_tend(keys);
    assert_ptr_equal(write_key(&s, 1), old);
    pthread_mutex_unlock(&w.gate);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    write_key(&s, 2);
}

static void two_at_once(void **state)
{
    rt_key_spec other = plain;
    other.subject = "t";
    client_with_thread();
    write_key(&plain, 1);
    write_key(&other, 1);
    int calls = w.calls;
    clock_ms += HOUR;
    rt_keys_tend(keys);
    write_key(&plain, 1);
    write_key(&other, 1); /* it is busy: a second later */
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    clock_ms += 1000;
    rt_keys_tend(keys);
    write_key(&plain, 1);
    write_key(&other, 1);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    assert_int_equal(w.calls, calls + 4);
}

static void refused_in_background(void **state)
{
    client_with_thread();
    rt_key *k = write_key(&plain, 1);
    forbidden = "k";
    clock_ms += HOUR;
    rt_keys_tend(keys);
    assert_ptr_equal(write_key(&plain, 1), k);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    no_write(&plain, "may not use KEK k");
}

static void unreachable_in_background(void **state)
{
    client_with_thread();
    rt_key *k = write_key(&plain, 1);
    w.fail_get_kek = RT_IO;
    clock_ms += HOUR;
    rt_keys_tend(keys);
    write_key(&plain, 1);
    rt_keys_wait(keys);
    rt_keys_tend(keys);
    assert_ptr_equal(write_key(&plain, 1), k);
}

/* Freed while a question is under way, and with an answer that nobody took. */
static void freed_while_asking(void **state)
{
    for (int i = 0; i < 2; i++) {
        client_with_thread();
        write_key(&plain, 1);
        clock_ms += HOUR;
        rt_keys_tend(keys);
        write_key(&plain, 1);
        if (i)
            rt_keys_wait(keys);
    }
}

/* ---- wear ---- */

/* All but n of the seals that a key has. */
static void wear(const rt_key *k, uint64_t n)
{
    rt_seals *s = rt_seals_of(k->gcm.id, true);
    while (rt_seals_count(s) < RT_SEALS_MAX - n) {
        uint64_t left = RT_SEALS_MAX - n - rt_seals_count(s);
        assert_true(rt_seals_take(s, left < 1u << 30 ? (uint32_t)left : 1u << 30, "a key of a test") > 0);
    }
}

static bool seals(rt_key *k)
{
    uint8_t out[64];
    return rt_seal(k, out, (const uint8_t *)"text", 4);
}

static void worn_keys_rotate(void **state)
{
    rt_key_spec s = rotating(90);
    s.alg = RT_AES256_GCM;
    rt_key *k = write_key(&s, 1);
    wear(k, 1000);
    assert_true(seals(k)); /* the context sees it with its next lot */
    rt_key *next = write_key(&s, 2);
    assert_true(seals(next));
    assert_false(rt_key_worn(next));
    rt_keys *other = client(&secret); /* one that starts finds the new one */
    int32_t version;
    assert_int_equal(rt_keys_for_write(other, &s, &k, &version, &err), RT_OK);
    assert_int_equal(version, 2);
    rt_keys_free(other);
}

/* No new one can be made: the old one serves to its end, not further. */
static void worn_to_the_end(void **state)
{
    rt_key_spec s = rotating(90);
    s.alg = RT_AES128_GCM;
    rt_key *k = write_key(&s, 1);
    wear(k, 200000);
    w.fail_create_dek = RT_IO;
    assert_true(seals(k));
    k = write_key(&s, 1);
    assert_true(seals(k));
    wear(k, 0);
    for (uint32_t i = 1; i < RT_SEALS_LOT; i++) /* what this context has already */
        assert_true(seals(k));
    assert_false(seals(k));
    assert_true(rt_key_spent(k));
    w.fail_create_dek = RT_OK;
    clock_ms += 60000;
    assert_true(seals(write_key(&s, 2)));
}

static void worn_without_rotation(void **state)
{
    rt_key_spec s = plain;
    s.alg = RT_AES256_GCM;
    rt_key *k = write_key(&s, 1);
    wear(k, 0);
    assert_ptr_equal(write_key(&s, 1), k);
    assert_false(seals(k));
    rt_keys *other = client(&secret); /* another context of the same key */
    int32_t version;
    assert_int_equal(rt_keys_for_write(other, &s, &k, &version, &err), RT_OK);
    assert_true(rt_key_spent(k));
    assert_false(seals(k));
    rt_keys_free(other);
}

/* ---- contexts ---- */

static void contexts(void **state)
{
    rt_key_spec s = plain, in_context = plain;
    in_context.subject = ":.ctx:s";
    rt_key *one = write_key(&s, 1), *two = write_key(&in_context, 1);
    assert_false(same_key(one, two));
    rt_keys *other = client(&secret);
    assert_true(same_key(two, read_key(other, &in_context, 1)));
    assert_true(same_key(one, read_key(other, &s, 1)));
    rt_keys_free(other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(made_when_missing),
        TEST(not_made_without_type),
        TEST(not_made_where_that_is_not_allowed),
        TEST(reading_makes_nothing),
        TEST(a_hit_asks_nobody),
        TEST(an_address_proves_nothing),
        TEST(shared_keks),
        TEST(kms_refuses),
        TEST(may_not_use),
        TEST(conflicting_kek),
        TEST(odd_versions),
        TEST(registry_without_key),
        TEST(injected_material),
        TEST(failures_are_not_kept),
        TEST(races),
        TEST(race_of_shared),
        TEST(race_of_rotation),
        TEST(rotates),
        TEST(starts_with_the_latest),
        TEST(failed_rotation),
        TEST(registry_gone_at_rotation),
        TEST(deleted),
        TEST(many),
        TEST(few),
        TEST(expiry),
        TEST(no_expiry),
        TEST(out_of_reach),
        TEST(refused_later),
        TEST(no_record_waits),
        TEST(rotation_in_background),
        TEST(two_at_once),
        TEST(refused_in_background),
        TEST(unreachable_in_background),
        TEST(freed_while_asking),
        TEST(worn_keys_rotate),
        TEST(worn_to_the_end),
        TEST(worn_without_rotation),
        TEST(contexts),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
