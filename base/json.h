/* json.h: JSON texts with the place of every part, and a writer.
 *
 * Reading: into nodes that know their byte range, since schemas are edited in their original bytes. Duplicate names are
 * refused. What is plain (ASCII, short numbers, small objects) is decided here; of everything else jansson decides
 * whether it is JSON, and what is wrong with it. Depth and size are bounded before either. Writing: members in
 * the order they are written; UTF-8 (bytes that are none become U+FFFD); escapes only what RFC 8259 demands. */
#ifndef FLEC_BASE_JSON_H
#define FLEC_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

typedef enum { FL_JNULL, FL_JFALSE, FL_JTRUE, FL_JNUMBER, FL_JSTRING, FL_JARRAY, FL_JOBJECT } fl_jkind;

typedef struct fl_json {
    fl_jkind kind : 4;
    uint32_t count : 28;       /* of children: a text of 64 MiB has fewer */
    uint32_t from, to;         /* byte range in the text, quotes and brackets included */
    uint32_t key_from, key_to; /* that of the name, if this is a member */
    uint32_t len;              /* bytes of str (a STRING may hold NUL if allowed) */
    const char *str;           /* STRING: decoded, NUL-terminated. NUMBER: as written, NUL-terminated */
    const char *key;           /* name, if this is a member */
    struct fl_json *child;     /* first element or member */
    struct fl_json *next;      /* next element or member of the parent */
} fl_json;

typedef struct fl_json_error {
    uint32_t offset; /* bytes into the text */
    char message[160];
} fl_json_error;

enum { FL_JSON_ALLOW_NUL = 1 /* \u0000 in strings */ };
#define FL_JSON_MAX_DEPTH 256
#define FL_JSON_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* NULL and *err on bad text. Nothing points into the text. */
fl_json *fl_json_parse(fl_arena *a, const char *text, size_t len, int flags, fl_json_error *err);

const fl_json *fl_json_get(const fl_json *object, const char *key); /* NULL if absent or not an object */
/* The string of a member, NULL if absent or no string. */
const char *fl_json_str(const fl_json *object, const char *key);
bool fl_json_bool(const fl_json *object, const char *key, bool otherwise);
/* true if the member is an integer that fits. */
bool fl_json_int(const fl_json *object, const char *key, int64_t *out);
bool fl_json_to_int(const fl_json *number, int64_t *out);

/* Writer. Commas, colons, indentation are its own. Pretty: two spaces a level, as `jq`; compact otherwise. */
typedef struct fl_jw {
    fl_buf *out;
    bool pretty;
    int depth;
    bool first, after_key;
    bool guarded; /* set it after fl_jw_init: for people to look at, so what a terminal would act on is escaped as well
                   */
} fl_jw;

void fl_jw_init(fl_jw *w, fl_buf *out, bool pretty);
void fl_jw_object(fl_jw *w);
void fl_jw_end_object(fl_jw *w);
void fl_jw_array(fl_jw *w);
void fl_jw_end_array(fl_jw *w);
void fl_jw_key(fl_jw *w, const char *key);
void fl_jw_string(fl_jw *w, const char *s);
void fl_jw_string_n(fl_jw *w, const char *s, size_t n);
void fl_jw_int(fl_jw *w, int64_t v);
void fl_jw_bool(fl_jw *w, bool v);
void fl_jw_null(fl_jw *w);
void fl_jw_raw(fl_jw *w, const char *json, size_t n); /* one JSON value, as it is */
void fl_jw_node(fl_jw *w, const fl_json *node);       /* reprints a node in its own member order */

/* key and value at once */
void fl_jw_kstring(fl_jw *w, const char *key, const char *s);
void fl_jw_kint(fl_jw *w, const char *key, int64_t v);
void fl_jw_kbool(fl_jw *w, const char *key, bool v);

#endif
