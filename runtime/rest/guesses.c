/* guesses.c: how often an address may try a password: a bucket of tries for each, in a table of a fixed size. */
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/users.h"

enum { SETS = 256, WAYS = 8, ADDRESS = 16 };

typedef struct bucket {
    uint8_t address[ADDRESS];
    int64_t full_at; /* ms: when all tries are there again; 0: an unused place */
} bucket;

struct rt_guesses {
    uint64_t seed; /* nobody can aim at a set */
    bucket sets[SETS][WAYS];
};

#define EACH_MS (RT_GUESS_S * INT64_C(1000))
#define ALL_MS  (RT_GUESSES * EACH_MS)

rt_guesses *rt_guesses_new(void)
{
    rt_guesses *g = fl_xcalloc(1, sizeof *g);
    if (RAND_bytes((unsigned char *)&g->seed, sizeof g->seed) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes");
    return g;
}

void rt_guesses_free(rt_guesses *g)
{
    free(g);
}

static void address_of(const struct sockaddr *from, uint8_t out[ADDRESS])
{
    memset(out, 0, ADDRESS);
    if (from && from->sa_family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)from)->sin_addr, 4);
        out[ADDRESS - 1] = 4;
    } else if (from && from->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)from)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(a);
        memcpy(out, mapped ? a->s6_addr + 12 : a->s6_addr, mapped ? 4 : 8);
        out[ADDRESS - 1] = mapped ? 4 : 6;
    }
}

/* The place of an address: its own, or the one that will be full soonest, emptied. */
static bucket *place(rt_guesses *g, const struct sockaddr *from, int64_t now)
{
    uint8_t address[ADDRESS];
    uint64_t h = g->seed ^ UINT64_C(0xcbf29ce484222325);
    address_of(from, address);
    for (size_t i = 0; i < ADDRESS; i++)
        h = (h ^ address[i]) * UINT64_C(0x100000001b3);
    bucket *set = g->sets[(h ^ h >> 32) % SETS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].full_at && !memcmp(set[i].address, address, ADDRESS))
            return &set[i];
        oldest = set[i].full_at < oldest->full_at ? &set[i] : oldest;
    }
    memcpy(oldest->address, address, ADDRESS);
    oldest->full_at = now;
    return oldest;
}

int rt_guesses_take(rt_guesses *g, const struct sockaddr *from, int64_t now)
{
    bucket *b = place(g, from, now);
    int64_t base = b->full_at > now ? b->full_at : now;
    if (base + EACH_MS > now + ALL_MS)
        return (int)((base + EACH_MS - now - ALL_MS + 999) / 1000);
    b->full_at = base + EACH_MS;
    return 0;
}

void rt_guesses_give_back(rt_guesses *g, const struct sockaddr *from, int64_t now)
{
    bucket *b = place(g, from, now);
    if (b->full_at > now)
        b->full_at = b->full_at - EACH_MS > now ? b->full_at - EACH_MS : now;
}
