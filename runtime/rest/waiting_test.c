/* waiting_test.c: a real server and a key service that is slow: it holds nobody else up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "runtime/rest/safety_server.h"

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
    struct CMUnitTest tests[] = {cmocka_unit_test(slow_service), cmocka_unit_test(same_key),
                                 cmocka_unit_test(full_queue)};
    return cmocka_run_group_tests_name("waiting", tests, set_up, tear_down);
}
