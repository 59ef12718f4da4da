/* write_test.c: a build directory is replaced as a whole, whatever happens meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/emit/emit.h"

enum { NFILES = 24 };

typedef struct env {
    fl_arena *a;
    char root[64];
    const char *dir;
} env;

static int setup(void **state)
{
    env *e = fl_xcalloc(1, sizeof *e);
    *state = e;
    e->a = fl_arena_new();
    strcpy(e->root, "/tmp/flec-write-XXXXXX");
    if (!mkdtemp(e->root))
        return -1;
    e->dir = fl_printf(e->a, "%s/out", e->root);
    return 0;
}

static int teardown(void **state)
{
    env *e = *state;
    fl_remove_tree(e->root);
    fl_arena_free(e->a);
    free(e);
    return 0;
}

/* A build whose files all hold the same mark; extra: one file more, in a folder of its own. */
static fc_build *build(fl_arena *a, const char *mark, bool extra)
{
    fc_build *b = FL_NEW(a, fc_build);
    for (int i = 0; i < NFILES; i++) {
        const char *text = fl_printf(a, "%s %d\n", mark, i);
        fc_file f = {fl_printf(a, "connect/f%02d.json", i), text, strlen(text)};
        FL_PUSH(a, &b->files, f);
    }
    if (extra)
        FL_PUSH(a, &b->files, (fc_file){"fixtures/deep/extra.jsonl", mark, strlen(mark)});
    const char *manifest = fl_printf(a, "{\"format\":\"flec-build\",\"mark\":\"%s\"}\n", mark);
    FL_PUSH(a, &b->files, (fc_file){"MANIFEST", manifest, strlen(manifest)});
    return b;
}

static bool holds(env *e, const fc_build *b)
{
    char **paths, *text;
    size_t n, len;
    for (size_t i = 0; i < b->files.n; i++) {
        if (fl_read_file(e->a, fl_printf(e->a, "%s/%s", e->dir, b->files.v[i].path), 1 << 20, &text, &len))
            return false;
        if (len != b->files.v[i].len || memcmp(text, b->files.v[i].bytes, len))
            return false;
    }
    assert_int_equal(fl_find_files(e->a, e->dir, "", &paths, &n), 0);
    size_t marks = 0; /* of a build in place that was cut off just before its end */
    for (size_t i = 0; i < n; i++)
        marks += strstr(paths[i], "MANIFEST.unfinished") != NULL;
    return n - marks == b->files.n;
}

/* The log of what is meant to fail is not shown. */
static int quiet(void)
{
    int saved = dup(2), null = open("/dev/null", O_WRONLY);
    assert_true(saved >= 0 && null >= 0 && dup2(null, 2) == 2);
    close(null);
    return saved;
}

static void loud(int saved)
{
    dup2(saved, 2);
    close(saved);
}

static void new_and_again(void **state)
{
    env *e = *state;
    fc_build *one = build(e->a, "one", true), *two = build(e->a, "two", false);
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    assert_true(holds(e, one));
    assert_int_equal(fc_write(two, fl_printf(e->a, "%s/", e->dir)), FL_OK);
    assert_true(holds(e, two));
    char **names;
    size_t n;
    assert_int_equal(fl_find_files(e->a, e->root, "", &names, &n), 0);
    assert_int_equal(n, two->files.n); /* nothing beside the folder is left */
    assert_int_equal(rmdir(e->root), -1);
}

static void parents_are_made(void **state)
{
    env *e = *state;
    e->dir = fl_printf(e->a, "%s/a/b/out", e->root);
    fc_build *one = build(e->a, "one", false);
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    assert_true(holds(e, one));
}

static void foreign_folder(void **state)
{
    env *e = *state;
    char *text;
    size_t len;
    int saved = quiet();
    assert_int_equal(mkdir(e->dir, 0755), 0);
    assert_int_equal(fl_write_file(fl_printf(e->a, "%s/thesis.txt", e->dir), "mine", 4, 0644, false), 0);
    assert_int_equal(fc_write(build(e->a, "one", false), e->dir), FL_USAGE);
    assert_int_equal(fl_write_file(fl_printf(e->a, "%s/MANIFEST", e->dir), "{\"format\":\"other\"}", 18, 0644, false),
                     0);
    assert_int_equal(fc_write(build(e->a, "one", false), e->dir), FL_USAGE);
    assert_int_equal(fl_read_file(e->a, fl_printf(e->a, "%s/thesis.txt", e->dir), 10, &text, &len), 0);
    assert_string_equal(text, "mine");
    assert_int_equal(fl_write_file(fl_printf(e->a, "%s/file", e->root), "x", 1, 0644, false), 0);
    assert_int_equal(fc_write(build(e->a, "one", false), fl_printf(e->a, "%s/file", e->root)), FL_USAGE);
    assert_int_equal(fc_write(build(e->a, "one", false), "."), FL_USAGE);
    assert_int_equal(fc_write(build(e->a, "one", false), "/"), FL_USAGE);
    loud(saved);
}

static void empty_folder(void **state)
{
    env *e = *state;
    fc_build *one = build(e->a, "one", false);
    assert_int_equal(mkdir(e->dir, 0755), 0);
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    assert_true(holds(e, one));
}

static void through_a_link(void **state)
{
    env *e = *state;
    struct stat st;
    fc_build *one = build(e->a, "one", false), *two = build(e->a, "two", false);
    const char *link = fl_printf(e->a, "%s/link", e->root);
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    assert_int_equal(symlink("out", link), 0);
    assert_int_equal(fc_write(two, link), FL_OK);
    assert_true(holds(e, two));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void locked(void **state)
{
    env *e = *state;
    int fd, status;
    int saved = quiet();
    assert_int_equal(fl_lock_file(fl_printf(e->a, "%s/.out.flec-lock", e->root), &fd), 0);
    pid_t pid = fork();
    if (!pid)
        _exit(fc_write(build(e->a, "one", false), e->dir));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), FL_COULD_NOT_RUN);
    assert_false(fl_exists(e->dir));
    close(fd);
    loud(saved);
}

static int cannot(const char *a, const char *b)
{
    return EINVAL;
}

static void without_exchange(void **state)
{
    env *e = *state;
    fc_build *one = build(e->a, "one", true), *two = build(e->a, "two", false);
    emit_exchange = cannot;
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    assert_int_equal(fc_write(two, e->dir), FL_OK);
    emit_exchange = fl_exchange;
    assert_true(holds(e, two));
}

static void broken_disk(void **state)
{
    env *e = *state;
    fc_build *one = build(e->a, "one", false), *two = build(e->a, "two", false);
    int saved = quiet();
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    FL_PUSH(e->a, &two->files, (fc_file){"connect/f00.json/below-a-file", "x", 1});
    assert_int_equal(fc_write(two, e->dir), FL_COULD_NOT_RUN);
    assert_true(holds(e, one)); /* the old build stands */
    loud(saved);
}

/* Kills a writer at any moment: what stands is one build or the other, or, without the exchange, no build at all (no
 * MANIFEST). */
static void killed(env *e, bool exchange, unsigned rounds)
{
    fc_build *one = build(e->a, "one", true), *two = build(e->a, "two", false);
    emit_exchange = exchange ? fl_exchange : cannot;
    assert_int_equal(fc_write(one, e->dir), FL_OK);
    for (unsigned i = 0; i < rounds; i++) {
        pid_t pid = fork();
        if (!pid) {
            for (;;)
                if (fc_write(two, e->dir) || fc_write(one, e->dir))
                    _exit(1);
        }
        usleep(500 + (i * 7919) % 20000);
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* it never failed by itself */
        bool manifest = fl_exists(fl_printf(e->a, "%s/MANIFEST", e->dir));
        assert_true(holds(e, one) || holds(e, two) || (!exchange && !manifest));
        if (!manifest) { /* and the next build takes its place */
            assert_int_equal(fc_write(one, e->dir), FL_OK);
            assert_true(holds(e, one));
        }
    }
    emit_exchange = fl_exchange;
}

static void killed_while_writing(void **state)
{
    killed(*state, true, 40);
}

static void killed_without_exchange(void **state)
{
    killed(*state, false, 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_and_again),        TEST(parents_are_made),
        TEST(foreign_folder),       TEST(empty_folder),
        TEST(through_a_link),       TEST(locked),
        TEST(without_exchange),     TEST(broken_disk),
        TEST(killed_while_writing), TEST(killed_without_exchange),
    };
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
