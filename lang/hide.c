/* hide.c: which parts of a policy no excerpt shows, whatever a message on their line is about.
 *
 * A literal secret is refused by the checks, but a line that holds one may be refused before them, for a mistyped name
 * or a missing sign. So this looks at tokens alone, before anything is known of statements, and hides rather too much:
 * only excerpts lose by it. */
#include <string.h>
#include <strings.h>

#include "lang/syntax.h"

#include "lang/parse.h"

#define PART(text)                                                                                                     \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
static const struct {
    const char *text;
    size_t n;
} parts[] = {PART("password"),    PART("passwd"),      PART("passphrase"), PART("secret"),
             PART("token"),       PART("user.info"),   PART("userinfo"),   PART("credential"),
             PART("jaas.config"), PART("private.key"), PART("key.pem"),    PART("keystore.key")};
#undef PART
enum { NPARTS = sizeof parts / sizeof *parts };

/* By the last five bits of a byte, those of the bytes that follow it at the beginning of a part: most places of most
 * names are none. */
typedef struct beginnings {
    uint32_t next[32];
} beginnings;

static beginnings begin_parts(void)
{
    beginnings b = {{0}};
    for (size_t i = 0; i < NPARTS; i++)
        b.next[parts[i].text[0] & 31] |= 1u << (parts[i].text[1] & 31);
    return b;
}

/* Is one of the parts in the name, in any case of letters? */
static bool sounds_secret(const beginnings *b, const char *name)
{
    for (const char *p = name; *p; p++) {
        if (!(b->next[*p & 31] >> (p[1] & 31) & 1))
            continue;
        for (size_t i = 0; i < NPARTS; i++)
            if (!strncasecmp(p, parts[i].text, parts[i].n))
                return true;
    }
    return false;
}

static bool holds(const char *s, size_t n, char c)
{
    return memchr(s, c, n) != NULL;
}

/* "${provider:…}" or "${variable}", and nothing beside it. */
static bool is_reference(const char *s, size_t n)
{
    return n > 5 && !strncmp(s, "\"${", 3) && memchr(s, '}', n) == s + n - 2;
}

/* scheme://user:password@host, or what may be one: the rest of a policy has no `@` behind a scheme. */
static bool has_password(const char *s, size_t n)
{
    const char *scheme = memmem(s, n, "://", 3);
    return scheme && holds(scheme, n - (size_t)(scheme - s), '@');
}

static bool is_name(const lang_token *t, const char *word)
{
    return t->kind == LT_WORD && t->name && !strcmp(t->name->text, word);
}

/* Is this what `secret(` holds? */
static bool in_secret_call(const lang_reader *r, size_t i)
{
    return i > 1 && r->raw.v[i - 1].kind == LT_PAREN && is_name(&r->raw.v[i - 2], "secret");
}

/* Does a value begin behind this token that is to be hidden? A name at the start of its line, or before a `=`. */
static bool opens_secret(const lang_reader *r, const beginnings *b, size_t i)
{
    const lang_token *t = &r->raw.v[i];
    if (!t->name || t->bad)
        return false;
    if (t->first && is_name(t, "auth"))
        return true;
    bool assigned = i + 1 < r->raw.n && r->raw.v[i + 1].kind == LT_ASSIGN;
    return (t->first || assigned) && sounds_secret(b, t->name->text);
}

/* Token i stands behind a name that sounds secret. The kind of `auth` is not hidden, nor what refers to a secret. */
static bool is_literal(const lang_reader *r, size_t i, bool auth)
{
    const lang_token *t = &r->raw.v[i];
    const char *s = r->src->text + t->from;
    size_t n = t->to - t->from;
    if (t->kind == LT_COMMENT)
        return t->from == r->raw.v[i - 1].to; /* `pass#word` without quotes */
    if ((!t->name && !t->bad) || is_reference(s, n))
        return false;
    if (is_name(t, "secret") && i + 1 < r->raw.n && r->raw.v[i + 1].kind == LT_PAREN)
        return false;
    if (auth && is_name(&r->raw.v[i - 1], "auth"))
        return t->kind != LT_WORD;
    return !in_secret_call(r, i) || t->kind == LT_WORD;
}

/* `let NAME = "…" more`: a line that is refused before anybody knows what the variable is for. */
static bool is_damaged_let(const lang_reader *r, size_t i)
{
    bool let = i > 2 && r->raw.v[i - 1].kind == LT_ASSIGN && r->raw.v[i - 3].first && is_name(&r->raw.v[i - 3], "let");
    bool last = i + 1 >= r->raw.n || r->raw.v[i + 1].kind == LT_LINE || r->raw.v[i + 1].kind == LT_COMMENT;
    return let && (r->raw.v[i].bad || !last);
}

/* A string that is hidden wherever it stands. */
static bool is_revealing(const lang_reader *r, size_t i)
{
    const lang_token *t = &r->raw.v[i];
    const char *s = r->src->text + t->from;
    size_t n = t->to - t->from;
    if (t->kind != LT_STRING && t->kind != LT_RAW && !t->bad)
        return false;
    return has_password(s, n) || (in_secret_call(r, i) && !holds(s, n, ':')) || is_damaged_let(r, i);
}

/* A line end behind these does not end the statement. */
static bool goes_on(int kind)
{
    return kind == LT_BRACKET || kind == LT_COMMA || kind == LT_PAREN;
}

void lang_hide(lang_reader *r)
{
    beginnings b = begin_parts();
    bool secret = false, auth = false, hid = false;
    for (size_t i = 0; i < r->raw.n; i++) {
        lang_token *t = &r->raw.v[i];
        if (t->kind == LT_LINE) {
            secret = secret && i > 0 && goes_on(r->raw.v[i - 1].kind);
            hid = false;
        } else if (is_revealing(r, i) || (secret && is_literal(r, i, auth)) || (hid && t->kind == LT_COMMENT)) {
            t->hidden = hid = true; /* with the comment behind it, which may say what it was before */
            fl_diags_hide(r->diags, lang_span(r, (lang_loc){t->from, t->to}));
        } else if (!secret && opens_secret(r, &b, i)) {
            secret = true;
            auth = is_name(t, "auth");
        }
    }
}
