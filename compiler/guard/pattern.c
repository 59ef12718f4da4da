/* pattern.c: POSIX extended expressions, matched by PCRE2.
 *
 * Not by regcomp: glibc's keeps every state it ever made (a hostile pattern over 100,000 names takes all memory),
 * copies what a repetition holds before anybody can stop it, and reads `\d` as the letter d without a word. So the
 * expression is read here, what POSIX leaves undefined is refused with the text to write instead, what repetitions hold
 * is counted, and the same expression is written for PCRE2, which matches under a limit of steps. */
#include <stdio.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "compiler/guard/model.h"

#define MAX_PATTERN 512   /* bytes */
#define MAX_ATOMS   2000  /* characters, classes and groups with all repetitions written out */
#define MAX_GROUPS  32    /* inside each other */
#define MAX_REPEAT  255   /* RE_DUP_MAX of POSIX */
#define MAX_STEPS   20000 /* of one match: some milliseconds */

struct guard_pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
};

typedef struct reading {
    const char *p;
    fl_buf out; /* for PCRE2 */
    char *message;
    bool wrong;
} reading;

static void refuse(reading *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(reading *r, const char *fmt, ...)
{
    va_list ap;
    if (r->wrong)
        return;
    r->wrong = true;
    va_start(ap, fmt);
    vsnprintf(r->message, 160, fmt, ap);
    va_end(ap);
}

/* ---- brackets ---- */

static bool class_name(reading *r)
{
    static const char *const names[] = {"[:alnum:]", "[:alpha:]", "[:blank:]", "[:cntrl:]", "[:digit:]", "[:graph:]",
                                        "[:lower:]", "[:print:]", "[:punct:]", "[:space:]", "[:upper:]", "[:xdigit:]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(r->p, names[i], n))
            continue;
        fl_buf_add(&r->out, names[i], n);
        r->p += n;
        return true;
    }
    return false;
}

/* One character or class inside brackets: POSIX has no escapes there, PCRE2 has. */
static void bracket_item(reading *r)
{
    if (*r->p == '[' && strchr(":.=", r->p[1]) && r->p[1]) {
        if (!class_name(r))
            refuse(r, "`[%c` opens no class of characters that is known here: write [:alpha:], [:digit:] …", r->p[1]);
        return;
    }
    if ((unsigned char)*r->p >= 0x80)
        refuse(r, "brackets hold ASCII characters only: write (ä|ö) for others");
    if (strchr("\\[", *r->p))
        fl_buf_addc(&r->out, '\\');
    fl_buf_addc(&r->out, *r->p++);
}

static void bracket(reading *r)
{
    fl_buf_addc(&r->out, *r->p++);
    if (*r->p == '^')
        fl_buf_addc(&r->out, *r->p++);
    if (*r->p == ']') {
        fl_buf_adds(&r->out, "\\]");
        r->p++;
    }
    while (*r->p && *r->p != ']' && !r->wrong)
        bracket_item(r);
    if (!*r->p)
        refuse(r, "a `[` is not closed");
    else if (!r->wrong)
        fl_buf_addc(&r->out, *r->p++);
}

/* ---- repetition ---- */

static unsigned number(reading *r)
{
    unsigned n = 0;
    for (; *r->p >= '0' && *r->p <= '9'; r->p++)
        n = n > MAX_REPEAT ? n : n * 10 + (unsigned)(*r->p - '0');
    return n;
}

/* `{m}`, `{m,}`, `{m,n}`: how many copies at most. */
static unsigned braces(reading *r)
{
    const char *from = r->p++;
    bool counted = *r->p >= '0' && *r->p <= '9';
    unsigned least = number(r), most = least;
    if (*r->p == ',') {
        r->p++;
        most = *r->p == '}' ? least + 1 : number(r);
    }
    if (!counted || *r->p != '}')
        refuse(r, "`{` begins a repetition like {2} or {2,5}: write \\{ for the character");
    else if (least > MAX_REPEAT || most > MAX_REPEAT + 1)
        refuse(r, "a repetition counts to %d at most", MAX_REPEAT);
    else if (most < least)
        refuse(r, "a repetition counts from the smaller number to the larger");
    else
        r->p++;
    fl_buf_add(&r->out, from, (size_t)(r->p - from));
    return most ? most : 1;
}

static bool repeats(char c)
{
    return c == '*' || c == '+' || c == '?' || c == '{';
}

static unsigned repetition(reading *r)
{
    unsigned copies = 1;
    if (!repeats(*r->p))
        return 1;
    if (*r->p == '{')
        copies = braces(r);
    else
        fl_buf_addc(&r->out, *r->p++);
    if (repeats(*r->p))
        refuse(r, "`%c` stands behind another repetition", *r->p);
    return copies;
}

/* ---- the rest ---- */

static unsigned long alternation(reading *r, unsigned depth);

static unsigned long group(reading *r, unsigned depth)
{
    if (depth == MAX_GROUPS)
        refuse(r, "groups stand more than %d deep in each other", MAX_GROUPS);
    if (!r->p[1])
        refuse(r, "a `(` is not closed");
    if (r->p[1] == ')' || repeats(r->p[1]))
        refuse(r, "behind `(` stands an expression");
    if (r->wrong)
        return 1;
    r->p++;
    fl_buf_adds(&r->out, "(?:");
    unsigned long cost = alternation(r, depth + 1) + 1;
    if (*r->p != ')')
        refuse(r, "a `(` is not closed");
    else
        fl_buf_addc(&r->out, *r->p++);
    return cost;
}

static void escape(reading *r)
{
    if (!r->p[1])
        refuse(r, "a `\\` stands at the end");
    else if (!strchr("^.[]$()|*+?{}\\/-", r->p[1]))
        refuse(r, "POSIX knows no `\\%c`: write a bracket, as [0-9], [[:space:]] or [[:alnum:]_]", r->p[1]);
    else
        fl_buf_add(&r->out, r->p, 2);
    r->p += r->wrong ? 0 : 2;
}

static unsigned long atom(reading *r, unsigned depth)
{
    if (repeats(*r->p))
        refuse(r, "`%c` has nothing before it to repeat", *r->p);
    if (r->wrong)
        return 1;
    if (*r->p == '(')
        return group(r, depth);
    if (*r->p == '[')
        bracket(r);
    else if (*r->p == '\\')
        escape(r);
    else if (*r->p == '}' || *r->p == ']') /* plain characters to POSIX */
        fl_buf_addf(&r->out, "\\%c", *r->p++);
    else if (*r->p & 0x80) { /* all bytes of a character are one thing to repeat: PCRE2 reads UTF-8 */
        do
            fl_buf_addc(&r->out, *r->p++);
        while ((*r->p & 0xC0) == 0x80);
    } else
        fl_buf_addc(&r->out, *r->p++);
    return 1;
}

static unsigned long branch(reading *r, unsigned depth)
{
    unsigned long cost = 0;
    if (!*r->p || *r->p == '|' || *r->p == ')')
        refuse(r, *r->p == ')' && !depth ? "a `)` closes nothing: write \\) for the character"
                                         : "an alternative is empty");
    while (!r->wrong && *r->p && *r->p != '|' && *r->p != ')') {
        bool anchor = *r->p == '^' || *r->p == '$';
        unsigned long one = atom(r, depth);
        if (anchor && repeats(*r->p))
            refuse(r, "an anchor cannot be repeated");
        cost += r->wrong ? 0 : one * repetition(r);
        if (cost > MAX_ATOMS)
            refuse(r, "with its repetitions written out the expression has more than %d parts", MAX_ATOMS);
    }
    return cost;
}

static unsigned long alternation(reading *r, unsigned depth)
{
    unsigned long cost = branch(r, depth);
    while (!r->wrong && *r->p == '|') {
        fl_buf_addc(&r->out, *r->p++);
        cost += branch(r, depth);
    }
    if (!depth && *r->p == ')')
        refuse(r, "a `)` closes nothing: write \\) for the character");
    return cost;
}

/* `.` matches every character, `$` the end alone, as in POSIX. */
static guard_pattern *compile(const char *text, char message[160])
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE, &error, &offset, NULL);
    if (!code) {
        pcre2_get_error_message(error, (PCRE2_UCHAR *)message, 160);
        return NULL;
    }
    guard_pattern *p = fl_xcalloc(1, sizeof *p);
    p->code = code;
    p->data = pcre2_match_data_create(1, NULL);
    p->context = pcre2_match_context_create(NULL);
    if (!p->data || !p->context)
        fl_die(FL_COULD_NOT_RUN, "no memory left");
    pcre2_set_match_limit(p->context, MAX_STEPS);
    pcre2_set_depth_limit(p->context, MAX_STEPS);
    return p;
}

guard_pattern *guard_pattern_new(const char *text, char message[160])
{
    reading r = {.p = text, .message = message};
    guard_pattern *p = NULL;
    if (strlen(text) > MAX_PATTERN) {
        snprintf(message, 160, "the expression is longer than %d bytes", MAX_PATTERN);
        return NULL;
    }
    fl_buf_init(&r.out, 4 * MAX_PATTERN + 16);
    alternation(&r, 0);
    if (!r.wrong)
        p = compile(r.out.p ? r.out.p : "", message);
    fl_buf_free(&r.out);
    return p;
}

void guard_pattern_free(guard_pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->context);
    pcre2_match_data_free(p->data);
    pcre2_code_free(p->code);
    free(p);
}

int guard_pattern_matches(const guard_pattern *p, const char *text)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0, p->data, p->context);
    return rc >= 0 ? 1 : rc == PCRE2_ERROR_NOMATCH ? 0 : -1;
}
