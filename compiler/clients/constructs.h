/* constructs.h: the constructs of schemas that decide what a vendor's client does with a tagged field, and how they are
 * found on the way from a schema's root to a leaf.
 *
 * A construct is a feature that is told from the schema alone: a union with null around a record, a record type used
 * again by name, properties beside `anyOf`, a tag beside a `$ref`. A leaf has a set of them. What a client does with a
 * set is the worst that it does with any of its members, and what it does with one member is read off the measured
 * cases (cases.json), never written here. So names, siblings and depth do not matter, unless a construct says that they
 * do, and a construct that stands in no case is "not measured". */
#ifndef FLEC_CLIENTS_CONSTRUCTS_H
#define FLEC_CLIENTS_CONSTRUCTS_H

#include "schema/schema.h"

/* Where a construct counts. CL_TAG: how the client learns of the tag; the best of a leaf's ways counts. CL_WAY: on the
 * way to a tagged leaf. CL_RECORD: anywhere in the schema, tagged or not, since the client reads and writes whole
 * records. CL_VALUE: the same, for those records only whose values have it. CL_BY_START: on the way, and with a choice
 * that Java makes anew at each start of the JVM (`about` in cases.json): one measurement that went well says nothing.
 */
typedef enum { CL_TAG, CL_WAY, CL_BY_START, CL_RECORD, CL_VALUE } cl_scope;

/* identifier, key in constructs.json, scope, words for a message ("a field …"), what to write instead */
#define CL_CONSTRUCTS(X)                                                                                               \
    X(TAG_META, "tag-metadata", CL_TAG, "the tag in metadata.tags", NULL)                                              \
    X(TAG_META_NO_INDEX, "tag-metadata-without-index", CL_TAG, "a metadata.tags key without a star below an array",    \
      "leave the keys to flec: it writes `$.a*.b` beside `$.a.b`")                                                     \
    X(TAG_META_BRACKET, "tag-metadata-bracket", CL_TAG, "a metadata.tags key with `[`",                                \
      "write `tags-in inline`, or another name")                                                                       \
    X(TAG_META_REFERRED, "tag-metadata-of-referred", CL_TAG, "the tag in the metadata of the referred subject only",   \
      "tag the field in the side that refers to it")                                                                   \
    X(TAG_INLINE, "tag-inline", CL_TAG, "the tag in the schema text, at the field", NULL)                              \
    X(TAG_INLINE_REF, "tag-inline-beside-ref", CL_TAG, "the tag in the schema text, beside a `$ref`",                  \
      "write `tags-in both`")                                                                                          \
    X(TAG_INLINE_TARGET, "tag-inline-at-ref-target", CL_TAG, "the tag in the schema text, at the target of a `$ref`",  \
      "tag the property that refers to it")                                                                            \
    X(TAG_INLINE_REFERRED, "tag-inline-in-referred", CL_TAG, "the tag in the text of a referred schema only",          \
      "write `tags-in both`, which puts it into the metadata of this subject")                                         \
    X(TAG_INLINE_REFERRED_TOO, "tag-inline-in-referred-too", CL_TAG,                                                   \
      "the tag in the text of a referred schema, and others in this one", NULL)                                        \
    X(TAG_UNSEEN, "tag-unseen", CL_TAG, "no key and no inline tag that clients see",                                   \
      "leave the keys to flec: it writes those that clients match")                                                    \
                                                                                                                       \
    X(AVRO_LEAF, "avro-leaf", CL_WAY, "a string or bytes field", NULL)                                                 \
    X(AVRO_LOGICAL, "avro-logical-type", CL_WAY, "a string or bytes with a logical type",                              \
      "leave the logical type out")                                                                                    \
    X(AVRO_NULLABLE, "avro-nullable", CL_WAY, "a nullable string or bytes", NULL)                                      \
    X(AVRO_RECORD, "avro-nested-record", CL_WAY, "a nested record", NULL)                                              \
    X(AVRO_ARRAY, "avro-array", CL_WAY, "an array", NULL)                                                              \
    X(AVRO_MAP, "avro-map", CL_WAY, "a map", NULL)                                                                     \
    X(AVRO_ARRAY_NULLABLE, "avro-array-of-nullable", CL_WAY, "an array of nullable strings",                           \
      "make the array's items a plain string")                                                                         \
    X(AVRO_MAP_NULLABLE, "avro-map-of-nullable", CL_WAY, "a map of nullable strings",                                  \
      "make the map's values a plain string")                                                                          \
    X(AVRO_AGAIN, "avro-record-again", CL_WAY, "a record type used again by its name",                                 \
      "define a record type of its own for the second place")                                                          \
    X(AVRO_RECURSIVE, "avro-recursive-below", CL_WAY, "a recursive record below its first level",                      \
      "write the levels out as record types of their own")                                                             \
    X(AVRO_REFERRED, "avro-referred-record", CL_WAY, "a record of a referenced schema", NULL)                          \
    X(AVRO_MIXED, "avro-mixed-union", CL_WAY, "a union of null, a string and other types",                             \
      "make it a nullable string")                                                                                     \
    X(AVRO_MAP_RECORD, "avro-map-of-records", CL_RECORD, "a map of records", "make it an array of records")            \
    X(AVRO_MAP_NULLS, "avro-map-with-null", CL_VALUE, "a map of nullable values (with a null in it)",                  \
      "make the map's values a plain type, and leave out what is null")                                                \
    X(AVRO_NULLABLE_RECORD, "avro-nullable-record", CL_RECORD, "a nullable record", NULL)                              \
    X(AVRO_NULLABLE_ARRAY, "avro-nullable-array", CL_RECORD, "a nullable array", "make it an array that may be empty") \
    X(AVRO_NULLABLE_MAP, "avro-nullable-map", CL_RECORD, "a nullable map", "make it a map that may be empty")          \
    X(AVRO_NULLABLE_ENUM, "avro-nullable-enum", CL_RECORD, "a nullable enum", "add a symbol for what is unknown")      \
    X(AVRO_UNION, "avro-union-of-records", CL_RECORD, "a union of several records",                                    \
      "make each a nullable field of its own")                                                                         \
    X(AVRO_ROOT_UNION, "avro-root-union", CL_RECORD, "a union at the root", "give each record a topic of its own")     \
    X(AVRO_ROOT_ARRAY, "avro-root-array", CL_RECORD, "an array at the root", "make the root a record with that array") \
    X(AVRO_ROOT_MAP, "avro-root-map", CL_RECORD, "a map at the root", "make the root a record with that map")          \
    X(AVRO_HANDED_UNION, "avro-other-record-in-union", CL_RECORD,                                                      \
      "a record handed over in another namespace inside a union", "hand over records of the registered names")         \
                                                                                                                       \
    X(JSON_STRING, "json-string", CL_WAY, "a string", NULL)                                                            \
    X(JSON_FORMAT, "json-format", CL_WAY, "a string with a format", NULL)                                              \
    X(JSON_LIMITED, "json-limited-string", CL_WAY, "a string with `maxLength` or `pattern`, which ciphertext breaks",  \
      "take the limit out of the schema")                                                                              \
    X(JSON_ENUM, "json-enum", CL_WAY, "a string with `enum` or `const`", "take `enum` and `const` out of the schema")  \
    X(JSON_UNTYPED_STRING, "json-untyped-string", CL_WAY, "a string without `type`", "write `\"type\": \"string\"`")   \
    X(JSON_OBJECT, "json-object", CL_WAY, "a nested object", NULL)                                                     \
    X(JSON_UNTYPED_OBJECT, "json-untyped-object", CL_WAY, "an object without `type`",                                  \
      "write `\"type\": \"object\"` beside `properties`")                                                              \
    X(JSON_ENUM_OBJECT, "json-enum-object", CL_WAY, "an object with `enum` or `const`", "take it out of the schema")   \
    X(JSON_ARRAY, "json-array", CL_WAY, "an array", NULL)                                                              \
    X(JSON_UNTYPED_ARRAY, "json-untyped-array", CL_WAY, "an array without `type`", NULL)                               \
    X(JSON_IN_ARRAY_ARRAY, "json-below-array-of-arrays", CL_WAY, "an array of arrays around the field",                \
      "put an object between the two arrays")                                                                          \
    X(JSON_DRAFT_NONE, "json-no-draft", CL_WAY, "a schema without `$schema`", NULL)                                    \
    X(JSON_DRAFT_4, "json-draft-04", CL_WAY, "draft 4",                                                                \
      "write `\"$schema\": \"http://json-schema.org/draft-07/schema#\"`")                                              \
    X(JSON_DRAFT_7, "json-draft-07", CL_WAY, "draft 7", NULL)                                                          \
    X(JSON_DRAFT_2019, "json-draft-2019-09", CL_WAY, "draft 2019-09", NULL)                                            \
    X(JSON_DRAFT_2020, "json-draft-2020-12", CL_WAY, "draft 2020-12", NULL)                                            \
    X(JSON_DRAFT_OTHER, "json-draft-other", CL_WAY, "another `$schema` than drafts 4, 7, 2019-09 and 2020-12",         \
      "write `\"$schema\": \"http://json-schema.org/draft-07/schema#\"`")                                              \
    X(JSON_ARRAY_2019, "json-array-in-2019-09", CL_WAY, "draft 2019-09, below an array",                               \
      "write `\"$schema\": \"https://json-schema.org/draft/2020-12/schema\"`")                                         \
    X(JSON_REF, "json-ref", CL_WAY, "a `$ref` inside the schema", NULL)                                                \
    X(JSON_REF_ANCHOR, "json-ref-anchor", CL_WAY, "a `$ref` to an `$anchor`", NULL)                                    \
    X(JSON_REF_EXTERNAL, "json-ref-referenced", CL_WAY, "a `$ref` to a referenced schema", NULL)                       \
    X(JSON_REF_OTHER, "json-ref-other", CL_WAY, "a `$ref` by `$id`", "refer to it by `#/definitions/…`")               \
    X(JSON_RECURSIVE, "json-recursive", CL_WAY, "a recursive schema", NULL)                                            \
    X(JSON_NULL_ONEOF, "json-null-by-oneof", CL_WAY, "null by `oneOf`", NULL)                                          \
    X(JSON_NULL_ANYOF, "json-null-by-anyof", CL_WAY, "null by `anyOf`",                                                \
      "write `\"oneOf\": [{\"type\": \"null\"}, …]`")                                                                  \
    X(JSON_TYPELIST, "json-type-list", CL_WAY, "a string with `\"type\": [\"string\", \"null\"]`",                     \
      "write `\"oneOf\": [{\"type\": \"null\"}, {\"type\": \"string\"}]`")                                             \
    X(JSON_TYPELIST_ONE, "json-type-list-of-one", CL_WAY, "a type list of one type", NULL)                             \
    X(JSON_TYPELIST_ARRAY, "json-type-list-array", CL_WAY, "an array with `\"type\": [\"array\", \"null\"]`", NULL)    \
    X(JSON_TYPELIST_OBJECT, "json-type-list-object", CL_WAY, "an object with `\"type\": [\"object\", \"null\"]`",      \
      "write `\"oneOf\": [{\"type\": \"null\"}, {\"type\": \"object\", …}]`")                                          \
    X(JSON_ALLOF_ONE, "json-allof-of-one", CL_WAY, "`allOf` of one member, nothing beside it", NULL)                   \
    X(JSON_ALLOF_FIRST, "json-allof-first", CL_BY_START, "the first member of an `allOf` of several",                  \
      "put the properties of all members into one `properties`")                                                       \
    X(JSON_ALLOF_LATER, "json-allof-later", CL_BY_START, "a later member of an `allOf`",                               \
      "put the properties of all members into one `properties`")                                                       \
    X(JSON_BESIDE_ALLOF, "json-beside-allof", CL_BY_START, "properties beside `allOf`",                                \
      "put the properties of all members into one `properties`")                                                       \
    X(JSON_BESIDE_ALLOF_BARE, "json-beside-bare-allof", CL_BY_START,                                                   \
      "properties beside an `allOf` without properties",                                                               \
      "move what the `allOf` requires into `required` of the object itself")                                           \
    X(JSON_IN_ALLOF, "json-in-allof-beside-properties", CL_BY_START,                                                   \
      "a member of an `allOf` that has properties beside it",                                                          \
      "put the properties of all members into one `properties`")                                                       \
    X(JSON_BESIDE_ANYOF, "json-beside-anyof", CL_BY_START, "properties beside `anyOf`",                                \
      "put all properties into one `properties`, or into each branch")                                                 \
    X(JSON_BESIDE_ANYOF_BARE, "json-beside-bare-anyof", CL_BY_START, "properties beside an `anyOf` of `required`",     \
      "take the `anyOf` out, or check what it asks for where records are made")                                        \
    X(JSON_IN_ANYOF_BESIDE, "json-in-anyof-beside-properties", CL_BY_START,                                            \
      "a branch of an `anyOf` that has properties beside it", "put all properties into one `properties`")              \
    X(JSON_BESIDE_ONEOF, "json-beside-oneof", CL_BY_START, "properties beside `oneOf`",                                \
      "put the properties into each branch of the `oneOf`")                                                            \
    X(JSON_BESIDE_ONEOF_BARE, "json-beside-bare-oneof", CL_BY_START, "properties beside a `oneOf` without properties", \
      "take the `oneOf` out, or check what it asks for where records are made")                                        \
    X(JSON_IN_ONEOF_BESIDE, "json-in-oneof-beside-properties", CL_BY_START,                                            \
      "a branch of a `oneOf` that has properties beside it", "put the properties beside it into each branch")          \
    X(JSON_ANYOF, "json-anyof", CL_WAY, "a branch of an `anyOf` of objects", NULL)                                     \
    X(JSON_ANYOF_SHARED, "json-anyof-shared", CL_BY_START, "a field that several branches of an `anyOf` have",         \
      "make it a `oneOf` of which one branch fits")                                                                    \
    X(JSON_ONEOF, "json-oneof", CL_WAY, "a branch of a `oneOf` of objects", NULL)                                      \
    X(JSON_ONEOF_SHARED, "json-oneof-shared", CL_WAY, "a field that several branches of a `oneOf` have",               \
      "give the field of each branch a name of its own")                                                               \
    X(JSON_BESIDE_NOT, "json-beside-not", CL_BY_START, "properties beside `not`", "take the `not` out of the schema")  \
    X(JSON_BESIDE_IF, "json-beside-if", CL_BY_START, "properties beside `if`", "take `if`, `then`, `else` out")        \
    X(JSON_BESIDE_DEPENDENCIES, "json-beside-dependencies", CL_WAY, "properties beside `dependencies`", NULL)          \
    X(JSON_BESIDE_DEPENDENT, "json-beside-dependent-schemas", CL_WAY, "properties beside `dependentSchemas`", NULL)    \
    X(JSON_BESIDE_PATTERN, "json-beside-pattern-properties", CL_WAY, "properties beside `patternProperties`", NULL)    \
    X(JSON_BESIDE_ADDITIONAL, "json-beside-additional", CL_WAY, "properties beside `additionalProperties`", NULL)      \
    X(JSON_UNWALKED, "json-unwalked", CL_WAY, "a construct through which no client reaches the field",                 \
      "write it as a property with a name")                                                                            \
    X(JSON_LEAF_ALLOF, "json-string-by-allof", CL_WAY, "a string by `allOf` of one", NULL)                             \
    X(JSON_LEAF_ANYOF, "json-string-by-anyof", CL_WAY, "a string by `anyOf` of strings", NULL)                         \
    X(JSON_LEAF_ONEOF, "json-string-by-oneof", CL_WAY,                                                                 \
      "a string by `oneOf` of strings, of which ciphertext fits none", "write `\"type\": \"string\"` without limits")  \
    X(JSON_LEAF_MIXED, "json-string-or-other", CL_WAY, "a string or another type by `oneOf`", "make it a string")      \
    X(JSON_LEAF_ANYOF_BESIDE, "json-string-beside-anyof", CL_WAY, "a string with `anyOf` beside its `type`",           \
      "take the `anyOf` out, or put the `type` into its branches")                                                     \
    X(JSON_LEAF_NOT, "json-string-not", CL_WAY, "a string with `not`", NULL)                                           \
    X(JSON_LEAF_OTHER, "json-string-combined", CL_WAY, "a string combined in another way",                             \
      "write `\"type\": \"string\"` alone")                                                                            \
    X(JSON_NAME_DOT, "json-name-with-dot", CL_WAY, "a property name with a dot", "use another name")                   \
    X(JSON_KEYWORD, "json-other-keyword", CL_WAY,                                                                      \
      "a keyword that changes how a schema is read and was never measured", "take the keyword out of the schema")      \
    X(JSON_ROOT_ARRAY, "json-root-array", CL_RECORD, "an array at the root",                                           \
      "make the root an object with that array")                                                                       \
    X(JSON_ARRAY_ARRAY, "json-array-of-arrays", CL_RECORD, "an array of arrays",                                       \
      "put an object between the two arrays")                                                                          \
    X(JSON_ARRAY_NULLS, "json-array-with-null", CL_VALUE, "an array of nullable items (with a null in it)",            \
      "leave out what is null")                                                                                        \
    X(JSON_TUPLE, "json-tuple", CL_RECORD, "an array with one schema an element (a list in `items`)",                  \
      "make the elements properties of an object")                                                                     \
    X(JSON_ABSENT, "json-absent-property", CL_VALUE, "a property that may be absent",                                  \
      "put it into `required`, and let it be null by `oneOf`")                                                         \
                                                                                                                       \
    X(PROTO_LEAF, "proto-leaf", CL_WAY, "a string or bytes field", NULL)                                               \
    X(PROTO_OPTIONAL, "proto-optional", CL_WAY, "an optional string or bytes field that is set",                       \
      "leave `optional` out")                                                                                          \
    X(PROTO_ONEOF, "proto-oneof", CL_WAY, "a string or bytes in a oneof", "take it out of the oneof")                  \
    X(PROTO_REPEATED, "proto-repeated", CL_WAY, "a repeated string or bytes", "put it into a repeated message")        \
    X(PROTO_MAP, "proto-map", CL_WAY, "the values of a map", "make it a repeated message of key and value")            \
    X(PROTO_MESSAGE, "proto-nested-message", CL_WAY, "a message below the root",                                       \
      "put the field into the root message")                                                                           \
    X(PROTO_MESSAGE_ONEOF, "proto-message-in-oneof", CL_WAY, "a message in a oneof", NULL)                             \
    X(PROTO_MAP_MESSAGE, "proto-map-of-messages", CL_WAY, "a map of messages", NULL)                                   \
    X(PROTO_RECURSIVE, "proto-recursive-below", CL_WAY, "a recursive message below its first level",                   \
      "write the levels out as messages of their own")                                                                 \
    X(PROTO_IMPORTED, "proto-imported", CL_WAY, "a message of an import", NULL)                                        \
    X(PROTO_ROOT_NESTED, "proto-root-nested", CL_WAY, "a root message inside another message",                         \
      "move the message to the top of its file")                                                                       \
    X(PROTO_REPEATED_MESSAGE, "proto-repeated-message", CL_RECORD, "a repeated message", NULL)                         \
    X(PROTO_MAP_UNSET, "proto-map-unset", CL_VALUE, "a map that may be empty",                                         \
      "make it a repeated message of key and value")                                                                   \
    X(PROTO_MESSAGE_UNSET, "proto-message-unset", CL_VALUE, "a message or group that may be unset", NULL)              \
    X(PROTO_RECURSIVE_TYPE, "proto-recursive-message", CL_RECORD, "a recursive message",                               \
      "write the levels out as messages of their own")                                                                 \
    X(PROTO_IMPORT_SUBJECT, "proto-import-subject", CL_RECORD, "an import whose subject has another name",             \
      "register it under the name of the import")

#define CL_ENUM(id, key, scope, words, instead) CL_##id,
typedef enum { CL_CONSTRUCTS(CL_ENUM) CL_NCONSTRUCTS } cl_construct;
#undef CL_ENUM

typedef struct cl_construct_row {
    const char *key;
    cl_scope scope;
    const char *words;
    const char *instead; /* NULL: nothing to say */
} cl_construct_row;
extern const cl_construct_row cl_construct_rows[CL_NCONSTRUCTS];
int cl_find_construct(const char *key); /* -1 */

/* A set of constructs. */
typedef struct cl_set {
    uint64_t w[2];
} cl_set;
_Static_assert(CL_NCONSTRUCTS <= 128, "a cl_set has 128 bits");

static inline void cl_add(cl_set *s, cl_construct c)
{
    s->w[c / 64] |= UINT64_C(1) << (c % 64);
}
static inline void cl_remove(cl_set *s, cl_construct c)
{
    s->w[c / 64] &= ~(UINT64_C(1) << (c % 64));
}
static inline bool cl_has(const cl_set *s, cl_construct c)
{
    return s->w[c / 64] >> (c % 64) & 1;
}
static inline void cl_join(cl_set *s, const cl_set *more)
{
    s->w[0] |= more->w[0];
    s->w[1] |= more->w[1];
}
static inline bool cl_empty(const cl_set *s)
{
    return !s->w[0] && !s->w[1];
}
/* Takes out the constructs whose scope is not from `from` to `to`. */
void cl_keep(cl_set *s, cl_scope from, cl_scope to);

/* ---- finding them ---- */

/* A schema, prepared: which use of a record type is its first. Lives in the arena. */
typedef struct cl_shape {
    const sch_schema *schema;
    const void **first; /* by type id: the field, array or map through which a record type is first reached */
} cl_shape;
cl_shape *cl_shape_of(fl_arena *a, const sch_schema *s);

/* The constructs of a way to a leaf. A way of no steps is a leaf at the root. */
void cl_way_constructs(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out);

/* The constructs of one slot: `to`, as it is written, standing in a record's field, an array, a map (`in`), or at the
 * root (in NULL). Part of both a way and a record. */
void cl_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out);

/* The constructs of the whole record, whatever is tagged; any value counts. */
void cl_record_constructs(const cl_shape *shape, cl_set *out);

/* A union with null of one other type: that type; any other: itself. */
const sch_type *cl_open(const sch_type *t);

/* Per format, behind the functions above. */
void cl_avro_slot(const sch_type *in, const sch_type *to, cl_set *out);
void cl_avro_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out);
void cl_json_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out);
void cl_json_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out);
void cl_proto_slot(const sch_schema *s, const sch_type *in, const sch_field *field, const sch_type *to, cl_set *out);
void cl_proto_way(const cl_shape *shape, const sch_step *steps, size_t n, const sch_type *leaf, cl_set *out);

#endif
