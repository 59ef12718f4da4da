/* drivers_test.c: what holds for every driver: nothing is called that nobody named, and what a registry says of a KEK
 * is not trusted. */
#include "runtime/kms/lab.h"

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

/* Unwrapping goes on with the next key id, too; where all fail, the first one's reason is told. The ids may also come
 * from the client's own settings. */
static void alternates_unwrap(void **state)
{
    plain_server();
    aws_client();
    me.set[8] = "encrypt.alternate.kms.key.ids", me.set[9] = " , " OTHER_ARN " ";
    lab_answer(&server, "400 Bad", "{\"__type\":\"DisabledException\"}");
    lab_answer(&server, "200 OK", "{\"Plaintext\":\"a2V5IG1hdGVyaWFs\",\"KeyId\":\"" OTHER_ARN "\"}");
    assert_int_equal(unwrap_to("aws-kms", ARN, "wrapped", "key material"), RT_OK);
    assert_true(asked(1, "TrentService.Decrypt"));
    assert_true(asked(1, "{\"KeyId\":\"" OTHER_ARN "\""));
    lab_answer(&server, "400 Bad", "{\"__type\":\"DisabledException\"}");
    lab_answer(&server, "400 Bad", "{\"__type\":\"AccessDeniedException\"}");
    assert_int_equal(unwrap_to("aws-kms", ARN, "wrapped", NULL), RT_NO_KEY);
    assert_non_null(strstr(err.message, "the key is disabled"));
    assert_non_null(strstr(err.message, "1 alternate key ids failed, too"));
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
        cmocka_unit_test(nobody_named_it),
        cmocka_unit_test(alternate_not_named),
        cmocka_unit_test(props_are_not_trusted),
        cmocka_unit_test(alternates_unwrap),
        cmocka_unit_test(time_out),
    };
    return cmocka_run_group_tests_name("kms drivers", tests, NULL, NULL);
}
