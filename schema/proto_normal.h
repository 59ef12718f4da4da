/* proto_normal.h: the one text of .proto files that mean the same. Between proto_normal.c and proto_normal_options.c.
 */
#ifndef FLEC_SCHEMA_PROTO_NORMAL_H
#define FLEC_SCHEMA_PROTO_NORMAL_H

#include "schema/proto_text.h"

typedef struct proto_normal {
    proto_printer p;
    fl_map *extensions; /* "message number" -> proto_extension *: of all files of the set */
    bool bare;          /* without extensions, and without options but those of descriptor.proto and of confluent */
} proto_normal;

typedef struct proto_extension {
    const proto_field *field;
    const char *full; /* its name */
} proto_extension;

void proto_normal_know(proto_normal *n, const proto_model *model);

/* An entry of a field that stands among its options in a text. */
typedef struct proto_special_option {
    const char *name, *text; /* text NULL: there is none */
} proto_special_option;

/* The options of a declaration, at its number `at`, sorted by name. In brackets behind it (with those of `more`, which
 * has two), or as statements at this depth; blank: an empty line before the first. How many there are. */
size_t proto_normal_brackets(proto_normal *n, const proto_options *kind, proto_wire of, uint32_t at,
                             const proto_special_option *more, unsigned depth);
size_t proto_normal_statements(proto_normal *n, const proto_options *kind, proto_wire of, uint32_t at, bool blank,
                               unsigned depth);
/* As in the vendor's texts: \n, \', \". */
void proto_normal_quoted(fl_buf *out, const uint8_t *s, size_t len, bool bytes);

#endif
