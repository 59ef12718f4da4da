/* client_use.h: who writes and reads a topic, and with which client. */
#ifndef FLEC_COMPILER_CHECK_CLIENT_USE_H
#define FLEC_COMPILER_CHECK_CLIENT_USE_H

#include "compiler/clients/clients.h"
#include "compiler/estate.h"

typedef struct use_one { /* one who touches a topic */
    const char *who;     /* "User:app", "the connector cdc" */
    fl_span at;          /* where the topic names it; the connector */
    bool connector;      /* a converter of Connect */
    bool stated;         /* the client is known */
    cl_client client;
} use_one;

typedef FL_VEC(use_one) use_list;

/* What is known of an estate's principals and connectors; built once a check. */
typedef struct use_estate use_estate;
use_estate *use_of(const est_estate *e);
void use_free(use_estate *u);

/* Principals in the topic's order, then connectors in order of name. `out` is emptied first; its memory lies in the
 * estate's arena and serves call after call. */
void use_writers(const use_estate *u, const est_topic *t, use_list *out);
void use_readers(const use_estate *u, const est_topic *t, use_list *out);

#endif
