/* records.c: streams of records in their forms, through codecs. */
#include "runtime/records.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/format/format.h"
#include "runtime/primitive.h"

#define MAX_TEXT    (2 * (size_t)RT_MAX_RECORD + 4096) /* a line: hex doubles a record */
#define NULL_LENGTH 0xFFFFFFFFu

static const char *const part_names[] = {"key", "value"};
static const char *const format_names[] = {"json", "hex", "raw", "envelope"};

bool rt_format_parse(const char *name, rt_format *out)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++)
        if (strcmp(name, format_names[i]) == 0) {
            *out = (rt_format)i;
            return true;
        }
    return false;
}

typedef struct part { /* of the record at hand */
    bool there, null;
    const uint8_t *p; /* what was read: body or wire; then what the codec made of it */
    size_t n;
    int id;         /* schema id of a record that was read */
    fl_buf in, out; /* decoded input, transformed output; used again */
} part;

typedef struct run {
    const rt_transcode *t;
    rt_source source;
    rt_sink sink;
    part parts[2];
    fl_arena *a;            /* of the record at hand, NULL where its form needs none */
    const fl_json *headers; /* of the record at hand, or NULL */
    const char *line;       /* the text that it was read from */
    fl_buf json;
    bool fatal; /* the input itself is broken: nothing can be skipped */
    rt_error *err;
} run;

/* ---- reading ---- */

static rt_code fatal(run *r, rt_code code)
{
    r->fatal = code != RT_OK;
    return code;
}

static rt_code from_hex(run *r, part *p, const char *s, size_t n)
{
    fl_buf_clear(&p->in);
    if (!fl_buf_reserve(&p->in, n / 2) || !fl_unhex((uint8_t *)p->in.p, s, n))
        return rt_fail(r->err, RT_BAD_INPUT, "the record is not hexadecimal");
    p->p = (const uint8_t *)p->in.p;
    p->n = n / 2;
    return RT_OK;
}

/* JSON in JSON: the text is the body, as it is. */
static bool is_text(const rt_side *side)
{
    return side->codec && rt_codec_schema(side->codec)->format == SCH_JSON;
}

static rt_code from_json(run *r, rt_part which, const fl_json *j)
{
    part *p = &r->parts[which];
    const rt_side *side = &r->t->sides[which];
    if (is_text(side)) {
        p->p = (const uint8_t *)r->line + j->from;
        p->n = j->to - j->from;
        return RT_OK;
    }
    fl_buf_clear(&p->in);
    rt_code code = RT_OK;
    if (side->codec) {
        sch_value_error e;
        char text[448];
        if (!sch_value_from_json(rt_codec_schema(side->codec), j, r->t->bytes, &p->in, &e)) {
            sch_value_error_text(&e, text, sizeof text);
            code = rt_fail(r->err, RT_BAD_INPUT, "%s: %s", part_names[which], text);
        }
    } else {
        code = rt_primitive_from_json(side->format, j, r->t->bytes, &p->in, r->err);
    }
    p->p = (const uint8_t *)p->in.p;
    p->n = p->in.len;
    return code;
}

static rt_code parse_line(run *r, const char *s, size_t n, const fl_json **out)
{
    fl_json_error e;
    r->line = s;
    r->a = fl_arena_new();
    *out = fl_json_parse(r->a, s, n, FL_JSON_ALLOW_NUL, &e);
    return *out ? RT_OK : rt_fail(r->err, RT_BAD_INPUT, "no JSON: %s (byte %u)", e.message, e.offset);
}

static rt_code envelope_part(run *r, rt_part which, const fl_json *j)
{
    part *p = &r->parts[which];
    const rt_side *side = &r->t->sides[which];
    p->there = true;
    p->null = j->kind == FL_JNULL;
    if (!side->codec && !side->format)
        return rt_fail(r->err, RT_BAD_INPUT, "the record has a %s, of which nothing is known here", part_names[which]);
    if (p->null)
        return RT_OK;
    if (!r->t->decrypt)
        return from_json(r, which, j);
    if (j->kind != FL_JSTRING)
        return rt_fail(r->err, RT_BAD_INPUT, "the %s of the envelope must be hex in text", part_names[which]);
    return from_hex(r, p, j->str, j->len);
}

static rt_code envelope_headers(run *r, const fl_json *j)
{
    if (j->kind == FL_JNULL)
        return RT_OK;
    if (j->kind != FL_JOBJECT)
        return rt_fail(r->err, RT_BAD_INPUT, "the headers of the envelope must be an object");
    for (const fl_json *h = j->child; h; h = h->next) {
        if (h->kind != FL_JSTRING && h->kind != FL_JNULL)
            return rt_fail(r->err, RT_BAD_INPUT, "the headers of the envelope must be texts");
        if (strcmp(h->key, "__value_schema_id") == 0 || strcmp(h->key, "__key_schema_id") == 0)
            return rt_fail(r->err, RT_REFUSED,
                           "the record names its schema in a header, which this version of flec does not read");
    }
    r->headers = j;
    return RT_OK;
}

static rt_code read_envelope(run *r, const fl_json *j)
{
    rt_code code = RT_OK;
    if (j->kind != FL_JOBJECT)
        return rt_fail(r->err, RT_BAD_INPUT, "an envelope must be a JSON object");
    for (const fl_json *m = j->child; m && !code; m = m->next) {
        if (strcmp(m->key, "key") == 0)
            code = envelope_part(r, RT_KEY, m);
        else if (strcmp(m->key, "value") == 0)
            code = envelope_part(r, RT_VALUE, m);
        else if (strcmp(m->key, "headers") == 0)
            code = envelope_headers(r, m);
        else
            code = rt_fail(r->err, RT_BAD_INPUT, "an envelope has key, value and headers, not %.60s", m->key);
    }
    if (!code && !r->parts[r->t->part].there)
        code = rt_fail(r->err, RT_BAD_INPUT, "the envelope has no %s", part_names[r->t->part]);
    return code;
}

static rt_code read_raw(run *r, bool *end)
{
    part *p = &r->parts[r->t->part];
    const uint8_t *head;
    rt_code code = rt_source_take(&r->source, 4, &head, r->err);
    *end = !head;
    if (code || !head)
        return fatal(r, code);
    uint32_t n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    p->there = true;
    p->null = n == NULL_LENGTH;
    if (p->null)
        return RT_OK;
    p->n = n;
    code = rt_source_take(&r->source, n, &p->p, r->err);
    if (!code && !p->p)
        code = rt_fail(r->err, RT_BAD_INPUT, "the input ends inside a record: 0 of %u bytes are there", n);
    return fatal(r, code);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static rt_code read_text(run *r, const char *s, size_t n)
{
    part *p = &r->parts[r->t->part];
    const fl_json *j;
    rt_code code;
    bool text = r->t->from == RT_JSON && is_text(&r->t->sides[r->t->part]);
    for (; text && n && is_blank(*s); s++)
        n--;
    while (text && n && is_blank(s[n - 1]))
        n--;
    if (r->t->from != RT_ENVELOPE) {
        p->there = true;
        p->null = n == 4 && memcmp(s, "null", 4) == 0;
        if (p->null)
            return RT_OK;
    }
    if (r->t->from == RT_HEX)
        return from_hex(r, p, s, n);
    if (text) { /* what is no JSON the codec refuses */
        p->p = (const uint8_t *)s;
        p->n = n;
        return RT_OK;
    }
    code = parse_line(r, s, n, &j);
    if (code)
        return code;
    if (r->t->from == RT_ENVELOPE)
        return read_envelope(r, j);
    p->null = j->kind == FL_JNULL;
    return p->null ? RT_OK : from_json(r, r->t->part, j);
}

static bool blank(const char *s, size_t n)
{
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return n == 0;
}

static rt_code read_record(run *r, bool *end)
{
    const char *s;
    size_t n;
    if (r->t->from == RT_RAW)
        return read_raw(r, end);
    do { /* an empty line of JSON is no record; one of hex is an empty body */
        rt_code code = rt_source_line(&r->source, &s, &n, r->err);
        *end = !s;
        if (code || !s)
            return fatal(r, code);
    } while (r->t->from != RT_HEX && blank(s, n));
    return read_text(r, s, n);
}

/* ---- the codecs ---- */

static rt_code transform(run *r, rt_part which)
{
    part *p = &r->parts[which];
    rt_codec *c = r->t->sides[which].codec;
    if (!p->there || p->null || !c)
        return RT_OK;
    rt_code code =
        r->t->decrypt ? rt_decrypt(c, p->p, p->n, &p->out, &p->id, r->err) : rt_encrypt(c, p->p, p->n, &p->out, r->err);
    p->p = (const uint8_t *)p->out.p;
    p->n = p->out.len;
    return code;
}

/* ---- writing ---- */

static void add_hex(fl_buf *b, const uint8_t *p, size_t n)
{
    if (!fl_buf_reserve(b, 2 * n + 1))
        return;
    fl_hex(b->p + b->len, p, n);
    b->len += 2 * n;
}

/* The part as JSON, into r->json. */
static rt_code to_json(run *r, rt_part which)
{
    part *p = &r->parts[which];
    rt_codec *c = r->t->sides[which].codec;
    fl_buf_clear(&r->json);
    if (p->null)
        return fl_buf_adds(&r->json, "null") ? RT_OK : RT_BAD_INPUT;
    if (!c)
        return rt_primitive_to_json(r->t->sides[which].format, p->p, p->n, r->t->bytes, &r->json, r->err);
    sch_print_options opt = {.bytes = r->t->bytes};
    sch_value_error e;
    char text[448];
    if (sch_value_to_json(rt_codec_schema_for(c, p->id), p->p, p->n, &opt, &r->json, &e))
        return RT_OK;
    sch_value_error_text(&e, text, sizeof text);
    return rt_fail(r->err, RT_BAD_INPUT, "%s: %s", part_names[which], text);
}

static rt_code envelope_member(run *r, rt_part which, fl_jw *w)
{
    part *p = &r->parts[which];
    if (!p->there)
        return RT_OK;
    if (r->t->decrypt) {
        rt_code code = to_json(r, which);
        if (code)
            return code;
    } else {
        fl_buf_clear(&r->json);
        fl_buf_addc(&r->json, '"');
        add_hex(&r->json, p->p, p->n);
        fl_buf_addc(&r->json, '"');
    }
    fl_jw_key(w, part_names[which]);
    if (p->null)
        fl_jw_null(w);
    else
        fl_jw_raw(w, r->json.p, r->json.len);
    return RT_OK;
}

static rt_code write_envelope(run *r)
{
    fl_jw w;
    fl_jw_init(&w, &r->sink.buf, false);
    fl_jw_object(&w);
    rt_code code = envelope_member(r, RT_KEY, &w);
    if (!code)
        code = envelope_member(r, RT_VALUE, &w);
    if (!code && r->headers) {
        fl_jw_key(&w, "headers");
        fl_jw_node(&w, r->headers);
    }
    fl_jw_end_object(&w);
    fl_buf_addc(&r->sink.buf, '\n');
    return code;
}

static void write_raw(run *r, const part *p)
{
    uint32_t n = p->null ? NULL_LENGTH : (uint32_t)p->n;
    char head[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    fl_buf_add(&r->sink.buf, head, 4);
    if (!p->null)
        fl_buf_add(&r->sink.buf, p->p, p->n);
}

static rt_code write_line(run *r, const part *p)
{
    rt_code code = RT_OK;
    if (p->null) {
        fl_buf_adds(&r->sink.buf, "null");
    } else if (r->t->to == RT_HEX) {
        add_hex(&r->sink.buf, p->p, p->n);
    } else {
        code = to_json(r, r->t->part);
        fl_buf_add(&r->sink.buf, r->json.p, r->json.len);
    }
    fl_buf_addc(&r->sink.buf, '\n');
    return code;
}

static rt_code write_record(run *r)
{
    const part *p = &r->parts[r->t->part];
    size_t before = r->sink.buf.len;
    rt_code code = RT_OK;
    if (r->t->to == RT_RAW)
        write_raw(r, p);
    else
        code = r->t->to == RT_ENVELOPE ? write_envelope(r) : write_line(r, p);
    if (!code && r->sink.buf.full)
        code = rt_fail(r->err, RT_BAD_INPUT, "the record is larger than what is allowed");
    if (code) { /* no half record on the way out */
        r->sink.buf.len = before;
        r->sink.buf.full = false;
    }
    return code;
}

/* ---- the run ---- */

static rt_code one(run *r, bool *end)
{
    for (int i = 0; i < 2; i++)
        r->parts[i].there = r->parts[i].null = false;
    r->headers = NULL;
    rt_code code = read_record(r, end);
    if (code || *end)
        return code;
    code = transform(r, RT_KEY);
    if (!code)
        code = transform(r, RT_VALUE);
    return code ? code : write_record(r);
}

static bool may_skip(const run *r, rt_code code)
{
    return r->t->skip && !r->fatal && code != RT_IO;
}

/* Reads, transforms and writes one record; a failure that may be skipped is counted and reported. */
static rt_code next(run *r, rt_transcoded *count, bool *end)
{
    rt_code code = one(r, end);
    fl_arena_free(r->a);
    r->a = NULL;
    if (*end && !code)
        return RT_OK;
    uint64_t number = count->done + count->failed + 1;
    if (!code) {
        count->done++;
        return rt_sink_check(&r->sink, r->err);
    }
    rt_error what = *r->err;
    if (!may_skip(r, code))
        return rt_fail(r->err, code, "record %" PRIu64 ": %.480s", number, what.message);
    count->failed++;
    fl_log(FL_LOG_ERROR, "record %" PRIu64 ": %s", number, what.message);
    return RT_OK;
}

static void open_run(run *r)
{
    rt_sink_init(&r->sink, r->t->out, 3 * MAX_TEXT);
    rt_source_init(&r->source, r->t->in, MAX_TEXT, &r->sink);
    r->source.stop = r->t->stop;
    fl_buf_init(&r->json, 3 * MAX_TEXT);
    for (int i = 0; i < 2; i++) {
        fl_buf_init(&r->parts[i].in, RT_MAX_RECORD);
        fl_buf_init(&r->parts[i].out, RT_MAX_RECORD);
    }
}

static void close_run(run *r)
{
    for (int i = 0; i < 2; i++) {
        fl_buf_wipe(&r->parts[i].in);
        fl_buf_wipe(&r->parts[i].out);
    }
    fl_buf_wipe(&r->json);
    rt_source_free(&r->source);
    rt_sink_free(&r->sink);
}

rt_code rt_transcode_run(const rt_transcode *t, rt_transcoded *count, rt_error *err)
{
    rt_error own = {0};
    run r = {.t = t, .err = err ? err : &own};
    bool end = false;
    rt_code code = RT_OK;
    *count = (rt_transcoded){0};
    open_run(&r);
    while (!code && !end && !(t->stop && t->stop->signal))
        code = next(&r, count, &end);
    if (r.source.stopped) /* inside a record, which is then as good as not there */
        code = RT_OK;
    rt_error flush; /* what went before the record that stopped the run is written */
    rt_code last = rt_sink_flush(&r.sink, code ? &flush : r.err);
    close_run(&r);
    return code ? code : last;
}
