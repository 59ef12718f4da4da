/* alloc_test.c: memory that runs out in the engine, at each allocation of each library: plans, codecs of every format,
 * records both ways with keys that are known and keys that are looked up. A record is done, or nothing of it is there
 * and the reason is not said to lie in the record. */
#include "base/alloc_lab.h"
#include "runtime/lab.h"

#include "runtime/plan.h"

typedef struct row {
    const char *name, *type, *schema, *message, *alg, *json, *hex;
    bool whole, rotates; /* ENCRYPT_PAYLOAD instead of ENCRYPT; under a key that rotates */
} row;

#define AVRO                                                                                                           \
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":["                                                                 \
    "{\"name\":\"a\",\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"                                               \
    "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"confluent:tags\":[\"PII\"]},"                \
    "{\"name\":\"n\",\"type\":[\"null\",\"int\"]}]}"
#define JSON                                                                                                           \
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"confluent:tags\":[\"PII\"]},"                   \
    "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"confluent:tags\":[\"PII\"]},\"n\":{\"type\":"         \
    "[\"null\",\"integer\"]}}}"
#define PROTO                                                                                                          \
    "syntax = \"proto3\"; package t; import \"confluent/meta.proto\";\n"                                               \
    "message M { string a = 1 [(confluent.field_meta).tags = \"PII\"]; string n = 2; }\n"
#define VALUE "{\"a\":\"some text\",\"l\":[\"x\",\"éy\",\"\"],\"n\":null}"

static const row rows[] = {
    {"Avro", "AVRO", AVRO, NULL, "AES256_GCM", VALUE, NULL, false, false},
    {"Avro, SIV, rotating", "AVRO", AVRO, NULL, "AES256_SIV", VALUE, NULL, false, true},
    {"JSON", "JSON", JSON, NULL, "AES256_GCM", VALUE, NULL, false, true},
    {"Protobuf", "PROTOBUF", PROTO, "t.M", "AES128_GCM", "{\"a\":\"some text\",\"n\":\"b\"}", NULL, false, false},
    {"payload", "AVRO", AVRO, NULL, "AES256_GCM", VALUE, NULL, true, true},
};

static const row *now;
static lab l;
static rt_codec *codec;
static rt_subject subject;
static fl_buf body;
static rt_keys *others; /* another client, to read with */
static rt_codec *theirs;

/* ---- what all cases share ---- */

static const char *rules(void)
{
    const char *more = now->rotates ? ",\"encrypt.dek.expiry.days\":\"30\"" : "";
    return fl_printf(l.a,
                     "{\"%s\":[{\"name\":\"r\",\"type\":\"%s\",%s\"params\":{\"encrypt.kek.name\":\"kek\","
                     "\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.algorithm\":\"%s\""
                     "%s}}]}",
                     now->whole ? "encodingRules" : "domainRules", now->whole ? "ENCRYPT_PAYLOAD" : "ENCRYPT",
                     now->whole ? "" : "\"kind\":\"TRANSFORM\",\"mode\":\"WRITEREAD\",\"tags\":[\"PII\"],", now->alg,
                     more);
}

static void registered(void)
{
    lab_open(&l);
    codec = theirs = NULL;
    others = NULL;
    fl_buf_init(&body, 1 << 20);
    subject = (rt_subject){.subject = "t-value", .type = now->type, .schema = now->schema, .message = now->message};
    subject.ruleset = rules();
    if (l.registry->ops->register_subject(l.registry, l.a, &subject, &l.err))
        alloc_wrong("%s", l.err.message);
}

static void put_body(void)
{
    if (strcmp(now->type, "JSON") == 0)
        fl_buf_adds(&body, now->json);
    else
        lab_body(&l, rt_codec_schema(codec), now->json, &body);
}

static void opened(void)
{
    registered();
    if (rt_codec_open(l.registry, l.keys, &subject, NULL, &codec, &l.err))
        alloc_wrong("%s", l.err.message);
    put_body();
}

static void sealed(void)
{
    opened();
    if (lab_encrypt(&l, codec, &body))
        alloc_wrong("%s", l.err.message);
}

/* A reader that has seen no key. */
static void sealed_for_others(void)
{
    sealed();
    rt_keys_options opt = {.registry = l.registry, .params = {lab_secret, NULL}};
    others = rt_keys_new(&opt);
    if (rt_codec_open(l.registry, others, &subject, NULL, &theirs, &l.err))
        alloc_wrong("%s", l.err.message);
}

static void read_before(void)
{
    sealed_for_others();
    if (lab_decrypt(&l, theirs))
        alloc_wrong("%s", l.err.message);
}

static void shut(void)
{
    rt_codec_close(codec);
    rt_codec_close(theirs);
    rt_keys_free(others);
    fl_buf_free(&body);
    lab_close(&l);
}

/* Nothing of the record is there, and it is not the record's fault. */
static const char *failed(int code)
{
    static char why[700];
    if (l.wire.len && !theirs)
        return "there is something of the record";
    if (theirs && l.out.len)
        return "there is something of the plaintext";
    if (!l.err.message[0])
        return "it does not say why";
    snprintf(why, sizeof why, "it says (%d): %s", code, l.err.message);
    return rt_exit_status((rt_code)code) == FL_COULD_NOT_RUN ? NULL : why;
}

/* The record comes back as it was. */
static const char *comes_back(void)
{
    if (!theirs && lab_decrypt(&l, codec))
        return l.err.message;
    return l.out.len == body.len && memcmp(l.out.p, body.p, body.len) == 0 ? NULL : "another record comes back";
}

static int encrypts(void)
{
    return lab_encrypt(&l, codec, &body);
}

static int decrypts(void)
{
    return lab_decrypt(&l, theirs);
}

static int opens(void)
{
    return rt_codec_open(l.registry, l.keys, &subject, NULL, &codec, &l.err);
}

static const char *it_works(void)
{
    put_body();
    return encrypts() ? l.err.message : comes_back();
}

static const alloc_case kinds[] = {
    {.name = "opened", .set_up = registered, .act = opens, .done = it_works},
    {.name = "encrypted, keys not known", .set_up = opened, .act = encrypts, .done = comes_back},
    {.name = "encrypted, keys known", .set_up = sealed, .act = encrypts, .done = comes_back},
    {.name = "decrypted, keys not known", .set_up = sealed_for_others, .act = decrypts, .done = comes_back},
    {.name = "decrypted, keys known", .set_up = read_before, .act = decrypts, .done = comes_back},
};

static uint64_t tally[ALLOC_OWNERS][ALLOC_OUTCOMES];

static const char *message(void)
{
    return l.err.message;
}

static void run(const alloc_case *c, uint64_t most)
{
    const char *only = getenv("ALLOC_ONLY");
    if (!alloc_counts()) /* valgrind */
        skip();
    if (!only || strstr(c->name, only))
        assert_int_equal(alloc_run(c, most, tally), 0);
}

static void each(const row *r, bool cold, uint64_t most)
{
    char name[200];
    now = r;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        alloc_case c = kinds[i];
        snprintf(name, sizeof name, "%s record %s%s", r->name, c.name, cold ? ", libraries cold" : "");
        c.name = name;
        c.cold = cold;
        c.failed = failed;
        c.says = message;
        c.shut = shut;
        run(&c, most);
    }
}

/* ---- plans ---- */

static rt_plan *plan;
static const char plan_text[] =
    "{\"format\":\"flec-plan\",\"version\":1,\"environment\":null,"
    "\"platform\":{\"kind\":\"cloud\",\"workers\":\"7.6.1\",\"kmsParameters\":\"both\"},"
    "\"registry\":{\"url\":\"${env:URL}\",\"auth\":null,\"config\":{}},"
    "\"kafka\":{\"bootstrap\":\"b:9092\",\"config\":{}},"
    "\"keks\":[{\"name\":\"kek\",\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\\u00e9\",\"kmsProps\":{},\"doc\":\"\","
    "\"shared\":false,\"parameters\":null}],"
    "\"subjects\":[{\"subject\":\"other\",\"schemaType\":\"AVRO\",\"schema\":\"\\\"string\\\"\",\"references\":[]}],"
    "\"topics\":[],\"connectors\":[],\"principals\":[]}";

static void plan_set_up(void)
{
    lab_open(&l);
}
static int plan_parses(void)
{
    return rt_plan_parse(l.a, "plan.json", plan_text, strlen(plan_text), &plan, &l.err);
}
static const char *plan_is_whole(void)
{
    return plan->nkeks == 1 && plan->nsubjects == 1 && !strcmp(plan->keks[0].kek.kms_key_id, "k\u00e9")
               ? NULL
               : "it is another";
}
static void plan_shut(void)
{
    lab_close(&l);
}

static void plans(void **state)
{
    const alloc_case c = {.name = "plan",
                          .set_up = plan_set_up,
                          .act = plan_parses,
                          .failed = failed,
                          .says = message,
                          .done = plan_is_whole,
                          .shut = plan_shut};
    run(&c, 70);
}

static void records_cold(void **state)
{
    each(&rows[0], true, 30);
    each(&rows[1], true, 30);
}
static void records_warm(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        each(&rows[i], false, rows[i].message ? 15 : 40); /* protoc runs for each of its allocations */
}

/* The cases reach what they are for. jansson's failures are flec's: see json.c. */
static void every_library_was_hit(void **state)
{
    if (!alloc_counts() || getenv("ALLOC_ONLY"))
        skip();
    assert_true(tally[ALLOC_OURS][ALLOC_ENDED] > 0);
    assert_true(tally[ALLOC_OPENSSL][ALLOC_ERROR] > 0);
    assert_true(tally[ALLOC_OPENSSL][ALLOC_ENDED] > 0);
}

static char temporary[] = "/tmp/flec-alloc-XXXXXX"; /* what a process that ended left for protoc */

static int make_temporary(void **state)
{
    return !mkdtemp(temporary) || setenv("TMPDIR", temporary, 1);
}
static int remove_temporary(void **state)
{
    return fl_remove_tree(temporary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_cold),
        cmocka_unit_test(plans),
        cmocka_unit_test(records_warm),
        cmocka_unit_test(every_library_was_hit),
    };
    return cmocka_run_group_tests_name("alloc", tests, make_temporary, remove_temporary);
}
