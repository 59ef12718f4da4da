/* routes.h: the topics that a source really writes to, as far as its configuration and transformations tell. */
#ifndef FLEC_COMPILER_ROUTES_H
#define FLEC_COMPILER_ROUTES_H

#include "compiler/check/uses.h"

typedef struct chk_route {
    const char *topic;
    const char *side;    /* "heartbeats", "transactions", "notifications": a side topic; NULL: its records */
    const char *because; /* the property that names it */
    fl_span at;          /* where that is written */
} chk_route;

typedef struct chk_routes {
    FL_VEC(chk_route) list; /* each topic once, main ones first */
    /* Not NULL: the main topics cannot be told, in words that go on "… since". Side topics are listed all the same. */
    const char *unknown;
} chk_routes;

/* Of a source whose catalogue entry is known. Memory: e->arena. */
void chk_source_routes(const est_estate *e, const est_connector *c, chk_routes *out);

/* Does the whole name match a Java regular expression? Bounded in work. *sure is false if that cannot be told (a bad
 * expression, too much work): then the answer is false. */
bool chk_regex_whole(const char *regex, const char *name, bool *sure);
/* The name with the first match (all: the whole must match first, as Kafka's RegexRouter asks) replaced as
 * java.util.regex does it: $1, ${name}, \$. NULL if it does not match, or cannot be told (*sure false). */
const char *chk_regex_replace(const est_estate *e, const char *regex, const char *replacement, const char *name,
                              bool *sure);

#endif
