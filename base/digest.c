/* digest.c: SHA-256 of what is written to a file or named by one. */
#include <openssl/sha.h>

#include "base/text.h"

void fl_sha256_hex(char out[65], const void *p, size_t n)
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    SHA256(p, n, md);
    fl_hex(out, md, sizeof md);
}
