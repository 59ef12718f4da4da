/* schema.h: schemas as trees of fields, the paths that policies write, and the names that the vendor's clients match.
 *
 * A sch_schema is an immutable tree in an arena over the original bytes of its text, which are kept. Avro, JSON Schema
 * and Protobuf all become the same tree, so that paths, leaves and checks know one kind of thing:
 *
 *     Avro                 JSON Schema                              Protobuf                    here
 *     record, its fields   object with `properties`, each property  message, its fields         SCH_RECORD, sch_field
 *     array                array with `items`                       repeated field              SCH_ARRAY
 *     map                  values of `additionalProperties`         map                         SCH_MAP
 *     union                type lists, anyOf, oneOf                 -                           SCH_UNION
 *     string, bytes, …     string; integer as LONG, number DOUBLE   string, bytes, numbers      the kind of that name
 *     enum                 string with `enum` or `const`            enum                        SCH_ENUM
 *     -                    anything may stand there (`true`, {})    -                           SCH_ANY
 *
 * A oneof's members are fields of their message. What no client walks through (`patternProperties`, `then`, …) is in
 * the tree, too, and says so (`unwalked`), so that a path to it gets the right message. Facts: which names clients
 * match and where tags count: docs/wire.md 6, docs/language.md 7. */
#ifndef FLEC_SCHEMA_H
#define FLEC_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef enum { SCH_AVRO, SCH_JSON, SCH_PROTOBUF } sch_format;
const char *sch_format_name(sch_format f); /* as the registry's schemaType: AVRO, JSON, PROTOBUF */

/* ---- types, also what the engine's program compiler reads ---- */

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
    SCH_FIXED,
    SCH_ANY /* JSON Schema: a value of any type */
} sch_kind;

typedef struct sch_type sch_type;
typedef struct sch_field sch_field;

struct sch_type {
    sch_kind kind;
    const char *name; /* full name of RECORD, ENUM, FIXED; "" namespace allowed: then no dot; else NULL. JSON: NULL */
    const char *logical; /* logicalType, JSON Schema's `format`, or NULL */
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
    const fl_json *node; /* where it is written; NULL in Protobuf. JSON: the schema object itself, behind `$ref`s */
    /* ARRAY, MAP: the construct through which no client reaches the elements ("additionalProperties", "prefixItems"),
     * or NULL */
    const char *item_unwalked;
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
    /* The field's object in the text of its schema (of `text` unless record->foreign); a JSON property: its schema
     * object before any `$ref` is followed, also inside an `allOf` member. NULL in Protobuf. */
    const fl_json *node;
    const char *unwalked; /* JSON: the construct through which no client reaches it ("then", …), or NULL */
    int number;           /* Protobuf: field number; else 0 */
    const char *oneof;    /* Protobuf: name of the oneof it is a member of, or NULL */
    bool optional;        /* it may be absent: JSON not `required`, Protobuf explicit presence */
    bool foreign;         /* written in a referenced schema, though its record may not be: see sch_is_foreign */
    uint32_t at, to;      /* Protobuf: byte range of the field's declaration in the text of its own file */
};

/* Is the field written in a referenced schema's text, so that no inline tag can be written there? */
static inline bool sch_is_foreign(const sch_field *f)
{
    return f->foreign || f->record->foreign;
}

/* A `confluent:tags` in a type object: on a record, inside `items`, beside "type": "string". Protobuf: the tags of a
 * file, message, enum or extension. No client sees it as a field's tag (docs/wire.md 6), so the compiler says so. */
typedef struct sch_misplaced {
    uint32_t offset, to;    /* of the member, in the text of the schema it stands in */
    const sch_type *type;   /* the type that carries it */
    const sch_field *field; /* the field inside which that type is written, or NULL */
    const char **tags;
    size_t ntags;
    bool foreign;     /* in a referenced schema's text */
    const char *what; /* Protobuf: what carries them, as "the message com.acme.Customer"; else NULL */
} sch_misplaced;

typedef struct sch_ref { /* a referenced schema: the name under which the text refers to it, and its own text */
    const char *name;
    const char *text;
    size_t len;
} sch_ref;

typedef struct sch_schema {
    sch_format format;
    const char *name; /* file name for messages, or subject */
    const char *text; /* the original bytes */
    size_t len;
    sch_type *root;
    unsigned ntypes;
    const fl_json *json;            /* NULL: Protobuf */
    const struct sch_proto *proto;  /* Protobuf: what was read of the descriptors (proto.h); else NULL */
    const sch_misplaced *misplaced; /* in order of the texts */
    size_t nmisplaced;
    /* Protobuf: fields that the texts add to messages by `extend`, as "p.M.name": no client looks at them, and no path
     * names them. Those of google.protobuf.*, which are options, are left out. */
    const char **extensions;
    size_t nextensions;
    const sch_ref *refs; /* what it was parsed with by sch_parse, for who follows a `$ref` in the text (compat.h) */
    size_t nrefs;
} sch_schema;

typedef struct sch_error {
    uint32_t offset; /* into text (or into the ref named in ref) */
    const char *ref; /* or NULL */
    char message[256];
    bool root; /* Protobuf: the text is right, and has no message as was asked for */
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

/* The tree alone of an Avro schema, a third of the memory: for who asks what its fields are, and neither for its text
 * (NULL), its defaults nor what is written where (`node`, `json`, `fallback` are NULL, primitives without attributes
 * are one for all places). Nothing in it points into `s`. NULL: of this schema something is asked that only the text
 * says.
 */
sch_schema *sch_avro_lean(fl_arena *a, const sch_schema *s);

/* An Avro schema with what it refers to written out, so that it refers to nothing. false: it cannot be. */
bool sch_avro_inline(fl_arena *a, const char *text, size_t len, const sch_ref *refs, size_t nrefs, fl_buf *out);

/* A JSON Schema, drafts 4 to 2020-12 as the vendor's clients read them. `$ref` to the text itself (`#/definitions/X`,
 * `$defs`, `$id`, `$anchor`) or to a reference by its name; another URL is refused, nothing is ever fetched. */
sch_schema *sch_json_parse(fl_arena *a, const char *name, const char *text, size_t len, const sch_ref *refs,
                           size_t nrefs, sch_error *err);

/* Protobuf: text is a .proto file; refs are imported under their names; `confluent/meta.proto`, `confluent/type/…` and
 * google's own need no reference. message: simple or full name of the root message, NULL for the file's first. protoc
 * is asked for the descriptors; sch_proto_prepare asks once for many files, later parses of the same texts find them.
 */
sch_schema *sch_proto_parse(fl_arena *a, const char *name, const char *text, size_t len, const char *message,
                            const sch_ref *refs, size_t nrefs, sch_error *err);
typedef struct sch_proto_file {
    const char *name, *text;
    size_t len;
    const sch_ref *refs;
    size_t nrefs;
} sch_proto_file;
typedef struct sch_proto_set sch_proto_set; /* descriptors of many files, in an arena */
/* NULL and a message if protoc cannot be run at all. Files that protoc refuses are refused when they are parsed. */
sch_proto_set *sch_proto_prepare(fl_arena *a, const sch_proto_file *files, size_t n, char message[256]);
/* Was protoc asked for this text with these references? */
bool sch_proto_in_set(const sch_proto_set *set, const char *text, size_t len, const sch_ref *refs, size_t nrefs);
sch_schema *sch_proto_from_set(fl_arena *a, const sch_proto_set *set, const char *name, const char *text, size_t len,
                               const char *message, const sch_ref *refs, size_t nrefs, sch_error *err);

/* Full name of the message that `message` selects, read off the text without protoc: the file's package and the name,
 * where it does not begin with that already. NULL for `message`: NULL. */
const char *sch_proto_message_name(fl_arena *a, const char *text, size_t len, const char *message);

/* One of the three; message as above, else NULL. */
sch_schema *sch_parse(sch_format format, fl_arena *a, const char *name, const char *text, size_t len,
                      const char *message, const sch_ref *refs, size_t nrefs, sch_error *err);

/* ---- paths ---- */

/* What a path reaches: an occurrence of a type below a field, through nullable unions, arrays and maps as the path's
 * steps say. */
typedef struct sch_hit {
    const char *path;       /* canonical, as a policy writes it: addresses[].street, notes.*, 'extra."shoe size"' */
    const sch_field *field; /* innermost record field on the way: carries the tag. NULL where the path reaches none
                               (primitive root) */
    const sch_type *type;   /* what stands there, nullable unions opened */
    bool nullable;
    bool mixed;           /* a union with another non-null branch: type is the union */
    bool recursive;       /* an occurrence below the second level of a recursive record; leaves stop there */
    bool in_recursion;    /* a record that contains itself is on the way, at whatever level */
    const char *unwalked; /* the construct on the way through which no client reaches it, or NULL */
} sch_hit;

typedef struct sch_hits {
    sch_hit *v;
    size_t n;
    bool truncated; /* there is more: SCH_MAX_HITS, or the bounds of depth, work or text were reached. Treat it as an
                       error */
    bool split;     /* a union of several branches was met, where one path may reach more than one type */
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

/* The way from the root to a hit: fields, elements, values, one a step. Made anew at each call. */
typedef struct sch_step {
    const sch_type *in;     /* the record, array or map that is entered */
    const sch_field *field; /* of a record; NULL: elements or values */
    const sch_type *to;     /* the type as it is written there, a union unopened */
} sch_step;
/* Number of steps, 0 for the root itself or where there is no such hit. */
size_t sch_way(const sch_schema *s, fl_arena *a, const sch_hit *h, const sch_step **out);

/* ---- names that clients match ---- */

/* The metadata.tags keys for a leaf, as docs/language.md 7 has them. Avro: full record name.field, **.Record.field,
 * Record.field (unique ones, in that order; 2 for a record without namespace: `**.` stays, a connector may hand the
 * record over in a namespace). JSON Schema: `$.a.b`, and below an array `$.a*.b` as well. Protobuf: full message
 * name.field. Returns how many; 0 for a leaf that carries no tag (primitive root). */
#define SCH_MAX_KEYS 3
size_t sch_match_keys(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);
/* The names under which clients look the leaf up: Avro and Protobuf record name.field; JSON Schema `$.a.b` and, below
 * an array, `$.a[0].b` and `$.a[17].b` for those that write an index. Returns how many, at most SCH_MAX_KEYS. */
size_t sch_client_names(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS]);

/* Does a metadata.tags key match a full name, as the vendor's WildcardMatcher does (? one character, * within a dot, **
 * across)? */
bool sch_key_matches(const char *key, const char *full_name);
/* The key as the matcher reads it: each `**.*` as `**`. To be freed. */
char *sch_key_fold(const char *key);

/* Every leaf of which a client name is matched by any key of h (so in Avro: every occurrence of that record type's
 * field, in other records of the same simple name too). */
void sch_covered(const sch_schema *s, fl_arena *a, const sch_hit *h, sch_hits *out);

/* ---- inline tags ---- */

/* A JSON value with the members of all objects sorted by name. */
void sch_print_sorted(fl_jw *w, fl_arena *a, const fl_json *v);
/* A parsed Avro schema as a registry that normalises spells it (avro_normal.c). False: it is none, and what was written
 * is of no use. */
bool sch_avro_normal(fl_arena *a, const fl_json *json, fl_jw *w);

typedef struct sch_edit {
    const sch_field *field; /* not foreign */
    const char **tags;      /* all tags the field shall carry inline, sorted; those it has already must be among them */
    size_t ntags;
} sch_edit;

/* The schema's text with tags written into these fields (`confluent:tags`; Protobuf: `(confluent.field_meta).tags`, and
 * the import of confluent/meta.proto where it lacks), everything else byte for byte as it was. A new
 * list is the last member of the field's object, in that object's style (spaces, line breaks); an existing one keeps
 * its elements and gets what it lacks behind them. Several edits of one field are joined. A field of a referred schema
 * is skipped: its text is not this one. Check out->full. */
void sch_write_tags(const sch_schema *s, const sch_edit *edits, size_t n, fl_buf *out);

#endif
