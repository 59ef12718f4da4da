/* tls.h: certificates of the server and of its clients (GnuTLS, as libmicrohttpd has it).
 *
 * libmicrohttpd asks a client for a certificate and refuses none: rt_tls_client is called for every request, and looks
 * at both, the result of the check and the status of the certificate. */
#ifndef FLEC_RUNTIME_REST_TLS_H
#define FLEC_RUNTIME_REST_TLS_H

#include "runtime/error.h"

/* TLS 1.2 and 1.3 with ciphers that authenticate, and nothing from before. */
#define RT_TLS_PRIORITIES                                                                                              \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:-KX-ALL:"     \
    "+ECDHE-ECDSA:+ECDHE-RSA:%SERVER_PRECEDENCE"

typedef struct rt_tls {
    fl_secret cert, key; /* PEM, each followed by a NUL that is not counted */
    fl_secret client_ca; /* bytes NULL: clients are not asked for a certificate */
} rt_tls;

/* client_ca may be NULL. RT_IO, RT_BAD_INPUT: a file that cannot be read, is none of the kind, or a key that does not
 * belong to the certificate; the key must be readable for owner and group alone (rt_read_private). */
rt_code rt_tls_load(const char *cert, const char *key, const char *client_ca, rt_tls **out, rt_error *err);
void rt_tls_free(rt_tls *t); /* NULL is allowed */

/* The client of a session: NULL if its certificate is right, else why not. Its subject as Kafka writes it (RFC 4514,
 * "CN=hr-batch,O=Acme") and the common name in it; "": there is none, it is too long, or there are several. */
enum { RT_TLS_NAME = 513 };
typedef struct rt_tls_subject {
    char whole[RT_TLS_NAME], common[RT_TLS_NAME];
} rt_tls_subject;
const char *rt_tls_client(void *gnutls_session, rt_tls_subject *out);

#endif
