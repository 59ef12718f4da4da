/* keys_test.c: the life of data keys: creation, races, rotation under a clock of our own, refusals, and that a hit asks
 * nobody. Time, threads and wear: keys_time_test.c. */
#include "runtime/keys_lab.h"

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
        TEST(contexts),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
