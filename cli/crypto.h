/* crypto.h: --crypto: the library that encrypts, for the commands that do. */
#ifndef FLEC_CLI_CRYPTO_H
#define FLEC_CLI_CRYPTO_H

#include "base/base.h"

extern const char *const cli_cryptos[]; /* as rt_crypto */
#define CLI_CRYPTO_HELP "the library of AES-GCM (auto: ipsec-mb where it can be used, else openssl)"

/* Chooses it for the process, and says which at the log's level info. Exit status 4 where it cannot be used. */
fl_status cli_use_crypto(int crypto);

#endif
