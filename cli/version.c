/* version.c: the program's version, commit and libraries. */
#include "cli/version.h"

#include <curl/curl.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <openssl/crypto.h>
#include <stdio.h>

#include "cli/commit.h"
#include "runtime/aead.h"

void cli_print_version(void)
{
    printf("flec %s (%s)\n", FLEC_VERSION, FLEC_COMMIT);
    printf("jansson %s, %s, libcurl %s, librdkafka %s\n", jansson_version_str(), OpenSSL_version(OPENSSL_VERSION),
           curl_version_info(CURLVERSION_NOW)->version, rd_kafka_version_str());
    printf("AES-GCM by %s\n", rt_crypto_name());
}
