/* digest.c: SHA-256 of what is written to a file or named by one. */
#include <openssl/evp.h>
#include <pthread.h>

#include "base/status.h"
#include "base/text.h"

static EVP_MD *sha256; /* kept: OpenSSL looks for it anew with each SHA256() */

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

void fl_sha256_hex(char out[65], const void *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned char md[32];
    unsigned len = 0;
    pthread_once(&once, fetch);
    if (!sha256 || !EVP_Digest(p, n, md, &len, sha256, NULL) || len != sizeof md)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no SHA-256: out of memory?");
    fl_hex(out, md, sizeof md);
}
