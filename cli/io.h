/* io.h: what several commands do alike: paths of policies, the day, reports. */
#ifndef FLEC_CLI_IO_H
#define FLEC_CLI_IO_H

#include "base/base.h"

/* Expands operands: a folder becomes every .flec file below it, sorted; a file and `-` stay. A path that cannot be read
 * is logged: false (status 4). A folder without any .flec file is wrong usage, too: false with *status 2. */
bool cli_policy_paths(fl_arena *a, const char *const *operands, size_t n, const char ***paths, size_t *npaths,
                      fl_status *status);

/* --today DATE as days; NULL: today in UTC. false: no date (logged, status 2). */
bool cli_today(const char *text, int64_t *days);

/* --personal-words FILE: its text, checked; NULL for no FILE. false: it cannot be read (logged, status 4) or a line of
 * it is no entry (logged, status 2). */
bool cli_personal_words(fl_arena *a, const char *file, const char **text, fl_status *status);
#define CLI_PERSONAL_WORDS(to)                                                                                         \
    {                                                                                                                  \
        "personal-words", 0, CLI_TEXT, NULL, "FILE", "names of fields that look personal: adds some, takes some out",  \
            to                                                                                                         \
    }

#define CLI_MOST_SHOWN 10 /* diagnostics as text; JSON holds all */

/* Reports diagnostics on standard output: as text (10 at most, then how many more, then a line with the numbers if
 * there are any), or in another form of cli_check_formats. Sorted before. Returns FL_FINDINGS if there are errors, else
 * FL_OK. */
fl_status cli_report(fl_diags *diags, int format);

/* Writes over a file at once, keeping its mode; of a link the file it leads to. FL_COULD_NOT_RUN, logged. */
fl_status cli_rewrite(const char *path, const char *text, size_t n);

/* Flushes standard output; a failed write (a full disk) is status 4. */
fl_status cli_finish(fl_status status);

#endif
