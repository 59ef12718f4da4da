/* outcome.h: the words in which cases.json says what a client did, as data. For the tool that reads them when the
 * program is built, and for tests. */
#ifndef FLEC_CLIENTS_OUTCOME_H
#define FLEC_CLIENTS_OUTCOME_H

#include "base/base.h"
#include "compiler/clients/clients_data.h"

/* What one client (a column) did with one case. */
typedef struct cl_outcome {
    bool measured;
    cl_fail fail;      /* the record was refused, or came out as something else: nothing is known of its leaves */
    const char **left; /* paths left in clear that should be encrypted; some in certain JVM starts only */
    size_t nleft;
    const char **wider; /* paths encrypted that should not be */
    size_t nwider;
    bool read_known;   /* were the bytes given to the other clients, too? */
    unsigned not_read; /* bits of cl_column: those that could not read them */
    bool branch_names; /* values carry the names of union branches */
} cl_outcome;

/* false: the text is in no form that is known. cross_read: false where the other clients did not read. */
bool cl_read_outcome(fl_arena *a, const char *text, bool cross_read, cl_outcome *out);
bool cl_names(const char **list, size_t n, const char *path);

#endif
