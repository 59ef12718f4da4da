/* json_walk.c: runs a field program over a JSON text in one pass. The text is checked as RFC 8259 has it (UTF-8 in
 * strings, no lone halves of surrogates where a string is sealed), and copied: only the inside of sealed strings is
 * replaced. */
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "runtime/format/json.h"
#include "runtime/format/walk.h"

typedef struct frame { /* an open object or array */
    uint32_t state;
    uint32_t guess; /* of its members, the one that comes next if they stand in the order of the schema */
    bool object;
} frame;

typedef struct state {
    frame frames[RT_MAX_NESTING];
    unsigned depth;
} state;

static inline const json_program *program(const rt_walk *w)
{
    return (const json_program *)w->prog;
}

/* The walk keeps its place in a register; whoever fails puts it into w->p. */
typedef const uint8_t *place_t;

static bool bad(rt_walk *w, place_t at, uint32_t pc, const char *why)
{
    w->p = at;
    return rt_walk_malformed(w, pc, why);
}

/* ---- tokens ---- */

static inline place_t blank(place_t p, const uint8_t *end)
{
    while (p < end && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* To the first byte that does not stand for itself: below 0x20, '"', '\\', from 0x80 on. */
static inline place_t plain_run(place_t p, const uint8_t *end)
{
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i odd = _mm_or_si128(_mm_cmplt_epi8(v, space), /* signed: from 0x80 on as well */
                                   _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(odd);
        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Four hex digits at p, or -1. */
static int32_t hex4(place_t p, const uint8_t *end)
{
    int32_t v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* Behind an escape whose backslash is at p. */
static bool skip_escape(rt_walk *w, place_t *p, uint32_t pc)
{
    place_t at = *p + 1;
    if (at == w->end)
        return bad(w, at, pc, "the record ends inside a string");
    if (*at == 'u') {
        if (hex4(at + 1, w->end) < 0)
            return bad(w, *p, pc, "\\u is followed by something else than four hexadecimal digits");
        *p = at + 5;
        return true;
    }
    if (!memchr("\"\\/bfnrt", *at, 8))
        return bad(w, *p, pc, "no escape of JSON begins so");
    *p = at + 1;
    return true;
}

/* What is not plain: an escape, a character beyond ASCII, or an error. */
static __attribute__((noinline)) bool skip_odd(rt_walk *w, place_t *p, uint32_t pc, bool *escaped)
{
    uint32_t cp;
    if (**p == '\\') {
        *escaped = true;
        return skip_escape(w, p, pc);
    }
    if (**p < 0x20)
        return bad(w, *p, pc, "a control character stands in a string; JSON wants it escaped");
    unsigned n = fl_utf8_step((const char *)*p, (size_t)(w->end - *p), &cp);
    *p += n;
    return n || bad(w, *p, pc, "a string is not UTF-8");
}

/* A string whose opening quote is at *p, to behind its closing one. */
static inline bool string(rt_walk *w, place_t *p, uint32_t pc, bool *escaped)
{
    place_t at = *p + 1;
    *escaped = false;
    for (;;) {
        at = plain_run(at, w->end);
        if (at == w->end)
            return bad(w, at, pc, "the record ends inside a string");
        if (*at == '"')
            break;
        if (!skip_odd(w, &at, pc, escaped))
            return false;
    }
    *p = at + 1;
    return true;
}

static inline bool digit(place_t p, const uint8_t *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static inline place_t digits(place_t p, const uint8_t *end)
{
    while (digit(p, end))
        p++;
    return p;
}

static bool number(rt_walk *w, place_t *p, uint32_t pc)
{
    const uint8_t *end = w->end;
    place_t at = *p + (**p == '-');
    if (!digit(at, end))
        return bad(w, *p, pc, "no value of JSON begins so");
    if (*at == '0' && digit(at + 1, end))
        return bad(w, *p, pc, "a number begins with 0");
    at = digits(at, end);
    if (at < end && *at == '.') {
        if (!digit(at + 1, end))
            return bad(w, *p, pc, "a number has no digit behind its point");
        at = digits(at + 1, end);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at += 1 + (at + 1 < end && (at[1] == '+' || at[1] == '-'));
        if (!digit(at, end))
            return bad(w, *p, pc, "a number has no digit in its exponent");
        at = digits(at, end);
    }
    *p = at;
    return true;
}

static bool word(rt_walk *w, place_t *p, uint32_t pc, const char *text, size_t n)
{
    if ((size_t)(w->end - *p) < n || memcmp(*p, text, n) != 0)
        return bad(w, *p, pc, "no value of JSON begins so");
    *p += n;
    return true;
}

/* ---- strings decoded ---- */

/* One escape at *p, as UTF-8 at out; returns its length, 0: half a surrogate. The text is known to be well formed. */
static unsigned decode_escape(place_t *p, const uint8_t *end, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    place_t at = *p + 1;
    if (*at != 'u') {
        *out = to[(const char *)memchr(from, *at, 8) - from];
        *p = at + 1;
        return 1;
    }
    uint32_t cp = (uint32_t)hex4(at + 1, end);
    at += 5;
    if (cp >= 0xd800 && cp < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        int32_t low = hex4(at + 2, end);
        if (low >= 0xdc00 && low < 0xe000) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            at += 6;
        }
    }
    *p = at;
    return cp >= 0xd800 && cp < 0xe000 ? 0 : fl_utf8_put(out, cp);
}

/* The n bytes between the quotes of a string, decoded into b. false without an error: half a surrogate, which no UTF-8
 * can hold. */
static bool decode(rt_walk *w, uint32_t pc, place_t p, size_t n, fl_buf *b, bool *half)
{
    const uint8_t *end = p + n;
    *half = false;
    fl_buf_clear(b);
    if (!rt_walk_room(w, b, n + 4, pc))
        return false;
    while (p < end) {
        if (*p != '\\') {
            b->p[b->len++] = (char)*p++;
            continue;
        }
        unsigned len = decode_escape(&p, end, b->p + b->len);
        if (!len) {
            *half = true;
            return true;
        }
        b->len += len;
    }
    return true;
}

/* ---- members ---- */

static uint32_t find_member(const json_program *p, const json_state *s, const char *name, size_t n, uint32_t *guess)
{
    uint32_t lo = s->first, hi = s->first + s->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2, m = p->by_name[mid];
        int c = json_name_cmp(p->members[m].name, p->members[m].len, name, n);
        if (c == 0) {
            *guess = m + 1 - s->first;
            return p->members[m].state;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return s->other;
}

/* The state in which the value of a member is read. */
static uint32_t member(const json_program *p, frame *f, const char *name, size_t n)
{
    const json_state *s = &p->states[f->state];
    if (f->guess < s->n) {
        const json_member *m = &p->members[s->first + f->guess];
        if (json_name_cmp(m->name, m->len, name, n) == 0) {
            f->guess++;
            return m->state;
        }
    }
    return find_member(p, s, name, n, &f->guess);
}

/* Does the name and its closing quote stand at p? There are more than 16 bytes. */
static inline bool starts_with(const json_member *m, place_t p)
{
#ifdef __SSE2__
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i head = _mm_loadu_si128((const __m128i *)(const void *)m->head);
    return ((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, head)) & m->mask) == m->mask;
#else
    return memcmp(p, m->head, m->len + 1) == 0;
#endif
}

/* Most texts have their members in the order of the schema: if the next name is the one that comes next there, as it
 * stands in quotes, it need not be scanned. */
static inline bool expected(const rt_walk *w, place_t *p, frame *f, uint32_t *out)
{
    const json_program *prog = program(w);
    const json_state *s = &prog->states[f->state];
    if (f->guess >= s->n)
        return false;
    const json_member *m = &prog->members[s->first + f->guess];
    if (!m->mask || w->end - *p <= 17 || !starts_with(m, *p + 1))
        return false;
    f->guess++;
    *p += m->len + 2;
    *out = m->state;
    return true;
}

/* Any name. One that is written with escapes is looked up as what it means. */
static bool other_name(rt_walk *w, place_t *p, frame *f, uint32_t *out)
{
    place_t from = *p + 1;
    bool escaped, half = false;
    if (!string(w, p, f->state, &escaped))
        return false;
    size_t n = (size_t)(*p - 1 - from);
    *out = 0;
    if (!f->state)
        return true;
    if (!escaped) {
        *out = member(program(w), f, (const char *)from, n);
        return true;
    }
    if (!decode(w, f->state, from, n, &w->scratch[0], &half))
        return false;
    *out = half ? program(w)->states[f->state].other : member(program(w), f, w->scratch[0].p, w->scratch[0].len);
    return true;
}

/* A name and its colon. */
static inline bool name(rt_walk *w, place_t *p, frame *f, uint32_t *out)
{
    if (*p == w->end || **p != '"')
        return bad(w, *p, f->state, "the name of a member should stand here, in quotes");
    if (!expected(w, p, f, out) && !other_name(w, p, f, out))
        return false;
    if (*p < w->end && **p == ':') {
        ++*p;
    } else {
        *p = blank(*p, w->end);
        if (*p == w->end || **p != ':')
            return bad(w, *p, f->state, "a colon should stand here, behind the name of a member");
        ++*p;
    }
    *p = blank(*p, w->end);
    return true;
}

/* ---- values ---- */

static const char *const kinds[JSON_KINDS] = {"an object", "an array", "a string", "a number", "true or false", "null"};

/* A value that is not merely copied. */
static bool act(rt_walk *w, place_t at, uint32_t pc, json_kind kind)
{
    const json_state *s = &program(w)->states[pc];
    char why[120];
    w->p = at;
    if (s->act[kind] == JSON_FAIL) {
        snprintf(why, sizeof why, "the value is %s and cannot be encrypted", kinds[kind]);
        return rt_walk_fail(w, pc, &w->prog->chains[s->chain], RT_REFUSED, why);
    }
    snprintf(why, sizeof why, "%s stands where the schema has none, with fields to be encrypted", kinds[kind]);
    return rt_walk_malformed(w, pc, why);
}

static inline bool check(rt_walk *w, place_t at, uint32_t pc, json_kind kind)
{
    return program(w)->states[pc].act[kind] == JSON_COPY || act(w, at, pc, kind);
}

static inline bool string_value(rt_walk *w, place_t *p, uint32_t pc)
{
    place_t from = *p;
    bool escaped;
    uint8_t what = program(w)->states[pc].act[JSON_STRING];
    if (!string(w, p, pc, &escaped))
        return false;
    if (what == JSON_COPY)
        return true;
    if (what != JSON_SEAL)
        return act(w, from, pc, JSON_STRING);
    return rt_walk_note(w, (rt_edit){.from = from + 1, .value = from + 1, .to = *p - 1, .pc = pc, .count = escaped});
}

static bool enter(rt_walk *w, place_t *p, uint32_t pc, bool object)
{
    state *s = w->own;
    if (!check(w, *p, pc, object ? JSON_OBJECT : JSON_ARRAY))
        return false;
    if (s->depth == RT_MAX_NESTING)
        return bad(w, *p, pc, "the record nests too deep");
    s->frames[s->depth++] = (frame){.state = pc, .object = object};
    *p = blank(*p + 1, w->end);
    return true;
}

/* A value in the given state; objects and arrays are entered. */
static inline bool value(rt_walk *w, place_t *p, uint32_t pc, bool *entered)
{
    *entered = false;
    if (*p == w->end)
        return bad(w, *p, pc, "the record ends where a value should stand");
    switch (**p) {
    case '"':
        return string_value(w, p, pc);
    case '{':
    case '[':
        *entered = true;
        return enter(w, p, pc, **p == '{');
    case 't':
        return check(w, *p, pc, JSON_BOOLEAN) && word(w, p, pc, "true", 4);
    case 'f':
        return check(w, *p, pc, JSON_BOOLEAN) && word(w, p, pc, "false", 5);
    case 'n':
        return check(w, *p, pc, JSON_NULL) && word(w, p, pc, "null", 4);
    default:
        return check(w, *p, pc, JSON_NUMBER) && number(w, p, pc);
    }
}

/* ---- the loop ---- */

/* Behind a value, or at the start of an object or array: what comes next there. *more: a value, in state *pc; else it
 * was the end of it. */
static inline bool next(rt_walk *w, place_t *p, frame *f, bool first, uint32_t *pc, bool *more)
{
    uint8_t close = f->object ? '}' : ']';
    *more = false;
    if (*p == w->end)
        return bad(w, *p, f->state, f->object ? "the record ends inside an object" : "the record ends inside an array");
    if (**p == close) {
        ++*p;
        return true;
    }
    if (!first) {
        if (**p != ',')
            return bad(w, *p, f->state,
                       f->object ? "a comma or } should stand here" : "a comma or ] should stand here");
        *p = blank(*p + 1, w->end);
    }
    *more = true;
    if (f->object)
        return name(w, p, f, pc);
    *pc = program(w)->states[f->state].items;
    return true;
}

/* Behind a value or, entered, at the start of an object or array: to the next value, if there is one more. */
static inline bool onward(rt_walk *w, place_t *p, bool entered, uint32_t *pc, bool *more)
{
    state *s = w->own;
    *more = false;
    while (s->depth) {
        if (!entered)
            *p = blank(*p, w->end);
        if (!next(w, p, &s->frames[s->depth - 1], entered, pc, more))
            return false;
        if (*more)
            return true;
        s->depth--;
        entered = false;
    }
    return true;
}

static bool run(rt_walk *w)
{
    place_t p = blank(w->p, w->end);
    uint32_t pc = program(w)->root;
    bool entered, more = true;
    ((state *)w->own)->depth = 0;
    while (more)
        if (!value(w, &p, pc, &entered) || !onward(w, &p, entered, &pc, &more))
            return false;
    w->p = p = blank(p, w->end);
    return p == w->end || rt_walk_malformed(w, 0, "something follows after the end of the value");
}

/* ---- replacing ---- */

/* Bytes that JSON wants escaped in a string, and those beyond ASCII, stop it. */
static bool is_plain(const char *p, size_t n)
{
    const uint8_t *from = (const uint8_t *)p;
    return plain_run(from, from + n) == from + n;
}

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
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = (uint8_t)text->p[i];
        if (c < 0x20 || c == '"' || c == '\\')
            out = put_escaped(out, c);
        else
            *out++ = (char)c;
    }
    w->out->len = (size_t)(out - w->out->p);
    return true;
}

/* What was opened lies in out from `before` on. Where it needs escapes it is written again. */
static bool requote(rt_walk *w, const rt_edit *e, const rt_chain *chain, size_t before)
{
    const char *opened = w->out->p + before;
    size_t n = w->out->len - before, off;
    if (is_plain(opened, n))
        return true;
    if (!fl_utf8_ok(opened, n, &off))
        return rt_walk_fail(w, e->pc, chain, RT_BAD_INPUT,
                            "what the ciphertext holds is not UTF-8, so no JSON string can hold it");
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

static bool replace(rt_walk *w, const rt_edit *e)
{
    const rt_chain *chain = &w->prog->chains[program(w)->states[e->pc].chain];
    rt_at at = {.pc = e->pc, .text = true, .chain = chain};
    const uint8_t *in = e->value;
    size_t n = (size_t)(e->to - e->value), before = w->out->len;
    bool half = false;
    if (e->count) {
        if (!decode(w, e->pc, in, n, &w->scratch[0], &half))
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

const rt_encoding rt_json = {.format = SCH_JSON,
                             .state = sizeof(state),
                             .compile = rt_json_compile,
                             .print = rt_json_print,
                             .run = run,
                             .replace = replace};
