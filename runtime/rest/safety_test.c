/* safety_test.c: a real server, over TLS and with users, asked by libcurl: who is let in, and that one slow key service
 * holds nobody else up. Certificates are made here, for a day around now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/rest/safety_lab.h"
#include "runtime/rest/server.h"

static int set_up(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 4096);
    strcpy(top, "/tmp/flec-safety-XXXXXX");
    assert_non_null(mkdtemp(top));
    curl_global_init(CURL_GLOBAL_DEFAULT);
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    fl_buf_adds(&b, "flec-users 1\n# the users of the tests\n");
    add_user(&b, "sa-crm", "a password", "");
    add_user(&b, "root", "another one", ":admin");
    add_user(&b, "reader", "p:with:colons", ":group=auditors");
    fl_buf_adds(&b, "robot:-:group=auditors\n");
    write_text("users", b.p, 0640);
    fl_buf_free(&b);
    write_text("bindings.json",
               "[{\"principal\":\"User:sa-crm\",\"role\":\"DeveloperWrite\",\"resourceType\":\"Subject\","
               "\"resource\":\"crm-\",\"patternType\":\"PREFIXED\",\"scope\":{}},"
               "{\"principal\":\"User:sa-crm\",\"role\":\"DeveloperWrite\",\"resourceType\":\"Kek\","
               "\"resource\":\"crm-kek\",\"patternType\":\"LITERAL\"},"
               "{\"principal\":\"User:CN=batch,O=flec tests\",\"role\":\"DeveloperRead\",\"resourceType\":\"Kek\","
               "\"resource\":\"batch-kek\",\"patternType\":\"LITERAL\"},"
               "{\"principal\":\"Group:auditors\",\"role\":\"DeveloperRead\",\"resourceType\":\"Kek\","
               "\"resource\":\"crm-kek\",\"patternType\":\"LITERAL\"},"
               "{\"principal\":\"User:sa-crm\",\"role\":\"DeveloperRead\",\"resourceType\":\"Topic\","
               "\"resource\":\"crm\",\"patternType\":\"LITERAL\"}]",
               0644);
    return 0;
}

static int tear_down(void **state)
{
    return fl_remove_tree(top);
}

/* ---- the server, a process of its own ---- */

typedef struct setting {
    bool tls, client_ca, users, bindings;
    const char *listen; /* NULL: loopback */
    const rt_params *params;
} setting;

static int port;
static pid_t child;
static bool tls_on;
static rt_tls *tls;
static rt_users *users;
static rt_roles *roles;
static volatile rt_stop stop = {.fd = -1};

static void on_term(int signal_number)
{
    stop.signal = signal_number;
}

static rt_code start(const setting *how, rt_server **s, rt_registry **r, rt_error *err)
{
    rt_registry_options options = {.params = how->params};
    rt_code code = rt_registry_open("mem:", &options, r, err);
    if (code == RT_OK && how->tls)
        code = rt_tls_load(file("server.pem"), file("server.key"), how->client_ca ? file("ca.pem") : NULL, &tls, err);
    if (code == RT_OK && how->users)
        code = rt_users_load(file("users"), &users, err);
    if (code == RT_OK && how->bindings)
        code = rt_roles_load(file("bindings.json"), &roles, err);
    rt_server_options o = {.listen = how->listen ? how->listen : "127.0.0.1:0",
                           .store = (rt_store *)*r,
                           .tls = tls,
                           .users = users,
                           .roles = roles};
    return code == RT_OK ? rt_server_start(&o, s, err) : code;
}

static void serve(const setting *how, int to)
{
    rt_server *s;
    rt_registry *r;
    rt_error err;
    signal(SIGTERM, on_term);
    alarm(300); /* it does not outlive a test that failed */
    if (start(how, &s, &r, &err) != RT_OK) {
        fprintf(stderr, "%s\n", err.message);
        _exit(3);
    }
    int at = atoi(strrchr(rt_server_address(s), ':') + 1);
    if (write(to, &at, sizeof at) != sizeof at)
        _exit(3);
    rt_code code = rt_server_run(s, (const rt_stop *)&stop, &err);
    rt_server_close(s);
    rt_registry_close(r);
    rt_roles_free(roles);
    rt_users_free(users);
    rt_tls_free(tls);
    _exit(code == RT_OK ? 0 : 4);
}

static void open_server(const setting *how)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    tls_on = how->tls;
    child = fork();
    if (!child)
        serve(how, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &port, sizeof port), sizeof port);
    close(fds[0]);
}

static void close_server(void)
{
    int status;
    kill(child, SIGTERM);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- asking ---- */

typedef struct caller {
    const char *certificate, *user; /* a name of make_certificates; NAME:PASSWORD */
    long version;                   /* of TLS, at most; 0: any */
} caller;

static char head[4096];
static fl_buf body;

static size_t keep_body(char *p, size_t one, size_t n, void *ctx)
{
    fl_buf_add(&body, p, n);
    return n;
}

static size_t keep_head(char *p, size_t one, size_t n, void *ctx)
{
    size_t have = strlen(head);
    if (have + n < sizeof head)
        memcpy(head + have, p, n);
    return n;
}

static void present(CURL *c, const char *certificate)
{
    char cert[64], key[64];
    snprintf(cert, sizeof cert, "%s.pem", certificate);
    snprintf(key, sizeof key, "%s.key", certificate);
    curl_easy_setopt(c, CURLOPT_SSLCERT, file(cert));
    curl_easy_setopt(c, CURLOPT_SSLKEY, file(key));
}

/* The status; 0: there was no answer. */
static long ask(const caller *who, const char *method, const char *path, const char *text)
{
    char url[256];
    long status = 0;
    CURL *c = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(url, sizeof url, "%s://127.0.0.1:%d%s", tls_on ? "https" : "http", port, path);
    memset(head, 0, sizeof head);
    fl_buf_free(&body);
    fl_buf_init(&body, 1 << 22);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(c, CURLOPT_CAINFO, file("ca.pem"));
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep_head);
    if (text)
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, text);
    if (who->certificate)
        present(c, who->certificate);
    if (who->user)
        curl_easy_setopt(c, CURLOPT_USERPWD, who->user);
    if (who->version) {
        curl_easy_setopt(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_0 | who->version);
        curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
    }
    curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(c);
    curl_slist_free_all(headers);
    return status;
}

static void expect(long status, const char *says, const caller *who, const char *method, const char *path,
                   const char *text)
{
    long got = ask(who, method, path, text);
    if (got != status || (says && !(body.p && strstr(body.p, says))))
        fail_msg("%s %s as %s/%s: %ld %s, expected %ld %s", method, path, who->certificate ? who->certificate : "-",
                 who->user ? who->user : "-", got, body.p ? body.p : "", status, says ? says : "");
}

static int dial(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {60, 0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* ---- TLS ---- */

static const caller nobody = {0};

static void certificates(void **state)
{
    static const struct {
        const char *certificate;
        long status;
        const char *says;
    } cases[] = {
        {NULL, 403, "a client's certificate is needed"},
        {"stranger", 403, "not signed by an authority"}, /* of a CA with the same name */
        {"foreign", 403, "not signed by an authority"},
        {"old", 403, "has expired"},
        {"early", 403, "not valid yet"},
        {"purpose", 403, "not one for clients"},
        {"nameless", 403, "names no user"},
        {"right", 200, "[]"},
        {"batch", 200, "[]"}, /* named by its whole subject */
    };
    open_server(&(setting){.tls = true, .client_ca = true, .bindings = true});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i].status, cases[i].says, &(caller){.certificate = cases[i].certificate}, "GET", "/subjects",
               NULL);
    expect(404, "40470", &(caller){.certificate = "batch"}, "GET", "/dek-registry/v1/keks/batch-kek", NULL);
    expect(403, "40301", &(caller){.certificate = "right"}, "GET", "/dek-registry/v1/keks/batch-kek", NULL);
    expect(403, "40301", &nobody, "GET", "/nowhere", NULL); /* before it is looked where to */
    expect(403, "40301", &nobody, "POST", "/subjects/crm-a/versions", "{\"schema\":\"\\\"string\\\"\"}");
    expect(200, NULL, &(caller){.certificate = "right"}, "POST", "/subjects/crm-a/versions",
           "{\"schema\":\"\\\"string\\\"\"}");
    expect(403, "denied operation Write on Subject: other", &(caller){.certificate = "right"}, "POST",
           "/subjects/other/versions", "{\"schema\":\"\\\"string\\\"\"}");
    close_server();
}

/* A certificate and a password: the password says who it is, and the certificate must be right all the same. */
static void both(void **state)
{
    open_server(&(setting){.tls = true, .client_ca = true, .users = true, .bindings = true});
    const caller root = {.certificate = "right", .user = "root:another one"};
    const caller wrong = {.certificate = "right", .user = "root:something else"};
    const caller stranger = {.certificate = "stranger", .user = "root:another one"};
    expect(200, "\"crm-kek\"", &root, "POST", "/dek-registry/v1/keks",
           "{\"name\":\"crm-kek\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\"}");
    expect(401, NULL, &wrong, "GET", "/subjects", NULL);
    expect(403, "not signed", &stranger, "GET", "/subjects", NULL);
    close_server();
}

static void versions(void **state)
{
    open_server(&(setting){.tls = true});
    assert_int_equal(ask(&(caller){.version = CURL_SSLVERSION_MAX_TLSv1_0}, "GET", "/subjects", NULL), 0);
    assert_int_equal(ask(&(caller){.version = CURL_SSLVERSION_MAX_TLSv1_1}, "GET", "/subjects", NULL), 0);
    assert_int_equal(ask(&(caller){.version = CURL_SSLVERSION_MAX_TLSv1_2}, "GET", "/subjects", NULL), 200);
    assert_int_equal(ask(&(caller){.version = CURL_SSLVERSION_MAX_TLSv1_3}, "GET", "/subjects", NULL), 200);
    tls_on = false; /* plain HTTP to the same port */
    assert_int_equal(ask(&nobody, "GET", "/subjects", NULL), 0);
    tls_on = true;
    assert_int_equal(ask(&nobody, "GET", "/subjects", NULL), 200);
    close_server();
}

/* Handshakes that are begun and not ended hold up nobody, neither another client nor the end. */
static void slow_handshakes(void **state)
{
    enum { SLOW = 100 };
    int slow[SLOW];
    static const char hello[] = "\x16\x03\x01\x02\x00\x01";
    open_server(&(setting){.tls = true});
    for (size_t i = 0; i < SLOW; i++) {
        slow[i] = dial();
        if (i % 2)
            assert_int_equal(send(slow[i], hello, sizeof hello - 1, MSG_NOSIGNAL), sizeof hello - 1);
    }
    assert_int_equal(ask(&nobody, "GET", "/subjects", NULL), 200);
    close_server();
    for (size_t i = 0; i < SLOW; i++)
        close(slow[i]);
}

/* Until nobody listens at the port any more. */
static void await_quiet(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0, open = 1; open; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        open = !connect(fd, (struct sockaddr *)&to, sizeof to);
        close(fd);
        assert_true(i < 600);
        usleep(open ? 100000 : 0);
    }
}

static SSL *greet(SSL_CTX *ctx, int fd)
{
    SSL *c = SSL_new(ctx);
    SSL_set_fd(c, fd);
    assert_int_equal(SSL_connect(c), 1);
    return c;
}

/* A request that is half there when the server is told to stop is answered; who sends nothing more does not keep it. */
static void stopping(void **state)
{
    static const char half[] = "POST /subjects/a/versions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Content-Type: application/json\r\nContent-Length: 23\r\nExpect: 100-continue\r\n\r\n";
    static const char rest[] = "{\"schema\":\"\\\"string\\\"\"}";
    char text[2048] = "";
    int status, n;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    open_server(&(setting){.tls = true});
    int fds[2] = {dial(), dial()};
    SSL *slow = greet(ctx, fds[0]), *silent = greet(ctx, fds[1]);
    SSL *both_of_them[] = {slow, silent};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(SSL_write(both_of_them[i], half, sizeof half - 1), sizeof half - 1);
        n = SSL_read(both_of_them[i], text, sizeof text - 1);
        assert_true(n > 0 && strstr(text, "100 Continue")); /* its headers were looked at */
    }
    kill(child, SIGTERM);
    await_quiet();
    assert_int_equal(SSL_write(slow, rest, sizeof rest - 1), 23);
    n = SSL_read(slow, text, sizeof text - 1);
    assert_true(n > 0 && !strncmp(text, "HTTP/1.1 200", 12));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (size_t i = 0; i < 2; i++) {
        SSL_free(both_of_them[i]);
        close(fds[i]);
    }
    SSL_CTX_free(ctx);
}

static void refused(const setting *how, rt_code code, const char *says)
{
    rt_server *s = NULL;
    rt_registry *r = NULL;
    rt_error err = {0};
    rt_code got = start(how, &s, &r, &err);
    if (got != code || !strstr(err.message, says))
        fail_msg("%d %s, expected %d %s", got, err.message, code, says);
    rt_registry_close(r);
}

static void files(void **state)
{
    rt_tls *t;
    rt_error err;
    assert_int_equal(rt_tls_load(file("server.pem"), file("right.key"), NULL, &t, &err), RT_BAD_INPUT);
    assert_non_null(strstr(err.message, "is not the key"));
    assert_int_equal(rt_tls_load(file("users"), file("server.key"), NULL, &t, &err), RT_BAD_INPUT);
    assert_int_equal(rt_tls_load(file("server.pem"), file("server.key"), file("users"), &t, &err), RT_BAD_INPUT);
    assert_int_equal(rt_tls_load(file("nowhere"), file("server.key"), NULL, &t, &err), RT_IO);
    chmod(file("server.key"), 0644);
    assert_int_equal(rt_tls_load(file("server.pem"), file("server.key"), NULL, &t, &err), RT_IO);
    assert_non_null(strstr(err.message, "others may read or change it"));
    chmod(file("server.key"), 0600);
    refused(&(setting){.listen = "0.0.0.0:0"}, RT_REFUSED, "no TLS");
}

/* ---- passwords ---- */

static void passwords(void **state)
{
    open_server(&(setting){.users = true, .bindings = true});
    expect(401, "\"error_code\":401", &nobody, "GET", "/subjects", NULL);
    assert_non_null(strstr(head, "WWW-Authenticate: Basic realm=\"flec\""));
    expect(401, NULL, &(caller){.user = "sa-crm:a passwore"}, "GET", "/subjects", NULL);
    expect(401, NULL, &(caller){.user = "nobody:a password"}, "GET", "/subjects", NULL);
    expect(401, NULL, &(caller){.user = "robot:-"}, "GET", "/subjects", NULL);
    expect(401, NULL, &(caller){.user = "sa-crm:"}, "GET", "/subjects", NULL);
    expect(200, "[]", &(caller){.user = "sa-crm:a password"}, "GET", "/subjects", NULL);
    expect(200, "[]", &(caller){.user = "sa-crm:a password"}, "GET", "/subjects", NULL); /* remembered */
    expect(200, NULL, &(caller){.user = "root:another one"}, "POST", "/dek-registry/v1/keks",
           "{\"name\":\"crm-kek\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\"}"); /* not remembered, with a body */
    expect(200, "[\"crm-kek\"]", &(caller){.user = "reader:p:with:colons"}, "GET", "/dek-registry/v1/keks", NULL);
    expect(403, "40301", &(caller){.user = "reader:p:with:colons"}, "POST", "/dek-registry/v1/keks/crm-kek/deks/crm-a",
           "{\"encryptedKeyMaterial\":\"AAAA\"}");
    expect(200, NULL, &(caller){.user = "sa-crm:a password"}, "POST", "/dek-registry/v1/keks/crm-kek/deks/crm-a",
           "{\"encryptedKeyMaterial\":\"AAAA\"}");
    close_server();
}

/* ---- a slow key service ---- */

static int service;

static fl_secret token(void *ctx, const char *kek, const char *name)
{
    if (!strcmp(name, "request.timeout.ms")) /* of one try: none is made again while a test is slow */
        return fl_secret_copy("30000", 5);
    return strcmp(name, "token.id") == 0 ? fl_secret_copy("t", 1) : (fl_secret){0};
}

static bool any_key(void *ctx, const char *type, const char *key_id)
{
    return true;
}

static const rt_params vault = {.get = token, .may_call = any_key};

static int listen_somewhere(int *at)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *at = ntohs(a.sin_port);
    return fd;
}

static void make_shared_kek(void)
{
    char text[256];
    int at;
    service = listen_somewhere(&at);
    open_server(&(setting){.params = &vault});
    snprintf(text, sizeof text,
             "{\"name\":\"far\",\"kmsType\":\"hcvault\",\"kmsKeyId\":\"http://127.0.0.1:%d/transit/keys/k\","
             "\"shared\":true}",
             at);
    expect(200, NULL, &nobody, "POST", "/dek-registry/v1/keks", text);
}

static int post_dek(const char *subject)
{
    char text[512];
    int fd = dial();
    snprintf(text, sizeof text,
             "POST /dek-registry/v1/keks/far/deks/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
             subject);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return fd;
}

static void answer_service(int fd, const char *json)
{
    char text[1024];
    ssize_t n = recv(fd, text, sizeof text, 0); /* of the request so much as is there */
    assert_true(n > 0);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       strlen(json), json);
    assert_int_equal(send(fd, text, (size_t)len, MSG_NOSIGNAL), len);
    shutdown(fd, SHUT_WR);
}

static int read_answer(int fd, char *text, size_t room)
{
    size_t n = 0;
    int status = 0;
    for (ssize_t got; n < room - 1 && (got = recv(fd, text + n, room - 1 - n, 0)) > 0;)
        n += (size_t)got;
    text[n] = 0;
    close(fd);
    sscanf(text, "HTTP/1.1 %d", &status);
    return status;
}

/* All at once: a check that takes long gives nobody more tries. */
static void guessing(void **state)
{
    enum { GUESSES = 3 * RT_GUESSES };
    static const char guess[] = "GET /subjects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                "Authorization: Basic cm9vdDphIGd1ZXNz\r\n\r\n";
    int asked[GUESSES], slowed = 0, wrong = 0, busy = 0;
    char text[4096];
    open_server(&(setting){.users = true, .bindings = true});
    expect(200, NULL, &(caller){.user = "sa-crm:a password"}, "GET", "/subjects", NULL);
    for (int i = 0; i < GUESSES; i++) {
        asked[i] = dial();
        assert_int_equal(send(asked[i], guess, sizeof guess - 1, MSG_NOSIGNAL), sizeof guess - 1);
    }
    for (int i = 0; i < GUESSES; i++) {
        int status = read_answer(asked[i], text, sizeof text);
        slowed += status == 429 && strstr(text, "Retry-After: ") != NULL;
        wrong += status == 401;
        busy += status == 503; /* where scrypt takes seconds, those that wait are sent away */
    }
    assert_int_equal(slowed + wrong + busy, GUESSES);
    assert_true(slowed > 0 && wrong > 0);
    expect(200, NULL, &(caller){.user = "sa-crm:a password"}, "GET", "/subjects", NULL); /* who was right stays in */
    close_server();
}

static void slow_service(void **state)
{
    char text[4096];
    make_shared_kek();
    int first = post_dek("a"), called = accept(service, NULL, NULL);
    assert_true(called >= 0); /* the service is asked, and says nothing yet */
    expect(200, "[\"far\"]", &nobody, "GET", "/dek-registry/v1/keks", NULL);
    int second = post_dek("b"), again = accept(service, NULL, NULL); /* nor do calls wait for each other */
    expect(404, "40470", &nobody, "GET", "/dek-registry/v1/keks/far/deks/a", NULL); /* nothing is half there */
    answer_service(again, "{\"data\":{\"ciphertext\":\"vault:v1:AAAA\"}}");
    assert_int_equal(read_answer(second, text, sizeof text), 200);
    assert_non_null(strstr(text, "\"keyMaterial\":\""));
    answer_service(called, "{\"data\":{\"ciphertext\":\"vault:v1:BBBB\"}}");
    assert_int_equal(read_answer(first, text, sizeof text), 200);
    expect(200, "[\"a\",\"b\"]", &nobody, "GET", "/dek-registry/v1/keks/far/deks", NULL);
    close(called);
    close(again);
    close(service);
    close_server();
}

/* Two ask for the same key at once: one is first, the other is told so; both were wrapped. */
static void same_key(void **state)
{
    char text[2][4096];
    make_shared_kek();
    int first = post_dek("a"), called = accept(service, NULL, NULL);
    int second = post_dek("a"), again = accept(service, NULL, NULL);
    answer_service(called, "{\"data\":{\"ciphertext\":\"vault:v1:AAAA\"}}");
    answer_service(again, "{\"data\":{\"ciphertext\":\"vault:v1:BBBB\"}}");
    int one = read_answer(first, text[0], sizeof text[0]), two = read_answer(second, text[1], sizeof text[1]);
    assert_true((one == 200 && two == 409) || (one == 409 && two == 200));
    close(called);
    close(again);
    close(service);
    close_server();
}

/* More calls than may wait are refused at once; what waits does not keep the server from ending. */
static void full_queue(void **state)
{
    enum { MORE = 300 };
    int asked[MORE], answered = 0;
    char text[4096];
    make_shared_kek();
    for (int i = 0; i < MORE; i++) {
        snprintf(text, sizeof text, "s%d", i);
        asked[i] = post_dek(text);
    }
    struct pollfd p[MORE];
    for (int i = 0; i < MORE; i++)
        p[i] = (struct pollfd){asked[i], POLLIN, 0};
    assert_true(poll(p, MORE, 60000) > 0);
    for (int i = 0; i < MORE && !answered; i++)
        if (p[i].revents) {
            assert_int_equal(read_answer(asked[i], text, sizeof text), 503);
            assert_non_null(strstr(text, "Retry-After: "));
            asked[i] = -1;
            answered++;
        }
    expect(200, NULL, &nobody, "GET", "/subjects", NULL);
    close_server(); /* 5 s for what is under way */
    for (int i = 0; i < MORE; i++)
        if (asked[i] >= 0)
            close(asked[i]);
    close(service);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),    cmocka_unit_test(both),       cmocka_unit_test(versions),
        cmocka_unit_test(slow_handshakes), cmocka_unit_test(stopping),   cmocka_unit_test(files),
        cmocka_unit_test(passwords),       cmocka_unit_test(guessing),   cmocka_unit_test(slow_service),
        cmocka_unit_test(same_key),        cmocka_unit_test(full_queue),
    };
    return cmocka_run_group_tests_name("safety", tests, set_up, tear_down);
}
