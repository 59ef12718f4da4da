/* world.h: the little world in which one test runs: an empty embedded registry with the plan's KEKs and subjects,
 * topics in memory, clients that hold some of the keys. Real key management services are never called: every private
 * KEK is held by the local KMS under a secret made from its name, every shared one by the registry itself. */
#ifndef FLEC_RUNTIME_TESTING_WORLD_H
#define FLEC_RUNTIME_TESTING_WORLD_H

#include "runtime/engine.h"
#include "runtime/plan.h"
#include "runtime/testing/suite.h"
#include "runtime/topic.h"

#define RT_TEST_RECORD_MAX (16u << 20) /* bytes of one encoded side */
enum { RT_KEY_SIDE, RT_VALUE_SIDE };

/* What a build directory gives to its tests; the same for all of them. */
typedef struct rt_bench {
    const char *dir;     /* fixtures/ and connect/ are below it */
    const rt_plan *plan; /* as written */
    const rt_plan
        *local; /* the same with every private KEK at the local KMS, in its rules too, and without conditions */
} rt_bench;
rt_code rt_bench_open(fl_arena *a, const char *dir, const rt_plan *plan, const char *plan_text, size_t len,
                      rt_bench *out, rt_error *err);

/* One record through a step. Its sides by RT_KEY_SIDE and RT_VALUE_SIDE. */
typedef struct rt_test_record {
    rt_bytes plain[2]; /* encoded, not encrypted; p NULL: no key, a tombstone */
    rt_bytes wire[2];
    const rt_header *headers;
    size_t nheaders;
    bool captured;       /* came from outside: there is no plain form */
    const char *refused; /* why it never reached the topic, NULL if it did */
    const char *lost;    /* why the sink did not get it, NULL */
    size_t number;       /* within its step, from 1 */
    bool delivered;      /* the sink task got it */
    rt_bytes got[2];
} rt_test_record;

/* A client: a writer or reader that may use these KEKs. */
typedef struct rt_client {
    const struct rt_world *world;
    bool all;
    rt_names keks; /* those it holds (all false) */
    bool invert;   /* all but those */
    rt_keys *keys;
} rt_client;

typedef struct rt_test_topic {
    const char *name;
    const char *subjects_of; /* the topic whose schemas its records have (dead letters keep those of their source) */
    rt_topic *topic;
    FL_VEC(rt_test_record *) records; /* what lies on it, in order */
} rt_test_topic;

typedef struct rt_world {
    fl_arena *a;
    const rt_bench *bench;
    rt_plan *plan; /* bench->local, registered here: ids are filled */
    rt_registry *registry;
    rt_client everybody;    /* holds every key */
    FL_VEC(char *) scratch; /* copies of saved registries, removed at the end */
    bool saved_keys;        /* a saved registry is in use: captured ciphertexts must open */
    FL_VEC(rt_test_topic *) topics;
    /* of the last step that made records: */
    const rt_plan_topic *topic;
    const rt_plan_connector *connector; /* NULL for produce and replay */
    FL_VEC(rt_test_record *) records;
    FL_VEC(rt_test_record *) dead; /* on the connector's dead-letter topic */
    const char *stopped;           /* why the connector's task stopped or never started, NULL */
    const char *config_fault;      /* why the connector's file is no CSFLE configuration, NULL */
} rt_world;

rt_code rt_world_open(fl_arena *a, const rt_bench *bench, rt_world **out, rt_error *err);
void rt_world_close(rt_world *w);

/* A client of this world; free its keys with rt_client_close. names and invert as in rt_client. */
void rt_client_open(rt_client *c, const rt_world *w, bool all, rt_names keks, bool invert);
void rt_client_close(rt_client *c);

rt_test_topic *rt_world_topic(rt_world *w, const char *name);
const rt_plan_side *rt_side_of(const rt_plan_topic *t, int side);
/* Puts a record's wire form on a topic. */
rt_code rt_world_append(rt_world *w, rt_test_topic *t, rt_test_record *r, rt_error *err);

/* Reads keys and schemas from a saved embedded registry from now on (fixtures/…, copied first: a test changes nothing).
 * Its shared KEKs open by its own stand-in; private ones must be of the local KMS under the stand-in secret of their
 * name. */
rt_code rt_world_replace_registry(rt_world *w, const char *dir, rt_error *err);

/* Doing. RT_OK although records were refused: they say so themselves. Otherwise the test cannot go on. */
rt_code rt_test_do(rt_world *w, const rt_step *s, rt_error *err);
rt_code rt_test_tamper(rt_world *w, const rt_step *s, rt_error *err);

/* Expecting: true, or false with why (in the world's arena). */
bool rt_test_expect(rt_world *w, const rt_step *s, const char **why);

#endif
