/* clients_data.h: the table that clients_tool.c makes of the measured cases when the program is built. clients.h is the
 * way to ask it. */
#ifndef FLEC_CLIENTS_DATA_H
#define FLEC_CLIENTS_DATA_H

#include "compiler/clients/constructs.h"

/* Columns of the measurements. GO: structs, GO_MAP: map[string]any. JAVA: GenericRecord, JsonNode, DynamicMessage;
 * JAVA_MAP: a java.util.Map handed to the JSON serializer, which by default refuses it. */
typedef enum { CL_PYTHON, CL_JAVASCRIPT, CL_GO, CL_GO_MAP, CL_JAVA, CL_JAVA_MAP, CL_NCOLUMNS } cl_column;
extern const char *const cl_column_names[CL_NCOLUMNS]; /* as in cases.json */

typedef enum { CL_WORKS, CL_ERROR, CL_DESTROYS } cl_fail; /* ERROR: refused; DESTROYS: another record came out */
typedef enum { CL_UNMEASURED, CL_ENCRYPTED, CL_LEFT_CLEAR } cl_leaving;

/* What a client does where a construct is: the best that it did in any case that has it, since the rest of a case may
 * be what made it worse. The build fails unless the worst of a leaf's constructs is what was measured of that leaf. */
typedef struct cl_cell {
    cl_leaving leaving;
    bool ran; /* a case with it was measured at all: else `fail` says nothing */
    cl_fail fail;
    bool fail_by_other; /* each case that shows `fail` has another construct that is to blame as well as this one */
    bool branch_names;
    bool read;                                /* were bytes with it given to others? else not_read says nothing */
    unsigned not_read;                        /* bits of cl_column: who could not read what this client wrote */
    short leaving_case, fail_case, read_case; /* the case that shows it; -1 */
} cl_cell;

extern const cl_cell cl_cells[CL_NCONSTRUCTS][CL_NCOLUMNS];
extern const char *const cl_case_names[];
extern const char *const cl_case_texts[][CL_NCOLUMNS]; /* what was measured, in words; NULL: no such column */
extern const size_t cl_ncases;
extern const char *const cl_versions[CL_NCOLUMNS]; /* "confluent-kafka 2.16.1" */

#endif
