/* catalog_test.c: look-ups in the catalogue, and facts that must not get lost from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "compiler/catalog/catalog_data.h"

static void patterns(void **state)
{
    assert_true(cat_matches("a.*.c", "a.b.c"));
    assert_false(cat_matches("a.*.c", "a.b.b.c"));
    assert_false(cat_matches("a.*.c", "a..c"));
    assert_true(cat_matches("a.*", "a.b.c"));
    assert_false(cat_matches("a.*", "a."));
    assert_false(cat_matches("a.*", "a"));
    assert_true(cat_matches("a.b", "a.b"));
    assert_false(cat_matches("a.b", "a.bc"));
    assert_false(cat_matches("a.bc", "a.b"));
}

/* The seven connectors of the founding document with their floors, and the legacy one. */
static void floors(void **state)
{
    static const char *const want[][3] = {
        {"ibm-mq-source", "12.0.0", "12.2.0"},
        {"postgres-cdc-source", "2.0.0", "2.5.0"},
        {"s3-sink", "10.0.0", "10.6.0"},
        {"s3-source", "2.0.0", "2.6.16"},
        {"salesforce-platform-event-source", "2.0.0", "2.0.29"},
        {"servicenow-sink", "2.4.0", "2.5.6"},
        {"servicenow-source", "2.4.0", "2.5.6"},
    };
    size_t n, with = 0;
    const cat_connector *all = cat_connectors(&n);
    for (size_t i = 0; i < n; i++) {
        with += all[i].csfle;
        if (i)
            assert_true(strcmp(all[i - 1].id, all[i].id) < 0);
        assert_true(all[i].source != all[i].sink);
    }
    assert_int_equal(with, 7);
    assert_int_equal(n, 8);
    for (size_t i = 0; i < 7; i++) {
        const cat_connector *c = cat_find(want[i][0]);
        assert_non_null(c);
        assert_string_equal(c->min_version, want[i][1]);
        assert_string_equal(c->min_version_cp8, want[i][2]);
    }
    assert_false(cat_find("postgres-cdc-source-legacy")->csfle);
    assert_null(cat_find("jdbc-sink"));
}

static void reporters(void **state)
{
    size_t n;
    const cat_connector *all = cat_connectors(&n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(all[i].uses_reporter, !strcmp(all[i].id, "servicenow-sink"));
}

static void properties(void **state)
{
    const cat_connector *s3 = cat_find("s3-sink");
    const cat_property *p = cat_find_property(s3, "flush.size");
    assert_true(p->required && p->type == CAT_INT && p->has_min && p->min == 1 && !p->has_max);
    assert_true(cat_find_property(s3, "aws.secret.access.key")->secret);
    assert_string_equal(cat_find_property(s3, "s3.region")->fallback, "us-west-2");
    assert_null(cat_find_property(s3, "s3.regoin"));
    assert_string_equal(cat_find_property(s3, "transforms.route.type")->name, "transforms.*.type");
    p = cat_find_property(s3, "consumer.override.max.poll.records");
    assert_true(p->pattern && !p->secret);
    p = cat_find_property(s3, "consumer.override.sasl.jaas.config");
    assert_true(!p->pattern && p->secret);
    assert_string_equal(cat_find_property(cat_find("s3-source"), "topic.regex.list")->required_if, "mode=GENERIC");
    assert_null(cat_find_property(s3, "producer.override.acks")); /* a sink has no producer of its own */
}

/* Every property of the material is there; the number is that of the data. */
typedef struct count {
    size_t n, secrets, without_doc;
} count;

static bool add(const cat_property *p, void *ctx)
{
    count *c = ctx;
    c->n++;
    c->secrets += p->secret;
    c->without_doc += !p->doc || !*p->doc || !p->source || !*p->source;
    return true;
}

static void completeness(void **state)
{
    count c = {0};
    cat_each_property(cat_find("postgres-cdc-source"), add, &c);
    assert_int_equal(c.without_doc, 0);
    assert_true(c.n > 117 + 40);
    assert_true(c.secrets >= 8);
    const char *names[1000];
    assert_true(cat_property_names(cat_find("postgres-cdc-source"), names, 1000) > 117);
    assert_int_equal(cat_property_names(cat_find("postgres-cdc-source"), names, 3), 3);
}

static void classes(void **state)
{
    const cat_connector *s3 = cat_find("s3-sink");
    assert_string_equal(cat_class(s3, "format.class", "avro"), "io.confluent.connect.s3.format.avro.AvroFormat");
    assert_null(cat_class(s3, "format.class", "csv"));
    assert_string_equal(cat_class(cat_find("s3-source"), "format.class", "csv"),
                        "io.confluent.connect.s3.format.csv.CsvFormat");
    assert_null(cat_class(cat_find("ibm-mq-source"), "format.class", "avro"));
    assert_string_equal(cat_class(s3, "header.converter", "simple"),
                        "org.apache.kafka.connect.storage.SimpleHeaderConverter");
    const char *names[8];
    assert_int_equal(cat_short_names(s3, "format.class", names, 8), 4);
    assert_int_equal(cat_short_names(s3, "header.converter", names, 8), 3);
    assert_int_equal(cat_short_names(s3, "flush.size", names, 8), 0);
    assert_string_equal(cat_converter_class("avro"), "io.confluent.connect.avro.AvroConverter");
    assert_string_equal(cat_converter_class("string"), "org.apache.kafka.connect.storage.StringConverter");
    assert_null(cat_converter_class("xml"));
    assert_non_null(cat_find_transform("io.debezium.transforms.ExtractNewRecordState"));
    assert_ptr_equal(cat_find_transform("RegexRouter"),
                     cat_find_transform("org.apache.kafka.connect.transforms.RegexRouter"));
    assert_null(cat_find_transform("com.acme.RegexRouter"));
}

static void owners(void **state)
{
    const cat_connector *c = cat_find("s3-sink");
    static const struct {
        const char *name;
        cat_owner owner;
    } want[] = {
        {"csfle.enabled", CAT_GENERATED},
        {"csfle.onFailure", CAT_UNDOES},
        {"value.converter", CAT_GENERATED},
        {"key.converter.auto.register.schemas", CAT_GENERATED},
        {"value.converter.use.latest.version", CAT_GENERATED},
        {"value.converter.latest.cache.ttl.sec", CAT_GENERATED},
        {"value.converter.basic.auth.user.info", CAT_GENERATED},
        {"value.converter.rule.executors._default_.param.secret", CAT_GENERATED},
        {"value.converter.rule.executors._default_.onFailure", CAT_UNDOES},
        {"value.converter.rule.service.loader.enable", CAT_UNDOES},
        {"rule.executors._default_.param.access.key.id", CAT_GENERATED},
        {"rule.executors._default_.disabled", CAT_UNDOES},
        {"key.converter.use.schema.id", CAT_UNDOES},
        {"key.converter.use.latest.with.metadata", CAT_UNDOES},
        {"value.converter.latest.compatibility.strict", CAT_UNDOES},
        {"value.converter.value.subject.name.strategy", CAT_GENERATED},
        {"errors.deadletterqueue.topic.name", CAT_GENERATED},
        {"reporter.error.topic.name", CAT_GENERATED},
        {"errors.tolerance", CAT_FREE},
        {"value.converter.decimal.format", CAT_FREE},
        {"flush.size", CAT_FREE},
        {"topics.regex", CAT_FREE},
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const char *why = NULL;
        assert_int_equal(cat_property_owner(c, want[i].name, &why), want[i].owner);
        assert_int_equal(why != NULL, want[i].owner != CAT_FREE);
    }
}

static void kms(void **state)
{
    static const struct {
        const char *type;
        size_t n, secrets;
    } want[] = {{"aws-kms", 6, 1}, {"azure-kms", 3, 1}, {"gcp-kms", 5, 1}, {"hcvault", 7, 3}, {"local-kms", 1, 1}};
    for (size_t i = 0; i < 5; i++) {
        size_t n, secrets = 0;
        const cat_kms_param *p = cat_kms_params(want[i].type, &n);
        assert_int_equal(n, want[i].n);
        for (size_t j = 0; j < n; j++)
            secrets += p[j].secret;
        assert_int_equal(secrets, want[i].secrets);
    }
    size_t n = 1;
    assert_null(cat_kms_params("alicloud-kms", &n));
    assert_int_equal(n, 0);
}

static void one_constraint(const cat_constraint *k, void *ctx)
{
    size_t *n = ctx;
    for (size_t i = 0; i <= k->nconditions; i++) {
        const char *text = i < k->nconditions ? k->conditions[i] : k->when;
        cat_condition c = text ? cat_read_condition(text) : (cat_condition){.value = "", .nname = 1};
        assert_true(c.nname > 0);
        assert_true(!c.op || *c.value);
    }
    (*n)++;
}

static void constraints(void **state)
{
    size_t n, found = 0;
    const cat_connector *all = cat_connectors(&n);
    for (size_t i = 0; i < n; i++)
        cat_each_constraint(&all[i], one_constraint, &found);
    assert_true(found > 25);
    cat_condition c = cat_read_condition("a.b!=x|y");
    assert_int_equal(c.nname, 3);
    assert_int_equal(c.op, '!');
    assert_string_equal(c.value, "x|y");
    c = cat_read_condition("a.b");
    assert_int_equal(c.op, 0);
    c = cat_read_condition("a>b.c");
    assert_string_equal(c.value, "b.c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),   cmocka_unit_test(floors),       cmocka_unit_test(reporters),
        cmocka_unit_test(properties), cmocka_unit_test(completeness), cmocka_unit_test(classes),
        cmocka_unit_test(owners),     cmocka_unit_test(kms),          cmocka_unit_test(constraints),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
