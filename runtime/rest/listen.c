/* listen.c: where the server listens. */
#include "runtime/rest/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* "[::1]:8081", "127.0.0.1:8081", "localhost:8081" in two. */
static bool split_address(const char *text, char host[80], char port[8])
{
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    bool bracket = n >= 2 && text[0] == '[' && text[n - 1] == ']';
    if (!n || n >= 80 || !colon[1] || strlen(colon + 1) > 5 || colon[1 + strspn(colon + 1, "0123456789")] ||
        strtol(colon + 1, NULL, 10) > 65535 || (!bracket && memchr(text, ':', n)))
        return false;
    snprintf(host, 80, "%.*s", (int)(bracket ? n - 2 : n), bracket ? text + 1 : text);
    snprintf(port, 8, "%s", colon + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24) == 127;
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static void say_address(rt_listening *l, int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    char host[64] = "?", port[8] = "?";
    if (!getsockname(fd, (struct sockaddr *)&a, &n))
        getnameinfo((struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(l->address, sizeof l->address, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    l->local = is_loopback((struct sockaddr *)&a);
}

static int bind_to(const struct addrinfo *a, int *error)
{
    int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd >= 0 && !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, 1024))
        return fd;
    *error = errno;
    if (fd >= 0)
        close(fd);
    return -1;
}

rt_code rt_listen(const char *text, rt_listening *out, rt_error *err)
{
    char host[80], port[8];
    struct addrinfo hints = {.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *list;
    int error = 0;
    if (!split_address(text, host, port))
        return rt_fail(err, RT_IO, "cannot listen on %s: write ADDRESS:PORT, as 127.0.0.1:8081 or [::1]:8081", text);
    const char *name = strcmp(host, "localhost") ? host : "127.0.0.1";
    if (getaddrinfo(name, port, &hints, &list))
        return rt_fail(err, RT_IO, "cannot listen on %s: %s is no address of this machine", text, host);
    int fd = bind_to(list, &error);
    freeaddrinfo(list);
    if (fd < 0)
        return rt_fail(err, RT_IO, "cannot listen on %s: %s%s", text, strerror(error),
                       error == EADDRINUSE ? "; another program has the port" : "");
    out->fd = fd;
    say_address(out, fd);
    return RT_OK;
}

/* As many as there are files for, some left for the log and protoc. */
unsigned rt_most_connections(unsigned most)
{
    struct rlimit l;
    enum { KEPT = 64 };
    if (getrlimit(RLIMIT_NOFILE, &l))
        return 256;
    if (l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max < most + KEPT ? l.rlim_max : most + KEPT;
        setrlimit(RLIMIT_NOFILE, &l);
        getrlimit(RLIMIT_NOFILE, &l);
    }
    if (l.rlim_cur >= most + KEPT)
        return most;
    return l.rlim_cur > 2 * KEPT ? (unsigned)l.rlim_cur - KEPT : KEPT;
}
