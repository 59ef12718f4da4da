/* match_test.c: statements against forms: slots, messages, duplicates, what is missing, what no overlay holds. */
#include <stdio.h>
#include <stdlib.h>

#include "lang/test_tools.h"

#include "lang/forms.h"
#include "lang/pattern.h"

static void expect(const char *text, const char *want)
{
    reading r = match_text(text);
    assert_string_equal(messages(&r), want);
    assert_int_equal(r.ok, *want == '\0');
    fl_arena_free(r.a);
}

/* The same inside blocks that need nothing else. */
#define IN_KEK(s)       "kek k {\n  kms local \"x\"\n  shared\n" s "\n}\n"
#define IN_VALUE(s)     "topic t {\n  value avro \"a.avsc\" {\n" s "\n  }\n}\n"
#define IN_TOPIC(s)     "topic t {\n  value string\n" s "\n}\n"
#define IN_CONNECTOR(s) "connector c : s3-sink 1.2.3 {\n  topics t\n" s "\n}\n"
#define IN_CONFIG(s)    "connector c : s3-sink 1.2.3 {\n  topics t\n  config {\n" s "\n  }\n}\n"
#define IN_TEST(s)      "test \"t\" {\n  expect refused\n" s "\n}\n"

static const lang_stmt *only(const reading *r)
{
    assert_string_equal(messages(r), "");
    return r->file->top->stmts[0];
}

static const char *slot(const lang_stmt *s, const char *name)
{
    const lang_value *v = lang_get1(s, name);
    return v ? v->name.text : NULL;
}

static void slots(void **state)
{
    reading r = match_text("connector a : s3-sink 1.2.3 for x, y in rows {\n  topics t, u\n}\n");
    const lang_stmt *s = only(&r);
    assert_true(lang_is(s, "top.connector"));
    assert_string_equal(slot(s, "name"), "a");
    assert_string_equal(slot(s, "type"), "s3-sink");
    assert_string_equal(slot(s, "version"), "1.2.3");
    assert_int_equal(lang_get(s, "vars")->n, 2);
    assert_string_equal(slot(s, "list"), "rows");
    assert_null(lang_get(s, "no-such-slot"));
    assert_true(lang_has(s, "for"));
    assert_int_equal(lang_get(lang_find(s->block, "connector.topics"), "topics")->n, 2);
    assert_null(lang_find(s->block, "connector.config"));
    assert_int_equal(s->block->kind, LANG_CONNECTOR);
    fl_arena_free(r.a);
}

static void optional_parts(void **state)
{
    reading r = match_text("tag A\ntag B \"x\"\ntag C clear because \"y\"\ntag D \"x\" clear because \"y\"\n");
    for (size_t i = 0; i < 4; i++) {
        const lang_stmt *s = r.file->top->stmts[i];
        assert_true(lang_is(s, "top.tag"));
        assert_int_equal(slot(s, "text") != NULL, i & 1);
        assert_int_equal(lang_has(s, "clear"), i >> 1);
        assert_int_equal(slot(s, "reason") != NULL, i >> 1);
    }
    fl_arena_free(r.a);
}

static void fields(void **state)
{
    reading r =
        match_text(IN_VALUE("field a is PII, PCI\nfield b is clear\nfield c is clear, INTERNAL\nfield clear is clear"));
    const lang_block *b = only(&r)->block->stmts[0]->block;
    assert_true(lang_is(b->stmts[0], "side.field"));
    assert_int_equal(lang_get(b->stmts[0], "tags")->n, 2);
    assert_true(lang_is(b->stmts[1], "side.field-clear"));
    assert_null(lang_get(b->stmts[1], "tags"));
    assert_true(lang_is(b->stmts[2], "side.field-clear"));
    assert_string_equal(slot(b->stmts[2], "tags"), "INTERNAL");
    assert_string_equal(slot(b->stmts[3], "path"), "clear");
    fl_arena_free(r.a);
    expect(IN_VALUE("field a is PII, clear"), "3:17 `clear` is not the name of a tag\n");
    expect(IN_VALUE("field a are PII"), "3:9 expected `is` here\n");
    expect(IN_VALUE("field a.b"), "3:10 expected `is` here\n");
    expect(IN_VALUE("field \"a b\" is PII"),
           "3:7 a field path stands in no double quotes: it is a word or a raw string\n");
}

static void form_id(const char *step, const char *id)
{
    fl_arena *a = fl_arena_new();
    reading r = match_text(fl_printf(a, "test \"t\" {\n  expect refused\n  %s\n}\n", step));
    const lang_block *b = only(&r)->block;
    assert_non_null(b->stmts[1]->form);
    assert_string_equal(b->stmts[1]->form->id, id);
    fl_arena_free(r.a);
    fl_arena_free(a);
}

static void steps(void **state)
{
    form_id("produce t null", "test.produce");
    form_id("produce t key \"k\" { \"a\": [1, true, null] }", "test.produce");
    form_id("produce t key {} {}", "test.produce");
    form_id("produce t from \"f.jsonl\"", "test.produce-from");
    form_id("connector c receives t -1.5e3", "test.connector");
    form_id("connector c receives t from 'f'", "test.connector-from");
    form_id("replay t from \"f.hex\" registry \"d\"", "test.replay");
    form_id("tamper t value a.b[]", "test.tamper");
    form_id("expect on wire value a, b encrypted with k", "test.expect-wire-encrypted");
    form_id("expect on wire value encrypted", "test.expect-wire-body-encrypted");
    form_id("expect on wire value encrypted encrypted", "test.expect-wire-encrypted");
    form_id("expect on wire key encrypted with k", "test.expect-wire-body-encrypted");
    form_id("expect on wire key a clear", "test.expect-wire-clear");
    form_id("expect on wire key clear clear", "test.expect-wire-clear");
    form_id("expect on wire value a deterministic", "test.expect-wire-deterministic");
    form_id("expect reader with k, l sees a = 1", "test.expect-reader-sees");
    form_id("expect reader without k sees key a = \"x\"", "test.expect-reader-sees");
    form_id("expect reader User:x sees key = { \"a\": 1 }", "test.expect-reader-sees");
    form_id("expect reader with k sees everything", "test.expect-reader-sees-everything");
    form_id("expect reader without k fails", "test.expect-reader-fails");
    form_id("expect reader without k sees value a, b encrypted", "test.expect-reader-sees-encrypted");
    form_id("expect topic t leaks nothing", "test.expect-leaks-nothing");
    form_id("expect delivered equals sent", "test.expect-delivered-equals");
    form_id("expect delivered equals encrypted", "test.expect-delivered-encrypted");
    form_id("expect delivered nothing", "test.expect-delivered-nothing");
    form_id("expect dead-letters 3", "test.expect-dead-letters");
}

static void optional_side_is_no_path(void **state)
{
    reading r = match_text(IN_TEST("expect reader with k sees key a = 1\nexpect reader with k sees key = 2"));
    const lang_block *b = only(&r)->block;
    assert_string_equal(slot(b->stmts[1], "side"), "key");
    assert_string_equal(slot(b->stmts[1], "path"), "a");
    assert_string_equal(slot(b->stmts[1], "with"), "k");
    assert_string_equal(slot(b->stmts[1], "value"), "1");
    assert_null(slot(b->stmts[2], "side"));
    assert_string_equal(slot(b->stmts[2], "path"), "key");
    assert_null(slot(b->stmts[2], "without"));
    fl_arena_free(r.a);
}

static void expectations_refused(void **state)
{
    expect("test \"t\" {\n  produce t null\n}\n", "1:1 an `expect` is missing in `test`\n");
    expect(IN_TEST("expect on wires value a clear"), "3:11 `wires` is not known here, did you mean `wire`?\n");
    expect(IN_TEST("expect reader sees everything"),
           "3:15 expected `with`, `without` or a principal such as User:sa-crm here\n");
    expect(IN_TEST("expect reader with k sees a"), "3:28 expected `=` or `encrypted` here\n");
    expect(IN_TEST("produce t key k {}"), "3:15 `k` is no JSON value\n");
    expect(IN_TEST("produce t { \"a\": 'x' }"), "3:18 expected a value, but `'x'` stands here\n");
    expect(IN_TEST("produce t [{ \"a\": 1, \"b\": {}, \"a\": 2 }]"), "3:31 \"a\" stands twice in this object\n");
    expect(IN_TEST("produce t { \"a\": 01 }"), "3:18 `01` is no JSON value\n");
}

static void messages_of_forms(void **state)
{
    expect("topik t {}\n", "1:1 `topik` is not known at the top level, did you mean `topic`?\n");
    expect(IN_VALUE("encrypt PII with k {\n algoritm AES256_GCM\n}"),
           "4:2 `algoritm` is not known in `encrypt`, did you mean `algorithm`?\n");
    expect(IN_VALUE("encrypt PII k"), "3:13 expected `with` here\n");
    expect(IN_VALUE("encrypt PII"), "3:12 expected `with` here\n");
    expect(IN_VALUE("encrypt PII with k {\n algorithm AES265_GCM\n}"),
           "4:12 `AES265_GCM` is not known here, did you mean `AES256_GCM`?\n");
    expect(IN_VALUE("encrypt PII with k {\n rotate 0d\n}"), "4:9 the duration is zero\n");
    expect(IN_VALUE("encrypt PII with k {\n rotate 90h\n}"), "4:9 `90h` is not in the unit of this duration\n");
    expect(IN_VALUE("encrypt PII with k {\n rotate soon\n}"), "4:9 expected `never` or a duration such as 90d here\n");
    expect(IN_VALUE("encrypt payload, PII with k"), "3:9 `payload` is not the name of a tag\n");
    expect(IN_KEK("owner"), "4:6 expected a name here\n");
    expect(IN_KEK("owner \"\""), "4:7 the name is empty\n");
    expect(IN_KEK("owner a b"), "4:9 expected the end of the line here\n");
    expect(IN_KEK("owner a, b"), "4:10 expected one item and no list here\n");
    expect(IN_KEK("owner = a"), "4:6 no `=` stands after `owner`\n");
    expect(IN_KEK("owner a {\n x\n}"), "4:9 `owner` has no block\n");
    expect(IN_KEK("doc text"), "4:5 expected a text in quotes here\n");
    expect("kek k\n", "1:6 expected `{` here\n");
    expect("use \"/etc/x.flec\"\n", "1:5 the path is absolute: paths are relative to the file they stand in\n");
    expect("use \"${x}.flec\"\n", "1:5 no variable can stand in this path\n");
    expect(IN_TOPIC("clear because \"x\" until 2026-02-30"), "3:25 2026-02-30 is not a day of the calendar\n");
    expect(IN_TOPIC("writers sa-crm"), "3:9 expected a principal such as User:sa-crm here\n");
    expect("connector c s3-sink 1.0.0 {\n  topics t\n}\n", "1:13 expected `:` here\n");
    expect("connector c : s3-sink latest {\n  topics t\n}\n", "1:23 expected a version such as 7.6.1 here\n");
    expect("tag \"a-${x}\"\n", "1:5 a name of this kind is written out: no variable can stand in it\n");
}

static void free_names(void **state)
{
    expect(IN_CONFIG("where = 1\nunset = [a, b]\nunset x\ntopic = \"${env:A}\"\nkey = secret(\"file:p:k\")"), "");
    expect(IN_CONFIG("a = 1\nb = 2\na = 3"), "6:1 `a` is stated twice\n");
    expect(IN_CONFIG("a 1"), "4:1 expected `=` after `a`\n");
    expect(IN_CONFIG("a b = 1"), "4:3 expected `=` here\n");
    expect(IN_CONFIG("a = { \"b\": 1 }"), "4:5 a JSON object is no value here\n");
    expect(IN_CONFIG("a = f(\"b:c\")"), "4:5 `f(…)`: the only call is `secret(…)`\n");
    expect(IN_CONFIG("a = secret(\"b\")"), "4:5 `secret(…)` holds no reference\n");
    expect(IN_CONFIG("a = secret(\"b:}c\")"), "4:5 `}` cannot stand in `secret(…)`: it would end the reference\n");
    expect(IN_CONFIG("\"a-${b}\" = 1"), "4:1 no variable can stand in the name of a property\n");
    expect(IN_CONFIG("\"\" = 1"), "4:1 the name is empty\n");
    expect("platform cloud {\n workers 8.0.0\n registry \"r\"\n kafka \"k\"\n ids {\n  kafkaa = x\n }\n}\n",
           "6:3 `kafkaa` is not known here, did you mean `kafka`?\n");
    expect("platform cloud {\n workers 8.0.0\n registry \"r\" {\n  auth basic \"user:password\"\n }\n kafka \"k\"\n}\n",
           "4:14 a secret is never written into a policy: it is a reference\n");
}

/* What stands in a secret's place is not in the excerpt of the source line. */
static void secrets_are_not_shown(void **state)
{
    reading r = match_text(
        "platform cloud {\n workers 8.0.0\n registry \"r\" {\n  auth basic \"user:pass-word\"\n }\n kafka \"k\"\n}\n");
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    fl_diags_text(&r.diags, out, 10, false);
    fclose(out);
    assert_non_null(strstr(text, "auth basic ****"));
    assert_null(strstr(text, "pass-word"));
    free(text);
    fl_arena_free(r.a);
}

static void duplicates(void **state)
{
    expect(IN_TOPIC("value string"), "3:1 `value` is stated twice\n");
    expect(IN_TOPIC("value bytes"), "3:1 `value` is stated twice\n");
    expect(IN_CONNECTOR("refresh key 5s\nrefresh value 6s"), "");
    expect(IN_CONNECTOR("refresh key 5s\nrefresh 6s"), "4:1 `refresh` is stated twice\n");
    expect(IN_CONNECTOR("refresh 5s\nrefresh value 6s"), "4:1 `refresh` is stated twice\n");
    reading r = match_text(IN_TOPIC("owner a\nowner b"));
    assert_string_equal(r.diags.list.v[0]->check, "duplicate-attribute");
    assert_int_equal(r.diags.list.v[0]->nrelated, 1);
    assert_int_equal(r.diags.list.v[0]->related[0].span.from, 25);
    fl_arena_free(r.a);
}

static void required(void **state)
{
    expect("kek k {}\n", "1:1 `kms` and `shared` or `private` are missing in `kek`\n");
    expect("kek k {\n kms local \"x\"\n shared\n private\n}\n", "1:1 `shared` and `private` exclude each other\n");
    expect("topic t {\n key string\n}\n", "1:1 `value` is missing in `topic`\n");
    expect("topic t {\n value\n}\n", "2:7 expected `avro`, `json`, `protobuf`, `string`, `bytes`, `short`, `integer`, "
                                     "`long`, `float` or `double` here\n");
    expect("topic t {\n = x\n}\n", "2:2 expected a name, but `=` stands here\n");
    expect("environment e {\n kek k {\n  unset owner\n }\n topic t {\n  owner a\n }\n}\n", "");
    expect("environment e {\n topic t {\n  value string\n }\n}\n", "3:3 `value` is the same in every environment\n");
}

/* What an environment or a default cannot say is refused under a name of its own, not as an unknown statement. */
static void overlay_refused(const char *before, const char *stmt, const char *after, const char *message)
{
    fl_arena *a = fl_arena_new();
    reading r = match_text(fl_printf(a, "%s\n%s\n%s", before, stmt, after));
    assert_false(r.ok);
    assert_int_equal(r.diags.list.n, 1);
    assert_string_equal(r.diags.list.v[0]->check, "overlay-refused");
    assert_non_null(strstr(r.diags.list.v[0]->message, message));
    assert_non_null(r.diags.list.v[0]->help);
    fl_arena_free(r.a);
    fl_arena_free(a);
}

static void overlays(void **state)
{
    static const char *fixed[] = {
        "value string", "key string",       "clear because \"x\"",    "doc \"x\"", "field f is A", "field f is clear",
        "exhaustive",   "encrypt A with k", "encrypt payload with k", "topics t",  "rule r {}",    "tags-in both"};
    static const char *elsewhere[] = {"tag T",
                                      "subject s avro \"x\"",
                                      "defaults topic {\n owner a\n}",
                                      "guardrail \"g\" error {\n every topic\n requires clear\n}",
                                      "use \"x\"",
                                      "test \"t\" {\n expect refused\n}",
                                      "encrypt A with k"};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        overlay_refused("environment e {\n topic t {", fixed[i], "}\n}\n", "is the same in every environment");
        overlay_refused("environment e {", fixed[i], "}\n", "is the same in every environment");
        overlay_refused("defaults topic {", fixed[i], "}\n", "cannot be a default");
        overlay_refused("defaults connector s3-sink {", fixed[i], "}\n", "cannot be a default");
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        overlay_refused("environment e {", elsewhere[i], "}\n", "is the same in every environment");
    overlay_refused("defaults encrypt {", "mode WRITE", "}\n", "cannot be a default");
    overlay_refused("defaults value {", "exhaustive", "}\n", "cannot be a default");
    overlay_refused("environment e {\n connector c : s3-sink 1.2.3 {", "topics t", "}\n}\n",
                    "is the same in every environment");
    expect("environment e {\n let x = 1\n platform {\n  workers 1.2.3\n }\n allow c on kek k because \"x\"\n}\n", "");
    expect("environment e {\n keck k {\n }\n}\n", "2:2 `keck` is not known in `environment`, did you mean `kek`?\n");
}

static void damaged_statements_are_left_out(void **state)
{
    expect("kek k {\n kms local =\n shared\n ownr x\n}\n",
           "2:13 expected a value, but the line ends here\n4:2 `ownr` is not known in `kek`, did you mean `owner`?\n");
    expect("kek k = {\n ownr x\n}\n",
           "1:9 expected a value, but `{` stands here\n2:2 `ownr` is not known in `kek`, did you mean `owner`?\n");
    expect("topic @ {\n valu string\n}\n",
           "1:7 `@` cannot stand here\n2:2 `valu` is not known in `topic`, did you mean `value`?\n");
}

/* However wrong a file is, its messages have an end. */
static void messages_end(void **state)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    for (int i = 0; i < 20000; i++)
        fl_buf_adds(&b, "nothing\n");
    reading r = match_text(b.p);
    assert_int_equal(r.diags.errors, 10000);
    assert_false(r.ok);
    fl_arena_free(r.a);
    fl_buf_free(&b);
}

/* Every pattern is well formed, its id begins with its block, and its parts fit into the bits and slots there are. */
static void tables_are_sound(void **state)
{
    for (int kind = LANG_TOP; kind < LANG_BKINDS; kind++) {
        size_t n;
        const lang_form *f = lang_forms((lang_bkind)kind, &n);
        assert_true(n > 0 && n < LANG_MAX_FORMS);
        for (size_t i = 0; i < n; i++) {
            unsigned words = 0, depth = 0;
            for (lang_element e = lang_pattern_next(f[i].pattern); e.kind != LANG_P_END;
                 e = lang_pattern_next(e.next)) {
                words += e.text != NULL;
                depth += (e.kind == LANG_P_OPEN || e.kind == LANG_P_CHOICE);
                depth -= e.kind == LANG_P_CLOSE;
            }
            assert_int_equal(depth, 0);
            assert_true(words < 31 && lang_pattern_of(&f[i])->nslots <= LANG_MAX_SLOTS);
            assert_non_null(strchr(f[i].id, '.'));
            assert_non_null(f[i].doc);
            assert_int_equal((f[i].flags & (LANG_F_BLOCK | LANG_F_BLOCK_REQUIRED)) != 0, f[i].child != LANG_NOBLOCK);
            assert_int_equal((f[i].flags & LANG_F_VALUE) != 0, strstr(f[i].pattern, "= <value:") != NULL);
        }
    }
}

/* An error in each of 12 blocks gives 12 messages. */
static void twelve(void **state)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len;
    read_file(a, "lang/golden/twelve.flec", &text, &len);
    reading r = match_text(text);
    assert_int_equal(r.diags.errors, 12);
    for (size_t i = 0; i < r.diags.list.n; i++)
        assert_true(r.diags.list.v[i]->span.to >= r.diags.list.v[i]->span.from && r.diags.list.v[i]->span.src);
    fl_arena_free(r.a);
    fl_arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots),
        cmocka_unit_test(optional_parts),
        cmocka_unit_test(fields),
        cmocka_unit_test(steps),
        cmocka_unit_test(optional_side_is_no_path),
        cmocka_unit_test(expectations_refused),
        cmocka_unit_test(messages_of_forms),
        cmocka_unit_test(free_names),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(duplicates),
        cmocka_unit_test(required),
        cmocka_unit_test(overlays),
        cmocka_unit_test(damaged_statements_are_left_out),
        cmocka_unit_test(messages_end),
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(twelve),
    };
    return cmocka_run_group_tests_name("lang/match", tests, NULL, NULL);
}
