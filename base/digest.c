/* digest.c: SHA-256 of what is written to a file or named by one. */
#include <openssl/sha.h>

#include "base/status.h"
#include "base/text.h"

void fl_sha256_hex(char out[65], const void *p, size_t n)
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    if (!SHA256(p, n, md)) /* no memory: what is left in md is no digest */
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no SHA-256: out of memory?");
    fl_hex(out, md, sizeof md);
}
