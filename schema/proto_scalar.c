/* proto_scalar.c: one number, text or enum of a Protobuf field: from JSON to the wire and back. */
#include "schema/proto_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types ---- */

typedef enum { SIGNED, UNSIGNED, ZIGZAG, REAL, BOOLEAN, TEXT, BYTES, ENUMERATION, NO_SCALAR } shape;

static const struct {
    shape shape;
    proto_kind kind;
    uint8_t bits;
} types[] = {
    [PROTO_DOUBLE] = {REAL, PROTO_FIXED64, 64},     [PROTO_FLOAT] = {REAL, PROTO_FIXED32, 32},
    [PROTO_INT64] = {SIGNED, PROTO_VARINT, 64},     [PROTO_UINT64] = {UNSIGNED, PROTO_VARINT, 64},
    [PROTO_INT32] = {SIGNED, PROTO_VARINT, 32},     [PROTO_FIX64] = {UNSIGNED, PROTO_FIXED64, 64},
    [PROTO_FIX32] = {UNSIGNED, PROTO_FIXED32, 32},  [PROTO_BOOL] = {BOOLEAN, PROTO_VARINT, 1},
    [PROTO_STRING] = {TEXT, PROTO_BYTES, 0},        [PROTO_GROUP_TYPE] = {NO_SCALAR, PROTO_GROUP, 0},
    [PROTO_MESSAGE] = {NO_SCALAR, PROTO_BYTES, 0},  [PROTO_BYTES_TYPE] = {BYTES, PROTO_BYTES, 0},
    [PROTO_UINT32] = {UNSIGNED, PROTO_VARINT, 32},  [PROTO_ENUM] = {ENUMERATION, PROTO_VARINT, 32},
    [PROTO_SFIXED32] = {SIGNED, PROTO_FIXED32, 32}, [PROTO_SFIXED64] = {SIGNED, PROTO_FIXED64, 64},
    [PROTO_SINT32] = {ZIGZAG, PROTO_VARINT, 32},    [PROTO_SINT64] = {ZIGZAG, PROTO_VARINT, 64},
};

proto_kind sch_proto_kind(proto_type t)
{
    return types[t].kind;
}

bool sch_proto_implicit(const proto_message *m, const proto_field *f)
{
    return m->file->proto3 && f->label == PROTO_OPTIONAL && !f->explicit_optional && f->oneof < 0 && !f->message;
}

/* ---- to the wire ---- */

void sch_proto_put_varint(fl_buf *out, uint64_t v)
{
    char b[10];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        b[n++] = (char)(v | 0x80);
    b[n++] = (char)v;
    fl_buf_add(out, b, n);
}

static void put_number(proto_type t, uint64_t v, fl_buf *out)
{
    char b[8];
    size_t n = types[t].kind == PROTO_FIXED64 ? 8 : 4;
    if (types[t].kind == PROTO_VARINT) {
        sch_proto_put_varint(out, v);
        return;
    }
    for (size_t i = 0; i < n; i++)
        b[i] = (char)(v >> (8 * i));
    fl_buf_add(out, b, n);
}

/* Sign and digits, of a number or a text. */
static bool whole(const fl_json *v, bool *minus, uint64_t *out)
{
    const char *s = v->str;
    if ((v->kind != FL_JNUMBER && v->kind != FL_JSTRING) || strlen(s) != v->len)
        return false;
    *minus = *s == '-';
    s += *minus;
    *out = 0;
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (digit > 9 || *out > (UINT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

static const char *put_integer(proto_type t, const fl_json *v, fl_buf *out)
{
    static const char *const why[] = {"a whole number of 32 bits stands here", "a whole number of 64 bits stands here",
                                      "a whole number of 32 bits without sign stands here",
                                      "a whole number of 64 bits without sign stands here"};
    bool minus, no_sign = types[t].shape == UNSIGNED, wide = types[t].bits == 64;
    uint64_t n;
    uint64_t most = no_sign ? (wide ? UINT64_MAX : UINT32_MAX) : (wide ? INT64_MAX : INT32_MAX);
    if (!whole(v, &minus, &n) || (no_sign && minus && n) || n > most + (!no_sign && minus))
        return why[2 * no_sign + wide];
    uint64_t value = minus ? 0 - n : n;
    if (types[t].shape == ZIGZAG)
        value = value << 1 ^ (minus && n ? UINT64_MAX : 0);
    put_number(t, value, out);
    return NULL;
}

static bool special(const fl_json *v, double *out)
{
    static const struct {
        const char *name;
        double value;
    } names[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(names[i].name, v->str) == 0 && strlen(v->str) == v->len) {
            *out = names[i].value;
            return true;
        }
    return false;
}

static const char *put_real(proto_type t, const fl_json *v, fl_buf *out)
{
    double d = 0;
    bool narrow = t == PROTO_FLOAT;
    if (v->kind == FL_JNUMBER) {
        d = narrow ? (double)strtof(v->str, NULL) : strtod(v->str, NULL);
        if (!isfinite(d))
            return narrow ? "the number does not fit a float" : "the number does not fit a double";
    } else if (v->kind != FL_JSTRING || !special(v, &d)) {
        return "a number, \"NaN\", \"Infinity\" or \"-Infinity\" stands here";
    }
    float f = (float)d;
    uint64_t bits = 0;
    memcpy(&bits, narrow ? (void *)&f : (void *)&d, narrow ? sizeof f : sizeof d); /* little-endian hosts only */
    put_number(t, bits, out);
    return NULL;
}

static const char *put_bytes(const fl_json *v, fl_buf *out)
{
    static const char form[] = "bytes are written in base64 (standard alphabet, with padding)";
    if (v->kind != FL_JSTRING || v->len % 4)
        return form;
    size_t pad = 0;
    while (pad < 2 && pad < v->len && v->str[v->len - 1 - pad] == '=')
        pad++;
    size_t n = v->len / 4 * 3 - pad;
    sch_proto_put_varint(out, n);
    if (!fl_buf_reserve(out, FL_B64_ROOM(v->len) + 1))
        return NULL; /* the caller finds it full */
    if (fl_b64_decode((uint8_t *)out->p + out->len, v->str, v->len, FL_B64_STRICT) != (ptrdiff_t)n)
        return form;
    out->len += n;
    out->p[out->len] = '\0';
    return NULL;
}

static const char *put_enum(const proto_field *f, const fl_json *v, fl_buf *out)
{
    for (size_t i = 0; v->kind == FL_JSTRING && f->enumeration && i < f->enumeration->n; i++)
        if (strcmp(f->enumeration->symbols[i], v->str) == 0 && strlen(v->str) == v->len) {
            put_number(PROTO_ENUM, (uint64_t)(int64_t)f->enumeration->numbers[i], out);
            return NULL;
        }
    if (v->kind == FL_JSTRING)
        return "the text is no value of the enum";
    return put_integer(PROTO_INT32, v, out) ? "a value of the enum stands here, as text or number" : NULL;
}

const char *sch_proto_put_scalar(const proto_field *f, const fl_json *v, fl_buf *out)
{
    switch (types[f->type].shape) {
    case REAL:
        return put_real(f->type, v, out);
    case BOOLEAN:
        if (v->kind != FL_JTRUE && v->kind != FL_JFALSE)
            return "true or false stands here";
        sch_proto_put_varint(out, v->kind == FL_JTRUE);
        return NULL;
    case TEXT:
        if (v->kind != FL_JSTRING)
            return "a text stands here";
        sch_proto_put_varint(out, v->len);
        fl_buf_add(out, v->str, v->len);
        return NULL;
    case BYTES:
        return put_bytes(v, out);
    case ENUMERATION:
        return put_enum(f, v, out);
    case NO_SCALAR:
        return "a message stands here";
    default:
        return put_integer(f->type, v, out);
    }
}

/* ---- as JSON ---- */

/* The fewest digits that read back equal. */
static void print_real(double v, bool narrow, fl_buf *out)
{
    char text[40];
    if (!isfinite(v)) {
        fl_buf_addf(out, "\"%s\"", isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (int digits = narrow ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (narrow ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    fl_buf_adds(out, text);
}

static void print_number(proto_type t, uint64_t v, fl_buf *out)
{
    float f;
    double d;
    uint32_t low = (uint32_t)v;
    switch (t) {
    case PROTO_FLOAT:
        memcpy(&f, &low, sizeof f);
        print_real((double)f, true, out);
        break;
    case PROTO_DOUBLE:
        memcpy(&d, &v, sizeof d);
        print_real(d, false, out);
        break;
    case PROTO_BOOL:
        fl_buf_adds(out, v ? "true" : "false");
        break;
    case PROTO_UINT32:
    case PROTO_FIX32:
        fl_buf_addf(out, "%" PRIu32, low);
        break;
    case PROTO_UINT64:
    case PROTO_FIX64:
        fl_buf_addf(out, "\"%" PRIu64 "\"", v);
        break;
    default:
        if (types[t].shape == ZIGZAG)
            v = v >> 1 ^ (0 - (v & 1));
        if (types[t].bits == 64)
            fl_buf_addf(out, "\"%" PRId64 "\"", (int64_t)v);
        else
            fl_buf_addf(out, "%" PRId32, (int32_t)v); /* readers cut what is wider */
    }
}

static void print_enum(const proto_field *f, int32_t number, fl_buf *out)
{
    for (size_t i = 0; f->enumeration && i < f->enumeration->n; i++)
        if (f->enumeration->numbers[i] == number) {
            fl_buf_addf(out, "\"%s\"", f->enumeration->symbols[i]);
            return;
        }
    fl_buf_addf(out, "%" PRId32, number);
}

static const char *print_bytes(const proto_field *f, const proto_item *item, fl_buf *out)
{
    fl_jw jw;
    size_t bad;
    if (f->type == PROTO_STRING) {
        if (!fl_utf8_ok((const char *)item->p, item->n, &bad))
            return "the text is not UTF-8";
        fl_jw_init(&jw, out, false);
        fl_jw_string_n(&jw, (const char *)item->p, item->n);
        return NULL;
    }
    fl_buf_addc(out, '"');
    if (fl_buf_reserve(out, FL_B64_LEN(item->n) + 1)) {
        out->len += fl_b64_encode(out->p + out->len, item->p, item->n);
        out->p[out->len] = '\0';
    }
    fl_buf_addc(out, '"');
    return NULL;
}

const char *sch_proto_print_scalar(const proto_field *f, const proto_item *item, fl_buf *out)
{
    if (types[f->type].shape == NO_SCALAR)
        return "a message stands here";
    if (item->kind == PROTO_BYTES)
        return print_bytes(f, item, out);
    if (f->type == PROTO_ENUM)
        print_enum(f, (int32_t)item->value, out);
    else
        print_number(f->type, item->value, out);
    return NULL;
}
