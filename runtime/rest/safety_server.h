/* safety_server.h: for tests: a real server in a process of its own, over TLS and with users, and libcurl to ask it. */
#ifndef FLEC_RUNTIME_REST_SAFETY_SERVER_H
#define FLEC_RUNTIME_REST_SAFETY_SERVER_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
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

static const caller nobody = {0};

#endif
