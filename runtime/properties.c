/* properties.c: java.util.Properties' text form, in UTF-8. */
#include "runtime/properties.h"

#include <string.h>

typedef struct reader {
    const char *name, *p, *end;
    unsigned line;
    fl_buf key, value;
    rt_error *err;
} reader;

static rt_code bad(const reader *r, const char *what)
{
    return rt_fail(r->err, RT_IO, "%s: line %u: %s", r->name, r->line, what);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}
static bool at_eol(const reader *r)
{
    return r->p == r->end || *r->p == '\n' || *r->p == '\r';
}

static void skip_blanks(reader *r)
{
    while (r->p < r->end && blank(*r->p))
        r->p++;
}

/* Over \n, \r or \r\n. */
static void skip_eol(reader *r)
{
    if (r->p == r->end)
        return;
    bool cr = *r->p++ == '\r';
    if (cr && r->p < r->end && *r->p == '\n')
        r->p++;
    r->line++;
}

static void skip_line(reader *r)
{
    while (!at_eol(r))
        r->p++;
    skip_eol(r);
}

/* Four hex digits at p; false if there are none. */
static bool unit(reader *r, uint32_t *out)
{
    uint8_t b[2];
    if (r->end - r->p < 4 || !fl_unhex(b, r->p, 4))
        return false;
    r->p += 4;
    *out = (uint32_t)b[0] << 8 | b[1];
    return true;
}

/* After "\u": one code point, of two units where the first is a high surrogate. */
static rt_code unicode(reader *r, fl_buf *out)
{
    uint32_t c, low;
    char utf8[4];
    if (!unit(r, &c))
        return bad(r, "\\u wants four hex digits");
    if (c >= 0xd800 && c < 0xdc00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u') {
        r->p += 2;
        if (!unit(r, &low) || low < 0xdc00 || low > 0xdfff)
            return bad(r, "a surrogate without its other half");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c == 0 || (c >= 0xd800 && c < 0xe000))
        return bad(r, c ? "a surrogate without its other half" : "\\u0000 is not allowed");
    fl_buf_add(out, utf8, fl_utf8_put(utf8, c));
    return RT_OK;
}

/* After a backslash: an escape, or the end of a line that goes on. */
static rt_code escape(reader *r, fl_buf *out)
{
    static const char from[] = "tnrf", to[] = "\t\n\r\f";
    if (at_eol(r)) {
        skip_eol(r);
        skip_blanks(r);
        return RT_OK;
    }
    char c = *r->p++;
    if (c == 'u')
        return unicode(r, out);
    if (!c)
        return bad(r, "a NUL byte");
    const char *known = strchr(from, c);
    fl_buf_addc(out, known ? to[known - from] : c);
    return RT_OK;
}

static bool ends_key(char c)
{
    return c == '=' || c == ':' || blank(c);
}

/* Up to the end of the line, or for a key to what ends it. */
static rt_code part(reader *r, fl_buf *out, bool key)
{
    rt_code code = RT_OK;
    fl_buf_clear(out);
    while (code == RT_OK && !at_eol(r) && !(key && ends_key(*r->p))) {
        char c = *r->p++;
        if (c == '\\')
            code = escape(r, out);
        else if (!c)
            code = bad(r, "a NUL byte");
        else
            fl_buf_addc(out, c);
    }
    return code;
}

static rt_code property(reader *r, rt_property *fn, void *ctx)
{
    rt_code code = part(r, &r->key, true);
    if (code != RT_OK)
        return code;
    skip_blanks(r);
    if (r->p < r->end && (*r->p == '=' || *r->p == ':')) {
        r->p++;
        skip_blanks(r);
    }
    code = part(r, &r->value, false);
    if (code == RT_OK)
        fn(r->key.len ? r->key.p : "", r->value.len ? r->value.p : "", ctx);
    skip_eol(r);
    return code;
}

rt_code rt_properties_read(const char *name, const char *text, size_t len, rt_property *fn, void *ctx, rt_error *err)
{
    reader r = {.name = name, .p = text, .end = text + len, .line = 1, .err = err};
    rt_code code = RT_OK;
    size_t where;
    if (!fl_utf8_ok(text, len, &where))
        return rt_fail(err, RT_IO, "%s: not UTF-8 at byte %zu", name, where);
    if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
        r.p += 3;
    fl_buf_init(&r.key, len + 1);
    fl_buf_init(&r.value, len + 1);
    fl_buf_reserve(&r.key, len + 1 < 256 ? len + 1 : 256);
    fl_buf_reserve(&r.value, len + 1); /* never moved, so no copy of a secret stays behind */
    while (code == RT_OK && r.p < r.end) {
        skip_blanks(&r);
        if (at_eol(&r))
            skip_eol(&r);
        else if (*r.p == '#' || *r.p == '!')
            skip_line(&r);
        else
            code = property(&r, fn, ctx);
    }
    fl_buf_wipe(&r.key);
    fl_buf_wipe(&r.value);
    return code;
}
