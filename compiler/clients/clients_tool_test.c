/* clients_tool_test.c: what the reader of the measured cases refuses, so that a table which does not give back every
 * measurement fails the build. Each test changes one text in a copy of the real files. Runs in the repository's root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

int tool_main(int argc, char **argv);
#define main tool_main
#include "compiler/clients/clients_tool.c"
#undef main

static fl_arena *volatile held; /* seen from the child, too: nothing in it is lost when it exits */

/* Copies a file, the first `from` in it replaced by `to` behind the first `after`; false if they are not there. */
static bool copy_with(fl_arena *a, const char *from_path, const char *to_path, const char *after, const char *from,
                      const char *to)
{
    char *text;
    size_t len;
    assert_int_equal(fl_read_file(a, from_path, 16 << 20, &text, &len), 0);
    char *at = from ? strstr(text, after) : text;
    at = at && from ? strstr(at, from) : at;
    if (!at)
        return false;
    if (from)
        text = fl_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(fl_write_file(to_path, text, strlen(text), 0644, false), 0);
    return true;
}

/* Runs the tool over the two files, one of them changed: its exit status, 99 if the text is not there. */
static int run_with(bool in_cases, const char *after, const char *from, const char *to)
{
    fl_arena *a = fl_arena_new();
    char dir[] = "/tmp/flec-clients-XXXXXX";
    int status = -1;
    assert_non_null(mkdtemp(dir));
    char *one = fl_printf(a, "%s/cases.json", dir), *two = fl_printf(a, "%s/constructs.json", dir);
    bool found = copy_with(a, "compiler/clients/cases.json", one, after, in_cases ? from : NULL, to) &&
                 copy_with(a, "compiler/clients/constructs.json", two, after, in_cases ? NULL : from, to);
    held = a;
    pid_t pid = found ? fork() : -1;
    if (!pid) {
        char *made = fl_printf(a, "%s/out.c", dir);
        if (!freopen("/dev/null", "w", stderr))
            _exit(98);
        _exit(tool_main(4, (char *[]){"clients_tool", made, one, two, NULL}));
    }
    if (found)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    fl_remove_tree(dir);
    fl_arena_free(a);
    return found ? WEXITSTATUS(status) : 99;
}

#define IN_CASES(after, from, to)      assert_int_equal(run_with(true, after, from, to), 1)
#define IN_CONSTRUCTS(after, from, to) assert_int_equal(run_with(false, after, from, to), 1)

static void as_they_are(void **state)
{
    assert_int_equal(run_with(true, NULL, NULL, NULL), 0);
}

static void shape(void **state)
{
    IN_CASES("", "\"cases\": [", "\"case\": [");
    IN_CASES("", "\"versions\"", "\"version\"");
    IN_CASES("\"json-nested\"", "\"to_be_encrypted\"", "\"to_encrypt\"");
    IN_CASES("\"json-nested\"", "\"javascript\": ", "\"typescript\": ");
    IN_CASES("\"json-nested\"", "\"as expected\"", "\"as hoped\"");
    IN_CASES("\"json-nested\"", "\"as expected\"", "\"as expected; not read by cobol\"");
    IN_CASES("\"cases\"", "json-nested", "json-other");
    IN_CONSTRUCTS("\"json-nested\"", "json-string", "json-text");
    IN_CONSTRUCTS("\"json-nested\"", "\"way\"", "\"ways\"");
}

/* Measurements that no table of these constructs can give back. */
static void not_explained(void **state)
{
    IN_CASES("\"avro-same-type-two-fields\"", "\"go\": \"clear: ship.street\"", "\"go\": \"as expected\"");
    IN_CASES("\"avro-nested\"", "\"java\": \"as expected\"", "\"java\": \"clear: addr.street\"");
    IN_CASES("\"avro-nested\"", "\"python\": \"as expected\"", "\"python\": \"error: no\"");
    IN_CASES("\"avro-nested\"", "\"python\": \"as expected\"", "\"python\": \"clear: addr.city\"");
    IN_CASES("\"avro-nested\"", "\"python\": \"as expected\"", "\"python\": \"as expected; not read by java\"");
    IN_CONSTRUCTS("\"avro-same-type-two-fields\"", "\"avro-record-again\"", "\"avro-leaf\"");
    IN_CONSTRUCTS("\"pb-recursive\"", "\"proto-recursive-message\"", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_they_are), cmocka_unit_test(shape),
                                       cmocka_unit_test(not_explained)};
    return cmocka_run_group_tests_name("clients_tool", tests, NULL, NULL);
}
