/* jwt.c: JSON Web Tokens signed with RS256. */
#include "runtime/kms/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "runtime/kms/answer.h"

/* A key under a passphrase is refused: OpenSSL would ask for it on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    return -1;
}

static EVP_PKEY *read_key(const fl_secret *pem)
{
    BIO *in = BIO_new_mem_buf(pem->bytes, (int)pem->len);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    if (key && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static bool sign(EVP_PKEY *key, const char *text, size_t len, uint8_t *out, size_t *n)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(c, out, n, (const unsigned char *)text, len) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

bool kms_jwt(const fl_secret *pem, const char *header, const char *claims, fl_secret *out)
{
    uint8_t signature[1024]; /* RSA of at most 8192 bits */
    size_t n = sizeof signature;
    fl_secret head = kms_b64((const uint8_t *)header, strlen(header), true),
              body = kms_b64((const uint8_t *)claims, strlen(claims), true);
    size_t len = head.len + 1 + body.len;
    *out = fl_secret_new(len + 2 + FL_B64_LEN(sizeof signature));
    memcpy(out->bytes, head.bytes, head.len);
    out->bytes[head.len] = '.';
    memcpy(out->bytes + head.len + 1, body.bytes, body.len);
    EVP_PKEY *key = read_key(pem);
    bool ok =
        key && EVP_PKEY_get_size(key) <= (int)sizeof signature && sign(key, (char *)out->bytes, len, signature, &n);
    EVP_PKEY_free(key);
    fl_secret_free(&head);
    fl_secret_free(&body);
    if (!ok) {
        fl_secret_free(out);
        return false;
    }
    fl_secret last = kms_b64(signature, n, true);
    out->bytes[len] = '.';
    memcpy(out->bytes + len + 1, last.bytes, last.len);
    out->len = len + 1 + last.len; /* freed by address; a NUL follows */
    fl_secret_free(&last);
    return true;
}
