/* import_parts.h: what is known while an export is read, and how its members are judged: between import.c and
 * import_parts.c. */
#ifndef FLEC_RUNTIME_IMPORT_PARTS_H
#define FLEC_RUNTIME_IMPORT_PARTS_H

#include "runtime/store.h"

typedef struct dead { /* versions that are there and deleted: marked when all are there */
    const char *subject;
    int version;
} dead;

typedef struct line_of { /* where a schema stands, which is parsed when all are there */
    const rt_content *content;
    size_t line;
} line_of;

typedef struct importer {
    rt_store *to;
    fl_arena *a, *line_a; /* of the import; of the line */
    const char *name;     /* of the file */
    size_t line;
    const fl_json *at;
    int stage; /* of the line before: kinds come in order */
    FL_VEC(dead) deleted;
    FL_VEC(line_of) schemas;
    rt_error *err;
} importer;

/* Always RT_BAD_INPUT, with the file and the line. */
rt_code rt_import_wrong(importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What a function of the store said, with its place. */
rt_code rt_import_placed(importer *im, rt_code code);
/* Nothing that is not known is dropped without a word. known: ends with NULL. */
rt_code rt_import_only(importer *im, const fl_json *object, const char *const *known);
rt_code rt_import_text(importer *im, const fl_json *object, const char *member, const char **out);
rt_code rt_import_number(importer *im, const fl_json *object, const char *member, int64_t least, int64_t most,
                         int64_t *out);
rt_code rt_import_flag(importer *im, const fl_json *object, const char *member, bool *out);
const char *rt_import_node(importer *im, const fl_json *v);
rt_code rt_import_commit(importer *im, fl_buf *record); /* frees it */

/* Lines of these kinds. */
rt_code rt_import_kek(importer *im);
rt_code rt_import_dek(importer *im);

#endif
