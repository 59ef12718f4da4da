/* answer.c: texts out of answers that hold secrets. */
#include "runtime/kms/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 32 };

typedef struct scan {
    const char *p, *end;
} scan;

static void space(scan *s)
{
    while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
        s->p++;
}

static bool take(scan *s, char c)
{
    space(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

/* Steps over a string; *from to *to is its inside. */
static bool string(scan *s, const char **from, const char **to)
{
    if (!take(s, '"'))
        return false;
    *from = s->p;
    for (; s->p < s->end && *s->p != '"'; s->p++) {
        if ((unsigned char)*s->p < 0x20)
            return false;
        if (*s->p == '\\' && ++s->p == s->end)
            return false;
    }
    if (s->p == s->end)
        return false;
    *to = s->p++;
    return true;
}

static bool skip_value(scan *s, int depth);

/* Members or elements up to the closing bracket. */
static bool skip_items(scan *s, bool object, int depth)
{
    const char *from, *to;
    char close = object ? '}' : ']';
    if (take(s, close))
        return true;
    do {
        if ((object && (!string(s, &from, &to) || !take(s, ':'))) || !skip_value(s, depth - 1))
            return false;
    } while (take(s, ','));
    return take(s, close);
}

static bool skip_value(scan *s, int depth)
{
    const char *from, *to;
    space(s);
    if (s->p == s->end || depth == 0)
        return false;
    if (*s->p == '"')
        return string(s, &from, &to);
    if (*s->p == '{' || *s->p == '[')
        return skip_items(s, *s->p++ == '{', depth);
    from = s->p;
    while (s->p < s->end && *s->p && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", *s->p))
        s->p++;
    return s->p > from;
}

/* Goes to the value of a member of the object at s. Names with escapes are none that are asked for. */
static bool member(scan *s, const char *name, size_t n)
{
    const char *from, *to;
    if (!take(s, '{') || take(s, '}'))
        return false;
    do {
        if (!string(s, &from, &to) || !take(s, ':'))
            return false;
        if ((size_t)(to - from) == n && !memcmp(from, name, n)) {
            space(s);
            return s->p < s->end;
        }
        if (!skip_value(s, DEPTH))
            return false;
    } while (take(s, ','));
    return false;
}

static bool find(const fl_secret *text, const char *path, scan *s)
{
    if (!text->len)
        return false;
    *s = (scan){(const char *)text->bytes, (const char *)text->bytes + text->len};
    for (size_t n; *path; path += n + (path[n] == '/')) {
        n = strcspn(path, "/");
        if (!member(s, path, n))
            return false;
    }
    return true;
}

static bool hex4(const char *p, const char *end, uint32_t *out)
{
    uint8_t b[2];
    if (end - p < 4 || !fl_unhex(b, p, 4))
        return false;
    *out = (uint32_t)b[0] << 8 | b[1];
    return true;
}

/* \uXXXX at p (behind the u), with its second half if it is a surrogate. The bytes read, 0: bad. */
static size_t unicode(const char *p, const char *end, uint32_t *cp)
{
    uint32_t low;
    if (!hex4(p, end, cp) || !*cp || (*cp >= 0xdc00 && *cp < 0xe000))
        return 0;
    if (*cp < 0xd800 || *cp >= 0xe000)
        return 4;
    if (end - p < 10 || p[4] != '\\' || p[5] != 'u' || !hex4(p + 6, end, &low) || low < 0xdc00 || low >= 0xe000)
        return 0;
    *cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
    return 10;
}

static bool unescape(const char *p, const char *end, fl_secret *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t n = 0;
    while (p < end) {
        if (*p != '\\') {
            out->bytes[n++] = (uint8_t)*p++;
            continue;
        }
        const char *simple = p[1] ? strchr(from, p[1]) : NULL;
        uint32_t cp;
        size_t used = simple || p[1] != 'u' ? 0 : unicode(p + 2, end, &cp);
        if (!simple && !used)
            return false;
        if (simple)
            out->bytes[n++] = (uint8_t)to[simple - from];
        else
            n += fl_utf8_put((char *)out->bytes + n, cp);
        p += 2 + used;
    }
    out->bytes[n] = 0;
    out->len = n; /* freed by address */
    return true;
}

/* The string at s. */
static bool copy_string(scan *s, fl_secret *out)
{
    const char *from, *to;
    if (!string(s, &from, &to))
        return false;
    *out = fl_secret_new((size_t)(to - from) + 4);
    if (unescape(from, to, out))
        return true;
    fl_secret_free(out);
    return false;
}

bool kms_json_text(const fl_secret *text, const char *path, fl_secret *out)
{
    scan s;
    *out = (fl_secret){0};
    return find(text, path, &s) && copy_string(&s, out);
}

bool kms_json_first(const fl_secret *text, const char *path, fl_secret *out)
{
    scan s;
    *out = (fl_secret){0};
    return find(text, path, &s) && take(&s, '[') && copy_string(&s, out);
}

bool kms_json_int(const fl_secret *text, const char *path, int64_t *out)
{
    scan s;
    char digits[24], *end;
    if (!find(text, path, &s))
        return false;
    bool quoted = *s.p == '"';
    const char *from = s.p + quoted, *p = from;
    while (p < s.end && (*p == '-' || (*p >= '0' && *p <= '9')))
        p++;
    if (p == from || (size_t)(p - from) >= sizeof digits || (quoted && (p == s.end || *p != '"')))
        return false;
    memcpy(digits, from, (size_t)(p - from));
    digits[p - from] = 0;
    errno = 0;
    *out = strtoll(digits, &end, 10);
    return !errno && !*end;
}

/* ---- XML ---- */

static const struct entity {
    const char *name;
    char c;
} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

static void decode_entities(const char *p, const char *end, fl_secret *out)
{
    size_t n = 0;
    while (p < end) {
        char c = *p;
        size_t used = 1;
        for (size_t i = 0; c == '&' && i < sizeof entities / sizeof entities[0]; i++) {
            size_t len = strlen(entities[i].name);
            if ((size_t)(end - p) >= len && !memcmp(p, entities[i].name, len)) {
                c = entities[i].c;
                used = len;
                break;
            }
        }
        out->bytes[n++] = (uint8_t)c;
        p += used;
    }
    out->len = n; /* freed by address */
}

bool kms_xml_text(const fl_secret *text, const char *name, fl_secret *out)
{
    char tag[80];
    *out = (fl_secret){0};
    if (!text->len || (size_t)snprintf(tag, sizeof tag, "</%s>", name) >= sizeof tag)
        return false;
    size_t n = strlen(tag);
    char open[80];
    snprintf(open, sizeof open, "<%s>", name);
    const char *from = memmem(text->bytes, text->len, open, n - 1);
    if (!from)
        return false;
    from += n - 1;
    const char *to = memmem(from, text->len - (size_t)(from - (const char *)text->bytes), tag, n);
    if (!to || memchr(from, 0, (size_t)(to - from)))
        return false;
    *out = fl_secret_new((size_t)(to - from) + 1);
    decode_entities(from, to, out);
    return true;
}

/* ---- base64 ---- */

fl_secret kms_b64(const uint8_t *p, size_t n, bool url)
{
    fl_secret s = fl_secret_new(FL_B64_LEN(n) + 1);
    s.len = fl_b64_encode((char *)s.bytes, p, n);
    while (url && s.len && s.bytes[s.len - 1] == '=')
        s.bytes[--s.len] = 0;
    for (size_t i = 0; url && i < s.len; i++)
        s.bytes[i] = s.bytes[i] == '+' ? '-' : s.bytes[i] == '/' ? '_' : s.bytes[i];
    return s;
}

bool kms_unb64(const char *s, size_t n, bool url, fl_secret *out)
{
    fl_secret text = fl_secret_copy(s, n);
    for (size_t i = 0; url && i < n; i++)
        text.bytes[i] = text.bytes[i] == '-' ? '+' : text.bytes[i] == '_' ? '/' : text.bytes[i];
    *out = fl_secret_new(FL_B64_ROOM(n) + 1);
    ptrdiff_t len = fl_b64_decode(out->bytes, (char *)text.bytes, n, url ? FL_B64_LAX : FL_B64_STRICT);
    fl_secret_free(&text);
    if (len < 0) {
        fl_secret_free(out);
        return false;
    }
    out->bytes[len] = 0;
    out->len = (size_t)len;
    return true;
}
