/* diag_test.c: places in texts, and diagnostics as text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

typedef struct env {
    fl_arena *a;
    fl_diags d;
    const fl_source *src;
} env;

static void open_env(env *e, const char *text)
{
    e->a = fl_arena_new();
    fl_diags_init(&e->d, e->a);
    e->src = fl_source_new(e->a, "p.flec", text, strlen(text));
}

static char *text_of(env *e, size_t limit, bool color)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    fl_diags_sort(&e->d);
    fl_diags_text(&e->d, f, limit, color);
    fclose(f);
    char *copy = fl_strdup(e->a, out);
    free(out);
    return copy;
}

static fl_span span(const env *e, const char *what)
{
    uint32_t at = (uint32_t)(strstr(e->src->text, what) - e->src->text);
    return (fl_span){e->src, at, at + (uint32_t)strlen(what)};
}

static void places(void **state)
{
    env e;
    unsigned line, column;
    open_env(&e, "a\n\xc3\xa9\xe4\xb8\xad"
                 "b\n\nend");
    fl_source_place(e.src, 0, &line, &column);
    assert_true(line == 1 && column == 1);
    fl_source_place(e.src, 7, &line, &column); /* b, behind two code points of 2 and 3 bytes */
    assert_true(line == 2 && column == 3);
    fl_source_place(e.src, 9, &line, &column);
    assert_true(line == 3 && column == 1);
    fl_source_place(e.src, 999, &line, &column); /* past the end: the end */
    assert_true(line == 4 && column == 4);
    fl_arena_free(e.a);
    open_env(&e, "");
    assert_int_equal(e.src->nlines, 1);
    fl_source_place(e.src, 0, &line, &column);
    assert_true(line == 1 && column == 1);
    fl_arena_free(e.a);
    open_env(&e, "one\n");
    fl_source_place(e.src, 3, &line, &column); /* the line end belongs to its line */
    assert_true(line == 1 && column == 4);
    fl_source_place(e.src, 4, &line, &column);
    assert_true(line == 2 && column == 1);
    fl_arena_free(e.a);
}

static void as_text(void **state)
{
    env e;
    open_env(&e, "topic t {\n  field ssn is PIII\n}\n");
    fl_diag *d = fl_diag_add(&e.d, "unknown-tag", FL_ERROR, span(&e, "PIII"), "there is no tag `%s`", "PIII");
    fl_diag_help(&e.d, d, "did you mean `%s`?", "PII");
    fl_diag_relate(&e.d, d, span(&e, "topic"), "in this topic");
    assert_string_equal(text_of(&e, 10, false), "p.flec:2:16: error: there is no tag `PIII` [unknown-tag]\n"
                                                "    1 | topic t {\n"
                                                "      | ----- in this topic\n"
                                                "    2 |   field ssn is PIII\n"
                                                "      |                ^^^^\n"
                                                "      = help: did you mean `PII`?\n");
    assert_non_null(strstr(text_of(&e, 10, true), "\x1b["));
    fl_arena_free(e.a);
}

static void wide_characters_and_long_ranges(void **state)
{
    env e;
    open_env(&e, "\xe4\xb8\xad\xe6\x96\x87 x \"a\nb\"\n");
    fl_diag_add(&e.d, "c", FL_WARNING, span(&e, "x"), "m");
    fl_diag_add(&e.d, "c", FL_WARNING, span(&e, "\"a\nb\""), "two lines");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:4: warning: m [c]\n"
                                                "    1 | \xe4\xb8\xad\xe6\x96\x87 x \"a\n"
                                                "      |      ^\n"
                                                "p.flec:1:6: warning: two lines [c]\n"
                                                "    1 | \xe4\xb8\xad\xe6\x96\x87 x \"a\n"
                                                "      |        ^^\n"
                                                "    2 | b\"\n"
                                                "      | ^^\n");
    fl_arena_free(e.a);
}

static void order_and_limit(void **state)
{
    env e;
    open_env(&e, "abcdefghijklmnopqrstuvwxyz\n");
    for (int i = 25; i >= 0; i--)
        fl_diag_add(&e.d, "c", i % 2 ? FL_ERROR : FL_WARNING, (fl_span){e.src, (uint32_t)i, (uint32_t)i + 1}, "n %d",
                    i);
    char *text = text_of(&e, 10, false);
    assert_non_null(strstr(text, "p.flec:1:10: "));
    assert_null(strstr(text, "p.flec:1:11: "));
    assert_non_null(strstr(text, "\n… and 16 more: --format json shows all\n"));
    assert_null(strstr(text_of(&e, 26, false), "more"));
    assert_null(strstr(text_of(&e, 0, false), "more")); /* no limit */
    assert_true(strstr(text, "n 0 ") < strstr(text, "n 9 "));
    assert_true(e.d.errors == 13 && e.d.warnings == 13);
    fl_arena_free(e.a);
}

/* What has no place has no excerpt; names of an input are made fit for a terminal. */
static void without_a_place(void **state)
{
    env e;
    open_env(&e, "x\n");
    fl_diag_add(&e.d, "c", FL_WARNING, (fl_span){0}, "nowhere %s", "\x1b[31m");
    assert_string_equal(text_of(&e, 10, false), "warning: nowhere \xef\xbf\xbd[31m [c]\n");
    fl_arena_free(e.a);
}

/* A mark above a letter takes no column, a tab four. */
static void combining_marks_and_tabs(void **state)
{
    env e;
    open_env(&e, "\te\xcc\x81 xyz");
    fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "xyz"), "m");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:5: error: m [c]\n"
                                                "    1 |     e\xcc\x81 xyz\n"
                                                "      |       ^^^\n");
    fl_arena_free(e.a);
}

/* At the end of a text there is nothing to underline, but a place to show. */
static void at_the_end(void **state)
{
    env e;
    open_env(&e, "a {");
    fl_diag_add(&e.d, "c", FL_ERROR, (fl_span){e.src, 3, 3}, "no end");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:4: error: no end [c]\n"
                                                "    1 | a {\n"
                                                "      |    ^\n");
    fl_arena_free(e.a);
}

/* Of a long line the part around the range is shown, cut between characters, with the carets under the range. */
static void long_lines_are_cut(void **state)
{
    char text[3004];
    env e;
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 4); /* three bytes, one column */
    memcpy(text + 1500, "XYZ", 3);
    open_env(&e, text);
    fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "XYZ"), "m");
    char *out = text_of(&e, 10, false);
    assert_null(strstr(out, "\xef\xbf\xbd")); /* what a torn character would be shown as */
    assert_true(strlen(out) < 400);
    char *line = strstr(out, "    1 | "), *carets = strstr(out, "\n      | ");
    assert_true(line && carets);
    size_t before = (size_t)(strstr(line, "XYZ") - line - 8) / 3; /* the sign of the cut is as long, and one column */
    assert_int_equal(strspn(carets + 9, " "), before);
    assert_string_equal(carets + 9 + before, "^^^\n");
    assert_int_equal(strncmp(line + 8, "…", 3), 0);
    assert_non_null(strstr(line, "…\n"));
    fl_arena_free(e.a);
}

static void as_json(void **state)
{
    env e;
    fl_buf b;
    fl_json_error err;
    open_env(&e, "one\ntwo \xc3\xa9\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "\xc3\xa9"), "quote \" and\nline");
    fl_diag_relate(&e.d, d, span(&e, "one"), "there");
    fl_diag_add(&e.d, "d", FL_WARNING, (fl_span){0}, "no place");
    fl_buf_init(&b, 1 << 20);
    fl_diags_json(&e.d, &b);
    const fl_json *j = fl_json_parse(e.a, b.p, b.len, 0, &err);
    assert_non_null(j);
    const fl_json *first = fl_json_get(j, "diagnostics")->child;
    int64_t v;
    assert_string_equal(fl_json_str(first, "message"), "quote \" and\nline");
    assert_true(fl_json_int(first, "line", &v) && v == 2);
    assert_true(fl_json_int(first, "column", &v) && v == 5);
    assert_true(fl_json_int(first, "endColumn", &v) && v == 6);
    assert_string_equal(fl_json_str(fl_json_get(first, "related")->child, "message"), "there");
    assert_int_equal(fl_json_get(first->next, "file")->kind, FL_JNULL);
    assert_true(fl_json_int(fl_json_get(j, "summary"), "errors", &v) && v == 1);
    fl_buf_free(&b);
    fl_arena_free(e.a);
}

/* What is there besides the first contract: label, fix, environments, the chain of origins. */
static void as_json_in_full(void **state)
{
    env e;
    fl_buf b;
    fl_json_error err;
    int64_t v;
    open_env(&e, "one\ntwo\n");
    fl_span at = span(&e, "two");
    at.src = fl_source_because(e.a, e.src, span(&e, "one"), "for x = 1");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, at, "m");
    fl_diag_label(&e.d, d, "here");
    fl_diag_edit(&e.d, d, (fl_span){e.src, 8, 8}, "three\n");
    fl_diag_edit(&e.d, d, span(&e, "two"), "%s", "2");
    d->safe = true;
    d->environments = (const char *[]){"prod", NULL};
    fl_diag_again(&e.d, fl_diag_add(&e.d, "d", FL_ERROR, span(&e, "two"), "twice"), span(&e, "one"));
    fl_buf_init(&b, 1 << 20);
    fl_diags_json(&e.d, &b);
    const fl_json *j = fl_json_parse(e.a, b.p, b.len, 0, &err);
    assert_non_null(j);
    const fl_json *first = fl_json_get(j, "diagnostics")->child, *fix = fl_json_get(first, "fix");
    assert_string_equal(fl_json_str(first, "label"), "here");
    assert_false(fl_json_bool(fix, "safe", true));          /* of one environment */
    const fl_json *edit = fl_json_get(fix, "edits")->child; /* in order of place */
    assert_string_equal(fl_json_str(edit, "text"), "2");
    assert_string_equal(fl_json_str(edit->next, "text"), "three\n");
    assert_true(fl_json_int(edit->next, "line", &v) && v == 3);
    assert_string_equal(fl_json_str(fl_json_get(first, "related")->child, "message"), "for x = 1");
    assert_int_equal(fl_json_get(first, "environments")->child->kind, FL_JSTRING);
    assert_string_equal(fl_json_str(first->next, "label"), "again here");
    assert_int_equal(fl_json_get(first->next, "fix")->kind, FL_JNULL);
    fl_buf_free(&b);
    fl_arena_free(e.a);
}

/* What may be a secret is not in the excerpt. */
static void hidden(void **state)
{
    env e;
    open_env(&e, "password = \"hunter2\"\n");
    fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "password"), "m");
    fl_diags_hide(&e.d, span(&e, "\"hunter2\""));
    char *text = text_of(&e, 10, false);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "password = "));
    fl_arena_free(e.a);
}

/* Wherever the excerpt is cut, in a related place, over line ends, where hidden parts overlap. */
static void hidden_everywhere(void **state)
{
    env e;
    open_env(&e, "a \"top\nsecret\" b\nlast \"\xc3\xa9\xe4\xb8\xad\" end\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "a"), "m");
    fl_diag_relate(&e.d, d, span(&e, "b"), "here");
    fl_diag_relate(&e.d, d, span(&e, "end"), "there");
    fl_diags_hide(&e.d, span(&e, "\"top\nsecret\""));
    fl_diags_hide(&e.d, span(&e, "secret\" "));
    fl_diags_hide(&e.d, span(&e, "\"\xc3\xa9\xe4\xb8\xad\""));
    fl_diags_hide(&e.d, (fl_span){0}); /* no place: nothing to hide */
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:1: error: m [c]\n"
                                                "    1 | a ****\n"
                                                "      | ^\n"
                                                "    2 | ********b\n"
                                                "      |         - here\n"
                                                "    3 | last ***** end\n"
                                                "      |            --- there\n");
    fl_arena_free(e.a);
}

static void hidden_on_a_long_line(void **state)
{
    char text[1002];
    env e;
    memset(text, 's', 1000);
    text[500] = '!';
    text[1000] = '\n';
    text[1001] = '\0';
    open_env(&e, text);
    fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "!"), "m");
    fl_diags_hide(&e.d, (fl_span){e.src, 10, 990}); /* begins before what is shown, and ends behind it */
    char *out = text_of(&e, 10, false);
    assert_null(strchr(strchr(out, '|'), 's'));
    assert_null(strchr(strchr(out, '|'), '!'));
    fl_arena_free(e.a);
}

/* ---- several marks ---- */

/* Labels that do not fit behind the marks hang below; carets lie over dashes. */
static void marks_on_one_line(void **state)
{
    env e;
    open_env(&e, "field ssn is PIII\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "ssn"), "m");
    fl_diag_label(&e.d, d, "this");
    fl_diag_relate(&e.d, d, span(&e, "field"), "a line");
    fl_diag_relate(&e.d, d, span(&e, "PIII"), "its tag");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:7: error: m [c]\n"
                                                "    1 | field ssn is PIII\n"
                                                "      | ----- ^^^    ---- its tag\n"
                                                "      | |     |\n"
                                                "      | |     this\n"
                                                "      | a line\n");
    fl_arena_free(e.a);
    open_env(&e, "field ssn is PIII\n");
    d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "ssn"), "m");
    fl_diag_label(&e.d, d, "this");
    fl_diag_relate(&e.d, d, span(&e, "field ssn is PIII"), "in this line");
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:7: error: m [c]\n"
                                                "    1 | field ssn is PIII\n"
                                                "      | ------^^^--------\n"
                                                "      | |     |\n"
                                                "      | |     this\n"
                                                "      | in this line\n");
    fl_arena_free(e.a);
}

/* One line that lies between is shown, more are left out. */
static void marks_on_several_lines(void **state)
{
    env e;
    open_env(&e, "one\ntwo\nthree\n\n\nsix {\n seven\n}\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "six {\n seven\n}\n"), "m");
    fl_diag_label(&e.d, d, "to here");
    fl_diag_relate(&e.d, d, span(&e, "one"), "1");
    fl_diag_relate(&e.d, d, span(&e, "three"), "3");
    assert_string_equal(text_of(&e, 10, false), "p.flec:6:1: error: m [c]\n"
                                                "    1 | one\n"
                                                "      | --- 1\n"
                                                "    2 | two\n"
                                                "    3 | three\n"
                                                "      | ----- 3\n"
                                                "    ...\n"
                                                "    6 | six {\n"
                                                "      | ^^^^^\n"
                                                "    7 |  seven\n"
                                                "    8 | }\n"
                                                "      | ^ to here\n");
    fl_arena_free(e.a);
}

static void places_elsewhere(void **state)
{
    env e;
    open_env(&e, "first\n");
    const fl_source *other = fl_source_new(e.a, "o.flec", "a\nb\n", 4);
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "first"), "m");
    fl_diag_label(&e.d, d, "here");
    fl_diag_relate(&e.d, d, (fl_span){other, 2, 3}, "and there");
    fl_diag_relate(&e.d, d, (fl_span){0}, "nowhere");
    d->environments = (const char *[]){"prod", "staging", NULL};
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:1: error: m [c]\n"
                                                "    1 | first\n"
                                                "      | ^^^^^ here\n"
                                                "      --> o.flec:2:1: and there\n"
                                                "    2 | b\n"
                                                "      | -\n"
                                                "      = note: nowhere\n"
                                                "      = in: prod, staging\n");
    fl_arena_free(e.a);
}

/* Where a statement came from, step by step, and no step twice; marks of one file meet, whatever their origin. */
static void origins(void **state)
{
    env e;
    open_env(&e, "list = a\nrepeat\n");
    const fl_source *row = fl_source_because(e.a, e.src, span(&e, "a"), "for region = \"a\"");
    const fl_source *moved = fl_source_because(e.a, row, span(&e, "list"), "a default");
    fl_span at = span(&e, "repeat");
    at.src = moved;
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, at, "m");
    fl_diag_relate(&e.d, d, span(&e, "list"), "a default");
    assert_string_equal(text_of(&e, 10, false), "p.flec:2:1: error: m [c]\n"
                                                "    1 | list = a\n"
                                                "      | ----   - for region = \"a\"\n"
                                                "      | |\n"
                                                "      | a default\n"
                                                "    2 | repeat\n"
                                                "      | ^^^^^^\n");
    size_t n;
    fl_diag_places(&e.d, d, &n);
    assert_int_equal(n, 2);
    fl_arena_free(e.a);
}

static void many_places(void **state)
{
    env e;
    open_env(&e, "x\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "x"), "m");
    for (int i = 0; i < 20; i++)
        fl_diag_relate(&e.d, d, (fl_span){0}, "place %d", i);
    char *text = text_of(&e, 10, false);
    assert_non_null(strstr(text, "place 7\n"));
    assert_null(strstr(text, "place 8\n"));
    assert_non_null(strstr(text, "      = note: and 12 more places: --format json shows all\n"));
    fl_arena_free(e.a);
}

/* ---- the text to write ---- */

static void fix_of_a_line(void **state)
{
    env e;
    open_env(&e, "field ssn is PIII, PCII secret\n");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "PIII"), "m");
    fl_diag_edit(&e.d, d, span(&e, "PCII"), "%s", "PCI"); /* in any order */
    fl_diag_edit(&e.d, d, span(&e, "PIII"), "%s", "PII");
    fl_diags_hide(&e.d, span(&e, "secret"));
    assert_false(fl_diag_is_safe(d));
    d->safe = true;
    assert_true(fl_diag_is_safe(d));
    assert_string_equal(text_of(&e, 10, false), "p.flec:1:14: error: m [c]\n"
                                                "    1 | field ssn is PIII, PCII ******\n"
                                                "      |              ^^^^\n"
                                                "      = fix: (flec check --fix makes it)\n"
                                                "    1 - field ssn is PIII, PCII ******\n"
                                                "    1 + field ssn is PII, PCI ******\n");
    fl_arena_free(e.a);
}

/* A line taken away, a line put in, at the very end too. */
static void fix_of_whole_lines(void **state)
{
    env e;
    open_env(&e, "a\nb\nc");
    fl_diag *d = fl_diag_add(&e.d, "c", FL_ERROR, span(&e, "b"), "m");
    fl_diag_edit(&e.d, d, span(&e, "b\n"), "%s", "");
    fl_diag_edit(&e.d, d, (fl_span){e.src, 5, 5}, "%s", "\nd\n");
    assert_string_equal(text_of(&e, 10, false), "p.flec:2:1: error: m [c]\n"
                                                "    2 | b\n"
                                                "      | ^\n"
                                                "      = fix:\n"
                                                "    2 - b\n"
                                                "    3 - c\n"
                                                "    2 + c\n"
                                                "    3 + d\n");
    fl_arena_free(e.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(as_text),
        cmocka_unit_test(wide_characters_and_long_ranges),
        cmocka_unit_test(order_and_limit),
        cmocka_unit_test(as_json),
        cmocka_unit_test(as_json_in_full),
        cmocka_unit_test(hidden),
        cmocka_unit_test(hidden_everywhere),
        cmocka_unit_test(hidden_on_a_long_line),
        cmocka_unit_test(without_a_place),
        cmocka_unit_test(combining_marks_and_tabs),
        cmocka_unit_test(at_the_end),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(marks_on_one_line),
        cmocka_unit_test(marks_on_several_lines),
        cmocka_unit_test(places_elsewhere),
        cmocka_unit_test(origins),
        cmocka_unit_test(many_places),
        cmocka_unit_test(fix_of_a_line),
        cmocka_unit_test(fix_of_whole_lines),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
