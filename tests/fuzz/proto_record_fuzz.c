/* proto_record_fuzz.c: any bytes as a record of a Protobuf schema, held against the reader of messages that the engine
 * does not use (schema/proto_print.c). The first byte draws what happens:
 * 0  the rest is a message: what that reader takes, the engine seals; what is sealed opens to the same message, and
 *    nothing of a sealed text stands in clear
 * 1  the rest is the message of a wire record: refused, or opened
 * 2  the rest damages a record that was really sealed: the same */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "schema/value.h"
#include "tests/fuzz/lab.h"

#define TAG(t) " [(confluent.field_meta).tags = \"" t "\"]"
static const char schema[] =
    "syntax = \"proto3\"; package t; import \"confluent/meta.proto\";\n"
    "message M { string s = 1" TAG("PII") "; bytes b = 2" TAG("PCI") "; optional string o = 3" TAG(
        "PII") ";\n"
               "  repeated string list = 4" TAG(
                   "PII") "; M in = 5; repeated M many = 6; map<string, M> by = 7;\n"
                          "  oneof either { string left = 8" TAG(
                              "PCI") "; M right = 9; } repeated int32 n = 10; fixed64 f = 11;\n"
                                     "  map<int32, string> names = 12; bool yes = 13; sint64 z = 14; float fl = 15; "
                                     "string far = 300" TAG("PII") "; }\n";

static rt_codec *codec;
static int id;

/* The message as JSON, or false. */
static bool json(const void *p, size_t n, fl_buf *out)
{
    fl_buf_init(out, 64 << 20);
    return sch_value_to_json(rt_codec_schema(codec), p, n, NULL, out, NULL);
}

static void seal(const uint8_t *p, size_t n)
{
    fl_buf wire, back, plain, again;
    rt_error e;
    fl_buf_init(&wire, 64 << 20);
    fl_buf_init(&back, 64 << 20);
    bool known = json(p, n, &plain);
    rt_code code = rt_encrypt(codec, p, n, &wire, &e);
    MUST(code == RT_OK ? wire.len > 5 : wire.len == 0);
    /* that reader takes an entry without its value for one with an empty message; the engine writes none such */
    MUST(!known || code == RT_OK || strstr(e.message, "an entry of a map has no value"));
    if (!code) {
        MUST(rt_decrypt(codec, (uint8_t *)wire.p, wire.len, &back, NULL, &e) == RT_OK);
        bool readable = json(back.p, back.len, &again);
        MUST(readable || !known);
        MUST(!known || strcmp(again.p, plain.p) == 0);
        fl_buf_free(&again);
    }
    fl_buf_free(&wire);
    fl_buf_free(&back);
    fl_buf_free(&plain);
}

static void open_bytes(const uint8_t *p, size_t n)
{
    fl_buf out;
    rt_error e;
    fl_buf_init(&out, 64 << 20);
    rt_code code = rt_decrypt(codec, p, n, &out, NULL, &e);
    MUST(code == RT_OK || out.len == 0);
    fl_buf_free(&out);
}

static void read_bytes(const uint8_t *p, size_t n)
{
    uint8_t *wire = malloc(n + 6),
            head[6] = {0, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id, 0};
    memcpy(wire, head, sizeof head);
    memcpy(wire + sizeof head, p, n);
    open_bytes(wire, n + sizeof head);
    free(wire);
}

/* Three bytes each: where, and what is added. */
static void damage(const uint8_t *p, size_t n)
{
    static const uint8_t body[] = {0x0a, 4,   't', 'e',  'x', 't', 0x12, 2,    1, 2,    0x2a, 5,   0x0a, 3,
                                   'a',  'b', 'c', 0x52, 2,   1,   2,    0x3a, 5, 0x0a, 1,    'k', 0x12, 0};
    fl_buf wire;
    rt_error e;
    fl_buf_init(&wire, 1 << 20);
    MUST(rt_encrypt(codec, body, sizeof body, &wire, &e) == RT_OK);
    for (size_t i = 0; i + 2 < n; i += 3)
        wire.p[(p[i] | p[i + 1] << 8) % wire.len] ^= (char)p[i + 2];
    open_bytes((uint8_t *)wire.p, wire.len);
    fl_buf_free(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!codec) {
        open_engine();
        id = open_codec((rt_subject){.subject = "t-value", .type = "PROTOBUF", .schema = schema, .message = "t.M"},
                        &codec);
    }
    if (!size)
        return 0;
    switch (data[0] % 3) {
    case 0:
        seal(data + 1, size - 1);
        break;
    case 1:
        read_bytes(data + 1, size - 1);
        break;
    default:
        damage(data + 1, size - 1);
    }
    return 0;
}
