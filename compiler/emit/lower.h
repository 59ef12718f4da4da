/* lower.h: internal to emit/: tests on their way from the policy to tests.json. tests.c walks the steps, fixtures.c
 * reads what they name. */
#ifndef FLEC_COMPILER_LOWER_H
#define FLEC_COMPILER_LOWER_H

#include "compiler/emit/emit.h"

typedef struct fixture {
    const char *source, *name; /* where it was found, its path in the build directory */
} fixture;

typedef struct lowering {
    const est_estate *e;
    fl_arena *arena;
    fl_diags *diags;
    emit *m; /* NULL: nothing is written, only checked */
    fl_jw w;
    FL_VEC(fixture) fixtures;
    const emit_grantees *principals; /* made when a step first asks */
    size_t guesses;                  /* near misses that were looked for */
    /* of the test at hand: */
    bool produced;          /* had a step that puts records on a topic */
    const est_topic *topic; /* of the last such step; NULL if unknown (reported) */
    bool by_connector;      /* it was a `connector … receives` */
    bool to_be_refused;     /* `expect refused` follows the step at hand: its records may be wrong on purpose */
} lowering;

/* The path in the build directory of the file or folder that a step names; NULL if it is not there (reported). The
 * first use copies it. */
const char *lower_fixture(lowering *l, const lang_value *path, const char *const *suffixes);

/* The text of a name, variables expanded; NULL where that cannot be, which resolution has reported. */
const char *lower_text(lowering *l, const lang_name *n);
/* records.c: what can be said of records without encoding them, for sides whose format the engine does not run: nobody
 * else looks at them. A `.jsonl` fixture by its path in the build directory; the JSON of one side, written in the
 * policy at `at`. */
void lower_check_fixture(lowering *l, fl_span at, const char *name);
void lower_check_record(lowering *l, fl_span at, const est_side *s, const char *json, size_t len);
/* ---- lookup.c: what steps name; what is not there is reported ---- */

const char *lower_slot(lowering *l, const lang_stmt *s, const char *slot); /* its text, variables expanded */
const est_topic *lower_topic(lowering *l, const lang_stmt *s);
const est_connector *lower_connector(lowering *l, const lang_stmt *s);
void lower_kek(lowering *l, const lang_value *v);
void lower_principal(lowering *l, fl_span at, const char *full);
bool lower_is_key(const lang_stmt *s); /* of its slot `side` */
/* Is there such a path on that side of the topic at hand? */
void lower_path(lowering *l, const lang_stmt *s, const lang_value *path);
/* A body that is encrypted whole has no fields on the wire; one that is not has nothing but fields to look at. */
void lower_whole(lowering *l, const lang_stmt *s);

/* A JSON value of the policy, written. */
void lower_json(lowering *l, const lang_value *v);

#endif
