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
    LANG_MAX_ERRORS = 10000,    /* messages about one file; then reading it ends */
    LANG_WORDS = 1024           /* texts of words that are looked at before a new one is made */
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
    struct lang_known_word {
        const char *text; /* NULL: none yet */
        size_t len;
        int kind;        /* LT_WORD, or one of the ten words */
    } words[LANG_WORDS]; /* by hash */
    FL_VEC(lang_lexeme) lex;
    /* what the grammar has read and nothing has taken yet; what an error left behind lies between */
    FL_VEC(lang_value) values;
    FL_VEC(lang_list) lists;
    FL_VEC(lang_stmt *) stmts;
    size_t pos;          /* next lexeme for the grammar */
    unsigned char *bad;  /* by line: 1 if it had a scanner error */
    size_t errors;       /* reported about this file */
    size_t swallowed;    /* `{` that scanner errors swallowed */
    bool damaged, ended; /* ended: too many errors or a limit; nothing more is reported */
    bool mended;         /* the braces do not balance */
    bool stopped;        /* the quick grammar met what it does not take */
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

/* parse.y, twice: lang_quickparse looks nowhere ahead, as befits the files that are right; at the first thing that is
 * wrong it sets r->stopped and ends without a word. lang_yyparse reports, and goes on. */
int lang_quickparse(lang_reader *r);
int lang_yyparse(lang_reader *r);

/* tree.c: what the grammar's actions call. */
typedef struct lang_range { /* of one of the reader's stacks */
    uint32_t from, n;
} lang_range;
typedef FL_VEC(lang_expr *) lang_exprs;
typedef struct lang_members {
    FL_VEC(lang_name) keys;
    FL_VEC(lang_value) values;
} lang_members;

fl_span lang_span(const lang_reader *r, lang_loc at);
/* Put a value on the stack: of a token, `a:b`, `f("text")`, the values of a range, an object. */
void lang_tree_name(lang_reader *r, uint32_t raw);
void lang_tree_pair(lang_reader *r, uint32_t first, uint32_t second);
void lang_tree_call(lang_reader *r, uint32_t function, uint32_t text, fl_span span);
void lang_tree_list(lang_reader *r, lang_range items, fl_span span);
void lang_tree_object(lang_reader *r, const lang_members *m, fl_span span);
/* The value on top as the first, as the next of a list; taken off it, as a member, as a value of its own. */
lang_range lang_tree_first(lang_reader *r);
lang_range lang_tree_next(lang_reader *r, lang_range list);
lang_members *lang_tree_member(lang_reader *r, lang_members *m, uint32_t key);
lang_value *lang_tree_value(lang_reader *r);
/* Lists of a phrase: the range with one more, made of a range of values. */
lang_range lang_tree_lists(lang_reader *r, lang_range lists, lang_range items);
lang_stmt *lang_tree_phrase(lang_reader *r, uint32_t head);
void lang_tree_rest(lang_reader *r, lang_stmt *s, lang_range lists);
lang_stmt *lang_tree_damaged(lang_reader *r, lang_loc at, lang_block *block);
lang_range lang_tree_stmts(lang_reader *r); /* none yet */
lang_range lang_tree_stmt(lang_reader *r, lang_range stmts, lang_stmt *s);
lang_block *lang_tree_block(lang_reader *r, lang_range stmts, lang_loc open, lang_loc close);
/* The value on top as an operand; a pair: WORD[ "index" ]. */
lang_expr *lang_tree_operand(lang_reader *r, fl_span span);
lang_expr *lang_tree_expr(lang_reader *r, lang_ekind kind, lang_expr *left, lang_expr *right, fl_span span);
lang_expr *lang_tree_every(lang_reader *r, lang_ekind kind, uint32_t property, lang_expr *inner, fl_span span);
lang_exprs *lang_tree_chain(lang_reader *r, lang_exprs *chain, lang_expr *e);
/* `a or b or c` as a balanced tree, so that its depth stays small however long the chain is. */
lang_expr *lang_tree_join(lang_reader *r, lang_ekind kind, const lang_exprs *chain);

#endif
