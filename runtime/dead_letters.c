/* dead_letters.c: onFailure DLQ, as the vendor's action has it: the record as it was goes to the rule's topic, with
 * headers that say which rule failed it, and then fails all the same.
 *
 * What failed to decrypt goes as it came, in ciphertext. What failed to encrypt is in clear, so it goes as JSON in
 * which the texts that rules would have sealed are redacted; where that cannot be said of each text, nothing of it
 * goes. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/records_run.h"

enum { MAX_HEADERS = 1000, OWN_HEADERS = 7 };

static rt_bytes bytes_of(const char *s)
{
    return (rt_bytes){(const uint8_t *)s, strlen(s)};
}

static rt_bytes whole_redacted(void)
{
    return bytes_of("\"" RT_REDACTED "\"");
}

/* Of a part that was to be encrypted. */
static rt_bytes redacted(records_run *r, rt_part which, fl_buf *out)
{
    records_part *p = &r->parts[which];
    rt_codec *c = r->t->sides[which].codec;
    rt_error why;
    if (!c)
        return (rt_bytes){p->p, p->n};
    if (!p->was) { /* the other part failed before this one's turn */
        p->was = p->p;
        p->nwas = p->n;
    }
    if (rt_codec_redact(c, p->was, p->nwas, out, &why) ||
        records_to_json(r, which, (const uint8_t *)out->p, out->len, rt_codec_schema(c)))
        return whole_redacted();
    fl_buf_clear(out);
    fl_buf_add(out, r->json.p, r->json.len);
    return (rt_bytes){(const uint8_t *)out->p, out->len};
}

static rt_bytes part_of(records_run *r, rt_part which, fl_buf *out)
{
    const records_part *p = &r->parts[which];
    if (!p->there || p->null)
        return (rt_bytes){0};
    if (!r->t->decrypt)
        return redacted(r, which, out);
    return p->was ? (rt_bytes){p->was, p->nwas} : (rt_bytes){p->p, p->n};
}

static size_t headers(records_run *r, const rt_failure *f, const char *why, rt_header *out)
{
    size_t n = 0;
    for (const fl_json *h = r->headers ? r->headers->child : NULL; h && n < MAX_HEADERS; h = h->next) {
        bool schema = strcmp(h->key, records_headers[0]) == 0 || strcmp(h->key, records_headers[1]) == 0;
        if (!schema && strncmp(h->key, "__rule.", 7) != 0)
            out[n++] = (rt_header){h->key,
                                   h->kind == FL_JSTRING ? (rt_bytes){(const uint8_t *)h->str, h->len} : (rt_bytes){0}};
    }
    for (int i = 0; i < 2; i++)
        if (r->t->decrypt && r->parts[i].headed)
            out[n++] = (rt_header){records_headers[i], {(const uint8_t *)r->parts[i].header.p, r->parts[i].header.len}};
    out[n++] = (rt_header){RT_HEADER_RULE, bytes_of(f->rule)};
    out[n++] = (rt_header){"__rule.mode", bytes_of(f->mode)};
    out[n++] = (rt_header){"__rule.subject", bytes_of(f->subject)};
    out[n++] = (rt_header){"__rule.topic", bytes_of(r->t->topic ? r->t->topic : "")};
    out[n++] = (rt_header){"__rule.exception", bytes_of(why)};
    return n;
}

rt_code records_bury(records_run *r, const char *why)
{
    rt_failure f;
    rt_codec *c = r->t->sides[r->failed_part].codec;
    if (!r->t->bury || !c || !rt_codec_failure(c, &f) || !f.dlq)
        return RT_OK;
    rt_header *h = fl_xcalloc(MAX_HEADERS + OWN_HEADERS, sizeof *h);
    fl_buf out[2];
    char reason[sizeof r->err->message];
    snprintf(reason, sizeof reason, "%s", why);
    for (int i = 0; i < 2; i++)
        fl_buf_init(&out[i], RECORDS_MAX_TEXT);
    rt_message m = {
        .key = part_of(r, RT_KEY, &out[RT_KEY]), .value = part_of(r, RT_VALUE, &out[RT_VALUE]), .headers = h};
    m.nheaders = headers(r, &f, reason, h);
    rt_error e;
    rt_code code = r->t->bury(r->t->bury_ctx, f.dlq, &m, &e);
    if (code)
        code = rt_fail(r->err, RT_IO, "%.300s; and the dead letter topic %.100s does not take it: %.100s", reason,
                       f.dlq, e.message);
    for (int i = 0; i < 2; i++)
        fl_buf_wipe(&out[i]);
    free(h);
    return code;
}
