/* avro_print.c: an encoded Avro datum as JSON. */
#include "schema/avro_walk.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct printer {
    fl_buf *out;
    sch_bytes_mode bytes;
} printer;

static bool check_full(avro_walk *w, const fl_buf *out)
{
    if (out->full)
        return sch_value_fail(w->err, &w->way, w->at, "as JSON the record is larger than %zu bytes", out->max);
    return true;
}

/* ---- texts ---- */

static bool print_utf8(avro_walk *w, fl_buf *out, size_t at, size_t len, const char *what)
{
    const char *s = (const char *)w->p + at;
    size_t bad;
    if (!fl_utf8_ok(s, len, &bad))
        return sch_value_fail(w->err, &w->way, at + bad, "%s is not UTF-8", what);
    fl_jw jw;
    fl_jw_init(&jw, out, false);
    fl_jw_string_n(&jw, s, len);
    return true;
}

/* One code point a byte, escaped where JSON must be; returns how many bytes of out. */
static size_t latin1(char out[7], uint8_t c)
{
    if (c < 0x20) {
        memcpy(out, "\\u00", 4);
        fl_hex(out + 4, &c, 1); /* its NUL lies in the seventh */
        return 6;
    }
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    return fl_utf8_put(out, c);
}

static void print_latin1(fl_buf *out, const uint8_t *p, size_t n)
{
    char piece[7];
    fl_buf_addc(out, '"');
    for (size_t i = 0; i < n && !out->full; i++)
        fl_buf_add(out, piece, latin1(piece, p[i]));
    fl_buf_addc(out, '"');
}

static void print_base64(fl_buf *out, const uint8_t *p, size_t n)
{
    fl_buf_addc(out, '"');
    if (fl_buf_reserve(out, FL_B64_LEN(n))) {
        out->len += fl_b64_encode(out->p + out->len, p, n);
        out->p[out->len] = '\0';
    }
    fl_buf_addc(out, '"');
}

/* ---- numbers ---- */

static void add_quoted(fl_buf *out, const char *s)
{
    fl_buf_addc(out, '"');
    fl_buf_adds(out, s);
    fl_buf_addc(out, '"');
}

/* The fewest digits that read back equal; always seen to be no integer. */
static void print_real(fl_buf *out, double v, bool is_float)
{
    if (!isfinite(v)) {
        add_quoted(out, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
        return;
    }
    char text[40];
    for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (is_float ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    fl_buf_adds(out, text);
    if (!strpbrk(text, ".e"))
        fl_buf_adds(out, ".0");
}

static double get_float(const uint8_t *p)
{
    uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static double get_double(const uint8_t *p)
{
    uint64_t bits = 0;
    for (int i = 7; i >= 0; i--)
        bits = bits << 8 | p[i];
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static void print_int(fl_buf *out, int64_t v)
{
    char text[24];
    char *p = text + sizeof text;
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (v < 0)
        *--p = '-';
    fl_buf_add(out, p, (size_t)(text + sizeof text - p));
}

/* ---- the walk ---- */

static bool on_leaf(avro_walk *w, const spot *s)
{
    printer *pr = w->ctx;
    const uint8_t *p = w->p + s->at;
    switch (s->type->kind) {
    case SCH_NULL:
        fl_buf_add(pr->out, "null", 4);
        break;
    case SCH_BOOLEAN:
        fl_buf_adds(pr->out, s->number ? "true" : "false");
        break;
    case SCH_INT:
    case SCH_LONG:
        print_int(pr->out, s->number);
        break;
    case SCH_FLOAT:
        print_real(pr->out, get_float(p), true);
        break;
    case SCH_DOUBLE:
        print_real(pr->out, get_double(p), false);
        break;
    case SCH_ENUM:
        add_quoted(pr->out, s->type->symbols[s->number]);
        break;
    case SCH_STRING:
        if (!print_utf8(w, pr->out, s->at, s->len, "a string"))
            return false;
        break;
    default: /* bytes, fixed */
        (pr->bytes == SCH_BYTES_BASE64 ? print_base64 : print_latin1)(pr->out, p, s->len);
    }
    return check_full(w, pr->out);
}

static bool on_open(avro_walk *w, const spot *s)
{
    printer *pr = w->ctx;
    fl_buf_addc(pr->out, s->type->kind == SCH_ARRAY ? '[' : '{');
    return check_full(w, pr->out);
}

static bool on_close(avro_walk *w, const sch_type *t)
{
    printer *pr = w->ctx;
    fl_buf_addc(pr->out, t->kind == SCH_ARRAY ? ']' : '}');
    return check_full(w, pr->out);
}

/* Avro's names need no escapes. */
static bool on_field(avro_walk *w, const sch_field *f, size_t index)
{
    printer *pr = w->ctx;
    if (index)
        fl_buf_addc(pr->out, ',');
    add_quoted(pr->out, f->name);
    fl_buf_addc(pr->out, ':');
    return true;
}

static bool on_item(avro_walk *w, size_t index)
{
    printer *pr = w->ctx;
    if (index)
        fl_buf_addc(pr->out, ',');
    return true;
}

static bool on_entry(avro_walk *w, size_t key, size_t len, size_t index)
{
    printer *pr = w->ctx;
    if (memchr(w->p + key, '\0', len))
        return sch_value_fail(w->err, &w->way, key, "a key of a map holds U+0000, which readers of JSON refuse");
    if (index)
        fl_buf_addc(pr->out, ',');
    if (!print_utf8(w, pr->out, key, len, "a key of a map"))
        return false;
    fl_buf_addc(pr->out, ':');
    return true;
}

bool sch_avro_to_json_type(const sch_type *t, const uint8_t *body, size_t len, const sch_print_options *opt,
                           fl_buf *out, sch_value_error *err)
{
    static const walk_ops ops = {on_leaf, on_open, on_close, on_field, on_item, on_entry};
    size_t start = out->len;
    bool full = out->full;
    printer pr = {out, opt ? opt->bytes : SCH_BYTES_TEXT};
    avro_walk w = {.ops = &ops, .ctx = &pr, .err = err};
    if (sch_walk(&w, t, body, len, opt && opt->allow_trailing))
        return true;
    if (out->cap)
        out->p[start] = '\0';
    out->len = start;
    out->full = full;
    return false;
}

bool sch_avro_to_json(const sch_schema *s, const uint8_t *body, size_t len, const sch_print_options *opt, fl_buf *out,
                      sch_value_error *err)
{
    return sch_avro_to_json_type(s->root, body, len, opt, out, err);
}
