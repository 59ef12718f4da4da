/* json_parser.h: the state of one parse of a JSON Schema, shared by the files that do it. Not for other folders.
 *
 * A type of the tree stands for a *term*: one schema object, or several that hold at once (a property that two members
 * of an `allOf` describe). Terms wait in a list and are made one after the other, never inside each other, so that no
 * chain of references can make the parser recurse; a term that was met before is shared, which closes recursion and
 * keeps a schema that refers much from multiplying. */
#ifndef FLEC_SCHEMA_JSON_PARSER_H
#define FLEC_SCHEMA_JSON_PARSER_H

#include "schema/avro_parser.h"

typedef struct js_doc js_doc;

/* What an `$id` names, or an anchor: the node, and how anchors inside it are told from those of other resources. */
typedef struct js_named {
    const fl_json *node;
    const js_doc *doc;
    const char *base; /* "": the whole text */
} js_named;

struct js_doc {      /* one text */
    const char *ref; /* its name as a reference; NULL: the schema itself */
    const fl_json *root;
    const char *id; /* `$id` (draft 4: `id`) of its root, or NULL */
    bool siblings;  /* a draft (2019-09 and later) in which keywords beside `$ref` count */
    js_named *whole;
    fl_map *anchors; /* "BASE#NAME" to js_named */
    fl_map *inner;   /* "%p" of an object that refers, to the embedded resource around it (js_named); NULL: none has */
};

typedef struct js_spot { /* a schema: an object, true or false */
    const fl_json *node;
    const js_doc *doc;
    const char *unwalked; /* the construct through which no client reaches it, or NULL */
} js_spot;

#define JS_MAX_PARTS    256     /* schemas that hold at once of one value; branches of properties beside anyOf */
#define JS_MAX_HOPS     256     /* references that lead to references */
#define JS_MAX_UNION    1000    /* branches of one union */
#define JS_MAX_BRANCHES 1000000 /* of all unions together */

typedef struct js_term {
    js_spot *v;
    size_t n;
} js_term;

typedef struct js_work {
    sch_type *type;
    js_term term;
    const sch_field *field; /* inside which it was met first */
} js_work;

typedef struct js_parser {
    parser p;
    FL_VEC(js_doc *) docs;
    fl_map *ids;   /* `$id`s and names of references to js_named */
    fl_map *terms; /* what identifies a term to its sch_type */
    fl_map *noted; /* objects whose tags are known: "%p", and "%p %p" with the field for which they are */
    FL_VEC(js_work) todo;
    size_t done; /* of todo */
} js_parser;

/* Fills the error with the place of a spot and returns false. */
bool js_refuse(js_parser *j, js_spot at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- json_refs.c: texts, `$id`, anchors, `$ref` ---- */

bool js_add_doc(js_parser *j, const char *ref, const char *text, size_t len);
/* After all texts: a name counts as well as it reads beside the `$id` of a text. */
void js_name_refs(js_parser *j);
void js_free_docs(js_parser *j);
/* The text of the `$ref`, `$dynamicRef` or `$recursiveRef` of a schema; NULL if it has none. */
const fl_json *js_ref_of(js_spot at);
/* Where it leads; the mark of `at` stays. */
bool js_follow(js_parser *j, js_spot at, const fl_json *ref, js_spot *out);

/* ---- json_parts.c: what holds at once ---- */

typedef FL_VEC(js_spot) js_parts;

bool js_is(const fl_json *node, const char *const *keywords); /* has it one of these members? NULL ends the list */
extern const char *const js_object_words[], *const js_array_words[], *const js_choice_words[];
/* Does it only narrow the values (`required`, `pattern`), without naming types, fields or elements? */
bool js_only_narrows(js_spot at);
/* Behind references that have nothing beside them, and an `allOf` of one that stands alone. */
bool js_settle(js_parser *j, js_spot *at, const sch_field *field);
/* A schema with all that holds beside it: what it refers to, the members of its `allOf`, and the constructs that no
 * client walks (`then`, `not`, …), marked. */
bool js_flatten(js_parser *j, js_spot at, js_parts *out);

/* ---- json_shape.c, json_object.c: a term as a type ---- */

/* The type of a term; made later if it is new. NULL on refusal. */
sch_type *js_type(js_parser *j, const js_spot *spots, size_t n, const sch_field *field);
sch_type *js_new_type(js_parser *j, sch_kind kind, js_spot at);
bool js_fill(js_parser *j, const js_work *w);
/* An object: its fields, or its values. choices: with the fields of its `anyOf` and `oneOf`. */
bool js_fill_object(js_parser *j, sch_type *t, const js_parts *parts, bool choices, const sch_field *field);
/* The object's tags are those of the field that it describes. */
void js_note_own(js_parser *j, js_spot at, const sch_field *field);
/* Are they those of some field? */
bool js_is_own(js_parser *j, js_spot at);
/* Tags of an object that is no property, or not that of this field: no client takes them for the field's. */
bool js_note_misplaced(js_parser *j, js_spot at, const sch_type *t, const sch_field *field);

/* ---- json_unions.c ---- */

/* Opens unions in unions, joins branches of one scalar kind. */
bool js_flatten_unions(js_parser *j);

#endif
