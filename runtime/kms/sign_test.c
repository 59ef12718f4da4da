/* sign_test.c: signatures: AWS Signature Version 4 against AWS's published vectors (and botocore for what they lack),
 * JSON Web Tokens under a key made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "runtime/kms/answer.h"
#include "runtime/kms/aws_sign.h"
#include "runtime/kms/jwt.h"

#define AT 1440938160 /* 20150830T123600Z */

typedef struct vector {
    const char *name, *method, *url, *headers[4] /* "Name", "value", … */, *body, *token, *region, *service, *names,
        *signature;
} vector;

static const vector vectors[] = {
    /* AWS's test suite */
    {"get-vanilla",
     "GET",
     "https://example.amazonaws.com/",
     {NULL},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "https://example.amazonaws.com/",
     {NULL},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded",
     "POST",
     "https://example.amazonaws.com/",
     {"Content-Type", "application/x-www-form-urlencoded"},
     "Param1=value1",
     NULL,
     "us-east-1",
     "service",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "https://example.amazonaws.com/?Param1=value1&Param2=value2",
     {NULL},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-header-value-trim",
     "GET",
     "https://example.amazonaws.com/",
     {"My-Header1", " value1", "My-Header2", " \"a   b   c\""},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"a path is left out",
     "GET",
     "https://example.amazonaws.com",
     {NULL},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"the scheme's own port",
     "GET",
     "https://example.amazonaws.com:443/",
     {NULL},
     "",
     NULL,
     "us-east-1",
     "service",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    /* botocore 1.44 */
    {"a session token",
     "POST",
     "https://kms.eu-west-1.amazonaws.com/",
     {"Content-Type", "application/x-amz-json-1.1", "X-Amz-Target", "TrentService.Encrypt"},
     "{\"KeyId\":\"a\"}",
     "TOKEN/+=",
     "eu-west-1",
     "kms",
     "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
     "32e9709da100e49c67c6fb62b6340a333f5625474dbd6010bdb96cc4ceedb351"},
    {"another port",
     "POST",
     "http://127.0.0.1:5566/",
     {"Content-Type", "application/x-amz-json-1.1", "X-Amz-Target", "TrentService.Decrypt"},
     "{\"KeyId\":\"a\"}",
     NULL,
     "eu-west-1",
     "kms",
     "content-type;host;x-amz-date;x-amz-target",
     "d37a9169db7cda27bd9c245c0d922137972b2ee9d983702dbe137dbfd6fc293c"},
};

static fl_secret text_secret(const char *s)
{
    fl_secret out = fl_secret_new(strlen(s) + 1);
    memcpy(out.bytes, s, strlen(s));
    out.len--;
    return out;
}

static void signs(const vector *v)
{
    char want[600];
    rt_http_request q = {.method = v->method, .url = v->url, .body = fl_secret_copy(v->body, strlen(v->body))};
    aws_credentials c = {text_secret("AKIDEXAMPLE"), text_secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                         v->token ? text_secret(v->token) : (fl_secret){0}};
    for (size_t i = 0; i < 4 && v->headers[i]; i += 2)
        assert_true(rt_http_header(&q, v->headers[i], v->headers[i + 1], strlen(v->headers[i + 1])));
    assert_true(aws_sign(&q, &c, v->region, v->service, AT));
    snprintf(want, sizeof want,
             "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/%s/%s/aws4_request, SignedHeaders=%s, "
             "Signature=%s",
             v->region, v->service, v->names, v->signature);
    assert_string_equal((char *)q.header[q.nheaders - 1].bytes, want);
    rt_http_request_free(&q);
    aws_credentials_free(&c);
}

static void aws_vectors(void **state)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        signs(&vectors[i]);
}

static void aws_refuses(void **state)
{
    rt_http_request q = {.method = "GET", .url = "https://h/"};
    aws_credentials c = {text_secret("AKID"), text_secret("s"), text_secret("a\nb")};
    assert_false(aws_sign(&q, &c, "us-east-1", "kms", AT)); /* a token that would be two headers */
    rt_http_request_free(&q);
    fl_secret_free(&c.token);
    q = (rt_http_request){.method = "GET", .url = "no url"};
    assert_false(aws_sign(&q, &c, "us-east-1", "kms", AT));
    rt_http_request_free(&q);
    aws_credentials_free(&c);
}

/* ---- JWT ---- */

static fl_secret pem_of(EVP_PKEY *key)
{
    char *p;
    BIO *b = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(b, &p);
    fl_secret s = fl_secret_copy(p, (size_t)n);
    BIO_free(b);
    return s;
}

static bool verified(EVP_PKEY *key, const char *jwt)
{
    const char *last = strrchr(jwt, '.');
    fl_secret sig;
    assert_true(kms_unb64(last + 1, strlen(last + 1), true, &sig));
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(c, sig.bytes, sig.len, (const unsigned char *)jwt, (size_t)(last - jwt)) == 1;
    EVP_MD_CTX_free(c);
    fl_secret_free(&sig);
    return ok;
}

static void jwt_rs256(void **state)
{
    EVP_PKEY *key = EVP_RSA_gen(2048), *other = EVP_RSA_gen(2048);
    fl_secret pem = pem_of(key), jwt;
    assert_true(kms_jwt(&pem, "{\"alg\":\"RS256\"}", "{\"iss\":\"a\"}", &jwt));
    assert_memory_equal(jwt.bytes, "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.", 37);
    assert_int_equal(jwt.len, strlen((char *)jwt.bytes));
    assert_true(verified(key, (char *)jwt.bytes));
    assert_false(verified(other, (char *)jwt.bytes));
    fl_secret_free(&jwt);
    fl_secret_free(&pem);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

static void jwt_refuses(void **state)
{
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    fl_secret pem = pem_of(ec), none = text_secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
              jwt;
    assert_false(kms_jwt(&pem, "{}", "{}", &jwt)); /* RS256 is of RSA */
    assert_null(jwt.bytes);
    assert_false(kms_jwt(&none, "{}", "{}", &jwt));
    fl_secret_free(&none);
    fl_secret_free(&pem);
    EVP_PKEY_free(ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_vectors),
        cmocka_unit_test(aws_refuses),
        cmocka_unit_test(jwt_rs256),
        cmocka_unit_test(jwt_refuses),
    };
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
