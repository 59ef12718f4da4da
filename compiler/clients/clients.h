/* clients.h: what the vendor's clients do with a schema: which leaves they leave in clear without a word, on what they
 * fail. The answers come from measured cases (cases.json: versions, schemas, values, outcomes); a construct that stands
 * in none of them is "not measured", which is never "safe".
 *
 *     cl_shape *shape = cl_shape_of(arena, schema);           once a schema
 *     cl_constructs c = cl_leaf_constructs(shape, arena, hit, places);  once a leaf: what its way consists of
 *     cl_verdict v = cl_judge(&c, CL_CLIENT_JAVA);            once a client
 *
 * The way from schemas to sets of constructs is constructs.h, the table clients_data.h; people read docs/clients.md. */
#ifndef FLEC_CLIENTS_CLIENTS_H
#define FLEC_CLIENTS_CLIENTS_H

#include "compiler/clients/clients_data.h"

/* The words after `principal … client`. Connectors are JAVA. RUST and DOTNET were never measured; FLEC refuses what it
 * cannot encrypt. */
typedef enum {
    CL_CLIENT_JAVA,
    CL_CLIENT_PYTHON,
    CL_CLIENT_JAVASCRIPT,
    CL_CLIENT_GO,
    CL_CLIENT_RUST,
    CL_CLIENT_DOTNET,
    CL_CLIENT_FLEC,
    CL_NCLIENTS
} cl_client;
extern const char *const cl_client_words[CL_NCLIENTS];
int cl_client_of(const char *word); /* -1: no such client */
/* Was this client measured at all? */
bool cl_is_measured(cl_client c);
const char *cl_client_version(cl_client c); /* NULL: not measured */

/* Where the tags of a leaf are written: by flec into metadata.tags, by flec into the schema text, by the author of the
 * schema (`own`) at the field. */
typedef struct cl_places {
    bool metadata, in_text, own;
} cl_places;

typedef struct cl_constructs {
    cl_set tag, way; /* how the client learns of the tag; what the leaf goes through */
} cl_constructs;

cl_constructs cl_leaf_constructs(const cl_shape *shape, fl_arena *a, const sch_hit *h, cl_places places);

typedef enum {
    CL_SAFE,
    CL_NOT_MEASURED, /* no case has the construct */
    CL_CHANCE, /* Java's choice at each start of the JVM: the case that was measured went well, its like did not */
    CL_CLEAR   /* left in clear, without an error */
} cl_answer;

typedef struct cl_verdict {
    cl_answer answer;
    const cl_construct_row *construct; /* what decides; NULL if SAFE */
    const char *proof;                 /* name of the case that shows it; NULL if NOT_MEASURED */
    const char *measured;              /* what it says of the client, in the words of cases.json */
} cl_verdict;

/* The worst that any construct of the leaf does. A client that was never measured: NOT_MEASURED without a construct;
 * FLEC: SAFE. */
cl_verdict cl_judge(const cl_constructs *leaf, cl_client client);

/* On what a client fails: constructs of a record (cl_record_constructs, with the ways of its encrypted leaves joined),
 * one at a time. writers 0: what it fails to write. Else what it cannot read of the records of these others (bits of
 * cl_client). */
typedef struct cl_trouble {
    const cl_construct_row *construct;
    cl_fail fail; /* WORKS: it cannot read what others wrote */
    const char *proof, *measured;
} cl_trouble;
#define CL_MOST_TROUBLES CL_NCONSTRUCTS
size_t cl_troubles(const cl_set *record, cl_client client, unsigned writers, cl_trouble out[CL_MOST_TROUBLES]);

#define CL_ALL_CLIENTS ((1u << CL_NCLIENTS) - 1)

#endif
