/* json.c: JSON in: bounded, indexed with byte ranges, and judged by jansson wherever it is not plain. */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- what is looked at first ---- */

static fl_json *refuse(fl_json_error *err, size_t offset, const char *message)
{
    err->offset = (uint32_t)offset;
    snprintf(err->message, sizeof err->message, "%s", message);
    return NULL;
}

/* What a byte means where depth is counted; most mean nothing. */
enum { OPENS = 1, CLOSES, QUOTE };
static const unsigned char meaning[256] = {['['] = OPENS, ['{'] = OPENS, [']'] = CLOSES, ['}'] = CLOSES, ['"'] = QUOTE};

/* The last byte of the string that opens at i: its closing quote, or the end. *plain: ASCII, without `\u`. */
static size_t string_end(const char *text, size_t n, size_t i, bool *plain)
{
    unsigned char bits = 0;
    for (i++; i < n && meaning[(unsigned char)text[i]] != QUOTE; i++) {
        if (text[i] == '\\' && i + 1 < n)
            *plain &= text[++i] != 'u';
        bits |= (unsigned char)text[i];
    }
    *plain &= bits < 0x80;
    return i;
}

/* Offset of the bracket that is too deep, or n. Up to the first error this reads brackets as jansson does, and jansson
 * reads no further than that. */
static size_t too_deep(const char *text, size_t n, bool *plain)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char m = meaning[(unsigned char)text[i]];
        if (!m)
            continue;
        if (m == QUOTE)
            i = string_end(text, n, i, plain);
        else if (m == OPENS && ++depth > FL_JSON_MAX_DEPTH)
            return i;
        else if (m == CLOSES && depth > 0)
            depth--;
    }
    return n;
}

/* What jansson says, where that is for programmers. */
static const char *plainly(const char *text, size_t len, const char *message)
{
    if (strstr(message, "JSON_ALLOW_NUL"))
        return "\\u0000 stands in a text";
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", text[i]) && text[i])
        i++;
    return i == len ? "there is nothing in it" : message;
}

/* Without memory jansson drops bytes of the text or calls it wrong, and so would judge another one. What flec asks it
 * ends the program instead, as any allocation does; the process may have further uses of jansson, which it does not. */
static json_malloc_t beneath;
static __thread bool judging;

static void *room_or_end(size_t n)
{
    void *p = beneath(n);
    if (!p && judging)
        fl_no_memory();
    return p;
}

static void set_up_jansson(void)
{
    json_free_t their_free;
    json_get_alloc_funcs(&beneath, &their_free);
    json_set_alloc_funcs(room_or_end, their_free);
}

static json_t *load(const char *text, size_t len, size_t flags, json_error_t *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up_jansson);
    judging = true;
    json_t *j = json_loadb(text, len, flags, e);
    judging = false;
    return j;
}

static bool judge(const char *text, size_t len, int flags, fl_json_error *err)
{
    json_error_t e;
    /* big integers are JSON too: their value is read from the text when asked for */
    size_t how = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    json_t *j = load(text, len, how | (flags & FL_JSON_ALLOW_NUL ? JSON_ALLOW_NUL : 0), &e);
    if (j) {
        json_decref(j);
        return true;
    }
    char *near = strstr(e.text, " near "); /* quotes the text, which may be a secret; the offset says where */
    if (near)
        *near = '\0';
    refuse(err, e.position < 0 || (size_t)e.position > len ? len : (size_t)e.position, plainly(text, len, e.text));
    return false;
}

/* ---- the index ---- */

/* Reads what RFC 8259 allows and nothing else. `\u` and bytes above ASCII are taken as they come: jansson has judged a
 * text that has any. */
typedef struct reader {
    fl_arena *arena;
    const char *text;
    uint32_t at, n;
    bool doubt; /* jansson has to judge the text: a number that may be out of range, names too many to compare */
} reader;

static char peek(const reader *r)
{
    return r->at < r->n ? r->text[r->at] : '\0';
}

static void skip_space(reader *r)
{
    const char *p = r->text + r->at, *end = r->text + r->n;
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
        p++;
    r->at = (uint32_t)(p - r->text);
}

static bool take(reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static uint32_t hex4(const char *s)
{
    uint8_t b[2];
    fl_unhex(b, s, 4);
    return (uint32_t)b[0] << 8 | b[1];
}

/* Decodes the escape behind a backslash at s, returns its length without the backslash. */
static size_t unescape(const char *s, char **out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    if (*s != 'u') {
        const char *p = strchr(from, *s);
        *(*out)++ = p ? to[p - from] : *s;
        return 1;
    }
    uint32_t cp = hex4(s + 1);
    size_t len = 5;
    if (cp >= 0xD800 && cp <= 0xDBFF) {
        cp = 0x10000 + ((cp - 0xD800) << 10) + (hex4(s + 7) - 0xDC00);
        len = 11;
    }
    *out += fl_utf8_put(*out, cp);
    return len;
}

/* Where the string ends whose first byte is s: at its closing quote; NULL: it is none. */
static const char *find_quote(const reader *r, const char *s, bool *escapes)
{
    const char *end = r->text + r->n;
    for (; s < end && *s != '"'; s++) {
        if ((unsigned char)*s < 0x20)
            return NULL;
        if (*s != '\\')
            continue;
        *escapes = true;
        if (++s == end || !*s || !strchr("\"\\/bfnrtu", *s))
            return NULL;
    }
    return s < end ? s : NULL;
}

static char *decode(reader *r, const char *s, const char *end, uint32_t *len)
{
    char *decoded = fl_alloc(r->arena, (size_t)(end - s) + 1), *out = decoded; /* never longer than it is written */
    while (s < end) {
        const char *escape = memchr(s, '\\', (size_t)(end - s));
        size_t run = (size_t)((escape ? escape : end) - s);
        memcpy(out, s, run);
        out += run;
        s += run;
        if (escape)
            s += 1 + unescape(s + 1, &out);
    }
    *len = (uint32_t)(out - decoded);
    return decoded;
}

/* The string at r->at; NULL: there is none. */
static const char *read_string(reader *r, uint32_t *len)
{
    bool escapes = false;
    if (!take(r, '"'))
        return NULL;
    const char *s = r->text + r->at, *end = find_quote(r, s, &escapes);
    if (!end)
        return NULL;
    r->at = (uint32_t)(end + 1 - r->text);
    if (escapes)
        return decode(r, s, end, len);
    *len = (uint32_t)(end - s);
    return fl_strndup(r->arena, s, *len);
}

static fl_json *read_value(reader *r);

static bool is_new(reader *r, const fl_json *object, const char *key)
{
    enum { FEW = 16 };
    r->doubt |= object->count >= FEW;
    for (const fl_json *c = object->count < FEW ? object->child : NULL; c; c = c->next)
        if (!strcmp(c->key, key))
            return false;
    return true;
}

static fl_json *read_member(reader *r, const fl_json *object)
{
    uint32_t from = r->at, len;
    const char *key = read_string(r, &len);
    uint32_t to = r->at;
    if (!key || !is_new(r, object, key))
        return NULL;
    skip_space(r);
    fl_json *c = take(r, ':') ? read_value(r) : NULL;
    if (c) {
        c->key = key;
        c->key_from = from;
        c->key_to = to;
    }
    return c;
}

static bool read_children(reader *r, fl_json *node, char close)
{
    fl_json **link = &node->child;
    r->at++;
    skip_space(r);
    if (take(r, close))
        return true;
    do {
        skip_space(r);
        fl_json *c = node->kind == FL_JOBJECT ? read_member(r, node) : read_value(r);
        if (!c)
            return false;
        *link = c;
        link = &c->next;
        node->count++;
        skip_space(r);
    } while (take(r, ','));
    return take(r, close);
}

static size_t digits(reader *r)
{
    uint32_t from = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at - from;
}

static bool read_number(reader *r, fl_json *node)
{
    enum { SURE = 100 }; /* digits, far from the largest number there is */
    take(r, '-');
    bool ok = take(r, '0') || digits(r);
    if (ok && take(r, '.'))
        ok = digits(r);
    if (ok && (peek(r) == 'e' || peek(r) == 'E')) {
        r->at++;
        if (!take(r, '-'))
            take(r, '+');
        size_t n = digits(r);
        ok = n;
        r->doubt |= n > 2;
    }
    node->len = r->at - node->from;
    node->str = fl_strndup(r->arena, r->text + node->from, node->len);
    r->doubt |= node->len > SURE;
    return ok;
}

static bool read_word(reader *r, const char *word)
{
    size_t n = strlen(word);
    if (r->n - r->at < n || memcmp(r->text + r->at, word, n) != 0)
        return false;
    r->at += (uint32_t)n;
    return true;
}

static bool read_kind(reader *r, fl_json *node)
{
    switch (peek(r)) {
    case '{':
        node->kind = FL_JOBJECT;
        return read_children(r, node, '}');
    case '[':
        node->kind = FL_JARRAY;
        return read_children(r, node, ']');
    case '"':
        node->kind = FL_JSTRING;
        node->str = read_string(r, &node->len);
        return node->str;
    case 't':
        node->kind = FL_JTRUE;
        return read_word(r, "true");
    case 'f':
        node->kind = FL_JFALSE;
        return read_word(r, "false");
    case 'n':
        node->kind = FL_JNULL;
        return read_word(r, "null");
    default:
        node->kind = FL_JNUMBER;
        return read_number(r, node);
    }
}

static fl_json *read_value(reader *r)
{
    fl_json *node = FL_NEW(r->arena, fl_json);
    skip_space(r);
    node->from = r->at;
    if (!read_kind(r, node))
        return NULL;
    node->to = r->at;
    return node;
}

fl_json *fl_json_parse(fl_arena *a, const char *text, size_t len, int flags, fl_json_error *err)
{
    *err = (fl_json_error){0};
    if (len > FL_JSON_MAX_BYTES)
        return refuse(err, 0, "the text is too large (over 64 MiB)");
    const char *zero = memchr(text, 0, len); /* jansson passes over one behind a number or a word */
    if (zero)
        return refuse(err, (size_t)(zero - text), "a zero byte");
    bool plain = true;
    size_t deep = too_deep(text, len, &plain);
    if (deep < len)
        return refuse(err, deep, "nested too deeply (over 256 levels)");
    if (!plain && !judge(text, len, flags, err))
        return NULL;
    reader r = {.arena = a, .text = text, .n = (uint32_t)len};
    fl_json *root = read_value(&r);
    skip_space(&r);
    bool ok = root && r.at == r.n;
    if (plain && (!ok || r.doubt) && !judge(text, len, flags, err))
        return NULL;
    return ok ? root : refuse(err, r.at, "not JSON");
}

/* ---- looking up ---- */

const fl_json *fl_json_get(const fl_json *object, const char *key)
{
    if (!object || object->kind != FL_JOBJECT)
        return NULL;
    const fl_json *c = object->child;
    while (c && strcmp(c->key, key) != 0)
        c = c->next;
    return c;
}

const char *fl_json_str(const fl_json *object, const char *key)
{
    const fl_json *v = fl_json_get(object, key);
    return v && v->kind == FL_JSTRING ? v->str : NULL;
}

bool fl_json_bool(const fl_json *object, const char *key, bool otherwise)
{
    const fl_json *v = fl_json_get(object, key);
    if (!v || (v->kind != FL_JTRUE && v->kind != FL_JFALSE))
        return otherwise;
    return v->kind == FL_JTRUE;
}

bool fl_json_to_int(const fl_json *number, int64_t *out)
{
    if (!number || number->kind != FL_JNUMBER || number->str[strspn(number->str, "-0123456789")])
        return false;
    errno = 0;
    *out = strtoll(number->str, NULL, 10);
    return errno == 0;
}

bool fl_json_int(const fl_json *object, const char *key, int64_t *out)
{
    return fl_json_to_int(fl_json_get(object, key), out);
}
