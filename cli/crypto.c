/* crypto.c: --crypto: the library that encrypts. */
#include "cli/crypto.h"

#include "runtime/aead.h"

const char *const cli_cryptos[] = {"auto", "openssl", "ipsec-mb", NULL};

fl_status cli_use_crypto(int crypto)
{
    rt_error e;
    if (rt_crypto_use((rt_crypto)crypto, &e)) {
        fl_log(FL_LOG_ERROR, "%s", e.message);
        return FL_COULD_NOT_RUN;
    }
    fl_log(FL_LOG_INFO, "AES-GCM by %s", rt_crypto_name());
    return FL_OK;
}
