/* compiler.h: policy files in, an estate, diagnostics and a build directory out. What cli/ calls. The compiler reads
 * files but never the network, the clock (today comes in) or the process's environment. */
#ifndef FLEC_COMPILER_H
#define FLEC_COMPILER_H

#include "base/base.h"
#include "compiler/estate.h"

typedef struct fc_options {
    int64_t today;           /* days since 1970-01-01 */
    const char *environment; /* NULL */
    const char *personal_words; /* text of --personal-words, checked (check/personal.h), or NULL */
} fc_options;

/* One compilation over these files (paths as the user gave them, folders already expanded; "-" is standard input's text
 * in stdin_text). Parses, follows `use`, resolves, checks. Diagnostics go to diags, sorted. Returns the estate, or NULL
 * when a file could not be read (exit 4, already logged) or had syntax or form errors. An estate with errors is for
 * reports only: fc_emit refuses it. */
est_estate *fc_compile(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                       fl_status *status);

/* The artefacts in memory: path inside the build directory to bytes. */
typedef struct fc_file {
    const char *path;
    const char *bytes;
    size_t len;
} fc_file;
typedef struct fc_build {
    FL_VEC(fc_file) files; /* in order of path; MANIFEST last */
    const char **order;    /* of registration */
    size_t norder;
} fc_build;

/* The parts of a build that --only names, NULL behind the last. */
const char *fc_part(size_t i);

/* Everything `flec check` says of the `test` blocks: names, paths, fixtures, order of steps. */
void emit_check_tests(const est_estate *e, fl_diags *diags);

/* only: NULL or a comma list of parts (registry,connect,access,plan,tests). Errors (a fixture that is not there …) go
 * to diags. */
fc_build *fc_emit(const est_estate *e, const char *only, fl_diags *diags);

/* Replaces dir as a whole (docs/build-directory.md; architecture: written beside and exchanged). FL_COULD_NOT_RUN or
 * FL_USAGE (not ours) with a logged message. */
fl_status fc_write(const fc_build *b, const char *dir);

#endif
