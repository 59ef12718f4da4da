/* lang.h: the policy language: text to tree and back. The manual of lang/ for everyone else.
 *
 * Two layers (docs/language.md 3). lang_parse reads one file with the grammar, which knows no statement: every line
 * becomes a lang_stmt made of a head, lists, a value, an expression, a block. lang_match then holds each statement
 * against the forms of the block it stands in (forms.h) and binds its parts to named slots, which is what the compiler
 * reads:
 *
 *     topic crm.customers for r in ["eu"] {      slots of the form: name, vars, list; child block LANG_TOPIC
 *     encrypt PII, PCI with crm-kek {            slots: tags (2 items), kek; child block LANG_ENCRYPT
 *
 * Ownership: everything lies in the arena given to lang_parse and points into the source. Errors become diagnostics
 * with the check names `syntax`,
 * `duplicate-attribute` and `overlay-refused`; a file that had a syntax error has `damaged` set and is not
 * matched. */
#ifndef FLEC_LANG_H
#define FLEC_LANG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* ---- tree ---- */

typedef enum { LANG_WORD, LANG_STRING, LANG_RAW } lang_quote;

/* A piece of a "…" string: literal text, or a variable. `${x:y}` (a Connect reference) and `$${` are literal text. */
typedef struct lang_part {
    bool is_var;
    const char *text; /* decoded text, or the variable's name; NUL-terminated */
    size_t len;
    fl_span span;
    const char *row; /* of a variable of `for` in an instance of its statement: what the row gives; else NULL */
} lang_part;

/* WORD, STRING or RAW. */
typedef struct lang_name {
    const char *text; /* decoded; a variable stands in it as ${name}, so use parts where has_vars is set */
    lang_part *parts; /* of a STRING; at least one unless empty */
    fl_span span;     /* quotes included */
    uint32_t len;
    uint16_t nparts;     /* a string is too short for more */
    unsigned char quote; /* a lang_quote */
    bool has_vars;
} lang_name;
extern const lang_name lang_no_name; /* empty, without a place */

typedef enum {
    LANG_V_NAME,  /* name */
    LANG_V_PAIR,  /* name ":" name, as User:sa-crm */
    LANG_V_CALL,  /* name ( "text" ): name is the function, second the string */
    LANG_V_LIST,  /* [ items ] */
    LANG_V_OBJECT /* { "key": value } */
} lang_vkind;

typedef struct lang_value lang_value;
struct lang_value {
    lang_vkind kind;
    uint32_t n; /* of items */
    fl_span span;
    lang_name name;          /* see kind */
    const lang_name *second; /* PAIR, CALL; else lang_no_name, or NULL in an expression without an operand */
    lang_value *items;       /* LIST: elements; OBJECT: member values */
    lang_name *keys;         /* OBJECT: member names, as many as items */
};

/* `a, b, c`: one element of a phrase after its head */
typedef struct lang_list {
    lang_value *items;
    size_t n; /* at least 1 */
    fl_span span;
} lang_list;

/* Expressions of `where` and `requires` (docs/language.md 9). */
typedef enum {
    LANG_E_OR,
    LANG_E_AND,
    LANG_E_NOT,
    LANG_E_EVERY,
    LANG_E_SOME,
    LANG_E_NO,
    LANG_E_REL,
    LANG_E_OPERAND
} lang_ekind;
typedef enum { LANG_EQ, LANG_NE, LANG_LT, LANG_LE, LANG_GT, LANG_GE, LANG_IN, LANG_MATCHES } lang_relop;
typedef struct lang_expr lang_expr;
struct lang_expr {
    lang_ekind kind;
    fl_span span;
    lang_expr *left, *right; /* OR, AND, REL; NOT: left. Quantifiers: left is the inner expression */
    lang_relop op;           /* REL */
    lang_value operand;      /* OPERAND: NAME or LIST */
    lang_name index;         /* OPERAND WORD[ "index" ]; index.text is NULL without */
    lang_name property;      /* quantifiers */
};

typedef struct lang_form lang_form; /* forms.h */
typedef struct lang_block lang_block;

typedef struct lang_stmt {
    fl_span span;      /* from head to the end of the line, of the value, or of the opening brace */
    lang_value head;   /* first word or string; for a WHERE/REQUIRES statement the word */
    lang_list *lists;  /* the rest of the phrase */
    lang_value *value; /* after "=", or NULL */
    lang_expr *expr;   /* of where / requires, or NULL */
    lang_block *block; /* or NULL. An empty `{}` is an object of the phrase until lang_match makes a block of it */
    /* set by lang_match: */
    const lang_form *form;   /* NULL until matched */
    const lang_list **slots; /* one pointer a slot of the form, NULL where absent */
    uint32_t nlists;
    unsigned keywords : 31; /* bit set of the keywords of the pattern that were written */
    bool damaged : 1;       /* had a syntax error: only head (may be empty) and block are of use; never matched */
} lang_stmt;

struct lang_block {
    lang_stmt **stmts;
    size_t n;
    fl_span open, close; /* the braces */
    int kind;            /* a lang_bkind, set by lang_match */
    bool damaged;        /* holds a damaged statement, so nothing in it can be called missing */
};

typedef struct lang_file {
    const fl_source *source;
    lang_block *top;
    bool damaged;  /* had a syntax error */
    bool mended;   /* its braces do not balance: which block a statement stands in is a guess */
    bool has_vars; /* a variable stands in one of its strings */
    void *trivia;  /* comments and blank lines, for the formatter */
} lang_file;

/* ---- text to tree ---- */

/* Reads one file's text: strips a byte-order mark, folds CRLF, checks UTF-8, control and bidirectional characters and
 * limits, then parses. Never NULL; see `damaged`. name is what messages show. */
lang_file *lang_parse(fl_arena *a, const char *name, const char *text, size_t len, fl_diags *diags);
/* The same without what only the formatter needs: the file cannot be formatted, and takes much less memory. Statements
 * and all that they are made of lie in `tree`, which the caller may free once nobody reads them any more; the file, its
 * source and the texts of names lie in `a`. */
lang_file *lang_parse_tree(fl_arena *a, fl_arena *tree, const char *name, const char *text, size_t len,
                           fl_diags *diags);
/* Parses the text of an undamaged file once more: a tree with the same places. */
lang_file *lang_parse_again(fl_arena *a, fl_arena *tree, const fl_source *source);

/* Reads all forms, so that files can be parsed and matched in several threads. Else that is done with the first use. */
void lang_prepare(void);

/* Matches the statements of a file against the forms; of a damaged file those that could be read, so call it for every
 * file. false if anything was refused or the file is damaged. What stands in an environment or in defaults and cannot
 * (docs/checks/overlay-refused.md) is reported under that name. At most once a file. tree: the arena of its tree. */
bool lang_match(fl_arena *tree, lang_file *file, fl_diags *diags);

/* ---- tree to text ---- */

/* The canonical form (docs/language.md 12). The file must not be damaged. */
void lang_format(const lang_file *file, fl_buf *out);
/* Do two undamaged files, neither of them matched, hold the same tree and the same comments? */
bool lang_same(const lang_file *a, const lang_file *b);

/* ---- reading matched statements ---- */

/* The items bound to a slot of the statement's form, NULL where absent or where the form has no such slot. */
const lang_list *lang_get(const lang_stmt *s, const char *slot);
/* The first item of a slot, NULL where absent. */
const lang_value *lang_get1(const lang_stmt *s, const char *slot);
/* true if this keyword of the form's pattern stands in the statement: lang_has(s, "until"), lang_has(s, "off"). */
bool lang_has(const lang_stmt *s, const char *keyword);
/* Is this statement of the form with this id? lang_is(s, "kek.kms") */
bool lang_is(const lang_stmt *s, const char *form_id);
/* How many slots a form has: as many as `slots` of a statement of it. */
size_t lang_slots(const lang_form *form);
/* First statement of that form in a block, NULL if none (block may be NULL). */
const lang_stmt *lang_find(const lang_block *b, const char *form_id);

#endif
