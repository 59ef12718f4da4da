/* http_lab.h: for tests: an HTTP server on loopback that gives canned answers, one a request, and keeps what was asked.
 * It is a thread; one connection at a time, each closed after its answer. */
#ifndef FLEC_RUNTIME_HTTP_LAB_H
#define FLEC_RUNTIME_HTTP_LAB_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LAB_ANSWERS = 32, LAB_ASKED = 8192 };

typedef struct lab_server {
    const char *answers[LAB_ANSWERS]; /* as lab_add put them; NULL text: closes without an answer; "": never answers */
    char asked[LAB_ANSWERS][LAB_ASKED];
    char *owned[LAB_ANSWERS];
    size_t nanswers, nasked;
    int fd, held[LAB_ANSWERS];
    char url[64];
    pthread_t thread;
    volatile bool end;
} lab_server;

static void lab_read(int fd, char *to)
{
    size_t n = 0, want = 0;
    for (ssize_t got = 1; got > 0 && n < LAB_ASKED - 1 && (!want || n < want);) {
        got = read(fd, to + n, LAB_ASKED - 1 - n);
        n += got > 0 ? (size_t)got : 0;
        to[n] = 0;
        char *body = strstr(to, "\r\n\r\n"), *length = strcasestr(to, "content-length:");
        if (body)
            want = (size_t)(body + 4 - to) + (length && length < body ? strtoul(length + 15, NULL, 10) : 0);
    }
}

static void *lab_serve(void *ctx)
{
    lab_server *s = ctx;
    while (!s->end) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, 20) < 1)
            continue;
        int fd = accept(s->fd, NULL, NULL);
        size_t i = s->nasked < LAB_ANSWERS ? s->nasked : LAB_ANSWERS - 1;
        lab_read(fd, s->asked[i]);
        const char *answer = i < s->nanswers ? s->answers[i] : NULL;
        s->nasked = i + 1;
        if (answer && *answer && write(fd, answer, strlen(answer)) < 0)
            perror("lab");
        if (answer && !*answer)
            s->held[i] = fd;
        else
            close(fd);
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
    for (size_t i = 0; i < LAB_ANSWERS; i++) {
        free(s->owned[i]);
        if (s->held[i])
            close(s->held[i]);
    }
}

#endif
