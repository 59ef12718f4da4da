/* json_lab.h: what units of JSON records share: codecs from the text of a schema, records as texts. For *_test.c alone.
 */
#ifndef FLEC_RUNTIME_JSON_LAB_H
#define FLEC_RUNTIME_JSON_LAB_H

#include "runtime/lab.h"

static lab l;

static int open_lab(void **state)
{
    lab_open(&l);
    return 0;
}
static int close_lab(void **state)
{
    lab_close(&l);
    return 0;
}

static rt_code open_json(const char *schema, const char *metadata, const char *ruleset, const rt_codec_options *opt,
                         rt_codec **out)
{
    rt_subject s = {.subject = "t-value", .type = "JSON", .schema = schema, .metadata = metadata, .ruleset = ruleset};
    if (l.registry->ops->register_subject(l.registry, l.a, &s, &l.err))
        fail_msg("%s", l.err.message);
    return rt_codec_open(l.registry, l.keys, &s, opt, out, &l.err);
}

static const char *pii(const char *extra)
{
    return lab_set(&l, lab_rule(&l, "pii", "[\"PII\"]", "kek", "AES256_SIV", extra));
}

/* AES256_SIV: what is equal is equal on the wire. */
static rt_codec *codec(const char *schema, const char *metadata)
{
    rt_codec *c = NULL;
    if (open_json(schema, metadata, pii(""), NULL, &c))
        fail_msg("%s", l.err.message);
    return c;
}

static rt_code encrypt(rt_codec *c, const char *text)
{
    return rt_encrypt(c, (const uint8_t *)text, strlen(text), &l.wire, &l.err);
}

static const char *sealed(rt_codec *c, const char *text)
{
    if (encrypt(c, text))
        fail_msg("%s: %s", text, l.err.message);
    return fl_strndup(l.a, l.wire.p + 5, l.wire.len - 5);
}

/* What comes back of a body that is put behind the prefix of the last record written. */
static rt_code decrypt(rt_codec *c, const char *body)
{
    l.wire.len = 5;
    assert_true(fl_buf_adds(&l.wire, body));
    return lab_decrypt(&l, c);
}

static const char *opened(rt_codec *c, const char *body)
{
    if (decrypt(c, body))
        fail_msg("%s: %s", body, l.err.message);
    return fl_strndup(l.a, l.out.p, l.out.len);
}

/* "x" sealed by itself, as it stands between its quotes. */
static const char *x_sealed(rt_codec *c, const char *schema_value)
{
    const char *s = sealed(c, fl_printf(l.a, "{\"s\":%s}", schema_value));
    return fl_strndup(l.a, s + 6, strlen(s) - 8);
}

#define unit(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)

#endif
