/* suite.h: tests.json in memory (docs/build-directory.md): what to do with records, and what must then hold. */
#ifndef FLEC_RUNTIME_TESTING_SUITE_H
#define FLEC_RUNTIME_TESTING_SUITE_H

#include "runtime/error.h"

typedef enum { RT_DO_PRODUCE, RT_DO_CONNECTOR, RT_DO_REPLAY, RT_DO_TAMPER } rt_act;
typedef enum {
    RT_EXPECT_WIRE_ENCRYPTED,
    RT_EXPECT_WIRE_CLEAR,
    RT_EXPECT_WIRE_DETERMINISTIC,
    RT_EXPECT_READER_SEES,
    RT_EXPECT_READER_SEES_EVERYTHING,
    RT_EXPECT_READER_FAILS,
    RT_EXPECT_READER_SEES_ENCRYPTED,
    RT_EXPECT_LEAKS_NOTHING,
    RT_EXPECT_DELIVERED_EQUALS,
    RT_EXPECT_DELIVERED_ENCRYPTED,
    RT_EXPECT_DELIVERED_NOTHING,
    RT_EXPECT_DEAD_LETTERS,
    RT_EXPECT_REFUSED
} rt_expectation;

typedef struct rt_names {
    const char **v;
    size_t n;
} rt_names;

typedef struct rt_step {
    int line;
    bool is_expect;
    rt_act act;
    rt_expectation expect;
    const char *what; /* the step as a person reads it: `produce crm.customers`, `reader without crm-kek fails` */
    const char *topic, *connector, *from, *registry, *path, *kek, *principal;
    bool on_key;          /* side "key" */
    const fl_json *key;   /* NULL: no key */
    const fl_json *value; /* FL_JNULL: a tombstone */
    const fl_json *json;  /* what a reader sees */
    rt_names paths;       /* n 0: the whole body */
    bool has_with, has_without;
    rt_names keks; /* of with or without */
    int count;
} rt_step;

typedef struct rt_test {
    const char *name, *file;
    int line;
    rt_names environments; /* n 0: all */
    rt_step *steps;
    size_t nsteps;
} rt_test;

typedef struct rt_suite {
    rt_test *tests;
    size_t n;
} rt_suite;

/* All memory in the arena. RT_BAD_INPUT with place and reason: a newer version, an unknown member, members that do not
 * belong together, a test without an expectation. */
rt_code rt_suite_parse(fl_arena *a, const char *name, const char *text, size_t len, rt_suite **out, rt_error *err);

#endif
