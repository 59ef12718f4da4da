/* instance.h: a measured case as a set of constructs: which leaves of its value carry the tag, by which ways, through
 * which constructs, and what else the record has. Used where the table is derived and where it is held against the
 * cases; the compiler itself asks about schemas, without values (clients.h). */
#ifndef FLEC_CLIENTS_INSTANCE_H
#define FLEC_CLIENTS_INSTANCE_H

#include "base/base.h"
#include "compiler/clients/constructs.h"

typedef struct cl_leaf {
    const char *path; /* as cases.json writes it: a[0].b, m.k */
    bool expected;    /* stands in to_be_encrypted */
    cl_set tag;       /* CL_TAG: the ways in which the client learns of the tag; TAG_UNSEEN alone: it does not */
    cl_set way;
} cl_leaf;

typedef struct cl_instance {
    FL_VEC(cl_leaf) leaves; /* those that carry the tag or should be encrypted, in order of the value */
    cl_set record;
} cl_instance;

/* text: the bytes in which the case's nodes stand. java: the record as Java gets it handed (`java_schema`). false and a
 * message if the schema cannot be read. */
bool cl_instance_of(fl_arena *a, const char *text, const fl_json *kase, bool java, cl_instance *out, char message[512]);

#endif
