/* json_write.c: JSON out, member by member. */
#include <inttypes.h>
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

static void escape(fl_buf *out, uint32_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *p = c && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (p)
        fl_buf_add(out, (char[]){'\\', to[p - from]}, 2);
    else
        fl_buf_addf(out, "\\u%04x", (unsigned)c);
}

static bool must_escape(const fl_jw *w, uint32_t cp)
{
    if (cp < 0x20 || cp == '"' || cp == '\\')
        return true;
    return w->guarded && ((cp >= 0x7f && cp < 0xa0) || fl_bidi_control(cp));
}

/* Runs of plain text are added whole; bytes that are no UTF-8 become U+FFFD. */
static void quote(fl_jw *w, const char *s, size_t n)
{
    fl_buf *out = w->out;
    fl_buf_addc(out, '"');
    size_t from = 0, i = 0;
    while (i < n) {
        uint32_t cp;
        unsigned len = fl_utf8_step(s + i, n - i, &cp);
        if (len && !must_escape(w, cp)) {
            i += len;
            continue;
        }
        fl_buf_add(out, s + from, i - from);
        if (len)
            escape(out, cp);
        else
            fl_buf_adds(out, "\xEF\xBF\xBD");
        i += len ? len : 1;
        from = i;
    }
    fl_buf_add(out, s + from, n - from);
    fl_buf_addc(out, '"');
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
    begin_value(w);
    fl_buf_addf(w->out, "%" PRId64, v);
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
