/* gcp_test.c: the driver of Google Cloud KMS against canned answers: what it sends, what each refusal is called. */
#include "runtime/kms/lab.h"

#define CRYPTO_KEY "projects/p1/locations/global/keyRings/r1/cryptoKeys/k1"

static void gcp_client(lab_server *metadata)
{
    me = (client){.names_all = true,
                  .set = {"GCE_METADATA_HOST", metadata->url + 7, "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS",
                          server.url, "request.timeout.ms", "9000"}};
}

static void gcp_sends(void **state)
{
    lab_server metadata;
    plain_server();
    lab_start(&metadata);
    gcp_client(&metadata);
    lab_answer(&metadata, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"name\":\"n\",\"ciphertext\":\"d3JhcHBlZA==\"}");
    lab_answer(&server, "200 OK", "{\"plaintext\":\"MTIzNDU2Nzg5\",\"plaintextCrc32c\":\"3808858755\"}");
    lab_answer(&server, "200 OK", "{\"plaintext\":\"MTIzNDU2Nzg5\",\"plaintextCrc32c\":\"3808858756\"}");
    assert_int_equal(wrap_to("gcp-kms", CRYPTO_KEY "/cryptoKeyVersions/3", NULL, "wrapped"), RT_OK);
    assert_int_equal(unwrap_to("gcp-kms", CRYPTO_KEY "/cryptoKeyVersions/3", "wrapped", "123456789"), RT_OK);
    assert_int_equal(unwrap_to("gcp-kms", CRYPTO_KEY, "wrapped", NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "checksum"));
    assert_non_null(strstr(metadata.asked[0], "Metadata-Flavor: Google"));
    assert_int_equal(metadata.nasked, 1);
    assert_true(asked(0, "POST /v1/" CRYPTO_KEY "/cryptoKeyVersions/3:encrypt HTTP"));
    assert_true(asked(0, "Authorization: Bearer tok"));
    assert_true(asked(0, "{\"plaintext\":\"a2V5IG1hdGVyaWFs\",\"plaintextCrc32c\":\""));
    assert_true(asked(1, "POST /v1/" CRYPTO_KEY ":decrypt HTTP"));
    lab_stop(&metadata);
    lab_stop(&server);
}

static void gcp_refusals(void **state)
{
#define GO(status, text) "{\"error\":{\"code\":1,\"message\":\"" text "\",\"status\":\"" status "\"}}"
    static const refusal rows[] = {
        {"401 Who", GO("UNAUTHENTICATED", "m"), "credentials are refused", RT_NO_KEY},
        {"403 No", GO("PERMISSION_DENIED", "m"), "access denied", RT_NO_KEY},
        {"404 Where", GO("NOT_FOUND", "m"), "no such key", RT_NO_KEY},
        {"400 Bad", GO("FAILED_PRECONDITION", "k is not enabled, current state is: DISABLED."), "disabled", RT_NO_KEY},
        {"400 Bad", GO("INVALID_ARGUMENT", "Decryption failed"), "does not open", RT_NO_KEY},
        {"429 Slow", GO("RESOURCE_EXHAUSTED", "quota"), "throttled", RT_IO},
        {"503 Busy", GO("UNAVAILABLE", "m"), "not available", RT_IO},
        {"200 OK", "{}", "without a plaintext", RT_NO_KEY},
    };
    lab_server metadata;
    lab_start(&metadata);
    plain_server();
    for (int i = 0; i < 4; i++)
        lab_answer(&metadata, "200 OK", TOKEN);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gcp_client(&metadata);
        refusals(&rows[i], 1, "gcp-kms", CRYPTO_KEY, "wrapped", false);
    }
    lab_stop(&metadata);
    lab_stop(&server);
}

static void gcp_opening(void **state)
{
    static const char *bad[] = {"projects/p/locations/l/keyRings/r",
                                CRYPTO_KEY "/",
                                CRYPTO_KEY "/x/1",
                                "projects/p/locations/l/keyRings/../cryptoKeys/k",
                                CRYPTO_KEY ":encrypt",
                                "projects/p?/locations/l/keyRings/r/cryptoKeys/k"};
    me = (client){.names_all = true, .set = {"client.id", "1", "client.email", "e", "private.key.id", "k"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(wrap_to("gcp-kms", bad[i], NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, "not of the form"));
    }
    assert_int_equal(wrap_to("gcp-kms", CRYPTO_KEY, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "private.key is missing"));
    me.set[6] = "private.key", me.set[7] = "no PEM";
    assert_int_equal(wrap_to("gcp-kms", CRYPTO_KEY, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "no RSA key"));
    me.set[8] = "account.type", me.set[9] = "user";
    assert_int_equal(wrap_to("gcp-kms", CRYPTO_KEY, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "account.type"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gcp_sends),
        cmocka_unit_test(gcp_refusals),
        cmocka_unit_test(gcp_opening),
    };
    return cmocka_run_group_tests_name("kms gcp", tests, NULL, NULL);
}
