/* http_test.c: one call over HTTP: limits, tries and pauses, Retry-After, circuits, redirects, what messages hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "runtime/http.h"
#include "runtime/http_lab.h"

/* A clock that only pauses move. */
typedef struct fake {
    int64_t now, slept[16];
    size_t nslept;
} fake;

static int64_t fake_now(void *ctx)
{
    return ((fake *)ctx)->now;
}

static void fake_sleep(void *ctx, int64_t ms)
{
    fake *f = ctx;
    f->now += ms;
    if (f->nslept < 16)
        f->slept[f->nslept++] = ms;
}

static lab_server server;
static fake time_;
static const rt_http_clock fake_clock = {fake_now, fake_sleep, &time_};
static rt_error err;
static rt_http_answer answer;

static int start(void **state)
{
    time_ = (fake){.now = 1000000};
    err = (rt_error){0};
    lab_start(&server);
    return 0;
}

static int stop(void **state)
{
    lab_stop(&server);
    return 0;
}

static rt_code ask(const rt_http_options *opt, const char *body)
{
    rt_http_options o = *opt;
    rt_http_request q = {.method = body ? "POST" : "GET", .url = server.url};
    o.clock = o.clock ? o.clock : &fake_clock;
    assert_true(rt_http_header(&q, "Authorization", "Bearer top-secret", 17));
    if (body) {
        assert_true(rt_http_header(&q, "Content-Type", "application/json", 16));
        q.body = fl_secret_copy(body, strlen(body));
    }
    rt_http *h = rt_http_new(&o);
    rt_code code = rt_http_call(h, &q, &answer, &err);
    rt_http_free(h);
    rt_http_request_free(&q);
    assert_null(strstr(err.message, "top-secret"));
    return code;
}

static const rt_http_options plain = {0};

static void sends_and_receives(void **state)
{
    lab_answer(&server, "200 OK\r\nContent-Type: application/json", "{\"a\":1}");
    assert_int_equal(ask(&plain, "{\"q\":2}"), RT_OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal((char *)answer.body.bytes, "{\"a\":1}");
    assert_int_equal(answer.body.len, 7);
    assert_int_equal(answer.retry_after_ms, -1);
    rt_http_answer_free(&answer);
    assert_non_null(strstr(server.asked[0], "POST / HTTP/1.1\r\n"));
    assert_non_null(strstr(server.asked[0], "\r\nAuthorization: Bearer top-secret\r\n"));
    assert_non_null(strstr(server.asked[0], "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(server.asked[0], "\r\n\r\n{\"q\":2}"));
    assert_null(strcasestr(server.asked[0], "expect"));
    assert_int_equal(time_.nslept, 0);
}

/* Pauses are at least half of 100, 200, 400 ms, and at most the whole. */
static void tries_again(void **state)
{
    lab_answer(&server, "503 Busy", "one");
    lab_hang_up(&server);
    lab_answer(&server, "429 Slow", "three");
    lab_answer(&server, "200 OK", "four");
    assert_int_equal(ask(&plain, "x"), RT_OK);
    assert_int_equal(answer.status, 200);
    assert_string_equal((char *)answer.body.bytes, "four");
    rt_http_answer_free(&answer);
    assert_int_equal(server.nasked, 4);
    assert_int_equal(time_.nslept, 3);
    for (size_t i = 0; i < 3; i++)
        assert_in_range(time_.slept[i], 50 << i, 100 << i);
}

static void gives_the_last_answer(void **state)
{
    for (int i = 0; i < 6; i++)
        lab_answer(&server, "429 Slow", "no");
    assert_int_equal(ask(&plain, NULL), RT_OK);
    assert_int_equal(answer.status, 429);
    rt_http_answer_free(&answer);
    assert_int_equal(server.nasked, 4);
}

static void leaves_others_alone(void **state)
{
    static const char *heads[] = {"400 Bad", "401 Who", "403 No", "404 Where", "501 Never"};
    for (size_t i = 0; i < 5; i++) {
        lab_answer(&server, heads[i], "");
        assert_int_equal(ask(&plain, NULL), RT_OK);
        assert_int_equal(server.nasked, i + 1);
        assert_int_equal(answer.body.len, 0);
        rt_http_answer_free(&answer);
    }
    assert_int_equal(time_.nslept, 0);
}

static bool says_again(const rt_http_answer *a)
{
    return a->body.len && !strcmp((char *)a->body.bytes, "again");
}

static void further_answers(void **state)
{
    rt_http_options o = {.again = says_again};
    lab_answer(&server, "400 Bad", "again");
    lab_answer(&server, "400 Bad", "final");
    assert_int_equal(ask(&o, NULL), RT_OK);
    assert_string_equal((char *)answer.body.bytes, "final");
    rt_http_answer_free(&answer);
    assert_int_equal(server.nasked, 2);
}

static void retry_after(void **state)
{
    char date[64], head[128];
    time_t at = time(NULL) + 7;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&at));
    snprintf(head, sizeof head, "503 Busy\r\nretry-after: %s", date);
    lab_answer(&server, "429 Slow\r\nRetry-After: 3", "");
    lab_answer(&server, head, "");
    lab_answer(&server, "503 Busy\r\nRetry-After: soon", "");
    lab_answer(&server, "200 OK", "");
    assert_int_equal(ask(&plain, NULL), RT_OK);
    rt_http_answer_free(&answer);
    assert_int_equal(time_.slept[0], 3000);
    assert_in_range(time_.slept[1], 5000, 7000);
    assert_in_range(time_.slept[2], 200, 400); /* not understood: as if it were not there */
}

/* A pause that the whole limit has no room for is not begun. */
static void retry_after_too_late(void **state)
{
    lab_answer(&server, "429 Slow\r\nRetry-After: 31", "");
    assert_int_equal(ask(&plain, NULL), RT_OK);
    assert_int_equal(answer.status, 429);
    assert_int_equal(answer.retry_after_ms, 31000);
    rt_http_answer_free(&answer);
    assert_int_equal(time_.nslept, 0);
}

static void time_out(void **state)
{
    static const rt_http_options brief = {.limits = {.attempt_ms = 100, .tries = 2}};
    lab_silence(&server);
    lab_answer(&server, "200 OK", "late");
    assert_int_equal(ask(&brief, NULL), RT_OK); /* the second try */
    rt_http_answer_free(&answer);
    lab_silence(&server);
    lab_silence(&server);
    assert_int_equal(ask(&brief, NULL), RT_IO);
    assert_null(answer.body.bytes);
    assert_non_null(strstr(err.message, server.url));
    assert_non_null(strstr(err.message, "time-out"));
}

static void bounded_answers(void **state)
{
    static char long_body[40001];
    static const rt_http_options small = {.limits = {.answer_max = 40000}}, smaller = {.limits = {.answer_max = 39999}};
    memset(long_body, 'x', sizeof long_body - 1);
    lab_answer(&server, "200 OK", long_body);
    lab_answer(&server, "200 OK", long_body);
    assert_int_equal(ask(&small, NULL), RT_OK);
    assert_int_equal(answer.body.len, 40000);
    assert_string_equal((char *)answer.body.bytes, long_body);
    rt_http_answer_free(&answer);
    assert_int_equal(ask(&smaller, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "longer than 39999"));
    assert_int_equal(server.nasked, 2); /* not tried again */
}

/* A body, a header and a list of headers without an end: each is given up at its bound, and the body is not kept. */
static void endless_answers(void **state)
{
    static const rt_http_options small = {.limits = {.answer_max = 40000, .attempt_ms = 60000, .tries = 1}};
    static char block[8193];
    memset(block, 'x', sizeof block - 1);
    lab_endless(&server, "HTTP/1.1 200 OK\r\n\r\n", block, 0);
    lab_endless(&server, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nabcde\r\n", 0);
    lab_endless(&server, "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n", block, 0);
    lab_endless(&server, "HTTP/1.1 200 OK\r\nX: ", block, 0);
    lab_endless(&server, "HTTP/1.1 200 OK\r\n", "X-More: and more of it\r\n", 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&small, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, "longer than 40000"));
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(ask(&small, NULL), RT_IO);
    assert_int_equal(server.nasked, 5);
}

/* One that comes byte by byte is cut off by the limit of a try, however often something comes. */
static void dripping_answer(void **state)
{
    static const rt_http_options brief = {.limits = {.attempt_ms = 1000, .tries = 1}};
    lab_endless(&server, "HTTP/1.1 200 OK\r\n\r\n", ".", 20);
    assert_int_equal(ask(&brief, NULL), RT_IO);
    assert_non_null(strstr(err.message, "time-out"));
    assert_null(answer.body.bytes);
}

/* What is no HTTP, or a switch to another protocol, is no answer. */
static void no_http(void **state)
{
    static const char *const odd[] = {"hello\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n",
                                      "HTTP/1.1 abc OK\r\n\r\n"};
    static const rt_http_options once = {.limits = {.tries = 1}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        server.answers[server.nanswers++] = odd[i];
        assert_int_equal(ask(&once, NULL), RT_IO);
        assert_null(answer.body.bytes);
    }
}

static void no_redirect(void **state)
{
    char head[128];
    snprintf(head, sizeof head, "302 Found\r\nLocation: %s/elsewhere", server.url);
    lab_answer(&server, head, "");
    lab_answer(&server, "200 OK", "followed");
    assert_int_equal(ask(&plain, NULL), RT_NO_KEY);
    assert_int_equal(server.nasked, 1);
    assert_non_null(strstr(err.message, "redirect"));
    assert_null(strstr(err.message, "elsewhere"));
}

/* Five calls in a row that fail open the circuit; after 30 s one is let through. */
static void circuit(void **state)
{
    static const rt_http_options once = {.limits = {.tries = 1}};
    for (int i = 0; i < 6; i++)
        lab_hang_up(&server);
    lab_answer(&server, "200 OK", "back");
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&once, NULL), RT_IO);
    assert_int_equal(server.nasked, 5);
    assert_int_equal(ask(&once, NULL), RT_IO);
    assert_int_equal(server.nasked, 5); /* not asked */
    assert_non_null(strstr(err.message, "left alone for another 30 s"));
    time_.now += 30000;
    assert_int_equal(ask(&once, NULL), RT_IO); /* the one call: it fails, too */
    assert_int_equal(server.nasked, 6);
    assert_int_equal(ask(&once, NULL), RT_IO);
    assert_int_equal(server.nasked, 6);
    time_.now += 30000;
    assert_int_equal(ask(&once, NULL), RT_OK);
    rt_http_answer_free(&answer);
    lab_answer(&server, "200 OK", "closed again");
    assert_int_equal(ask(&once, NULL), RT_OK);
    rt_http_answer_free(&answer);
}

static rt_code ask_tls(const lab_server *tls, const char *url, const char *ca)
{
    /* reading the system's CAs takes seconds under valgrind */
    rt_http_options o = {.ca_file = ca,
                         .clock = &fake_clock,
                         .limits = {.connect_ms = 120000, .attempt_ms = 120000, .total_ms = 500000}};
    rt_http_request q = {.method = "GET", .url = url};
    rt_http *h = rt_http_new(&o);
    rt_code code = rt_http_call(h, &q, &answer, &err);
    rt_http_free(h);
    rt_http_answer_free(&answer);
    return code;
}

/* Verified against the CAs that are named, and against the host: neither failure is tried again. */
static void verifies(void **state)
{
    lab_server tls, other;
    char by_name[64];
    lab_start_tls(&tls);
    lab_start_tls(&other);
    for (int i = 0; i < 3; i++)
        lab_answer(&tls, "200 OK", "secure");
    snprintf(by_name, sizeof by_name, "https://localhost%s", strrchr(tls.url, ':'));
    assert_int_equal(ask_tls(&tls, tls.url, tls.ca), RT_OK);
    assert_int_equal(ask_tls(&tls, tls.url, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "TLS"));
    assert_int_equal(ask_tls(&tls, tls.url, other.ca), RT_NO_KEY);
    assert_int_equal(ask_tls(&tls, by_name, tls.ca), RT_NO_KEY);
    assert_non_null(strstr(err.message, "TLS"));
    assert_int_equal(tls.nasked, 1);
    assert_int_equal(time_.nslept, 0);
    lab_stop(&tls);
    lab_stop(&other);
}

/* Older than TLS 1.2 is refused, though the server's certificate is good; so is a redirect to plain HTTP. */
static void no_downgrade(void **state)
{
    char head[128];
    lab_server old, tls;
    lab_start_tls(&old);
    SSL_CTX_set_security_level(old.tls, 0);
    SSL_CTX_set_min_proto_version(old.tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.tls, TLS1_1_VERSION);
    lab_answer(&old, "200 OK", "old");
    assert_int_not_equal(ask_tls(&old, old.url, old.ca), RT_OK);
    assert_int_equal(old.nasked, 0);
    lab_stop(&old);
    lab_start_tls(&tls);
    snprintf(head, sizeof head, "307 Down\r\nLocation: %s/", server.url);
    lab_answer(&tls, head, "");
    lab_answer(&server, "200 OK", "in clear");
    assert_int_equal(ask_tls(&tls, tls.url, tls.ca), RT_NO_KEY);
    assert_non_null(strstr(err.message, "redirect"));
    assert_int_equal(server.nasked, 0);
    lab_stop(&tls);
}

static void refused_connection(void **state)
{
    static const rt_http_options once = {.limits = {.tries = 1}};
    lab_server other;
    lab_start(&other);
    lab_stop(&other);
    rt_http_request q = {.method = "GET", .url = other.url};
    rt_http *h = rt_http_new(&once);
    assert_int_equal(rt_http_call(h, &q, &answer, &err), RT_IO);
    assert_non_null(strstr(err.message, other.url));
    rt_http_free(h);
}

static void addresses(void **state)
{
    static const char *bad[] = {"ftp://h/",      "file:///etc/passwd",    "https://",
                                "http:///x",     "https://user:pw@host/", "h:1",
                                "https://h%6f/", "https://h\\@g/",        ""};
    char out[64];
    assert_true(rt_http_origin("https://a.b:8200/v1/x?y", out, sizeof out));
    assert_string_equal(out, "https://a.b:8200");
    assert_true(rt_http_origin("http://[::1]:1?q", out, sizeof out));
    assert_string_equal(out, "http://[::1]:1");
    assert_false(rt_http_origin("https://much-too-long.example.org", out, 10));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rt_http_request q = {.method = "GET", .url = bad[i]};
        rt_http *h = rt_http_new(&plain);
        assert_int_equal(rt_http_call(h, &q, &answer, &err), RT_IO);
        assert_null(strstr(err.message, "pw"));
        rt_http_free(h);
    }
}

static void headers(void **state)
{
    rt_http_request q = {0};
    assert_false(rt_http_header(&q, "A", "x\r\nB: y", 7));
    assert_false(rt_http_header(&q, "A", "x\0y", 3));
    for (int i = 0; i < RT_HTTP_HEADERS; i++)
        assert_true(rt_http_header(&q, "A", "", 0));
    assert_false(rt_http_header(&q, "A", "", 0));
    rt_http_request_free(&q);
}

static void escapes(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 100);
    rt_http_escape(&b, "a/b c~&\xc3\xa9", "/");
    assert_string_equal(b.p, "a/b%20c~%26%C3%A9");
    fl_buf_free(&b);
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(sends_and_receives),
        WITH_SERVER(tries_again),
        WITH_SERVER(gives_the_last_answer),
        WITH_SERVER(leaves_others_alone),
        WITH_SERVER(further_answers),
        WITH_SERVER(retry_after),
        WITH_SERVER(retry_after_too_late),
        WITH_SERVER(time_out),
        WITH_SERVER(bounded_answers),
        WITH_SERVER(no_redirect),
        WITH_SERVER(endless_answers),
        WITH_SERVER(dripping_answer),
        WITH_SERVER(no_http),
        WITH_SERVER(no_downgrade),
        WITH_SERVER(circuit),
        WITH_SERVER(verifies),
        WITH_SERVER(refused_connection),
        cmocka_unit_test(addresses),
        cmocka_unit_test(headers),
        cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
