/* seals_test.c: seals counted in a file: reserved before use, shared by processes, given back in the end, and what a
 * killed writer leaves. Each "process" here is one between rt_seals_keep and rt_seals_close. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/seals.h"

static char dir[64], path[80];
static rt_error err;
static int serial; /* a key of its own for each test: counts stay as long as the process */

/* ---- signals ---- */

static int interrupts; /* of the next calls that many are interrupted by a signal */

static bool interrupted(void)
{
    if (!interrupts)
        return false;
    interrupts--;
    errno = EINTR;
    return true;
}

/* seals.c calls these: the linker takes them before the C library's. */
int flock(int fd, int how)
{
    return interrupted() ? -1 : (int)syscall(SYS_flock, fd, how);
}

int fdatasync(int fd)
{
    return interrupted() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static rt_seals *fresh(char id[RT_SEALS_ID])
{
    snprintf(id, RT_SEALS_ID, "%032x", ++serial);
    return rt_seals_of(id, true);
}

static void keep(void)
{
    if (rt_seals_keep(path, &err) != RT_OK)
        fail_msg("%s", err.message);
}

static int setup(void **state)
{
    strcpy(dir, "/tmp/flec-seals-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/seals", dir);
    return 0;
}

static int teardown(void **state)
{
    rt_seals_close();
    unlink(path);
    return rmdir(dir);
}

static void text_of(char *out, size_t room)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    out[fread(out, 1, room - 1, f)] = 0;
    fclose(f);
}

static void append(const char *text)
{
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Takes n in a child, which ends in order or is killed. It is forked while this process has no file: what is reserved
 * here is not the child's to give back. */
static pid_t start_other(const char *id, uint32_t n, bool in_order, int *go)
{
    int fds[2];
    char c;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        rt_error e;
        close(fds[1]); /* ends with this process */
        bool ok = read(fds[0], &c, 1) == 1 && rt_seals_keep(path, &e) == RT_OK &&
                  rt_seals_take(rt_seals_of(id, true), n, NULL) == n;
        if (in_order)
            rt_seals_close();
        _exit(ok ? 0 : 1);
    }
    close(fds[0]);
    *go = fds[1];
    return pid;
}

static void finish_other(pid_t pid, int go)
{
    int status;
    assert_int_equal(write(go, "x", 1), 1);
    close(go);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void other_process(const char *id, uint32_t n, bool in_order)
{
    int go;
    pid_t pid = start_other(id, n, in_order, &go);
    finish_other(pid, go);
}

static void outlives_the_process(void **state)
{
    char id[RT_SEALS_ID];
    rt_seals *s = fresh(id);
    int go;
    pid_t later = start_other(id, 5, true, &go);
    other_process(id, 10000, true);
    keep();
    assert_int_equal(rt_seals_count(s), 10000);
    finish_other(later, go);
    assert_int_equal(rt_seals_take(s, 1, NULL), 1); /* sees the others when it reserves */
    assert_int_equal(rt_seals_count(s), 10006);
}

/* A killed one is thought to have used all it had reserved: never less than it used. */
static void killed(void **state)
{
    char id[RT_SEALS_ID];
    rt_seals *s = fresh(id);
    other_process(id, 10, false);
    keep();
    assert_true(rt_seals_count(s) >= 10 && rt_seals_count(s) <= 4096);
}

static void reserved_before_use(void **state)
{
    char id[RT_SEALS_ID], text[4096];
    rt_seals *s = fresh(id);
    keep();
    assert_int_equal(rt_seals_take(s, 10, NULL), 10);
    text_of(text, sizeof text);
    assert_non_null(strstr(text, id));
    assert_non_null(strstr(text, "+4096\n"));
    assert_int_equal(rt_seals_take(s, 100000, NULL), 100000); /* as much as that at once */
    assert_int_equal(rt_seals_take(s, 5, NULL), 5);
    rt_seals_close();
    text_of(text, sizeof text);
    assert_non_null(strstr(text, " -")); /* the rest is given back */
    keep();
    assert_int_equal(rt_seals_count(s), 100015);
}

/* The bound holds over processes: what the file says counts. */
static void bound_over_processes(void **state)
{
    char id[RT_SEALS_ID], line[80];
    rt_seals *s = fresh(id);
    keep();
    rt_seals_close();
    snprintf(line, sizeof line, "%s +%llu\n", id, (unsigned long long)RT_SEALS_MAX - 7);
    append(line);
    keep();
    assert_int_equal(rt_seals_take(s, 100, NULL), 7);
    assert_int_equal(rt_seals_take(s, 100, NULL), 0);
}

/* What was sealed before there was a file goes into it. */
static void carried_over(void **state)
{
    char id[RT_SEALS_ID];
    rt_seals *s = fresh(id);
    assert_int_equal(rt_seals_take(s, 50, NULL), 50);
    keep();
    assert_int_equal(rt_seals_count(s), 50);
    rt_seals_close();
    other_process(id, 1, true);
    keep();
    assert_int_equal(rt_seals_count(s), 51);
}

/* In a child of a process with a file. 0: all is as it should be; it names `file`, and takes 7. */
static int forked_child(rt_seals *s, const char *file, uint64_t known)
{
    rt_error e;
    if (rt_seals_count(s) != known) /* without a file it knows what was sealed before */
        return 1;
    if (rt_seals_keep(file, &e) != RT_OK || rt_seals_take(s, 7, NULL) != 7)
        return 2;
    uint64_t now = rt_seals_count(s);
    rt_seals_close();
    return now >= known + 7 && now <= known + 7 + 4096 ? 0 : 3;
}

static void fork_with_a_file(rt_seals *s, const char *file, uint64_t known)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(forked_child(s, file, known));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Nobody gives back what another reserved, whichever ends first, and nothing is lost or taken twice. */
static void forked(void **state)
{
    char id[RT_SEALS_ID], other[96];
    rt_seals *s = fresh(id);
    keep();
    assert_int_equal(rt_seals_take(s, 100, NULL), 100);
    fork_with_a_file(s, path, 100);
    assert_int_equal(rt_seals_take(s, 5000, NULL), 5000); /* more than what was reserved: the file is looked at */
    assert_int_equal(rt_seals_count(s), 5107);
    snprintf(other, sizeof other, "%s.other", path);
    fork_with_a_file(s, other, 5107);
    rt_seals_close();
    keep();
    assert_int_equal(rt_seals_count(s), 5107);
    rt_seals_close();
    assert_int_equal(rt_seals_keep(other, &err), RT_OK);
    assert_int_equal(rt_seals_count(s), 5114);
    unlink(other);
}

static void torn_and_odd_lines(void **state)
{
    char id[RT_SEALS_ID], line[160];
    rt_seals *s = fresh(id);
    keep();
    rt_seals_close();
    append("no line of ours\n\n");
    snprintf(line, sizeof line, "%s +20\n%s -5\n%s +4", id, id, id); /* the last one was never finished */
    append(line);
    keep();
    assert_int_equal(rt_seals_count(s), 15);
    assert_int_equal(rt_seals_take(s, 1, NULL), 1);
    rt_seals_close();
    keep();
    assert_true(rt_seals_count(s) >= 16 + 1);
}

/* A key of a password is counted, and not in the file. */
static void not_kept(void **state)
{
    char id[RT_SEALS_ID], text[4096];
    keep();
    fresh(id);
    rt_seals *s = rt_seals_of(id, false);
    assert_int_equal(rt_seals_take(s, 10, NULL), 10);
    assert_int_equal(rt_seals_count(s), 10);
    text_of(text, sizeof text);
    assert_string_equal(text, "flec-seals 1\n");
}

/* A log that has grown is written anew, also under who has the old one open. */
static void written_anew(void **state)
{
    char id[RT_SEALS_ID], text[4096];
    rt_seals *s = fresh(id);
    int go;
    pid_t other = start_other(id, 7, true, &go);
    keep();
    assert_int_equal(rt_seals_take(s, 3, NULL), 3);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    for (int i = 0; i < 8000; i++)
        fprintf(f, "%s +1\n", id);
    fclose(f);
    finish_other(other, go); /* makes it anew */
    text_of(text, sizeof text);
    assert_true(strlen(text) < 200);
    assert_int_equal(rt_seals_take(s, 5000, NULL), 5000); /* in the new one */
    assert_int_equal(rt_seals_count(s), 3 + 8000 + 7 + 5000);
    rt_seals_close();
    keep();
    assert_int_equal(rt_seals_count(s), 3 + 8000 + 7 + 5000);
}

static void not_such_a_file(void **state)
{
    append("something else\n");
    assert_int_equal(rt_seals_keep(path, &err), RT_IO);
    assert_non_null(strstr(err.message, "no file of counted seals"));
    assert_int_equal(rt_seals_keep("/nowhere/at/all", &err), RT_IO);
    char id[RT_SEALS_ID];
    assert_int_equal(rt_seals_take(fresh(id), 3, NULL), 3); /* counting in the process goes on */
}

static void made_for_its_user(void **state)
{
    struct stat st;
    keep();
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* A full disk: nothing is sealed that was not counted. */
static void full_disk(void **state)
{
    char id[RT_SEALS_ID];
    pid_t pid = fork();
    if (pid == 0) {
        rt_error e;
        struct rlimit small = {20, 20};
        signal(SIGXFSZ, SIG_IGN);
        bool ok = rt_seals_keep(path, &e) == RT_OK && setrlimit(RLIMIT_FSIZE, &small) == 0 &&
                  rt_seals_take(fresh(id), 3, NULL) == 0;
        _exit(ok ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* A signal that comes while it waits for the lock or the disk is no reason to refuse. */
static void signals(void **state)
{
    char id[RT_SEALS_ID], text[4096];
    interrupts = 3;
    keep();
    assert_int_equal(interrupts, 0);
    rt_seals *s = fresh(id);
    for (int n = 1; n < 4; n++) {
        interrupts = n;
        assert_int_equal(rt_seals_take(s, 100000, NULL), 100000); /* more than is reserved */
        assert_int_equal(interrupts, 0);
    }
    assert_int_equal(rt_seals_take(s, 5, NULL), 5); /* the rest of what it reserves is given back */
    interrupts = 2;
    rt_seals_close();
    assert_int_equal(interrupts, 0);
    text_of(text, sizeof text);
    assert_int_equal(strncmp(text, "flec-seals 1\n", 13), 0);
    keep();
    assert_int_equal(rt_seals_count(s), 300005);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(outlives_the_process),
        TEST(killed),
        TEST(reserved_before_use),
        TEST(bound_over_processes),
        TEST(carried_over),
        TEST(forked),
        TEST(torn_and_odd_lines),
        TEST(not_kept),
        TEST(written_anew),
        TEST(not_such_a_file),
        TEST(made_for_its_user),
        TEST(full_disk),
        TEST(signals),
    };
    return cmocka_run_group_tests_name("seals", tests, NULL, NULL);
}
