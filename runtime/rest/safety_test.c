/* safety_test.c: a real server, over TLS and with users, asked by libcurl: who is let in. Certificates are made here,
 * for a day around now. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

#include "runtime/rest/safety_server.h"

/* ---- TLS ---- */

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

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),    cmocka_unit_test(both),     cmocka_unit_test(versions),
        cmocka_unit_test(slow_handshakes), cmocka_unit_test(stopping), cmocka_unit_test(files),
        cmocka_unit_test(passwords),       cmocka_unit_test(guessing),
    };
    return cmocka_run_group_tests_name("safety", tests, set_up, tear_down);
}
