/* aws_machine_test.c: credentials of a container's and of a machine's own service: what is asked, what is kept, what is
 * refused before anything is called. */
#include <time.h>

#include "runtime/kms/lab.h"

#define WRAPPED "{\"CiphertextBlob\":\"d3JhcHBlZA==\",\"KeyId\":\"" ARN "\"}"

static lab_server machine;
static char made[4][400];

/* An answer with credentials that end in so many seconds. */
static const char *credentials(const char *id, int life_s)
{
    static size_t n;
    char when[32];
    struct tm t;
    time_t at = time(NULL) + life_s;
    gmtime_r(&at, &t);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &t);
    char *out = made[n++ % 4];
    snprintf(out, sizeof made[0],
             "{\"Code\":\"Success\",\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"k\",\"Token\":\"session-%s\","
             "\"Expiration\":\"%s\"}",
             id, id, when);
    return out;
}

static void start(void)
{
    plain_server();
    lab_start(&machine);
    me = (client){.names_all = true, .set = {"AWS_ENDPOINT_URL", server.url, "request.timeout.ms", "9000"}};
}

static void stop(void)
{
    lab_stop(&machine);
    lab_stop(&server);
}

static void container_is(char url[100], const char *path)
{
    snprintf(url, 100, "%s%s", machine.url, path);
    me.set[4] = "AWS_CONTAINER_CREDENTIALS_FULL_URI", me.set[5] = url;
}

/* The token's file is sent as it is at that time; credentials are kept, and got anew once when AWS says that they have
 * expired. */
static void container(void **state)
{
    char url[100], path[64];
    start();
    write_file(path, own);
    container_is(url, "/v1/credentials");
    me.set[6] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", me.set[7] = path;
    lab_answer(&machine, "200 OK", credentials("ASIAONE", 3600));
    lab_answer(&machine, "200 OK", credentials("ASIATWO", 3600));
    lab_answer(&server, "200 OK", WRAPPED);
    lab_answer(&server, "200 OK", WRAPPED);
    lab_answer(&server, "400 Bad", "{\"__type\":\"ExpiredTokenException\"}");
    lab_answer(&server, "200 OK", WRAPPED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(machine.nasked, 2);
    assert_non_null(strstr(machine.asked[0], "GET /v1/credentials HTTP"));
    assert_non_null(strstr(machine.asked[0], "Authorization: secret-"));
    assert_true(asked(1, "Credential=ASIAONE/"));
    assert_true(asked(1, "X-Amz-Security-Token: session-ASIAONE"));
    assert_true(asked(3, "Credential=ASIATWO/"));
    unlink(path);
    stop();
}

/* What is about to end is not kept. */
static void container_short(void **state)
{
    char url[100];
    start();
    container_is(url, "/short");
    lab_answer(&machine, "200 OK", credentials("ASIAONE", -5));
    lab_answer(&machine, "200 OK", credentials("ASIATWO", -5));
    lab_answer(&server, "200 OK", WRAPPED);
    lab_answer(&server, "200 OK", WRAPPED);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(machine.nasked, 2);
    stop();
}

static void container_refused(void **state)
{
    static const char *elsewhere[] = {"http://10.0.0.1/x",          "http://169.254.170.2.evil.example/x",
                                      "http://127.0.0.1@evil/x",    "http://localhost.evil.example/x",
                                      "ftp://127.0.0.1/x",          "http://169.254.170.24/x",
                                      "http://metadata.example:80/"};
    char url[100], path[64];
    start();
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        me.set[4] = "AWS_CONTAINER_CREDENTIALS_FULL_URI", me.set[5] = elsewhere[i];
        assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
        assert_non_null(strstr(err.message, "must be https"));
    }
    container_is(url, "/refused");
    lab_answer(&machine, "401 No", "{\"message\":\"no\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "the container's credentials: the credentials are refused"));
    lab_answer(&machine, "200 OK", "{\"AccessKeyId\":\"A\"}");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "without credentials"));
    lab_answer(&machine, "302 Away\r\nLocation: http://127.0.0.1/", "");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "redirect"));
    write_file(path, " \n");
    me.set[6] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", me.set[7] = path;
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "is empty"));
    unlink(path);
    assert_int_equal(server.nasked, 0);
    stop();
}

/* Version 2 of EC2's metadata service: a token first, then the role, then its credentials. */
static void metadata(void **state)
{
    start();
    me.set[4] = "AWS_EC2_METADATA_SERVICE_ENDPOINT", me.set[5] = machine.url;
    lab_answer(&machine, "200 OK", "imds-token");
    lab_answer(&machine, "200 OK", "csfle-role\n");
    lab_answer(&machine, "200 OK", credentials("ASIAEC2", 3600));
    lab_answer(&server, "200 OK", WRAPPED);
    lab_answer(&server, "200 OK", WRAPPED);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_int_equal(machine.nasked, 3);
    assert_non_null(strstr(machine.asked[0], "PUT /latest/api/token HTTP"));
    assert_non_null(strstr(machine.asked[0], "X-aws-ec2-metadata-token-ttl-seconds: 300"));
    assert_non_null(strstr(machine.asked[1], "GET /latest/meta-data/iam/security-credentials/ HTTP"));
    assert_non_null(strstr(machine.asked[1], "X-aws-ec2-metadata-token: imds-token"));
    assert_non_null(strstr(machine.asked[2], "GET /latest/meta-data/iam/security-credentials/csfle-role HTTP"));
    assert_true(asked(1, "Credential=ASIAEC2/"));
    stop();
}

static void metadata_refused(void **state)
{
    start();
    me.set[4] = "AWS_EC2_METADATA_SERVICE_ENDPOINT", me.set[5] = "http://10.1.2.3";
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "AWS_EC2_METADATA_SERVICE_ENDPOINT must be"));
    me.set[5] = machine.url;
    lab_answer(&machine, "403 Off", "");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "the metadata service: the credentials are refused"));
    lab_answer(&machine, "200 OK", "imds-token");
    lab_answer(&machine, "404 None", "");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "knows no role"));
    lab_answer(&machine, "200 OK", "imds-token");
    lab_answer(&machine, "200 OK", "../../user-data\n");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "without the name of a role"));
    lab_answer(&machine, "200 OK", "two\r\nHeader: lines");
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "control character"));
    me.set[6] = "AWS_EC2_METADATA_DISABLED", me.set[7] = "TRUE";
    size_t before = machine.nasked;
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "no credentials for AWS: set"));
    assert_int_equal(machine.nasked, before);
    assert_int_equal(server.nasked, 0);
    stop();
}

/* Keys that are set go before what the machine has; a profile with a region alone says nothing. */
static void last_of_all(void **state)
{
    char url[100], path[64];
    start();
    container_is(url, "/last");
    write_file(path, "[default]\nregion = eu-west-1\n");
    me.set[6] = "AWS_CONFIG_FILE", me.set[7] = path;
    lab_answer(&machine, "200 OK", credentials("ASIALAST", 3600));
    lab_answer(&server, "200 OK", WRAPPED);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_true(asked(0, "Credential=ASIALAST/"));
    me.set[8] = "access.key.id", me.set[9] = "AKOWN", me.set[10] = "secret.access.key", me.set[11] = own;
    lab_answer(&server, "200 OK", WRAPPED);
    assert_int_equal(wrap_to("aws-kms", ARN, NULL, "wrapped"), RT_OK);
    assert_true(asked(1, "Credential=AKOWN/"));
    assert_int_equal(machine.nasked, 1);
    unlink(path);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container), cmocka_unit_test(container_short),  cmocka_unit_test(container_refused),
        cmocka_unit_test(metadata),  cmocka_unit_test(metadata_refused), cmocka_unit_test(last_of_all),
    };
    return cmocka_run_group_tests_name("kms aws machine", tests, NULL, NULL);
}
