/* proto_scan.c: tokens of a .proto text, and the names that it declares for other files. protoc decides what is right;
 * this finds places. */
#include "schema/proto.h"

#include <string.h>

/* ---- tokens ---- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_line(proto_scan *s)
{
    const char *end = memchr(s->text + s->at, '\n', s->len - s->at);
    s->at = end ? (uint32_t)(end - s->text) : s->len;
}

static void skip_comment(proto_scan *s)
{
    const char *end = memmem(s->text + s->at + 2, s->len - s->at - 2, "*/", 2);
    s->at = end ? (uint32_t)(end + 2 - s->text) : s->len;
}

static void skip_space(proto_scan *s)
{
    while (s->at < s->len) {
        const char *p = s->text + s->at;
        bool two = s->at + 1 < s->len && *p == '/';
        if (two && p[1] == '/')
            skip_line(s);
        else if (two && p[1] == '*')
            skip_comment(s);
        else if (*p == ' ' || (*p >= '\t' && *p <= '\r'))
            s->at++;
        else
            return;
    }
}

static void take_text(proto_scan *s)
{
    char quote = s->text[s->at++];
    while (s->at < s->len && s->text[s->at] != quote && s->text[s->at] != '\n') {
        if (s->text[s->at] == '\\' && s->at + 1 < s->len)
            s->at++;
        s->at++;
    }
    if (s->at < s->len)
        s->at++;
}

static proto_token_kind take(proto_scan *s)
{
    char c = s->text[s->at];
    if (c == '"' || c == '\'') {
        take_text(s);
        return PROTO_TEXT;
    }
    bool word = is_letter(c);
    if (!word && !is_digit(c)) {
        s->at++;
        return PROTO_SIGN;
    }
    while (s->at < s->len && (is_letter(s->text[s->at]) || is_digit(s->text[s->at])))
        s->at++;
    return word ? PROTO_WORD : PROTO_NUMBER;
}

proto_token sch_proto_token(proto_scan *s)
{
    skip_space(s);
    if (s->at >= s->len)
        return (proto_token){PROTO_END, s->len, s->len};
    proto_token t = {.from = s->at};
    t.kind = take(s);
    t.to = s->at;
    return t;
}

bool sch_proto_is(const proto_scan *s, proto_token t, const char *word)
{
    size_t n = strlen(word);
    return t.kind != PROTO_END && t.to - t.from == n && !memcmp(s->text + t.from, word, n);
}

/* ---- names ---- */

typedef struct names {
    proto_scan scan;
    proto_token token, before; /* this one and the one before it */
    fl_buf name;               /* package, and the name behind it */
    size_t package;            /* length of the package in it, with its dot */
    void (*fn)(const char *symbol, void *ctx);
    void *ctx;
} names;

static void step(names *n)
{
    n->before = n->token;
    n->token = sch_proto_token(&n->scan);
}

static bool at(const names *n, const char *word)
{
    return sch_proto_is(&n->scan, n->token, word);
}

static void declare(names *n, proto_token t)
{
    n->name.len = n->package;
    if (t.kind == PROTO_WORD && fl_buf_add(&n->name, n->scan.text + t.from, t.to - t.from))
        n->fn(n->name.p, n->ctx);
}

static void package(names *n)
{
    fl_buf_clear(&n->name);
    for (step(n); n->token.kind == PROTO_WORD || at(n, "."); step(n))
        fl_buf_add(&n->name, n->scan.text + n->token.from, n->token.to - n->token.from);
    if (n->name.len)
        fl_buf_addc(&n->name, '.');
    n->package = n->name.len;
}

/* A block from its `{` on. What stands before an `=` directly in it is declared, where that is asked for (values of
 * an enum, fields of an `extend`); options in brackets are not. */
static void block(names *n, bool members)
{
    size_t braces = 0, brackets = 0;
    bool statement = false; /* inside `option …` */
    do {
        if (at(n, "{"))
            braces++;
        else if (at(n, "}"))
            braces--;
        else if (at(n, "["))
            brackets++;
        else if (at(n, "]") && brackets)
            brackets--;
        else if (at(n, "option") && !brackets)
            statement = true;
        else if (at(n, ";"))
            statement = false;
        else if (at(n, "=") && members && braces == 1 && !brackets && !statement)
            declare(n, n->before);
        step(n);
    } while (braces && n->token.kind != PROTO_END);
}

static void definition(names *n, bool named, bool members)
{
    step(n);
    if (named)
        declare(n, n->token);
    while (n->token.kind != PROTO_END && !at(n, "{") && !at(n, ";"))
        step(n);
    if (at(n, "{"))
        block(n, members);
}

static void statement(names *n)
{
    if (at(n, "package"))
        package(n);
    else if (at(n, "message") || at(n, "service"))
        definition(n, true, false);
    else if (at(n, "enum"))
        definition(n, true, true);
    else if (at(n, "extend"))
        definition(n, false, true);
    else
        while (n->token.kind != PROTO_END && !at(n, ";"))
            step(n);
    if (at(n, ";"))
        step(n);
}

void sch_proto_symbols(const char *text, size_t len, void (*fn)(const char *symbol, void *ctx), void *ctx)
{
    names n = {.scan = {text, 0, (uint32_t)len}, .fn = fn, .ctx = ctx};
    fl_buf_init(&n.name, 4 * SCH_MAX_NAME);
    step(&n);
    while (n.token.kind != PROTO_END)
        statement(&n);
    fl_buf_free(&n.name);
}

const char *sch_proto_message_name(fl_arena *a, const char *text, size_t len, const char *message)
{
    names n = {.scan = {text, 0, (uint32_t)len}};
    const char *full = message;
    if (!message || len > SCH_MAX_TEXT)
        return NULL;
    fl_buf_init(&n.name, SCH_MAX_NAME);
    for (step(&n); n.token.kind != PROTO_END && !at(&n, "package") && !at(&n, "{");)
        step(&n);
    if (at(&n, "package"))
        package(&n);
    if (n.package && strncmp(message, n.name.p, n.package) != 0)
        full = fl_printf(a, "%s%s", n.name.p, message);
    fl_buf_free(&n.name);
    return full;
}
