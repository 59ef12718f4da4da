/* json_replace.c: what stands in place of a sealed string of JSON: the string decoded and worked; what was opened, with
 * the escapes that JSON wants. */
#include <string.h>

#include "runtime/format/json.h"
#include "runtime/format/json_scan.h"
#include "runtime/format/walk.h"

/* ---- strings decoded ---- */

/* One escape at *p, as UTF-8 at out; returns its length, 0: half a surrogate. The text is known to be well formed. */
static unsigned decode_escape(const uint8_t **p, const uint8_t *end, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *at = *p + 1;
    if (*at != 'u') {
        *out = to[(const char *)memchr(from, *at, 8) - from];
        *p = at + 1;
        return 1;
    }
    uint32_t cp = (uint32_t)json_hex4(at + 1, end);
    at += 5;
    if (cp >= 0xd800 && cp < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        int32_t low = json_hex4(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            at += 6;
        }
    }
    *p = at;
    return cp >= 0xd800 && cp < 0xe000 ? 0 : fl_utf8_put(out, cp);
}

bool rt_json_decode(rt_walk *w, uint32_t pc, const uint8_t *p, size_t n, fl_buf *b, bool *half)
{
    const uint8_t *end = p + n;
    *half = false;
    fl_buf_clear(b);
    if (!rt_walk_room(w, b, n + 4, pc))
        return false;
    while (p < end) {
        const uint8_t *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash ? slash : end) - p);
        memcpy(b->p + b->len, p, run);
        b->len += run;
        p += run;
        if (!slash)
            break;
        unsigned len = decode_escape(&p, end, b->p + b->len);
        if (!len) {
            *half = true;
            return true;
        }
        b->len += len;
    }
    return true;
}

/* ---- texts with the escapes that JSON wants ---- */

static char *put_escaped(char *out, uint8_t c)
{
    static const char short_ones[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *s = memchr(short_ones, c, 7);
    *out++ = '\\';
    if (s) {
        *out++ = letters[s - short_ones];
        return out;
    }
    memcpy(out, "u00", 3);
    fl_hex(out + 3, &c, 1);
    return out + 5;
}

/* The text as the inside of a JSON string, behind what is in out. */
static bool put_text(rt_walk *w, uint32_t pc, const fl_buf *text)
{
    if (!rt_walk_room(w, w->out, 6 * text->len + 2, pc))
        return false;
    char *out = w->out->p + w->out->len;
    const uint8_t *p = (const uint8_t *)text->p, *end = p + text->len;
    while (p < end) {
        size_t run = (size_t)(json_unescaped(p, end) - p);
        memcpy(out, p, run);
        out += run;
        p += run;
        if (p < end)
            out = put_escaped(out, *p++);
    }
    w->out->len = (size_t)(out - w->out->p);
    return true;
}

/* What was opened lies in out from `before` on. Where it needs escapes it is written again. */
static bool requote(rt_walk *w, const rt_edit *e, const rt_chain *chain, size_t before)
{
    const char *opened = w->out->p + before;
    size_t n = w->out->len - before, off;
    const uint8_t *from = (const uint8_t *)opened, *end = from + n, *odd = json_plain(from, from, end);
    if (odd == end)
        return true;
    if (!fl_utf8_ok(opened, n, &off))
        return rt_walk_fail(w, e->pc, chain, RT_BAD_INPUT,
                            "what the ciphertext holds is not UTF-8, so no JSON string can hold it");
    if (json_unescaped(odd, end) == end)
        return true;
    fl_buf *text = &w->scratch[1];
    fl_buf_clear(text);
    if (!rt_walk_room(w, text, n, e->pc))
        return false;
    memcpy(text->p, opened, n);
    text->len = n;
    if (!rt_walk_room(w, w->out, 6 * n + 2, e->pc)) /* while its length tells what is to be wiped */
        return false;
    w->out->len = before;
    return put_text(w, e->pc, text);
}

bool rt_json_replace(rt_walk *w, const rt_edit *e)
{
    const rt_chain *chain = &w->prog->chains[((const json_program *)w->prog)->states[e->pc].chain];
    rt_at at = {.pc = e->pc, .text = true, .chain = chain};
    const uint8_t *in = e->value;
    size_t n = (size_t)(e->to - e->value), before = w->out->len;
    bool half = false;
    if (e->count) {
        if (!rt_json_decode(w, e->pc, in, n, &w->scratch[0], &half))
            return false;
        in = (const uint8_t *)w->scratch[0].p;
        n = w->scratch[0].len;
    }
    if (half && !rt_walk_fail(w, e->pc, chain, RT_BAD_INPUT,
                              "the string holds half a surrogate, which cannot be written as UTF-8"))
        return false;
    rt_outcome done = half ? RT_LEFT : rt_walk_value(w, &at, in, n, NULL, w->out);
    if (done == RT_LEFT)
        return rt_walk_put(w, e->from, (size_t)(e->to - e->from), e->pc);
    return done == RT_WORKED && (!w->prog->opening || requote(w, e, chain, before));
}
