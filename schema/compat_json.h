/* compat_json.h: a JSON Schema as the vendor's registry sees it before it compares: every schema object is of one
 * class (a string, an object, an enum, a combination, …), and one that states several at once is the `allOf` of them.
 * After org.everit.json.schema's loader and the vendor's translation of the newer drafts. Not for other folders. */
#ifndef FLEC_SCHEMA_COMPAT_JSON_H
#define FLEC_SCHEMA_COMPAT_JSON_H

#include "schema/compat.h"

typedef enum {
    JV_ANY, /* `true`, {} */
    JV_FALSE,
    JV_NULL,
    JV_BOOLEAN,
    JV_STRING,
    JV_NUMBER, /* integers, too */
    JV_OBJECT,
    JV_ARRAY,
    JV_ENUM,
    JV_CONST,
    JV_NOT,
    JV_IF, /* if, then, else: the vendor does not look into them */
    JV_COMBINED
} jv_kind;

typedef enum { JV_ALL, JV_ANY_OF, JV_ONE } jv_criterion;

typedef struct jv_document { /* a text that schemas stand in: the schema itself or a reference of it */
    const char *name;        /* NULL: the schema itself */
    const fl_json *root;
    bool modern;                   /* 2019-09 or later: `$ref` has neighbours, prefixItems, unevaluated… */
    FL_VEC(const fl_json *) named; /* objects with `$id`, `id`, `$anchor` */
} jv_document;

typedef struct jv {
    jv_kind kind;
    const fl_json *node; /* where it is written; one node may be several views (a type list, an enum with a type) */
    const jv_document *in;
    bool integer;                  /* NUMBER */
    jv_criterion criterion;        /* COMBINED */
    FL_VEC(const struct jv *) sub; /* COMBINED */
    uint64_t hash;                 /* of the content, 0: not computed */
    /* OBJECT: members of `properties` and texts of `required`, in order of name, once they were asked for */
    const fl_json **props, **required;
    size_t nprops, nrequired;
} jv;

typedef struct jv_side { /* one of the two schemas */
    const sch_schema *schema;
    FL_VEC(jv_document *) documents;
} jv_side;

typedef struct jv_comparison {
    sch_compare *c;
    jv_side sides[2]; /* original (writer), update (reader) */
    sch_pairs views;  /* node to view */
    sch_pairs pairs;
    unsigned depth;
} jv_comparison;

/* ---- compat_json_view.c ---- */

jv *jv_root(jv_comparison *x, jv_side *s, const sch_schema *schema);
/* The view of a schema written in the text of `near`; NULL for no node. */
jv *jv_of(jv_comparison *x, const jv *near, const fl_json *node);
const char *jv_kind_name(const jv *v); /* "a string", "an object", … */
uint64_t jv_hash(jv_comparison *x, const fl_json *n);
bool jv_equal(jv_comparison *x, const fl_json *a, const fl_json *b); /* as JSON values: members in any order */

/* ---- compat_json.c ---- */

/* Can the update take all that the original took? NULL: there is no schema. Says what is wrong if `loud`. */
bool jv_fits(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
/* Reports (if loud) and returns false. keyword: the last step of the path, and what the places point at if it stands
 * there, or NULL. */
bool jv_wrong(jv_comparison *x, const char *type, const jv *original, const jv *update, const sch_trail *at,
              const char *keyword, bool loud, const char *fmt, ...) __attribute__((format(printf, 8, 9)));

/* ---- compat_json_rules.c: what stands inside one class ---- */

bool jv_strings_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
bool jv_numbers_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
bool jv_enums_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
bool jv_arrays_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
bool jv_limits_fit(jv_comparison *x, const jv *original, const jv *update, const sch_trail *at, bool loud);
/* `unevaluatedItems`, `unevaluatedProperties` (2019-09 and later) */
bool jv_unevaluated_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);
jv *jv_unevaluated(jv_comparison *x, const jv *v); /* NULL: not stated */

/* ---- compat_json_object.c ---- */

bool jv_objects_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud);

#endif
