/* resolve.h: internal to resolve/: from files to an estate, for one environment.
 *
 * In this order: files.c reads (once for all environments), vars.c knows every `let`, repeat.c writes repetitions out,
 * names.c declares the things of each kind in order of name, overlay.c puts around each what defaults and the
 * environment say of it, then each kind's file fills them in: what it reads is the block as it counts. A thing that
 * cannot be named (its name holds an unknown variable) or whose name is taken is left out: its one message is enough.
 */
#ifndef FLEC_COMPILER_RESOLVE_H
#define FLEC_COMPILER_RESOLVE_H

#include "compiler/compiler.h"

#define RES_THREADS  8
#define RES_ALONE    (256u << 10) /* bytes of files below which one thread does it all: starting one takes longer */
#define RES_MAX_TEXT (64u << 10)  /* bytes of a text with its variables expanded, as of a string that is written */

typedef struct est_variable {
    const char *name;
    fl_span at;
    const lang_value *value;
    const char *text; /* NULL: a list, or wrong (reported) */
    bool used, active, done;
    bool refused; /* wrong in itself (reported) */
    bool depends; /* on the environment */
    bool secret;  /* stands in a secret, or in what does: no message shows its text */
} est_variable;

/* What sets one instance of a statement apart from its sisters: the row of a `for`, or the thing that a default went
 * to. `what` of an origin (base/source.h). */
typedef struct res_row {
    const char *const *names; /* of the variables; of a default the kind of thing */
    const char **texts;       /* NULL: cannot be told (reported) */
    size_t n;
    const bool *secret; /* by variable: may stand in a secret; NULL: none */
    const char *label;  /* `region = "eu"` */
    bool is_default;
    bool depends; /* the list differs between environments, or its texts do */
} res_row;

/* One text parsed with the same references. */
typedef struct res_parsed {
    sch_schema *schema;     /* NULL: refused, because of */
    const sch_error *error; /* or not even tried (reported): NULL */
    const void *reported;   /* the estate that was told so */
    const sch_hits *leaves; /* of the schema, once a side has it */
} res_parsed;

/* One file of a schema, read once. */
typedef struct res_file {
    const char *path;
    const char *text; /* NULL: could not be read (reported) */
    size_t len;
    const fl_source *source; /* made when a message needs it */
    int error;               /* why it could not be read */
    const void *reported;    /* the estate that was told so */
    res_parsed *alone[2];    /* parsed without references, by format: Avro, JSON; NULL: not yet */
    bool keeps_text;         /* it is read in more ways than one */
} res_file;

/* A schema to be registered: a subject of its own, or that of a side. Exactly one of the two is set. */
typedef struct res_node {
    est_subject *subject;
    est_side *side;
    res_file *file;
    const struct res_node *collected; /* the last whose closure it went to */
    struct res_node **closure;        /* all that it refers to, each once, behind what that refers to itself */
    size_t nclosure;
    bool active, done;
    bool broken; /* it, or something it refers to, has no schema (reported) */
} res_node;

/* A topic of a file that was resolved as far as the file itself says (early.c). */
typedef struct res_early {
    est_topic *topic;
    size_t place; /* of its statement in the file, from 0 */
} res_early;

/* A file, with what is left of it once its topics were resolved early: those statements are no more. */
typedef struct res_source {
    lang_file *file;
    FL_VEC(res_early) topics;
    size_t nstmts; /* that are no more, in blocks too */
    bool passing;  /* the statements that are left lie in res_shared.passing */
} res_source;

/* What all environments share: the files, and the schemas, whose paths cannot depend on an environment. */
typedef struct res_shared {
    fl_arena *a;
    FL_VEC(res_source) sources;           /* in order of path */
    FL_VEC(lang_file *) files;            /* of them */
    fl_arena *passing;                    /* statements of which nothing is kept once they were resolved; or NULL */
    FL_VEC(est_environment) environments; /* in order of name */
    fl_map *schema_files;                 /* path to res_file */
    fl_map *parsed;                       /* text, format, message and references to res_parsed */
    const sch_proto_set *protobuf;        /* of the Protobuf schemas, made with the first; NULL: none was met yet */
    bool no_protoc;                       /* protoc is not there (told with the first) */
    bool lean;                            /* nobody will ask for the texts of schemas */
} res_shared;

/* A statement that declares something, with its name. */
typedef struct res_decl {
    const lang_stmt *stmt; /* NULL: a topic that was resolved early */
    est_topic *early;
    est_text name;
    size_t seq; /* order of files, places and rows */
} res_decl;

typedef struct res_decls {
    res_decl *v;
    size_t n, cap;
} res_decls;

typedef struct res {
    est_estate *e;
    fl_arena *a;
    fl_arena *scratch; /* of declarations and nodes, which are no more once all is resolved */
    fl_diags *diags;
    res_shared *shared;
    const lang_stmt *environment;   /* the chosen one, or NULL */
    FL_VEC(const lang_stmt *) top;  /* statements of the top level in order of files and places, `for` written out */
    size_t *first;                  /* by file: the first of them, and behind the last file how many there are */
    size_t nstmts;                  /* all there are, in blocks too */
    FL_VEC(est_variable *) ordered; /* each behind those that it uses */
    fl_map *written;                /* texts that hold what may be a secret, to how they are written */
    FL_VEC(res_node *) nodes;       /* subjects, then sides, in order of name */
    fl_map *by_subject;             /* registry name to node */
    res_decls kinds[6];             /* by res_kind */
    bool unnamed[6];                /* one of the kind has no name that can be told (reported) */
    struct res_names {
        const char **v;
        size_t n;
    } names[6];                 /* of the declared things, for near misses */
    const char **subject_names; /* of by_subject, made when a message needs them */
    size_t guesses;             /* near misses looked for so far, times names looked at */
    bool early;                 /* one file alone is known: what it names is linked later */
    bool undecided;             /* early: one file alone does not say all of this */
} res;

typedef enum { RES_TAG, RES_PRINCIPAL, RES_KEK, RES_TOPIC, RES_SUBJECT, RES_CONNECTOR } res_kind;

/* ---- files.c ---- */

/* Reads and matches all files. false: one could not be read (status 4), or has errors (reported). */
bool res_files(res_shared *s, fl_diags *diags, const char *const *paths, size_t n, fl_status *status);
/* The path of a file that a policy names; NULL if it is absolute (reported) or unknown. */
const char *res_path(res *r, const lang_value *v);
void res_no_such_file(fl_arena *a, fl_diags *diags, fl_span at, const char *path, int error, size_t max);

/* ---- early.c: topics are resolved with their file, so that no policy lies in memory as a whole ---- */

/* Resolves the topics of a matched file and frees its tree (`tree`), where the file alone says all that they are: the
 * result is the arena of the other statements. Else NULL: the tree is kept in `a`. Touches nothing but these. */
fl_arena *res_early_topics(fl_arena *a, res_source *source, fl_arena *tree);
/* Where defaults or environments have a say in topics: makes the trees anew, as if nothing had been resolved early. */
void res_settle_early(res_shared *s);
/* Links what a topic names: KEKs, principals, its schemas. */
void res_link_topic(res *r, est_topic *t);
/* Frees the statements of which nothing is kept. */
void res_drop_passing(res *r);

/* ---- vars.c ---- */

/* Declares and expands every `let`, with the values that the environment gives. */
void res_variables(res *r);
est_variable *res_variable(const est_estate *e, const char *name); /* NULL: there is none */
/* Texts alone, or rows of one length; else reported. */
bool res_check_list(res *r, const lang_value *v);
bool res_is_variable_name(const char *name);
/* What stands in a secret may hold one, and so may what holds that. */
void res_derive(res *r);
/* Its text may be a secret: no excerpt shows it. */
void res_hide_variable(res *r, const est_variable *v);

/* ---- texts.c ---- */

/* Which variables are used, and which in a secret; before they are expanded. */
void res_mark_uses(res *r);
/* Looks at each name of the policy: what a variable cannot give is reported here. Variables that nothing uses, too. */
void res_check_texts(res *r);
/* Does the name hold a variable that may differ between environments? `row`: of its statement, or NULL. */
const char *res_depends(res *r, const lang_name *n);
/* May the text of this variable stand in a secret of the statement's block? */
bool res_in_secret(const lang_stmt *s, const char *variable);
/* Every name of the files that holds variables, in order of files and places. */
typedef struct res_uses {
    const lang_name **v;
    size_t n, cap;
} res_uses;
res_uses res_uses_of_variables(res *r);
/* The name as a label shows it: expanded, or as it is written if it may hold a secret. */
const char *res_shown(res *r, const lang_name *n);
/* A text that no message shows, but for how it is written. */
void res_conceal(res *r, const char *text, const char *written);

/* ---- copy.c, repeat.c, overlay.c ---- */

typedef struct res_copy {
    fl_arena *a;
    const fl_source *as; /* the copy's spans go there */
    const res_row *row;  /* or NULL */
} res_copy;
lang_stmt *res_copy_stmt(const res_copy *c, const lang_stmt *s);
lang_block *res_copy_block(const res_copy *c, const lang_block *b);

/* Writes out every `for`: fills r->top. */
void res_repeat(res *r);
/* The statement of a declared thing with its defaults, and with what the environment says of it. */
void res_overlay(res *r);
const lang_stmt *res_overlay_platform(res *r, const lang_stmt *s);

/* ---- names.c ---- */

fl_diag *res_error(res *r, const char *check, fl_span at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "there is no KIND `name`", with the nearest of the names. */
void res_unknown(res *r, fl_span at, const char *kind, const char *name, const char *const *names, size_t n);
/* The same under another check. */
void res_unknown_of(res *r, const char *check, fl_span at, const char *kind, const char *name, const char *const *names,
                    size_t n);
/* The kind of thing that a statement of the top level declares; -1: none. */
int res_kind_of(const lang_stmt *s);
/* The names of a kind of declared things, for res_unknown. */
struct res_names res_names(res *r, res_kind kind);
/* The declared thing of that name, NULL if there is none. */
res_decl *res_declared(res *r, res_kind kind, const char *name);
/* Calls fn for every statement of a form, in order of files and places, repetitions written out. */
void res_each(res *r, const char *form, void (*fn)(res *r, const lang_stmt *s));
/* The same before they are: with each statement as it is written. */
void res_each_written(res *r, const char *form, void (*fn)(res *r, const lang_stmt *s));
/* Collects the statements of each kind, in order of name, each name once. */
void res_declare(res *r);
/* Sorts them by name; of two that have one name the first stays. kind: "KEKs", for the message. */
void res_drop_duplicates(res *r, res_decls *all, const char *kind);
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
/* Is it declared, where any is? Else reported. */
void res_link_principal(res *r, const est_text *full);
/* How many statements it is, those in blocks too. */
size_t res_count(const lang_stmt *s);
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

/* ---- judged.c: what is not a thing itself ---- */

/* The environments that the files declare. */
void res_environments(res_shared *s, fl_diags *diags);
/* Tests of this environment, waivers, guardrails. */
void res_judgements(res *r);

/* ---- one file a kind ---- */

void res_platform(res *r);
void res_tags(res *r);       /* keks.c */
void res_principals(res *r); /* keks.c */
void res_keks(res *r);
void res_subjects(res *r);
est_format res_format_of(const char *word); /* `avro` … `double` */
void res_topics(res *r);
/* A topic as it is written. */
est_topic *res_topic(res *r, const lang_stmt *s, est_text name);
/* The schema of a side whose path is known. */
void res_side_schema(res *r, est_side *s);
/* A side as it is written (stmt NULL: the default of a key). Its schema and what the paths select come later. */
void res_side(res *r, est_side *s, const lang_stmt *stmt);
void res_encrypts(res *r, est_side *s, const lang_block *b);
/* The KEK that the line names; else reported. */
void res_link_kek(res *r, est_encrypt *x);
void res_rules(res *r, est_side *s, const lang_block *b);
void res_connectors(res *r);
void res_unknown_type(res *r, est_text type); /* of connector */

/* ---- schemas.c, references.c, fields.c ---- */

/* The file of a schema, read once; NULL if its path cannot be told. What is wrong is reported at v. */
res_file *res_schema_file(res *r, const lang_value *v);
/* Its path alone, NULL as above; and the file of a path. */
const char *res_schema_path(res *r, const lang_value *v);
res_file *res_file_at(res *r, const char *path, fl_span at);
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
/* Reads and parses, all at once, what topics that were resolved early need; the rest comes when it is asked for. */
void res_prepare_schemas(res *r);
/* Parses every schema, behind those that it refers to. */
void res_schemas(res *r);
/* proto.c. What a schema refers to, under the names of their subjects. */
sch_ref *res_refs_of(res *r, const res_node *n);
/* A Protobuf schema; the first asks protoc for all of them. NULL: see *error; its message is empty where the same was
 * told of another schema. */
sch_schema *res_proto_schema(res *r, const res_node *n, const char *message, const sch_ref *refs, sch_error *error);
/* A reference of Protobuf is called as its subject; else reported. */
void res_proto_reference(res *r, const res_node *n, const est_ref *ref);
/* Selects what each `field` line names, and makes the leaves of each side. */
void res_fields(res *r);

/* mend.c: edits. Item i of a list is there already; a variable is of no use. */
void res_mend_item(res *r, fl_diag *d, const lang_list *list, size_t i);
void res_mend_let(res *r, fl_diag *d, const est_variable *v);

#endif
