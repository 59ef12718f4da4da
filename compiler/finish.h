/* finish.h: what is done to diagnostics once all of an environment are there; internal to compiler/. */
#ifndef FLEC_COMPILER_FINISH_H
#define FLEC_COMPILER_FINISH_H

#include "compiler/resolve/resolve.h"

/* Adds to each where its statement came from (a row, a default, an environment) and where the variables in its place
 * are set; takes out of its texts what may be a secret. */
void fc_chain(res *r, fl_diags *diags);
/* One for those that say the same of one place in several rows. Sorts. */
void fc_fold(fl_diags *diags);

/* Diagnostics of several environments as one list. */
typedef struct fc_merger {
    fl_arena *a;
    fl_diags *into;
    fl_map *seen; /* what one says, to its entry in `all` */
    FL_VEC(struct fc_merged *) all;
    size_t nenvironments;
} fc_merger;
void fc_merge_begin(fc_merger *m, fl_arena *a, fl_diags *into);
void fc_merge_add(fc_merger *m, const fl_diags *of, const char *environment);
/* Each that does not hold in all environments gets the names of those it holds for. Sorts. */
void fc_merge_end(fc_merger *m);

#endif
