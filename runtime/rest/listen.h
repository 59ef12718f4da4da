/* listen.h: where the server listens. */
#ifndef FLEC_RUNTIME_REST_LISTEN_H
#define FLEC_RUNTIME_REST_LISTEN_H

#include "runtime/error.h"

typedef struct rt_listening {
    int fd;
    char address[128]; /* with the real port */
    bool local;        /* on loopback alone */
} rt_listening;

/* ADDRESS:PORT, localhost:PORT, [ADDRESS]:PORT; port 0: any. RT_IO: it cannot be listened on. */
rt_code rt_listen(const char *text, rt_listening *out, rt_error *err);
/* As many as `most`, or as there are files for, some left for the log and protoc. Raises the limit where it may. */
unsigned rt_most_connections(unsigned most);

#endif
