/* drivers_test.c: the drivers of key services against canned answers: what they send, what each refusal is called, that
 * a session or token that has expired is renewed once, that nothing is called which nobody named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "runtime/http_lab.h"
#include "runtime/kek_kms.h"

/* Parameters and variables: "name", "value", …, NULL. */
typedef struct client {
    const char *set[24];
    bool names_all;
} client;

static lab_server server;
static client me;
static rt_error err;
static unsigned round_; /* makes credentials differ between tests: tokens are the process's */
static char own[64];

static const char *look(const char *name)
{
    for (size_t i = 0; i < 24 && me.set[i]; i += 2)
        if (!strcmp(me.set[i], name))
            return me.set[i + 1];
    return NULL;
}

static fl_secret found(const char *v)
{
    return v ? fl_secret_copy(v, strlen(v)) : (fl_secret){0};
}

static fl_secret get(void *ctx, const char *kek, const char *name)
{
    const char *v = look(name);
    if (v && !strcmp(v, "broken"))
        return (fl_secret){0};
    return found(v);
}

static fl_secret env(void *ctx, const char *name)
{
    return found(look(name));
}

/* A parameter whose value is "broken" is set, and cannot be had. */
static rt_code check(void *ctx, const char *kek, const char *name, rt_error *e)
{
    const char *v = look(name);
    return v && !strcmp(v, "broken") ? rt_fail(e, RT_NO_KEY, "no such variable") : RT_OK;
}

static bool may_call(void *ctx, const char *type, const char *key_id)
{
    return me.names_all;
}

static void plain_server(void)
{
    lab_start(&server);
    err = (rt_error){0};
    snprintf(own, sizeof own, "secret-%u", ++round_);
}

static void tls_server(void)
{
    lab_start_tls(&server);
    err = (rt_error){0};
    snprintf(own, sizeof own, "secret-%u", ++round_);
}

static rt_code use(const char *type, const char *id, const char *props, const char *wrapped, fl_buf *out,
                   fl_secret *plain)
{
    rt_kek kek = {.name = "crm", .kms_type = type, .kms_key_id = id, .props = props};
    rt_params p = {.get = get, .env = env, .may_call = may_call, .check = check};
    fl_secret key = fl_secret_copy("key material", 12);
    rt_kms *kms;
    rt_code code = rt_kek_kms_open(&kek, &p, &kms, &err);
    if (code == RT_OK) {
        code = wrapped ? kms->unwrap(kms, (const uint8_t *)wrapped, strlen(wrapped), plain, &err)
                       : kms->wrap(kms, &key, out, &err);
        kms->free(kms);
    }
    fl_secret_free(&key);
    return code;
}

static rt_code wrap_to(const char *type, const char *id, const char *props, const char *want)
{
    fl_buf out;
    fl_buf_init(&out, 10000);
    rt_code code = use(type, id, props, NULL, &out, NULL);
    if (want && code == RT_OK)
        assert_string_equal(out.p, want);
    if (code != RT_OK)
        assert_int_equal(out.len, 0);
    fl_buf_free(&out);
    return code;
}

static rt_code unwrap_to(const char *type, const char *id, const char *wrapped, const char *want)
{
    fl_secret plain = {0};
    rt_code code = use(type, id, NULL, wrapped, NULL, &plain);
    if (want && code == RT_OK) {
        assert_int_equal(plain.len, strlen(want));
        assert_memory_equal(plain.bytes, want, plain.len);
    }
    assert_int_equal(plain.bytes != NULL, code == RT_OK);
    fl_secret_free(&plain);
    return code;
}

static bool asked(size_t i, const char *text)
{
    return i < server.nasked && strstr(server.asked[i], text);
}

/* ---- what each answer is called ---- */

#define TOKEN "{\"access_token\":\"tok\",\"expires_in\":3599}"

typedef struct refusal {
    const char *head, *body, *says;
    rt_code code;
} refusal;

static void refusals(const refusal *rows, size_t n, const char *type, const char *id, const char *wrapped, bool login)
{
    for (size_t i = 0; i < n; i++) {
        bool renewed = login && !strncmp(rows[i].head, "401", 3);
        if (login)
            lab_answer(&server, "200 OK", TOKEN);
        for (int k = 0; k < 4; k++) { /* as often as it may be tried */
            lab_answer(&server, rows[i].head, rows[i].body);
            if (renewed)
                lab_answer(&server, "200 OK", TOKEN);
        }
        rt_code code = wrapped ? unwrap_to(type, id, wrapped, NULL) : wrap_to(type, id, NULL, NULL);
        assert_int_equal(code, rows[i].code);
        assert_int_equal(rt_exit_status(code), FL_COULD_NOT_RUN);
        assert_non_null(strstr(err.message, rows[i].says));
        assert_non_null(strstr(err.message, "KEK crm"));
        assert_null(strstr(err.message, own));
        lab_stop(&server);
        login ? tls_server() : plain_server();
    }
}

/* ---- AWS ---- */

#define ARN       "arn:aws:kms:eu-west-1:123456789012:key/1a1702be-a9b7-4ce1-9241-6c64db82ca97"
#define OTHER_ARN "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"

static void aws_client(void)
{
    me = (client){.names_all = true,
                  .set = {"access.key.id", "AKID", "secret.access.key", own, "AWS_ENDPOINT_URL", server.url,
                          "request.timeout.ms", "9000"}};
}

static void aws_sends(void **state)
{
    plain_server();
    aws_client();
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\",\"KeyId\":\"" ARN "\"}");
    lab_answer(&server, "200 OK", "{\"Plaintext\":\"a2V5IG1hdGVyaWFs\",\"KeyId\":\"" ARN "\"}");
    lab_answer(&server, "200 OK", "{\"Plaintext\":\"a2V5IG1hdGVyaWFs\",\"KeyId\":\"" OTHER_ARN "\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(unwrap_to("aws-kms", ARN, "wrapped", "key material"), RT_OK);
    assert_int_equal(unwrap_to("aws-kms", ARN, "wrapped", NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "another key"));
    assert_true(asked(0, "POST / HTTP/1.1"));
    assert_true(asked(0, "X-Amz-Target: TrentService.Encrypt"));
    assert_true(asked(0, "Content-Type: application/x-amz-json-1.1"));
    assert_true(asked(0, "/eu-west-1/kms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target,"));
    assert_true(asked(0, "\r\n\r\n{\"KeyId\":\"" ARN "\",\"Plaintext\":\"a2V5IG1hdGVyaWFs\"}"));
    assert_true(asked(1, "X-Amz-Target: TrentService.Decrypt"));
    assert_true(asked(1, "\"CiphertextBlob\":\"d3JhcHBlZA==\""));
    lab_stop(&server);
}

static void aws_refusals(void **state)
{
#define AWS(code) "{\"__type\":\"" code "\",\"message\":\"why\"}"
    static const refusal rows[] = {
        {"400 Bad", AWS("AccessDeniedException"), "access denied", RT_NO_KEY},
        {"400 Bad", AWS("com.amazonaws.kms#DisabledException"), "disabled", RT_NO_KEY},
        {"400 Bad", AWS("KMSInvalidStateException"), "disabled or about to be deleted", RT_NO_KEY},
        {"400 Bad", AWS("InvalidCiphertextException"), "does not open", RT_NO_KEY},
        {"400 Bad", AWS("IncorrectKeyException"), "does not open", RT_NO_KEY},
        {"400 Bad", AWS("NotFoundException:http://x"), "no such key", RT_NO_KEY},
        {"400 Bad", AWS("UnrecognizedClientException"), "credentials are refused", RT_NO_KEY},
        {"400 Bad", AWS("ExpiredTokenException"), "expired", RT_NO_KEY},
        {"400 Bad", AWS("ThrottlingException"), "throttled", RT_IO},
        {"503 Busy", "", "not available", RT_IO},
        {"403 No", "<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>", "credentials are refused",
         RT_NO_KEY},
        {"500 Odd", "<html>", "not available", RT_IO},
        {"400 Bad", "no JSON", "the service refuses", RT_NO_KEY},
        {"200 OK", "{}", "without a CiphertextBlob", RT_NO_KEY},
        {"200 OK", "{\"CiphertextBlob\":\"%\"}", "without a CiphertextBlob", RT_NO_KEY},
    };
    plain_server();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        aws_client();
        refusals(&rows[i], 1, "aws-kms", ARN, NULL, false);
    }
    lab_stop(&server);
}

/* A service that repeats what it was sent is not repeated. */
static void keeps_secrets(void **state)
{
    char body[200];
    plain_server();
    aws_client();
    snprintf(body, sizeof body, "{\"__type\":\"AccessDeniedException\",\"message\":\"you sent %s\"}", own);
    lab_answer(&server, "400 Bad", body);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_null(strstr(err.message, own));
    assert_non_null(strstr(err.message, "AccessDeniedException"));
    lab_stop(&server);
}

#define SESSION(n)                                                                                                     \
    "<R><Credentials><AccessKeyId>ASIA" n "</AccessKeyId><SecretAccessKey>s" n "</SecretAccessKey><SessionToken>t" n   \
    "</SessionToken></Credentials></R>"

/* A role is assumed once; a session that the service calls expired is renewed once. */
static void aws_role(void **state)
{
    plain_server();
    aws_client();
    me.set[8] = "role.arn", me.set[9] = "arn:aws:iam::1:role/r";
    me.set[10] = "role.external.id", me.set[11] = "e&x";
    lab_answer(&server, "200 OK", SESSION("1"));
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    lab_answer(&server, "400 Bad", "{\"__type\":\"ExpiredTokenException\"}");
    lab_answer(&server, "200 OK", SESSION("2"));
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(server.nasked, 5);
    assert_true(asked(0, "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
                         "role%2Fr&RoleSessionName=confluent-encrypt&ExternalId=e%26x"));
    assert_true(asked(0, "/eu-west-1/sts/aws4_request"));
    assert_true(asked(1, "Credential=ASIA1/"));
    assert_true(asked(1, "X-Amz-Security-Token: t1"));
    assert_true(asked(4, "Credential=ASIA2/"));
    lab_stop(&server);
}

static void write_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/flec-kms-XXXXXX");
    FILE *f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void aws_web_identity(void **state)
{
    char path[64], text[80];
    plain_server();
    snprintf(text, sizeof text, " jwt.%s\n", own);
    write_file(path, text);
    me = (client){.names_all = true,
                  .set = {"AWS_WEB_IDENTITY_TOKEN_FILE", path, "AWS_ROLE_ARN", "arn:aws:iam::1:role/web", "role.arn",
                          "arn:aws:iam::1:role/web", "AWS_ENDPOINT_URL", server.url}};
    lab_answer(&server, "200 OK", SESSION("9"));
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_true(asked(0, "Action=AssumeRoleWithWebIdentity"));
    assert_true(asked(0, "&WebIdentityToken=jwt.secret-"));
    assert_false(asked(0, "Authorization"));
    assert_true(asked(1, "Credential=ASIA9/"));
    assert_int_equal(server.nasked, 2); /* the role of the environment is the web identity's own */
    unlink(path);
    lab_stop(&server);
}

/* Which keys sign: profile files, and what goes before what. */
static void signs_as(const char *id)
{
    char text[64];
    plain_server();
    for (size_t i = 0; i < 24; i += 2)
        if (me.set[i] && !strcmp(me.set[i], "AWS_ENDPOINT_URL"))
            me.set[i + 1] = server.url;
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    rt_code code = wrap_to("aws-kms", ARN, NULL, NULL);
    assert_int_equal(code == RT_OK, id != NULL);
    snprintf(text, sizeof text, "Credential=%s/", id ? id : "");
    if (id)
        assert_true(asked(0, text));
    lab_stop(&server);
}

static void aws_profiles(void **state)
{
    char credentials[64], config[64];
    write_file(credentials, "; comment\n[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key=s1\n\n"
                            "[ work ]\r\naws_access_key_id=OLD\r\naws_access_key_id=AKWORK\r\n"
                            "aws_secret_access_key = s=2 \r\n[half]\naws_access_key_id = X\n");
    write_file(config, "[profile conf]\naws_access_key_id = AKCONF\naws_secret_access_key = s3\n"
                       "[profile program]\ncredential_process = /bin/rm\n[nothing]\naws_access_key_id=N\n");
#define FILES "AWS_SHARED_CREDENTIALS_FILE", credentials, "AWS_CONFIG_FILE", config, "AWS_ENDPOINT_URL", ""
    me = (client){.names_all = true, .set = {FILES}};
    signs_as("AKDEFAULT");
    me = (client){.names_all = true, .set = {FILES, "profile", "work"}};
    signs_as("AKWORK");
    me = (client){.names_all = true, .set = {FILES, "profile", "conf"}};
    signs_as("AKCONF");
    me = (client){.names_all = true, .set = {FILES, "profile", "half"}};
    signs_as(NULL);
    assert_non_null(strstr(err.message, "half"));
    me = (client){.names_all = true, .set = {FILES, "profile", "program"}};
    signs_as(NULL);
    assert_non_null(strstr(err.message, "credential_process"));
    me = (client){.names_all = true, .set = {FILES, "profile", "nothing"}};
    signs_as(NULL);
    assert_non_null(strstr(err.message, "no AWS profile nothing"));
    /* keys of the environment go before its profile, and behind one that the settings name */
#define KEYS "access.key.id", "AKENV", "secret.access.key", "s", "AWS_ACCESS_KEY_ID", "AKENV"
    me = (client){.names_all = true, .set = {FILES, KEYS, "profile", "work", "AWS_PROFILE", "work"}};
    signs_as("AKENV");
    me = (client){.names_all = true, .set = {FILES, KEYS, "profile", "work"}};
    signs_as("AKWORK");
    unlink(credentials);
    unlink(config);
}

/* AWS_SESSION_TOKEN belongs to AWS_ACCESS_KEY_ID, and to no other key. */
static void aws_session_token(void **state)
{
    plain_server();
    me = (client){.names_all = true,
                  .set = {"access.key.id", "ASIA", "secret.access.key", own, "AWS_ENDPOINT_URL", server.url,
                          "AWS_ACCESS_KEY_ID", "ASIA", "AWS_SESSION_TOKEN", "the-token"}};
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_OK);
    me.set[1] = "AKID";
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_OK);
    assert_true(asked(0, "X-Amz-Security-Token: the-token"));
    assert_false(asked(1, "the-token"));
    lab_stop(&server);
}

static void aws_half(void **state)
{
    plain_server();
    me = (client){.names_all = true, .set = {"access.key.id", "AKID", "AWS_ENDPOINT_URL", server.url}};
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "secret.access.key is not"));
    assert_int_equal(server.nasked, 0);
    lab_stop(&server);
}

/* Keys that cannot be had are not replaced by a profile's. */
static void aws_broken(void **state)
{
    char path[64];
    plain_server();
    write_file(path, "[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key=s1\n");
    me = (client){.names_all = true,
                  .set = {"access.key.id", "broken", "secret.access.key", "broken", "AWS_ENDPOINT_URL", server.url,
                          "AWS_SHARED_CREDENTIALS_FILE", path}};
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "parameter secret.access.key: no such variable"));
    me.set[1] = "AKID";
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "parameter secret.access.key: no such variable"));
    assert_int_equal(server.nasked, 0);
    unlink(path);
    lab_stop(&server);
}

/* ---- Vault ---- */

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

/* ---- Azure ---- */

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

/* ---- Google ---- */

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

/* ---- what a registry says of a KEK ---- */

/* A key id that nobody named is refused before anything is called, as the KEK's own and as an alternate. */
static void nobody_named_it(void **state)
{
    static const char *types[] = {"aws-kms", "azure-kms", "gcp-kms", "hcvault"};
    plain_server();
    aws_client();
    me.names_all = false;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(wrap_to(types[i], ARN, NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, ARN));
        assert_non_null(strstr(err.message, "nothing is called"));
    }
    assert_int_equal(server.nasked, 0);
    lab_stop(&server);
}

static bool first_only(void *ctx, const char *type, const char *key_id)
{
    return !strcmp(key_id, ARN);
}

static void alternate_not_named(void **state)
{
    rt_kek kek = {.name = "crm",
                  .kms_type = "aws-kms",
                  .kms_key_id = ARN,
                  .props = "{\"encrypt.alternate.kms.key.ids\":\"" OTHER_ARN "\"}"};
    rt_params p = {.get = get, .env = env, .may_call = first_only};
    rt_kms *kms;
    plain_server();
    aws_client();
    assert_int_equal(rt_kek_kms_open(&kek, &p, &kms, &err), RT_NO_KEY);
    assert_non_null(strstr(err.message, OTHER_ARN));
    lab_stop(&server);
}

/* kmsProps of a key service's KEK say neither who is asked nor who is trusted; alternates count. */
static void props_are_not_trusted(void **state)
{
    plain_server();
    aws_client();
    lab_answer(&server, "400 Bad", "{\"__type\":\"DisabledException\"}");
    lab_answer(&server, "200 OK", "{\"CiphertextBlob\":\"d3JhcHBlZA==\"}");
    assert_int_equal(wrap_to("aws-kms", ARN,
                             "{\"access.key.id\":\"EVIL\",\"role.arn\":\"arn:evil\",\"ssl.ca.location\":\"/evil\","
                             "\"encrypt.alternate.kms.key.ids\":\"" OTHER_ARN "\"}",
                             "wrapped"),
                     RT_OK);
    assert_int_equal(server.nasked, 2);
    assert_true(asked(0, "Credential=AKID/"));
    assert_true(asked(1, "{\"KeyId\":\"" OTHER_ARN "\""));
    lab_stop(&server);
}

static void time_out(void **state)
{
    plain_server();
    aws_client();
    me.set[7] = "300";
    lab_silence(&server);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_IO);
    assert_non_null(strstr(err.message, "time-out"));
    assert_non_null(strstr(err.message, "KEK crm"));
    lab_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_sends),
        cmocka_unit_test(aws_refusals),
        cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(aws_role),
        cmocka_unit_test(aws_web_identity),
        cmocka_unit_test(aws_profiles),
        cmocka_unit_test(aws_session_token),
        cmocka_unit_test(aws_half),
        cmocka_unit_test(aws_broken),
        cmocka_unit_test(vault_sends),
        cmocka_unit_test(vault_refusals),
        cmocka_unit_test(vault_approle),
        cmocka_unit_test(vault_opening),
        cmocka_unit_test(azure_sends),
        cmocka_unit_test(azure_versions),
        cmocka_unit_test(azure_refusals),
        cmocka_unit_test(azure_login_refused),
        cmocka_unit_test(azure_identities),
        cmocka_unit_test(azure_opening),
        cmocka_unit_test(gcp_sends),
        cmocka_unit_test(gcp_refusals),
        cmocka_unit_test(gcp_opening),
        cmocka_unit_test(nobody_named_it),
        cmocka_unit_test(alternate_not_named),
        cmocka_unit_test(props_are_not_trusted),
        cmocka_unit_test(time_out),
    };
    return cmocka_run_group_tests_name("drivers", tests, NULL, NULL);
}
