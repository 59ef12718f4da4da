/* records_write.c: a record as it goes out, in its form. */
#include "runtime/records_run.h"

static void add_hex(fl_buf *b, const uint8_t *p, size_t n)
{
    if (!fl_buf_reserve(b, 2 * n + 1))
        return;
    fl_hex(b->p + b->len, p, n);
    b->len += 2 * n;
}

rt_code records_to_json(records_run *r, rt_part which, const uint8_t *p, size_t n, const sch_schema *schema)
{
    sch_print_options opt = {.bytes = r->t->bytes};
    sch_value_error e;
    char text[448];
    fl_buf_clear(&r->json);
    if (!schema)
        return rt_primitive_to_json(r->t->sides[which].format, p, n, r->t->bytes, &r->json, r->err);
    if (sch_value_to_json(schema, p, n, &opt, &r->json, &e))
        return RT_OK;
    sch_value_error_text(&e, text, sizeof text);
    return rt_fail(r->err, RT_BAD_INPUT, "%s: %s", records_part_names[which], text);
}

static rt_code to_json(records_run *r, rt_part which)
{
    records_part *p = &r->parts[which];
    if (!p->null)
        return records_to_json(r, which, p->p, p->n, r->t->sides[which].codec ? p->schema : NULL);
    fl_buf_clear(&r->json);
    return fl_buf_adds(&r->json, "null") ? RT_OK : RT_BAD_INPUT;
}

static rt_code envelope_member(records_run *r, rt_part which, fl_jw *w)
{
    records_part *p = &r->parts[which];
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
    fl_jw_key(w, records_part_names[which]);
    if (p->null)
        fl_jw_null(w);
    else
        fl_jw_raw(w, r->json.p, r->json.len);
    return RT_OK;
}

/* Those that came, but for what named the schema of what was decrypted; and what names that of what was encrypted. */
static void write_headers(records_run *r, fl_jw *w)
{
    bool any = r->headers && !r->headers->child;
    for (const fl_json *h = r->headers ? r->headers->child : NULL; h; h = h->next)
        any |= strcmp(h->key, records_headers[0]) != 0 && strcmp(h->key, records_headers[1]) != 0;
    for (int i = 0; i < 2; i++)
        any |= !r->t->decrypt && r->parts[i].header.len;
    if (!any)
        return;
    fl_jw_key(w, "headers");
    fl_jw_object(w);
    for (const fl_json *h = r->headers ? r->headers->child : NULL; h; h = h->next) {
        if (strcmp(h->key, records_headers[0]) == 0 || strcmp(h->key, records_headers[1]) == 0)
            continue;
        fl_jw_key(w, h->key);
        fl_jw_node(w, h);
    }
    for (int i = 0; i < 2; i++) {
        const fl_buf *header = &r->parts[i].header;
        if (r->t->decrypt || !header->len)
            continue;
        fl_buf_clear(&r->json);
        add_hex(&r->json, (const uint8_t *)header->p, header->len);
        fl_jw_key(w, records_headers[i]);
        fl_jw_string_n(w, r->json.p, r->json.len);
    }
    fl_jw_end_object(w);
}

static rt_code write_envelope(records_run *r)
{
    fl_jw w;
    fl_jw_init(&w, &r->sink.buf, false);
    fl_jw_object(&w);
    rt_code code = envelope_member(r, RT_KEY, &w);
    if (!code)
        code = envelope_member(r, RT_VALUE, &w);
    if (!code)
        write_headers(r, &w);
    fl_jw_end_object(&w);
    fl_buf_addc(&r->sink.buf, '\n');
    return code;
}

static void write_raw(records_run *r, const records_part *p)
{
    uint32_t n = p->null ? RECORDS_NULL_LENGTH : (uint32_t)p->n;
    char head[4] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    fl_buf_add(&r->sink.buf, head, 4);
    if (!p->null)
        fl_buf_add(&r->sink.buf, p->p, p->n);
}

static rt_code write_line(records_run *r, const records_part *p)
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

rt_code records_write(records_run *r)
{
    const records_part *p = &r->parts[r->t->part];
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
