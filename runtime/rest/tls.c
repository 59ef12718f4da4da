/* tls.c: reads certificates and keys, and looks at those of clients. */
#include "runtime/rest/tls.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/rest/private.h"

#define PEM_MAX ((size_t)256 << 10)

/* ---- files ---- */

/* What is public goes into the same heap: one type for all three. */
static rt_code read_public(const char *path, fl_secret *out, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t n;
    int bad = fl_read_regular(a, path, PEM_MAX, &text, &n);
    rt_code code = bad ? rt_fail(err, RT_IO, "%s: %s", path, fl_read_error(a, bad, PEM_MAX)) : RT_OK;
    if (code == RT_OK) {
        *out = fl_secret_new(n + 1);
        memcpy(out->bytes, text, n);
        out->len = n;
    }
    fl_arena_free(a);
    return code;
}

static gnutls_datum_t datum(const fl_secret *s)
{
    return (gnutls_datum_t){s->bytes, (unsigned)s->len};
}

static rt_code check_pair(const rt_tls *t, const char *cert, const char *key, rt_error *err)
{
    gnutls_certificate_credentials_t c;
    gnutls_datum_t certificate = datum(&t->cert), private = datum(&t->key);
    if (gnutls_certificate_allocate_credentials(&c) != GNUTLS_E_SUCCESS)
        return rt_fail(err, RT_IO, "GnuTLS has no memory");
    int e = gnutls_certificate_set_x509_key_mem(c, &certificate, &private, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(c);
    if (e == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return rt_fail(err, RT_BAD_INPUT, "%s is not the key of the certificate %s", key, cert);
    if (e < 0)
        return rt_fail(err, RT_BAD_INPUT,
                       "%s and %s: %s; both are PEM, the server's certificate first, the key without a password", cert,
                       key, gnutls_strerror(e));
    return RT_OK;
}

static rt_code check_ca(const rt_tls *t, const char *path, rt_error *err)
{
    gnutls_certificate_credentials_t c;
    gnutls_datum_t ca = datum(&t->client_ca);
    if (gnutls_certificate_allocate_credentials(&c) != GNUTLS_E_SUCCESS)
        return rt_fail(err, RT_IO, "GnuTLS has no memory");
    int n = gnutls_certificate_set_x509_trust_mem(c, &ca, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(c);
    return n > 0 ? RT_OK : rt_fail(err, RT_BAD_INPUT, "%s: it holds no certificate in PEM", path);
}

/* Clients will say so themselves; whoever starts the server should know first. */
static void warn_of_age(const rt_tls *t, const char *path)
{
    gnutls_x509_crt_t c;
    gnutls_datum_t pem = datum(&t->cert);
    if (gnutls_x509_crt_init(&c) != GNUTLS_E_SUCCESS)
        return;
    if (gnutls_x509_crt_import(c, &pem, GNUTLS_X509_FMT_PEM) == GNUTLS_E_SUCCESS) {
        if (gnutls_x509_crt_get_expiration_time(c) < time(NULL))
            fl_log(FL_LOG_WARN, "%s: the certificate has expired", path);
        else if (gnutls_x509_crt_get_activation_time(c) > time(NULL))
            fl_log(FL_LOG_WARN, "%s: the certificate is not valid yet", path);
    }
    gnutls_x509_crt_deinit(c);
}

rt_code rt_tls_load(const char *cert, const char *key, const char *client_ca, rt_tls **out, rt_error *err)
{
    rt_tls *t = fl_xcalloc(1, sizeof *t);
    rt_code code = read_public(cert, &t->cert, err);
    if (code == RT_OK)
        code = rt_read_private(key, PEM_MAX, &t->key, err);
    if (code == RT_OK)
        code = check_pair(t, cert, key, err);
    if (code == RT_OK && client_ca)
        code = read_public(client_ca, &t->client_ca, err);
    if (code == RT_OK && client_ca)
        code = check_ca(t, client_ca, err);
    if (code != RT_OK) {
        rt_tls_free(t);
        return code;
    }
    warn_of_age(t, cert);
    *out = t;
    return RT_OK;
}

void rt_tls_free(rt_tls *t)
{
    if (!t)
        return;
    fl_secret_free(&t->cert);
    fl_secret_free(&t->key);
    fl_secret_free(&t->client_ca);
    free(t);
}

/* ---- clients ---- */

static const char *status_wrong(unsigned status)
{
    static const struct {
        unsigned bits;
        const char *why;
    } known[] = {
        {GNUTLS_CERT_EXPIRED, "the client's certificate has expired"},
        {GNUTLS_CERT_NOT_ACTIVATED, "the client's certificate is not valid yet"},
        {GNUTLS_CERT_REVOKED, "the client's certificate was revoked"},
        {GNUTLS_CERT_PURPOSE_MISMATCH, "the client's certificate is not one for clients"},
        {GNUTLS_CERT_INSECURE_ALGORITHM, "the client's certificate is signed by an algorithm that is too weak"},
        {GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_CA,
         "the client's certificate is not signed by an authority that counts here"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (status & known[i].bits)
            return known[i].why;
    return status ? "the client's certificate does not verify" : NULL;
}

static bool is_text(const char *s, size_t n)
{
    size_t bad;
    return strlen(s) == n && fl_utf8_ok(s, n, &bad);
}

static void common_name(gnutls_x509_crt_t c, char name[RT_TLS_NAME])
{
    size_t size = RT_TLS_NAME, second = 0;
    if (gnutls_x509_crt_get_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) != GNUTLS_E_SUCCESS ||
        gnutls_x509_crt_get_dn_by_oid(c, GNUTLS_OID_X520_COMMON_NAME, 1, 0, NULL, &second) !=
            GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
        !is_text(name, size))
        name[0] = 0;
}

static void whole_name(gnutls_x509_crt_t c, char name[RT_TLS_NAME])
{
    gnutls_datum_t dn = {0};
    if (gnutls_x509_crt_get_dn3(c, &dn, 0) != GNUTLS_E_SUCCESS)
        return;
    if (dn.size < RT_TLS_NAME && is_text((const char *)dn.data, dn.size))
        memcpy(name, dn.data, dn.size + 1);
    gnutls_free(dn.data);
}

static void read_subject(gnutls_session_t session, rt_tls_subject *out)
{
    unsigned n = 0;
    gnutls_x509_crt_t c;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &n);
    if (!list || !n || gnutls_x509_crt_init(&c) != GNUTLS_E_SUCCESS)
        return;
    if (gnutls_x509_crt_import(c, &list[0], GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS) {
        common_name(c, out->common);
        whole_name(c, out->whole);
    }
    gnutls_x509_crt_deinit(c);
}

const char *rt_tls_client(void *gnutls_session, rt_tls_subject *out)
{
    gnutls_session_t session = gnutls_session;
    unsigned status = 0;
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT, .size = 0};
    out->whole[0] = out->common[0] = 0;
    if (!session || gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509)
        return "a client's certificate is needed";
    int e = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    if (e == GNUTLS_E_NO_CERTIFICATE_FOUND)
        return "a client's certificate is needed";
    if (e != GNUTLS_E_SUCCESS)
        return "the client's certificate cannot be verified";
    const char *wrong = status_wrong(status);
    if (!wrong)
        read_subject(session, out);
    return wrong;
}
