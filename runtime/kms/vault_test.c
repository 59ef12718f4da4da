/* vault_test.c: the driver of Vault against canned answers: what it sends, what each refusal is called, AppRole. */
#include "runtime/kms/lab.h"

static char vault_key[128];

static void vault_client(const char *mount)
{
    snprintf(vault_key, sizeof vault_key, "%s/%s/keys/kek1", server.url, mount);
    me = (client){.names_all = true, .set = {"token.id", own, "request.timeout.ms", "9000"}};
}

static void vault_sends(void **state)
{
    plain_server();
    vault_client("team/a/transit");
    me.set[4] = "namespace", me.set[5] = "ns1/";
    lab_answer(&server, "200 OK", "{\"data\":{\"ciphertext\":\"vault:v1:AAAA\",\"key_version\":1}}");
    lab_answer(&server, "200 OK", "{\"data\":{\"plaintext\":\"a2V5IG1hdGVyaWFs\"}}");
    assert_int_equal(wrap_to("hcvault", vault_key, NULL, "vault:v1:AAAA"), RT_OK);
    assert_int_equal(unwrap_to("hcvault", vault_key, "vault:v1:AAAA", "key material"), RT_OK);
    assert_true(asked(0, "POST /v1/team/a/transit/encrypt/kek1 HTTP/1.1"));
    assert_true(asked(0, "X-Vault-Namespace: ns1/\r\n"));
    assert_true(asked(0, "X-Vault-Request: true\r\n"));
    assert_true(asked(0, own));
    assert_true(asked(0, "{\"plaintext\":\"a2V5IG1hdGVyaWFs\",\"context\":\"\"}"));
    assert_true(asked(1, "POST /v1/team/a/transit/decrypt/kek1 HTTP/1.1"));
    assert_int_equal(unwrap_to("hcvault", vault_key, "something else", NULL), RT_NO_KEY);
    assert_int_equal(server.nasked, 2);
    lab_stop(&server);
}

static void vault_refusals(void **state)
{
    static const refusal rows[] = {
        {"403 No", "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}", "has no right", RT_NO_KEY},
        {"403 No", "{\"errors\":[\"permission denied\",\"invalid token\"]}", "has no right", RT_NO_KEY},
        {"403 No", "{\"errors\":[\"invalid token\"]}", "expired", RT_NO_KEY},
        {"400 Bad", "{\"errors\":[\"encryption key not found\"]}", "no such key", RT_NO_KEY},
        {"400 Bad", "{\"errors\":[\"invalid ciphertext: could not decode\"]}", "does not open", RT_NO_KEY},
        {"400 Bad", "{\"errors\":[\"cipher: message authentication failed\"]}", "does not open", RT_NO_KEY},
        {"404 Where", "{\"errors\":[]}", "no such key", RT_NO_KEY},
        {"429 Slow", "{\"errors\":[\"request path \"]}", "throttled", RT_IO},
        {"503 Sealed", "{\"errors\":[\"Vault is sealed\"]}", "Vault is sealed", RT_IO},
        {"200 OK", "{\"data\":{}}", "without data/plaintext", RT_NO_KEY},
        {"200 OK", "{\"data\":{\"plaintext\":\"???\"}}", "no base64", RT_NO_KEY},
    };
    plain_server();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        vault_client("transit");
        refusals(&rows[i], 1, "hcvault", vault_key, "vault:v1:AAAA", false);
    }
    lab_stop(&server);
}

/* One login serves both calls; one that is refused is followed by one more login. */
static void vault_approle(void **state)
{
    plain_server();
    vault_client("transit");
    me = (client){.names_all = true, .set = {"approle.role.id", "role", "approle.secret.id", own}};
#define LOGIN(t) "{\"auth\":{\"client_token\":\"" t "\",\"lease_duration\":3600}}"
#define DONE     "{\"data\":{\"ciphertext\":\"vault:v1:AAAA\"}}"
    lab_answer(&server, "200 OK", LOGIN("tok1"));
    lab_answer(&server, "200 OK", DONE);
    lab_answer(&server, "200 OK", DONE);
    lab_answer(&server, "403 No", "{\"errors\":[\"permission denied\"]}");
    lab_answer(&server, "200 OK", LOGIN("tok2"));
    lab_answer(&server, "200 OK", DONE);
    lab_answer(&server, "403 No", "{\"errors\":[\"permission denied\"]}");
    lab_answer(&server, "200 OK", LOGIN("tok3"));
    lab_answer(&server, "403 No", "{\"errors\":[\"permission denied\"]}");
    for (int i = 0; i < 3; i++)
        assert_int_equal(wrap_to("hcvault", vault_key, NULL, "vault:v1:AAAA"), RT_OK);
    assert_int_equal(wrap_to("hcvault", vault_key, NULL, NULL), RT_NO_KEY);
    assert_int_equal(server.nasked, 9);
    assert_true(asked(0, "POST /v1/auth/approle/login"));
    assert_true(asked(0, "{\"role_id\":\"role\",\"secret_id\":\"secret-"));
    assert_true(asked(2, "X-Vault-Token: tok1"));
    assert_true(asked(5, "X-Vault-Token: tok2"));
    assert_true(asked(8, "X-Vault-Token: tok3"));
    lab_answer(&server, "400 Bad", "{\"errors\":[\"invalid role or secret ID\"]}");
    me.set[1] = "other role";
    assert_int_equal(wrap_to("hcvault", vault_key, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "AppRole login: the credentials are refused"));
    lab_stop(&server);
}

static void vault_opening(void **state)
{
    static const char *bad[] = {"https://h/keys/k",
                                "https://h/transit/k",
                                "ftp://h/transit/keys/k",
                                "https://h/a/../keys/k",
                                "https://h/transit/keys/",
                                "https://h/transit/keys/a?b",
                                "https://u@h/transit/keys/k",
                                "https://h/%2e/keys/k",
                                "",
                                "transit/keys/k"};
    me = (client){.names_all = true, .set = {"token.id", "t"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0] - 1; i++) {
        assert_int_equal(wrap_to("hcvault", bad[i], NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, "not of the form"));
    }
    me = (client){.names_all = true, .set = {"token.id", "t", "ssl.truststore.location", "/x.jks"}};
    assert_int_equal(wrap_to("hcvault", "https://h/transit/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "ssl.ca.location"));
    me = (client){.names_all = true, .set = {"token.id", "t", "ssl.keystore.location", "/x.jks"}};
    assert_int_equal(wrap_to("hcvault", "https://h/transit/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "ssl.certificate.location"));
    me = (client){.names_all = true, .set = {"token.id", "t", "ssl.ca.location", "/no/such/file"}};
    assert_int_equal(wrap_to("hcvault", "https://h/transit/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "/no/such/file"));
    me = (client){.names_all = true, .set = {"token.id", "t", "request.timeout.ms", "soon"}};
    assert_int_equal(wrap_to("hcvault", "https://h/transit/keys/k", NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "request.timeout.ms"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vault_sends),
        cmocka_unit_test(vault_refusals),
        cmocka_unit_test(vault_approle),
        cmocka_unit_test(vault_opening),
    };
    return cmocka_run_group_tests_name("kms vault", tests, NULL, NULL);
}
