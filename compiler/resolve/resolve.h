/* resolve.h: internal to resolve/: from files to an estate.
 *
 * In this order: files.c reads, vars.c knows every `let`, names.c declares the things of each kind in order of name,
 * then each kind's file fills them in. A thing that cannot be named (its name holds an unknown variable) or whose name
 * is taken is left out: its one message is enough. */
#ifndef FLEC_COMPILER_RESOLVE_H
#define FLEC_COMPILER_RESOLVE_H

#include "compiler/compiler.h"

#define RES_MAX_TEXT (64u << 10) /* bytes of a text with its variables expanded, as of a string that is written */

typedef struct est_variable {
    const char *name;
    fl_span at;
    const lang_value *value;
    const char *text; /* NULL: a list, or wrong (reported) */
    bool used, active, done;
} est_variable;

/* One file of a schema, read once. */
typedef struct res_file {
    const char *path;
    const char *text; /* NULL: could not be read (reported) */
    size_t len;
    const fl_source *source; /* made when a message needs it */
} res_file;

/* A schema to be registered: a subject of its own, or that of a side. Exactly one of the two is set. */
typedef struct res_node {
    est_subject *subject;
    est_side *side;
    res_file *file;
    struct res_node **closure; /* all that it refers to, each once, behind what that refers to itself */
    size_t nclosure;
    bool active, done;
    bool broken; /* it, or something it refers to, has no schema (reported) */
} res_node;

/* One text parsed with the same references. */
typedef struct res_parsed {
    const res_node *node; /* the first */
    sch_schema *schema;   /* NULL: refused (reported) */
} res_parsed;

/* A statement that declares something, with its name. */
typedef struct res_decl {
    const lang_stmt *stmt;
    est_text name;
} res_decl;

typedef struct res_decls {
    res_decl *v;
    size_t n, cap;
} res_decls;

typedef struct res {
    est_estate *e;
    fl_arena *a;
    fl_diags *diags;
    FL_VEC(res_file *) schema_files;
    FL_VEC(res_node *) nodes; /* subjects, then sides, in order of name */
    fl_map *by_subject;       /* registry name to node */
    FL_VEC(res_parsed) parsed;
    res_decls kinds[6]; /* by res_kind */
} res;

typedef enum { RES_TAG, RES_PRINCIPAL, RES_KEK, RES_TOPIC, RES_SUBJECT, RES_CONNECTOR } res_kind;

/* ---- files.c ---- */

/* Reads and matches all files. false: one could not be read (status 4), or has errors (reported). */
bool res_files(res *r, const char *const *paths, size_t n, fl_status *status);
/* The path of a file that a policy names; NULL if it is absolute (reported) or unknown. */
const char *res_path(res *r, const lang_value *v);
void res_no_such_file(res *r, fl_span at, const char *path, int error, size_t max);

/* ---- vars.c ---- */

/* Declares and expands every `let`, then looks at each name of the policy: what a variable cannot give is reported
 * here. */
void res_variables(res *r);

/* ---- names.c ---- */

fl_diag *res_error(res *r, const char *check, fl_span at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "there is no KIND `name`", with the nearest of the names. */
void res_unknown(res *r, fl_span at, const char *kind, const char *name, const char *const *names, size_t n);
/* Calls fn for every statement of a form, in order of files and places. */
void res_each(res *r, const char *form, void (*fn)(res *r, const lang_stmt *s));
/* Collects the statements of each kind, in order of name, each name once. */
void res_declare(res *r);
/* Head to the last word of a statement, without its block. */
fl_span res_at(const lang_stmt *s);
est_text res_text_of(res *r, const lang_value *v);
est_text res_slot(res *r, const lang_stmt *s, const char *slot);
/* The slot of the one statement of that form in a block; s is NULL where it is not written. */
est_text res_stated(res *r, const lang_block *b, const char *form, const char *slot);
/* As res_stated, for the reason of a `clear`: where there is one, s is never NULL. */
est_text res_reason(res *r, const lang_stmt *clear);
const lang_block *res_block(const lang_block *b, const char *form); /* of that statement, or NULL */
/* Type and name as User:sa-crm; s is NULL if it cannot be told. An undeclared one is reported. */
est_text res_principal(res *r, const lang_value *v);
int res_int(const lang_stmt *s, const char *slot); /* the leading digits of a number or duration */
int res_by_text(const void *a, const void *b);     /* est_text, for qsort */
typedef struct res_texts {
    est_text *v;
    size_t n, cap;
} res_texts;
/* The items of a list (NULL: none) as `read` gives them, in order of writing. One that cannot be told is left out, one
 * that repeats another is reported. */
res_texts res_list(res *r, const lang_list *list, est_text (*read)(res *r, const lang_value *v));

/* ---- values.c ---- */

est_prop res_prop(res *r, est_text name, const lang_value *v);
typedef struct res_props {
    est_prop *v;
    size_t n, cap;
} res_props;
/* Puts one growable array in the place of another of the same items. */
#define RES_SET(vec, from)                                                                                             \
    do {                                                                                                               \
        __auto_type from_ = (from);                                                                                    \
        (vec).v = from_.v;                                                                                             \
        (vec).n = from_.n;                                                                                             \
        (vec).cap = from_.cap;                                                                                         \
    } while (0)
/* The properties of a block (NULL: none), in order of writing. */
res_props res_properties(res *r, const lang_block *b);
/* As above, for metadata of a subject: `encrypt.*` is refused. */
res_props res_metadata(res *r, const lang_block *b);

/* ---- one file a kind ---- */

void res_platform(res *r);
void res_tags(res *r);       /* keks.c */
void res_principals(res *r); /* keks.c */
void res_keks(res *r);
void res_subjects(res *r);
est_format res_format_of(const char *word); /* `avro` … `double` */
void res_topics(res *r);
/* A side as it is written (stmt NULL: the default of a key). Its schema and what the paths select come later. */
void res_side(res *r, est_side *s, const lang_stmt *stmt);
void res_encrypts(res *r, est_side *s, const lang_block *b);
void res_rules(res *r, est_side *s, const lang_block *b);
void res_connectors(res *r);

/* ---- schemas.c, references.c, fields.c ---- */

/* The file of a schema, read once; NULL if its path cannot be told. What is wrong is reported at v. */
res_file *res_schema_file(res *r, const lang_value *v);
/* Full name of the record at the root of a schema text, NULL if there is none. *json: the text is JSON at all. */
const char *res_record_name(res *r, const res_file *f, bool *json);
void res_add_node(res *r, est_subject *subject, est_side *side, res_file *file);
const char *res_node_name(const res_node *n); /* registry name, NULL if it cannot be told (reported) */
fl_span res_node_at(const res_node *n);
const est_text *res_node_path(const res_node *n);

typedef struct res_refs {
    est_ref *v;
    size_t n, cap;
} res_refs;
/* The references of a block (NULL: none); form: side.reference or subject.reference. */
res_refs res_references_of(res *r, const lang_block *b, const char *form);
/* Gives each reference its target, and each node what it refers to; circles are refused. */
void res_references(res *r);
/* Parses every schema, behind those that it refers to. */
void res_schemas(res *r);
/* Selects what each `field` line names, and makes the leaves of each side. */
void res_fields(res *r);

#endif
