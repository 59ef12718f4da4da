/* parse.y: the grammar. It knows no statement, so that every line is read, formatted and recovered alone (docs/language.md 3).
 *
 * Made into two parsers: one that looks ahead before it reduces, so that it can say what would have been right
 * (parse.lac), and one that does not and stops at the first thing that is wrong, after which the other begins anew. */
%define api.pure full
%define api.prefix {lang_yy}
%define api.token.prefix {LT_}
%define api.location.type {lang_loc}
%define parse.error custom
%define parse.lac full
%locations
%param {lang_reader *r}

%code requires {
#include "lang/syntax.h"
}

%code {
#define YYLLOC_DEFAULT(out, rhs, n)                                                                                    \
    do {                                                                                                               \
        (out).from = (n) ? YYRHSLOC(rhs, 1).from : YYRHSLOC(rhs, 0).to;                                                \
        (out).to = (n) ? YYRHSLOC(rhs, n).to : YYRHSLOC(rhs, 0).to;                                                    \
    } while (0)

static int yylex(YYSTYPE *value, YYLTYPE *at, lang_reader *r);
static void yyerror(const YYLTYPE *at, lang_reader *r, const char *message);
}

/* A value that was read lies on top of the reader's stack of values until something takes it; a list is a range of it. */
%union {
    uint32_t raw;
    lang_range range;
    lang_members *members;
    lang_expr *expr;
    lang_exprs *exprs;
    lang_stmt *stmt;
    lang_block *block;
    lang_relop op;
}

%token <raw> WORD STRING RAW WHERE REQUIRES EVERY SOME NO AND OR NOT IN MATCHES
%token BRACE ENDBRACE OBJECT ENDOBJECT BRACKET ENDBRACKET PAREN ENDPAREN COMMA COLON ASSIGN EQ NE LT LE GT GE NEWLINE
%token INNERLINE COMMENT LINE      /* inside an object or list; the last two never come here */

%type <raw> word ten inner string_token head name string string_head
%type <range> list values json_values lists lines
%type <members> members
%type <expr> expr conj neg
%type <exprs> ors ands
%type <stmt> line stmt
%type <block> block
%type <op> relop

%%

file: %empty                      { r->top = lang_tree_block(r, (lang_range){0, 0}, (lang_loc){0, 0}, (lang_loc){0, 0}); }
    | lines                       { r->top = lang_tree_block(r, $1, (lang_loc){0, 0}, (lang_loc){@1.to, @1.to}); }
    ;
lines: line                       { $$ = lang_tree_stmt(r, lang_tree_stmts(r), $1); }
    | lines line                  { $$ = lang_tree_stmt(r, $1, $2); }
    ;
line: stmt NEWLINE
    | error NEWLINE               { yyerrok; $$ = lang_tree_damaged(r, @1, NULL); }
    | error block NEWLINE         { yyerrok; $$ = lang_tree_damaged(r, @1, $2); }
    ;
block: open lines ENDBRACE        { $$ = lang_tree_block(r, $2, @1, @3); }
    ;
open: BRACE                       { yyerrok; }
    ;

stmt: phrase_stmt
    | WHERE expr                  { $$ = lang_tree_phrase(r, $1); $$->expr = $2; $$->span = lang_span(r, @$); }
    | REQUIRES expr               { $$ = lang_tree_phrase(r, $1); $$->expr = $2; $$->span = lang_span(r, @$); }
    | string_head ASSIGN value    { $$ = lang_tree_phrase(r, $1); $$->value = lang_tree_value(r); $$->span = lang_span(r, @$); }
    ;
string_head: string | WHERE | REQUIRES
    ;
%type <stmt> phrase_stmt phrase;
phrase_stmt: phrase
    | phrase block                { $$ = $1; $$->block = $2; $$->span.to = $2->open.to; }
    | phrase ASSIGN value         { $$ = $1; $$->value = lang_tree_value(r); $$->span = lang_span(r, @$); }
    ;
phrase: head                      { $$ = lang_tree_phrase(r, $1); }
    | head lists                  { $$ = lang_tree_phrase(r, $1); lang_tree_rest(r, $$, $2); }
    ;
lists: list                       { $$ = lang_tree_lists(r, (lang_range){(uint32_t)r->lists.n, 0}, $1); }
    | lists list                  { $$ = lang_tree_lists(r, $1, $2); }
    ;
list: item                        { $$ = lang_tree_first(r); }
    | list COMMA item             { $$ = lang_tree_next(r, $1); }
    ;
item: name                        { lang_tree_name(r, $1); }
    | name COLON name             { lang_tree_pair(r, $1, $3); }
    | call | bracket | object
    ;

head: WORD | inner
    ;
name: word | string
    ;
word: WORD | ten
    ;
ten: WHERE | REQUIRES | inner
    ;
inner: EVERY | SOME | NO | AND | OR | NOT | IN | MATCHES
    ;
string: string_token
    ;
string_token: STRING | RAW
    ;

value: name                       { lang_tree_name(r, $1); }
    | call | bracket | object
    ;
call: WORD PAREN string ENDPAREN  { lang_tree_call(r, $1, $3, lang_span(r, @$)); }
    ;
bracket: BRACKET ENDBRACKET       { lang_tree_list(r, (lang_range){0, 0}, lang_span(r, @$)); }
    | BRACKET values ENDBRACKET   { lang_tree_list(r, $2, lang_span(r, @$)); }
    ;
values: value                     { $$ = lang_tree_first(r); }
    | values COMMA value          { $$ = lang_tree_next(r, $1); }
    ;
object: OBJECT ENDOBJECT          { lang_tree_object(r, NULL, lang_span(r, @$)); }
    | OBJECT members ENDOBJECT    { lang_tree_object(r, $2, lang_span(r, @$)); }
    ;
members: STRING COLON json        { $$ = lang_tree_member(r, NULL, $1); }
    | members COMMA STRING COLON json { $$ = lang_tree_member(r, $1, $3); }
    ;
json: word                        { lang_tree_name(r, $1); }
    | STRING                      { lang_tree_name(r, $1); }
    | json_list | object
    ;
json_list: BRACKET ENDBRACKET     { lang_tree_list(r, (lang_range){0, 0}, lang_span(r, @$)); }
    | BRACKET json_values ENDBRACKET { lang_tree_list(r, $2, lang_span(r, @$)); }
    ;
json_values: json                 { $$ = lang_tree_first(r); }
    | json_values COMMA json      { $$ = lang_tree_next(r, $1); }
    ;

expr: ors                         { $$ = lang_tree_join(r, LANG_E_OR, $1); }
    ;
ors: conj                         { $$ = lang_tree_chain(r, NULL, $1); }
    | ors OR conj                 { $$ = lang_tree_chain(r, $1, $3); }
    ;
conj: ands                        { $$ = lang_tree_join(r, LANG_E_AND, $1); }
    ;
ands: neg                         { $$ = lang_tree_chain(r, NULL, $1); }
    | ands AND neg                { $$ = lang_tree_chain(r, $1, $3); }
    ;
neg: NOT neg                      { $$ = lang_tree_expr(r, LANG_E_NOT, $2, NULL, lang_span(r, @$)); }
    | EVERY WORD PAREN expr ENDPAREN { $$ = lang_tree_every(r, LANG_E_EVERY, $2, $4, lang_span(r, @$)); }
    | SOME WORD PAREN expr ENDPAREN  { $$ = lang_tree_every(r, LANG_E_SOME, $2, $4, lang_span(r, @$)); }
    | NO WORD PAREN expr ENDPAREN    { $$ = lang_tree_every(r, LANG_E_NO, $2, $4, lang_span(r, @$)); }
    | PAREN expr ENDPAREN         { $$ = $2; }
    | operand                     { $$ = lang_tree_operand(r, lang_span(r, @$)); }
    | operand relop operand       { lang_expr *right = lang_tree_operand(r, lang_span(r, @3)), *left = lang_tree_operand(r, lang_span(r, @1));
                                    $$ = lang_tree_expr(r, LANG_E_REL, left, right, lang_span(r, @$)); $$->op = $2; }
    ;
relop: EQ { $$ = LANG_EQ; } | NE { $$ = LANG_NE; } | LT { $$ = LANG_LT; } | LE { $$ = LANG_LE; } | GT { $$ = LANG_GT; } | GE { $$ = LANG_GE; }
    | IN { $$ = LANG_IN; } | MATCHES { $$ = LANG_MATCHES; }
    ;
operand: WORD                     { lang_tree_name(r, $1); }
    | WORD BRACKET string ENDBRACKET { lang_tree_pair(r, $1, $3); }
    | string                      { lang_tree_name(r, $1); }
    | bracket
    ;

%%

static int yylex(YYSTYPE *value, YYLTYPE *at, lang_reader *r)
{
    if (r->pos == r->lex.n || r->ended || r->stopped) {
        uint32_t end = r->lex.n ? r->lex.v[r->lex.n - 1].at.to : 0;
        *at = (lang_loc){end, end};
        return LT_YYEOF;
    }
    const lang_lexeme *e = &r->lex.v[r->pos++];
    value->raw = e->raw;
    *at = e->at;
    return e->kind;
}

#ifndef YY_LAC_ESTABLISH /* the quick one */

static void yyerror(const YYLTYPE *at, lang_reader *r, const char *message)
{
    r->stopped = true;
}

static int yyreport_syntax_error(const yypcontext_t *ctx, lang_reader *r)
{
    r->stopped = true;
    return 0;
}

#else

/* Only for an exhausted parser stack. */
static void yyerror(const YYLTYPE *at, lang_reader *r, const char *message)
{
    lang_limit(r, *at, "nested more than %d deep", LANG_MAX_DEPTH);
}

/* Has the statement that ends at the current token an error that was reported before: of the scanner, of braces? */
static bool reported(const lang_reader *r)
{
    for (size_t i = r->pos; i-- > 0;) {
        const lang_lexeme *e = &r->lex.v[i];
        bool before = i + 1 < r->pos && (e->kind == LT_NEWLINE || e->kind == LT_BRACE || e->kind == LT_ENDBRACE);
        if (e->made || (!before && (r->raw.v[e->raw].bad || r->bad[r->raw.v[e->raw].line])))
            return true;
        if (before)
            return false;
    }
    return false;
}

/* What the grammar would take, in words: a set of alternatives, so that ten words and two kinds of string are "a name". */
typedef struct wanted {
    const char *what[12];
    size_t n;
} wanted;

static void want(wanted *w, bool really, const char *what)
{
    if (really && w->n < sizeof w->what / sizeof w->what[0])
        w->what[w->n++] = what;
}

static void collect(const yypcontext_t *ctx, const lang_reader *r, wanted *w)
{
    bool assigned = r->pos > 1 && r->lex.v[r->pos - 2].kind == LT_ASSIGN;
    bool has[YYNTOKENS] = {false};
    yysymbol_kind_t list[YYNTOKENS];
    int n = yypcontext_expected_tokens(ctx, list, YYNTOKENS);
    for (int i = 0; i < n; i++)
        has[list[i]] = true;
    bool name = has[YYSYMBOL_WORD] && has[YYSYMBOL_IN], value = name && has[YYSYMBOL_OBJECT];
    want(w, value, has[YYSYMBOL_RAW] && !assigned ? "a name" : "a value");
    want(w, name && !value, "a name");
    want(w, !name && has[YYSYMBOL_WORD] && has[YYSYMBOL_NOT], "a condition");
    want(w, !name && has[YYSYMBOL_WORD] && !has[YYSYMBOL_NOT], has[YYSYMBOL_STRING] ? "a value" : "a word");
    want(w, !name && !has[YYSYMBOL_WORD] && has[YYSYMBOL_STRING], "a string in double quotes");
    want(w, !name && has[YYSYMBOL_EQ], "a comparison");
    want(w, !name && has[YYSYMBOL_AND], "`and`, `or`");
    want(w, has[YYSYMBOL_ASSIGN], "`=`");
    want(w, has[YYSYMBOL_COLON], "`:`");
    want(w, has[YYSYMBOL_COMMA], "`,`");
    want(w, has[YYSYMBOL_PAREN] && n == 1, "`(`"); /* not where a word might have become a call */
    want(w, has[YYSYMBOL_ENDPAREN], "`)`");
    want(w, has[YYSYMBOL_ENDBRACKET], "`]`");
    want(w, has[YYSYMBOL_BRACE], "`{`");
    want(w, has[YYSYMBOL_ENDOBJECT] || has[YYSYMBOL_ENDBRACE], "`}`");
    want(w, has[YYSYMBOL_NEWLINE], "the end of the line");
}

static const char *found(const lang_reader *r, yysymbol_kind_t token, lang_loc at)
{
    if (token == YYSYMBOL_NEWLINE || token == YYSYMBOL_INNERLINE || token == YYSYMBOL_YYEOF)
        return "the line ends";
    if (r->raw.v[r->lex.v[r->pos - 1].raw].hidden)
        return token == YYSYMBOL_STRING || token == YYSYMBOL_RAW ? "a string stands" : "a word stands";
    uint32_t n = at.to - at.from;
    return fl_printf(r->a, "`%.*s%s` stands", n > 40 ? 40 : (int)n, r->src->text + at.from, n > 40 ? "…" : "");
}

static int yyreport_syntax_error(const yypcontext_t *ctx, lang_reader *r)
{
    lang_loc at = *yypcontext_location(ctx);
    yysymbol_kind_t token = yypcontext_token(ctx);
    r->damaged = true;
    if (reported(r))
        return 0;
    wanted w = {.n = 0};
    collect(ctx, r, &w);
    if (w.n == 0 || w.n > 5) {
        lang_error(r, at, "%s here, where it has no meaning", found(r, token, at));
        return 0;
    }
    const char *list = w.what[0];
    for (size_t i = 1; i < w.n; i++)
        list = fl_printf(r->a, "%s%s%s", list, i + 1 == w.n ? " or " : ", ", w.what[i]);
    lang_error(r, at, "expected %s, but %s here", list, found(r, token, at));
    return 0;
}

#endif
