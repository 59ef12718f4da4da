/* may.h: what a call needs, beside the table of routes: on what, and which right (roles.h). */
#ifndef FLEC_RUNTIME_REST_MAY_H
#define FLEC_RUNTIME_REST_MAY_H

#include "runtime/rest/call.h"

typedef enum {
    REST_ADMINS = 0, /* a route that says nothing is for admins alone */
    REST_ANYBODY,    /* who is let in at all: it shows nothing of anyone's */
    REST_GRANTED,    /* who has any grant: the handler shows no more than may be read */
    REST_SUBJECT,    /* the subject in the path, behind its alias */
    REST_SCOPE,      /* the subject in the path, as it stands there; of a context or of everything: seeing is for
                        REST_GRANTED, changing for REST_ADMINS */
    REST_KEK,        /* the KEK in the path */
    REST_NEW_KEK     /* the KEK that the body names */
} rest_need;

/* RT_OK, or RT_REFUSED with 40301. */
rt_code rest_allow(rest_call *c, rest_need need, unsigned right);

#endif
