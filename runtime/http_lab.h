/* http_lab.h: for tests: an HTTP server on loopback that gives canned answers, one a request, and keeps what was asked.
 * It is a thread; one connection at a time, each closed after its answer. With TLS its certificate is made at the
 * start, for 127.0.0.1, and lies in a file as its own CA. */
#ifndef FLEC_RUNTIME_HTTP_LAB_H
#define FLEC_RUNTIME_HTTP_LAB_H

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LAB_ANSWERS = 32, LAB_ASKED = 8192 };

typedef struct lab_server {
    const char *answers[LAB_ANSWERS]; /* NULL: closes without one; "": never answers */
    const char *forever[LAB_ANSWERS]; /* sent after the answer again and again, until who asked is gone */
    int pause_ms[LAB_ANSWERS];        /* between these */
    char asked[LAB_ANSWERS][LAB_ASKED];
    char *owned[LAB_ANSWERS];
    size_t nanswers, nasked;
    int fd, held[LAB_ANSWERS];
    char url[64];
    char ca[64]; /* the file, with TLS */
    SSL_CTX *tls;
    pthread_t thread;
    volatile bool end;
} lab_server;

typedef struct lab_connection {
    int fd;
    SSL *tls;
} lab_connection;

static ssize_t lab_get(const lab_connection *c, char *p, size_t n)
{
    return c->tls ? SSL_read(c->tls, p, (int)n) : read(c->fd, p, n);
}

/* False: who asked is gone by now. */
static bool lab_put(const lab_connection *c, const char *s)
{
    ssize_t n = c->tls ? SSL_write(c->tls, s, (int)strlen(s)) : send(c->fd, s, strlen(s), MSG_NOSIGNAL);
    return n > 0;
}

static void lab_read(const lab_connection *c, char *to)
{
    size_t n = 0, want = 0;
    to[0] = 0;
    for (ssize_t got = 1; got > 0 && n < LAB_ASKED - 1 && (!want || n < want);) {
        got = lab_get(c, to + n, LAB_ASKED - 1 - n);
        n += got > 0 ? (size_t)got : 0;
        to[n] = 0;
        char *body = strstr(to, "\r\n\r\n"), *length = strcasestr(to, "content-length:");
        if (body)
            want = (size_t)(body + 4 - to) + (length && length < body ? strtoul(length + 15, NULL, 10) : 0);
    }
}

static void lab_serve_one(lab_server *s, lab_connection *c)
{
    size_t i = s->nasked < LAB_ANSWERS ? s->nasked : LAB_ANSWERS - 1;
    lab_read(c, s->asked[i]);
    if (!s->asked[i][0])
        return; /* who came saw the certificate, and left */
    const char *answer = i < s->nanswers ? s->answers[i] : NULL;
    s->nasked = i + 1;
    if (answer && *answer)
        lab_put(c, answer);
    while (s->forever[i] && !s->end && lab_put(c, s->forever[i]))
        if (s->pause_ms[i])
            poll(NULL, 0, s->pause_ms[i]);
    if (answer && *answer && c->tls)
        SSL_shutdown(c->tls);
    if (answer && !*answer) { /* kept open, and silent */
        s->held[i] = c->fd;
        c->fd = -1;
    }
}

/* Who asked may be gone: its SIGPIPE, of OpenSSL's writes, is not delivered to this thread. */
static void *lab_serve(void *ctx)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    lab_server *s = ctx;
    while (!s->end) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 20) < 1)
            continue;
        lab_connection c = {.fd = accept(s->fd, NULL, NULL)};
        if (s->tls) {
            c.tls = SSL_new(s->tls);
            SSL_set_fd(c.tls, c.fd);
        }
        if (!c.tls || SSL_accept(c.tls) == 1)
            lab_serve_one(s, &c);
        SSL_free(c.tls);
        if (c.fd >= 0)
            close(c.fd);
    }
    return NULL;
}

static inline void lab_start(lab_server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    memset(s, 0, sizeof *s);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)&a, n) || listen(s->fd, 16) || getsockname(s->fd, (struct sockaddr *)&a, &n) ||
        pthread_create(&s->thread, NULL, lab_serve, s))
        abort();
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(a.sin_port));
}

/* A key and a certificate signed with it. */
static inline void lab_certificate(lab_server *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"lab", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    X509_add_ext(x, san, -1);
    X509_sign(x, key, EVP_sha256());
    s->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(s->tls, x);
    SSL_CTX_use_PrivateKey(s->tls, key);
    snprintf(s->ca, sizeof s->ca, "/tmp/flec-lab-XXXXXX");
    FILE *f = fdopen(mkstemp(s->ca), "w");
    if (!f || !PEM_write_X509(f, x) || fclose(f))
        abort();
    X509_EXTENSION_free(san);
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline void lab_start_tls(lab_server *s)
{
    lab_start(s);
    s->end = true; /* once more, with a certificate */
    pthread_join(s->thread, NULL);
    s->end = false;
    lab_certificate(s);
    char url[sizeof s->url];
    snprintf(url, sizeof url, "https%.50s", s->url + 4);
    memcpy(s->url, url, sizeof url);
    if (pthread_create(&s->thread, NULL, lab_serve, s))
        abort();
}

/* The next answer. head: "200 OK" and perhaps further header lines, each after "\r\n". */
static inline void lab_answer(lab_server *s, const char *head, const char *body)
{
    char *text = NULL;
    if (asprintf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", head, strlen(body), body) <
        0)
        abort();
    s->owned[s->nanswers] = text;
    s->answers[s->nanswers++] = text;
}

/* The beginning of an answer as it is, and what follows it without an end. */
static inline void lab_endless(lab_server *s, const char *begin, const char *again, int pause_ms)
{
    s->forever[s->nanswers] = again;
    s->pause_ms[s->nanswers] = pause_ms;
    s->answers[s->nanswers++] = begin;
}

static inline void lab_silence(lab_server *s)
{
    s->answers[s->nanswers++] = "";
}

static inline void lab_hang_up(lab_server *s)
{
    s->answers[s->nanswers++] = NULL;
}

static inline void lab_stop(lab_server *s)
{
    s->end = true;
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->tls);
    if (*s->ca)
        unlink(s->ca);
    for (size_t i = 0; i < LAB_ANSWERS; i++) {
        free(s->owned[i]);
        if (s->held[i])
            close(s->held[i]);
    }
}

#endif
