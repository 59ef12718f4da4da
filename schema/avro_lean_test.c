/* avro_lean_test.c: a tree without its text says of fields and types what the whole schema says. */
#include "schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const texts[] = {
    "\"string\"",
    "[\"null\", {\"type\": \"bytes\", \"logicalType\": \"decimal\", \"precision\": 4}]",
    "{\"type\": \"record\", \"name\": \"Order\", \"namespace\": \"com.acme\", \"fields\": ["
    "{\"name\": \"id\", \"type\": \"string\", \"confluent:tags\": [\"PII\", \"A\"], \"aliases\": [\"key\"]},"
    "{\"name\": \"ssn\", \"type\": [\"null\", \"string\"], \"default\": null},"
    "{\"name\": \"home\", \"type\": {\"type\": \"record\", \"name\": \"Home\", \"fields\": ["
    "{\"name\": \"street\", \"type\": {\"type\": \"string\", \"logicalType\": \"uuid\"}}]}},"
    "{\"name\": \"work\", \"type\": \"Home\"},"
    "{\"name\": \"notes\", \"type\": {\"type\": \"map\", \"values\": {\"type\": \"array\", \"items\": \"string\"}}},"
    "{\"name\": \"mixed\", \"type\": [\"null\", \"string\", \"long\"]},"
    "{\"name\": \"state\", \"type\": {\"type\": \"enum\", \"name\": \"State\", \"symbols\": [\"A\", \"B\"], "
    "\"default\": \"B\"}},"
    "{\"name\": \"hash\", \"type\": {\"type\": \"fixed\", \"name\": \"Hash\", \"size\": 16}},"
    "{\"name\": \"n\", \"type\": [\"int\", \"double\", \"float\", \"boolean\", \"bytes\"]}]}",
    "{\"type\": \"record\", \"name\": \"Node\", \"fields\": [{\"name\": \"text\", \"type\": \"string\"},"
    "{\"name\": \"next\", \"type\": [\"null\", \"Node\"]}, {\"name\": \"all\", \"type\": {\"type\": \"array\", "
    "\"items\": \"Node\"}}]}",
    "[{\"type\": \"record\", \"name\": \"A\", \"fields\": [{\"name\": \"x\", \"type\": \"string\"}]},"
    "{\"type\": \"record\", \"name\": \"B\", \"fields\": [{\"name\": \"x\", \"type\": \"bytes\"}, {\"name\": \"a\", "
    "\"type\": \"A\"}]}]",
};

static sch_schema *parse(fl_arena *a, const char *text)
{
    sch_error e;
    sch_schema *s = sch_avro_parse(a, "test.avsc", text, strlen(text), NULL, 0, &e);
    assert_non_null(s);
    return s;
}

static void same_texts(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    assert_int_equal(na, nb);
    for (size_t i = 0; i < na; i++)
        assert_string_equal(a[i], b[i]);
}

static void same_field(const sch_field *a, const sch_field *b)
{
    assert_int_equal(a != NULL, b != NULL);
    if (!a)
        return;
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->record->name, b->record->name);
    assert_int_equal(a->record->recursive, b->record->recursive);
    same_texts(a->tags, a->ntags, b->tags, b->ntags);
    same_texts(a->aliases, a->naliases, b->aliases, b->naliases);
    assert_null(b->node);
    assert_null(b->fallback);
}

static void same_type(fl_arena *a, const sch_schema *lean, const sch_type *x, const sch_type *y)
{
    assert_int_equal(x->kind, y->kind);
    assert_string_equal(sch_type_text(x, a), sch_type_text(y, a));
    assert_int_equal(x->size, y->size);
    same_texts(x->symbols, x->nsymbols, y->symbols, y->nsymbols);
    if (x->enum_default)
        assert_string_equal(x->enum_default, y->enum_default);
    assert_true(y->id < lean->ntypes);
}

static void same_hit(fl_arena *a, const sch_schema *s, const sch_schema *lean, const sch_hit *x, const sch_hit *y)
{
    const char *of_x[SCH_MAX_KEYS], *of_y[SCH_MAX_KEYS];
    const sch_step *way_x, *way_y;
    assert_string_equal(x->path, y->path);
    assert_true(x->nullable == y->nullable && x->mixed == y->mixed && x->recursive == y->recursive);
    assert_true(x->in_recursion == y->in_recursion && !x->unwalked && !y->unwalked);
    same_field(x->field, y->field);
    same_type(a, lean, x->type, y->type);
    size_t nx = sch_match_keys(s, x, a, of_x), ny = sch_match_keys(lean, y, a, of_y);
    same_texts(of_x, nx, of_y, ny);
    nx = sch_client_names(s, x, a, of_x);
    ny = sch_client_names(lean, y, a, of_y);
    same_texts(of_x, nx, of_y, ny);
    assert_int_equal(sch_way(s, a, x, &way_x), sch_way(lean, a, y, &way_y));
}

static void test_the_same_leaves(void **state)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fl_arena *a = fl_arena_new(), *whole = fl_arena_new(), *again = fl_arena_new();
        sch_schema *s = parse(whole, texts[i]), *lean = sch_avro_lean(a, parse(again, texts[i]));
        sch_hits x, y;
        fl_arena_free(again); /* nothing of it is needed */
        assert_non_null(lean);
        assert_null(lean->text);
        assert_null(lean->json);
        sch_leaves(s, a, &x);
        sch_leaves(lean, a, &y);
        assert_int_equal(x.n, y.n);
        assert_true(x.n > 0 && x.split == y.split && x.truncated == y.truncated);
        for (size_t k = 0; k < x.n; k++)
            same_hit(a, s, lean, &x.v[k], &y.v[k]);
        fl_arena_free(whole);
        fl_arena_free(a);
    }
}

/* What is asked in the text, and what a message shows there. */
static void test_what_needs_its_text(void **state)
{
    static const char *const whole[] = {
        "{\"type\": \"record\", \"name\": \"R\", \"connect.name\": \"io.debezium.time.Date\", \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"R\", \"connect\\u002ename\": \"io.debezium.time.Date\", \"fields\": []}",
        "{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"x\", \"type\": \"string\", \"$ref\": "
        "\"y\"}]}",
        "{\"type\": \"record\", \"name\": \"R\", \"confluent:tags\": [\"PII\"], \"fields\": []}",
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        fl_arena *a = fl_arena_new();
        assert_null(sch_avro_lean(a, parse(a, whole[i])));
        fl_arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_leaves),
        cmocka_unit_test(test_what_needs_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
