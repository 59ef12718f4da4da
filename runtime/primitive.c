/* primitive.c: Kafka's primitive serializers, by way of the Avro type that has the same JSON. */
#include "runtime/primitive.h"

#include <string.h>

typedef struct primitive {
    const char *format;
    sch_type type;
    size_t size; /* 0: any, and no number */
} primitive;

static const primitive primitives[] = {
    {"string", {.kind = SCH_STRING}, 0}, {"bytes", {.kind = SCH_BYTES}, 0}, {"short", {.kind = SCH_INT}, 2},
    {"integer", {.kind = SCH_INT}, 4},   {"long", {.kind = SCH_LONG}, 8},   {"float", {.kind = SCH_FLOAT}, 4},
    {"double", {.kind = SCH_DOUBLE}, 8},
};

static const primitive *find(const char *format)
{
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
        if (strcmp(primitives[i].format, format) == 0)
            return &primitives[i];
    return NULL;
}

static rt_code unknown(const char *format, rt_error *err)
{
    return rt_fail(err, RT_REFUSED, "format %s is beyond this version of flec", format);
}

static bool is_float(const primitive *p)
{
    return p->type.kind == SCH_FLOAT || p->type.kind == SCH_DOUBLE;
}

static uint64_t varint(const char *p, size_t n, size_t *len)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < n && i < 10; i++) {
        v |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80))
            break;
    }
    *len = i + 1;
    return v;
}

static void put_varint(fl_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        fl_buf_addc(out, (char)(v | 0x80));
    fl_buf_addc(out, (char)v);
}

/* ---- from JSON ---- */

/* An Avro datum (length and bytes, zigzag, little-endian) as Kafka writes it (bytes, big-endian). */
static bool from_avro(const primitive *p, const fl_buf *avro, fl_buf *out)
{
    size_t len;
    if (is_float(p)) {
        for (size_t i = p->size; i > 0; i--)
            fl_buf_addc(out, avro->p[i - 1]);
        return true;
    }
    uint64_t v = varint(avro->p, avro->len, &len);
    if (!p->size)
        return fl_buf_add(out, avro->p + len, avro->len - len);
    int64_t n = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    if (p->size == 2 && (n < INT16_MIN || n > INT16_MAX))
        return false;
    for (size_t i = p->size; i > 0; i--)
        fl_buf_addc(out, (char)((uint64_t)n >> (8 * (i - 1))));
    return true;
}

rt_code rt_primitive_from_json(const char *format, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                               rt_error *err)
{
    const primitive *p = find(format);
    if (!p)
        return unknown(format, err);
    sch_value_error e;
    fl_buf avro;
    fl_buf_init(&avro, out->max);
    rt_code code = RT_OK;
    if (!sch_json_to_avro_type(&p->type, value, mode, &avro, &e))
        code = rt_fail(err, RT_BAD_INPUT, "format %s: %s", format, e.message);
    else if (!from_avro(p, &avro, out))
        code = rt_fail(err, RT_BAD_INPUT, "format %s: the number is out of range", format);
    fl_buf_wipe(&avro);
    return code;
}

/* ---- to JSON ---- */

static void to_avro(const primitive *p, const uint8_t *in, size_t n, fl_buf *avro)
{
    if (!p->size) {
        put_varint(avro, (uint64_t)n << 1);
        fl_buf_add(avro, in, n);
        return;
    }
    uint64_t v = p->size < 8 && (in[0] & 0x80) && !is_float(p) ? UINT64_MAX : 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | in[i];
    if (is_float(p))
        for (size_t i = 0; i < n; i++)
            fl_buf_addc(avro, (char)(v >> (8 * i)));
    else
        put_varint(avro, (v << 1) ^ -(v >> 63));
}

rt_code rt_primitive_to_json(const char *format, const uint8_t *in, size_t n, sch_bytes_mode mode, fl_buf *out,
                             rt_error *err)
{
    const primitive *p = find(format);
    if (!p)
        return unknown(format, err);
    if (p->size && n != p->size)
        return rt_fail(err, RT_BAD_INPUT, "format %s: %zu bytes instead of %zu", format, n, p->size);
    sch_value_error e;
    sch_print_options opt = {.bytes = mode};
    fl_buf avro;
    fl_buf_init(&avro, n + 16);
    to_avro(p, in, n, &avro);
    rt_code code = RT_OK;
    if (!sch_avro_to_json_type(&p->type, (const uint8_t *)avro.p, avro.len, &opt, out, &e))
        code = rt_fail(err, RT_BAD_INPUT, "format %s: %s", format, e.message);
    fl_buf_wipe(&avro);
    return code;
}
