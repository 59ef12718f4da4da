/* keys_time_test.c: what time does to data keys in the cache: their expiry, questions in the background, and wear. */
#include "runtime/keys_lab.h"

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests_name("keys_time", tests, NULL, NULL);
}
