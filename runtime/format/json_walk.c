/* json_walk.c: runs a field program over a JSON text in one pass. The text is checked as RFC 8259 has it (UTF-8 in
 * strings, no lone halves of surrogates where a string is sealed), and copied: only the inside of sealed strings is
 * replaced (json_replace.c). */
#include <string.h>

#include "runtime/format/json.h"
#include "runtime/format/json_scan.h"
#include "runtime/format/walk.h"

/* Each step takes the place where it begins and returns the one where it ends, so that the place stays in a register;
 * NULL: the walk has failed, and w has the error. */
typedef const uint8_t *place_t;

typedef struct frame { /* an open object or array */
    const json_state *state;
    const json_member *next; /* its member that comes next if they stand in the schema's order; at last one that never
                                does, see json_program */
    bool object;
} frame;

typedef struct state {
    frame frames[1 + RT_MAX_NESTING]; /* the first stands for what is outside */
} state;

static inline const json_program *program(const rt_walk *w)
{
    return (const json_program *)w->prog;
}

static __attribute__((cold, noinline)) place_t bad(rt_walk *w, place_t at, uint32_t pc, const char *why)
{
    w->p = at;
    rt_walk_malformed(w, pc, why);
    return NULL;
}

static __attribute__((cold, noinline)) place_t bad_in(rt_walk *w, place_t at, const frame *f, const char *in_object,
                                                      const char *in_array)
{
    return bad(w, at, (uint32_t)(f->state - program(w)->states), f->object ? in_object : in_array);
}

/* ---- tokens ---- */

/* Behind an escape whose backslash is at p. */
static place_t skip_escape(rt_walk *w, place_t p, uint32_t pc)
{
    place_t at = p + 1;
    if (at == w->end)
        return bad(w, at, pc, "the record ends inside a string");
    if (*at == 'u')
        return json_hex4(at + 1, w->end) >= 0
                   ? at + 5
                   : bad(w, p, pc, "\\u is followed by something else than four hexadecimal digits");
    return memchr("\"\\/bfnrt", *at, 8) ? at + 1 : bad(w, p, pc, "no escape of JSON begins so");
}

/* What is not plain: an escape, characters beyond ASCII, or an error. */
static __attribute__((noinline)) place_t skip_odd(rt_walk *w, place_t p, uint32_t pc)
{
    uint32_t cp;
    if (*p == '\\')
        return skip_escape(w, p, pc);
    if (*p < 0x20)
        return bad(w, p, pc, "a control character stands in a string; JSON wants it escaped");
    for (; p < w->end && *p >= 0x80;) {
        unsigned n = fl_utf8_step((const char *)p, (size_t)(w->end - p), &cp);
        if (!n)
            return bad(w, p, pc, "a string is not UTF-8");
        p += n;
    }
    return p;
}

/* A string whose opening quote is at p, to behind its closing one. */
static inline __attribute__((always_inline)) place_t string(rt_walk *w, place_t p, uint32_t pc, bool *escaped)
{
    *escaped = false;
    for (p++;;) {
        p = json_plain(w->in, p, w->end);
        if (p == w->end)
            return bad(w, p, pc, "the record ends inside a string");
        if (*p == '"')
            return p + 1;
        *escaped |= *p == '\\';
        p = skip_odd(w, p, pc);
        if (!p)
            return NULL;
    }
}

static inline place_t number(rt_walk *w, place_t p, uint32_t pc)
{
    const uint8_t *end = w->end;
    place_t at = p + (*p == '-');
    if (!json_digit(at, end))
        return bad(w, p, pc, "no value of JSON begins so");
    if (*at == '0' && json_digit(at + 1, end))
        return bad(w, p, pc, "a number begins with 0");
    at = json_digits(at, end);
    if (at < end && *at == '.') {
        if (!json_digit(at + 1, end))
            return bad(w, p, pc, "a number has no digit behind its point");
        at = json_digits(at + 1, end);
    }
    if (at < end && (*at | 0x20) == 'e') {
        at += 1 + (at + 1 < end && (at[1] == '+' || at[1] == '-'));
        if (!json_digit(at, end))
            return bad(w, p, pc, "a number has no digit in its exponent");
        at = json_digits(at, end);
    }
    return at;
}

static place_t word(rt_walk *w, place_t p, uint32_t pc, const char *text, size_t n)
{
    if ((size_t)(w->end - p) < n || memcmp(p, text, n) != 0)
        return bad(w, p, pc, "no value of JSON begins so");
    return p + n;
}

/* ---- members ---- */

/* The member of that name; NULL: the schema has none. */
static const json_member *find_member(const json_program *p, const json_state *s, const char *name, size_t n)
{
    uint32_t lo = s->first, hi = s->first + s->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const json_member *m = &p->members[p->by_name[mid]];
        int c = json_name_cmp(m->name, m->len, name, n);
        if (c == 0)
            return m;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

/* Of a member that the schema does not name. */
static uint32_t unnamed(const json_program *p, const json_state *s, const char *name, size_t n)
{
    const json_glob *match = NULL;
    for (uint32_t i = s->glob; i < s->glob + s->nglobs; i++)
        if (rt_json_glob_matches(&p->globs[i], name, n)) {
            if (match)
                return s->several;
            match = &p->globs[i];
        }
    return match ? match->state : s->other;
}

/* The state in which the value of a member is read. */
static uint32_t member(const json_program *p, frame *f, const char *name, size_t n)
{
    const json_member *m = f->next;
    if (json_name_cmp(m->name, m->len, name, n) != 0)
        m = find_member(p, f->state, name, n);
    if (!m)
        return unnamed(p, f->state, name, n);
    f->next = m + 1;
    return m->state;
}

/* The bytes of the member's head from `from` on, do they stand at p? 16 bytes are left there. */
static inline bool has_head(const json_member *m, unsigned from, place_t p)
{
#ifdef __SSE2__
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i head = _mm_loadu_si128((const __m128i *)(const void *)(m->head + from));
    return !(~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, head)) & (m->mask >> from));
#else
    unsigned n = m->nhead - from;
    return m->nhead && memcmp(p, m->head + from, n < 16 ? n : 16) == 0;
#endif
}

/* Does the name stand at p, in its quotes, behind what `from` leaves of the head, and before a colon? Moves behind
 * that. What has no name that comes next has a length that no text has. */
static inline bool expected(frame *f, unsigned from, place_t *p, const uint8_t *end, uint32_t *pc)
{
    const json_member *m = f->next;
    place_t at = *p, to = at + 4 - from;
    if ((size_t)(end - at) <= (size_t)m->len + 20 || !has_head(m, from, at))
        return false;
    to += m->len;
    if (m->len > JSON_HEAD_NAME && (memcmp(at + 2 - from, m->name, m->len) != 0 || to[-2] != '"' || to[-1] != ':'))
        return false;
    *p = to;
    *pc = m->state;
    f->next = m + 1;
    return true;
}

/* Any name. One that is written with escapes is looked up as what it means. */
static __attribute__((noinline)) place_t any_name(rt_walk *w, place_t p, frame *f, uint32_t *out)
{
    const json_program *prog = program(w);
    uint32_t pc = (uint32_t)(f->state - prog->states);
    bool escaped, half = false;
    place_t to = string(w, p, pc, &escaped);
    *out = 0;
    if (!to)
        return NULL;
    if (!escaped) {
        *out = member(prog, f, (const char *)p + 1, (size_t)(to - p - 2));
        return to;
    }
    if (!rt_json_decode(w, pc, p + 1, (size_t)(to - p - 2), &w->scratch[0], &half))
        return NULL;
    if (half) /* a name that no key can have in full; patterns may match it */
        *out = f->state->nglobs ? f->state->several : f->state->other;
    else
        *out = member(prog, f, w->scratch[0].p, w->scratch[0].len);
    return to;
}

/* A name and its colon. */
static inline place_t name(rt_walk *w, place_t p, frame *f, uint32_t *pc)
{
    const uint8_t *end = w->end;
    uint32_t found;
    bool escaped;
    if (expected(f, 1, &p, end, pc))
        return json_blank(p, end);
    if (p == end || *p != '"')
        return bad_in(w, p, f, "the name of a member should stand here, in quotes", NULL);
    *pc = 0;
    if (f->state == program(w)->states) { /* nothing is said of what is in there */
        p = string(w, p, 0, &escaped);
    } else {
        p = any_name(w, p, f, &found);
        *pc = found;
    }
    if (!p)
        return NULL;
    p = json_blank(p, end);
    if (p == end || *p != ':')
        return bad_in(w, p, f, "a colon should stand here, behind the name of a member", NULL);
    return json_blank(p + 1, end);
}

/* ---- values ---- */

static const char *const kinds[JSON_KINDS] = {"an object", "an array", "a string", "a number", "true or false", "null"};

/* A value that is not merely copied. */
static __attribute__((noinline)) bool act(rt_walk *w, place_t at, uint32_t pc, json_kind kind)
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

static inline place_t string_value(rt_walk *w, place_t p, uint32_t pc)
{
    bool escaped;
    uint8_t what = program(w)->states[pc].act[JSON_STRING];
    place_t to = string(w, p, pc, &escaped);
    if (!to || what == JSON_COPY)
        return to;
    if (what != JSON_SEAL)
        return act(w, p, pc, JSON_STRING) ? to : NULL;
    rt_edit e = {.from = p + 1, .value = p + 1, .to = to - 1, .pc = pc, .count = escaped};
    return rt_walk_note(w, e) ? to : NULL;
}

static inline place_t enter(rt_walk *w, place_t p, uint32_t pc, frame **f)
{
    const json_program *prog = program(w);
    const json_state *at = &prog->states[pc];
    bool object = *p == '{';
    if (!check(w, p, pc, object ? JSON_OBJECT : JSON_ARRAY))
        return NULL;
    if (*f == &((state *)w->own)->frames[RT_MAX_NESTING])
        return bad(w, p, pc, "the record nests too deep");
    *++*f = (frame){at, prog->members + (object ? at->first : 0), object};
    return json_blank(p + 1, w->end);
}

/* A value that is not entered, in the given state. */
static inline place_t leaf(rt_walk *w, place_t p, uint32_t pc)
{
    switch (*p) {
    case '"':
        return string_value(w, p, pc);
    case 't':
        return check(w, p, pc, JSON_BOOLEAN) ? word(w, p, pc, "true", 4) : NULL;
    case 'f':
        return check(w, p, pc, JSON_BOOLEAN) ? word(w, p, pc, "false", 5) : NULL;
    case 'n':
        return check(w, p, pc, JSON_NULL) ? word(w, p, pc, "null", 4) : NULL;
    default:
        return check(w, p, pc, JSON_NUMBER) ? number(w, p, pc) : NULL;
    }
}

/* ---- the loop ---- */

/* Behind a value or, entered, at the start of an object or array: to the next value, in state *pc, if there is one more
 * (something is open then). */
static inline place_t onward(rt_walk *w, place_t p, bool entered, frame **open, uint32_t *pc)
{
    const frame *outside = ((state *)w->own)->frames;
    const uint8_t *end = w->end;
    for (frame *f = *open; f != outside; entered = false) {
        if (!entered)
            p = json_blank(p, end);
        if (p == end)
            return bad_in(w, p, f, "the record ends inside an object", "the record ends inside an array");
        if (*p == (f->object ? '}' : ']')) {
            p++;
            *open = --f;
            continue;
        }
        if (!entered) {
            if (*p != ',')
                return bad_in(w, p, f, "a comma or } should stand here", "a comma or ] should stand here");
            p = json_blank(p + 1, end);
        }
        if (f->object)
            return name(w, p, f, pc);
        *pc = f->state->items;
        return p;
    }
    return p;
}

/* Most texts have their members in the order of the schema, and no blanks before names: the name that comes next need
 * not be scanned then. */
static bool run(rt_walk *w)
{
    frame *outside = ((state *)w->own)->frames, *open = outside;
    const uint8_t *end = w->end;
    place_t p = json_blank(w->p, end);
    uint32_t pc = program(w)->root;
    do {
        if (p == end)
            return bad(w, p, pc, "the record ends where a value should stand");
        bool entered = (*p | 0x20) == '{'; /* or '[' */
        p = entered ? enter(w, p, pc, &open) : leaf(w, p, pc);
        if (!p)
            return false;
        if (entered || open == outside || !expected(open, 0, &p, end, &pc))
            p = onward(w, p, entered, &open, &pc);
        else
            p = json_blank(p, end);
        if (!p)
            return false;
    } while (open != outside);
    w->p = p = json_blank(p, end);
    return p == end || rt_walk_malformed(w, 0, "something follows after the end of the value");
}

const rt_encoding rt_json = {.format = SCH_JSON,
                             .state = sizeof(state),
                             .compile = rt_json_compile,
                             .print = rt_json_print,
                             .run = run,
                             .replace = rt_json_replace};
