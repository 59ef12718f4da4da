/* personal.h: does the name of a field look as if it held personal data? A word list, kept as data
 * (personal_words.c), to which a file of the user's can add and from which it can take. */
#ifndef FLEC_COMPILER_PERSONAL_H
#define FLEC_COMPILER_PERSONAL_H

#include "base/base.h"

typedef struct chk_personal_word {
    const char *words; /* lower case, single spaces */
    const char *what;  /* "an e-mail address", for the message */
} chk_personal_word;

extern const chk_personal_word chk_personal_words[], chk_personal_formats[];
extern const size_t chk_personal_nwords, chk_personal_nformats;

#define CHK_PERSONAL_MAX_FILE (1u << 20) /* bytes of a user's list */

/* The list in force: every entry without its spaces, to its `what`. */
typedef struct chk_personal chk_personal;

/* extra: text of a user's list, NULL for none. A line is an entry ("customer number", any case), `!entry` takes one
 * out, `#` begins a comment. NULL and the number of the line that is neither. Free with chk_personal_free. */
chk_personal *chk_personal_new(const char *extra, size_t *bad_line);
void chk_personal_free(chk_personal *p);

/* What the field's name looks like, NULL for nothing personal. */
const char *chk_personal_name(const chk_personal *p, const char *name);
const char *chk_personal_format(const char *format); /* format: or NULL */

#endif
