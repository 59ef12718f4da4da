/* aws_sign.c: AWS Signature Version 4. Own, for libcurl 7.88 signs neither session tokens by itself nor in a way that
 * tests can hold to AWS's vectors without a server. */
#include "runtime/kms/aws_sign.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DIGEST = 32, HEADERS = RT_HTTP_HEADERS + 1 };

typedef struct header {
    const char *name, *value;
    size_t nname;
} header;

typedef struct signing {
    const rt_http_request *q;
    header of[HEADERS]; /* sorted by name */
    size_t n;
    char host[320], names[512]; /* "Host: …"; "content-type;host;x-amz-date" */
} signing;

void aws_credentials_free(aws_credentials *c)
{
    fl_secret_free(&c->id);
    fl_secret_free(&c->secret);
    fl_secret_free(&c->token);
}

static void insert(signing *s, const char *line)
{
    header h = {line, strchr(line, ':') + 1, strcspn(line, ":")};
    size_t at = s->n++;
    for (; at > 0; at--) {
        const header *before = &s->of[at - 1];
        size_t n = before->nname < h.nname ? before->nname : h.nname;
        int cmp = strncasecmp(before->name, h.name, n);
        if (cmp < 0 || (cmp == 0 && before->nname <= h.nname))
            break;
        s->of[at] = *before;
    }
    s->of[at] = h;
}

/* Host as libcurl sends it: without the scheme's own port. */
static const char *host_line(signing *s)
{
    char origin[300];
    if (!rt_http_origin(s->q->url, origin, sizeof origin))
        return NULL;
    bool tls = !strncmp(origin, "https", 5);
    char *host = origin + (tls ? 8 : 7), *port = strrchr(host, ':');
    if (port && !strcmp(port, tls ? ":443" : ":80"))
        *port = 0;
    snprintf(s->host, sizeof s->host, "Host: %s", host);
    return s->host;
}

static bool collect(signing *s)
{
    const char *host = host_line(s);
    if (!host)
        return false;
    insert(s, host);
    for (size_t i = 0; i < s->q->nheaders; i++)
        insert(s, (char *)s->q->header[i].bytes);
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (at + s->of[i].nname + 2 > sizeof s->names)
            return false;
        if (i)
            s->names[at++] = ';';
        for (size_t j = 0; j < s->of[i].nname; j++)
            s->names[at++] = (char)tolower((unsigned char)s->of[i].name[j]);
    }
    s->names[at] = 0;
    return true;
}

/* ---- the canonical request, straight into a digest ---- */

static void put(EVP_MD_CTX *c, const char *s, size_t n)
{
    if (n && EVP_DigestUpdate(c, s, n) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no SHA-256");
}

static void puts_(EVP_MD_CTX *c, const char *s)
{
    put(c, s, strlen(s));
}

/* Trimmed, and runs of spaces made one. */
static void put_value(EVP_MD_CTX *c, const char *v)
{
    v += strspn(v, " ");
    while (*v) {
        size_t word = strcspn(v, " "), gap = strspn(v + word, " ");
        put(c, v, word);
        v += word + gap;
        if (gap && *v)
            put(c, " ", 1);
    }
}

static void put_headers(EVP_MD_CTX *c, const signing *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < s->of[i].nname; j++) {
            char low = (char)tolower((unsigned char)s->of[i].name[j]);
            put(c, &low, 1);
        }
        puts_(c, ":");
        put_value(c, s->of[i].value);
        puts_(c, "\n");
    }
}

static void canonical(const signing *s, char hex[2 * DIGEST + 1])
{
    char body[2 * DIGEST + 1];
    uint8_t digest[DIGEST];
    const char *path = strchr(strstr(s->q->url, "://") + 3, '/'), *query = path ? strchr(path, '?') : NULL;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no SHA-256");
    puts_(c, s->q->method);
    puts_(c, "\n");
    put(c, path ? path : "/", path ? strcspn(path, "?") : 1);
    puts_(c, "\n");
    puts_(c, query ? query + 1 : "");
    puts_(c, "\n");
    put_headers(c, s);
    puts_(c, "\n");
    puts_(c, s->names);
    puts_(c, "\n");
    fl_sha256_hex(body, s->q->body.len ? s->q->body.bytes : (const uint8_t *)"", s->q->body.len);
    puts_(c, body);
    EVP_DigestFinal_ex(c, digest, NULL);
    EVP_MD_CTX_free(c);
    fl_hex(hex, digest, sizeof digest);
}

/* ---- the signature ---- */

static void mac(const uint8_t *key, size_t n, const char *text, uint8_t out[DIGEST])
{
    if (!HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text, strlen(text), out, NULL))
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no HMAC");
}

static void signature(const aws_credentials *c, const char *date, const char *region, const char *service,
                      const char *text, char hex[2 * DIGEST + 1])
{
    uint8_t k[DIGEST];
    fl_secret first = fl_secret_new(4 + c->secret.len);
    memcpy(first.bytes, "AWS4", 4);
    memcpy(first.bytes + 4, c->secret.bytes, c->secret.len);
    mac(first.bytes, first.len, date, k);
    fl_secret_free(&first);
    const char *steps[] = {region, service, "aws4_request", text};
    for (size_t i = 0; i < 4; i++)
        mac(k, sizeof k, steps[i], k);
    fl_hex(hex, k, sizeof k);
    fl_wipe(k, sizeof k);
}

static bool authorize(rt_http_request *q, const aws_credentials *c, const char *region, const char *service,
                      const char stamp[17])
{
    char scope[160], request[2 * DIGEST + 1], text[320], hex[2 * DIGEST + 1], value[1024], date[9];
    signing s = {.q = q};
    snprintf(date, sizeof date, "%.8s", stamp);
    snprintf(scope, sizeof scope, "%s/%s/%s/aws4_request", date, region, service);
    if (!collect(&s))
        return false;
    canonical(&s, request);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, request);
    signature(c, date, region, service, text, hex);
    int n = snprintf(value, sizeof value, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                     (char *)c->id.bytes, scope, s.names, hex);
    return n > 0 && (size_t)n < sizeof value && rt_http_header(q, "Authorization", value, (size_t)n);
}

bool aws_sign(rt_http_request *q, const aws_credentials *c, const char *region, const char *service, time_t now)
{
    char stamp[17];
    struct tm t;
    if (!gmtime_r(&now, &t) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &t) || strlen(region) > 64)
        return false;
    return rt_http_header(q, "X-Amz-Date", stamp, strlen(stamp)) &&
           (!c->token.bytes || rt_http_header(q, "X-Amz-Security-Token", (char *)c->token.bytes, c->token.len)) &&
           authorize(q, c, region, service, stamp);
}
