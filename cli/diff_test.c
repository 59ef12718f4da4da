/* diff_test.c: unified diffs: hunks, their numbers, texts without a last line end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/diff.h"

static void expect(const char *from, const char *to, const char *want)
{
    fl_arena *a = fl_arena_new();
    fl_buf b;
    fl_buf_init(&b, 1 << 20);
    cli_diff(a, "x", from, strlen(from), to, strlen(to), &b);
    assert_string_equal(b.p ? b.p : "", want);
    fl_buf_free(&b);
    fl_arena_free(a);
}

static void equal_texts(void **state)
{
    expect("", "", "");
    expect("a\nb\n", "a\nb\n", "");
}

static void one_hunk(void **state)
{
    expect("a\n", "b\n", "--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n+b\n");
    expect("", "b\n", "--- x\n+++ x\n@@ -0,0 +1,1 @@\n+b\n");
    expect("a\n", "", "--- x\n+++ x\n@@ -1,1 +0,0 @@\n-a\n");
    expect("a", "a\n", "--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
    expect("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nx\n6\n", "--- x\n+++ x\n@@ -3,4 +3,5 @@\n 3\n 4\n 5\n+x\n 6\n");
}

static void hunks_are_apart_or_joined(void **state)
{
    expect("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
           "--- x\n+++ x\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
    expect("a\n1\n2\nb\n", "A\n1\n2\nB\n", "--- x\n+++ x\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n-b\n+B\n");
}

static void common_lines_are_found(void **state)
{
    expect("a\nb\nc\nd\n", "x\nb\nd\ny\n", "--- x\n+++ x\n@@ -1,4 +1,4 @@\n-a\n+x\n b\n-c\n d\n+y\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts),
        cmocka_unit_test(one_hunk),
        cmocka_unit_test(hunks_are_apart_or_joined),
        cmocka_unit_test(common_lines_are_found),
    };
    return cmocka_run_group_tests_name("cli/diff", tests, NULL, NULL);
}
