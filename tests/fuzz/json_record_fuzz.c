/* json_record_fuzz.c: any bytes as a record of a JSON Schema, held against jansson. The first byte draws a schema, the
 * second what happens:
 * 0  the rest is a body: taken if jansson takes it, and the other way round; what is sealed opens to what it was, all
 *    else is the same value
 * 1  the rest is the body of a wire record: refused, or a text that jansson takes
 * 2  the rest damages a record that was really encrypted: the same */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "tests/fuzz/lab.h"

/* ---- the engine ---- */

#define TAGGED "{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
static const struct {
    const char *schema, *metadata;
} schemas[] = {
    {"true", NULL},
    {"{\"type\":\"object\",\"properties\":{\"a\":" TAGGED ",\"b\":{\"type\":\"string\"}}}", NULL},
    {"{\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"properties\":{\"b\":" TAGGED "}}}}}", NULL},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"$ref\":\"#\"},\"c\":{\"type\":"
     "\"array\","
     "\"items\":{\"$ref\":\"#\"}}}}",
     "{\"tags\":{\"$**.a\":[\"PII\"],\"$.b.a\":[\"PCI\"]}}"},
    {"{\"properties\":{\"a\":{\"type\":[\"string\",\"integer\",\"array\"],\"items\":{\"type\":\"string\"},"
     "\"confluent:tags\":[\"PII\",\"PCI\"]}}}",
     NULL},
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}", "{\"tags\":{\"$.a*\":[\"PII\"]}}"},
    {"{\"oneOf\":[{\"type\":\"null\"},{\"properties\":{\"a\":" TAGGED
     "}},{\"type\":\"array\",\"items\":{\"properties\":{"
     "\"b\":" TAGGED "}}}]}",
     NULL},
    {"{\"properties\":{\"\\\"a\\\\\":" TAGGED ",\"\":" TAGGED ",\"\\u00df\":{\"confluent:tags\":[\"PCI\"]}}}", NULL},
    /* what no schema describes */
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}",
     "{\"tags\":{\"$**.b\":[\"PII\"],\"$.c*\":[\"PCI\"],\"$.*d.a\":[\"PII\"],\"$.a.a\":[\"PCI\"]}}"},
};
enum { SCHEMAS = sizeof schemas / sizeof *schemas };

static rt_codec *codecs[SCHEMAS];
static int ids[SCHEMAS];

static rt_codec *codec(unsigned i)
{
    char name[32];
    if (codecs[i])
        return codecs[i];
    snprintf(name, sizeof name, "t%u-value", i);
    rt_subject s = {.subject = name, .type = "JSON", .schema = schemas[i].schema, .metadata = schemas[i].metadata};
    ids[i] = open_codec(s, &codecs[i]);
    return codecs[i];
}

/* ---- beside jansson ---- */

static json_t *parse(const void *p, size_t n, json_error_t *e)
{
    return json_loadb(p, n, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, e);
}

/* What jansson refuses though RFC 8259 allows it: its own bounds. */
static bool beyond_jansson(const json_error_t *e)
{
    static const char *const says[] = {"real number overflow", "too big", "NUL byte in object key", "invalid Unicode",
                                       "maximum parsing depth"};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        if (strstr(e->text, says[i]))
            return true;
    return false;
}

/* What the engine refuses though it is JSON. */
static bool beyond_engine(const rt_error *e)
{
    static const char *const says[] = {"nests too deep", "cannot be encrypted", "stands where the schema has none"};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++)
        if (strstr(e->message, says[i]))
            return true;
    return false;
}

/* The same value, but for texts that were sealed. */
static bool same_but_sealed(const json_t *x, const json_t *y)
{
    const char *key;
    json_t *v;
    if (json_typeof(x) != json_typeof(y))
        return false;
    if (json_is_string(x)) {
        uint8_t *raw = fl_xmalloc(FL_B64_ROOM(json_string_length(y)) + 1);
        bool sealed = fl_b64_decode(raw, json_string_value(y), json_string_length(y), FL_B64_STRICT) >=
                      (ptrdiff_t)json_string_length(x) + 16;
        free(raw);
        return sealed || json_equal(x, y);
    }
    if (json_is_array(x)) {
        bool same = json_array_size(x) == json_array_size(y);
        for (size_t i = 0; same && i < json_array_size(x); i++)
            same = same_but_sealed(json_array_get(x, i), json_array_get(y, i));
        return same;
    }
    if (!json_is_object(x))
        return json_equal(x, y);
    json_object_foreach((json_t *)(uintptr_t)x, key,
                        v) if (!json_object_get(y, key) || !same_but_sealed(v, json_object_get(y, key))) return false;
    return json_object_size(x) == json_object_size(y);
}

static void taken(rt_codec *c, const json_t *body, const fl_buf *wire)
{
    rt_error e = {0};
    json_error_t je;
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    MUST(rt_decrypt(c, (const uint8_t *)wire->p, wire->len, &out, NULL, &e) == RT_OK);
    json_t *sealed = parse(wire->p + 5, wire->len - 5, &je), *back = parse(out.p, out.len, &je);
    if (body)
        MUST(sealed && back && json_equal(body, back) && same_but_sealed(body, sealed));
    json_decref(sealed);
    json_decref(back);
    fl_buf_free(&out);
}

static void encrypt(rt_codec *c, const uint8_t *p, size_t n)
{
    rt_error e = {0};
    json_error_t je;
    fl_buf wire;
    json_t *body = parse(p, n, &je);
    fl_buf_init(&wire, 16 << 20);
    rt_code code = rt_encrypt(c, p, n, &wire, &e);
    if (n && memchr(p, 0, n)) { /* no JSON, but jansson takes the byte 0 behind a value for the end */
        MUST(code);
        json_decref(body);
        body = NULL;
    }
    if (code) {
        MUST(wire.len == 0 && *e.message);
        MUST(!body || beyond_engine(&e));
    } else {
        MUST(body || beyond_jansson(&je));
        taken(c, body, &wire);
    }
    json_decref(body);
    fl_buf_free(&wire);
}

static void decrypt(rt_codec *c, const void *wire, size_t n)
{
    rt_error e = {0};
    json_error_t je;
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    rt_code code = rt_decrypt(c, wire, n, &out, NULL, &e);
    if (code) {
        MUST(out.len == 0 && *e.message);
    } else {
        json_t *body = parse(out.p, out.len, &je);
        MUST(body || beyond_jansson(&je));
        json_decref(body);
    }
    fl_buf_free(&out);
}

static void damage(rt_codec *c, const uint8_t *data, size_t n)
{
    static const char body[] = "{\"a\":null,\"b\":null,\"c\":[],\"\":\"some text\",\"x\":[1.5,true,\"\\u0041\"]}";
    rt_error e;
    fl_buf wire;
    fl_buf_init(&wire, 16 << 20);
    MUST(rt_encrypt(c, (const uint8_t *)body, sizeof body - 1, &wire, &e) == RT_OK || beyond_engine(&e));
    for (size_t i = 0; wire.len && i + 2 < n; i += 3)
        wire.p[5 + (data[i] | data[i + 1] << 8) % (wire.len - 5)] ^= (char)data[i + 2];
    if (wire.len)
        decrypt(c, wire.p, wire.len);
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
        uint8_t *body = fl_xmalloc(size > 2 ? size - 2 : 1); /* exactly as long as the text, for the sanitizers */
        memcpy(body, data + 2, size - 2);
        encrypt(c, body, size - 2);
        free(body);
    } else if (data[1] % 3 == 1) {
        uint8_t *wire = fl_xmalloc(size + 3);
        memcpy(wire, (uint8_t[]){0, 0, 0, (uint8_t)(ids[i] >> 8), (uint8_t)ids[i]}, 5);
        memcpy(wire + 5, data + 2, size - 2);
        decrypt(c, wire, size + 3);
        free(wire);
    } else {
        damage(c, data + 2, size - 2);
    }
    return 0;
}
