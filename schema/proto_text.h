/* proto_text.h: what writes the text of a .proto file out of a descriptor: reading the descriptor with bounds, writing
 * words and options. Between proto_text.c and proto_text_parts.c. */
#ifndef FLEC_SCHEMA_PROTO_TEXT_H
#define FLEC_SCHEMA_PROTO_TEXT_H

#include "schema/proto.h"
#include "schema/proto_options.h"

typedef struct proto_printer {
    fl_arena *a;
    fl_buf *out;
    unsigned depth;
    size_t work; /* items that were looked at, and bytes of texts */
    bool proto3, failed;
    char *message; /* 256 */
} proto_printer;

/* The first refusal counts. */
void proto_text_refuse(proto_printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Counts work; false, and refused: it is too much. */
bool proto_text_work(proto_printer *p, size_t more);
/* The next item of that number; false at the end. What is no message is refused. */
bool proto_text_next(proto_printer *p, proto_wire *w, uint32_t number, proto_item *out);
/* The last item of that number counts. */
bool proto_text_find(proto_printer *p, proto_wire w, uint32_t number, proto_item *out);
int64_t proto_text_number(proto_printer *p, proto_wire w, uint32_t number, int64_t otherwise);
/* Zero bytes and what is not UTF-8 are refused. */
const char *proto_text_string(proto_printer *p, const proto_item *item);
const char *proto_text_of(proto_printer *p, proto_wire w, uint32_t number); /* NULL: not there */
/* A name, or with dots several: what else it held would be read as something else. */
const char *proto_text_name(proto_printer *p, proto_wire w, uint32_t number, bool dots);

void proto_text_say(proto_printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void proto_text_indent(proto_printer *p, unsigned depth);
void proto_text_quoted(proto_printer *p, const char *s);

/* How an option is introduced: a statement of its own, or one of a list in brackets. */
typedef struct proto_option_list {
    bool brackets;
    unsigned depth;
    size_t n;
} proto_option_list;

void proto_text_option(proto_printer *p, proto_option_list *l); /* begins one */
/* The options of a declaration, at its number `at`. */
void proto_text_options(proto_printer *p, const proto_options *kind, proto_wire of, uint32_t at, proto_option_list *l);

/* ---- declarations, between proto_text.c and proto_normal.c ---- */

typedef struct proto_scope { /* of a message: its full name, "" for the file's package, and its own bytes */
    const char *full;
    proto_wire body;
} proto_scope;

/* The nested message that stands for the entries of a map field; false: the field is none. */
bool proto_text_entry(proto_printer *p, const proto_scope *in, proto_wire field, proto_wire *entry, const uint8_t **at);
bool proto_text_is_entry(proto_printer *p, const proto_item *nested);
const char *proto_text_type(proto_printer *p, proto_wire field);              /* groups are refused */
const char *proto_text_label(proto_printer *p, proto_wire field, bool plain); /* with a space behind it, or "" */
/* The index of its oneof, -1: none. `optional` of proto3 stands behind a oneof of its own that no text has. */
int64_t proto_text_oneof(proto_printer *p, proto_wire field);

#endif
