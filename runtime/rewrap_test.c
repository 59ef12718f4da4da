/* rewrap_test.c: a DEK that is wrapped anew is the same key in another form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runtime/store.h"

static int64_t clock_now = 1764000000000;
static int64_t now(void *ctx)
{
    return clock_now;
}

static rt_store *open_store(rt_error *err)
{
    static const rt_registry_options options = {.now_ms = now};
    rt_registry *r;
    assert_int_equal(rt_registry_open("mem:", &options, &r, err), RT_OK);
    rt_kek k = {.name = "k", .kms_type = "local-kms", .kms_key_id = "id", .shared = true};
    assert_int_equal(rt_store_create_kek(r, &k, err), RT_OK);
    return (rt_store *)r;
}

static void same_key(void **state)
{
    rt_error err;
    rt_store *st = open_store(&err);
    fl_arena *a = fl_arena_new();
    rt_dek want = {.kek = "k", .subject = "s", .alg = RT_AES256_SIV}, first, again, read;
    assert_int_equal(rt_store_rewrap_dek(st, a, &want, &first, &err), RT_OK);
    clock_now += 5;
    assert_int_equal(rt_store_rewrap_dek(st, a, &want, &again, &err), RT_OK);
    assert_int_equal(first.material.len, again.material.len);
    assert_memory_equal(first.material.bytes, again.material.bytes, first.material.len);
    assert_string_not_equal(first.encrypted, again.encrypted);
    assert_int_equal(again.ts, first.ts + 5);
    assert_int_equal(rt_store_get_dek(&st->registry, a, "k", "s", RT_AES256_SIV, -1, false, &read, &err), RT_OK);
    assert_string_equal(read.encrypted, again.encrypted);
    assert_memory_equal(read.material.bytes, first.material.bytes, first.material.len);
    assert_int_equal(st->ndeks, 1);
    rt_dek *all[] = {&first, &again, &read};
    for (size_t i = 0; i < 3; i++)
        fl_secret_free(&all[i]->material);
    fl_arena_free(a);
    rt_registry_close(&st->registry);
}

/* What cannot be opened is left as it is. */
static void not_opened(void **state)
{
    rt_error err;
    rt_store *st = open_store(&err);
    fl_arena *a = fl_arena_new();
    rt_dek want = {.kek = "k", .subject = "s", .encrypted = "AAAA"}, out;
    assert_int_equal(rt_store_set_mode(st, a, "s", "IMPORT", false, &err), RT_OK);
    assert_int_equal(rt_store_create_dek(&st->registry, a, &want, &out, &err), RT_OK);
    assert_null(out.material.bytes);
    want.encrypted = NULL;
    assert_int_not_equal(rt_store_rewrap_dek(st, a, &want, &out, &err), RT_OK);
    assert_int_equal(rt_store_set_mode(st, a, "s", "READWRITE", false, &err), RT_OK);
    want.encrypted = "AAAA";
    want.version = 2;
    assert_int_not_equal(rt_store_create_dek(&st->registry, a, &want, &out, &err), RT_OK);
    assert_int_equal(st->ndeks, 1);
    fl_arena_free(a);
    rt_registry_close(&st->registry);
}

int main(void)
{
    struct CMUnitTest tests[] = {cmocka_unit_test(same_key), cmocka_unit_test(not_opened)};
    return cmocka_run_group_tests_name("rewrap", tests, NULL, NULL);
}
