/* aws_identity.h: as whom a KEK's key in AWS KMS is called, as the vendor's clients and AWS's own chain have it:
 * access keys, profile files, web identity, a container's or a machine's own service, then a role on top. */
#ifndef FLEC_RUNTIME_KMS_AWS_IDENTITY_H
#define FLEC_RUNTIME_KMS_AWS_IDENTITY_H

#include "runtime/kms/aws_sign.h"
#include "runtime/kms/remote.h"

/* Where the key lies: its region, and what AWS's domain is called there. */
typedef struct aws_place {
    char region[65];
    const char *domain; /* "amazonaws.com" */
} aws_place;

/* "https://SERVICE.REGION.DOMAIN/", or what AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL say. */
fl_secret aws_endpoint(const kms_remote *r, const char *service, const aws_place *p);

typedef struct aws_identity {
    aws_credentials c;
    bool kept; /* a session, kept until it expires under `id` */
    kms_token_id id;
} aws_identity;

rt_code aws_identity_find(kms_remote *r, const aws_place *p, aws_identity *out, rt_error *err);
/* Forgets a session that the service says has expired. */
void aws_identity_drop(const aws_identity *i);
void aws_identity_free(aws_identity *i);
/* For who makes sessions: the one kept under i->id into *i; keeps the one in *i for the seconds that it lives. */
bool aws_session_kept(aws_identity *i);
void aws_session_keep(aws_identity *i, int64_t life_s);

/* What AWS's error codes mean, in JSON ("__type") or XML. */
rt_code aws_refused(const kms_remote *r, const char *what, const rt_http_answer *a, rt_error *err);
kms_problem aws_problem(const rt_http_answer *a);
bool aws_again(const rt_http_answer *a); /* throttled with HTTP 400 */

#endif
