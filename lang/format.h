/* format.h: what the two halves of the formatter share; internal to lang/. */
#ifndef FLEC_LANG_FORMAT_H
#define FLEC_LANG_FORMAT_H

#include "lang/syntax.h"

enum { LANG_WIDTH = 110, LANG_INDENT = 2, LANG_ALIGNED_HEAD = 16 };

typedef struct lang_printer {
    fl_arena *a; /* scratch */
    const char *text;
    const lang_token *tokens;
    size_t n;
    fl_buf *out;
} lang_printer;

/* A statement as a range of tokens, up to its opening brace, or its end where it has no block (an empty one is part of
 * it). */
typedef struct lang_piece {
    const lang_stmt *stmt;
    size_t first, last;
    size_t align; /* the token that aligns within a run, 0 for none */
    unsigned pad; /* spaces put before it */
    int indent;   /* levels */
} lang_piece;

/* The first token at or behind an offset. */
size_t lang_token_at(const lang_printer *p, uint32_t offset);
/* Code points. */
unsigned lang_width(const char *s, size_t n);
lang_piece lang_piece_of(const lang_printer *p, const lang_stmt *s, int indent);
/* The width of the piece before its aligned token, on one line. */
unsigned lang_piece_width(const lang_printer *p, const lang_piece *piece);
/* Prints the piece without a line end. */
void lang_print_piece(const lang_printer *p, const lang_piece *piece);
void lang_print_indent(const lang_printer *p, int levels);
void lang_print_comment(const lang_printer *p, size_t token);

#endif
