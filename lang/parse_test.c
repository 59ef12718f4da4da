/* parse_test.c: tokens, strings, recovery: which message, where, and how many. */
#include "lang/test_tools.h"

/* Parses a text and compares all messages. */
static void expect(const char *text, const char *want)
{
    reading r = read_text(text, strlen(text));
    fl_diags_sort(&r.diags);
    assert_string_equal(messages(&r), want);
    assert_int_equal(r.file->damaged, *want != '\0');
    fl_arena_free(r.a);
}

static const lang_stmt *first(const reading *r)
{
    assert_true(r->file->top->n >= 1);
    return r->file->top->stmts[0];
}

static void words(void **state)
{
    const char *text =
        "a __x 4711-a addresses[].street **.ssn 7.6.1 -1 2.5e+3 rule.executors._default_.param.x where no\n";
    reading r = read_text(text, strlen(text));
    assert_false(r.file->damaged);
    const lang_stmt *s = first(&r);
    assert_int_equal(s->nlists, 10);
    const char *want[] = {
        "__x",   "4711-a", "addresses[].street", "**.ssn", "7.6.1", "-1", "2.5e+3", "rule.executors._default_.param.x",
        "where", "no"};
    for (size_t i = 0; i < 10; i++) {
        assert_string_equal(s->lists[i].items[0].name.text, want[i]);
        assert_int_equal(s->lists[i].items[0].name.quote, LANG_WORD);
    }
    fl_arena_free(r.a);
}

static void no_word_is_reserved(void **state)
{
    expect("topic key\nin in in\nevery = 1\nwhere = 2\nrequires = 3\n'odd name' = 4\nnot not, no, and {\n  or or\n}\n",
           "");
}

static void strings(void **state)
{
    const char *text = "a \"x\\n\\\"\\/\\u00e9\\ud83d\\ude00\" 'raw \\n ${x}' \"\"\n";
    reading r = read_text(text, strlen(text));
    const lang_stmt *s = first(&r);
    assert_string_equal(s->lists[0].items[0].name.text, "x\n\"/\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(s->lists[1].items[0].name.text, "raw \\n ${x}");
    assert_int_equal(s->lists[1].items[0].name.quote, LANG_RAW);
    assert_false(s->lists[1].items[0].name.has_vars);
    assert_int_equal(s->lists[2].items[0].name.len, 0);
    assert_int_equal(s->lists[2].items[0].name.nparts, 0);
    fl_arena_free(r.a);
}

static void variables(void **state)
{
    const char *text = "a \"x-${one}${env:A}$${two} $ ${t-w_0}\"\n";
    reading r = read_text(text, strlen(text));
    const lang_name *n = &first(&r)->lists[0].items[0].name;
    assert_true(n->has_vars);
    assert_string_equal(n->text, "x-${one}${env:A}${two} $ ${t-w_0}");
    assert_int_equal(n->nparts, 4);
    assert_string_equal(n->parts[0].text, "x-");
    assert_true(n->parts[1].is_var);
    assert_string_equal(n->parts[1].text, "one");
    assert_int_equal(n->parts[1].span.from, 5);
    assert_int_equal(n->parts[1].span.to, 11);
    assert_false(n->parts[2].is_var);
    assert_string_equal(n->parts[2].text, "${env:A}${two} $ ");
    assert_string_equal(n->parts[3].text, "t-w_0");
    fl_arena_free(r.a);
}

static void bad_strings(void **state)
{
    expect("a \"\\q\"\n", "1:4 `\\q` is no escape; a backslash is written `\\\\`, or the text in single quotes\n");
    expect("a \"\\ud800\"\n", "1:4 `\\ud800` is half of a surrogate pair\n");
    expect("a \"\\u0000\"\n", "1:4 `\\u0000` is refused: no text of a policy holds NUL\n");
    expect("a \"\\u00g0\"\n", "1:4 `\\u` needs four hexadecimal digits\n");
    expect("a \"${}\"\n", "1:4 `${}` names no variable\n");
    expect("a \"${x\"\n", "1:4 `${` is not closed; a literal `${` is written `$${`\n");
    expect("a \"${x y}\"\n", "1:4 this is no variable: a name of letters, digits, `_` and `-` stands in `${…}`\n");
    expect("a \"x\n", "1:3 the string does not end on its line\n");
    expect("a \"x\\\n", "1:3 the string does not end on its line\n");
    expect("a 'x\n", "1:3 the raw string does not end on its line\n");
    expect("a \"\\q\" \"\\r\" \"\\z\" @\n",
           "1:4 `\\q` is no escape; a backslash is written `\\\\`, or the text in single quotes\n");
}

static void bad_bytes(void **state)
{
    expect("a \x01\n", "1:3 a control character (U+01) cannot stand in a policy\n");
    expect("a # \xff\n", "1:5 invalid UTF-8 (byte 0xFF) cannot stand in a policy\n");
    expect("a \"\xe2\x80\xae\"\n", "1:4 a bidirectional control character, which makes text read otherwise than it is, "
                                   "(U+202E) cannot stand in a policy\n");
    expect("a\rb\n", "1:2 a control character (U+0D) cannot stand in a policy\n");
    expect("a \xc3\xa9\xc3\xa9t\n", "1:3 `\xc3\xa9\xc3\xa9` (U+00E9) cannot stand here\n");
    expect("a;\n", "1:2 `;` has no meaning: a statement ends with its line\n");
}

static void nul_byte(void **state)
{
    reading r = read_text("a \0b\n", 5);
    assert_string_equal(messages(&r), "1:3 a control character (U+00) cannot stand in a policy\n");
    fl_arena_free(r.a);
}

static void line_ends(void **state)
{
    expect("\xef\xbb\xbf"
           "a b,\r\n  c\r\n\r\nd {\r\n  e\r\n}\r\n",
           "");
    expect("a", "");
    expect("", "");
    expect("\n\n# only a comment", "");
    expect("w (\n", "1:3 expected a name, `=`, `{` or the end of the line, but `(` stands here\n");
    expect("where (\n  a\n  or b\n)\nx = [\n  1,\n  2\n]\ny = { \"a\":\n1, \"b\": [\n2 ] }\n", "");
    expect("where (a\nb\n", "1:9 expected a comparison, `and`, `or` or `)`, but the line ends here\n");
    expect("x = [a\n, b]\ny\n", "1:7 expected `,` or `]`, but the line ends here\n");
    expect("x = { \"a\": 1\n, \"b\": 2 }\ny\n", "1:13 expected `,` or `}`, but the line ends here\n");
    expect("a b,\n", "1:5 expected a name, but the line ends here\n");
    expect("a { b\n", "1:3 this `{` is not closed\n");
}

static void one_line_one_message(void **state)
{
    expect("a = = b = c, d\nb\n", "1:5 expected a value, but `=` stands here\n");
    expect("a ] ] ]\n} x\nc\n",
           "1:3 expected a name, `=`, `{` or the end of the line, but `]` stands here\n2:1 this `}` closes nothing\n");
    expect("a = {\n  b c = = d\n  e\n}\n",
           "1:5 expected a value, but `{` stands here\n2:9 expected a value, but `=` stands here\n");
    expect("a {\n  : b {\n    c\n  }\n  d\n}\ne\n", "2:3 expected a name, but `:` stands here\n");
    expect("x { \"a\": 1, } \ny = ,\nz\n",
           "1:13 expected a string in double quotes, but `}` stands here\n2:5 expected a value, but `,` stands here\n");
}

static void missing_closing_brace(void **state)
{
    expect("topic a {\n  value x {\n    b\n  c\n}\n\ntopic d {\n  e\n}\n", "2:11 this `{` is not closed\n");
    expect("topic a {\n  b\n\ntopic d {\n  e\n}\n", "1:9 this `{` is not closed\n");
    expect("topic a {\n  b {\n    c\n", "1:9 this `{` is not closed\n2:5 this `{` is not closed\n");
    expect("test a {\n  p { \"a\": { \"b\": 1 }\n  q\n}\n", "2:5 this `{` is not closed\n");
}

static void missing_opening_brace(void **state)
{
    expect("topic a\n  b\n  c\n}\ntopic d {\n  e\n}\n", "1:8 a `{` is missing here\n");
    expect("topic a {\n  value x\n    b\n    c\n  }\n  d\n}\n", "2:10 a `{` is missing here\n");
    expect("topic \"a {\n  b\n}\ntopic c {\n  d\n}\n", "1:7 the string does not end on its line\n");
    expect("a {\n}\n}\nb\n", "3:1 this `}` closes nothing\n");
}

/* In a file whose braces balance, indentation says nothing. */
static void indentation_is_free(void **state)
{
    expect("      topic a {\n b {\ntopic c\n     }\n}\n", "");
}

static void recovered_blocks_are_read(void **state)
{
    const char *text = "kek a = {\n  shared\n  kms aws \"x\"\n}\ntopic b {\n  c\n}\n";
    reading r = read_text(text, strlen(text));
    assert_int_equal(r.diags.errors, 1);
    assert_int_equal(r.file->top->n, 2);
    const lang_stmt *s = first(&r);
    assert_true(s->damaged);
    assert_string_equal(s->head.name.text, "kek");
    assert_int_equal(s->block->n, 2);
    assert_false(r.file->top->stmts[1]->damaged);
    fl_arena_free(r.a);
}

/* ---- limits ---- */

static void expect_limit(fl_buf *b, const char *part)
{
    reading r = read_text(b->p, b->len);
    assert_true(r.file->damaged);
    assert_int_equal(r.diags.errors, 1);
    assert_non_null(strstr(r.diags.list.v[0]->message, part));
    assert_non_null(r.diags.list.v[0]->span.src);
    fl_arena_free(r.a);
    fl_buf_free(b);
}

static void repeated(fl_buf *b, const char *head, const char *what, size_t n)
{
    fl_buf_init(b, 64 << 20);
    fl_buf_adds(b, head);
    for (size_t i = 0; i < n; i++)
        fl_buf_adds(b, what);
}

static void limits(void **state)
{
    fl_buf b;
    repeated(&b, "", "a {\n", 65);
    expect_limit(&b, "nested more than 64 deep");
    repeated(&b, "a = ", "[", 60000);
    fl_buf_addc(&b, ' ');
    for (int i = 0; i < 60000; i++)
        fl_buf_addc(&b, ']');
    expect_limit(&b, "nested more than 64 deep");
    repeated(&b, "where ", "not ", 100000);
    expect_limit(&b, "nested more than 64 deep");
    repeated(&b, "a b", ",c", 100000);
    expect_limit(&b, "a list of more than 100000 items");
    repeated(&b, "a", " b", 100001);
    expect_limit(&b, "a list of more than 100000 items");
    repeated(&b, "where a", " or a", 100000);
    expect_limit(&b, "a list of more than 100000 items");
    repeated(&b, "a \"", "x", (64 << 10) + 1);
    fl_buf_adds(&b, "\"\n");
    expect_limit(&b, "longer than 64 KiB");
    repeated(&b, "a ", "x", (64 << 10) + 1);
    expect_limit(&b, "longer than 64 KiB");
    repeated(&b, "", "a\n", 2000001);
    expect_limit(&b, "more than 4000000 words and signs");
    repeated(&b, "#", "x", 16 << 20);
    expect_limit(&b, "larger than 16 MiB");
}

static void nesting_of_64_is_read(void **state)
{
    fl_buf b;
    repeated(&b, "", "a {\n", 64);
    fl_buf_adds(&b, "b\n");
    for (int i = 0; i < 64; i++)
        fl_buf_adds(&b, "}\n");
    reading r = read_text(b.p, b.len);
    assert_string_equal(messages(&r), "");
    fl_arena_free(r.a);
    fl_buf_free(&b);
}

static void errors_end(void **state)
{
    fl_buf b;
    repeated(&b, "", "= x\n", 20000);
    reading r = read_text(b.p, b.len);
    assert_int_equal(r.diags.errors, 10001);
    assert_non_null(strstr(r.diags.list.v[10000]->message, "more than 10000 errors"));
    fl_arena_free(r.a);
    fl_buf_free(&b);
}

static void spans(void **state)
{
    const char *text = "encrypt PII, PCI with \"k\" {\n  rotate 90d\n}\nlet a = [1]\n";
    reading r = read_text(text, strlen(text));
    const lang_stmt *s = first(&r);
    assert_int_equal(s->span.from, 0);
    assert_int_equal(s->span.to, 27);
    assert_int_equal(s->lists[0].span.from, 8);
    assert_int_equal(s->lists[0].span.to, 16);
    assert_int_equal(s->lists[2].span.from, 22);
    assert_int_equal(s->lists[2].span.to, 25);
    assert_int_equal(s->block->open.from, 26);
    assert_int_equal(s->block->close.from, 41);
    s = r.file->top->stmts[1];
    assert_int_equal(s->span.to - s->span.from, 11);
    assert_int_equal(s->value->kind, LANG_V_LIST);
    fl_arena_free(r.a);
}

static void conditions(void **state)
{
    const char *text = "where (a or b and not c) and every f (x in [1, 2] or y[\"z\"] != \"q\")\n";
    reading r = read_text(text, strlen(text));
    const lang_expr *e = first(&r)->expr;
    assert_int_equal(e->kind, LANG_E_AND);
    assert_int_equal(e->left->kind, LANG_E_OR);
    assert_int_equal(e->left->right->kind, LANG_E_AND);
    assert_int_equal(e->left->right->right->kind, LANG_E_NOT);
    assert_int_equal(e->right->kind, LANG_E_EVERY);
    assert_string_equal(e->right->property.text, "f");
    const lang_expr *inner = e->right->left;
    assert_int_equal(inner->left->op, LANG_IN);
    assert_int_equal(inner->left->right->operand.n, 2);
    assert_string_equal(inner->right->left->index.text, "z");
    assert_int_equal(inner->right->op, LANG_NE);
    fl_arena_free(r.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(no_word_is_reserved),
        cmocka_unit_test(strings),
        cmocka_unit_test(variables),
        cmocka_unit_test(bad_strings),
        cmocka_unit_test(bad_bytes),
        cmocka_unit_test(nul_byte),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(one_line_one_message),
        cmocka_unit_test(missing_closing_brace),
        cmocka_unit_test(missing_opening_brace),
        cmocka_unit_test(indentation_is_free),
        cmocka_unit_test(recovered_blocks_are_read),
        cmocka_unit_test(limits),
        cmocka_unit_test(nesting_of_64_is_read),
        cmocka_unit_test(errors_end),
        cmocka_unit_test(spans),
        cmocka_unit_test(conditions),
    };
    return cmocka_run_group_tests_name("lang/parse", tests, NULL, NULL);
}
