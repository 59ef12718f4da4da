/* compiler.h: policy files in, an estate, diagnostics and a build directory out. What cli/ calls. The compiler reads
 * files but never the network, the clock (today comes in) or the process's environment. */
#ifndef FLEC_COMPILER_H
#define FLEC_COMPILER_H

#include "base/base.h"
#include "compiler/estate.h"

typedef struct fc_options {
    int64_t today;              /* days since 1970-01-01 */
    const char *environment;    /* NULL */
    const char *previous;       /* build directory to compare with, of this environment, or of one of all; or NULL */
    const char *personal_words; /* text of --personal-words, checked (check/personal.h), or NULL */
    bool checks_only;           /* the estates are for reports only, and take less memory: fc_emit refuses them */
} fc_options;

/* One compilation over these files (paths as the user gave them, folders already expanded; "-" is standard input's
 * text), for one environment: the one that is named, or the estate as it stands where none is declared. Parses, follows
 * `use`, resolves, checks. Diagnostics go to diags, sorted. Returns the estate, or NULL when a file could not be read
 * (exit 4, already logged), had syntax or form errors, or the environment is missing or unknown (exit 2, logged). An
 * estate with errors is for reports only: fc_emit refuses it. */
est_estate *fc_compile(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                       fl_status *status);

/* The same for each environment unless one is named: the estates in order of their names, NULL as above. A finding is
 * there once, with the environments it holds for. */
const est_estate **fc_check(fl_arena *a, const char *const *paths, size_t n, const fc_options *opt, fl_diags *diags,
                            fl_status *status, size_t *nestates);

/* The steps, for who wants an estate of each environment. Files and schemas are read once. */
typedef struct fc_policy fc_policy;
/* NULL: could not be read (status 4), or has errors (in diags). */
fc_policy *fc_read(fl_arena *a, const char *const *paths, size_t n, fl_diags *diags, fl_status *status);
void fc_free(fc_policy *p);                 /* NULL is allowed; estates and diagnostics stay, they lie in the arena */
size_t fc_environments(const fc_policy *p); /* how many the policy declares */
const char *fc_environment(const fc_policy *p, size_t i);                     /* in order of name */
bool fc_environment_exists(const fc_policy *p, const char *name);             /* NULL does; else it is logged */
est_estate *fc_resolve(fc_policy *p, const fc_options *opt, fl_diags *diags); /* opt->environment exists */

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
