/* emit.h: internal to emit/: one build in the making, and what the backends share. Each backend is one file and one
 * function emit_NAME. */
#ifndef FLEC_COMPILER_EMIT_H
#define FLEC_COMPILER_EMIT_H

#include "compiler/catalog/catalog.h"
#include "compiler/compiler.h"

typedef struct emit {
    const est_estate *e;
    fl_arena *arena; /* the estate's */
    fl_diags *diags;
    fc_build *build;
    const char *only; /* NULL: everything */
    FL_VEC(const char *) order;
} emit;

#define EMIT_MAX (256u << 20) /* bytes of one file */

/* Adds a file; the bytes are copied. */
void emit_file(emit *m, const char *path, const char *bytes, size_t len);
/* A JSON file: start, write, finish. */
typedef struct emit_json {
    fl_buf buf;
    fl_jw w;
} emit_json;
void emit_begin(emit_json *j);
void emit_end(emit *m, emit_json *j, const char *path);

/* Parts, in the order of docs/build-directory.md. */
bool emit_wants(const emit *m, const char *part);

void emit_registry(emit *m);
void emit_connect(emit *m);
void emit_access(emit *m);
void emit_access_kms(emit *m); /* called by emit_access */
void emit_plan(emit *m);
void emit_tests(emit *m);
void emit_manifest(emit *m);

/* ---- shared by registry.c and plan.c ---- */

typedef struct emit_node { /* one subject to register: one of its own, or that of a side */
    const est_subject *subject;
    const est_side *side;
} emit_node;
typedef struct emit_nodes {
    FL_VEC(emit_node) list;
} emit_nodes;
/* Every subject, each behind those that it refers to; else in order of name. */
emit_nodes emit_registration_order(emit *m);

/* The text of a side's schema with its tags written in, where inline tags are wanted. */
const char *emit_schema_text(emit *m, const est_side *s);
void emit_references(fl_jw *w, const est_ref *refs, size_t n);
/* metadata and ruleSet, where there are any: an empty one would be another version of the subject (its identity covers
 * them). */
void emit_side_members(emit *m, fl_jw *w, const est_side *s);
void emit_subject_members(emit *m, fl_jw *w, const est_subject *s);
/* ruleset.c: the object itself; and a list of the rules that are passed through, for the plan. */
void emit_ruleset(emit *m, fl_jw *w, const est_side *s);
void emit_passed_rules(fl_jw *w, const est_side *s);
/* name … shared, as members of an open object. */
void emit_kek_members(emit *m, fl_jw *w, const est_kek *k);
/* An object of properties, sorted by name. */
void emit_properties(emit *m, fl_jw *w, const est_prop *v, size_t n);

/* ---- shared by connect.c and properties.c ---- */

typedef struct emit_line {
    const char *name, *value;
} emit_line;
/* The lines as java.util.Properties reads them. */
void emit_java_properties(const emit_line *lines, size_t n, fl_buf *out);

/* ---- who may do what: access.c, plan.c ---- */

typedef struct emit_grantee { /* a principal and its topics, in order of name, each once */
    const char *name;
    FL_VEC(const est_topic *) reads, writes;
} emit_grantee;
typedef struct emit_grantees {
    FL_VEC(emit_grantee) list;
} emit_grantees;
emit_grantees emit_all_grantees(emit *m);

/* Names of files without the folder they share, so that a build does not depend on where it is made. */
const char *emit_policy_name(const est_estate *e, const char *file);

/* How write.c exchanges two folders; a test puts one here that cannot. */
extern int (*emit_exchange)(const char *a, const char *b);

/* Names, sorted by bytes. */
void emit_sort(const char **v, size_t n);
const char *emit_format(est_format f);

#endif
