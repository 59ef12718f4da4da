/* json_compiler.h: the state of one compilation of a JSON Schema, shared by the files that do it. Not for the rest of
 * runtime/. */
#ifndef FLEC_RUNTIME_JSON_COMPILER_H
#define FLEC_RUNTIME_JSON_COMPILER_H

#include "runtime/format/effects.h"
#include "runtime/format/json.h"

typedef struct json_types {
    const sch_type **v;
    size_t n;
} json_types;

typedef struct json_place {
    json_types types;         /* unions opened, by id */
    json_types latest;        /* the same place in the schema whose inline tags count, if that is another */
    const sch_field **fields; /* whose tags count, by address */
    size_t nfields;
    json_names names;
    const char *path;
    bool named;   /* below a property: what has no name carries no tag */
    bool pattern; /* below patternProperties */
    bool spelled; /* a key names it, the schema does not */
} json_place;

typedef struct json_compiler {
    fl_arena *a;
    const rt_compile *in;
    rt_effects f;
    json_keys *keys;
    fl_map *known; /* identity to 1 + number of a state */
    FL_VEC(json_place) places;
    FL_VEC(json_state) states;
    FL_VEC(const char *) where;
    FL_VEC(json_member) members;
    FL_VEC(json_glob) globs;
    FL_VEC(int) chains; /* by state: -1 none */
    bool *guards;       /* by state: something is sealed, or fails, there or below */
    fl_buf identity;
    size_t work;
    rt_error *err;
} json_compiler;

static inline bool json_has_kind(const json_place *p, sch_kind kind)
{
    for (size_t i = 0; i < p->types.n; i++)
        if (p->types.v[i]->kind == kind)
            return true;
    return false;
}

/* json_finish.c: all states are known: what each does with values, which of them matter, the program. */
rt_program *rt_json_finish(json_compiler *c, uint32_t root);

#endif
