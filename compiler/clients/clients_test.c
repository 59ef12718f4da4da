/* clients_test.c: flec's verdict on each measured case, leaf by leaf, is what was measured; what generalises and what
 * does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/clients/clients.h"
#include "compiler/clients/derive.h"
#include "compiler/clients/instance.h"
#include "compiler/clients/outcome.h"
#include "compiler/clients/page.h"

#define CASES      "compiler/clients/cases.json"
#define CONSTRUCTS "compiler/clients/constructs.json"
#define PAGE       "docs/clients.md"

static fl_arena *arena;

static int set_up(void **state)
{
    arena = fl_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    fl_arena_free(arena);
    return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const char *read_text(const char *path, size_t *len)
{
    char *text;
    if (fl_read_file(arena, path, 16 << 20, &text, len))
        fail_msg("cannot read %s: run the units from the root of the repository", path);
    return text;
}

/* ---- the 181 cases ---- */

/* What flec says of a case, in the words of cases.json as far as they follow from the schema. */
static bool leaves_clear(const cl_leaf *l, cl_column column)
{
    bool told = false;
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++) {
        if (cl_has(&l->way, c) && cl_cells[c][column].leaving == CL_LEFT_CLEAR)
            return true;
        told |= cl_has(&l->tag, c) && cl_cells[c][column].leaving == CL_ENCRYPTED;
    }
    return !told;
}

static cl_fail fails(const cl_instance *in, cl_column column)
{
    cl_set all = in->record;
    cl_fail worst = CL_WORKS;
    for (size_t i = 0; i < in->leaves.n; i++)
        if (!cl_has(&in->leaves.v[i].tag, CL_TAG_UNSEEN))
            cl_join(&all, &in->leaves.v[i].way);
    for (unsigned c = 0; c < CL_NCONSTRUCTS; c++)
        if (cl_has(&all, c) && cl_cells[c][column].fail > worst)
            worst = cl_cells[c][column].fail;
    return worst;
}

/* The answer that the compiler gives, too. Where Java chooses at each start, one start that went well is not enough. */
static void compare_verdict(const char *name, const cl_leaf *l, cl_column column, bool was)
{
    static const int clients[CL_NCOLUMNS] = {CL_CLIENT_PYTHON, CL_CLIENT_JAVASCRIPT, -1, -1, CL_CLIENT_JAVA, -1};
    cl_constructs c = {l->tag, l->way};
    if (clients[column] < 0)
        return;
    cl_verdict v = cl_judge(&c, (cl_client)clients[column]);
    if (v.answer == CL_NOT_MEASURED || (v.answer == CL_CLEAR) != was || (v.answer == CL_CHANCE && column != CL_JAVA))
        fail_msg("%s, %s: the verdict on %s is %d by %s", name, l->path, cl_column_names[column], v.answer,
                 v.construct ? v.construct->key : "nothing");
}

static void compare(const char *name, const cl_instance *in, cl_column column, const cl_outcome *o, size_t *leaves)
{
    const char *client = cl_column_names[column];
    if (fails(in, column) != o->fail)
        fail_msg("%s, %s: flec says %d, measured was %d", name, client, fails(in, column), o->fail);
    for (size_t i = 0; i < in->leaves.n && !o->fail; i++) {
        const cl_leaf *l = &in->leaves.v[i];
        bool clear = leaves_clear(l, column);
        bool was = l->expected ? cl_names(o->left, o->nleft, l->path) : !cl_names(o->wider, o->nwider, l->path);
        if (clear != was)
            fail_msg("%s, %s, %s: flec says %s, measured was the contrary", name, client, l->path,
                     clear ? "clear" : "encrypted");
        compare_verdict(name, l, column, was);
        ++*leaves;
    }
}

static void test_cases(void **state)
{
    size_t len, ncases = 0, leaves = 0, columns = 0;
    char message[512];
    const char *text = read_text(CASES, &len);
    fl_json_error err;
    const fl_json *root = fl_json_parse(arena, text, len, 0, &err);
    assert_non_null(root);
    for (const fl_json *c = fl_json_get(root, "cases")->child; c; c = c->next, ncases++) {
        cl_instance all, java;
        if (!cl_instance_of(arena, text, c, false, &all, message) ||
            !cl_instance_of(arena, text, c, true, &java, message))
            fail_msg("%s", message);
        for (int i = 0; i < CL_NCOLUMNS; i++) {
            const char *said = fl_json_str(fl_json_get(c, "clients"), cl_column_names[i]);
            cl_outcome o;
            if (!said)
                continue;
            assert_true(cl_read_outcome(arena, said, true, &o));
            columns++;
            if (o.measured)
                compare(fl_json_str(c, "name"), i == CL_JAVA || i == CL_JAVA_MAP ? &java : &all, (cl_column)i, &o,
                        &leaves);
        }
    }
    assert_int_equal(ncases, 181);
    assert_int_equal(ncases, cl_ncases);
    assert_true(columns > 900 && leaves > 900);
}

/* Every path that a case says should be encrypted is a leaf that flec knows. */
static void test_every_leaf(void **state)
{
    size_t len;
    char message[512];
    const char *text = read_text(CASES, &len);
    fl_json_error err;
    const fl_json *root = fl_json_parse(arena, text, len, 0, &err);
    for (const fl_json *c = fl_json_get(root, "cases")->child; c; c = c->next) {
        cl_instance in;
        assert_true(cl_instance_of(arena, text, c, false, &in, message));
        for (const fl_json *p = fl_json_get(c, "to_be_encrypted")->child; p; p = p->next) {
            size_t i = 0;
            while (i < in.leaves.n && strcmp(in.leaves.v[i].path, p->str) != 0)
                i++;
            if (i == in.leaves.n)
                fail_msg("%s: %s is no leaf", fl_json_str(c, "name"), p->str);
        }
    }
}

static void test_derived_file(void **state)
{
    size_t ncases, nconstructs;
    const char *cases = read_text(CASES, &ncases), *constructs = read_text(CONSTRUCTS, &nconstructs);
    char message[512];
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    assert_true(cl_derive(arena, cases, ncases, &out, message));
    if (out.len != nconstructs || memcmp(out.p, constructs, nconstructs) != 0)
        fail_msg("%s is not what the schemas of %s give: run `make clients`", CONSTRUCTS, CASES);
    fl_buf_free(&out);
}

static void test_page(void **state)
{
    size_t len;
    const char *text = read_text(PAGE, &len);
    fl_buf out;
    fl_buf_init(&out, 1 << 20);
    cl_page(arena, &out);
    if (out.len != len || memcmp(out.p, text, len) != 0)
        fail_msg("%s is not what the table gives: run `make clients`", PAGE);
    fl_buf_free(&out);
}

/* ---- words ---- */

static void test_outcomes(void **state)
{
    cl_outcome o;
    assert_true(cl_read_outcome(arena, "clear: b (always) a (in 8 of 9 JVM starts)", true, &o));
    assert_int_equal(o.nleft, 2);
    assert_string_equal(o.left[0], "b");
    assert_string_equal(o.left[1], "a");
    assert_false(o.read_known);
    assert_true(cl_read_outcome(arena, "clear: a+(b)", true, &o));
    assert_string_equal(o.left[0], "a+(b)");
    assert_true(cl_read_outcome(arena, "as expected; not read by go java", true, &o));
    assert_true(o.read_known && o.not_read == (1u << CL_GO | 1u << CL_JAVA));
    assert_true(cl_read_outcome(arena, "as expected (values carry branch names)", false, &o));
    assert_true(o.branch_names && !o.read_known);
    assert_true(cl_read_outcome(arena, "wider: ssn; otherwise: ssn=EXTRA", true, &o));
    assert_true(o.nwider == 1 && o.fail == CL_WORKS);
    assert_true(cl_read_outcome(arena, "wider: a[0]; otherwise: a[0]=EXTRA a[0][0].b=MISSING", true, &o));
    assert_int_equal(o.fail, CL_DESTROYS);
    assert_true(cl_read_outcome(arena, "error 40401: the subject", true, &o) && o.fail == CL_ERROR);
    assert_true(cl_read_outcome(arena, "not measured", true, &o) && !o.measured);
    assert_false(cl_read_outcome(arena, "it was fine", true, &o));
    assert_false(cl_read_outcome(arena, "as expected, mostly", true, &o));
    assert_false(cl_read_outcome(arena, "as expected; not read by cobol", true, &o));
    assert_false(cl_read_outcome(arena, "", true, &o));
}

/* ---- schemas that stand in no case ---- */

/* Schemas are written with ' for ". */
static const char *quoted(const char *text)
{
    char *copy = fl_strdup(arena, text);
    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    return copy;
}

static cl_verdict judge_with(sch_format format, const char *text, const char *message, const char *path,
                             cl_client client, cl_places places)
{
    sch_error err = {0};
    char why[160];
    sch_hits hits;
    sch_schema *s = sch_parse(format, arena, "test", text, strlen(text), message, NULL, 0, &err);
    if (!s)
        fail_msg("at %u: %s", err.offset, err.message);
    if (sch_select(s, arena, path, &hits, why) != SCH_PATH_OK || !hits.n)
        fail_msg("%s selects nothing: %s", path, why);
    const cl_shape *shape = cl_shape_of(arena, s);
    cl_constructs c = cl_leaf_constructs(shape, arena, &hits.v[0], places);
    return cl_judge(&c, client);
}

static void expect(sch_format format, const char *text, const char *path, cl_client client, cl_answer answer,
                   const char *key)
{
    cl_verdict v = judge_with(format, text, format == SCH_PROTOBUF ? "M" : NULL, path, client, (cl_places){1, 1, 0});
    if (v.answer != answer || (key && (!v.construct || strcmp(v.construct->key, key) != 0)))
        fail_msg("%s of %s, %s: answer %d by %s", path, text, cl_client_words[client], v.answer,
                 v.construct ? v.construct->key : "nothing");
    if (answer == CL_CLEAR || answer == CL_CHANCE)
        assert_true(v.proof && v.measured);
}

static void test_avro(void **state)
{
    const char *deep = quoted("{'type':'record','name':'A','fields':[{'name':'b','type':{'type':'record','name':'B','fi"
                              "elds':[{'name':'c','type':{'type':'array','items':{'type':'record','name':'C','fields':["
                              "{'name':'d','type':'string'}]}}}]}}]}");
    for (int c = CL_CLIENT_JAVA; c <= CL_CLIENT_GO; c++)
        expect(SCH_AVRO, deep, "b.c[].d", (cl_client)c, CL_SAFE, NULL);
    expect(SCH_AVRO, deep, "b.c[].d", CL_CLIENT_FLEC, CL_SAFE, NULL);
    expect(SCH_AVRO, deep, "b.c[].d", CL_CLIENT_RUST, CL_NOT_MEASURED, NULL);
    /* a record type used again by name, three levels down, and what is below it */
    const char *again =
        quoted("{'type':'record','name':'A','fields':[{'name':'x','type':{'type':'record','name':'B','fi"
               "elds':[{'name':'s','type':'string'},{'name':'c','type':{'type':'record','name':'C','fiel"
               "ds':[{'name':'t','type':'bytes'}]}}]}},{'name':'y','type':{'type':'record','name':'D','f"
               "ields':[{'name':'z','type':['null','B']}]}}]}");
    expect(SCH_AVRO, again, "x.s", CL_CLIENT_GO, CL_SAFE, NULL);
    expect(SCH_AVRO, again, "x.c.t", CL_CLIENT_GO, CL_SAFE, NULL);
    expect(SCH_AVRO, again, "y.z.s", CL_CLIENT_GO, CL_CLEAR, "avro-record-again");
    expect(SCH_AVRO, again, "y.z.c.t", CL_CLIENT_GO, CL_CLEAR, "avro-record-again");
    expect(SCH_AVRO, again, "y.z.s", CL_CLIENT_PYTHON, CL_SAFE, NULL);
    const char *tree = quoted("{'type':'record','name':'N','fields':[{'name':'s','type':'string'},{'name':'m','type':{'"
                              "type':'map','values':'N'}}]}");
    expect(SCH_AVRO, tree, "s", CL_CLIENT_PYTHON, CL_SAFE, NULL);
    expect(SCH_AVRO, tree, "m.*.s", CL_CLIENT_PYTHON, CL_CLEAR, "avro-recursive-below");
    expect(SCH_AVRO, tree, "m.*.s", CL_CLIENT_GO, CL_CLEAR, "avro-recursive-below");
    expect(SCH_AVRO, tree, "m.*.s", CL_CLIENT_JAVA, CL_SAFE, NULL);
    const char *uuid = quoted("{'type':'record','name':'A','fields':[{'name':'u','type':{'type':'string','logicalType':"
                              "'uuid'}}]}");
    expect(SCH_AVRO, uuid, "u", CL_CLIENT_JAVA, CL_NOT_MEASURED, "avro-logical-type");
}

static void test_json(void **state)
{
    const char *any = quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'o':{"
                             "'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{'"
                             "type':'string'},'b':{'type':'string'}},'anyOf':[{'required':['a']},{'required':['b']}]}}"
                             "}");
    expect(SCH_JSON, any, "o.a", CL_CLIENT_JAVA, CL_CLEAR, "json-beside-bare-anyof");
    expect(SCH_JSON, any, "o.a", CL_CLIENT_GO, CL_CLEAR, "json-beside-bare-anyof");
    expect(SCH_JSON, any, "o.a", CL_CLIENT_PYTHON, CL_SAFE, NULL);
    /* what surrounds a leaf two levels up counts as well */
    const char *outer =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'o':{"
               "'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{'"
               "type':'string'}}}},'not':{'required':['z']}}");
    expect(SCH_JSON, outer, "o.a", CL_CLIENT_JAVA, CL_CLEAR, "json-beside-not");
    /* one start of the JVM encrypted the member and left what is beside it: the next may do the contrary */
    const char *member =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{"
               "'type':'string'}},'allOf':[{'$schema':'http://json-schema.org/draft-07/schema#','type':'"
               "object','properties':{'b':{'type':'string'}}}]}");
    expect(SCH_JSON, member, "b", CL_CLIENT_JAVA, CL_CHANCE, "json-in-allof-beside-properties");
    expect(SCH_JSON, member, "a", CL_CLIENT_JAVA, CL_CLEAR, "json-beside-allof");
    const char *null_any =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{"
               "'anyOf':[{'type':'string'},{'type':'null'}]}}}");
    expect(SCH_JSON, null_any, "a", CL_CLIENT_PYTHON, CL_NOT_MEASURED, "json-null-by-anyof");
    const char *dynamic =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{"
               "'type':'string'}},'propertyNames':{'pattern':'^a'}}");
    expect(SCH_JSON, dynamic, "a", CL_CLIENT_PYTHON, CL_NOT_MEASURED, "json-other-keyword");
    const char *draft6 =
        quoted("{'$schema':'http://json-schema.org/draft-06/schema#','type':'object','properties':{'a':{"
               "'type':'string'}}}");
    expect(SCH_JSON, draft6, "a", CL_CLIENT_JAVA, CL_NOT_MEASURED, "json-draft-other");
    const char *plain =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'a':{"
               "'type':'array','items':{'$schema':'http://json-schema.org/draft-07/schema#','type':'obje"
               "ct','properties':{'b':{'type':'array','items':{'$schema':'http://json-schema.org/draft-0"
               "7/schema#','type':'object','properties':{'c':{'type':'string'}}}}}}}}}");
    for (int c = CL_CLIENT_JAVA; c <= CL_CLIENT_GO; c++)
        expect(SCH_JSON, plain, "a[].b[].c", (cl_client)c, CL_SAFE, NULL);
}

static void test_tags(void **state)
{
    const char *ref = quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'n':{"
                             "'$ref':'#/definitions/N'}},'definitions':{'N':{'type':'string'}}}");
    cl_verdict v = judge_with(SCH_JSON, ref, NULL, "n", CL_CLIENT_GO, (cl_places){0, 1, 0});
    assert_int_equal(v.answer, CL_CLEAR);
    assert_string_equal(v.construct->key, "tag-inline-beside-ref");
    v = judge_with(SCH_JSON, ref, NULL, "n", CL_CLIENT_GO, (cl_places){1, 1, 0});
    assert_int_equal(v.answer, CL_SAFE);
    v = judge_with(SCH_JSON, ref, NULL, "n", CL_CLIENT_GO, (cl_places){0, 0, 0});
    assert_int_equal(v.answer, CL_CLEAR);
    assert_string_equal(v.construct->key, "tag-unseen");
}

static void test_protobuf(void **state)
{
    const char *text =
        "syntax = \"proto3\";\nmessage M { string s = 1; A a = 2; repeated string l = 3; optional string o = 4;\n"
        "  map<string, string> m = 5; oneof x { string y = 6; } }\nmessage A { string t = 1; }\n";
    for (int c = CL_CLIENT_JAVA; c <= CL_CLIENT_GO; c++)
        expect(SCH_PROTOBUF, text, "s", (cl_client)c, CL_SAFE, NULL);
    expect(SCH_PROTOBUF, text, "a.t", CL_CLIENT_JAVASCRIPT, CL_CLEAR, "proto-nested-message");
    expect(SCH_PROTOBUF, text, "a.t", CL_CLIENT_GO, CL_CLEAR, "proto-nested-message");
    expect(SCH_PROTOBUF, text, "a.t", CL_CLIENT_PYTHON, CL_SAFE, NULL);
    expect(SCH_PROTOBUF, text, "m.*", CL_CLIENT_GO, CL_CLEAR, "proto-map");
    expect(SCH_PROTOBUF, text, "o", CL_CLIENT_JAVA, CL_NOT_MEASURED, "proto-optional");
    expect(SCH_PROTOBUF, text, "y", CL_CLIENT_PYTHON, CL_NOT_MEASURED, "proto-oneof");
}

/* ---- what clients fail on ---- */

static bool has_trouble(const char *text, sch_format format, cl_client client, bool writing, const char *key)
{
    sch_error err = {0};
    cl_trouble found[CL_MOST_TROUBLES];
    cl_set record = {{0, 0}};
    sch_schema *s = sch_parse(format, arena, "test", text, strlen(text), NULL, NULL, 0, &err);
    if (!s)
        fail_msg("at %u: %s", err.offset, err.message);
    cl_record_constructs(cl_shape_of(arena, s), &record);
    size_t n = cl_troubles(&record, client, writing ? 0 : CL_ALL_CLIENTS, found);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(found[i].construct->key, key)) {
            assert_true(found[i].proof && found[i].measured);
            return true;
        }
    return false;
}

static void test_troubles(void **state)
{
    const char *maps = quoted("{'type':'record','name':'A','fields':[{'name':'m','type':{'type':'map','values':['null',"
                              "'string']}}]}");
    assert_true(has_trouble(maps, SCH_AVRO, CL_CLIENT_JAVA, true, "avro-map-with-null"));
    assert_false(has_trouble(maps, SCH_AVRO, CL_CLIENT_PYTHON, true, "avro-map-with-null"));
    const char *arrays =
        quoted("{'$schema':'http://json-schema.org/draft-07/schema#','type':'object','properties':{'g':{"
               "'type':'array','items':{'type':'array','items':{'type':'number'}}}}}");
    assert_true(has_trouble(arrays, SCH_JSON, CL_CLIENT_JAVA, true, "json-array-of-arrays"));
    assert_true(has_trouble(arrays, SCH_JSON, CL_CLIENT_GO, true, "json-absent-property"));
    const char *recursive = "syntax = \"proto3\";\nmessage M { string s = 1; M next = 2; }\n";
    assert_true(has_trouble(recursive, SCH_PROTOBUF, CL_CLIENT_JAVA, true, "proto-recursive-message"));
    assert_true(has_trouble(recursive, SCH_PROTOBUF, CL_CLIENT_JAVA, false, "proto-recursive-message"));
    assert_false(has_trouble(recursive, SCH_PROTOBUF, CL_CLIENT_PYTHON, true, "proto-recursive-message"));
    const char *plain =
        quoted("{'type':'record','name':'A','fields':[{'name':'s','type':'string'},{'name':'n','type':['"
               "null','int']}]}");
    for (int c = CL_CLIENT_JAVA; c < CL_NCLIENTS; c++)
        for (int k = 0; k < CL_NCONSTRUCTS; k++)
            assert_false(has_trouble(plain, SCH_AVRO, (cl_client)c, true, cl_construct_rows[k].key));
}

/* ---- the table itself ---- */

static void test_table(void **state)
{
    bool seen = false;
    for (int c = 0; c < CL_NCONSTRUCTS; c++) {
        assert_int_equal(cl_find_construct(cl_construct_rows[c].key), c);
        for (int i = 0; i < CL_NCOLUMNS; i++) {
            const cl_cell *cell = &cl_cells[c][i];
            assert_true((cell->leaving == CL_UNMEASURED) == (cell->leaving_case < 0));
            assert_true(!cell->ran || cell->fail_case >= 0);
            seen |= cell->leaving == CL_LEFT_CLEAR;
        }
    }
    assert_true(seen);
    for (int i = 0; i < CL_NCOLUMNS; i++) /* what stands for everything unknown stands in no case */
        assert_false(cl_cells[CL_JSON_KEYWORD][i].ran);
    assert_int_equal(cl_find_construct("no such"), -1);
    assert_int_equal(cl_client_of("python"), CL_CLIENT_PYTHON);
    assert_int_equal(cl_client_of("cobol"), -1);
    assert_true(cl_is_measured(CL_CLIENT_GO) && !cl_is_measured(CL_CLIENT_DOTNET));
    assert_non_null(strstr(cl_client_version(CL_CLIENT_PYTHON), "confluent-kafka"));
    assert_null(cl_client_version(CL_CLIENT_FLEC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(test_cases),    CASE(test_every_leaf), CASE(test_derived_file),
                                       CASE(test_page),     CASE(test_outcomes),   CASE(test_avro),
                                       CASE(test_json),     CASE(test_tags),       CASE(test_protobuf),
                                       CASE(test_troubles), CASE(test_table)};
    return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
