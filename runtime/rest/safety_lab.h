/* safety_lab.h: for tests: a folder with certificates of an authority and of some that it did not make, valid for a day
 * around now, and lines of a users file. */
#ifndef FLEC_RUNTIME_REST_SAFETY_LAB_H
#define FLEC_RUNTIME_REST_SAFETY_LAB_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"

static char top[64];

static const char *file(const char *name)
{
    static char paths[8][128];
    static int at;
    char *p = paths[at++ % 8];
    snprintf(p, sizeof paths[0], "%s/%s", top, name);
    return p;
}

typedef struct authority {
    X509 *cert;
    EVP_PKEY *key;
} authority;

static void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void add_name(X509_NAME *name, const char *type, const char *value)
{
    X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

/* from, to: seconds from now. by NULL: signs itself, as an authority. */
static authority issue(const char *cn, const char *usage, long from, long to, const authority *by)
{
    static long serial = 1;
    authority a = {X509_new(), EVP_EC_gen("P-256")};
    X509_NAME *name = X509_get_subject_name(a.cert);
    X509_set_version(a.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(a.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(a.cert), from);
    X509_gmtime_adj(X509_getm_notAfter(a.cert), to);
    X509_set_pubkey(a.cert, a.key);
    add_name(name, "O", "flec tests");
    if (cn)
        add_name(name, "CN", cn);
    X509_set_issuer_name(a.cert, by ? X509_get_subject_name(by->cert) : name);
    add_extension(a.cert, NID_basic_constraints, by ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (usage)
        add_extension(a.cert, NID_ext_key_usage, usage);
    if (by)
        add_extension(a.cert, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    assert_true(X509_sign(a.cert, by ? by->key : a.key, EVP_sha256()) > 0);
    return a;
}

static void save(const authority *a, const char *name)
{
    char base[64];
    snprintf(base, sizeof base, "%s.pem", name);
    FILE *f = fopen(file(base), "w");
    assert_non_null(f);
    PEM_write_X509(f, a->cert);
    fclose(f);
    snprintf(base, sizeof base, "%s.key", name);
    f = fopen(file(base), "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, a->key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    chmod(file(base), 0600);
}

static void make_certificates(void)
{
    enum { DAY = 86400 };
    authority ca = issue("CA", NULL, -DAY, DAY, NULL), other = issue("CA", NULL, -DAY, DAY, NULL),
              foreign = issue("Another CA", NULL, -DAY, DAY, NULL);
    const struct {
        const char *file, *cn, *usage;
        long from, to;
        const authority *by;
    } all[] = {
        {"server", "server", "serverAuth", -DAY, DAY, &ca},
        {"right", "sa-crm", "clientAuth", -DAY, DAY, &ca},
        {"stranger", "sa-crm", "clientAuth", -DAY, DAY, &other},
        {"foreign", "sa-crm", "clientAuth", -DAY, DAY, &foreign},
        {"old", "sa-crm", "clientAuth", -2 * DAY, -60, &ca},
        {"early", "sa-crm", "clientAuth", DAY / 2, DAY, &ca},
        {"purpose", "sa-crm", "serverAuth", -DAY, DAY, &ca},
        {"nameless", NULL, "clientAuth", -DAY, DAY, &ca},
        {"batch", "batch", "clientAuth", -DAY, DAY, &ca},
    };
    save(&ca, "ca");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        authority a = issue(all[i].cn, all[i].usage, all[i].from, all[i].to, all[i].by);
        save(&a, all[i].file);
        X509_free(a.cert);
        EVP_PKEY_free(a.key);
    }
    X509_free(ca.cert);
    EVP_PKEY_free(ca.key);
    X509_free(other.cert);
    EVP_PKEY_free(other.key);
    X509_free(foreign.cert);
    EVP_PKEY_free(foreign.key);
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(file(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(file(name), mode);
}

/* The lightest scrypt that is allowed: tests run under valgrind, too. */
static void add_user(fl_buf *b, const char *name, const char *password, const char *words)
{
    uint8_t salt[16] = "0123456789abcde", hash[32];
    char text[2][64];
    assert_int_equal(EVP_PBE_scrypt(password, strlen(password), salt, 16, 1 << 14, 8, 1, 1 << 26, hash, 32), 1);
    size_t n = fl_b64_encode(text[0], salt, 16), m = fl_b64_encode(text[1], hash, 32);
    fl_buf_addf(b, "%s:$scrypt$ln=14,r=8,p=1$%.*s$%.*s%s\n", name, (int)n - 2, text[0], (int)m - 1, text[1], words);
}

#endif
