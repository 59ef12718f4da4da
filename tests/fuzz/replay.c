/* replay.c: runs a fuzz target over the files of its corpus, without a fuzzer, and leaves a JUnit report. usage: replay
 * REPORT.xml FOLDER */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int main(int argc, char **argv)
{
    fl_arena *a = fl_arena_new();
    char **paths, *text;
    size_t n, len;
    if (argc != 3)
        fl_die(FL_USAGE, "usage: replay REPORT.xml FOLDER");
    int e = fl_find_files(a, argv[2], "", &paths, &n);
    if (e || !n)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[2], e ? strerror(e) : "no corpus");
    fl_buf out;
    fl_buf_init(&out, 64u << 20);
    fl_buf_addf(&out, "<testsuite name=\"corpus\" tests=\"%zu\">\n", n);
    for (size_t i = 0; i < n; i++) {
        e = fl_read_file(a, paths[i], 16u << 20, &text, &len);
        if (e)
            fl_die(FL_COULD_NOT_RUN, "%s: %s", paths[i], strerror(e));
        printf("%s\n", paths[i]);
        fflush(stdout);
        LLVMFuzzerTestOneInput((const uint8_t *)text, len); /* a finding ends the program: there is no report then */
        fl_buf_addf(&out, "<testcase name=\"corpus %zu\"/>\n", i + 1);
    }
    fl_buf_adds(&out, "</testsuite>\n");
    e = fl_write_file(argv[1], out.p, out.len, 0644, false);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[1], strerror(e));
    fl_buf_free(&out);
    fl_arena_free(a);
    return 0;
}
