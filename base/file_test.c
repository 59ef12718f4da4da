/* file_test.c: reading whole files: limits, and what is no regular file. */
#include "base/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static fl_arena *arena;
static char dir[] = "/tmp/flec-file-XXXXXX";

static const char *in_dir(const char *name)
{
    return fl_path_join(arena, dir, name);
}

static int read_both(const char *path, size_t max, int *regular)
{
    char *text;
    size_t len;
    *regular = fl_read_regular(arena, path, max, &text, &len);
    return fl_read_file(arena, path, max, &text, &len);
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    char *text;
    size_t len;
    int regular;
    assert_int_equal(fl_write_file(in_dir("five"), "ab\0de", 5, 0644, false), 0);
    assert_int_equal(fl_read_regular(arena, in_dir("five"), 5, &text, &len), 0);
    assert_int_equal(len, 5);
    assert_memory_equal(text, "ab\0de", 6); /* and a NUL behind it */
    assert_int_equal(read_both(in_dir("five"), 4, &regular), EFBIG);
    assert_int_equal(regular, EFBIG);
}

static void what_is_no_file_says_why(void **state)
{
    int regular;
    assert_int_equal(read_both(dir, 10, &regular), EISDIR);
    assert_int_equal(regular, EISDIR);
    assert_int_equal(read_both(in_dir("none"), 10, &regular), ENOENT);
    assert_int_equal(regular, ENOENT);
    assert_int_equal(read_both("/dev/null", 10, &regular), 0);
    assert_int_equal(regular, ENOTSUP);
}

/* Nobody writes to it: opening it as a file would wait for ever. */
static void a_pipe_is_refused_at_once(void **state)
{
    char *text;
    size_t len;
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    alarm(20);
    assert_int_equal(fl_read_regular(arena, in_dir("pipe"), 10, &text, &len), ENOTSUP);
    alarm(0);
    assert_null(text);
}

static void a_dash_is_a_name(void **state)
{
    char *text, here[4096];
    size_t len;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(fl_write_file(in_dir("-"), "x", 1, 0644, false), 0);
    assert_int_equal(chdir(dir), 0);
    int e = fl_read_regular(arena, "-", 10, &text, &len);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(e, 0);
    assert_string_equal(text, "x");
}

static void errors_in_words(void **state)
{
    assert_string_equal(fl_read_error(arena, EFBIG, 16u << 20), "larger than 16 MiB");
    assert_string_equal(fl_read_error(arena, ENOTSUP, 1), "not a regular file");
    assert_string_equal(fl_read_error(arena, ENOENT, 1), strerror(ENOENT));
}

static int setup(void **state)
{
    arena = fl_arena_new();
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    fl_arena_free(arena);
    return fl_remove_tree(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_up_to_its_limit),
        cmocka_unit_test(what_is_no_file_says_why),
        cmocka_unit_test(a_pipe_is_refused_at_once),
        cmocka_unit_test(a_dash_is_a_name),
        cmocka_unit_test(errors_in_words),
    };
    return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
