/* json_write.c: JSON out, member by member. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"

void fl_jw_init(fl_jw *w, fl_buf *out, bool pretty)
{
    *w = (fl_jw){.out = out, .pretty = pretty, .first = true};
}

static void new_line(fl_jw *w)
{
    fl_buf_addc(w->out, '\n');
    for (int i = 0; i < w->depth; i++)
        fl_buf_adds(w->out, "  ");
}

/* What stands between the last value and the next key or element. */
static void separate(fl_jw *w)
{
    if (!w->first)
        fl_buf_addc(w->out, ',');
    if (w->pretty && w->depth > 0)
        new_line(w);
    w->first = false;
}

static void begin_value(fl_jw *w)
{
    if (w->after_key)
        w->after_key = false;
    else
        separate(w);
}

static void open_with(fl_jw *w, char c)
{
    begin_value(w);
    fl_buf_addc(w->out, c);
    w->depth++;
    w->first = true;
}

static void close_with(fl_jw *w, char c)
{
    w->depth--;
    if (w->pretty && !w->first)
        new_line(w);
    w->first = false;
    fl_buf_addc(w->out, c);
}

void fl_jw_object(fl_jw *w)
{
    open_with(w, '{');
}

void fl_jw_end_object(fl_jw *w)
{
    close_with(w, '}');
}

void fl_jw_array(fl_jw *w)
{
    open_with(w, '[');
}

void fl_jw_end_array(fl_jw *w)
{
    close_with(w, ']');
}

static bool must_escape(const fl_jw *w, uint32_t cp)
{
    if (cp < 0x20 || cp == '"' || cp == '\\')
        return true;
    return w->guarded && ((cp >= 0x7f && cp < 0xa0) || fl_bidi_control(cp));
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Has one of eight bytes its high bit, or is below a space, a quote, a backslash or DEL? Now and then it says so of
 * others, too. */
static uint64_t odd(uint64_t eight)
{
    uint64_t quote = eight ^ EACH('"'), backslash = eight ^ EACH('\\'), del = eight ^ EACH(0x7f);
    uint64_t found = (eight - EACH(' ')) | (quote - EACH(1)) | (backslash - EACH(1)) | (del - EACH(1)) | eight;
    return found & EACH(0x80);
}

/* How many bytes are ASCII that stands for itself, guarded or not. */
static size_t plain_run(const char *s, size_t n)
{
    size_t i = 0;
    uint64_t eight;
    for (; n - i >= 8; i += 8) {
        memcpy(&eight, s + i, 8);
        if (odd(eight))
            break;
    }
    while (i < n && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
        i++;
    return i;
}

static void quote_plain(fl_buf *out, const char *s, size_t n)
{
    if (!fl_buf_reserve(out, n + 2))
        return;
    char *p = out->p + out->len;
    p[0] = '"';
    memcpy(p + 1, s, n);
    p[n + 1] = '"';
    p[n + 2] = '\0';
    out->len += n + 2;
}

enum { LONGEST = 6 }; /* bytes that one character takes */

static size_t escape(char *out, uint32_t c)
{
    static const char from[] = "\b\f\n\r\t", to[] = "bfnrt", digit[] = "0123456789abcdef";
    const char *p = c && c < ' ' ? strchr(from, (int)c) : NULL;
    out[0] = '\\';
    out[1] = p ? to[p - from] : 'u';
    for (int i = 0; i < 4 && !p; i++)
        out[2 + i] = digit[c >> (12 - 4 * i) & 15];
    return p ? 2 : 6;
}

/* One character that is not plain, at s, of at most n bytes; returns how many it takes of them. Bytes that are no UTF-8
 * become U+FFFD. */
static size_t put_odd(const fl_jw *w, const char *s, size_t n, char *out, size_t *len)
{
    uint32_t cp;
    unsigned step = fl_utf8_step(s, n, &cp);
    if (step && must_escape(w, cp)) {
        *len = escape(out, cp);
        return step;
    }
    *len = step ? step : 3;
    memcpy(out, step ? s : "\xEF\xBF\xBD", *len);
    return step ? step : 1;
}

/* A schema in JSON is full of quotes: what is escaped is put together in a block. */
static void quote(fl_jw *w, const char *s, size_t n)
{
    char block[512];
    size_t m = 0, odd_len;
    if (plain_run(s, n) == n) {
        quote_plain(w->out, s, n);
        return;
    }
    block[m++] = '"';
    for (size_t i = 0; i < n;) {
        if (m > sizeof block - LONGEST - 1) {
            fl_buf_add(w->out, block, m);
            m = 0;
        }
        if (s[i] >= ' ' && s[i] < 0x7f) {
            if (s[i] == '"' || s[i] == '\\')
                block[m++] = '\\';
            block[m++] = s[i++];
            continue;
        }
        i += put_odd(w, s + i, n - i, block + m, &odd_len);
        m += odd_len;
    }
    block[m++] = '"';
    fl_buf_add(w->out, block, m);
}

void fl_jw_key(fl_jw *w, const char *key)
{
    separate(w);
    quote(w, key, strlen(key));
    fl_buf_adds(w->out, w->pretty ? ": " : ":");
    w->after_key = true;
}

void fl_jw_string_n(fl_jw *w, const char *s, size_t n)
{
    begin_value(w);
    quote(w, s, n);
}

void fl_jw_string(fl_jw *w, const char *s)
{
    fl_jw_string_n(w, s, strlen(s));
}

void fl_jw_raw(fl_jw *w, const char *json, size_t n)
{
    begin_value(w);
    fl_buf_add(w->out, json, n);
}

void fl_jw_int(fl_jw *w, int64_t v)
{
    char digits[20], *p = digits + sizeof digits;
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
    begin_value(w);
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (v < 0)
        *--p = '-';
    fl_buf_add(w->out, p, (size_t)(digits + sizeof digits - p));
}

void fl_jw_bool(fl_jw *w, bool v)
{
    begin_value(w);
    fl_buf_adds(w->out, v ? "true" : "false");
}

void fl_jw_null(fl_jw *w)
{
    begin_value(w);
    fl_buf_adds(w->out, "null");
}

static void write_children(fl_jw *w, const fl_json *node)
{
    for (const fl_json *c = node->child; c; c = c->next) {
        if (node->kind == FL_JOBJECT)
            fl_jw_key(w, c->key);
        fl_jw_node(w, c);
    }
}

/* Depth is that of the text the node came from, at most FL_JSON_MAX_DEPTH. */
void fl_jw_node(fl_jw *w, const fl_json *node)
{
    switch (node->kind) {
    case FL_JNULL:
        fl_jw_null(w);
        return;
    case FL_JFALSE:
    case FL_JTRUE:
        fl_jw_bool(w, node->kind == FL_JTRUE);
        return;
    case FL_JNUMBER:
        fl_jw_raw(w, node->str, node->len);
        return;
    case FL_JSTRING:
        fl_jw_string_n(w, node->str, node->len);
        return;
    case FL_JARRAY:
        fl_jw_array(w);
        write_children(w, node);
        fl_jw_end_array(w);
        return;
    case FL_JOBJECT:
        fl_jw_object(w);
        write_children(w, node);
        fl_jw_end_object(w);
        return;
    }
}

void fl_jw_kstring(fl_jw *w, const char *key, const char *s)
{
    fl_jw_key(w, key);
    fl_jw_string(w, s);
}

void fl_jw_kint(fl_jw *w, const char *key, int64_t v)
{
    fl_jw_key(w, key);
    fl_jw_int(w, v);
}

void fl_jw_kbool(fl_jw *w, const char *key, bool v)
{
    fl_jw_key(w, key);
    fl_jw_bool(w, v);
}
