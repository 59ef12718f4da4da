/* catalog_tool_test.c: what the catalogue's reader refuses, so that a wrong entry fails the build. Each test changes
 * one text in a copy of the real files. Runs in the repository's root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

int tool_main(int argc, char **argv);
#define main tool_main
#include "compiler/catalog/catalog_tool.c"
#undef main

static fl_arena *volatile held; /* seen from the child, too: nothing in it is lost when it exits */

/* Copies the files, replaces the first `from` in one of them by `to`, runs the tool: its exit status, 99 if the text is
 * not there. */
static int run_with(const char *name, const char *from, const char *to)
{
    fl_arena *a = fl_arena_new();
    char dir[] = "/tmp/flec-catalog-XXXXXX", **paths, *text;
    size_t n, len;
    int status = -1;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(fl_find_files(a, "compiler/catalog", ".json", &paths, &n), 0);
    bool found = !name;
    for (size_t i = 0; i < n; i++) {
        const char *base = strrchr(paths[i], '/') + 1;
        assert_int_equal(fl_read_file(a, paths[i], 1 << 20, &text, &len), 0);
        char *at = name && !strcmp(base, name) ? strstr(text, from) : NULL;
        if (at) {
            text = fl_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
            len = strlen(text);
            found = true;
        }
        assert_int_equal(fl_write_file(fl_printf(a, "%s/%s", dir, base), text, len, 0644, false), 0);
    }
    held = a;
    pid_t pid = found ? fork() : -1;
    if (!pid) {
        char *made = fl_printf(a, "%s/out.c", dir);
        if (!freopen("/dev/null", "w", stderr))
            _exit(98);
        _exit(tool_main(3, (char *[]){"catalog_tool", made, dir, NULL}));
    }
    if (found)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    fl_remove_tree(dir);
    fl_arena_free(a);
    return found ? WEXITSTATUS(status) : 99;
}

#define REFUSED(name, from, to) assert_int_equal(run_with(name, from, to), 1)

static void as_it_is(void **state)
{
    assert_int_equal(run_with(NULL, NULL, NULL), 0);
}

static void members(void **state)
{
    REFUSED("s3-sink.json", "\"plugin\"", "\"plug\"");
    REFUSED("s3-source.json", "\"requiredIf\"", "\"required_if\"");
    REFUSED("s3-sink.json", "\"csfle\": true", "\"csfle\": \"true\"");
    REFUSED("s3-sink.json", "\"name\": \"flush.size\", ", "");
    REFUSED("s3-sink.json", "\"kind\": \"sink\"", "\"kind\": \"both\"");
    REFUSED("s3-sink.json", "\"_common_sink\"", "\"_common_sinks\"");
    REFUSED("s3-sink.json", "\"10.0.0\"", "\"ten\"");
    REFUSED("s3-sink.json", "  \"minVersion\": \"10.0.0\",\n", "");
    REFUSED("s3-sink.json", "{\n", "[\n");
}

static void property(void **state)
{
    REFUSED("s3-sink.json", "\"type\": \"INT\"", "\"type\": \"INTEGER\"");
    REFUSED("s3-sink.json", "\"default\": \"NONE\", \"values\"", "\"default\": \"ALL\", \"values\"");
    REFUSED("servicenow-source.json", "\"default\": \"30\"", "\"default\": \"601\"");
    REFUSED("servicenow-source.json", "\"default\": \"30\"", "\"default\": \"thirty\"");
    REFUSED("servicenow-source.json", "\"min\": 1", "\"min\": 601");
    REFUSED("s3-sink.json", "\"default\": \"true\"", "\"default\": \"yes\"");
    REFUSED("s3-sink.json", "\"source\": \"descriptor\"", "\"source\": \"somewhere\"");
    REFUSED("s3-sink.json", ", \"source\": \"descriptor\"", "");
    REFUSED("s3-sink.json", "\"type\": \"PASSWORD\", \"secret\": true", "\"type\": \"PASSWORD\"");
    REFUSED("s3-sink.json", "\"name\": \"flush.size\"", "\"name\": \"format.class\"");
    REFUSED("common_group.json", "\"pattern\": true, ", "");
    REFUSED("s3-source.json", "\"requiredIf\": \"mode=GENERIC\"", "\"requiredIf\": \"mode GENERIC\"");
}

static void other_files(void **state)
{
    REFUSED("kms.json", "\"secret\": true", "\"secret\": \"true\"");
    REFUSED("kms.json", "\"source\": \"drivers\"", "\"source\": \"driver\"");
    REFUSED("generated.json", "\"owner\": \"undoes\"", "\"owner\": \"undo\"");
    REFUSED("classes.json", "\"short\": [", "\"shorts\": [");
    REFUSED("transforms.json", "\"class\"", "\"klass\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_it_is), cmocka_unit_test(members),
                                       cmocka_unit_test(property), cmocka_unit_test(other_files)};
    return cmocka_run_group_tests_name("catalog_tool", tests, NULL, NULL);
}
