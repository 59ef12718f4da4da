/* convert.c: records through the converter that a connector's file gives a side. */
#include <string.h>

#include "runtime/primitive.h"
#include "runtime/testing/converter.h"

static rt_code codec(rt_converter *v, rt_world *w, rt_error *err)
{
    if (v->codec)
        return RT_OK;
    return rt_codec_open(w->registry, v->client.keys, &v->subject, &v->options, &v->codec, err);
}

static rt_bytes keep(rt_world *w, const fl_buf *b)
{
    return (rt_bytes){(const uint8_t *)fl_strndup(w->a, b->p ? b->p : "", b->len), b->len};
}

/* What JsonConverter (schemas off) and a Struct's text hold: every value, readable. */
static rt_code as_json(rt_converter *v, rt_world *w, rt_bytes plain, fl_buf *out, rt_error *err)
{
    sch_value_error e;
    char why[512];
    rt_codec *writer;
    if (!v->side->subject.subject)
        return rt_primitive_to_json(v->side->format, plain.p, plain.n, SCH_BYTES_TEXT, out, err);
    rt_code code = rt_codec_open(w->registry, w->everybody.keys, &v->side->subject, NULL, &writer, err);
    if (code)
        return code;
    if (!sch_value_to_json(rt_codec_schema(writer), plain.p, plain.n, NULL, out, &e)) {
        sch_value_error_text(&e, why, sizeof why);
        code = rt_fail(err, RT_BAD_INPUT, "%s", why);
    }
    rt_codec_close(writer);
    return code;
}

rt_code rt_convert_write(rt_connector *c, rt_world *w, int side, rt_bytes plain, rt_bytes *wire, rt_error *err)
{
    rt_converter *v = &c->side[side];
    *wire = plain;
    if (v->broken)
        return rt_fail(err, RT_REFUSED, "%s", v->broken);
    if (!plain.p || v->kind == RT_CONV_PLAIN)
        return RT_OK;
    if (v->kind == RT_CONV_BYTES)
        return rt_fail(err, RT_REFUSED, "ByteArrayConverter takes no structured record");
    fl_buf out;
    fl_buf_init(&out, RT_TEST_RECORD_MAX);
    rt_code code;
    if (v->kind == RT_CONV_REGISTRY) {
        code = codec(v, w, err);
        if (!code)
            code = rt_encrypt(v->codec, plain.p, plain.n, &out, err);
    } else {
        code = as_json(v, w, plain, &out, err);
    }
    if (!code)
        *wire = keep(w, &out);
    fl_buf_free(&out);
    return code;
}

rt_code rt_convert_read(rt_connector *c, rt_world *w, int side, rt_bytes wire, rt_bytes *got, rt_error *err)
{
    rt_converter *v = &c->side[side];
    *got = wire;
    if (v->broken)
        return rt_fail(err, RT_REFUSED, "%s", v->broken);
    if (!wire.p || v->kind == RT_CONV_PLAIN || v->kind == RT_CONV_TEXT || v->kind == RT_CONV_BYTES)
        return RT_OK;
    if (v->kind == RT_CONV_JSON)
        return rt_fail(err, RT_REFUSED, "%s: JsonConverter reads no Avro", side == RT_KEY_SIDE ? "key" : "value");
    fl_buf out;
    int id;
    fl_buf_init(&out, RT_TEST_RECORD_MAX);
    rt_code code = codec(v, w, err);
    if (!code)
        code = rt_decrypt(v->codec, wire.p, wire.n, &out, &id, err);
    if (!code)
        *got = keep(w, &out);
    fl_buf_free(&out);
    return code;
}
