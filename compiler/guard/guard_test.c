/* guard_test.c: units of guardrails: expressions of text, types, truths and what is said, over a small estate made
 * here; and the table of kinds in docs/language.md. `FLEC_UPDATE=1 guard_test` writes that table anew. Run in the
 * repository's root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/guard/model.h"

/* ---- an estate ---- */

typedef struct world {
    fl_arena *a;
    est_estate e;
    fl_diags diags;
    est_topic topics[2];
    est_kek kek;
    est_connector connector;
    est_tag tags[3];
} world;

static fl_span nowhere(fl_arena *a)
{
    static const char text[] = "the estate";
    return (fl_span){fl_source_new(a, "estate.flec", text, sizeof text - 1), 0, 3};
}

static est_text at(world *w, const char *s)
{
    return (est_text){s, w->topics[0].at};
}

static void make_side(world *w, est_topic *t, est_side *s, bool key)
{
    *s = (est_side){.topic = t, .is_key = key, .format = key ? EST_STRING : EST_AVRO, .at = t->at};
    s->tags_metadata = s->tags_inline = true;
    s->tags_in_at = t->at;
    if (!key)
        s->subject = fl_printf(w->a, "%s-value", t->name.s);
}

static void add_leaf(world *w, est_side *s, const char *path, const char *tag)
{
    static sch_type string = {.kind = SCH_STRING};
    sch_field *f = FL_NEW(w->a, sch_field);
    est_leaf l = {.hit = {.path = path, .field = f, .type = &string}};
    f->name = fl_strndup(w->a, path, strcspn(path, "[."));
    if (tag)
        FL_PUSH(w->a, &l.tags, tag);
    FL_PUSH(w->a, &s->leaves, l);
}

static void add_config(world *w, const char *name, const char *value)
{
    FL_PUSH(w->a, &w->connector.config, (est_prop){.name = at(w, name), .value = value, .value_at = w->connector.at});
}

/* crm.customers: ssn tagged PII and encrypted, 30d; crm.open: clear until 2030-01-01. */
static void make_topics(world *w)
{
    for (int i = 0; i < 2; i++) {
        est_topic *t = &w->topics[i];
        t->at = nowhere(w->a);
        t->name = at(w, i ? "crm.open" : "crm.customers");
        make_side(w, t, &t->key, true);
        make_side(w, t, &t->value, false);
        add_leaf(w, &t->value, "ssn", i ? NULL : "PII");
        add_leaf(w, &t->value, "phones[]", NULL);
        FL_PUSH(w->a, &w->e.topics, t);
    }
    est_encrypt x = {.kek_name = at(w, "crm-kek"), .kek = &w->kek, .algorithm = EST_AES256_GCM, .rotate_days = 30};
    x.name = at(w, "encrypt-PII");
    x.order = 100;
    x.rotate_at = (fl_span){nowhere(w->a).src, 4, 7};
    FL_PUSH(w->a, &x.tags, at(w, "PII"));
    FL_PUSH(w->a, &w->topics[0].value.encrypts, x);
    w->topics[0].value.leaves.v[0].encrypt = &w->topics[0].value.encrypts.v[0];
    w->topics[1].clear = at(w, "published");
    w->topics[1].clear_until = at(w, "2030-01-01");
    FL_PUSH(w->a, &w->topics[0].readers, at(w, "User:sa-crm"));
    FL_PUSH(w->a, &w->topics[1].readers, at(w, "Group:support"));
}

static void make_connector(world *w)
{
    est_connector *c = &w->connector;
    *c = (est_connector){.at = nowhere(w->a), .refresh_key = -1, .refresh_value = 300, .tasks = 2};
    c->name = at(w, "archive");
    c->type = at(w, "s3-sink");
    c->version = at(w, "10.5.13");
    c->catalog = cat_find("s3-sink");
    c->principal = at(w, "User:sa-connect");
    FL_PUSH(w->a, &c->topics, &w->topics[0]);
    add_config(w, "flush.size", "1000");
    add_config(w, "rotate.interval.ms", "${env:RI}");
    add_config(w, "format.class", "avro");
    add_config(w, "aws.secret.access.key", "${file:/s:k}");
    FL_PUSH(w->a, &w->e.connectors, c);
}

static void make(world *w)
{
    static const est_environment environments[] = {{.name = {.s = "dev"}}, {.name = {.s = "prod"}}};
    *w = (world){.a = fl_arena_new()};
    w->e.arena = w->a;
    fl_diags_init(&w->diags, w->a);
    w->kek = (est_kek){.name = {.s = "crm-kek"}, .kms = EST_AWS, .shared = true, .at = nowhere(w->a)};
    FL_PUSH(w->a, &w->e.keks, &w->kek);
    make_topics(w);
    make_connector(w);
    w->e.platform = (est_platform){.cloud = true, .workers = at(w, "7.6.1")};
    w->e.environment = "prod";
    for (size_t i = 0; i < 2; i++)
        FL_PUSH(w->a, &w->e.environments, environments[i]);
    w->tags[0].name = at(w, "HEALTH");
    w->tags[1].name = at(w, "PCI");
    w->tags[2].name = at(w, "PII");
    for (size_t i = 0; i < 3; i++)
        FL_PUSH(w->a, &w->e.tags, &w->tags[i]);
}

/* Puts one guardrail on the estate and judges it. */
static est_guardrail *judge(world *w, const char *body)
{
    const char *text = fl_printf(w->a, "guardrail \"G\" error {\n%s\n}\n", body);
    lang_file *f = lang_parse(w->a, "g.flec", text, strlen(text), &w->diags);
    est_guardrail *g = FL_NEW(w->a, est_guardrail);
    if (!lang_match(w->a, f, &w->diags))
        fail_msg("%s: %s", body, w->diags.list.v[0]->message);
    *g = (est_guardrail){.text = {.s = "G"}, .severity = FL_ERROR, .stmt = f->top->stmts[0]};
    g->at = g->stmt->span;
    FL_PUSH(w->a, &w->e.guardrails, g);
    guard_run(&w->e, &w->diags);
    return g;
}

/* ---- truths ---- */

typedef struct truth {
    const char *kind, *condition;
    size_t broken; /* how many objects break it */
} truth;

static const truth truths[] = {
    /* literals and operators */
    {"encryption", "rotate <= 90d", 0},
    {"encryption", "rotate <= 29d", 1},
    {"encryption", "rotate < never", 0},
    {"encryption", "rotate == 720h", 0},
    {"encryption", "rotate != 30d", 1},
    {"encryption", "order >= 100 and order < 1e3", 0},
    {"encryption", "algorithm in [\"AES256_GCM\", \"AES256_SIV\"]", 0},
    {"encryption", "\"PII\" in tags and not \"PCI\" in tags", 0},
    {"encryption", "tags == [\"PII\"] and tags != [\"PII\", \"PCI\"]", 0},
    {"encryption", "name matches '^encrypt-[A-Z]+$'", 0},
    {"encryption", "payload or mode == \"WRITE\" or read-failure == \"ciphertext\"", 1},
    {"encryption", "kek == \"crm-kek\" and topic == \"crm.customers\" and side == \"value\"", 0},
    {"side", "which == \"key\" or format == \"avro\"", 0},
    {"side", "subject == absent", 2},
    {"side", "compatibility == absent and tags-in != \"inline\"", 0}, /* a string side has no tags-in */
    {"topic", "clear", 1},
    {"topic", "clear-until <= 2029-12-31", 2}, /* absent has no order */
    {"topic", "clear-until == absent or clear-until == 2030-01-01", 0},
    {"topic", "owner == absent", 0},
    {"topic", "owner != absent", 2},
    {"topic", "environment == \"prod\" and platform == \"cloud\" and workers >= 7.6", 0},
    {"topic", "workers < 7.6.1", 2},
    {"topic", "name matches 'crm'", 0},
    {"topic", "name matches '^crm[.](customers|open)$'", 0},
    /* lists */
    {"topic", "some encryption (kek == \"crm-kek\")", 1},
    {"topic", "no encryption (rotate == never)", 0},
    {"topic", "every side (which == \"key\" or format == \"avro\")", 0},
    {"topic", "every side (topic.clear or some field (encrypted))", 1}, /* the key of crm.customers has no fields */
    {"topic", "some reader (type == \"Group\")", 1},
    {"topic", "some connector (kind == \"sink\")", 1},
    {"topic", "every writer (false)", 0},
    {"kek", "some topic (name == \"crm.customers\") and no topic (clear)", 0},
    {"kek", "kms == \"aws\" and shared and alternates == [\"x\"]", 1},
    {"principal", "no reads (clear)", 1},
    {"principal", "some kek (name == \"crm-kek\") or some reads (clear)", 0},
    {"principal", "name == \"sa-crm\" and type == \"User\"", 2},
    {"connector", "every topic (some field (\"PII\" in tags and connector.kind == \"sink\"))", 0},
    /* enclosing objects: of one kind the innermost */
    {"field", "side.format == \"avro\" and topic.name matches 'crm' and field.name != \"\"", 0},
    {"field", "name == \"ssn\" or name == \"phones\"", 0},
    {"field", "encrypted or kek == absent", 0},
    {"field", "payload-encrypted or rotate == absent or rotate == 30d", 0},
    {"topic", "every connector (every topic (topic.name == \"crm.customers\"))", 0},
    /* connectors */
    {"connector", "tasks == 2 and version >= 10.5 and refresh == 5m and worker == absent", 0},
    {"connector", "principal == \"User:sa-connect\" and dead-letters == absent and not reports", 0},
    {"connector", "config[\"flush.size\"] <= 1000", 0},
    {"connector", "config[\"flush.size\"] < 1000", 1},
    {"connector", "config[\"format.class\"] == \"avro\"", 0},
    {"connector", "config[\"format.class\"] == \"io.confluent.connect.s3.format.avro.AvroFormat\"", 0},
    {"connector", "config[\"s3.region\"] == absent", 0},
    {"connector", "not config[\"aws.secret.access.key\"] == absent", 0},
    /* what is known only when it is deployed: neither true nor false, and so broken, unless the rest settles it */
    {"connector", "config[\"rotate.interval.ms\"] <= 60000", 1},
    {"connector", "not config[\"rotate.interval.ms\"] <= 60000", 1},
    {"connector", "config[\"rotate.interval.ms\"] <= 60000 or tasks == 2", 0},
    {"connector", "tasks == 2 or config[\"rotate.interval.ms\"] <= 60000", 0},
    {"connector", "config[\"rotate.interval.ms\"] <= 60000 and tasks == 2", 1},
    {"connector", "config[\"rotate.interval.ms\"] != absent", 0},
};

static void truths_are_told(void **state)
{
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++) {
        world w;
        make(&w);
        judge(&w, fl_printf(w.a, "every %s\nrequires %s", truths[i].kind, truths[i].condition));
        if (w.diags.list.n != truths[i].broken)
            fail_msg("every %s: %s: %zu findings instead of %zu: %s", truths[i].kind, truths[i].condition,
                     w.diags.list.n, truths[i].broken, w.diags.list.n ? w.diags.list.v[0]->message : "");
        fl_arena_free(w.a);
    }
}

/* ---- types ---- */

typedef struct mistake {
    const char *kind, *condition, *place, *message,
        *help; /* place: the text that the finding points at; help or NULL */
} mistake;

static const mistake mistakes[] = {
    {"encryption", "rotat <= 90d", "rotat", "`rotat` is no property of an encryption", "did you mean `rotate`?"},
    {"encryption", "rotate <= 90", "90", "`rotate` is a duration, and `90` is a number",
     "write 90d, 12h, 30m, 300s or never"},
    {"encryption", "90d >= order", "90d", "`order` is a number, and `90d` is a duration", "write 1000"},
    {"encryption", "rotate", "rotate", "a condition stands here, and `rotate` is a duration",
     "compare it, as `rotate == …`"},
    {"encryption", "algorithm == AES256_SIV", "AES256_SIV", "`AES256_SIV` without quotes would be a property",
     "write \"AES256_SIV\""},
    {"encryption", "algorithm == \"AES256_SVI\"", "\"AES256_SVI\"", "`algorithm` is never \"AES256_SVI\"",
     "did you mean \"AES256_SIV\"?"},
    {"encryption", "\"PIII\" in tags", "\"PIII\"", "`tags` is never \"PIII\"", "did you mean \"PII\"?"},
    {"encryption", "mode in [\"WRITE\", \"READ\"]", "\"READ\"", "`mode` is never \"READ\"", NULL},
    {"encryption", "kek < \"x\"", "kek < \"x\"", "a text has no order", NULL},
    {"encryption", "kek == 4", "4", "`kek` is a text, and `4` is a number", "write \"4\""},
    {"encryption", "kek matches name", "name", "behind `matches` stands an expression in quotes", NULL},
    {"encryption", "kek matches '(a'", "'(a'", "a `(` is not closed", NULL},
    {"encryption", "kek in name", "name", "behind `in` stands a set of texts, and this is a text", NULL},
    {"encryption", "rotate in tags", "rotate", "before `in` stands a text, and this is a duration", NULL},
    {"encryption", "1 == 1", "1 == 1", "neither side is a property, so this is always the same", NULL},
    {"encryption", "rotate < absent", "absent", "nothing is smaller or larger than `absent`", NULL},
    {"encryption", "some field (encrypted)", "field", "an encryption has no list `field`", NULL},
    {"encryption", "tags == [PII]", "PII", "a list in a condition holds texts", "write \"PII\""},
    {"encryption", "connector.name == \"x\"", "connector.name", "no connector holds this encryption", NULL},
    {"encryption", "tpic.name == \"x\"", "tpic.name", "`tpic` is no kind of thing", NULL},
    {"encryption", "clear", "clear", "`clear` is no property of an encryption", NULL},
    {"topic", "side == \"key\"", "side", "`side` is a list of things, not one value", NULL},
    {"topic", "some sied (clear)", "sied", "a topic has no list `sied`", "did you mean `side`?"},
    {"topic", "environment == \"prd\"", "\"prd\"", "`environment` is never \"prd\"", "did you mean \"prod\"?"},
    {"topic", "workers >= 8d", "8d", "`workers` is a version, and `8d` is a duration", "write 7.6.1"},
    {"topic", "clear-until > 2030-02-30", "2030-02-30", "`2030-02-30` is no number, duration, date or version", NULL},
    {"topic", "config[\"x\"] == absent", "config", "only a connector's `config` has properties by name", NULL},
    {"topic", "some side (owner == absent)", "owner", "`owner` is no property of a side", "write `topic.owner`"},
    {"connector", "config == absent", "config", "`config` is asked for one property", NULL},
    {"connector", "config[\"flush.sise\"] == 1", "\"flush.sise\"", "no connector has a property `flush.sise`",
     "did you mean \"flush.size\"?"},
    {"connector", "config[\"tasks.max\"] == 1", "\"tasks.max\"",
     "`tasks.max` is generated, so it never stands in a connector's `config`", NULL},
    {"connector", "config[\"flush.size\"] == \"1000\"", "\"1000\"",
     "`config` is a number, and the text in quotes is a text", "write 1000"},
    {"connector", "config[\"aws.secret.access.key\"] == \"x\"", "config[\"aws.secret.access.key\"] == \"x\"",
     "of a secret only `== absent` may be asked", NULL},
    {"connector", "config[\"aws.secret.access.key\"] != absent", "config[\"aws.secret.access.key\"] != absent",
     "of a secret only `== absent` may be asked", "write `… == absent`, or `not … == absent`"},
    {"connector", "config[\"aws.secret.access.key\"] matches 'a'", "config[\"aws.secret.access.key\"] matches 'a'",
     "of a secret only `== absent` may be asked", NULL},
    {"connector", "\"a\" in config[\"aws.secret.access.key\"]", "\"a\" in config[\"aws.secret.access.key\"]",
     "of a secret only `== absent` may be asked", NULL},
    {"connector", "type == \"s3-snik\"", "\"s3-snik\"", "`type` is never \"s3-snik\"", "did you mean \"s3-sink\"?"},
};

static void mistakes_are_explained(void **state)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const mistake *m = &mistakes[i];
        world w;
        make(&w);
        judge(&w, fl_printf(w.a, "every %s\nrequires %s\nrequires nonsense == 1", m->kind, m->condition));
        assert_int_equal(w.diags.list.n, 1); /* one a guardrail, whatever else is wrong with it */
        const fl_diag *d = w.diags.list.v[0];
        const char *place = fl_strndup(w.a, d->span.src->text + d->span.from, d->span.to - d->span.from);
        if (strcmp(d->message, m->message) || strcmp(place, m->place) ||
            (m->help && (!d->help || strcmp(d->help, m->help))))
            fail_msg("%s:\n  %s\n  at %s\n  help %s", m->condition, d->message, place, d->help ? d->help : "-");
        assert_string_equal(d->check, "guardrail");
        assert_int_equal(d->severity, FL_ERROR);
        fl_arena_free(w.a);
    }
}

/* ---- what is said ---- */

static const char *said(world *w, const char *body)
{
    judge(w, body);
    assert_int_equal(w->diags.list.n, 1);
    return w->diags.list.v[0]->message;
}

static void values_are_shown(void **state)
{
    static const struct {
        const char *body, *message;
    } all[] = {
        {"every encryption\nrequires rotate <= 1d and \"PCI\" in tags and kek == absent",
         "guardrail \"G\": topic crm.customers, value, encryption encrypt-PII: `rotate <= 1d and \"PCI\" in tags and "
         "kek "
         "== absent` is false: rotate is 30d, tags is [\"PII\"], kek is \"crm-kek\""},
        {"every connector\nrequires config[\"aws.secret.access.key\"] == absent",
         "guardrail \"G\": connector archive: `config[\"aws.secret.access.key\"] == absent` is false: "
         "config[\"aws.secret.access.key\"] is there"},
        {"every connector\nrequires config[\"rotate.interval.ms\"] == 1",
         "guardrail \"G\": connector archive: `config[\"rotate.interval.ms\"] == 1` cannot be told here, so it does "
         "not "
         "hold: config[\"rotate.interval.ms\"] is not known here"},
        {"every topic\nwhere not clear\nrequires every field (encrypted or topic.clear)",
         "guardrail \"G\": topic crm.customers: `every field (encrypted or topic.clear)` is false: of topic "
         "crm.customers, value, field phones[]: encrypted is false, topic.clear is false"},
        {"every topic\nwhere clear\nrequires some connector (tasks == 2)",
         "guardrail \"G\": topic crm.open: `some connector (tasks == 2)` is false: there is no `connector`"},
        {"every topic\nwhere not clear\nrequires some connector (tasks == 3)",
         "guardrail \"G\": topic crm.customers: `some connector (tasks == 3)` is false: there is 1 `connector`, and "
         "none "
         "is so"},
        {"every topic\nwhere clear\nrequires false", "guardrail \"G\": topic crm.open: `false` is false"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        world w;
        make(&w);
        assert_string_equal(said(&w, all[i].body), all[i].message);
        fl_arena_free(w.a);
    }
}

static void each_requires_reports_alone(void **state)
{
    world w;
    make(&w);
    judge(&w, "every kek\nwhere shared\nwhere kms == \"aws\"\nrequires not shared\nrequires kms == \"gcp\"\nrequires "
              "shared");
    assert_int_equal(w.diags.list.n, 2);
    fl_arena_free(w.a);
}

/* Idle in one environment of several is not idle. */
static void idle_everywhere(void **state)
{
    world w, other;
    make(&w);
    make(&other);
    const est_estate *all[] = {&w.e, &other.e};
    judge(&w, "every kek\nwhere kms == \"gcp\"\nrequires shared");
    judge(&other, "every kek\nwhere kms == \"gcp\"\nrequires shared");
    guard_idle(all, 1, &w.diags);
    assert_int_equal(w.diags.list.n, 0); /* the other environment was not looked at */
    guard_idle(all, 2, &w.diags);
    assert_int_equal(w.diags.list.n, 1);
    assert_string_equal(w.diags.list.v[0]->check, "idle-guardrail");
    other.e.guardrails.v[0]->reached = true;
    guard_idle(all, 2, &w.diags);
    assert_int_equal(w.diags.list.n, 1);
    fl_arena_free(w.a);
    fl_arena_free(other.a);
}

/* Lists of lists of lists end, and it is said. */
static void endless_work_is_given_up(void **state)
{
    const char *condition = "tasks == 1";
    world w;
    make(&w);
    for (int i = 0; i < 30; i++)
        FL_PUSH(w.a, &w.connector.topics, &w.topics[0]);
    for (int i = 0; i < 8; i++)
        condition = fl_printf(w.a, "%s (%s)", i % 2 ? "some topic" : "some connector", condition);
    judge(&w, fl_printf(w.a, "every connector\nrequires %s", condition));
    assert_int_equal(w.diags.list.n, 1);
    assert_non_null(strstr(w.diags.list.v[0]->message, "was given up"));
    fl_arena_free(w.a);
}

/* As long as lang/ takes one: the tree of a chain is balanced. */
static void long_conditions_are_judged(void **state)
{
    world w;
    fl_buf b;
    make(&w);
    fl_buf_init(&b, 1 << 20);
    fl_buf_adds(&b, "every kek\nrequires shared");
    for (int i = 0; i < 50000; i++)
        fl_buf_adds(&b, " and shared");
    judge(&w, b.p);
    assert_int_equal(w.diags.list.n, 0);
    w.e.guardrails.n = 0;
    fl_buf_adds(&b, " and not shared");
    judge(&w, b.p);
    assert_int_equal(w.diags.list.n, 1);
    assert_true(strlen(w.diags.list.v[0]->message) < 300);
    fl_buf_free(&b);
    fl_arena_free(w.a);
}

/* ---- patterns ---- */

static void patterns_match(void **state)
{
    static const struct {
        const char *pattern, *text;
        int matches;
    } all[] = {
        {"^crm\\.", "crm.customers", 1},
        {"^crm\\.", "crmx", 0},
        {"b$", "ab\n", 0},
        {"a.c", "a\nc", 1},
        {"[.]", "a.b", 1},
        {"[\\]", "a\\b", 1},
        {"[\\.]", "axb", 0},
        {"[]a]", "]", 1},
        {"[^]a]", "]", 0},
        {"[[:digit:]]{2,}", "a12", 1},
        {"x{2}", "ax", 0},
        {"(ab|c)+d", "xcabd", 1},
        {"a\\{b", "a{b", 1},
        {"}", "}", 1},
        {"^ä?b", "b", 1},
        {"^.$", "ä", 1},
        {"(a|b)*c", "aabbc", 1},
        {"[[]", "[", 1},
        {"a#b c", "a#b c", 1},
        {"", "", -2},
        {"(a*)*b", "aaaaaaaaaaaaaaaa", 0},
        {"(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", -1},
    };
    char message[160];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guard_pattern *p = guard_pattern_new(all[i].pattern, message);
        int got = p ? guard_pattern_matches(p, all[i].text) : -2;
        if (got != all[i].matches)
            fail_msg("%s on %s: %d%s%s", all[i].pattern, all[i].text, got, p ? "" : ", ", p ? "" : message);
        guard_pattern_free(p);
    }
}

static void patterns_are_refused(void **state)
{
    static const struct {
        const char *pattern, *message;
    } all[] = {
        {"\\d+", "POSIX knows no `\\d`: write a bracket, as [0-9], [[:space:]] or [[:alnum:]_]"},
        {"(a)\\1", "POSIX knows no `\\1`: write a bracket, as [0-9], [[:space:]] or [[:alnum:]_]"},
        {"a**", "`*` stands behind another repetition"},
        {"a+?", "`?` stands behind another repetition"},
        {"*a", "`*` has nothing before it to repeat"},
        {"(?:a)", "behind `(` stands an expression"},
        {"(*UTF)a", "behind `(` stands an expression"},
        {"(", "a `(` is not closed"},
        {"()", "behind `(` stands an expression"},
        {"a|", "an alternative is empty"},
        {"a)", "a `)` closes nothing: write \\) for the character"},
        {"[a", "a `[` is not closed"},
        {"[[:word:]]", "`[:` opens no class of characters that is known here: write [:alpha:], [:digit:] …"},
        {"[[.hyphen.]]", "`[.` opens no class of characters that is known here: write [:alpha:], [:digit:] …"},
        {"[ä]", "brackets hold ASCII characters only: write (ä|ö) for others"},
        {"a{", "`{` begins a repetition like {2} or {2,5}: write \\{ for the character"},
        {"a{,3}", "`{` begins a repetition like {2} or {2,5}: write \\{ for the character"},
        {"a{3,2}", "a repetition counts from the smaller number to the larger"},
        {"a{256}", "a repetition counts to 255 at most"},
        {"a{99999999999}", "a repetition counts to 255 at most"},
        {"^*", "an anchor cannot be repeated"},
        {"a\\", "a `\\` stands at the end"},
        {"((a{1,255}){1,255}){1,255}", "with its repetitions written out the expression has more than 2000 parts"},
    };
    char message[160];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        guard_pattern *p = guard_pattern_new(all[i].pattern, message);
        if (p || strcmp(message, all[i].message))
            fail_msg("%s: %s", all[i].pattern, p ? "taken" : message);
    }
}

static void deep_and_long_patterns(void **state)
{
    char pattern[1024], message[160];
    memset(pattern, '(', 100);
    pattern[100] = 0;
    assert_null(guard_pattern_new(pattern, message));
    assert_string_equal(message, "groups stand more than 32 deep in each other");
    memset(pattern, 'a', 600);
    pattern[600] = 0;
    assert_null(guard_pattern_new(pattern, message));
    assert_string_equal(message, "the expression is longer than 512 bytes");
}

/* ---- the reference ---- */

/* Judges each guardrail of an example; a mistake in a condition says in which guardrail it is. */
static size_t judge_example(world *w, const char *text, size_t len)
{
    lang_file *f = lang_parse(w->a, "example.flec", fl_strndup(w->a, text, len), len, &w->diags);
    assert_true(lang_match(w->a, f, &w->diags));
    for (size_t i = 0; i < f->top->n; i++) {
        est_guardrail *g = FL_NEW(w->a, est_guardrail);
        *g = (est_guardrail){.text = {.s = "G"}, .stmt = f->top->stmts[i], .at = f->top->stmts[i]->span};
        FL_PUSH(w->a, &w->e.guardrails, g);
    }
    guard_run(&w->e, &w->diags);
    for (size_t i = 0; i < w->diags.list.n; i++)
        if (!strcmp(w->diags.list.v[i]->related[0].label, "in this guardrail"))
            fail_msg("an example of docs/language.md: %s", w->diags.list.v[i]->message);
    return f->top->n;
}

static void examples_are_guardrails(void **state)
{
    world w;
    char *text;
    size_t n, judged = 0;
    make(&w);
    assert_int_equal(fl_read_file(w.a, "docs/language.md", 1 << 22, &text, &n), 0);
    const char *to = strstr(text, "## 10. Waivers"), *p = strstr(text, "## 9. Guardrails");
    assert_true(p && to);
    while ((p = strstr(p, "```flec\n")) && p < to) {
        const char *from = p + strlen("```flec\n"), *end = strstr(from, "```");
        judged += judge_example(&w, from, (size_t)(end - from));
        p = end + 3;
    }
    assert_true(judged >= 3);
    fl_arena_free(w.a);
}

#define DOCUMENT "docs/language.md"
#define OPEN     "<!-- guardrails -->\n"
#define CLOSE    "<!-- end of guardrails -->\n"

static void the_reference_is_the_table(void **state)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t n;
    fl_buf want;
    fl_buf_init(&want, 1 << 20);
    guard_reference(&want);
    assert_int_equal(fl_read_file(a, DOCUMENT, 1 << 22, &text, &n), 0);
    char *from = strstr(text, OPEN), *to = strstr(text, CLOSE);
    assert_non_null(from);
    assert_non_null(to);
    from += strlen(OPEN);
    if (getenv("FLEC_UPDATE")) {
        const char *all = fl_printf(a, "%.*s%s%s", (int)(from - text), text, want.p, to);
        assert_int_equal(fl_write_file(DOCUMENT, all, strlen(all), 0644, false), 0);
    } else {
        assert_string_equal(fl_strndup(a, from, (size_t)(to - from)), want.p);
    }
    fl_buf_free(&want);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truths_are_told),
        cmocka_unit_test(mistakes_are_explained),
        cmocka_unit_test(values_are_shown),
        cmocka_unit_test(each_requires_reports_alone),
        cmocka_unit_test(idle_everywhere),
        cmocka_unit_test(endless_work_is_given_up),
        cmocka_unit_test(long_conditions_are_judged),
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(patterns_are_refused),
        cmocka_unit_test(deep_and_long_patterns),
        cmocka_unit_test(examples_are_guardrails),
        cmocka_unit_test(the_reference_is_the_table),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
