/* engine_test.c: codecs: what is refused when they open, what passes and what never does, other schema ids, the plan's
 * word against theirs. */
#include "runtime/lab.h"

#include "runtime/plan.h"

#define FIELD(name, type)  "{\"name\":\"" name "\",\"type\":" type "}"
#define TAGGED(name, type) "{\"name\":\"" name "\",\"type\":" type ",\"confluent:tags\":[\"PII\"]}"
#define RECORD(fields)     "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"n\",\"fields\":[" fields "]}"
#define PII                "[\"PII\"]"

static lab l;

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

static const char *one_rule(void)
{
    return lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ""));
}

/* Opens; the codec is closed at once. */
static rt_code opens(const char *schema, const char *ruleset, const rt_codec_options *opt)
{
    rt_codec *c = NULL;
    rt_code code = lab_codec(&l, schema, NULL, ruleset, opt, &c);
    rt_codec_close(c);
    return code;
}

static const rt_codec_options reading = {.read_only = true};

/* ---- refusals at opening ---- */

static void refuses(const char *schema, const char *ruleset, const char *says)
{
    assert_int_equal(opens(schema, ruleset, NULL), RT_REFUSED);
    assert_says(&l, says);
    assert_says(&l, "t-value");
}

static void what_cannot_be_encrypted_is_refused(void **state)
{
    static const char *const types[] = {"\"int\"",
                                        "\"long\"",
                                        "\"boolean\"",
                                        "\"double\"",
                                        "[\"null\",\"string\",\"int\"]",
                                        "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}",
                                        "{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}",
                                        "{\"type\":\"array\",\"items\":\"long\"}"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const char *schema =
            fl_printf(l.a, RECORD("{\"name\":\"f\",\"type\":%s,\"confluent:tags\":[\"PII\"]}"), types[i]);
        refuses(schema, one_rule(), "only string and bytes can be encrypted");
        assert_says(&l, "field f");
        assert_says(&l, "rule enc");
        assert_int_equal(opens(schema, one_rule(), &reading), RT_OK); /* readers pass such values */
    }
}

static void a_tag_on_a_record_is_refused(void **state)
{
    static const char inner[] = "{\"type\":\"record\",\"name\":\"I\",\"fields\":[" FIELD("s", "\"string\"") "]}";
    static const char *const types[] = {"%s", "[\"null\",%s]", "{\"type\":\"array\",\"items\":%s}",
                                        "{\"type\":\"map\",\"values\":%s}"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char type[256];
        size_t at = (size_t)(strstr(types[i], "%s") - types[i]);
        snprintf(type, sizeof type, "%.*s%s%s", (int)at, types[i], inner, types[i] + at + 2);
        const char *schema = fl_printf(l.a, RECORD("{\"name\":\"f\",\"type\":%s,\"confluent:tags\":[\"PII\"]}"), type);
        refuses(schema, one_rule(), "a tag on a field that holds records");
        assert_int_equal(opens(schema, one_rule(), &reading), RT_REFUSED);
        refuses(schema, lab_set(&l, lab_rule(&l, "enc", NULL, "kek", "AES256_GCM", ",\"disabled\":true")),
                "is disabled");
    }
}

static void a_rule_that_leaves_a_field_in_clear_is_refused(void **state)
{
    static const char schema[] = RECORD(TAGGED("f", "\"string\""));
    const char *disabled = lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"disabled\":true");
    refuses(schema, lab_set(&l, disabled), "is disabled: the field would be written in clear");
    assert_int_equal(opens(schema, lab_set(&l, disabled), &reading), RT_OK);
    refuses(schema,
            fl_printf(l.a, "{\"enableAt\":\"GATEWAY\",\"domainRules\":[%s]}",
                      lab_rule(&l, "enc", PII, "kek", "AES256_GCM", "")),
            "is enabled at GATEWAY");
    /* a disabled rule beside one that covers the field harms nothing */
    const char *other = lab_rule(&l, "enc2", "[\"PII\",\"X\"]", "kek", "AES256_GCM", "");
    assert_int_equal(opens(schema, lab_set(&l, fl_printf(l.a, "%s,%s", disabled, other)), NULL), RT_OK);
    /* unless clients take both for one: then neither runs */
    const char *twin = lab_rule(&l, "enc3", PII, "kek", "AES256_GCM", "");
    refuses(schema, lab_set(&l, fl_printf(l.a, "%s,%s", disabled, twin)), "is disabled");
    const char *read = "{\"name\":\"enc\",\"type\":\"ENCRYPT\",\"mode\":\"READ\",\"tags\":[\"PII\"],\"params\":{"
                       "\"encrypt.kek.name\":\"kek\"}}";
    refuses(schema, lab_set(&l, read), "runs on read alone");
}

static void none_on_write_is_refused(void **state)
{
    static const char schema[] = RECORD(TAGGED("f", "\"string\""));
    rt_codec_options converter = {.on_failure_none_write = true};
    const char *none = lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onFailure\":\"NONE,ERROR\""));
    refuses(schema, none, "onFailure NONE on write");
    refuses(schema, lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onFailure\":\"NONE\"")),
            "onFailure NONE on write");
    assert_int_equal(opens(schema, none, &converter), RT_OK);
    assert_int_equal(opens(schema, none, &reading), RT_OK);
    refuses(schema, lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onFailure\":\"DLQ\"")),
            "onFailure DLQ");
    refuses(schema, lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onSuccess\":\"ERROR\"")),
            "onSuccess ERROR");
}

static void what_the_engine_cannot_execute_is_refused_by_name(void **state)
{
    static const char schema[] = RECORD(TAGGED("f", "\"string\""));
    static const struct {
        const char *set, *says;
    } rows[] = {
        {"{\"domainRules\":[{\"name\":\"c\",\"type\":\"CEL\",\"mode\":\"WRITE\"}]}", "type CEL"},
        {"{\"domainRules\":[{\"name\":\"c\",\"type\":\"CEL_FIELD\"}]}", "type CEL_FIELD"},
        {"{\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\"}]}", "names no KEK"},
        {"{\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\",\"disabled\":true,\"params\":{"
         "\"encrypt.kek.name\":\"k\"}}]}",
         "type ENCRYPT_PAYLOAD is disabled"},
        {"{\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\",\"mode\":\"READ\",\"params\":{"
         "\"encrypt.kek.name\":\"k\"}}]}",
         "runs on read alone"},
        {"{\"encodingRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT\"}]}", "type ENCRYPT among the encodingRules"},
        {"{\"domainRules\":[{\"name\":\"p\",\"type\":\"ENCRYPT_PAYLOAD\"}]}", "type ENCRYPT_PAYLOAD"},
        {"{\"migrationRules\":[{\"name\":\"m\",\"type\":\"JSONATA\",\"mode\":\"UPGRADE\"}]}", "type JSONATA"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"kind\":\"CONDITION\",\"params\":{\"encrypt.kek."
         "name\":\"k\"}}]}",
         "CONDITION"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"mode\":\"UPGRADE\",\"params\":{\"encrypt.kek.name\":"
         "\"k\"}}]}",
         "mode UPGRADE"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\"}]}", "names no KEK"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"params\":{\"encrypt.kek.name\":\"9k\"}}]}",
         "KEK name"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"params\":{\"encrypt.kek.name\":\"k\",\"encrypt.dek."
         "algorithm\":\"AES\"}}]}",
         "encrypt.dek.algorithm AES"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"params\":{\"encrypt.kek.name\":\"k\",\"encrypt.dek."
         "expiry.days\":\"-1\"}}]}",
         "expiry.days"},
        {"{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],\"params\":{\"encrypt.kek.name\":"
         "\"k\",\"encrypt.algorithm\":"
         "\"AES256_SIV\"}}]}",
         "encrypt.algorithm, which no client knows"},
        {"{\"futureRules\":[]}", "ruleSet.futureRules"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rt_subject s = {.subject = "t-value", .id = 7, .type = "AVRO", .schema = schema, .ruleset = rows[i].set};
        rt_codec *c = NULL;
        assert_int_equal(rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err), RT_REFUSED);
        assert_null(c);
        assert_says(&l, rows[i].says);
    }
}

/* A rule's parameters may stand in the metadata as well: misspelt there it would be as silent. */
static void a_misspelt_parameter_in_the_metadata(void **state)
{
    static const struct {
        const char *metadata;
        rt_code code;
    } rows[] = {
        {"{\"properties\":{\"encrypt.algorithm\":\"AES256_SIV\"}}", RT_REFUSED},
        {"{\"properties\":{\"encrypt.dek.algorithm\":\"AES256_SIV\",\"owner\":\"x\"}}", RT_OK},
    };
    static const char schema[] = RECORD(TAGGED("f", "\"string\""));
    static const char set[] = "{\"domainRules\":[{\"name\":\"e\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],\"params\":{"
                              "\"encrypt.kek.name\":\"k\"}}]}";
    for (size_t i = 0; i < 2; i++) {
        rt_subject s = {.subject = "t-value",
                        .id = 7,
                        .type = "AVRO",
                        .schema = schema,
                        .metadata = rows[i].metadata,
                        .ruleset = set};
        rt_codec *c = NULL;
        assert_int_equal(rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err), rows[i].code);
        if (rows[i].code)
            assert_says(&l, "encrypt.algorithm, which no client knows");
        rt_codec_close(c);
    }
}

static void a_broken_rule_set_is_bad_input(void **state)
{
    static const char *const sets[] = {"{", "[]", "{\"domainRules\":{}}", "{\"domainRules\":[1]}",
                                       "{\"domainRules\":[{\"name\":\"x\"}]}"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        rt_subject s = {.subject = "t-value", .id = 7, .schema = RECORD(FIELD("f", "\"string\"")), .ruleset = sets[i]};
        rt_codec *c = NULL;
        assert_int_equal(rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err), RT_BAD_INPUT);
    }
}

static void a_rule_without_tags_takes_every_field_or_is_refused(void **state)
{
    const char *set = lab_set(&l, lab_rule(&l, "enc", NULL, "kek", "AES256_GCM", ""));
    rt_sealed *sealed;
    rt_codec *c;
    refuses(RECORD(FIELD("f", "\"string\"") "," FIELD("n", "\"int\"")), set, "field n");
    assert_int_equal(
        lab_codec(
            &l, RECORD(FIELD("f", "\"string\"") "," FIELD("g", "{\"type\":\"array\",\"items\":[\"null\",\"bytes\"]}")),
            NULL, set, NULL, &c),
        RT_OK);
    assert_int_equal(rt_codec_sealed(c, l.a, &sealed), 2);
    assert_string_equal(sealed[0].path, "f");
    assert_string_equal(sealed[1].path, "g[]");
    assert_string_equal(sealed[1].kek, "kek");
    rt_codec_close(c);
}

/* ---- records ---- */

static rt_codec *must_open(const char *schema, const char *metadata, const char *set, const rt_codec_options *opt)
{
    rt_codec *c;
    if (lab_codec(&l, schema, metadata, set, opt, &c))
        fail_msg("%s", l.err.message);
    return c;
}

static void there_and_back(rt_codec *c, const char *json)
{
    fl_buf body;
    fl_buf_init(&body, 1 << 20);
    lab_body(&l, rt_codec_schema(c), json, &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_int_equal(l.wire.p[0], 0);
    assert_int_equal(l.wire.p[l.wire.len], 0);
    if (lab_decrypt(&l, c))
        fail_msg("%s", l.err.message);
    assert_int_equal(l.out.len, body.len);
    assert_memory_equal(l.out.p, body.p, body.len);
    fl_buf_free(&body);
}

static bool wire_holds(const char *text)
{
    return memmem(l.wire.p, l.wire.len, text, strlen(text)) != NULL;
}

static void two_rules_on_one_field_seal_twice(void **state)
{
    static const char schema[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                                 "{\"name\":\"s\",\"type\":\"string\",\"confluent:tags\":[\"A\",\"B\"]},"
                                 "{\"name\":\"b\",\"type\":\"bytes\",\"confluent:tags\":[\"B\"]}]}";
    const char *set = lab_set(&l, fl_printf(l.a, "%s,%s", lab_rule(&l, "one", "[\"A\"]", "kek", "AES256_SIV", ""),
                                            lab_rule(&l, "two", "[\"B\"]", "other", "AES128_GCM", "")));
    rt_codec *c = must_open(schema, NULL, set, NULL);
    there_and_back(c, "{\"s\":\"secret text\",\"b\":\"secret bytes\"}");
    sch_ats at;
    sch_value_error e;
    assert_true(sch_avro_extract(rt_codec_schema(c), (uint8_t *)l.wire.p + 5, l.wire.len - 5, "s", l.a, &at, &e));
    /* base64 of (base64 of (11 + 16) bytes + 28) */
    assert_int_equal(at.v[0].len, FL_B64_LEN(FL_B64_LEN(11 + 16) + 28));
    rt_codec_close(c);
}

static void rotation_puts_a_version_before_the_ciphertext(void **state)
{
    const char *set =
        "{\"domainRules\":[{\"name\":\"enc\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"],\"params\":{\"encrypt.kek.name\":"
        "\"kek\","
        "\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.expiry.days\":\"30\"}}]}";
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"bytes\"")), NULL, set, NULL);
    there_and_back(c, "{\"f\":\"abc\"}");
    assert_int_equal(l.wire.len, 5 + 1 + 5 + 3 + 28);
    assert_memory_equal(l.wire.p + 6, "\0\0\0\0\1", 5);
    l.wire.p[6] = 1;
    assert_int_equal(lab_decrypt(&l, c), RT_TAMPERED);
    l.wire.p[6] = 0;
    l.wire.p[10] = 0;
    assert_int_equal(lab_decrypt(&l, c), RT_TAMPERED);
    l.wire.p[10] = 9;
    assert_int_equal(lab_decrypt(&l, c), RT_NO_KEY);
    assert_int_equal(l.out.len, 0);
    rt_codec_close(c);
}

static void a_root_of_bytes_travels_without_its_length(void **state)
{
    rt_codec *c = must_open("\"bytes\"", NULL, NULL, NULL);
    there_and_back(c, "\"0123456789\"");
    assert_int_equal(l.wire.len, 15);
    assert_memory_equal(l.wire.p + 5, "0123456789", 10);
    rt_codec_close(c);
}

static void a_reader_without_the_key_sees_all_or_nothing(void **state)
{
    static const char schema[] =
        RECORD(TAGGED("a", "\"string\"") "," TAGGED("b", "\"string\"") "," FIELD("c", "\"string\""));
    const char *pass = lab_set(&l, lab_rule(&l, "enc", PII, "kek", "AES256_GCM", ",\"onFailure\":\"ERROR,NONE\""));
    rt_codec *c = must_open(schema, NULL, pass, NULL);
    there_and_back(c, "{\"a\":\"first secret\",\"b\":\"second secret\",\"c\":\"clear\"}");
    /* the second ciphertext is damaged: what comes out is the record as stored, not a half-opened one */
    fl_buf stored;
    fl_buf_init(&stored, 1 << 20);
    l.wire.p[l.wire.len - 10] ^= 1;
    fl_buf_add(&stored, l.wire.p + 5, l.wire.len - 5);
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_int_equal(l.out.len, stored.len);
    assert_memory_equal(l.out.p, stored.p, stored.len);
    rt_codec_close(c);
    /* with onFailure ERROR nothing comes out */
    c = must_open(schema, NULL, one_rule(), &reading);
    assert_true(fl_buf_reserve(&l.out, 1 << 16)); /* so that what is searched below is all of it */
    memset(l.out.p, 0, l.out.cap);
    assert_int_equal(lab_decrypt(&l, c), RT_TAMPERED);
    assert_says(&l, "field b, rule enc, KEK kek");
    assert_int_equal(l.out.len, 0);
    assert_null(memmem(l.out.p, l.out.cap, "first secret", 12));
    rt_codec_close(c);
    fl_buf_free(&stored);
}

static void a_client_that_may_not_use_the_kek_fails(void **state)
{
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"string\"")), NULL, one_rule(), NULL);
    rt_codec_options none = {.on_failure_none_write = true};
    fl_buf body;
    fl_buf_init(&body, 1 << 20);
    lab_body(&l, rt_codec_schema(c), "{\"f\":\"a secret\"}", &body);
    l.barred = "kek";
    assert_int_equal(lab_encrypt(&l, c, &body), RT_NO_KEY);
    assert_int_equal(l.wire.len, 0);
    rt_codec_close(c);
    /* the emulated converter with onFailure=NONE writes plaintext: that is what its tests must see */
    c = must_open(RECORD(TAGGED("f", "\"string\"")), NULL, one_rule(), &none);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_true(wire_holds("a secret"));
    rt_codec_close(c);
    fl_buf_free(&body);
}

static void disabled_executors_write_in_clear_only_when_asked(void **state)
{
    rt_codec_options opt = {.disabled = true};
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"string\"")), NULL, one_rule(), &opt);
    there_and_back(c, "{\"f\":\"a secret\"}");
    assert_true(wire_holds("a secret"));
    rt_codec_close(c);
}

static void values_that_cannot_be_encrypted_fail_their_rule(void **state)
{
    rt_codec_options opt = {.on_failure_none_write = true};
    rt_codec *c = must_open(RECORD(TAGGED("f", "[\"null\",\"string\",\"int\"]") "," TAGGED("g", "\"string\"")), NULL,
                            one_rule(), &opt);
    fl_buf body;
    fl_buf_init(&body, 1 << 20);
    lab_body(&l, rt_codec_schema(c), "{\"f\":7,\"g\":\"a secret\"}", &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_true(wire_holds("a secret")); /* the rule failed as a whole, and its failure passes */
    lab_body(&l, rt_codec_schema(c), "{\"f\":\"text\",\"g\":\"a secret\"}", &body);
    assert_int_equal(lab_encrypt(&l, c, &body), RT_OK);
    assert_false(wire_holds("a secret"));
    assert_false(wire_holds("text"));
    rt_codec_close(c);
    fl_buf_free(&body);
}

static void a_reading_codec_does_not_encrypt(void **state)
{
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"string\"")), NULL, one_rule(), &reading);
    assert_int_equal(rt_encrypt(c, (const uint8_t *)"\2a", 2, &l.wire, &l.err), RT_REFUSED);
    assert_int_equal(l.wire.len, 0);
    rt_codec_close(c);
}

/* ---- framing and other schema ids ---- */

static void frames_that_are_none_are_refused(void **state)
{
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"string\"")), NULL, one_rule(), NULL);
    static const struct {
        const char *bytes;
        size_t n;
        rt_code code;
        const char *says;
    } rows[] = {
        {"", 0, RT_BAD_INPUT, "too short"},
        {"\0\0\0\1", 4, RT_BAD_INPUT, "too short"},
        {"{\"f\":1}", 7, RT_BAD_INPUT, "does not begin with the byte 0"},
        {"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, RT_NOT_FOUND, "00000000-0000-0000-0000-000000000000"},
        {"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, RT_BAD_INPUT, "too short"},
        {"\0\0\0\0\0\0", 6, RT_BAD_INPUT, "no real schema id"},
        {"\0\377\377\377\377\0", 6, RT_BAD_INPUT, "no real schema id"},
        {"\0\0\377\377\377\0", 6, RT_NOT_FOUND, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(rt_decrypt(c, (const uint8_t *)rows[i].bytes, rows[i].n, &l.out, NULL, &l.err), rows[i].code);
        assert_says(&l, rows[i].says);
        assert_int_equal(l.out.len, 0);
    }
    rt_codec_close(c);
}

/* Old records are read with the rules of the subject's latest version, and its tags. */
static void records_of_other_ids_are_read(void **state)
{
    static const char old_schema[] = RECORD(FIELD("id", "\"string\"") "," TAGGED("f", "\"string\""));
    static const char new_schema[] = RECORD(FIELD("id", "\"string\"") "," TAGGED(
        "f", "\"string\"") ",{\"name\":\"g\",\"type\":[\"null\",\"string\"],\"default\":null}");
    rt_codec *old = must_open(old_schema, NULL, one_rule(), NULL), *now = must_open(new_schema, NULL, one_rule(), NULL);
    fl_buf body;
    int id = 0;
    fl_buf_init(&body, 1 << 20);
    lab_body(&l, rt_codec_schema(old), "{\"id\":\"1\",\"f\":\"a secret\"}", &body);
    assert_int_equal(lab_encrypt(&l, old, &body), RT_OK);
    assert_null(rt_codec_schema_for(now, l.wire.p[4]));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rt_decrypt(now, (uint8_t *)l.wire.p, l.wire.len, &l.out, &id, &l.err), RT_OK);
        assert_int_equal(id, l.wire.p[4]);
        assert_int_equal(l.out.len, body.len);
        assert_memory_equal(l.out.p, body.p, body.len);
    }
    assert_int_equal(rt_codec_schema_for(now, id)->root->nfields, 2);
    assert_int_equal(rt_codec_schema(now)->root->nfields, 3);
    rt_codec_close(old);
    rt_codec_close(now);
    fl_buf_free(&body);
}

/* Rules were added after the record was written in clear: the latest rules cannot open it; the writer's own can. */
static void writer_rules_on_request(void **state)
{
    static const char schema[] = RECORD(TAGGED("f", "\"string\""));
    rt_codec_options writers = {.read_only = true, .read_writer_rules = true};
    rt_codec *plain = must_open(schema, NULL, NULL, NULL);
    fl_buf body;
    fl_buf_init(&body, 1 << 20);
    lab_body(&l, rt_codec_schema(plain), "{\"f\":\"in clear\"}", &body);
    assert_int_equal(lab_encrypt(&l, plain, &body), RT_OK);
    rt_codec_close(plain);
    rt_codec *c = must_open(schema, NULL, one_rule(), &reading);
    assert_int_equal(lab_decrypt(&l, c), RT_TAMPERED);
    rt_codec_close(c);
    c = must_open(schema, NULL, one_rule(), &writers);
    assert_int_equal(lab_decrypt(&l, c), RT_OK);
    assert_memory_equal(l.out.p, body.p, body.len);
    rt_codec_close(c);
    fl_buf_free(&body);
}

static void references_are_fetched(void **state)
{
    rt_subject address = {
        .subject = "addr",
        .type = "AVRO",
        .schema = "{\"type\":\"record\",\"name\":\"x.Addr\",\"fields\":[" TAGGED("street", "\"string\"") "]}"};
    assert_int_equal(l.registry->ops->register_subject(l.registry, l.a, &address, &l.err), RT_OK);
    rt_schema_ref ref = {"x.Addr", "addr", 1};
    rt_subject s = {.subject = "t-value",
                    .type = "AVRO",
                    .schema = RECORD(FIELD("home", "\"x.Addr\"")),
                    .refs = &ref,
                    .nrefs = 1,
                    .ruleset = one_rule()};
    rt_codec *c;
    assert_int_equal(l.registry->ops->register_subject(l.registry, l.a, &s, &l.err), RT_OK);
    if (rt_codec_open(l.registry, l.keys, &s, NULL, &c, &l.err))
        fail_msg("%s", l.err.message);
    there_and_back(c, "{\"home\":{\"street\":\"Calle Mayor 1\"}}");
    assert_false(wire_holds("Calle"));
    rt_codec_close(c);
}

static void parameters_may_stand_in_the_metadata(void **state)
{
    static const char schema[] = RECORD(FIELD("f", "\"string\""));
    static const char metadata[] = "{\"tags\":{\"**.R.f\":[\"PII\"]},\"properties\":{\"encrypt.kek.name\":\"kek\","
                                   "\"encrypt.kms.type\":\"local-kms\","
                                   "\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.algorithm\":\"AES256_SIV\"}}";
    rt_codec *c = must_open(schema, metadata,
                            "{\"domainRules\":[{\"name\":\"enc\",\"type\":\"ENCRYPT\",\"tags\":[\"PII\"]}]}", NULL);
    there_and_back(c, "{\"f\":\"abc\"}");
    assert_int_equal(l.wire.len, 5 + 1 + FL_B64_LEN(3 + 16));
    rt_codec_close(c);
}

/* ---- the plan ---- */

static void a_plan_that_disagrees_is_refused(void **state)
{
    rt_codec *c = must_open(RECORD(TAGGED("f", "\"string\"") "," TAGGED("g", "\"string\"")), NULL, one_rule(), NULL);
    struct rt_plan_leaf both[] = {{"f", "kek", "enc"}, {"g", "kek", "enc"}},
                        other[] = {{"f", "kek", "enc"}, {"h", "kek", "enc"}};
    struct rt_plan_leaf more[] = {{"f", "kek", "enc"}, {"g", "kek", "enc"}, {"h", "kek", "enc"}};
    rt_plan_side side = {.encrypted = both, .nencrypted = 2};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_OK);
    side.nencrypted = 1;
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "field g, rule enc, KEK kek is sealed and not in the plan");
    side = (rt_plan_side){.encrypted = more, .nencrypted = 3};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "field h, rule enc, KEK kek is in the plan and not sealed");
    side = (rt_plan_side){.encrypted = other, .nencrypted = 2};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    rt_codec_close(c);
    /* a rule that reaches nothing would let everything pass in clear */
    c = must_open(RECORD(FIELD("f", "\"string\"")), NULL, one_rule(), NULL);
    side = (rt_plan_side){0};
    assert_int_equal(rt_codec_check_plan(c, &side, &l.err), RT_REFUSED);
    assert_says(&l, "rule enc reaches no field");
    rt_codec_close(c);
}

static void a_program_prints(void **state)
{
    rt_codec *c =
        must_open(RECORD(FIELD("n", "\"long\"") "," TAGGED("f", "[\"null\",\"string\"]")), NULL, one_rule(), NULL);
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    rt_codec_print(c, &b);
    assert_string_equal(b.p, "    0  long  n\n"
                             "    1  union 4 3  f\n"
                             "    2  jump 4\n"
                             "    3  seal string  f : enc with kek, AES256_GCM\n"
                             "    4  end\n");
    fl_buf_free(&b);
    rt_codec_close(c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_lab, close_lab)
    const struct CMUnitTest tests[] = {
        T(what_cannot_be_encrypted_is_refused),
        T(a_tag_on_a_record_is_refused),
        T(a_rule_that_leaves_a_field_in_clear_is_refused),
        T(none_on_write_is_refused),
        T(what_the_engine_cannot_execute_is_refused_by_name),
        T(a_misspelt_parameter_in_the_metadata),
        T(a_broken_rule_set_is_bad_input),
        T(a_rule_without_tags_takes_every_field_or_is_refused),
        T(two_rules_on_one_field_seal_twice),
        T(rotation_puts_a_version_before_the_ciphertext),
        T(a_root_of_bytes_travels_without_its_length),
        T(a_reader_without_the_key_sees_all_or_nothing),
        T(a_client_that_may_not_use_the_kek_fails),
        T(disabled_executors_write_in_clear_only_when_asked),
        T(values_that_cannot_be_encrypted_fail_their_rule),
        T(a_reading_codec_does_not_encrypt),
        T(frames_that_are_none_are_refused),
        T(records_of_other_ids_are_read),
        T(writer_rules_on_request),
        T(references_are_fetched),
        T(parameters_may_stand_in_the_metadata),
        T(a_plan_that_disagrees_is_refused),
        T(a_program_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
