/* strings.c: the inside of strings: escapes, variables, references that Connect resolves. */
#include <string.h>

#include "lang/syntax.h"

typedef struct decoder {
    lang_reader *r;
    const char *s;   /* the whole source */
    uint32_t i, end; /* inside the quotes */
    fl_buf text;     /* the name's text */
    fl_buf part;     /* literal text of the part being read */
    uint32_t part_from;
    FL_VEC(lang_part) parts;
    bool vars, failed;
} decoder;

/* Reports once a line; the string becomes empty. */
__attribute__((format(printf, 4, 5))) static void refuse(decoder *d, uint32_t from, uint32_t to, const char *fmt, ...)
{
    unsigned line, column;
    fl_source_place(d->r->src, from, &line, &column);
    d->failed = d->r->damaged = true;
    if (d->r->bad[line - 1])
        return;
    d->r->bad[line - 1] = 1;
    va_list ap;
    va_start(ap, fmt);
    lang_error(d->r, (lang_loc){from, to}, "%s", fl_vprintf(d->r->a, fmt, ap));
    va_end(ap);
}

static void literal(decoder *d, const char *p, size_t n)
{
    fl_buf_add(&d->text, p, n);
    fl_buf_add(&d->part, p, n);
}

/* Ends the literal part that was being read, if it holds anything. */
static void flush(decoder *d)
{
    if (d->part.len) {
        lang_part p = {.text = fl_strndup(d->r->a, d->part.p, d->part.len), .len = d->part.len};
        p.span = lang_span(d->r, (lang_loc){d->part_from, d->i});
        FL_PUSH(d->r->tree, &d->parts, p);
    }
    fl_buf_clear(&d->part);
}

static bool hex4(const decoder *d, uint32_t at, uint32_t *out)
{
    *out = 0;
    if (at + 4 > d->end)
        return false;
    for (unsigned k = 0; k < 4; k++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF", *p = strchr(digits, d->s[at + k]);
        if (!p || !d->s[at + k])
            return false;
        *out = *out << 4 | (uint32_t)((p - digits) & 15);
    }
    return true;
}

/* `\uXXXX` at i (on the backslash): one code point, a pair of surrogates joined. */
static void unicode(decoder *d)
{
    uint32_t cp, low, from = d->i;
    if (!hex4(d, from + 2, &cp)) {
        refuse(d, from, from + 2, "`\\u` needs four hexadecimal digits");
        d->i += 2;
        return;
    }
    d->i += 6;
    if (cp >= 0xd800 && cp < 0xdc00 && d->i + 6 <= d->end && d->s[d->i] == '\\' && d->s[d->i + 1] == 'u' &&
        hex4(d, d->i + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        d->i += 6;
    }
    if (cp == 0 || (cp >= 0xd800 && cp < 0xe000)) {
        refuse(d, from, d->i, "`\\u%04x` is %s", (unsigned)cp,
               cp ? "half of a surrogate pair" : "refused: no text of a policy holds NUL");
        return;
    }
    char out[4];
    literal(d, out, fl_utf8_put(out, cp));
}

static void escape(decoder *d)
{
    static const char from[] = "\"\\/nrtb"
                               "f",
                      to[] = "\"\\/\n\r\t\b\f";
    char c = d->s[d->i + 1];
    const char *p = c ? strchr(from, c) : NULL;
    if (c == 'u') {
        unicode(d);
    } else if (p) {
        literal(d, &to[p - from], 1);
        d->i += 2;
    } else {
        unsigned width = 1;
        while (d->i + 1 + width < d->end && ((unsigned char)d->s[d->i + 1 + width] & 0xc0) == 0x80)
            width++;
        refuse(d, d->i, d->i + 1 + width,
               "`\\%.*s` is no escape; a backslash is written `\\\\`, or the text in single quotes", (int)width,
               d->s + d->i + 1);
        d->i += 1 + width;
    }
}

static bool variable_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* `${…}` at i: a variable, or a reference that is kept as it is. */
static void dollar_brace(decoder *d)
{
    uint32_t from = d->i, name = from + 2, end = name;
    bool colon = false, plain = true;
    for (; end < d->end && d->s[end] != '}'; end++) {
        colon |= d->s[end] == ':';
        plain &= variable_char(d->s[end]);
    }
    if (end >= d->end || end == name || (!colon && !plain)) {
        refuse(d, from, end >= d->end ? d->end : end + 1,
               end >= d->end ? "`${` is not closed; a literal `${` is written `$${`"
               : end == name ? "`${}` names no variable"
                             : "this is no variable: a name of letters, digits, `_` and `-` stands in `${…}`");
        d->i = end >= d->end ? d->end : end + 1;
        return;
    }
    if (colon) {
        literal(d, d->s + from, end + 1 - from);
        d->i = end + 1;
        return;
    }
    flush(d);
    fl_buf_add(&d->text, d->s + from, end + 1 - from);
    lang_part p = {.is_var = true, .text = fl_strndup(d->r->a, d->s + name, end - name), .len = end - name};
    p.span = lang_span(d->r, (lang_loc){from, end + 1});
    FL_PUSH(d->r->tree, &d->parts, p);
    d->vars = d->r->has_vars = true;
    d->i = d->part_from = end + 1;
}

static void decode_string(decoder *d)
{
    while (d->i < d->end) {
        const char *p = d->s + d->i;
        size_t left = d->end - d->i;
        if (!d->part.len)
            d->part_from = d->i;
        if (*p == '\\') {
            escape(d);
        } else if (left >= 3 && memcmp(p, "$${", 3) == 0) {
            literal(d, "${", 2);
            d->i += 3;
        } else if (left >= 2 && memcmp(p, "${", 2) == 0) {
            dollar_brace(d);
        } else {
            literal(d, p, 1);
            d->i++;
        }
    }
    flush(d);
}

const lang_name *lang_decode(lang_reader *r, lang_quote quote, uint32_t from, uint32_t to)
{
    decoder d = {.r = r, .s = r->src->text, .i = from + 1, .end = to - 1, .part_from = from + 1};
    if (to - from > LANG_MAX_STRING + 2) {
        refuse(&d, from, to, "the string is longer than 64 KiB");
        return NULL;
    }
    fl_buf_init(&d.text, LANG_MAX_STRING);
    fl_buf_init(&d.part, LANG_MAX_STRING);
    if (quote == LANG_RAW) {
        literal(&d, d.s + d.i, d.end - d.i);
        d.i = d.end;
        flush(&d);
    } else {
        decode_string(&d);
    }
    lang_name *n = NULL;
    if (!d.failed) {
        n = FL_NEW(r->scratch, lang_name);
        *n = (lang_name){.quote = quote,
                         .text = fl_strndup(r->a, d.text.p ? d.text.p : "", d.text.len),
                         .len = (uint32_t)d.text.len,
                         .has_vars = d.vars,
                         .parts = d.parts.v,
                         .nparts = (uint16_t)d.parts.n,
                         .span = lang_span(r, (lang_loc){from, to})};
    }
    fl_buf_free(&d.text);
    fl_buf_free(&d.part);
    return n;
}
