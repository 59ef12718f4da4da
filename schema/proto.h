/* proto.h: what is read of Protobuf descriptors, and the pieces of schema/proto_*.c. Also what the Protobuf half of
 * schema/compat and the engine read; other folders go through schema.h.
 *
 * A .proto text goes through protoc once (proto_run.c); the FileDescriptorSet that comes back is read by an own reader
 * (proto_wire.c, proto_read.c), which trusts nothing: descriptors also come from registries. What it read (proto_model)
 * becomes the tree of schema.h (proto_tree.c). */
#ifndef FLEC_SCHEMA_PROTO_H
#define FLEC_SCHEMA_PROTO_H

#include "schema/schema.h"

/* ---- the wire format (proto_wire.c) ---- */

typedef struct proto_wire {
    const uint8_t *p, *end;
} proto_wire;

typedef enum { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_BYTES = 2, PROTO_GROUP = 3, PROTO_FIXED32 = 5 } proto_kind;

typedef struct proto_item {
    uint32_t number;
    proto_kind kind;
    uint64_t value;   /* VARINT, FIXED64, FIXED32 */
    const uint8_t *p; /* BYTES: the bytes. GROUP: what is inside, already found to be whole */
    size_t n;
} proto_item;

/* The next field: 1; 0 at the end; -1 if the bytes are no message. */
int proto_next(proto_wire *w, proto_item *out);
bool proto_varint(proto_wire *w, uint64_t *out); /* false: cut off, or longer than 64 bits */
static inline proto_wire proto_inside(const proto_item *i)
{
    return (proto_wire){i->p, i->n ? i->p + i->n : i->p}; /* nothing added to a null pointer is still undefined */
}

/* ---- the model (proto_read.c) ---- */

typedef struct proto_span { /* as protoc counts: from 0, a tab to the next multiple of 8 columns; line -1: not known */
    int32_t line, column, end_line, end_column;
} proto_span;

typedef enum {
    PROTO_DOUBLE = 1,
    PROTO_FLOAT,
    PROTO_INT64,
    PROTO_UINT64,
    PROTO_INT32,
    PROTO_FIX64,
    PROTO_FIX32,
    PROTO_BOOL,
    PROTO_STRING,
    PROTO_GROUP_TYPE,
    PROTO_MESSAGE,
    PROTO_BYTES_TYPE,
    PROTO_UINT32,
    PROTO_ENUM,
    PROTO_SFIXED32,
    PROTO_SFIXED64,
    PROTO_SINT32,
    PROTO_SINT64
} proto_type; /* FieldDescriptorProto.Type */

enum { PROTO_OPTIONAL = 1, PROTO_REQUIRED, PROTO_REPEATED }; /* FieldDescriptorProto.Label */

typedef struct proto_tags { /* Meta.tags of an options' field 1088, all occurrences merged; sorted, unique */
    const char **v;
    size_t n;
    proto_span span; /* of that option, where it is told */
} proto_tags;

struct proto_message;
struct proto_enum;

typedef struct proto_field {
    const char *name;
    int32_t number;
    int label; /* PROTO_OPTIONAL, … */
    proto_type type;
    const char *type_name;               /* full, without the leading dot; NULL for scalars */
    const struct proto_message *message; /* MESSAGE, GROUP: found by name */
    const struct proto_enum *enumeration;
    const char *fallback;   /* proto2's default, as text; NULL: none */
    const char *extendee;   /* an extension: the message that is extended; else NULL */
    int32_t oneof;          /* index, -1: none. The oneof that proto3's `optional` hides behind counts as none */
    bool explicit_optional; /* proto3 `optional` */
    proto_tags tags;
    proto_span span;
} proto_field;

typedef struct proto_enum {
    const char *name, *full;
    const char **symbols;
    int32_t *numbers;
    size_t n;
    proto_tags tags; /* of the enum and of its values */
    proto_span span;
    const struct proto_file *file;
} proto_enum;

typedef struct proto_message {
    const char *name, *full;
    proto_field *fields; /* as written; extensions are not among them */
    size_t nfields;
    const char **oneofs;
    size_t noneofs;
    struct proto_message *messages; /* nested */
    size_t nmessages;
    proto_enum *enums;
    size_t nenums;
    proto_field *extensions; /* declared inside it, of whatever message */
    size_t nextensions;
    bool map_entry;
    proto_tags tags;
    proto_span span;
    const struct proto_message *outer; /* NULL: top level */
    const struct proto_file *file;
} proto_message;

typedef struct proto_file {
    const char *name, *package; /* "" for none */
    bool proto3;
    const char **imports;
    size_t nimports;
    proto_message *messages;
    size_t nmessages;
    proto_enum *enums;
    size_t nenums;
    proto_field *extensions;
    size_t nextensions;
    proto_tags tags;
} proto_file;

typedef struct proto_model {
    proto_file *files; /* each behind what it imports, as protoc writes them */
    size_t nfiles;
} proto_model;

#define PROTO_MAX_SET   ((size_t)512 << 20) /* bytes of a descriptor set */
#define PROTO_MAX_NEST  64                  /* messages inside messages */
#define PROTO_MAX_ITEMS 8000000u            /* files, messages, fields, enums and values of one set */

/* Reads a FileDescriptorSet. Names are checked (letters, digits, underscores), types are resolved by full name, twice
 * defined names are refused. false and a message if the bytes are no such set. */
bool sch_proto_read(fl_arena *a, const void *p, size_t n, proto_model *out, char message[256]);

/* ---- what a sch_schema points to ---- */

struct sch_proto {
    const proto_file *file;        /* of the text */
    const proto_message *root;     /* the message of the side */
    const proto_file *const *refs; /* by reference of the schema; NULL: nothing imports that one */
    size_t nrefs;
};

/* ---- running protoc (proto_run.c) ---- */

typedef struct proto_source { /* one file of a call */
    const char *name;         /* import name, checked by sch_proto_import_ok */
    const char *text;
    size_t len;
} proto_source;

typedef enum {
    PROTO_RUN_OK,
    PROTO_RUN_REFUSED /* protoc's errors are in *errors */,
    PROTO_RUN_FAILED
} proto_run_status;

/* The program, in an absolute folder of PATH; NULL and a message if it is not there. */
const char *sch_proto_program(fl_arena *a, char message[256]);
/* Runs it once over `roots` (and what they import of `files`; roots are among them). OK: *set is a FileDescriptorSet
 * with source info. FAILED: it could not be run, said in message. */
proto_run_status sch_proto_run(fl_arena *a, const char *program, const proto_source *files, size_t n,
                               const char *const *roots, size_t nroots, const char **set, size_t *len,
                               const char **errors, char message[256]);
/* A name that may be imported: relative, without `.`, `..`, empty or hidden parts, quotes, backslashes or control
 * characters, short enough for a file system. */
bool sch_proto_import_ok(const char *name);

/* ---- sets (proto_set.c) and trees (proto_tree.c) ---- */

typedef struct proto_unit { /* one distinct schema: its text with its references */
    char key[65];
    const sch_proto_file *given;
    const proto_file *file;        /* NULL: refused, for this reason */
    const proto_file *const *refs; /* by reference; NULL: it is not imported */
    sch_error error;
} proto_unit;

const proto_unit *sch_proto_unit(const sch_proto_set *set, const char *text, size_t len, const sch_ref *refs,
                                 size_t nrefs);
sch_schema *sch_proto_tree(fl_arena *a, const proto_unit *u, const char *name, const char *text, size_t len,
                           const char *message, const sch_ref *refs, size_t nrefs, sch_error *err);

/* sch_write_tags for Protobuf (proto_tags.c). */
void sch_proto_write_tags(const sch_schema *s, const sch_edit *edits, size_t n, fl_buf *out);

/* ---- texts out of descriptors (proto_text.c, proto_options.c) ---- */

/* The text of a .proto file that says what a FileDescriptorProto says; its name and comments are not in it. false and
 * a message: it is none, or says what is not known here (options of others, groups). What it prints is to be judged by
 * protoc: a hostile descriptor can hold nonsense. */
bool sch_proto_print(fl_arena *a, const void *bytes, size_t n, fl_buf *out, char message[256]);
/* The normal text of the file `root` out of a FileDescriptorSet with all that it imports: two texts that mean the same
 * have one. bare: without extensions, and without options but those of descriptor.proto and of confluent. false and a
 * message: it says what is not known here (groups, options of ranges, editions). */
bool sch_proto_normal(fl_arena *a, const void *set, size_t len, const char *root, bool bare, fl_buf *out,
                      char message[256]);
/* The descriptor without these tags in the metadata of that field (full name, `package.Message.field`). false: it is
 * none, or the field is not of its package. */
bool sch_proto_untag(fl_arena *a, const void *bytes, size_t n, const char *field, const char *const *tags, size_t ntags,
                     fl_buf *out);
/* Do two FileDescriptorProtos say the same, but for the name of the file, comments and what needs not be said? */
bool sch_proto_same(fl_arena *a, const void *x, size_t nx, const void *y, size_t ny);

/* ---- texts of .proto files (proto_scan.c, proto_vendor.c) ---- */

typedef enum { PROTO_END, PROTO_WORD, PROTO_NUMBER, PROTO_TEXT, PROTO_SIGN } proto_token_kind;
typedef struct proto_token {
    proto_token_kind kind;
    uint32_t from, to;
} proto_token;

typedef struct proto_scan {
    const char *text;
    uint32_t at, len;
} proto_scan;

/* The next token; what is no token of the language is skipped, since protoc has the last word. */
proto_token sch_proto_token(proto_scan *s);
bool sch_proto_is(const proto_scan *s, proto_token t, const char *word);
/* Calls fn with each name that the text puts into the scope of files: package.Message, package.ENUM_VALUE, … A guess
 * that keeps files apart before protoc sees them; a wrong one costs another run. */
void sch_proto_symbols(const char *text, size_t len, void (*fn)(const char *symbol, void *ctx), void *ctx);

/* Files that need no reference: confluent/meta.proto and what the vendor's registry knows besides. i counts from 0;
 * false behind the last. google/protobuf/… are protoc's own. */
bool sch_proto_vendor(size_t i, proto_source *out);
bool sch_proto_is_vendor(const char *name); /* one of those, or one of google/protobuf/ */

#define PROTO_META_IMPORT "confluent/meta.proto"

/* ---- places (proto_place.c) ---- */

/* Line and column as protoc counts them, as an offset into the text; bounded by its length. */
typedef struct proto_lines {
    const char *text;
    uint32_t len;
    uint32_t *starts; /* of each line */
    size_t n;
} proto_lines;
void sch_proto_lines(fl_arena *a, const char *text, size_t len, proto_lines *out);
uint32_t sch_proto_offset(const proto_lines *l, int32_t line, int32_t column);

#endif
