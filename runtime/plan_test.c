/* plan_test.c: plan.json: read whole, refused with a place, registered. */
#include "runtime/lab.h"

#include "runtime/plan.h"

static lab l;
static rt_plan *plan;

static int open_lab(void **state)
{
    lab_open(&l);
    return 0;
}
static int close_lab(void **state)
{
    lab_close(&l);
    return 0;
}

#define SCHEMA                                                                                                         \
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[{\\\"name\\\":\\\"ssn\\\",\\\"type\\\":"      \
    "\\\"string\\\"}]}"
static const char whole[] =
    "{\n"
    "  \"format\": \"flec-plan\", \"version\": 1, \"environment\": null,\n"
    "  \"platform\": {\"kind\": \"cloud\", \"workers\": \"7.6.1\", \"kmsParameters\": \"both\"},\n"
    "  \"registry\": {\"url\": \"${env:URL}\", \"auth\": {\"type\": \"basic\", \"secret\": \"${env:S}\"}, \"config\": "
    "{\"a\": \"b\"}},\n"
    "  \"kafka\": {\"bootstrap\": \"b:9092\", \"config\": {}},\n"
    "  \"keks\": [{\"name\": \"kek\", \"kmsType\": \"local-kms\", \"kmsKeyId\": \"k\", \"kmsProps\": {\"p\": \"q\"}, "
    "\"doc\": \"\", \"shared\": false,"
    " \"parameters\": {\"secret\": \"${env:S}\"}}],\n"
    "  \"subjects\": [{\"subject\": \"other\", \"schemaType\": \"AVRO\", \"schema\": \"\\\"string\\\"\", "
    "\"references\": []}],\n"
    "  \"topics\": [{\"name\": \"t\", \"clear\": null, \"key\": {\"format\": \"string\"},\n"
    "    \"value\": {\"format\": \"avro\", \"clear\": null, \"subject\": \"t-value\", \"schemaType\": \"AVRO\", "
    "\"schema\": \"" SCHEMA "\",\n"
    "      \"references\": [], \"metadata\": {\"tags\": {\"R.ssn\": [\"PII\"]}, \"properties\": {}}, \"ruleSet\": "
    "{\"domainRules\": []},\n"
    "      \"encrypted\": [{\"path\": \"ssn\", \"kek\": \"kek\", \"rule\": \"enc\"}]},\n"
    "    \"readers\": [\"User:a\"], \"writers\": [\"User:b\", \"User:c\"]}],\n"
    "  \"connectors\": [{\"name\": \"c\", \"type\": \"s3-sink\", \"kind\": \"sink\", \"class\": \"io.C\", \"file\": "
    "\"connect/c.json\", \"principal\": \"User:a\","
    " \"worker\": null, \"topics\": [\"t\"], \"deadLetters\": null}],\n"
    "  \"principals\": [{\"name\": \"User:a\", \"keks\": [\"kek\"], \"reads\": [\"t\"], \"writes\": []}]\n"
    "}\n";

static rt_code parse(const char *text)
{
    return rt_plan_parse(l.a, "plan.json", text, strlen(text), &plan, &l.err);
}

/* The whole plan with one text replaced. */
static rt_code with(const char *old, const char *new)
{
    const char *at = strstr(whole, old);
    assert_non_null(at);
    return parse(fl_printf(l.a, "%.*s%s%s", (int)(at - whole), whole, new, at + strlen(old)));
}

static void everything_is_read(void **state)
{
    if (parse(whole))
        fail_msg("%s", l.err.message);
    assert_null(plan->environment);
    assert_string_equal(plan->platform_kind, "cloud");
    assert_string_equal(plan->registry_auth_secret, "${env:S}");
    assert_string_equal(plan->registry_config[0].value, "b");
    assert_string_equal(plan->bootstrap, "b:9092");
    const rt_plan_kek *k = rt_plan_kek_find(plan, "kek");
    assert_true(k->has_params && !k->kek.shared);
    assert_string_equal(k->kek.props, "{\"p\": \"q\"}");
    assert_string_equal(k->params[0].name, "secret");
    const rt_plan_topic *t = rt_plan_topic_find(plan, "t");
    assert_null(t->key.subject.subject);
    assert_string_equal(t->value.subject.subject, "t-value");
    assert_string_equal(t->value.subject.metadata, "{\"tags\": {\"R.ssn\": [\"PII\"]}, \"properties\": {}}");
    assert_string_equal(t->value.encrypted[0].path, "ssn");
    assert_int_equal(t->nwriters, 2);
    assert_string_equal(rt_plan_connector_find(plan, "c")->cls, "io.C");
    assert_string_equal(rt_plan_principal_find(plan, "User:a")->keks[0], "kek");
    assert_null(rt_plan_topic_find(plan, "u"));
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *old, *new, *says;
    } rows[] = {
        {"\"version\": 1", "\"version\": 3", "plan.json:2:26: the plan is of version 3, this flec reads version 2"},
        {"\"version\": 1", "\"version\": 0", "does not say its version"},
        {"flec-plan", "flec-tests", "no plan"},
        {"\"workers\"", "\"wrokers\"", "plan.json:3:33: unknown member wrokers of platform"},
        {"\"shared\": false", "\"shared\": 0", "shared must be true or false"},
        {"\"shared\": false,", "", "keks lacks its member shared"},
        {"\"format\": \"string\"", "\"format\": \"json-schema\"", "format json-schema is beyond this version"},
        {"\"format\": \"string\"", "\"format\": \"string\", \"schema\": \"x\"", "has no schema"},
        {"\"subject\": \"t-value\", ", "", "needs subject"},
        {"\"kek\": \"kek\", \"rule\"", "\"kek\": \"kex\", \"rule\"", "kex, which is not among the keks"},
        {"\"keks\": [\"kek\"]", "\"keks\": [\"kex\"]", "kex, which is not among the keks"},
        {"\"clear\": null, \"key\"", "\"clear\": \"public\", \"key\"", "said to be in clear and has encrypted fields"},
        {"\"readers\": [\"User:a\"]", "\"readers\": [1]", "readers must be a list of texts"},
        {"\"principals\": [", "\"principals\": [{\"name\": \"User:a\", \"keks\": [], \"reads\": [], \"writes\": []}, ",
         "User:a stands twice"},
        {"\"keks\": [{\"name\": \"kek\"", "\"keks\": [{\"name\": \"\"", "an empty name"},
        {"\"config\": {\"a\": \"b\"}", "\"config\": {\"a\": 1}", "config must be an object of texts"},
        {"\"version\": 1,", "\"version\": 1", "plan.json:2:"},
        {"\"format\": \"avro\"", "\"format\": \"json\"", "format json is beyond a plan of version 1"},
        {"\"encrypted\": [", "\"payload\": null, \"encrypted\": [",
         "unknown member payload of a side in a plan of version 1"},
        {"\"encrypted\": [", "\"rules\": [], \"encrypted\": [", "unknown member rules"},
        {"\"encrypted\": [", "\"message\": \"a.B\", \"encrypted\": [", "unknown member message"},
        {"\"schemaType\": \"AVRO\", \"schema\": \"{", "\"schemaType\": \"JSON\", \"schema\": \"{",
         "a side of format avro has the schemaType JSON"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(with(rows[i].old, rows[i].new), RT_BAD_INPUT);
        assert_null(plan);
        assert_says(&l, rows[i].says);
    }
    assert_int_equal(parse("[]"), RT_BAD_INPUT);
    assert_int_equal(parse(""), RT_BAD_INPUT);
}

/* What version 2 can say of the value of topic t. */
#define SIDE(format, type, rest)                                                                                       \
    "{\"format\": \"" format "\", \"clear\": null, \"subject\": \"t-value\", \"schemaType\": \"" type                  \
    "\", \"schema\": \"x\", " rest "}"

static rt_code with_value(const char *side)
{
    return parse(fl_printf(
        l.a,
        "{\"format\": \"flec-plan\", \"version\": 2, \"environment\": \"prod\", \"keks\": [{\"name\": "
        "\"kek\", \"kmsType\": \"local-kms\", \"kmsKeyId\": \"k\", \"doc\": \"\", \"shared\": true}], "
        "\"subjects\": [], \"topics\": [{\"name\": \"t\", \"clear\": null, \"key\": {\"format\": \"string\"}, "
        "\"value\": %s, \"readers\": [], \"writers\": []}], \"connectors\": [], \"principals\": []}",
        side));
}

static void what_the_engine_cannot_execute_is_named(void **state)
{
    static const struct {
        const char *side, *says; /* NULL: it can */
    } rows[] = {
        {SIDE("avro", "AVRO", "\"payload\": null, \"rules\": []"), NULL},
        {SIDE("avro", "AVRO",
              "\"rules\": [{\"name\": \"r\", \"phase\": \"domain\", \"type\": \"CEL\", \"runs\": false}]"),
         NULL},
        {SIDE("avro", "AVRO",
              "\"rules\": [{\"name\": \"r\", \"phase\": \"domain\", \"type\": \"CEL\", \"runs\": true}]"),
         "value has the rule r of type CEL"},
        {SIDE("avro", "AVRO", "\"payload\": {\"kek\": \"kek\", \"rule\": \"p\"}"), NULL},
        {SIDE("json", "JSON", "\"rules\": []"), NULL},
        {SIDE("protobuf", "PROTOBUF", "\"message\": \"a.B\""), NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (with_value(rows[i].side))
            fail_msg("%s", l.err.message);
        assert_int_equal(plan->version, 2);
        const char *why = rt_plan_topic_beyond(l.a, &plan->topics[0]);
        assert_null(rt_plan_beyond(l.a, &plan->topics[0], true));
        assert_true((why != NULL) == (rows[i].says != NULL));
        if (why && !strstr(why, rows[i].says))
            fail_msg("%s", why);
    }
}

/* Silence does not mean clear. */
static void what_is_undecided(void **state)
{
    static const struct {
        const char *side;
        bool yes;
    } rows[] = {
        {SIDE("avro", "AVRO", "\"encrypted\": []"), true},
        {SIDE("json", "JSON", "\"rules\": []"), true},
        {SIDE("avro", "AVRO", "\"payload\": {\"kek\": \"kek\", \"rule\": \"p\"}"), false},
        {SIDE("avro", "AVRO", "\"encrypted\": [{\"path\": \"a\", \"kek\": \"kek\", \"rule\": \"r\"}]"), false},
        {"{\"format\": \"avro\", \"clear\": \"public\", \"subject\": \"s\", \"schemaType\": \"AVRO\", \"schema\": "
         "\"x\"}",
         false},
        {"{\"format\": \"string\"}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(with_value(rows[i].side), RT_OK);
        assert_int_equal(rt_plan_undecided(&plan->topics[0], false), rows[i].yes);
        assert_false(rt_plan_undecided(&plan->topics[0], true));
        plan->topics[0].clear = "public";
        assert_false(rt_plan_undecided(&plan->topics[0], false));
    }
}

static void contradictions_of_version_2_are_refused(void **state)
{
    static const struct {
        const char *side, *says;
    } rows[] = {
        {SIDE("protobuf", "PROTOBUF", "\"rules\": []"), "a side of format protobuf needs its message"},
        {SIDE("json", "JSON", "\"message\": \"a.B\""), "a side of format json has no message"},
        {SIDE("json", "AVRO", "\"rules\": []"), "a side of format json has the schemaType AVRO"},
        {SIDE("json", "JSON", "\"payload\": {\"kek\": \"kex\", \"rule\": \"p\"}"),
         "encrypted with kex, which is not among the keks"},
        {SIDE("json", "JSON", "\"payload\": {\"kek\": \"kek\"}"), "payload lacks its member rule"},
        {SIDE("json", "JSON", "\"rules\": [{\"name\": \"r\"}]"), "rules lacks its member"},
        {"{\"format\": \"string\", \"payload\": {\"kek\": \"kek\", \"rule\": \"p\"}}", "has no schema and no rules"},
        {"{\"format\": \"json\", \"clear\": \"public\", \"subject\": \"s\", \"schemaType\": \"JSON\", \"schema\": "
         "\"{}\", "
         "\"payload\": {\"kek\": \"kek\", \"rule\": \"p\"}}",
         "said to be in clear"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(with_value(rows[i].side), RT_BAD_INPUT);
        assert_says(&l, rows[i].says);
    }
}

/* Every cut of the text is refused and nothing else happens. */
static void truncated_at_each_byte(void **state)
{
    for (size_t n = 0; n < strlen(whole) - 2; n++) {
        fl_arena *a = fl_arena_new();
        char *exact = malloc(n + 1);
        memcpy(exact, whole, n);
        exact[n] = '\0';
        assert_int_equal(rt_plan_parse(a, "p", exact, n, &plan, &l.err), RT_BAD_INPUT);
        fl_arena_free(a);
        free(exact);
    }
}

static void a_missing_file_is_another_matter(void **state)
{
    assert_int_equal(rt_plan_load(l.a, "/nowhere/plan.json", &plan, &l.err), RT_IO);
    assert_says(&l, "/nowhere/plan.json");
}

static void registers_what_is_absent(void **state)
{
    assert_int_equal(parse(whole), RT_OK);
    if (rt_plan_register(plan, l.registry, l.a, &l.err))
        fail_msg("%s", l.err.message);
    int id = plan->topics[0].value.subject.id;
    assert_true(id > 0 && plan->subjects[0].id > 0);
    assert_int_equal(plan->topics[0].value.subject.version, 1);
    assert_int_equal(parse(whole), RT_OK);
    assert_int_equal(rt_plan_register(plan, l.registry, l.a, &l.err), RT_OK);
    assert_int_equal(plan->topics[0].value.subject.id, id);
}

static void a_kek_that_differs_is_refused(void **state)
{
    assert_int_equal(parse(whole), RT_OK);
    assert_int_equal(rt_plan_register(plan, l.registry, l.a, &l.err), RT_OK);
    assert_int_equal(with("\"kmsKeyId\": \"k\"", "\"kmsKeyId\": \"other\""), RT_OK);
    assert_int_equal(rt_plan_register(plan, l.registry, l.a, &l.err), RT_CONFLICT);
    assert_says(&l, "KEK kek is registered with local-kms key k");
    assert_int_equal(with("\"shared\": false", "\"shared\": true"), RT_OK);
    assert_int_equal(rt_plan_register(plan, l.registry, l.a, &l.err), RT_CONFLICT);
    assert_says(&l, "private");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(everything_is_read),
        T(what_is_wrong_is_said_with_its_place),
        T(truncated_at_each_byte),
        T(a_missing_file_is_another_matter),
        T(registers_what_is_absent),
        T(a_kek_that_differs_is_refused),
        T(what_the_engine_cannot_execute_is_named),
        T(what_is_undecided),
        T(contradictions_of_version_2_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
