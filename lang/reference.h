/* reference.h: the tables of docs/language.md, out of the tables of forms. */
#ifndef FLEC_LANG_REFERENCE_H
#define FLEC_LANG_REFERENCE_H

#include "lang/lang.h"

/* Appends the document with what stands between each `<!-- forms: BLOCK -->` and `<!-- end of forms -->` made anew;
 * BLOCK is a name of lang_bkind_name. NULL, or what is wrong with the document. */
const char *lang_reference_update(fl_arena *a, const char *text, fl_buf *out);

#endif
