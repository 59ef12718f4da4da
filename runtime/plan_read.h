/* plan_read.h: the table-driven reader under plan.c: one table an object names its members, their kinds and where they
 * go. Nothing that a table does not name is accepted. */
#ifndef FLEC_RUNTIME_PLAN_READ_H
#define FLEC_RUNTIME_PLAN_READ_H

#include "runtime/plan.h"

typedef enum {
    RT_M_TEXT,      /* const char * */
    RT_M_TEXT_NULL, /* const char *, NULL for null or absent */
    RT_M_BOOL,      /* bool */
    RT_M_INT,       /* int */
    RT_M_OBJECT,    /* a struct in place, read by `table` */
    RT_M_LIST,      /* T *, size_t: objects read by `table`, `size` bytes each */
    RT_M_TEXTS,     /* const char **, size_t */
    RT_M_PARAMS,    /* rt_plan_param *, size_t: an object of texts */
    RT_M_JSON,      /* const char *: the text of an object as it stands; NULL if absent or null */
    RT_M_CUSTOM     /* read by `custom` */
} rt_member_kind;

typedef struct rt_plan_reader {
    fl_arena *a;
    const char *name, *text;
    const fl_source *src;
    rt_error *err;
} rt_plan_reader;

typedef struct rt_member rt_member;
struct rt_member {
    const char *name;
    rt_member_kind kind;
    bool optional;
    size_t at, count_at; /* offsets into the struct */
    const rt_member *table;
    size_t size;
    size_t present_at; /* offset of a bool that says the member was there; 0: none */
    bool (*custom)(rt_plan_reader *r, const fl_json *j, void *out);
};

/* Fills *out by the table (ended by a NULL name). false: err says where and why. */
bool rt_plan_object(rt_plan_reader *r, const fl_json *j, const char *what, const rt_member *table, void *out);
/* Text to tree, for the formats that outlive a run: `format` and `version` are looked at before anything else is
 * believed. what: "plan", "tests", "build". NULL: err says where and why; a newer version is refused by name. r->src
 * may be unset. */
const fl_json *rt_plan_document(rt_plan_reader *r, size_t len, int json_flags, const char *format, int version,
                                const char *what);
bool rt_plan_bad(rt_plan_reader *r, const fl_json *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
