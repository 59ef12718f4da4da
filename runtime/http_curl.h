/* http_curl.h: one exchange over libcurl, for http.c alone: no second try, no circuit. */
#ifndef FLEC_RUNTIME_HTTP_CURL_H
#define FLEC_RUNTIME_HTTP_CURL_H

#include "runtime/http.h"

/* budget_ms: what is left for this try. answer_max and the timeouts of opt->limits are set. Codes as of
 * rt_http_call. */
rt_code rt_http_exchange(const rt_http_options *opt, int64_t budget_ms, const rt_http_request *q, rt_http_answer *a,
                         rt_error *err);
/* Closes the connections that are kept for later calls. */
void rt_http_disconnect(void);

#endif
