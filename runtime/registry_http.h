/* registry_http.h: the seam of the registry over HTTP: the client of a Schema Registry with a DEK registry, the
 * vendor's or `flec serve`. What it asks: docs/wire.md 4. What comes back is read as hostile: bounded, of the shape and
 * the names that were asked for, or refused. It keeps nothing: codecs and keys do.
 *
 * Several threads may call one. Certificates and names are always verified; nothing is redirected (runtime/http.h). */
#ifndef FLEC_RUNTIME_REGISTRY_HTTP_H
#define FLEC_RUNTIME_REGISTRY_HTTP_H

#include "runtime/config.h"
#include "runtime/http.h"
#include "runtime/registry.h"

#define RT_REGISTRY_URLS       8
#define RT_REGISTRY_ANSWER_MAX ((size_t)16 << 20) /* bytes: a schema of 4 MiB, escaped, with its rules */

typedef struct rt_registry_http_options {
    const char *urls;           /* one, or several with commas between: the next is asked where one cannot
                                   be reached */
    const fl_secret *user_info; /* "user:password" in Basic, or NULL */
    const fl_secret *token;     /* Bearer, or NULL */
    const char *cluster, *pool; /* headers of Confluent Cloud beside a token, or NULL */
    const char *ca_file, *cert_file, *key_file; /* as in rt_http_options */
    rt_http_limits limits;
    const rt_http_clock *clock; /* for tests */
} rt_registry_http_options;

/* Copies all. Calls no one. RT_IO: no such URL. */
rt_code rt_registry_http(const rt_registry_http_options *opt, rt_registry **out, rt_error *err);

/* The same with credentials and TLS files as the settings say, in the vendor clients' names, each with or without
 * `schema.registry.` before it; else from the environment, else from the plan:
 *   basic.auth.user.info, basic.auth.credentials.source USER_INFO    SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO
 *   bearer.auth.token, bearer.auth.credentials.source STATIC_TOKEN   SCHEMA_REGISTRY_BEARER_AUTH_TOKEN
 *   bearer.auth.logical.cluster, bearer.auth.identity.pool.id
 *   ssl.ca.location, ssl.certificate.location, ssl.key.location; ssl.truststore.location and ssl.keystore.location of
 *   type PEM
 * What these names can say and flec does not do (other sources, other types of stores) is refused. config, plan: NULL
 * is allowed. */
rt_code rt_registry_http_open(const char *urls, const rt_config *config, const rt_plan *plan, rt_registry **out,
                              rt_error *err);

#endif
