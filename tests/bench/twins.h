/* twins.h: the benchmark's record in each format: 12 fields, 4 of them sealed (docs/performance.md). For
 * engine_bench.c. */
#ifndef FLEC_BENCH_TWINS_H
#define FLEC_BENCH_TWINS_H

#include <string.h>

#include "base/base.h"

enum { SEALED = 4 };

typedef struct twin {
    const char *format, *type, *schema; /* as a plan, as a registry names the format */
    const char *message;                /* of Protobuf, else NULL */
    bool text[SEALED];                  /* which of the sealed fields are base64 on the wire */
    /* Writes record `number`; where its sealed fields lie, and how long they are. */
    void (*make)(fl_buf *b, int number, size_t at[SEALED], size_t n[SEALED]);
} twin;

static const char *const sealed_names[SEALED] = {"full_name", "email", "iban", "doc_hash"};
static const char letters[] = "abcdefghijklmnopqrstuvwxyz ", hex[] = "0123456789abcdef-", digits[] = "0123456789 ";

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t draw(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 16) % n);
}

static void add_drawn(fl_buf *b, size_t n, const char *alphabet)
{
    for (size_t i = 0; i < n; i++)
        fl_buf_addc(b, alphabet ? alphabet[draw((uint32_t)strlen(alphabet))] : (char)draw(256));
}

static void draw_lengths(size_t n[SEALED], size_t hash)
{
    n[0] = 11 + draw(10);
    n[1] = 20 + draw(21);
    n[2] = 39;
    n[3] = hash;
}

/* ---- Avro ---- */

static const char avro_schema[] =
    "{\"type\":\"record\",\"name\":\"Customer\",\"namespace\":\"com.acme.crm\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"ts\",\"type\":\"long\"},"
    "{\"name\":\"full_name\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"email\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"iban\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"doc_hash\",\"type\":\"bytes\",\"confluent:tags\":[\"PII\"]},"
    "{\"name\":\"country\",\"type\":\"string\"},"
    "{\"name\":\"segment\",\"type\":{\"type\":\"enum\",\"name\":\"Segment\",\"symbols\":["
    "\"RETAIL\",\"SME\",\"CORPORATE\"]}},"
    "{\"name\":\"balance\",\"type\":\"double\"},{\"name\":\"visits\",\"type\":\"int\"},"
    "{\"name\":\"note\",\"type\":[\"null\",\"string\"]},{\"name\":\"labels\",\"type\":{"
    "\"type\":\"array\",\"items\":\"string\"}}]}";

static void add_long(fl_buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; u >= 0x80; u >>= 7)
        fl_buf_addc(b, (char)(u | 0x80));
    fl_buf_addc(b, (char)u);
}

static void add_text(fl_buf *b, size_t n, const char *alphabet)
{
    add_long(b, (int64_t)n);
    add_drawn(b, n, alphabet);
}

static void make_avro(fl_buf *b, int number, size_t at[SEALED], size_t n[SEALED])
{
    draw_lengths(n, 32);
    add_text(b, 36, hex);
    add_long(b, 1764000000000 + number);
    for (int i = 0; i < SEALED; i++) {
        add_text(b, n[i], i == 3 ? NULL : i == 2 ? digits : letters);
        at[i] = b->len - n[i];
    }
    add_text(b, 2, letters);
    add_long(b, draw(3));
    double balance = number * 1.25;
    fl_buf_add(b, &balance, 8);
    add_long(b, draw(100000));
    add_long(b, 1);
    add_text(b, 62, letters);
    add_long(b, 3);
    for (int i = 0; i < 3; i++)
        add_text(b, 10 + draw(4), letters);
    add_long(b, 0);
}

/* ---- JSON Schema: the 32 bytes are base64 in text ---- */

#define JSON_TAGGED "{\"type\":\"string\",\"confluent:tags\":[\"PII\"]}"
static const char json_schema[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"Customer\",\"type\":\"object\","
    "\"properties\":{\"id\":{\"type\":\"string\"},\"ts\":{\"type\":\"integer\"},\"full_name\":" JSON_TAGGED
    ",\"email\":" JSON_TAGGED ",\"iban\":" JSON_TAGGED ",\"doc_hash\":" JSON_TAGGED
    ",\"country\":{\"type\":\"string\"},\"segment\":{\"enum\":[\"RETAIL\",\"SME\",\"CORPORATE\"]},"
    "\"balance\":{\"type\":\"number\"},\"visits\":{\"type\":\"integer\"},"
    "\"note\":{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]},"
    "\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}";

static void add_string(fl_buf *b, const char *name, size_t n, const char *alphabet)
{
    fl_buf_addf(b, "%s\"%s\":\"", b->len > 1 ? "," : "", name);
    add_drawn(b, n, alphabet);
    fl_buf_addc(b, '"');
}

static void make_json(fl_buf *b, int number, size_t at[SEALED], size_t n[SEALED])
{
    static const char *const segments[] = {"RETAIL", "SME", "CORPORATE"};
    draw_lengths(n, 44);
    fl_buf_addc(b, '{');
    add_string(b, "id", 36, hex);
    fl_buf_addf(b, ",\"ts\":%lld", 1764000000000LL + number);
    for (int i = 0; i < SEALED; i++) {
        add_string(b, sealed_names[i], n[i], i == 2 ? digits : letters);
        at[i] = b->len - 1 - n[i];
    }
    add_string(b, "country", 2, letters);
    fl_buf_addf(b, ",\"segment\":\"%s\",\"balance\":%.2f,\"visits\":%u", segments[draw(3)], number * 1.25,
                draw(100000));
    add_string(b, "note", 62, letters);
    fl_buf_adds(b, ",\"labels\":[");
    for (int i = 0; i < 3; i++) {
        fl_buf_adds(b, i ? ",\"" : "\"");
        add_drawn(b, 10 + draw(4), letters);
        fl_buf_addc(b, '"');
    }
    fl_buf_adds(b, "]}");
}

/* ---- Protobuf ---- */

static const char proto_schema[] = "syntax = \"proto3\";\npackage com.acme.crm;\nimport \"confluent/meta.proto\";\n"
                                   "message Customer {\n"
                                   "  string id = 1;\n"
                                   "  int64 ts = 2;\n"
                                   "  string full_name = 3 [(confluent.field_meta).tags = \"PII\"];\n"
                                   "  string email = 4 [(confluent.field_meta).tags = \"PII\"];\n"
                                   "  string iban = 5 [(confluent.field_meta).tags = \"PII\"];\n"
                                   "  bytes doc_hash = 6 [(confluent.field_meta).tags = \"PII\"];\n"
                                   "  string country = 7;\n"
                                   "  Segment segment = 8;\n"
                                   "  double balance = 9;\n"
                                   "  int32 visits = 10;\n"
                                   "  optional string note = 11;\n"
                                   "  repeated string labels = 12;\n"
                                   "}\n"
                                   "enum Segment {\n  RETAIL = 0;\n  SME = 1;\n  CORPORATE = 2;\n}\n";

static void add_varint(fl_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        fl_buf_addc(b, (char)(v | 0x80));
    fl_buf_addc(b, (char)v);
}

static void add_number(fl_buf *b, unsigned field, uint64_t v)
{
    add_varint(b, field << 3);
    add_varint(b, v);
}

static void add_bytes(fl_buf *b, unsigned field, size_t n, const char *alphabet)
{
    add_varint(b, field << 3 | 2);
    add_varint(b, n);
    add_drawn(b, n, alphabet);
}

static void make_proto(fl_buf *b, int number, size_t at[SEALED], size_t n[SEALED])
{
    draw_lengths(n, 32);
    add_bytes(b, 1, 36, hex);
    add_number(b, 2, 1764000000000 + (uint64_t)number);
    for (unsigned i = 0; i < SEALED; i++) {
        add_bytes(b, 3 + i, n[i], i == 3 ? NULL : i == 2 ? digits : letters);
        at[i] = b->len - n[i];
    }
    add_bytes(b, 7, 2, letters);
    add_number(b, 8, 1 + draw(2));
    double balance = number * 1.25;
    add_varint(b, 9 << 3 | 1);
    fl_buf_add(b, &balance, 8);
    add_number(b, 10, draw(100000));
    add_bytes(b, 11, 62, letters);
    for (int i = 0; i < 3; i++)
        add_bytes(b, 12, 10 + draw(4), letters);
}

static const twin twins[] = {
    {.format = "avro", .type = "AVRO", .schema = avro_schema, .text = {true, true, true, false}, .make = make_avro},
    {.format = "json", .type = "JSON", .schema = json_schema, .text = {true, true, true, true}, .make = make_json},
    {.format = "protobuf",
     .type = "PROTOBUF",
     .schema = proto_schema,
     .message = "com.acme.crm.Customer",
     .text = {true, true, true, false},
     .make = make_proto},
};
enum { AVRO, JSON, PROTOBUF };

#endif
