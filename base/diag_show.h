/* diag_show.h: what the parts of the text output share. For diag_*.c alone. */
#ifndef FLEC_BASE_DIAG_SHOW_H
#define FLEC_BASE_DIAG_SHOW_H

#include "base/diag.h"

#define FL_RED   "\x1b[1;31m"
#define FL_AMBER "\x1b[1;33m"
#define FL_GREEN "\x1b[32m"
#define FL_BLUE  "\x1b[1;34m"
#define FL_BOLD  "\x1b[1m"
#define FL_PLAIN "\x1b[0m"

typedef struct fl_printer {
    FILE *out;
    bool color;
    const fl_diags *ds;
    unsigned gutter; /* columns that line numbers take */
} fl_printer;

/* A place in an excerpt. */
typedef struct fl_mark {
    fl_span span;
    const char *label; /* or NULL */
    bool primary;
} fl_mark;

/* "" without colour. */
const char *fl_paint(const fl_printer *p, const char *code);
void fl_put_repeat(const fl_printer *p, char c, unsigned n);
/* A text of unknown origin as one line: no control character of it reaches a terminal. */
void fl_put_text(const fl_printer *p, const char *s);
/* The gutter: a line number (0: none) and what stands behind it ('|', '=', '+', '-'). */
void fl_put_gutter(const fl_printer *p, unsigned line, char c);
/* A part of a source, `*` for each character that is hidden (fl_diags_hide). */
void fl_put_source(const fl_printer *p, const fl_source *s, size_t from, size_t to);

/* The lines of one source on which marks begin and end, with the marks under them. */
void fl_put_excerpt(const fl_printer *p, const fl_mark *marks, size_t n);
/* The lines that the edits change, before (`-`) and after (`+`). */
void fl_put_fix(const fl_printer *p, const fl_diag *d);

#endif
