/* model.h: internal to guard/: types, objects, the table of kinds with their properties, and conditions as the
 * evaluator reads them.
 *
 * The table (kinds.c, lists.c) drives everything: what a name means, its type, the words it takes, how it is read of an
 * object, what did-you-mean offers, and the reference. */
#ifndef FLEC_COMPILER_GUARD_MODEL_H
#define FLEC_COMPILER_GUARD_MODEL_H

#include "compiler/catalog/catalog.h"
#include "compiler/guard/guard.h"

typedef enum {
    GUARD_BOOL,
    GUARD_TEXT,
    GUARD_NUMBER,
    GUARD_DURATION,
    GUARD_DATE,
    GUARD_VERSION,
    GUARD_SET,
    GUARD_SECRET,
    GUARD_ABSENT, /* the literal */
    GUARD_WORD    /* a literal whose type the other side decides */
} guard_type;

typedef enum {
    GUARD_TOPIC,
    GUARD_SIDE,
    GUARD_FIELD,
    GUARD_ENCRYPTION,
    GUARD_KEK,
    GUARD_CONNECTOR,
    GUARD_PRINCIPAL,
    GUARD_KINDS
} guard_kind;

/* Who reads and writes: a declared principal, or one that a topic or connector names. */
typedef struct guard_principal {
    const char *full, *type, *name; /* User:sa-crm, User, sa-crm */
    fl_span at;
    FL_VEC(const est_topic *) reads, writes; /* in order of name, each once */
    FL_VEC(const est_kek *) keks;
} guard_principal;

typedef struct guard_topics {
    FL_VEC(const est_topic *) list;
} guard_topics;
typedef struct guard_connectors {
    FL_VEC(const est_connector *) list;
} guard_connectors;

/* What the estate does not say itself, made when it is first asked for. */
typedef struct guard_world {
    const est_estate *e;
    fl_arena *a;
    FL_VEC(guard_principal *) principals; /* in order of name */
    fl_map *by_principal;                 /* NULL: not made yet */
    guard_topics *of_kek;                 /* by place in est_estate.keks; NULL: not made yet */
    guard_connectors *of_topic;           /* by place in est_estate.topics; NULL: not made yet */
} guard_world;

void guard_make_principals(guard_world *w);
void guard_make_topics_of_keks(guard_world *w);
void guard_make_connectors_of_topics(guard_world *w);
size_t guard_kek_place(const guard_world *w, const est_kek *k);
size_t guard_topic_place(const guard_world *w, const est_topic *t);

typedef struct guard_object {
    guard_kind kind;
    const void *is;       /* est_topic, est_side, est_leaf, est_encrypt, est_kek, est_connector, guard_principal */
    const est_side *side; /* of a field and an encryption */
} guard_object;

typedef enum {
    GUARD_STATED,
    GUARD_NONE,  /* absent */
    GUARD_HIDDEN /* there, and not known before it is deployed: ${env:…} */
} guard_state;

typedef struct guard_value {
    guard_state state;
    bool yes;
    const char *text;
    long double
        number; /* also seconds of a duration (INFINITY: never) and days of a date; holds every 64-bit integer */
    fl_version version;
    const char *const *names; /* of a set: one of the two */
    const est_text *texts;
    size_t n;
    fl_span at;      /* where it is written; src NULL: nowhere */
    bool by_default; /* nobody wrote it: the form's default */
} guard_value;

typedef struct guard_property {
    const char *name;
    guard_type type;
    guard_value (*get)(const guard_world *w, const guard_object *o);
    /* The only texts it can have, *n of them; NULL: any text */
    const char *const *(*words)(const guard_world *w, size_t *n);
} guard_property;

typedef struct guard_list { /* what quantifiers go through */
    const char *name;
    guard_kind item;
    size_t (*count)(const guard_world *w, const guard_object *o);
    guard_object (*at)(const guard_world *w, const guard_object *o, size_t i);
    void (*make)(guard_world *w); /* what it needs of the world, or NULL */
} guard_list;

typedef struct guard_kind_row {
    const char *name, *one, *plural;  /* topic, a topic, topics */
    const guard_property *properties; /* without the common ones */
    size_t nproperties;
    const guard_list *lists;
    size_t nlists;
    void (*make)(guard_world *w);
} guard_kind_row;

extern const guard_kind_row guard_kinds[GUARD_KINDS];
extern const guard_property guard_common[]; /* of all kinds */
extern const size_t guard_ncommon;
/* The lists of each kind (lists.c). */
extern const guard_list guard_in_a_topic[6];
extern const guard_list guard_in_a_side[2];
extern const guard_list guard_in_a_kek[1];
extern const guard_list guard_in_a_connector[1];
extern const guard_list guard_in_a_principal[3];
const guard_property *guard_find_property(guard_kind k, const char *name);
const guard_list *guard_find_list(guard_kind k, const char *name);
bool guard_find_kind(const char *name, size_t n, guard_kind *out);
/* The object of that kind which holds o, o itself included: the side of a field. false: none. */
bool guard_holds(guard_kind inner, guard_kind outer);
guard_object guard_holder(const guard_object *o, guard_kind outer);
void guard_title(const guard_object *o, fl_buf *out); /* topic crm.customers, value, encryption encrypt-PII */
fl_span guard_place(const guard_object *o);

/* ---- conditions ---- */

typedef struct guard_pattern guard_pattern;
/* A POSIX extended expression; NULL and a message if it is none, or is too large. Freed by guard_pattern_free. */
guard_pattern *guard_pattern_new(const char *text, char message[160]);
void guard_pattern_free(guard_pattern *p);
int guard_pattern_matches(const guard_pattern *p, const char *text); /* 1, 0, or -1: took too long */

typedef struct guard_config { /* config["NAME"] */
    const char *name;
    guard_type type;
    bool is_class; /* short names of the catalogue stand for classes */
} guard_config;

typedef struct guard_node guard_node;
struct guard_node {
    lang_ekind kind;
    const lang_expr *expr;
    guard_node *left, *right;
    lang_relop op;
    guard_type type;
    unsigned depth;                 /* number of the object whose property or list it is: 0 the outermost */
    guard_kind as;                  /* or that of its holder of this kind */
    const guard_list *list;         /* quantifiers */
    const guard_property *property; /* or */
    const guard_config *config;     /* or a constant: */
    guard_value constant;
    guard_pattern *pattern;
};

typedef struct guard_clause {
    const lang_stmt *stmt;
    guard_node *condition;
} guard_clause;

#define GUARD_MAX_DEPTH 65 /* objects inside each other: lang/ nests 64 deep */

typedef struct guard_rule {
    const est_guardrail *g;
    guard_kind kind;
    FL_VEC(guard_clause) wheres, requires;
    const char *help; /* or NULL */
    FL_VEC(guard_pattern *) patterns;
} guard_rule;

/* ---- typing.c ---- */

/* Reads the clauses of a guardrail. false: something is wrong with it (reported, or said elsewhere already). */
bool guard_compile(guard_world *w, guard_rule *r, fl_diags *diags);

/* ---- literal.c ---- */

/* Reads s as a literal of that type. false: it is none. */
bool guard_read_as(const char *s, guard_type type, guard_value *v);
const char *guard_example(guard_type t); /* how one is written, for messages */

/* ---- eval.c ---- */

typedef enum { GUARD_NO, GUARD_YES, GUARD_MAYBE } guard_truth;

#define GUARD_MAX_STEPS 20000000 /* items that the quantifiers of one guardrail look at: about a second */

typedef struct guard_scope {
    const guard_world *w;
    guard_object object[GUARD_MAX_DEPTH];
    unsigned n;
    size_t steps;
} guard_scope;

guard_truth guard_eval(guard_scope *s, const guard_node *n);
guard_value guard_value_of(const guard_scope *s, const guard_node *n);
guard_object guard_object_of(const guard_scope *s, const guard_node *n);
guard_value guard_config_value(const guard_world *w, const est_connector *c, const guard_config *g);

/* ---- report.c ---- */

const char *guard_type_name(guard_type t);
/* A clause is not true of the object in s. */
void guard_report(const guard_rule *r, const guard_clause *c, guard_scope *s, guard_truth t, fl_diags *diags);

#endif
