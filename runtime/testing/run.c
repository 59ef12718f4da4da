/* run.c: from a build directory to verdicts. */
#include "runtime/testing/run.h"

#include <string.h>
#include <time.h>

#include "runtime/testing/build_dir.h"
#include "runtime/testing/expect.h"

#define SUITE_MAX (256u << 20)

/* ---- expectations that need no keys ---- */

static bool expect_dead_letters(rt_world *w, const rt_step *s, const char **why)
{
    if (!w->connector) {
        *why = "no connector received these records";
        return false;
    }
    if (w->dead.n == (size_t)s->count)
        return true;
    *why = fl_printf(w->a, "%zu records are on the dead-letter topic%s%s%s", w->dead.n,
                     w->connector->dead_letters ? "" : " (the connector has none)", w->stopped ? "; " : "",
                     w->stopped ? w->stopped : "");
    return false;
}

static bool expect_refused(rt_world *w, const char **why)
{
    for (size_t i = 0; i < w->records.n; i++)
        if (!w->records.v[i]->refused) {
            *why = fl_printf(w->a, "record %zu was written", w->records.v[i]->number);
            return false;
        }
    return true;
}

bool rt_test_expect(rt_world *w, const rt_step *s, const char **why)
{
    if (s->expect == RT_EXPECT_REFUSED)
        return expect_refused(w, why);
    if (s->expect == RT_EXPECT_DELIVERED_NOTHING || s->expect == RT_EXPECT_DEAD_LETTERS)
        return s->expect == RT_EXPECT_DEAD_LETTERS ? expect_dead_letters(w, s, why) : rt_expect_delivered(w, s, why);
    for (size_t i = 0; i < w->records.n; i++)
        if (w->records.v[i]->refused) {
            *why = fl_printf(w->a, "record %zu was refused: %s", w->records.v[i]->number, w->records.v[i]->refused);
            return false;
        }
    switch (s->expect) {
    case RT_EXPECT_WIRE_ENCRYPTED:
    case RT_EXPECT_WIRE_CLEAR:
    case RT_EXPECT_WIRE_DETERMINISTIC:
        return rt_expect_wire(w, s, why);
    case RT_EXPECT_LEAKS_NOTHING:
        return rt_expect_no_leak(w, s, why);
    case RT_EXPECT_DELIVERED_EQUALS:
    case RT_EXPECT_DELIVERED_ENCRYPTED:
        return rt_expect_delivered(w, s, why);
    default:
        return rt_expect_reader(w, s, why);
    }
}

/* ---- one test ---- */

static bool one_step(rt_world *w, const rt_step *s, const char **why)
{
    rt_error err;
    if (!s->is_expect) {
        if (!rt_test_do(w, s, &err)) {
            *why = w->config_fault;
            return !w->config_fault;
        }
        *why = fl_strdup(w->a, err.message);
        return false;
    }
    if (w->stopped && strstr(w->stopped, "does not start")) {
        *why = w->stopped;
        return false;
    }
    return rt_test_expect(w, s, why);
}

static void run_steps(rt_test_run *run, rt_world *w, const rt_test *t, rt_test_result *result)
{
    for (size_t i = 0; i < t->nsteps; i++) {
        const char *why = NULL;
        bool ok = one_step(w, &t->steps[i], &why);
        if (ok && t->steps[i].is_expect && t->steps[i].expect == RT_EXPECT_REFUSED && !result->refused)
            result->refused = fl_strdup(run->a, w->records.v[0]->refused);
        if (ok)
            continue;
        result->message = fl_strdup(run->a, why ? why : "the expectation does not hold");
        result->at = t->steps[i].line;
        result->step = fl_strdup(run->a, t->steps[i].what);
        return;
    }
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The first topic of the test that is beyond the engine, with the reason. */
static const char *beyond(rt_test_run *run, const rt_bench *bench, const rt_test *t)
{
    for (size_t i = 0; i < t->nsteps; i++) {
        const char *name = t->steps[i].topic;
        const rt_plan_topic *topic = name ? rt_plan_topic_find(bench->local, name) : NULL;
        const char *why = topic ? rt_plan_topic_beyond(run->a, topic) : NULL;
        if (why)
            return fl_printf(run->a, "topic %s: %s", name, why);
    }
    return NULL;
}

static bool skip_test(rt_test_run *run, const rt_bench *bench, const rt_test *t)
{
    const char *why = beyond(run, bench, t);
    if (!why)
        return false;
    run->skipped++;
    FL_PUSH(run->a, &run->results, (rt_test_result){.name = t->name, .file = t->file, .line = t->line, .skipped = why});
    return true;
}

static void run_test(rt_test_run *run, const rt_bench *bench, const rt_test *t)
{
    fl_arena *a = fl_arena_new();
    rt_world *w;
    rt_error err;
    rt_test_result result = {.name = t->name, .file = t->file, .line = t->line, .at = t->line, .step = ""};
    double started = now();
    if (rt_world_open(a, bench, &w, &err)) {
        result.message = fl_strdup(run->a, err.message);
    } else {
        run_steps(run, w, t, &result);
        rt_world_close(w);
    }
    result.seconds = now() - started;
    run->failed += result.message != NULL;
    FL_PUSH(run->a, &run->results, result);
    fl_arena_free(a);
}

/* ---- all tests of a directory ---- */

static bool wanted(const rt_test *t, const char *environment, const char *filter)
{
    bool here = t->environments.n == 0;
    for (size_t i = 0; i < t->environments.n; i++)
        here |= environment && !strcmp(environment, t->environments.v[i]);
    return here && (!filter || strstr(t->name, filter));
}

static fl_status could_not(const rt_error *err)
{
    fl_log(FL_LOG_ERROR, "%s", err->message);
    return FL_COULD_NOT_RUN;
}

static rt_code read_file(fl_arena *a, const char *dir, const char *name, char **text, size_t *n, rt_error *err)
{
    int e = fl_read_regular(a, fl_printf(a, "%s/%s", dir, name), SUITE_MAX, text, n);
    return e ? rt_fail(err, RT_IO, "%.200s/%s: %s", dir, name, fl_read_error(a, e, SUITE_MAX)) : RT_OK;
}

static rt_code load(rt_test_run *run, const char *dir, rt_bench *bench, rt_suite **suite, rt_error *err)
{
    rt_build_dir build;
    rt_plan *plan;
    char *plan_text, *tests_text;
    size_t nplan, ntests;
    rt_code code = rt_build_dir_open(run->a, dir, &build, err);
    if (!code)
        code = read_file(run->a, dir, "plan.json", &plan_text, &nplan, err);
    if (!code)
        code = read_file(run->a, dir, "tests.json", &tests_text, &ntests, err);
    if (!code)
        code = rt_plan_parse(run->a, "plan.json", plan_text, nplan, &plan, err);
    if (!code)
        code = rt_suite_parse(run->a, "tests.json", tests_text, ntests, suite, err);
    if (!code)
        code = rt_bench_open(run->a, dir, plan, plan_text, nplan, bench, err);
    for (size_t i = 0; !code && i < build.edited.n; i++)
        FL_PUSH(run->a, &run->edited, build.edited.v[i]);
    return code;
}

fl_status rt_test_dir(rt_test_run *run, const char *dir, const char *filter)
{
    rt_bench bench;
    rt_suite *suite;
    rt_error err;
    if (load(run, dir, &bench, &suite, &err))
        return could_not(&err);
    run->environment = bench.plan->environment;
    for (size_t i = 0; i < suite->n && !(run->stop && run->stop->signal); i++)
        if (wanted(&suite->tests[i], bench.plan->environment, filter) && !skip_test(run, &bench, &suite->tests[i]))
            run_test(run, &bench, &suite->tests[i]);
    if (filter && !run->results.n) {
        fl_log(FL_LOG_ERROR, "no test's name holds `%s`", filter);
        return FL_USAGE;
    }
    return run->failed ? FL_FINDINGS : FL_OK;
}
