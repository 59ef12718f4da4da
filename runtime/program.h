/* program.h: the field program. A schema and the rules of a subject become a flat list of instructions that walks an
 * encoded Avro datum once: skip, take the branch, loop over blocks, call a recursive record, seal (or open) here. What
 * is not sealed is never decoded; it is copied in runs between seals.
 *
 * A program serves one direction. It is immutable data in an arena, the same for every record of a schema id. */
#ifndef FLEC_RUNTIME_PROGRAM_H
#define FLEC_RUNTIME_PROGRAM_H

#include "runtime/rules.h"

typedef enum {
    RT_OP_SKIP,   /* n bytes */
    RT_OP_INT,    /* a varint of at most 5 bytes */
    RT_OP_LONG,   /* a varint of at most 10 bytes */
    RT_OP_ENUM,   /* a varint below n */
    RT_OP_LENGTH, /* a length and that many bytes; n of them follow each other, this one included */
    RT_OP_STRING, /* the same, sealed by the rules of chain: base64 text; n of STRING and BYTES follow each other */
    RT_OP_BYTES,  /* the same, sealed by the rules of chain: raw */
    RT_OP_FAIL,   /* the rules of chain fail here: a value they cannot encrypt */
    RT_OP_UNION,  /* a varint below n, then on at targets[to + branch] */
    RT_OP_JUMP,   /* on at `to` */
    RT_OP_BLOCKS, /* array or map: items follow until a block count 0, then on at `to`; seals: sizes of blocks change;
                     n: an item is n times a length and its bytes, and nothing else (0: run the code that follows for
                     each) */
    RT_OP_NEXT,   /* end of an item; on at `to` for the next one */
    RT_OP_EMPTY,  /* array of items that take no bytes */
    RT_OP_CALL,   /* a record's own code at `to` */
    RT_OP_RETURN,
    RT_OP_END
} rt_opcode;

typedef struct rt_op {
    uint8_t code;
    bool seals;
    uint16_t chain;
    uint32_t to;
    size_t n;
} rt_op;

typedef struct rt_chain { /* rules of one field, by number, in the order in which they run */
    uint8_t rule[RT_MAX_RULES];
    uint8_t n;
} rt_chain;

typedef struct rt_program {
    const rt_rules *rules;
    bool opening; /* opens instead of sealing */
    rt_op *ops;
    const char **where; /* of each instruction: the field's path, or Record.field inside a called record */
    uint32_t nops;
    uint32_t *targets;
    rt_chain *chains;
    size_t nseals; /* instructions STRING and BYTES */
} rt_program;

typedef struct rt_compile {
    const sch_schema *schema; /* in which records are encoded */
    const sch_schema *tags;   /* whose inline tags count, NULL: those of `schema` */
    const rt_rules *rules;
    bool opening;
} rt_compile;

#define RT_MAX_OPS 1000000

/* RT_REFUSED names field and rule where a tag stands on a record, where a value could not be encrypted, or (sealing)
 * where a rule that does not run would leave a tagged field in clear. */
rt_code rt_program_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
void rt_program_print(const rt_program *p, fl_buf *out);

#endif
