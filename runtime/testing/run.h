/* run.h: runs the tests of a build directory and reports. */
#ifndef FLEC_RUNTIME_TESTING_RUN_H
#define FLEC_RUNTIME_TESTING_RUN_H

#include <stdio.h>

#include "base/base.h"
#include "runtime/stream.h"

typedef enum { RT_REPORT_TEXT, RT_REPORT_JSON, RT_REPORT_TAP, RT_REPORT_JUNIT } rt_report_form;

typedef struct rt_test_result {
    const char *name, *file, *message; /* message NULL: passed */
    int line, at;                      /* of the test, of the step that failed */
    const char *step;                  /* the step that failed, in words */
    const char *refused;               /* why the records were, where that was expected; NULL */
    const char *skipped;               /* what the engine cannot execute, so that nothing was run; NULL */
    double seconds;
} rt_test_result;

typedef struct rt_test_run {
    fl_arena *a;
    const char *environment;
    FL_VEC(const char *) edited; /* files that are not as they were built */
    FL_VEC(rt_test_result) results;
    size_t failed, skipped; /* the others passed */
    const rt_stop *stop;    /* a signal ends the run between two tests; or NULL */
} rt_test_run;

/* Runs the tests of DIR whose name holds `filter` (NULL: all) as the directory lies: files edited by hand are named in
 * run->edited, then used. A test that touches a topic which the engine cannot execute is skipped, by name and with the
 * reason, and is neither passed nor failed. A partial build, a corrupt or newer file is FL_COULD_NOT_RUN, a filter that
 * matches nothing FL_USAGE, both logged; else FL_OK or FL_FINDINGS. */
fl_status rt_test_dir(rt_test_run *run, const char *dir, const char *filter);

void rt_test_report(const rt_test_run *run, rt_report_form form, bool color, FILE *out);

#endif
