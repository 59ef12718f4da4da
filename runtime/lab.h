/* lab.h: what units of the engine share: a registry in memory, a local KMS with a test secret, codecs from texts. For
 * *_test.c alone. */
#ifndef FLEC_RUNTIME_LAB_H
#define FLEC_RUNTIME_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "schema/avro_value.h"

typedef struct lab {
    fl_arena *a;
    rt_registry *registry;
    rt_keys *keys;
    const char *barred; /* KEK that this client may not use, or NULL */
    fl_buf out, wire;
    rt_error err;
} lab;

static fl_secret lab_secret(void *ctx, const char *kek, const char *name)
{
    return strcmp(name, "secret") == 0 ? fl_secret_copy("lab secret", 10) : (fl_secret){0};
}

static bool lab_may_use(void *ctx, const char *kek)
{
    const lab *l = ctx;
    return !l->barred || strcmp(l->barred, kek) != 0;
}

static void lab_open(lab *l)
{
    *l = (lab){.a = fl_arena_new()};
    fl_secret_setup();
    assert_int_equal(rt_registry_open("mem:", NULL, &l->registry, &l->err), RT_OK);
    rt_keys_options opt = {
        .registry = l->registry, .params = {.get = lab_secret}, .may_use = lab_may_use, .may_use_ctx = l};
    l->keys = rt_keys_new(&opt);
    fl_buf_init(&l->out, 8 << 20);
    fl_buf_init(&l->wire, 8 << 20);
}

static void lab_close(lab *l)
{
    rt_keys_free(l->keys);
    rt_registry_close(l->registry);
    fl_buf_free(&l->out);
    fl_buf_free(&l->wire);
    fl_arena_free(l->a);
}

/* One ENCRYPT rule as JSON; extra: more members, beginning with a comma, or "". tags: a JSON list, or NULL for none. */
static inline const char *lab_rule(lab *l, const char *name, const char *tags, const char *kek, const char *alg,
                                   const char *extra)
{
    return fl_printf(
        l->a,
        "{\"name\":\"%s\",\"kind\":\"TRANSFORM\",\"type\":\"ENCRYPT\",\"mode\":\"WRITEREAD\"%s%s,\"params\":{"
        "\"encrypt.kek.name\":\"%s\",\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\","
        "\"encrypt.dek.algorithm\":\"%s\"}%s}",
        name, tags ? ",\"tags\":" : "", tags ? tags : "", kek, alg, extra);
}

static inline const char *lab_set(lab *l, const char *rules)
{
    return fl_printf(l->a, "{\"domainRules\":[%s]}", rules);
}

/* Registers the subject version "t-value" and opens it. */
static inline rt_code lab_codec(lab *l, const char *schema, const char *metadata, const char *ruleset,
                                const rt_codec_options *opt, rt_codec **out)
{
    rt_subject s = {.subject = "t-value", .type = "AVRO", .schema = schema, .metadata = metadata, .ruleset = ruleset};
    assert_int_equal(l->registry->ops->register_subject(l->registry, l->a, &s, &l->err), RT_OK);
    return rt_codec_open(l->registry, l->keys, &s, opt, out, &l->err);
}

/* The Avro datum of a JSON text. */
static inline void lab_body(lab *l, const sch_schema *s, const char *json, fl_buf *out)
{
    fl_json_error je;
    sch_value_error e;
    const fl_json *j = fl_json_parse(l->a, json, strlen(json), FL_JSON_ALLOW_NUL, &je);
    assert_non_null(j);
    fl_buf_clear(out);
    if (!sch_value_from_json(s, j, SCH_BYTES_TEXT, out, &e))
        fail_msg("%s: %s", e.path, e.message);
}

static inline const char *lab_json(lab *l, const sch_schema *s, const void *p, size_t n)
{
    sch_value_error e;
    fl_buf b;
    fl_buf_init(&b, 8 << 20);
    if (!sch_value_to_json(s, p, n, NULL, &b, &e))
        fail_msg("%s: %s", e.path, e.message);
    const char *text = fl_strndup(l->a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

static inline rt_code lab_encrypt(lab *l, rt_codec *c, const fl_buf *body)
{
    return rt_encrypt(c, (const uint8_t *)body->p, body->len, &l->wire, &l->err);
}

static inline rt_code lab_decrypt(lab *l, rt_codec *c)
{
    return rt_decrypt(c, (const uint8_t *)l->wire.p, l->wire.len, &l->out, NULL, &l->err);
}

#define assert_says(l, text)                                                                                           \
    do {                                                                                                               \
        if (!strstr((l)->err.message, text))                                                                           \
            fail_msg("\"%s\" does not say \"%s\"", (l)->err.message, text);                                            \
    } while (0)

#endif
