/* diag.h: diagnostics. Collected while the program works, sorted by place and printed once.
 *
 * A diagnostic has a stable check name, a severity, a primary span, any number of related spans with a label, and a
 * help line with the text to write. Its message never holds the value of a secret. Text output shows the source line
 * with a caret range; JSON is the form of the CLI contract. All memory lies in the list's arena. */
#ifndef FLEC_BASE_DIAG_H
#define FLEC_BASE_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/source.h"

typedef enum { FL_ERROR, FL_WARNING } fl_severity;

typedef struct fl_related {
    fl_span span;
    const char *label;
} fl_related;

/* A change of the text that mends it: `span` is replaced by `text` (an empty span: an insertion). */
typedef struct fl_edit {
    fl_span span;
    const char *text;
} fl_edit;

/* What a diagnostic is about, so that something may be said of that thing (a waiver). Texts as the policy has them. */
typedef struct fl_thing {
    const char *kind; /* "topic", "kek", "connector", "platform"; NULL: nothing that has a name */
    const char *name; /* NULL: platform */
    const char *side; /* of a topic: "key" or "value"; NULL: both */
    const char *part; /* field path or property; NULL: the whole */
} fl_thing;

typedef struct fl_diag {
    const char *check; /* a name of the table of checks */
    fl_severity severity;
    fl_span span;
    const char *message;
    const char *help;  /* or NULL */
    const char *label; /* what the carets point at, or NULL */
    fl_thing about;
    FL_VEC(fl_edit) edits;     /* all of them together mend it; none: a person has to */
    bool safe;                 /* the edits cannot change what is encrypted: `flec check --fix` makes them */
    const char **environments; /* it holds for these only; ended by NULL; NULL: for all, or there are none */
    fl_related *related;
    size_t nrelated;
    size_t seq; /* order of arrival, the last sort key */
} fl_diag;

/* A diagnostic that the policy has waived: it counts for nothing and is not in the list; SARIF shows it suppressed. */
typedef struct fl_waived {
    const fl_diag *diag;
    fl_span at; /* the waiver */
    const char *reason;
} fl_waived;

typedef struct fl_diags {
    fl_arena *arena;
    FL_VEC(fl_diag *) list;
    size_t errors, warnings;
    FL_VEC(fl_waived) waived; /* by compiler/waive/, which takes them out of the list and the counts */
    FL_VEC(fl_span) hidden;   /* see fl_diags_hide */
} fl_diags;

void fl_diags_init(fl_diags *ds, fl_arena *a);

/* Adds one and returns it, so that help and related places can follow. */
fl_diag *fl_diag_add(fl_diags *ds, const char *check, fl_severity sev, fl_span span, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void fl_diag_help(fl_diags *ds, fl_diag *d, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void fl_diag_relate(fl_diags *ds, fl_diag *d, fl_span span, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

void fl_diag_label(fl_diags *ds, fl_diag *d, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What the diagnostic is about stands a second time; this is the first. */
void fl_diag_again(fl_diags *ds, fl_diag *d, fl_span first);
void fl_diag_edit(fl_diags *ds, fl_diag *d, fl_span span, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* This part of a source may be a secret: no excerpt of a source line shows it, whatever a diagnostic on that line is
 * about. */
void fl_diags_hide(fl_diags *ds, fl_span span);

/* Puts all that another list has, which had the same kind of life, behind what is here: what was found elsewhere at the
 * same time. `more` is empty then; its texts stay where they are. */
void fl_diags_join(fl_diags *ds, fl_diags *more);

/* By file name, offset, end, arrival. */
void fl_diags_sort(fl_diags *ds);

/* Related places and, behind them, the chain of where the statement came from (fl_source.origin) as far as it is not
 * among them: what every output shows. In the arena. */
const fl_related *fl_diag_places(const fl_diags *ds, const fl_diag *d, size_t *n);
/* Does `flec check --fix` make its edits? They are safe, and right wherever the text counts: a diagnostic of some
 * environments leaves a text that may be right in another. */
bool fl_diag_is_safe(const fl_diag *d);
/* The edits in order of place, in the arena. */
fl_edit *fl_diag_edits(const fl_diags *ds, const fl_diag *d);

/* Text: `file:line:col: error: message [check]`, source lines with carets and dashes, notes, help, the text to write.
 * Stops after `limit` and says how many more there are (0: no limit). Colour as asked. */
void fl_diags_text(const fl_diags *ds, FILE *out, size_t limit, bool color);

/* {"diagnostics":[{"check","severity","message","file","line","column","endLine","endColumn","label","help","related":
 * [{"message","file","line","column","endLine","endColumn"}],"fix":{"safe","edits":[{"file",…,"text"}]},"environments":
 * […]}],"summary":{"errors","warnings"}}: docs/output.md */
void fl_diags_json(const fl_diags *ds, fl_buf *out);

#endif
