/* aws_test.c: the driver of AWS KMS against canned answers: what it sends, as whom, what each refusal is called, that a
 * session that has expired is renewed once. */
#include "runtime/kms/lab.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_sends),         cmocka_unit_test(aws_refusals),     cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(aws_role),          cmocka_unit_test(aws_web_identity), cmocka_unit_test(aws_profiles),
        cmocka_unit_test(aws_session_token), cmocka_unit_test(aws_half),         cmocka_unit_test(aws_broken),
    };
    return cmocka_run_group_tests_name("kms aws", tests, NULL, NULL);
}
