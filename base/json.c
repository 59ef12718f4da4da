/* json.c: JSON in: bounded, judged by jansson, then indexed with byte ranges. */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- what is looked at before jansson ---- */

static fl_json *refuse(fl_json_error *err, size_t offset, const char *message)
{
    err->offset = (uint32_t)offset;
    snprintf(err->message, sizeof err->message, "%s", message);
    return NULL;
}

/* End of the string that opens at i: behind its closing quote, or n. */
static size_t skip_string(const char *text, size_t n, size_t i)
{
    for (i++; i < n && text[i] != '"'; i++)
        if (text[i] == '\\')
            i++;
    return i < n ? i + 1 : n;
}

/* Offset of the bracket that is too deep, or n. Up to the first error this reads brackets as jansson does, and jansson
 * reads no further than that. */
static size_t too_deep(const char *text, size_t n)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"')
            i = skip_string(text, n, i) - 1;
        else if ((text[i] == '[' || text[i] == '{') && ++depth > FL_JSON_MAX_DEPTH)
            return i;
        else if ((text[i] == ']' || text[i] == '}') && depth > 0)
            depth--;
    }
    return n;
}

static bool judge(const char *text, size_t len, int flags, fl_json_error *err)
{
    json_error_t e;
    /* big integers are JSON too: their value is read from the text when asked for */
    size_t how = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    json_t *j = json_loadb(text, len, how | (flags & FL_JSON_ALLOW_NUL ? JSON_ALLOW_NUL : 0), &e);
    if (j) {
        json_decref(j);
        return true;
    }
    char *near = strstr(e.text, " near "); /* quotes the text, which may be a secret; the offset says where */
    if (near)
        *near = '\0';
    refuse(err, e.position < 0 || (size_t)e.position > len ? len : (size_t)e.position, e.text);
    return false;
}

/* ---- the index: of text that jansson accepted, so nothing is checked again ---- */

typedef struct reader {
    fl_arena *arena;
    const char *text;
    uint32_t at;
} reader;

static void skip_space(reader *r)
{
    while (strchr(" \t\r\n", r->text[r->at]) && r->text[r->at])
        r->at++;
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

/* Reads the string at r->at. The decoded form is never longer than the written one. */
static const char *read_string(reader *r, size_t *len)
{
    const char *s = r->text + r->at + 1, *end = s;
    while (*end != '"')
        end += *end == '\\' ? 2 : 1;
    char *decoded = fl_alloc(r->arena, (size_t)(end - s) + 1), *out = decoded;
    while (s < end) {
        const char *escape = memchr(s, '\\', (size_t)(end - s));
        size_t run = (size_t)((escape ? escape : end) - s);
        memcpy(out, s, run);
        out += run;
        s += run;
        if (escape)
            s += 1 + unescape(s + 1, &out);
    }
    r->at = (uint32_t)(end + 1 - r->text);
    *len = (size_t)(out - decoded);
    return decoded;
}

static fl_json *read_value(reader *r);

static void read_children(reader *r, fl_json *node)
{
    fl_json **link = &node->child;
    r->at++;
    for (skip_space(r); r->text[r->at] != ']' && r->text[r->at] != '}'; skip_space(r)) {
        const char *key = NULL;
        uint32_t key_from = r->at, key_to = r->at;
        if (node->kind == FL_JOBJECT) {
            size_t len;
            key = read_string(r, &len);
            key_to = r->at;
            skip_space(r);
            r->at++; /* the colon */
        }
        fl_json *c = read_value(r);
        c->key = key;
        c->key_from = key ? key_from : 0;
        c->key_to = key ? key_to : 0;
        *link = c;
        link = &c->next;
        node->count++;
        skip_space(r);
        if (r->text[r->at] == ',')
            r->at++;
    }
    r->at++;
}

static void read_number(reader *r, fl_json *node)
{
    node->len = strspn(r->text + r->at, "+-.0123456789eE");
    node->str = fl_strndup(r->arena, r->text + r->at, node->len);
    r->at += (uint32_t)node->len;
}

static fl_jkind kind_of(char c)
{
    switch (c) {
    case '{':
        return FL_JOBJECT;
    case '[':
        return FL_JARRAY;
    case '"':
        return FL_JSTRING;
    case 't':
        return FL_JTRUE;
    case 'f':
        return FL_JFALSE;
    case 'n':
        return FL_JNULL;
    default:
        return FL_JNUMBER;
    }
}

static fl_json *read_value(reader *r)
{
    fl_json *node = FL_NEW(r->arena, fl_json);
    skip_space(r);
    node->from = r->at;
    node->kind = kind_of(r->text[r->at]);
    switch (node->kind) {
    case FL_JOBJECT:
    case FL_JARRAY:
        read_children(r, node);
        break;
    case FL_JSTRING:
        node->str = read_string(r, &node->len);
        break;
    case FL_JNUMBER:
        read_number(r, node);
        break;
    case FL_JNULL:
    case FL_JTRUE:
        r->at += 4;
        break;
    case FL_JFALSE:
        r->at += 5;
        break;
    }
    node->to = r->at;
    return node;
}

fl_json *fl_json_parse(fl_arena *a, const char *text, size_t len, int flags, fl_json_error *err)
{
    *err = (fl_json_error){0};
    if (len > FL_JSON_MAX_BYTES)
        return refuse(err, 0, "the text is too large (over 64 MiB)");
    const char *zero = memchr(text, 0, len); /* jansson passes over one behind a number or a word, the index does not */
    if (zero)
        return refuse(err, (size_t)(zero - text), "a zero byte");
    size_t deep = too_deep(text, len);
    if (deep < len)
        return refuse(err, deep, "nested too deeply (over 256 levels)");
    if (!judge(text, len, flags, err))
        return NULL;
    /* the reader looks for the end of a number or of the last space: a NUL must follow */
    reader r = {.arena = a, .text = fl_strndup(a, text, len)};
    return read_value(&r);
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
