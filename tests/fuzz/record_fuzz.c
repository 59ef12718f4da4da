/* record_fuzz.c: any bytes as a record. The first byte draws a schema (with tags and two rules), the second what
 * happens: 0  the rest is a body to encrypt: what is taken must come back equal, what is refused must leave nothing 1
 * the rest is a wire record behind a good prefix: refused, or a datum of the schema 2  the rest damages a record that
 * was really encrypted: the same */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "runtime/random_avro.h"
#include "schema/avro_value.h"
#include "tests/fuzz/lab.h"

enum { SCHEMAS = 64 };
static rt_codec *codecs[SCHEMAS];
static int ids[SCHEMAS];

static rt_codec *codec(unsigned i)
{
    char name[32];
    fl_buf schema;
    rnd r = {.state = 0x9e3779b97f4a7c15 * (i + 1)};
    if (codecs[i])
        return codecs[i];
    fl_buf_init(&schema, 1 << 20);
    rnd_record(&r, &schema, 0);
    snprintf(name, sizeof name, "t%u-value", i);
    ids[i] = open_codec((rt_subject){.subject = name, .type = "AVRO", .schema = schema.p}, &codecs[i]);
    fl_buf_free(&schema);
    return codecs[i];
}

static bool datum(rt_codec *c, const void *p, size_t n)
{
    sch_value_error e;
    return sch_avro_check(rt_codec_schema(c), p, n, &e);
}

static void encrypt(rt_codec *c, const uint8_t *body, size_t n)
{
    rt_error e = {0};
    fl_buf wire, out;
    fl_buf_init(&wire, 16 << 20);
    fl_buf_init(&out, 16 << 20);
    if (rt_encrypt(c, body, n, &wire, &e)) {
        MUST(wire.len == 0 && *e.message);
    } else {
        MUST(rt_decrypt(c, (uint8_t *)wire.p, wire.len, &out, NULL, &e) == RT_OK);
        MUST(datum(c, body, n) == datum(c, out.p, out.len)); /* the schema's codec has a smaller depth */
        fl_buf_clear(&wire);
        MUST(rt_encrypt(c, (uint8_t *)out.p, out.len, &wire, &e) == RT_OK);
    }
    fl_buf_free(&wire);
    fl_buf_free(&out);
}

static void decrypt(rt_codec *c, const void *wire, size_t n)
{
    rt_error e = {0};
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    rt_code code = rt_decrypt(c, wire, n, &out, NULL, &e);
    MUST(code == RT_OK || (out.len == 0 && *e.message));
    fl_buf_free(&out);
}

static void damage(rt_codec *c, const uint8_t *data, size_t n)
{
    rt_error e;
    fl_buf body, wire;
    rnd r = {.state = n ? 1 + data[0] : 1};
    fl_buf_init(&body, 16 << 20);
    fl_buf_init(&wire, 16 << 20);
    rnd_value(&r, &body, rt_codec_schema(c)->root, 0);
    MUST(rt_encrypt(c, (uint8_t *)body.p, body.len, &wire, &e) == RT_OK);
    for (size_t i = 1; i + 2 < n; i += 3)
        wire.p[(data[i] | data[i + 1] << 8) % wire.len] ^= (char)data[i + 2];
    decrypt(c, wire.p, wire.len);
    fl_buf_free(&body);
    fl_buf_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 20)
        return 0;
    if (!registry)
        open_engine();
    unsigned i = data[0] % SCHEMAS;
    rt_codec *c = codec(i);
    if (data[1] % 3 == 0) {
        encrypt(c, data + 2, size - 2);
    } else if (data[1] % 3 == 1) {
        uint8_t *wire = fl_xmalloc(size + 3); /* exactly as long as the record, for the sanitizers */
        memcpy(wire, (uint8_t[]){0, 0, 0, (uint8_t)(ids[i] >> 8), (uint8_t)ids[i]}, 5);
        memcpy(wire + 5, data + 2, size - 2);
        decrypt(c, wire, size + 3);
        free(wire);
    } else {
        damage(c, data + 2, size - 2);
    }
    return 0;
}
