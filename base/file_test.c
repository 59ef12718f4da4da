/* file_test.c: reading with limits, whole writes, folders, locks, exchange, finding, removing, paths. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* As above, but `-` of the user's own is standard input, under the same limit. */
static void a_dash_is_standard_input(void **state)
{
    char *text;
    size_t len;
    int kept = dup(STDIN_FILENO), ends[2];
    for (size_t max = 5; max >= 4; max--) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], "ab", 2), 2); /* comes in two pieces */
        assert_int_equal(write(ends[1], "cde", 3), 3);
        close(ends[1]);
        assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
        int e = fl_read_file(arena, "-", max, &text, &len);
        dup2(kept, STDIN_FILENO);
        close(ends[0]);
        assert_int_equal(e, max == 5 ? 0 : EFBIG);
        if (!e)
            assert_string_equal(text, "abcde");
    }
    close(kept);
}

/* ---- writing ---- */

static void make(const char *path, const char *text)
{
    assert_int_equal(fl_write_file(path, text, strlen(text), 0644, false), 0);
}

static void holds(const char *path, const char *want)
{
    char *text;
    size_t len;
    assert_int_equal(fl_read_file(arena, path, 1 << 20, &text, &len), 0);
    assert_string_equal(text, want);
}

static void fresh_dir(const char *name)
{
    assert_int_equal(fl_remove_tree(in_dir(name)), 0);
    assert_int_equal(fl_mkdirs(in_dir(name), 0755), 0);
}

static void writes_replace_whole_files(void **state)
{
    struct stat st;
    char **found;
    size_t n;
    fresh_dir("w");
    make(in_dir("w/f"), "a longer text that was there before");
    assert_int_equal(fl_write_file(in_dir("w/f"), "new", 3, 0600, true), 0);
    holds(in_dir("w/f"), "new");
    assert_int_equal(stat(in_dir("w/f"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(fl_write_file(in_dir("w/empty"), "", 0, 0644, true), 0);
    holds(in_dir("w/empty"), "");
    assert_int_equal(fl_find_files(arena, in_dir("w"), "", &found, &n), 0);
    assert_int_equal(n, 2); /* nothing temporary is left */
}

static void writes_that_fail_leave_nothing(void **state)
{
    fresh_dir("w");
    assert_int_equal(fl_write_file(in_dir("w/none/f"), "x", 1, 0644, true), ENOENT);
    assert_int_equal(fl_mkdirs(in_dir("w/folder"), 0755), 0);
    assert_int_equal(fl_write_file(in_dir("w/folder"), "x", 1, 0644, true), EISDIR);
    assert_true(fl_dir_empty(in_dir("w/folder")));
    assert_int_equal(rmdir(in_dir("w/folder")), 0);
    assert_true(fl_dir_empty(in_dir("w")));
}

/* Whoever can guess the temporary name cannot lead the write elsewhere. */
static void writes_follow_no_link(void **state)
{
    fresh_dir("w");
    make(in_dir("w/victim"), "untouched");
    assert_int_equal(symlink("victim", fl_printf(arena, "%s.tmp-%ld", in_dir("w/f"), (long)getpid())), 0);
    assert_int_equal(fl_write_file(in_dir("w/f"), "x", 1, 0644, false), ELOOP);
    holds(in_dir("w/victim"), "untouched");
    assert_int_equal(symlink("victim", in_dir("w/link")), 0);
    make(in_dir("w/link"), "replaced"); /* the link, not what it names */
    holds(in_dir("w/victim"), "untouched");
}

/* ---- folders ---- */

static void folders(void **state)
{
    fresh_dir("d");
    assert_int_equal(fl_mkdirs(in_dir("d/a/b/c"), 0755), 0);
    assert_int_equal(fl_mkdirs(in_dir("d/a/b/c"), 0755), 0);
    assert_true(fl_is_dir(in_dir("d/a/b/c")) && fl_dir_empty(in_dir("d/a/b/c")));
    assert_false(fl_dir_empty(in_dir("d/a")) || fl_dir_empty(in_dir("d/none")));
    make(in_dir("d/file"), "x");
    assert_int_equal(fl_mkdirs(in_dir("d/file/below"), 0755), ENOTDIR);
    assert_int_equal(fl_mkdirs(in_dir("d/file"), 0755), ENOTDIR);
    assert_false(fl_is_dir(in_dir("d/file")));
    assert_int_equal(symlink("nowhere", in_dir("d/dangling")), 0);
    assert_true(fl_exists(in_dir("d/dangling"))); /* it is in the way, whatever it names */
    assert_false(fl_exists(in_dir("d/none")));
    assert_int_equal(fl_fsync_dir(in_dir("d")), 0);
    assert_int_equal(fl_fsync_dir(in_dir("d/file")), ENOTDIR);
}

static void exchange(void **state)
{
    fresh_dir("old");
    fresh_dir("new");
    make(in_dir("old/f"), "old");
    make(in_dir("new/f"), "new");
    int e = fl_exchange(in_dir("old"), in_dir("new"));
    if (e == EINVAL || e == ENOSYS)
        skip(); /* not on this file system */
    assert_int_equal(e, 0);
    holds(in_dir("old/f"), "new");
    holds(in_dir("new/f"), "old");
    assert_int_equal(fl_exchange(in_dir("old"), in_dir("none")), ENOENT);
    holds(in_dir("old/f"), "new");
}

/* What another process gets: 0 or an errno value. */
static int lock_elsewhere(void)
{
    int status, fd;
    pid_t pid = fork();
    if (!pid)
        _exit(fl_lock_file(in_dir("lock"), &fd));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void locks(void **state)
{
    int fd, again;
    assert_int_equal(fl_lock_file(in_dir("lock"), &fd), 0);
    assert_int_equal(lock_elsewhere(), EWOULDBLOCK);
    assert_int_equal(fl_lock_file(in_dir("lock"), &again), EWOULDBLOCK);
    assert_int_equal(again, -1);
    close(fd);
    assert_int_equal(lock_elsewhere(), 0); /* and its end set it free again */
    assert_int_equal(fl_lock_file(in_dir("lock"), &fd), 0);
    close(fd);
    assert_int_equal(symlink("lock", in_dir("lock-link")), 0);
    assert_int_equal(fl_lock_file(in_dir("lock-link"), &fd), ELOOP);
}

static void finds_files(void **state)
{
    static const char *const want[] = {"a/z.flec", "b.flec", "link.flec"};
    char **found;
    size_t n;
    fresh_dir("find");
    assert_int_equal(fl_mkdirs(in_dir("find/a/.hidden"), 0755), 0);
    assert_int_equal(fl_mkdirs(in_dir("find/folder.flec"), 0755), 0);
    static const char *const files[] = {"a/z.flec", "b.flec", ".flec", ".dot.flec", "c.txt", "a/.hidden/no.flec"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        make(fl_path_join(arena, in_dir("find"), files[i]), "x");
    assert_int_equal(symlink("b.flec", in_dir("find/link.flec")), 0);
    assert_int_equal(symlink("..", in_dir("find/a/up")), 0); /* would go round for ever */
    assert_int_equal(symlink("nowhere", in_dir("find/dangling.flec")), 0);
    assert_int_equal(mkfifo(in_dir("find/pipe.flec"), 0600), 0);
    assert_int_equal(fl_find_files(arena, fl_printf(arena, "%s/find//", dir), ".flec", &found, &n), 0);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(found[i], fl_path_join(arena, in_dir("find"), want[i]));
    assert_int_equal(fl_find_files(arena, in_dir("none"), ".flec", &found, &n), ENOENT);
}

static void finds_files_here(void **state)
{
    char here[4096], **found;
    size_t n;
    fresh_dir("here");
    make(in_dir("here/b.flec"), "x");
    make(in_dir("here/a.flec"), "x");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(in_dir("here")), 0);
    int e = fl_find_files(arena, ".", ".flec", &found, &n);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(e, 0);
    assert_int_equal(n, 2);
    assert_string_equal(found[0], "a.flec"); /* as the user would write it */
    assert_string_equal(found[1], "b.flec");
}

static void removing_follows_no_link(void **state)
{
    fresh_dir("kept");
    make(in_dir("kept/f"), "kept");
    assert_int_equal(fl_mkdirs(in_dir("gone/a/b"), 0755), 0);
    make(in_dir("gone/a/b/f"), "x");
    assert_int_equal(symlink("../../kept", in_dir("gone/a/link")), 0);
    assert_int_equal(symlink("../kept/f", in_dir("gone/file-link")), 0);
    assert_int_equal(fl_remove_tree(in_dir("gone")), 0);
    assert_false(fl_exists(in_dir("gone")));
    assert_int_equal(symlink("kept", in_dir("itself")), 0);
    assert_int_equal(fl_remove_tree(in_dir("itself")), 0);
    assert_false(fl_exists(in_dir("itself")));
    holds(in_dir("kept/f"), "kept");
    assert_int_equal(fl_remove_tree(in_dir("none")), 0);
}

/* ---- paths ---- */

static void joined_paths(void **state)
{
    static const char *const rows[][3] = {
        {"a", "b.flec", "a/b.flec"},
        {"a", "../s/x", "s/x"},
        {"a/b", "../../../x", "../x"},
        {"..", "../x", "../../x"},
        {".", "x", "x"},
        {".", ".", "."},
        {"a", "..", "."},
        {"a//b/", "./c//d", "a/b/c/d"},
        {"/a", "../../x", "/x"},
        {"/", "..", "/"},
        {"a", "/etc/x", "/etc/x"},
        {"a", "...", "a/..."},
        {"a", "..b/.c", "a/..b/.c"},
        {"/a/b", "../c", "/a/c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(fl_path_join(arena, rows[i][0], rows[i][1]), rows[i][2]);
    assert_string_equal(fl_path_dir(arena, "a/b.flec"), "a");
    assert_string_equal(fl_path_dir(arena, "b.flec"), ".");
    assert_string_equal(fl_path_dir(arena, "/b"), "/");
    assert_string_equal(fl_path_dir(arena, "/"), "/");
}

static void names_of_files(void **state)
{
    static const char *const rows[][2] = {
        {"crm.customers-value", "crm.customers-value"},
        {"a/../b", "a%2F..%2Fb"},
        {"..", "%2E%2E"},
        {".hidden", "%2Ehidden"},
        {"end.", "end%2E"},
        {"100%", "100%25"},
        {"\xc3\xa9 :", "%C3%A9%20%3A"},
        {"a\nb", "a%0Ab"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(fl_file_name(arena, rows[i][0]), rows[i][1]);
}

/* Over-long names stay apart, fit a file system, and are cut between two percent codes. */
static void over_long_names(void **state)
{
    char name[304];
    for (size_t lead = 0; lead < 3; lead++) {
        memset(name, '/', sizeof name - 1);
        memset(name, 'a', lead);
        name[sizeof name - 1] = '\0';
        const char *one = fl_file_name(arena, name);
        name[sizeof name - 2] = 'b';
        const char *two = fl_file_name(arena, name);
        assert_string_not_equal(one, two);
        assert_true(strlen(one) <= 200);
        const char *dash = strrchr(one, '-');
        assert_int_equal(strlen(dash), 17);
        assert_int_equal((size_t)(dash - one - (ptrdiff_t)lead) % 3, 0);
        assert_memory_equal(dash - 3, "%2F", 3);
    }
    memset(name, 'a', 200);
    name[200] = '\0';
    assert_string_equal(fl_file_name(arena, name), name); /* just fits */
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
        cmocka_unit_test(a_dash_is_standard_input),
        cmocka_unit_test(writes_replace_whole_files),
        cmocka_unit_test(writes_that_fail_leave_nothing),
        cmocka_unit_test(writes_follow_no_link),
        cmocka_unit_test(folders),
        cmocka_unit_test(exchange),
        cmocka_unit_test(locks),
        cmocka_unit_test(finds_files),
        cmocka_unit_test(finds_files_here),
        cmocka_unit_test(removing_follows_no_link),
        cmocka_unit_test(joined_paths),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(over_long_names),
    };
    return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
