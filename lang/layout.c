/* layout.c: raw tokens to what the grammar reads: which line ends count, which braces hold a JSON object, and the
 * repair of braces that do not balance, the only place where indentation has a meaning (docs/language.md 3). */
#include <string.h>

#include "lang/forms.h"
#include "lang/syntax.h"

#include "lang/parse.h"

typedef struct open_brace {
    int kind;        /* LT_BRACE (block), LT_OBJECT, LT_BRACKET, LT_PAREN */
    uint32_t raw;    /* the opening token */
    uint32_t indent; /* of its line */
} open_brace;

typedef struct layout {
    lang_reader *r;
    bool *matched; /* by raw token: a `[` or `(` that is closed before its block ends */
    bool balanced; /* all `{` and `}` of the file */
    open_brace stack[LANG_MAX_DEPTH];
    size_t depth;
    size_t nots;     /* `not` in a row */
    bool after_stmt; /* the last statement ended without a block, at this place: */
    uint32_t stmt_indent, stmt_raw;
    uint32_t here_indent, here_raw; /* of the statement being read */
} layout;

static int last_kind(const layout *l)
{
    return l->r->lex.n ? l->r->lex.v[l->r->lex.n - 1].kind : 0;
}

static int top_kind(const layout *l)
{
    return l->depth ? l->stack[l->depth - 1].kind : 0;
}

/* Bytes before the first token of the token's line. */
static uint32_t indent_of(const layout *l, uint32_t raw)
{
    const lang_token *t = &l->r->raw.v[raw];
    return t->from >= l->r->src->lines[t->line] ? (uint32_t)strspn(l->r->src->text + l->r->src->lines[t->line], " \t")
                                                : 0;
}

static void emit(layout *l, int kind, uint32_t raw, lang_loc at, bool made)
{
    FL_PUSH(l->r->scratch, &l->r->lex, (lang_lexeme){kind, raw, at, made});
}

/* An end of line, where one counts: right behind the last token. */
static void emit_newline(layout *l)
{
    int last = last_kind(l);
    if (last == 0 || last == LT_NEWLINE)
        return;
    const lang_lexeme *e = &l->r->lex.v[l->r->lex.n - 1];
    emit(l, LT_NEWLINE, e->raw, (lang_loc){e->at.to, e->at.to}, e->made);
}

/* ---- matching of brackets ---- */

/* Marks each `[` and `(` that is closed before the block it stands in, and finds whether all braces balance. */
static void match_brackets(layout *l)
{
    uint32_t stack[LANG_MAX_DEPTH * 4];
    size_t n = 0;
    l->balanced = true;
    for (uint32_t i = 0; i < l->r->raw.n; i++) {
        int k = l->r->raw.v[i].kind;
        if (k == LT_BRACE || k == LT_BRACKET || k == LT_PAREN) {
            if (n == sizeof stack / sizeof stack[0])
                return; /* deeper than any nesting that is let through */
            stack[n++] = i;
        } else if (k == LT_ENDBRACE) {
            while (n && l->r->raw.v[stack[n - 1]].kind != LT_BRACE)
                n--;
            l->balanced &= n > 0;
            n -= n > 0;
        } else if (k == LT_ENDBRACKET || k == LT_ENDPAREN) {
            int want = k == LT_ENDBRACKET ? LT_BRACKET : LT_PAREN;
            size_t m = n;
            while (m && l->r->raw.v[stack[m - 1]].kind != LT_BRACE && l->r->raw.v[stack[m - 1]].kind != want)
                m--;
            if (m && l->r->raw.v[stack[m - 1]].kind == want) {
                l->matched[stack[m - 1]] = true;
                n = m - 1;
            }
        }
    }
    for (; n; n--)
        l->balanced &= l->r->raw.v[stack[n - 1]].kind != LT_BRACE;
}

/* The next token that is neither comment nor line end; the number of tokens at the end. */
static uint32_t next_real(const layout *l, uint32_t i)
{
    for (i++; i < l->r->raw.n; i++)
        if (l->r->raw.v[i].kind != LT_COMMENT && l->r->raw.v[i].kind != LT_LINE)
            break;
    return i;
}

static int kind_at(const layout *l, uint32_t i)
{
    return i < l->r->raw.n ? l->r->raw.v[i].kind : 0;
}

/* Does this `{` open a JSON object? An empty one may be either; the forms decide. */
static bool opens_object(const layout *l, uint32_t i)
{
    uint32_t first = next_real(l, i);
    int a = kind_at(l, first), b = kind_at(l, next_real(l, first));
    if (a == LT_ENDBRACE || (top_kind(l) && top_kind(l) != LT_BRACE))
        return true;
    if (a == LT_STRING || a == LT_RAW)
        return b != LT_ASSIGN;
    return b == LT_COLON && a != LT_BRACE && a != LT_BRACKET && a != LT_PAREN;
}

/* ---- opening and closing ---- */

static bool push(layout *l, int kind, uint32_t raw)
{
    const lang_token *t = &l->r->raw.v[raw];
    if (l->depth == LANG_MAX_DEPTH) {
        lang_limit(l->r, (lang_loc){t->from, t->to}, "nested more than %d deep", LANG_MAX_DEPTH);
        return false;
    }
    l->stack[l->depth++] = (open_brace){kind, raw, indent_of(l, raw)};
    return true;
}

/* Closes the innermost brace or bracket; made: none is written there. */
static void close_top(layout *l, uint32_t raw, lang_loc at, bool made)
{
    int kind = l->stack[--l->depth].kind;
    if (kind == LT_BRACE) {
        if (last_kind(l) != LT_BRACE)
            emit_newline(l);
        emit(l, LT_ENDBRACE, raw, at, made);
        l->after_stmt = false;
    } else {
        emit(l, kind == LT_OBJECT ? LT_ENDOBJECT : kind == LT_BRACKET ? LT_ENDBRACKET : LT_ENDPAREN, raw, at, made);
    }
}

/* Closes the innermost brace where its `}` is missing, with the message at its opening. */
static void close_missing(layout *l)
{
    const open_brace *o = &l->stack[l->depth - 1];
    const lang_token *t = &l->r->raw.v[o->raw];
    const lang_lexeme *e = &l->r->lex.v[l->r->lex.n - 1];
    if ((o->kind == LT_BRACE || o->kind == LT_OBJECT) && !l->r->bad[t->line])
        lang_error(l->r, (lang_loc){t->from, t->to}, "this `{` is not closed");
    bool was_block = o->kind == LT_BRACE;
    close_top(l, e->raw, (lang_loc){e->at.to, e->at.to}, true);
    if (was_block)
        emit(l, LT_NEWLINE, e->raw, (lang_loc){e->at.to, e->at.to}, true);
}

static void open_missing(layout *l)
{
    const lang_token *t = &l->r->raw.v[l->stmt_raw];
    lang_lexeme *e = &l->r->lex.v[l->r->lex.n - 1]; /* the NEWLINE of that statement becomes its `{` */
    if (l->r->bad[t->line])
        l->r->swallowed -= l->r->swallowed > 0;
    else
        lang_error(l->r, e->at, "a `{` is missing here");
    e->kind = LT_BRACE;
    e->made = true;
    push(l, LT_BRACE, l->stmt_raw);
    l->after_stmt = false;
}

/* ---- repair, by indentation ---- */

static bool top_level_word(const lang_token *t)
{
    size_t n;
    const lang_form *f = lang_forms(LANG_TOP, &n);
    if (t->kind != LT_WORD)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcspn(f[i].pattern, " ") == t->name->len && memcmp(f[i].pattern, t->name->text, t->name->len) == 0)
            return true;
    return false;
}

/* Before the first token of a line, in a file whose braces do not balance: what this line shows to be over. */
static void repair_closing(layout *l, uint32_t i)
{
    const lang_token *t = &l->r->raw.v[i];
    uint32_t indent = indent_of(l, i);
    bool word = indent == 0 && top_level_word(t);
    while (l->depth && !l->r->ended) {
        const open_brace *o = &l->stack[l->depth - 1];
        bool inside = o->kind != LT_BRACE && t->kind != LT_ENDBRACKET && t->kind != LT_ENDPAREN;
        bool over = t->kind == LT_ENDBRACE ? o->indent > indent : inside && o->indent >= indent;
        if (!word && !over)
            break;
        close_missing(l);
    }
}

/* A statement that is indented further than the one before it, which has no block, opens one. */
static void repair_opening(layout *l, uint32_t i)
{
    const lang_token *t = &l->r->raw.v[i];
    if (t->kind == LT_ENDBRACE || l->depth == LANG_MAX_DEPTH || (l->depth && top_kind(l) != LT_BRACE))
        return;
    if (l->after_stmt && last_kind(l) == LT_NEWLINE && indent_of(l, i) > l->stmt_indent)
        open_missing(l);
}

/* ---- the walk ---- */

/* A line end before token i, if one counts there. */
static void line_end(layout *l, uint32_t i)
{
    int last = last_kind(l), top = top_kind(l), next = kind_at(l, i);
    if (last == 0 || last == LT_NEWLINE || last == LT_BRACE || last == LT_OBJECT || last == LT_BRACKET ||
        last == LT_COMMA || last == LT_COLON || top == LT_PAREN)
        return;
    if (top == LT_OBJECT || top == LT_BRACKET) {
        const lang_lexeme *e = &l->r->lex.v[l->r->lex.n - 1];
        if (next != (top == LT_OBJECT ? LT_ENDBRACE : LT_ENDBRACKET) && last != LT_INNERLINE)
            emit(l, LT_INNERLINE, e->raw, (lang_loc){e->at.to, e->at.to}, e->made);
        return;
    }
    l->after_stmt = last != LT_ENDBRACE;
    l->stmt_indent = l->here_indent;
    l->stmt_raw = l->here_raw;
    emit_newline(l);
}

static void end_brace(layout *l, uint32_t i, lang_loc at)
{
    while (l->depth && (top_kind(l) == LT_BRACKET || top_kind(l) == LT_PAREN))
        l->depth--; /* cannot be: unmatched ones are never pushed */
    if (l->depth) {
        close_top(l, i, at, false);
    } else if (l->r->swallowed) {
        l->r->swallowed--;
    } else if (!l->r->bad[l->r->raw.v[i].line]) {
        lang_error(l->r, at, "this `}` closes nothing");
    }
}

static void token(layout *l, uint32_t i)
{
    const lang_token *t = &l->r->raw.v[i];
    lang_loc at = {t->from, t->to};
    int last = last_kind(l);
    if ((last == 0 || last == LT_NEWLINE || last == LT_BRACE) && t->kind != LT_ENDBRACE) {
        l->here_indent = t->first ? indent_of(l, i) : UINT32_MAX; /* one behind a `{` says nothing about indentation */
        l->here_raw = i;
    }
    l->nots = t->kind == LT_NOT ? l->nots + 1 : 0;
    if (l->nots > LANG_MAX_DEPTH)
        lang_limit(l->r, at, "nested more than %d deep", LANG_MAX_DEPTH);
    if (t->kind == LT_ENDBRACE) {
        end_brace(l, i, at);
    } else if (t->kind == LT_BRACE) {
        int kind = opens_object(l, i) ? LT_OBJECT : LT_BRACE;
        if (push(l, kind, i))
            emit(l, kind, i, at, false);
    } else {
        if ((t->kind == LT_BRACKET || t->kind == LT_PAREN) && l->matched[i])
            push(l, t->kind, i);
        if (((t->kind == LT_ENDBRACKET && top_kind(l) == LT_BRACKET) ||
             (t->kind == LT_ENDPAREN && top_kind(l) == LT_PAREN)))
            l->depth--;
        emit(l, t->kind, i, at, false);
    }
}

void lang_layout(lang_reader *r)
{
    layout l = {.r = r, .matched = fl_alloc(r->scratch, r->raw.n + 1)};
    bool line = false;
    r->lex.cap = r->raw.n + r->raw.n / 4 + 1;
    r->lex.v = FL_NEW_N(r->scratch, lang_lexeme, r->lex.cap);
    match_brackets(&l);
    r->mended = !l.balanced;
    for (uint32_t i = 0; i < r->raw.n && !r->ended; i++) {
        int k = r->raw.v[i].kind;
        if (k == LT_LINE)
            line = true;
        if (k == LT_LINE || k == LT_COMMENT)
            continue;
        if (line && !l.balanced)
            repair_closing(&l, i);
        if (line)
            line_end(&l, i);
        if (line && !l.balanced)
            repair_opening(&l, i);
        line = false;
        token(&l, i);
    }
    while (l.depth && !r->ended)
        close_missing(&l);
    emit_newline(&l);
}
