/* format_test.c: the canonical form: pairs of before and after, the golden files as they are, and what damage must not
 * break. */
#include "lang/test_tools.h"

static void expect(const char *text, const char *want)
{
    fl_arena *a = fl_arena_new();
    const char *once = formatted(a, text, strlen(text));
    assert_non_null(once);
    assert_string_equal(once, want);
    assert_string_equal(formatted(a, once, strlen(once)), want);
    fl_arena_free(a);
}

static void blocks_and_indentation(void **state)
{
    expect("a {\nb {\n\tc d\n\n\n}\n\n}\n", "a {\n  b {\n    c d\n  }\n}\n");
    expect("a   {  b  }", "a {\n  b\n}\n");
    expect("a {  }\n", "a {}\n");
    expect("a {\n\n}\n", "a {}\n");
    expect("a {\n # x\n\n}\n", "a {\n  # x\n}\n");
    expect("a { # x\n}\n", "a {  # x\n}\n");
    expect("\n\n a\n\n\n\n b\n\n", "a\n\nb\n");
    expect("", "");
    expect("# only\n", "# only\n");
}

static void blank_lines_around_top_level_bodies(void **state)
{
    expect("a\nb {\n c\n}\nd\n", "a\n\nb {\n  c\n}\n\nd\n");
    expect("a\n# of b\nb {\n c\n}\n# of d\nd\n", "a\n\n# of b\nb {\n  c\n}\n\n# of d\nd\n");
    expect("# head\nb {\n c\n}\n", "# head\nb {\n  c\n}\n");
    expect("a {\n b {\n  c\n }\n d\n}\n", "a {\n  b {\n    c\n  }\n  d\n}\n");
    expect("a {}\nb {}\n", "a {}\nb {}\n");
}

static void comments(void **state)
{
    expect("a#x  \n   # y\nb     # z\n", "a  #x\n# y\nb  # z\n");
    expect("a {# x\n b\n   # y\n} # z\n", "a {  # x\n  b\n  # y\n}  # z\n");
    expect("a b, # x\n c\n", "a b,  # x\n  c\n");
    expect("a b,\n # x\n c d\n", "a b,\n  # x\n  c d\n");
    expect("a = [ # x\n b, # y\n c # z\n]\n", "a = [  # x\n  b,  # y\n  c  # z\n]\n");
}

static void spaces(void **state)
{
    expect("connector a:b 1   {\nc   User : x ,User:\"y\"\n}\n", "connector a : b 1 {\n  c User:x, User:\"y\"\n}\n");
    expect("test t {\n connector a receives b {\"x\":[1,{}],\"y\":{ }}\n}\n",
           "test t {\n  connector a receives b { \"x\": [1, {}], \"y\": {} }\n}\n");
    expect("a=secret( \"x:y\" )\n", "a = secret(\"x:y\")\n");
    expect("a=[ 1,[2 ],[] ]\n", "a = [1, [2], []]\n");
    expect("where every f(x[\"y\"]==1 and(a or b))and c in[1]\n",
           "where every f (x[\"y\"] == 1 and (a or b)) and c in [1]\n");
}

static void runs_align(void **state)
{
    expect("let a = 1\nlet bcd = 2\nuse \"x\"\nlet e = 3\n", "let a   = 1\nlet bcd = 2\nuse \"x\"\nlet e = 3\n");
    expect("a {\nfield a is X\nfield bcd is clear\n\nfield ef is X\n}\n",
           "a {\n  field a   is X\n  field bcd is clear\n\n  field ef is X\n}\n");
    expect("a {\nfield a is X\n# c\nfield bcd is X\n}\n", "a {\n  field a is X\n  # c\n  field bcd is X\n}\n");
    expect("tag A \"x\"\ntag BCD\ntag EF \"y\"\ntag LONGEST clear because \"z\"\n",
           "tag A  \"x\"\ntag BCD\ntag EF \"y\"\ntag LONGEST clear because \"z\"\n");
    expect("k {\nkms aws \"x\"\nshared\nowner me\n}\n", "k {\n  kms   aws \"x\"\n  shared\n  owner me\n}\n");
    expect("t {\nkey string\nvalue avro \"x\" {\na\n}\nwriters User:x\n}\n",
           "t {\n  key   string\n  value avro \"x\" {\n    a\n  }\n  writers User:x\n}\n");
    expect("a {\nabcdefghijklmnopq x\nb y\n}\n", "a {\n  abcdefghijklmnopq x\n  b y\n}\n");
    expect("a {\nabcdefghijklmnop x\nb y\n}\n", "a {\n  abcdefghijklmnop x\n  b                y\n}\n");
    expect("test t {\nexpect a\nproduce b\nx = 1\nyy = 2\n}\n",
           "test t {\n  expect a\n  produce b\n  x = 1\n  yy = 2\n}\n");
    expect("g {\nevery a\nwhere b\nrequires (c)\n}\n", "g {\n  every    a\n  where    b\n  requires (c)\n}\n");
    expect("c {\n\"\xc3\xa4\" = 1\nbb = 2\n}\n", "c {\n  \"\xc3\xa4\" = 1\n  bb  = 2\n}\n");
}

static void objects_keep_their_lines(void **state)
{
    expect("test t {\nproduce x {\n\"a\": 1, \"b\": [{\n\"c\": 2\n}, 3],\n\n\"d\": {}\n} null\n}\n",
           "test t {\n  produce x {\n    \"a\": 1, \"b\": [{\n        \"c\": 2\n      }, 3],\n    \"d\": {}\n  } "
           "null\n}\n");
    expect("a { \"x\": 1,  # c\n\"y\": 2 }\n", "a { \"x\": 1,  # c\n  \"y\": 2 }\n");
}

#define W "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void wide_statements_break(void **state)
{
    expect("a {\nr " W ", " W "\n}\n", "a {\n  r " W ", " W "\n}\n");
    expect("a {\nr " W ", " W ", bb\n}\n", "a {\n  r " W ", " W ", bb\n}\n"); /* 110 columns */
    expect("a {\nr " W ", " W ", bbb\n}\n", "a {\n  r " W ",\n    " W ",\n    bbb\n}\n");
    expect("r " W ", " W ", " W " with x\n", "r " W ",\n  " W ",\n  " W " with x\n");
    expect("r = [" W ", " W ", " W "]\n", "r = [\n  " W ",\n  " W ",\n  " W "\n]\n");
    expect("r " W W W "\n", "r " W W W "\n");
    expect("where (" W " or " W " or " W ") and x\n", "where (\n  " W "\n  or " W "\n  or " W "\n) and x\n");
}

static void quotes_are_kept(void **state)
{
    expect("a \"x\" 'x' x \"\\u0041${b}$${\"\n", "a \"x\" 'x' x \"\\u0041${b}$${\"\n");
}

static void other_line_ends(void **state)
{
    expect("\xef\xbb\xbf"
           "a  b\r\n# c \r\n",
           "a b\n# c\n");
}

static void damaged_gives_nothing(void **state)
{
    fl_arena *a = fl_arena_new();
    assert_null(formatted(a, "a = = b\n", 8));
    fl_arena_free(a);
}

/* ---- files ---- */

static void file_is_canonical(const char *path, void *ctx)
{
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len;
    read_file(a, path, &text, &len);
    const char *out = formatted(a, text, len);
    if (!out || strcmp(out, text) != 0)
        fail_msg("%s is not in canonical form", path);
    ++*(size_t *)ctx;
    fl_arena_free(a);
}

static void each_golden(void (*fn)(const char *path, void *ctx), void *ctx)
{
    fl_arena *a = fl_arena_new();
    char **paths;
    size_t n;
    assert_int_equal(fl_find_files(a, "lang/golden/estate", ".flec", &paths, &n), 0);
    for (size_t i = 0; i < n; i++)
        fn(paths[i], ctx);
    fl_arena_free(a);
}

static void goldens_are_canonical(void **state)
{
    size_t n = 0;
    each_golden(file_is_canonical, &n);
    assert_int_equal(n, 6);
}

/* ---- damage: whatever is still undamaged formats to the same tree, once and for all ---- */

static uint32_t rnd(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    return *s ^= *s << 5;
}

static const char *const bits[] = {
    "{",  "}",           "[",  "]", "(",  ")",  ",", ":",  "=",   "==",    "\n",           "\n\n",
    " ",  "#c\n",        "\"", "'", "\\", "${", "a", "is", "not", "\"x\"", "{ \"a\": 1 }", "\xc3",
    "\t", "[a, # c\nb]", "or", "*", "-1"};

static size_t damage(uint32_t *seed, char *text, size_t len, size_t max)
{
    for (unsigned k = 1 + rnd(seed) % 3; k; k--) {
        size_t at = len ? rnd(seed) % len : 0, n;
        const char *what = bits[rnd(seed) % (sizeof bits / sizeof bits[0])];
        switch (rnd(seed) % 3) {
        case 0: /* take some away */
            n = 1 + rnd(seed) % 8;
            n = n > len - at ? len - at : n;
            memmove(text + at, text + at + n, len - at - n);
            len -= n;
            break;
        case 1: /* put something in */
            n = strlen(what);
            if (len + n < max) {
                memmove(text + at + n, text + at, len - at);
                memcpy(text + at, what, n);
                len += n;
            }
            break;
        default: /* break or join a line at a space */
            while (at < len && text[at] != ' ' && text[at] != '\n')
                at++;
            if (at < len)
                text[at] = text[at] == ' ' ? '\n' : ' ';
        }
    }
    return len;
}

static void hold(const char *text, size_t len, size_t *undamaged)
{
    reading r = read_text(text, len);
    if (r.file->damaged) {
        assert_true(r.diags.errors > 0);
        assert_true(r.diags.errors < 40);
        assert_false(lang_match(r.a, r.file, &r.diags));
    } else {
        const char *once = formatted(r.a, text, len);
        reading again = read_text(once, strlen(once));
        if (!lang_same(r.file, again.file))
            fail_msg("formatting changed the tree of:\n%.*s\n-> %s", (int)len, text, once);
        const char *twice = formatted(r.a, once, strlen(once));
        if (strcmp(once, twice) != 0)
            fail_msg("not idempotent:\n%s\n->\n%s", once, twice);
        lang_match(r.a, r.file, &r.diags);
        fl_arena_free(again.a);
        ++*undamaged;
    }
    fl_arena_free(r.a);
}

static void damage_file(const char *path, void *ctx)
{
    fl_arena *a = fl_arena_new();
    char *text, *copy = fl_alloc(a, 1 << 16);
    size_t len, undamaged = 0;
    uint32_t seed = 1;
    read_file(a, path, &text, &len);
    for (const char *p = path; *p; p++)
        seed = seed * 31 + (unsigned char)*p;
    for (unsigned i = 0; i < 400; i++) {
        memcpy(copy, text, len);
        hold(copy, damage(&seed, copy, len, 1 << 16), &undamaged);
    }
    assert_true(undamaged > 40);
    fl_arena_free(a);
}

static void damage_is_survived(void **state)
{
    each_golden(damage_file, NULL);
}

/* `lang_same` sees a difference when there is one. */
static void same_sees_differences(void **state)
{
    static const char *const texts[] = {"a b\n",
                                        "a c\n",
                                        "a \"b\"\n",
                                        "a 'b'\n",
                                        "a b, c\n",
                                        "a b c\n",
                                        "a = b\n",
                                        "a b:c\n",
                                        "a [b]\n",
                                        "a { \"b\": 1 }\n",
                                        "a { \"b\": 2 }\n",
                                        "a { \"c\": 1 }\n",
                                        "a {\n b\n}\n",
                                        "a b # c\n",
                                        "a b # d\n",
                                        "where a\n",
                                        "where not a\n",
                                        "where a == b\n",
                                        "where a != b\n",
                                        "where a[\"x\"]\n",
                                        "where a or b\n",
                                        "where a and b\n",
                                        ""};
    size_t n = sizeof texts / sizeof texts[0];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            reading a = read_text(texts[i], strlen(texts[i])), b = read_text(texts[k], strlen(texts[k]));
            assert_int_equal(lang_same(a.file, b.file), i == k);
            fl_arena_free(a.a);
            fl_arena_free(b.a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_and_indentation),
        cmocka_unit_test(blank_lines_around_top_level_bodies),
        cmocka_unit_test(comments),
        cmocka_unit_test(spaces),
        cmocka_unit_test(runs_align),
        cmocka_unit_test(objects_keep_their_lines),
        cmocka_unit_test(wide_statements_break),
        cmocka_unit_test(quotes_are_kept),
        cmocka_unit_test(other_line_ends),
        cmocka_unit_test(damaged_gives_nothing),
        cmocka_unit_test(goldens_are_canonical),
        cmocka_unit_test(damage_is_survived),
        cmocka_unit_test(same_sees_differences),
    };
    return cmocka_run_group_tests_name("lang/format", tests, NULL, NULL);
}
