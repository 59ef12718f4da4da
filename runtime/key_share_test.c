/* key_share_test.c: keys that several clients share: asked for once, good for a time, failures told to all who wait. */
#include "runtime/key_share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 6 };

static const rt_kek kek = {.name = "k", .kms_type = "local-kms", .kms_key_id = "id", .props = "{}"};

typedef struct service {
    rt_key_share *share;
    rt_code answer;
    unsigned calls;  /* atomic */
    unsigned hold;   /* so many clients must be about to ask before it answers */
    unsigned coming; /* atomic */
} service;

/* Waits until all are on their way. Those that come later find the key, or ask anew: both are allowed. */
static rt_code answer(void *ctx, fl_secret *proto, rt_error *err)
{
    service *s = ctx;
    __atomic_add_fetch(&s->calls, 1, __ATOMIC_RELAXED);
    while (__atomic_load_n(&s->coming, __ATOMIC_RELAXED) < s->hold)
        sched_yield();
    if (s->answer)
        return rt_fail(err, s->answer, "the service refuses");
    *proto = fl_secret_copy("key", 3);
    return RT_OK;
}

static rt_code ask(service *s, const rt_kek *k, const char *encrypted, rt_error *err)
{
    fl_secret proto = {0};
    rt_code code = rt_key_share_get(s->share, k, encrypted, answer, s, &proto, err);
    if (!code && (proto.len != 3 || memcmp(proto.bytes, "key", 3) != 0))
        code = RT_BAD_INPUT;
    if (code && proto.bytes)
        code = RT_BAD_INPUT;
    fl_secret_free(&proto);
    return code;
}

static void asked_once(void **state)
{
    service s = {.share = rt_key_share_new(0)};
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&s, &kek, "wrapped", NULL), RT_OK);
    assert_int_equal(s.calls, 1);
    rt_key_share_free(s.share);
}

/* Whatever says how a key is opened tells keys apart; no two parts run into each other. */
static void another_key(void **state)
{
    service s = {.share = rt_key_share_new(0)};
    rt_kek others[] = {kek, kek, kek, kek, kek};
    others[1].name = "k2";
    others[2].kms_key_id = "id2";
    others[3].props = NULL;
    others[4].kms_type = "local-kms2";
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(ask(&s, &others[i], "wrapped", NULL), RT_OK);
    assert_int_equal(ask(&s, &kek, "wrapped2", NULL), RT_OK);
    assert_int_equal(s.calls, 6);
    rt_key_share_free(s.share);
}

static void failures_are_not_kept(void **state)
{
    rt_error err = {0};
    service s = {.share = rt_key_share_new(0), .answer = RT_NO_KEY};
    assert_int_equal(ask(&s, &kek, "wrapped", &err), RT_NO_KEY);
    assert_string_equal(err.message, "the service refuses");
    s.answer = RT_OK;
    assert_int_equal(ask(&s, &kek, "wrapped", NULL), RT_OK);
    assert_int_equal(s.calls, 2);
    rt_key_share_free(s.share);
}

static void past_its_time(void **state)
{
    service s = {.share = rt_key_share_new(-1)}; /* good until before now */
    assert_int_equal(ask(&s, &kek, "wrapped", NULL), RT_OK);
    s.answer = RT_NO_KEY;
    assert_int_equal(ask(&s, &kek, "wrapped", NULL), RT_NO_KEY);
    assert_int_equal(s.calls, 2);
    rt_key_share_free(s.share);
}

/* As many as there is room for; one more is asked for each time. */
static void full(void **state)
{
    char wrapped[16];
    service s = {.share = rt_key_share_new(0)};
    for (int i = 0; i < RT_KEY_SHARE_MOST + 1; i++) {
        snprintf(wrapped, sizeof wrapped, "%d", i);
        assert_int_equal(ask(&s, &kek, wrapped, NULL), RT_OK);
    }
    assert_int_equal(s.calls, RT_KEY_SHARE_MOST + 1);
    assert_int_equal(ask(&s, &kek, wrapped, NULL), RT_OK);
    assert_int_equal(s.calls, RT_KEY_SHARE_MOST + 2);
    assert_int_equal(ask(&s, &kek, "0", NULL), RT_OK);
    assert_int_equal(s.calls, RT_KEY_SHARE_MOST + 2);
    rt_key_share_free(s.share);
}

typedef struct client {
    pthread_t thread;
    service *service;
    rt_code code;
    rt_error err;
} client;

static void *one_client(void *ctx)
{
    client *c = ctx;
    __atomic_add_fetch(&c->service->coming, 1, __ATOMIC_RELAXED);
    c->code = ask(c->service, &kek, "wrapped", &c->err);
    return NULL;
}

static void all_at_once(rt_code given)
{
    service s = {.share = rt_key_share_new(0), .answer = given, .hold = CLIENTS};
    client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.service = &s};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, one_client, &clients[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(clients[i].code, given);
        assert_string_equal(clients[i].err.message, given ? "the service refuses" : "");
    }
    assert_true(s.calls >= 1 && s.calls <= (given ? CLIENTS : 1));
    rt_key_share_free(s.share);
}

static void several_clients(void **state)
{
    all_at_once(RT_OK);
    all_at_once(RT_NO_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_once),    cmocka_unit_test(another_key), cmocka_unit_test(failures_are_not_kept),
        cmocka_unit_test(past_its_time), cmocka_unit_test(full),        cmocka_unit_test(several_clients),
    };
    return cmocka_run_group_tests_name("key_share", tests, NULL, NULL);
}
