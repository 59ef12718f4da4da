/* answers.h: answers that are remembered. Applications look up and register the same few schemas again and again, the
 * same bytes each time: parsing, spelling and hashing them is done once. A call that changed nothing is answered with
 * the same bytes until something changes that its answer hangs on. */
#ifndef FLEC_RUNTIME_REST_ANSWERS_H
#define FLEC_RUNTIME_REST_ANSWERS_H

#include "runtime/rest/rest.h"

enum { RT_ANSWERS_MOST = 4 << 20 }; /* bytes of all questions and answers; the oldest make room */

/* For one store and one set of roles: a name stands for what its user may do. */
typedef struct rt_answers rt_answers;

rt_answers *rt_answers_new(void);
void rt_answers_free(rt_answers *k); /* NULL is allowed */

/* False: it is not remembered, or may be another one now. Fills what rt_rest_handle fills. */
bool rt_answers_find(rt_answers *k, const rt_store *st, const rt_rest_request *q, rt_rest_reply *out);
/* A call that changed nothing was answered with 200. subject: in normal form, the one whose versions were looked at;
 * wide: others' were, too. */
void rt_answers_keep(rt_answers *k, const rt_store *st, const rt_rest_request *q, const rt_rest_reply *reply,
                     const char *subject, bool wide);

size_t rt_answers_found(const rt_answers *k); /* how often one was found */
size_t rt_answers_bytes(const rt_answers *k);

#endif
