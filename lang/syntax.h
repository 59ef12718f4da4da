/* syntax.h: what scanner, layout, grammar and formatter share; internal to lang/.
 *
 * One file goes through four steps: scan.l cuts the text into raw tokens (comments and line ends among them), layout.c
 * decides which line ends and braces count and mends braces that do not balance, parse.y makes the tree, match.c holds
 * it against the forms. Everything lies in the arena of the reader. */
#ifndef FLEC_LANG_SYNTAX_H
#define FLEC_LANG_SYNTAX_H

#include "lang/lang.h"

enum {
    LANG_MAX_FILE = 16 << 20,   /* bytes of a file */
    LANG_MAX_DEPTH = 64,        /* open braces and brackets */
    LANG_MAX_STRING = 64 << 10, /* bytes of a string, as written */
    LANG_MAX_LIST = 100000,     /* items of one list */
    LANG_MAX_TOKENS = 4000000,  /* tokens of a file: bounds memory to about a gigabyte */
    LANG_MAX_ERRORS = 10000     /* messages about one file; then reading it ends */
};

typedef struct lang_loc {
    uint32_t from, to; /* bytes, [from, to) */
} lang_loc;

/* A raw token. Kinds are those of the grammar (parse.h), LT_COMMENT and LT_LINE among them, which never reach it. */
typedef struct lang_token {
    int kind;
    uint32_t from, to;
    uint32_t line;         /* from 0 */
    bool first;            /* first on its line */
    bool bad;              /* stands for text that could not be scanned */
    bool hidden;           /* may be a secret: no message and no excerpt shows it */
    const lang_name *name; /* of WORD, STRING, RAW and the ten words */
} lang_token;

/* A token as the grammar gets it. */
typedef struct lang_lexeme {
    int kind;
    uint32_t raw; /* index of the raw token; for a made one the token it stands behind or before */
    lang_loc at;
    bool made; /* by the repair of braces: an error at it was reported already */
} lang_lexeme;

typedef struct lang_reader {
    fl_arena *a;       /* of texts and of the source */
    fl_arena *tree;    /* of statements and what they are made of */
    fl_arena *scratch; /* of tokens and all that the tree does not point at */
    fl_diags *diags;
    const fl_source *src;
    FL_VEC(lang_token) raw;
    FL_VEC(lang_lexeme) lex;
    size_t pos;          /* next lexeme for the grammar */
    unsigned char *bad;  /* by line: 1 if it had a scanner error */
    size_t errors;       /* reported about this file */
    size_t swallowed;    /* `{` that scanner errors swallowed */
    bool damaged, ended; /* ended: too many errors or a limit; nothing more is reported */
    bool mended;         /* the braces do not balance */
    bool has_vars;       /* a variable stands in a string */
    lang_block *top;
} lang_reader;

/* Comments and tokens for the formatter: lang_file.trivia. */
typedef struct lang_trivia {
    const lang_token *tokens;
    size_t n;
} lang_trivia;

/* Reports a `syntax` error and marks the file damaged; NULL once the reader has ended. */
fl_diag *lang_error(lang_reader *r, lang_loc at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As lang_error, for a limit: reading ends. */
void lang_limit(lang_reader *r, lang_loc at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* encoding.c: folds CRLF, strips a byte-order mark, refuses what may stand in no policy; offending bytes are replaced
 * by `?`. Makes r->src. */
void lang_read_text(lang_reader *r, const char *name, const char *text, size_t len);

/* scan.l */
void lang_scan(lang_reader *r);

/* strings.c: decodes the string token [from, to) (quotes included). NULL after an error, which is reported. */
const lang_name *lang_decode(lang_reader *r, lang_quote quote, uint32_t from, uint32_t to);

/* hide.c: marks the raw tokens that may be secrets and keeps them out of every excerpt. */
void lang_hide(lang_reader *r);

/* layout.c: raw tokens to lexemes. */
void lang_layout(lang_reader *r);

/* parse.y */
int lang_yyparse(lang_reader *r);

/* tree.c: what the grammar's actions call. */
typedef FL_VEC(lang_value) lang_values;
typedef FL_VEC(lang_list) lang_lists;
typedef FL_VEC(lang_stmt *) lang_stmts;
typedef FL_VEC(lang_expr *) lang_exprs;
typedef struct lang_members {
    FL_VEC(lang_name) keys;
    lang_values values;
} lang_members;

fl_span lang_span(const lang_reader *r, lang_loc at);
lang_value lang_tree_name(const lang_reader *r, uint32_t raw);
lang_value lang_tree_pair(const lang_reader *r, lang_value a, lang_value b);
lang_value lang_tree_call(const lang_reader *r, lang_value function, lang_value text, fl_span span);
lang_values *lang_tree_push(lang_reader *r, lang_values *list, lang_value v);
lang_value lang_tree_list(const lang_reader *r, const lang_values *items, fl_span span);
lang_members *lang_tree_member(lang_reader *r, lang_members *m, lang_value key, lang_value v);
lang_value lang_tree_object(const lang_reader *r, const lang_members *m, fl_span span);
lang_stmt *lang_tree_phrase(lang_reader *r, lang_value head, lang_lists *lists);
lang_lists *lang_tree_lists(lang_reader *r, lang_lists *lists, const lang_values *items);
lang_stmt *lang_tree_damaged(lang_reader *r, lang_loc at, lang_block *block);
lang_block *lang_tree_block(lang_reader *r, const lang_stmts *stmts, lang_loc open, lang_loc close);
lang_stmts *lang_tree_stmt(lang_reader *r, lang_stmts *stmts, lang_stmt *s);
lang_expr *lang_tree_operand(lang_reader *r, lang_value v, fl_span span); /* a pair: WORD[ "index" ] */
lang_expr *lang_tree_expr(lang_reader *r, lang_ekind kind, lang_expr *left, lang_expr *right, fl_span span);
lang_exprs *lang_tree_chain(lang_reader *r, lang_exprs *chain, lang_expr *e);
/* `a or b or c` as a balanced tree, so that its depth stays small however long the chain is. */
lang_expr *lang_tree_join(lang_reader *r, lang_ekind kind, const lang_exprs *chain);

#endif
