/* explain.h: why a field is or is not encrypted. */
#ifndef FLEC_CLI_EXPLAIN_H
#define FLEC_CLI_EXPLAIN_H

#include "compiler/estate.h"

/* What is known of one leaf (or of a side without fields). */
typedef enum {
    CLI_ENCRYPTED, /* a rule encrypts it */
    CLI_WHOLE,     /* with the whole body */
    CLI_CLEAR,     /* somebody said so: because */
    CLI_UNSAID,    /* nothing says anything: it goes out in clear */
    CLI_FAILING    /* meant to be encrypted and cannot be: `flec check` reports it */
} cli_state;

typedef struct cli_why {
    const est_side *side;
    const est_leaf *leaf; /* NULL: the side itself */
    cli_state state;
    const est_encrypt *rule; /* ENCRYPTED, WHOLE */
    const char *because;     /* a sentence; NULL where the rule says all */
    fl_span at;              /* what says it; no place for UNSAID */
} cli_why;

cli_why cli_why_leaf(const est_estate *e, const est_side *s, const est_leaf *l);
cli_why cli_why_side(const est_estate *e, const est_side *s); /* one without leaves */

typedef struct cli_whys {
    FL_VEC(cli_why) list;
    bool one; /* a path was given: everything is said of each */
} cli_whys;

/* Reports on standard output. */
void cli_explain_text(const est_estate *e, const est_topic *t, const cli_whys *all);
void cli_explain_json(const est_estate *e, const est_topic *t, const cli_whys *all);

/* Where a leaf has a tag from: the schema, or a `field` line; a tag may be there once for each. */
typedef struct cli_tag {
    const char *name;
    const est_field *line; /* NULL: inline in the schema */
} cli_tag;
typedef FL_VEC(cli_tag) cli_tags;
void cli_tags_of(const est_estate *e, const cli_why *w, cli_tags *out);

/* Who writes or reads a topic: principals of the topic, and its connectors with theirs. */
typedef struct cli_user {
    const char *principal;          /* NULL: a connector without one (reported) */
    const est_connector *connector; /* NULL: a principal of the topic */
    const char *role;               /* on the KEKs */
} cli_user;
typedef FL_VEC(cli_user) cli_users;
void cli_users_of(const est_estate *e, const est_topic *t, bool writers, cli_users *out);
const char *cli_state_word(cli_state state);    /* "encrypted", … */
const char *cli_place(fl_arena *a, fl_span at); /* "crm.flec:18:11", or "" */

#endif
