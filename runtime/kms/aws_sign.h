/* aws_sign.h: AWS Signature Version 4 for requests whose body is at hand. */
#ifndef FLEC_RUNTIME_KMS_AWS_SIGN_H
#define FLEC_RUNTIME_KMS_AWS_SIGN_H

#include <time.h>

#include "runtime/http.h"

typedef struct aws_credentials {
    fl_secret id, secret;
    fl_secret token; /* bytes NULL: none */
} aws_credentials;

void aws_credentials_free(aws_credentials *c);

/* Adds X-Amz-Date, X-Amz-Security-Token (if there is one) and Authorization. Signed are the method, the url (whose path
 * and query must be escaped, the query sorted), Host, every header that is there, and the body. false: the request has
 * no room for the headers, or a value cannot be a header. */
bool aws_sign(rt_http_request *q, const aws_credentials *c, const char *region, const char *service, time_t now);

#endif
