/* schema.h: schemas as trees of fields, the paths that policies write, and the names that the vendor's clients match.
 *
 * A sch_schema is an immutable tree in an arena over the original bytes of its text, which are kept. In this version
 * the format is Avro; JSON Schema and Protobuf come behind the same interface. Facts: which names clients match and
 * where tags count: docs/wire.md 6, docs/language.md 7. */
#ifndef FLEC_SCHEMA_H
#define FLEC_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* ---- Avro types, also what the engine's program compiler reads ---- */

typedef enum {
    SCH_NULL,
    SCH_BOOLEAN,
    SCH_INT,
    SCH_LONG,
    SCH_FLOAT,
    SCH_DOUBLE,
    SCH_BYTES,
    SCH_STRING,
    SCH_RECORD,
    SCH_ENUM,
    SCH_ARRAY,
    SCH_MAP,
    SCH_UNION,
    SCH_FIXED
} sch_kind;

typedef struct sch_type sch_type;
typedef struct sch_field sch_field;

struct sch_type {
    sch_kind kind;
    const char *name;    /* full name of RECORD, ENUM, FIXED; "" namespace allowed: then no dot; else NULL */
    const char *logical; /* logicalType, or NULL */
    sch_field *fields;   /* RECORD */
    size_t nfields;
    sch_type *item;      /* ARRAY, MAP */
    sch_type **branches; /* UNION */
    size_t nbranches;
    const char **symbols; /* ENUM */
    size_t nsymbols;
    const char *enum_default; /* ENUM, or NULL */
    size_t size;              /* FIXED */
    bool recursive;           /* RECORD that contains itself */
    bool foreign;        /* RECORD, ENUM, FIXED defined in a referenced schema: nothing inline can be written there */
    unsigned id;         /* dense number of the type in its schema, for visited sets and program tables */
    const fl_json *node; /* where it is written */
};

struct sch_field {
    const char *name;
    sch_type *type;
    const sch_type *record; /* the record it belongs to */
    const char **tags;      /* inline confluent:tags, sorted, unique */
    size_t ntags;
    const char **aliases;
    size_t naliases;
    const fl_json *fallback; /* default value, or NULL */
    const fl_json *node;     /* the field's object in the text of its schema (of `text` unless record->foreign) */
};

/* A `confluent:tags` in a type object: on a record, inside `items`, beside "type": "string". No client sees it as a
 * field's tag (docs/wire.md 6), so the compiler says so. */
typedef struct sch_misplaced {
    uint32_t offset, to;    /* of the member, in the text of the schema it stands in */
    const sch_type *type;   /* the type that carries it */
    const sch_field *field; /* the field inside which that type is written, or NULL */
    const char **tags;
    size_t ntags;
    bool foreign; /* in a referenced schema's text */
} sch_misplaced;

typedef struct sch_schema {
    const char *name; /* file name for messages, or subject */
    const char *text; /* the original bytes */
    size_t len;
    sch_type *root;
    unsigned ntypes;
    const fl_json *json;
    const sch_misplaced *misplaced; /* in order of the texts */
    size_t nmisplaced;
} sch_schema;

typedef struct sch_ref { /* a referenced schema: the name under which the text refers to it, and its own text */
    const char *name;
    const char *text;
    size_t len;
} sch_ref;

typedef struct sch_error {
    uint32_t offset; /* into text (or into the ref named in ref) */
    const char *ref; /* or NULL */
    char message[256];
} sch_error;

#define SCH_MAX_TEXT  (16u << 20)
#define SCH_MAX_DEPTH 128   /* nesting of types */
#define SCH_MAX_TYPES 20000 /* types written in the schema and its references, primitives counted where they stand */
#define SCH_MAX_NAME  1024  /* bytes of a full name, of a field's name, of a tag */

/* Parses an Avro schema; refs are parsed first, in order, and their named types are known to those after them. Refuses:
 * unknown names, duplicate names and fields, unions in unions or with two equal branches, bad defaults' kinds are left
 * to use. NULL and *err on refusal. The text and refs must outlive the arena's user. */
sch_schema *sch_avro_parse(fl_arena *a, const char *name, const char *text, size_t len, const sch_ref *refs,
                           size_t nrefs, sch_error *err);

/* ---- paths ---- */

/* What a path reaches: an occurrence of a type below a field, through nullable unions, arrays and maps as the path's
 * steps say. */
typedef struct sch_hit {
    const char *path;       /* canonical, as a policy writes it: addresses[].street, notes.*, 'extra."shoe size"' */
    const sch_field *field; /* innermost record field on the way: carries the tag. NULL where the path reaches none
                               (primitive root) */
    const sch_type *type;   /* what stands there, nullable unions opened */
    bool nullable;
    bool mixed;     /* a union with another non-null branch: type is the union */
    bool recursive; /* an occurrence below the second level of a recursive record; leaves stop there */
} sch_hit;

typedef struct sch_hits {
    sch_hit *v;
    size_t n;
    bool truncated; /* there is more: SCH_MAX_HITS, or the bounds of depth, work or text were reached. Treat it as an
                       error */
} sch_hits;

typedef enum { SCH_PATH_OK, SCH_PATH_BAD /* not a path: see message */ } sch_path_status;

/* Parses and selects. 0 hits with SCH_PATH_OK: nothing there. A path to an array or map selects the array or map itself
 * (type->kind says so), one to a record the record. A `**` or `*` step may select many: `*` all fields of a record,
 * records among them; a last `**` leaves only. `**` enters a recursive record once more below itself (hits there are
 * `recursive`); a path that spells the way out goes on. In a union of several records a step goes into each that has
 * the name: two hits may have one path. At most SCH_MAX_HITS. */
#define SCH_MAX_HITS 100000
sch_path_status sch_select(const sch_schema *s, fl_arena *a, const char *path, sch_hits *out, char message[160]);

/* Every leaf (string, bytes, number, …; unions that are mixed count as one leaf), in schema order, in canonical
 * spelling. A recursive record is entered once more below itself and marked `recursive` there. */
void sch_leaves(const sch_schema *s, fl_arena *a, sch_hits *out);

/* string or bytes, of any logical type: clients encrypt the underlying value. Ask sch_logical_breaks as well. */
bool sch_is_encryptable(const sch_type *t);
/* Who cannot read the ciphertext because of the logical type, as words for a message: "Python (fastavro) and Rust" for
 * a string with logicalType uuid (run: Java, Go and JavaScript read it), ".NET" for bytes with decimal (reported, not
 * run). NULL: nobody known. */
const char *sch_logical_breaks(const sch_type *t);
const char *sch_type_text(const sch_type *t,
                          fl_arena *a); /* "string", "array of int", "record com.acme.Address", for messages */

/* The nearest n paths of the schema to a path that selects nothing; returns how many. */
size_t sch_nearest(const sch_schema *s, fl_arena *a, const char *path, const char **out, size_t n);

/* ---- names that clients match ---- */

/* The metadata.tags keys for a field: full record name.field, **.Record.field, Record.field (unique ones, in that
 * order). Returns how many: 3, or 2 for a record without namespace (`**.` stays: a connector may hand the record over
 * in a namespace). */
size_t sch_match_keys(const sch_field *f, fl_arena *a, const char *out[3]);

/* Does a metadata.tags key match a full name, as the vendor's WildcardMatcher does (? one character, * within a dot, **
 * across)? */
bool sch_key_matches(const char *key, const char *full_name);

/* Every leaf whose field any of the three keys of f matches (so: every occurrence of that record type's field, in other
 * records of the same simple name too). */
void sch_covered(const sch_schema *s, fl_arena *a, const sch_field *f, sch_hits *out);

/* ---- inline tags ---- */

typedef struct sch_edit {
    const sch_field *field; /* not foreign */
    const char **tags;      /* all tags the field shall carry inline, sorted; those it has already must be among them */
    size_t ntags;
} sch_edit;

/* The schema's text with `confluent:tags` written into these fields, everything else byte for byte as it was. A new
 * list is the last member of the field's object, in that object's style (spaces, line breaks); an existing one keeps
 * its elements and gets what it lacks behind them. Several edits of one field are joined. A field of a referred schema
 * is skipped: its text is not this one. Check out->full. */
void sch_write_tags(const sch_schema *s, const sch_edit *edits, size_t n, fl_buf *out);

#endif
