/* must.h: what has to hold in a fuzz target. */
#ifndef FLEC_FUZZ_MUST_H
#define FLEC_FUZZ_MUST_H

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* OpenSSL's generators of random bytes are made before its secure heap: what they point to from there is out of the
 * leak check's sight. To be called before anything else. */
static inline void random_in_sight(void)
{
    unsigned char byte;
    MUST(RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1);
}

#endif
