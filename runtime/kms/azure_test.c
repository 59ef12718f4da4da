/* azure_test.c: the driver of Azure Key Vault against canned answers: what it sends, versions of keys, what each
 * refusal is called, identities. */
#include "runtime/kms/lab.h"

#define V1 "0123456789abcdef0123456789ABCDEF"
static char azure_key[160];

static void azure_client(const char *tail)
{
    snprintf(azure_key, sizeof azure_key, "%s/keys/k1%s", server.url, tail);
    me = (client){.names_all = true,
                  .set = {"tenant.id", "ten", "client.id", "cli", "client.secret", own, "azure.resource",
                          "https://vault.azure.net", "AZURE_AUTHORITY_HOST", server.url, "ssl.ca.location", server.ca,
                          "request.timeout.ms", "9000"}};
}

static void azure_sends(void **state)
{
    tls_server();
    azure_client("/" V1);
    lab_answer(&server, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"kid\":\"x\",\"value\":\"d3JhcHBlZA\"}");
    lab_answer(&server, "200 OK", "{\"value\":\"a2V5IG1hdGVyaWFs\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, "wrapped"), RT_OK);
    assert_int_equal(unwrap_to("azure-kms", azure_key, "wrapped", "key material"), RT_OK);
    assert_true(asked(0, "POST /ten/oauth2/v2.0/token HTTP/1.1"));
    assert_true(asked(0, "grant_type=client_credentials&client_id=cli&client_secret=secret-"));
    assert_true(asked(0, "&scope=https%3A%2F%2Fvault.azure.net%2F.default"));
    assert_true(asked(1, "POST /keys/k1/" V1 "/encrypt?api-version=7.4"));
    assert_true(asked(1, "Authorization: Bearer tok\r\n"));
    assert_true(asked(1, "{\"alg\":\"RSA-OAEP-256\",\"value\":\"a2V5IG1hdGVyaWFs\"}"));
    assert_true(asked(2, "POST /keys/k1/" V1 "/decrypt?api-version=7.4"));
    assert_int_equal(server.nasked, 3); /* one token */
    lab_stop(&server);
}

/* The version in front of a ciphertext is the one that opens it, whatever the key id says. */
static void azure_versions(void **state)
{
    tls_server();
    azure_client("");
    lab_answer(&server, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"key\":{\"kid\":\"https://evil.example/keys/other/" V1 "\"}}");
    lab_answer(&server, "200 OK", "{\"value\":\"d3JhcHBlZA\"}");
    lab_answer(&server, "200 OK", "{\"value\":\"a2V5IG1hdGVyaWFs\"}");
    assert_int_equal(
        wrap_to("azure-kms", azure_key, "{\"encrypt.azure.key.version.save\":\"true\"}", "azure:v1:" V1 ":wrapped"),
        RT_OK);
    assert_true(asked(1, "GET /keys/k1?api-version=7.4"));
    assert_true(asked(2, "POST /keys/k1/" V1 "/encrypt")); /* here, not where the answer's URL points */
    azure_client("/ffffffffffffffffffffffffffffffff");
    assert_int_equal(unwrap_to("azure-kms", azure_key, "azure:v1:" V1 ":wrapped", "key material"), RT_OK);
    assert_true(asked(3, "POST /keys/k1/" V1 "/decrypt"));
    assert_int_equal(unwrap_to("azure-kms", azure_key, "azure:v1:../../secrets/x/0123456789abcdef:w", NULL), RT_NO_KEY);
    assert_int_equal(unwrap_to("azure-kms", azure_key, "azure:v1:" V1, NULL), RT_NO_KEY);
    assert_int_equal(unwrap_to("azure-kms", azure_key, "azure:v1:" V1 ":", NULL), RT_NO_KEY);
    assert_int_equal(server.nasked, 4);
    lab_stop(&server);
}

static void azure_refusals(void **state)
{
#define AZ(code, text) "{\"error\":{\"code\":\"" code "\",\"message\":\"" text "\"}}"
    static const refusal rows[] = {
        {"401 Who", AZ("Unauthorized", "AKV10032"), "expired", RT_NO_KEY},
        {"403 No",
         "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}",
         "access denied", RT_NO_KEY},
        {"403 No", "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":{\"code\":\"KeyDisabled\"}}}",
         "disabled", RT_NO_KEY},
        {"403 No", AZ("Forbidden", "Operation decrypt is not allowed on a disabled key."), "disabled", RT_NO_KEY},
        {"404 Where", AZ("KeyNotFound", "m"), "no such key", RT_NO_KEY},
        {"400 Bad", AZ("BadParameter", "The parameter is incorrect."), "does not open", RT_NO_KEY},
        {"429 Slow", AZ("Throttled", "m"), "throttled", RT_IO},
        {"503 Busy", "", "not available", RT_IO},
        {"200 OK", "{}", "without a value", RT_NO_KEY},
    };
    tls_server();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        azure_client("/" V1);
        refusals(&rows[i], 1, "azure-kms", azure_key, "wrapped", true);
    }
    lab_stop(&server);
}

static void azure_login_refused(void **state)
{
    tls_server();
    azure_client("/" V1);
    lab_answer(&server, "401 Who", "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: wrong\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "Entra ID: the credentials are refused"));
    lab_answer(&server, "401 Who", "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: old\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "Entra ID: the token or session has expired"));
    lab_stop(&server);
}

/* A managed identity, of the machine and of App Service; a federated token. */
static void azure_identities(void **state)
{
    char path[64], text[80];
    lab_server imds;
    tls_server();
    lab_start(&imds);
    snprintf(azure_key, sizeof azure_key, "%s/keys/k1/" V1, server.url);
    me = (client){.names_all = true,
                  .set = {"azure.resource", "https://vault.azure.net", "AZURE_AUTHORITY_HOST", server.url,
                          "ssl.ca.location", server.ca, "client.id", own, "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                          imds.url}};
    lab_answer(&imds, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"value\":\"d3JhcHBlZA\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, "wrapped"), RT_OK);
    assert_non_null(strstr(imds.asked[0],
                           "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F"
                           "%2Fvault.azure.net&client_id=secret-"));
    assert_non_null(strstr(imds.asked[0], "Metadata: true"));
    me.set[8] = "IDENTITY_ENDPOINT", me.set[9] = imds.url, me.set[10] = "IDENTITY_HEADER", me.set[11] = "hdr-value";
    lab_answer(&imds, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"value\":\"d3JhcHBlZA\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, "wrapped"), RT_OK);
    assert_non_null(strstr(imds.asked[1], "?api-version=2019-08-01&resource="));
    assert_non_null(strstr(imds.asked[1], "X-IDENTITY-HEADER: hdr-value"));
    snprintf(text, sizeof text, "jwt.%s", own);
    write_file(path, text);
    me.set[8] = "tenant.id", me.set[9] = "ten", me.set[10] = "AZURE_FEDERATED_TOKEN_FILE", me.set[11] = path;
    lab_answer(&server, "200 OK", TOKEN);
    lab_answer(&server, "200 OK", "{\"value\":\"d3JhcHBlZA\"}");
    assert_int_equal(wrap_to("azure-kms", azure_key, NULL, "wrapped"), RT_OK);
    assert_true(asked(2, "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&"
                         "client_assertion=jwt.secret-"));
    unlink(path);
    lab_stop(&imds);
    lab_stop(&server);
}

/* Kinds of managed identities that flec does not know are not taken for the machine's. */
static void azure_others(void **state)
{
    static const char *const rows[][5] = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:1", NULL, NULL, "IDENTITY_HEADER"},
                                          {"MSI_ENDPOINT", "http://127.0.0.1:1", NULL, NULL, "Cloud Shell"},
                                          {"IDENTITY_ENDPOINT", "http://127.0.0.1:1", "IMDS_ENDPOINT", "x", "Arc"},
                                          {"IDENTITY_SERVER_THUMBPRINT", "ab", NULL, NULL, "Service Fabric"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        me = (client){.names_all = true, .set = {rows[i][0], rows[i][1], rows[i][2], rows[i][3]}};
        assert_int_equal(wrap_to("azure-kms", "https://v.vault.azure.net/keys/k/" V1, NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, rows[i][4]));
    }
}

static void azure_opening(void **state)
{
    static const char *bad[] = {"http://v.vault.azure.net/keys/k",           "https://v.vault.azure.net/secrets/k",
                                "https://v.vault.azure.net/keys/",           "https://v.vault.azure.net/keys/k/12",
                                "https://v.vault.azure.net/keys/k/" V1 "/x", "https://v.vault.azure.net/keys/k_1",
                                "https://v.vault.azure.net@h/keys/k"};
    me = (client){.names_all = true, .set = {"tenant.id", "t", "client.id", "c"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(wrap_to("azure-kms", bad[i], NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, "not of the form"));
    }
    assert_int_equal(wrap_to("azure-kms", "https://vault.azure.net.evil.example/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "no host of Azure Key Vault"));
    assert_int_equal(wrap_to("azure-kms", "https://v.vault.azure.net/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "client.secret is missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(azure_sends),         cmocka_unit_test(azure_versions),   cmocka_unit_test(azure_refusals),
        cmocka_unit_test(azure_login_refused), cmocka_unit_test(azure_identities), cmocka_unit_test(azure_opening),
        cmocka_unit_test(azure_others),
    };
    return cmocka_run_group_tests_name("kms azure", tests, NULL, NULL);
}
