/* records_read.c: a record in its form, up to the bytes that codecs take. */
#include "runtime/records_run.h"

static rt_code fatal(records_run *r, rt_code code)
{
    r->fatal = code != RT_OK;
    return code;
}

static rt_code from_hex(records_run *r, records_part *p, const char *s, size_t n)
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

static rt_code from_json(records_run *r, rt_part which, const fl_json *j)
{
    records_part *p = &r->parts[which];
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
            code = rt_fail(r->err, RT_BAD_INPUT, "%s: %s", records_part_names[which], text);
        }
    } else {
        code = rt_primitive_from_json(side->format, j, r->t->bytes, &p->in, r->err);
    }
    p->p = (const uint8_t *)p->in.p;
    p->n = p->in.len;
    return code;
}

static rt_code parse_line(records_run *r, const char *s, size_t n, const fl_json **out)
{
    fl_json_error e;
    r->line = s;
    r->a = fl_arena_new();
    *out = fl_json_parse(r->a, s, n, FL_JSON_ALLOW_NUL, &e);
    return *out ? RT_OK : rt_fail(r->err, RT_BAD_INPUT, "no JSON: %s (byte %u)", e.message, e.offset);
}

static rt_code envelope_part(records_run *r, rt_part which, const fl_json *j)
{
    records_part *p = &r->parts[which];
    const rt_side *side = &r->t->sides[which];
    p->there = true;
    p->null = j->kind == FL_JNULL;
    if (!side->codec && !side->format)
        return rt_fail(r->err, RT_BAD_INPUT, "the record has a %s, of which nothing is known here",
                       records_part_names[which]);
    if (p->null)
        return RT_OK;
    if (!r->t->decrypt)
        return from_json(r, which, j);
    if (j->kind != FL_JSTRING)
        return rt_fail(r->err, RT_BAD_INPUT, "the %s of the envelope must be hex in text", records_part_names[which]);
    return from_hex(r, p, j->str, j->len);
}

/* Headers that mean something here; all others pass. Those that name a schema hold bytes: in hex. */
static rt_code own_header(records_run *r, const fl_json *h)
{
    if (r->t->decrypt && h->kind == FL_JSTRING && strcmp(h->key, RT_HEADER_RULE) == 0)
        r->skip_rule = h->str;
    for (int i = 0; i < 2; i++) {
        records_part *p = &r->parts[i];
        if (strcmp(h->key, records_headers[i]) != 0)
            continue;
        if (!r->t->decrypt)
            return rt_fail(r->err, RT_REFUSED, "the record has the header %s already: is it encrypted?", h->key);
        if (h->kind != FL_JSTRING || !fl_buf_reserve(&p->header, h->len / 2 + 1) ||
            !fl_unhex((uint8_t *)p->header.p, h->str, h->len))
            return rt_fail(r->err, RT_BAD_INPUT, "the header %s of the envelope must be hex in text", h->key);
        p->header.len = h->len / 2;
        p->headed = true;
    }
    return RT_OK;
}

static rt_code envelope_headers(records_run *r, const fl_json *j)
{
    rt_code code = RT_OK;
    if (j->kind == FL_JNULL)
        return RT_OK;
    if (j->kind != FL_JOBJECT)
        return rt_fail(r->err, RT_BAD_INPUT, "the headers of the envelope must be an object");
    for (const fl_json *h = j->child; h && !code; h = h->next) {
        if (h->kind != FL_JSTRING && h->kind != FL_JNULL)
            return rt_fail(r->err, RT_BAD_INPUT, "the headers of the envelope must be texts");
        code = own_header(r, h);
    }
    r->headers = j;
    return code;
}

static rt_code read_envelope(records_run *r, const fl_json *j)
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
            code = rt_fail(r->err, RT_BAD_INPUT, "an envelope has key, value and headers, not what stands at byte %u",
                           m->key_from);
    }
    if (!code && !r->parts[r->t->part].there)
        code = rt_fail(r->err, RT_BAD_INPUT, "the envelope has no %s", records_part_names[r->t->part]);
    return code;
}

static rt_code read_raw(records_run *r, bool *end)
{
    records_part *p = &r->parts[r->t->part];
    const uint8_t *head;
    rt_code code = rt_source_take(&r->source, 4, &head, r->err);
    *end = !head;
    if (code || !head)
        return fatal(r, code);
    uint32_t n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    p->there = true;
    p->null = n == RECORDS_NULL_LENGTH;
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

static rt_code read_text(records_run *r, const char *s, size_t n)
{
    records_part *p = &r->parts[r->t->part];
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

rt_code records_read(records_run *r, bool *end)
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
