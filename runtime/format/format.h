/* format.h: the seam of the formats. A schema and the rules of a subject become a *field program*: what to do over the
 * encoded bytes of a value in one pass. What is not sealed is never decoded; it is copied in runs between seals.
 *
 * A format is one table of functions (rt_encoding), one folder-mate of its own: avro_*.c, json_*.c; format.c chooses.
 * What formats share is apart: which rules meet which field (effects.h), sealing and opening a value by its rules
 * (values.c), and the edits that make the output of the input (walk.c).
 *
 * What a format does:
 *   compile  walks the tree of the schema (schema.h), asks effects.h for each field's rules, refuses what would leave a
 *            tagged field in clear. The result begins with an rt_program, and is immutable data in the arena.
 *   run      goes over w->p to w->end once, checks every length and every nesting against what is left and against the
 *            limits below, and notes an edit (rt_walk_note) where the output will differ: in the order of the bytes,
 *            never overlapping.
 *   replace  appends to w->out what stands in place of an edit: most often rt_walk_value with what the format puts
 * before a value (a length). print    the program as text, one instruction a line.
 *
 *   drop     frees what the state of a walk holds (NULL: nothing).
 *   enter    where something stands between the schema id and the value (Protobuf's message indexes), reads it.
 *
 * Protobuf: each message around a sealed field changes its length as well, and a sealed length is known only once the
 * value is worked; so its `run` notes no edits, but works values into a buffer of its state and puts the record
 * together at the end (proto_walk.c).
 */
#ifndef FLEC_RUNTIME_FORMAT_H
#define FLEC_RUNTIME_FORMAT_H

#include "runtime/rules.h"

/* Limits of one record. */
#define RT_MAX_RECORD      (64u << 20) /* bytes, either side */
#define RT_MAX_NESTING     1000        /* arrays, maps, objects and recursive records open at once */
#define RT_MAX_EMPTY_ITEMS 1000000     /* items that take no bytes, in all */
#define RT_MAX_OPS         1000000     /* instructions of a program */

typedef struct rt_walk rt_walk;
typedef struct rt_edit rt_edit;
typedef struct rt_program rt_program;

typedef struct rt_compile {
    const sch_schema *schema; /* in which records are encoded */
    const sch_schema *tags;   /* whose inline tags count, NULL: those of `schema` */
    const rt_rules *rules;
    bool opening;
    const char *message; /* Protobuf: the one message that is written or read (the schema's root); NULL: any is read */
} rt_compile;

typedef struct rt_encoding {
    sch_format format;
    size_t state; /* bytes of a walk's own state, in which zeros are a fresh one */
    rt_code (*compile)(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
    void (*print)(const rt_program *p, fl_buf *out);
    bool (*run)(rt_walk *w);
    bool (*replace)(rt_walk *w, const rt_edit *e);
    bool with_length; /* rt_walk_values: a value stands behind its length, as Avro writes it */
    void (*drop)(void *state);
    /* p: a program of the schema id. *used: bytes before the value; *out: the program for the record, of the same
     * schema and rules. RT_BAD_INPUT: they are malformed, or name nothing that is there. */
    rt_code (*enter)(const rt_program *p, const uint8_t *in, size_t n, size_t *used, const rt_program **out,
                     rt_error *err);
} rt_encoding;

extern const rt_encoding rt_avro, rt_json, rt_proto;

/* NULL: a format that this version of flec does not execute. */
const rt_encoding *rt_encoding_of(sch_format format);

typedef struct rt_chain { /* rules of one field, by number, in the order in which they run */
    uint8_t rule[RT_MAX_RULES];
    uint8_t n;
} rt_chain;

struct rt_program { /* one direction of one schema id; the same for every record */
    const rt_encoding *encoding;
    const rt_rules *rules;
    bool opening;       /* opens instead of sealing */
    bool rewrites;      /* its output is another than its input though no rule meets a field */
    const char **where; /* by number of instruction, as messages name the place; "" or NULL: the whole value */
    rt_chain *chains;
    const struct rt_at *values; /* by number of instruction: the values that may be worked together (walk.h), or NULL */
    const uint8_t *lead;        /* what a writer puts between the schema id and the value; NULL: nothing */
    size_t nlead;
    const char *message; /* Protobuf: full name of the message; else NULL */
};

/* RT_REFUSED names field and rule where a tag stands on a record, where a value could not be encrypted, or (sealing)
 * where a rule that does not run would leave a tagged field in clear. */
rt_code rt_program_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
void rt_program_print(const rt_program *p, fl_buf *out);
void rt_chain_print(const rt_program *p, const rt_chain *chain, fl_buf *out);

/* Everything that a record needs is in the walk and is used again: nothing is allocated a record once buffers have
 * grown to the size of the records. A walk runs programs of one format. */
rt_walk *rt_walk_new(const rt_encoding *encoding, rt_keys *keys); /* keys: not owned */
void rt_walk_free(rt_walk *w);

/* The rule of that name does not run on the records that follow; NULL: all do. The text must stay. */
void rt_walk_skip(rt_walk *w, const char *rule);
/* Writes this text in place of what rules would seal, and needs no key; NULL: seals. */
void rt_walk_redact(rt_walk *w, const char *text);
/* The rule that failed the last run, or NULL. */
const rt_rule *rt_walk_failed(const rt_walk *w);

/* Appends the record to out. On any error out is what it was before, and no plaintext stays behind its end.
 * RT_BAD_INPUT: in is not one value of the program's schema; RT_TAMPERED, RT_NO_KEY, …: a rule failed. A failed rule
 * whose failures pass leaves all of its fields as they are. */
rt_code rt_walk_run(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, fl_buf *out, rt_error *err);

#endif
