/* path.h: a written path as steps, and the set of its states while a tree or encoded bytes are walked. Not for other
 * folders.
 *
 * State i means: the first i steps are consumed. The states of a place are a bit set; a `**` keeps its own state and
 * lets the next one in, so that one walk finds everything however many `**` there are. */
#ifndef FLEC_SCHEMA_PATH_H
#define FLEC_SCHEMA_PATH_H

#include "schema/schema.h"

typedef enum {
    STEP_NAME,
    STEP_ITEMS, /* [] */
    STEP_STAR,  /* * */
    STEP_DEEP   /* ** */
} step_kind;

typedef struct path_step {
    step_kind kind;
    const char *name; /* NAME: NUL-terminated, in the arena */
} path_step;

#define SCH_MAX_STEPS 62

typedef struct parsed_path {
    path_step v[SCH_MAX_STEPS];
    unsigned n;
    bool leaves_only; /* the last step is `**`: of what it reaches, only leaves are meant */
} parsed_path;

typedef uint64_t path_states;

/* false and a message if the text is no path. */
bool sch_path_parse(fl_arena *a, const char *text, parsed_path *out, char message[160]);
bool sch_path_is_word(char c); /* may stand in a name without quotes */
/* The path `**`, all leaves. */
void sch_path_all(parsed_path *out);

path_states sch_path_start(const parsed_path *p);
path_states sch_path_field(const parsed_path *p, path_states at, const char *name);
path_states sch_path_items(const parsed_path *p, path_states at);
path_states sch_path_values(const parsed_path *p, path_states at);
/* Without the states that a `**` holds open. */
path_states sch_path_shallow(const parsed_path *p, path_states at);
bool sch_path_ends(const parsed_path *p, path_states at);

/* A type with its union opened. */
typedef struct opened {
    const sch_type *only; /* the one branch that is not null, or the type itself; NULL if there are several */
    bool nullable;
    bool all_records; /* several branches, all records */
} opened;
opened sch_open(const sch_type *t);
bool sch_is_container(const sch_type *t); /* record, array, map */

#endif
