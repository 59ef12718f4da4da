/* compat.h: may a schema follow another one? The registry's levels, judged as the vendor's registry judges them, with
 * the vendor's names for what is wrong.
 *
 * What is compared: Avro after Apache Avro's SchemaCompatibility (names and aliases, unions, promotions, defaults of
 * fields and enums, sizes); JSON Schema after the vendor's diff of the two texts (open, partially open and closed
 * content models); Protobuf after the vendor's diff of the two files. One question is behind all levels: can data that
 * was written with the one schema be read with the other? BACKWARD asks it of (new reads old), FORWARD of (old reads
 * new), FULL of both.
 *
 * Both schemas may be hostile. Recursive types are compared once for each pair; work and depth are bounded; past the
 * bounds the answer is `undecided`, which is not compatible. */
#ifndef FLEC_SCHEMA_COMPAT_H
#define FLEC_SCHEMA_COMPAT_H

#include "schema/schema.h"

typedef enum {
    SCH_NONE,
    SCH_BACKWARD,
    SCH_BACKWARD_TRANSITIVE,
    SCH_FORWARD,
    SCH_FORWARD_TRANSITIVE,
    SCH_FULL,
    SCH_FULL_TRANSITIVE
} sch_level;

const char *sch_level_name(sch_level l);                 /* as the registry writes it: BACKWARD_TRANSITIVE */
bool sch_level_find(const char *name, sch_level *level); /* of these names, in capitals; false: none of them */

/* A place in the text of one of the two schemas. from == to: none (it stands in a referenced schema, or nowhere). */
typedef struct sch_place {
    uint32_t from, to;
} sch_place;

typedef struct sch_incompatibility {
    const char *type;    /* READER_FIELD_MISSING_DEFAULT_VALUE, TYPE_CHANGED, FIELD_SCALAR_KIND_CHANGED, … */
    const char *path;    /* as the vendor writes it: /fields/1/type, #/properties/age, #/Person/2 */
    const char *message; /* one sentence that names the things, for a person; no line breaks */
    size_t version;      /* index into the history of the schema that was compared */
    bool forward; /* found when that one reads what the newer writes; false: the newer reads what that one wrote */
    sch_place newer, older;
} sch_incompatibility;

typedef struct sch_compatibility {
    FL_VEC(sch_incompatibility)
    list;           /* by version from the newest, BACKWARD before FORWARD, then in order of finding */
    bool truncated; /* there are more than SCH_MAX_INCOMPATIBLE */
    bool undecided; /* bounds of work or depth were reached: treat it as incompatible */
} sch_compatibility;

#define SCH_MAX_INCOMPATIBLE 1000
#define SCH_COMPAT_DEPTH     1000    /* types inside types, through names and references */
#define SCH_COMPAT_WORK      1000000 /* steps of one call; comparing one type with one type is one */

/* true: nothing is wrong. history: earlier versions of one format each, oldest first; levels that are not transitive
 * look at the last one only, NONE at none. A version of another format than the newer one's is an incompatibility of
 * type SCHEMA_TYPE_CHANGED, as the registry refuses it. Results lie in the arena. */
bool sch_compatible(fl_arena *a, sch_level level, const sch_schema *newer, const sch_schema *const *history, size_t n,
                    sch_compatibility *out);

/* ---- between compat.c and the three formats ---- */

/* One comparison: `reader` must be able to read what was written with `writer`. In the vendor's diffs of JSON Schema
 * and Protobuf `reader` is the update and `writer` the original. */
typedef struct sch_compare {
    fl_arena *arena;
    const sch_schema *reader, *writer;
    sch_compatibility *out;
    size_t version;
    bool forward;
    uint32_t work; /* steps left of the whole call */
} sch_compare;

/* n steps of work. false: there are not so many left (`undecided` is set): return at once. */
bool sch_compare_spend(sch_compare *c, size_t n);
#define sch_compare_step(c) sch_compare_spend((c), 1)
void sch_compare_undecided(sch_compare *c); /* a bound of depth or size was reached */
/* Adds what is wrong. type is a constant; path is copied. The places are in the reader's and the writer's text. */
void sch_compare_report(sch_compare *c, const char *type, const char *path, sch_place in_reader, sch_place in_writer,
                        const char *fmt, ...) __attribute__((format(printf, 6, 7)));
sch_place sch_place_of(const fl_json *node); /* NULL: none */

/* What was compared with what: a pair is compared once, and is taken for compatible while it is being compared (a
 * recursive type). Where a union only asks (`loud` false), nothing is reported; a pair that was found incompatible in
 * silence is compared once more when it counts, so that its reasons are reported, each once. */
typedef enum {
    SCH_PAIR_NEW,
    SCH_PAIR_OPEN,
    SCH_PAIR_FITS,
    SCH_PAIR_QUIET /* does not, not reported */,
    SCH_PAIR_TOLD
} sch_pair_state;
typedef struct sch_pair {
    const void *reader, *writer;
    void *value;         /* the format's own */
    unsigned char state; /* sch_pair_state */
} sch_pair;
typedef struct sch_pairs { /* starts as {0}, lies in the arena */
    sch_pair *v;
    size_t n, cap;
} sch_pairs;
/* The entry of a pair. A new one has state SCH_PAIR_NEW, which the caller changes at once. Good until the next call. */
sch_pair *sch_pair_at(sch_pairs *p, fl_arena *a, const void *reader, const void *writer);

/* The way from the roots to what is being compared: frames on the stack, written out when something is reported. */
typedef struct sch_trail {
    const struct sch_trail *up; /* NULL: the root */
    const char *step;           /* NULL: `index` */
    size_t index;
} sch_trail;
/* prefix, then the steps with a `/` between two of them. */
const char *sch_trail_text(const sch_trail *t, fl_arena *a, const char *prefix);

/* compat_avro.c, compat_json.c, compat_proto.c */
void sch_avro_compare(sch_compare *c);
void sch_json_compare(sch_compare *c);
void sch_proto_compare(sch_compare *c);

#endif
