/* avro_parser.h: the state of one parse of an Avro schema, shared by the files that do it. Not for other folders. */
#ifndef FLEC_SCHEMA_AVRO_PARSER_H
#define FLEC_SCHEMA_AVRO_PARSER_H

#include "schema/schema.h"

typedef FL_VEC(sch_type *) sch_types;

typedef struct parser {
    fl_arena *a;
    sch_error *err;
    const char *ref; /* name of the referenced schema being read, NULL in the main text */
    fl_map *names;   /* full name to sch_type */
    sch_types types; /* all types, by id */
    FL_VEC(sch_misplaced) misplaced;
    const sch_field *field; /* the field whose type is being read, or NULL */
    unsigned depth;
    bool refers; /* a type is used by its name: without that none contains itself */
} parser;

/* Fills the error with the place of a node (NULL: the text's start) and returns false. */
bool sch_refuse(parser *p, const fl_json *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- avro_names.c ---- */

typedef struct full_name {
    const char *full;  /* namespace.name, or name */
    const char *space; /* what is inherited inside; "" for none */
} full_name;

/* The kind of a primitive's name; false if it is none. */
bool sch_primitive_kind(const char *name, sch_kind *out);
const char *sch_kind_name(sch_kind k);
bool sch_is_simple_name(const char *s, size_t len);
/* The name of a record, enum or fixed written in `node`, enclosed by namespace `space`. */
bool sch_read_name(parser *p, const fl_json *node, const char *space, full_name *out);
/* The type that a text refers to from within namespace `space`. NULL and an error if there is none. */
sch_type *sch_resolve(parser *p, const fl_json *text, const char *space);

/* ---- avro_cycles.c ---- */

/* Sets `recursive` of every record that contains itself. */
void sch_mark_recursive(const sch_types *types);
/* Types directly inside a type. */
size_t sch_child_count(const sch_type *t);
const sch_type *sch_child(const sch_type *t, size_t i);

/* ---- tags.c ---- */

/* The `confluent:tags` of an object, sorted and unique; none if it has no such member. */
bool sch_read_tags(parser *p, const fl_json *object, const char ***tags, size_t *n);
void sch_sort_tags(const char **tags, size_t *n); /* sorts; equal ones once */
#define SCH_TAGS "confluent:tags"

#endif
