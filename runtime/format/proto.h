/* proto.h: the field program of Protobuf: a table of messages, each with its fields by number and what is done to them.
 * Tags belong to a message's field wherever the message occurs (docs/wire.md 6), so that no message is told apart by
 * the way to it, and one that contains itself needs nothing of its own. Not for the rest of runtime/. */
#ifndef FLEC_RUNTIME_PROTO_H
#define FLEC_RUNTIME_PROTO_H

#include "runtime/format/format.h"

typedef enum {
    PB_SKIP,    /* nothing is done to it */
    PB_SEAL,    /* sealed (opened) by the rules of chain */
    PB_FAIL,    /* the rules of chain fail here: a value they cannot encrypt */
    PB_MESSAGE, /* a message, behind its length */
    PB_GROUP    /* a message, between two tags */
} pb_code;

enum { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_START = 3, PB_END = 4, PB_FIXED32 = 5 }; /* wire types */
#define PB_NO_BIT  UINT16_MAX
#define PB_NO_ROOT UINT32_MAX
#define PB_QUICK   128 /* tags below have one byte */

typedef struct pb_op {
    uint32_t number;
    uint8_t tag[8], ntag; /* of its number and the wire type of bytes */
    uint8_t code, wire;
    bool packed;      /* repeated numbers: they may come in one run of bytes, too */
    bool text;        /* SEAL: a string, its ciphertext is base64 */
    bool implicit;    /* SEAL, FAIL: without presence: where it is absent it is empty, which clients seal as well */
    uint16_t chain;   /* SEAL, FAIL */
    uint16_t bit;     /* of what was seen of a message: implicit ones, and messages that may occur once */
    uint32_t message; /* MESSAGE, GROUP: number in the table */
    uint32_t pc;      /* of the field in rt_program.where */
} pb_op;

typedef struct pb_message {
    const char *name; /* full */
    pb_op *ops;       /* sorted by number */
    uint32_t nops;
    uint16_t *dense; /* by field number below ndense: 1 + place in ops, 0: no such field */
    uint32_t ndense;
    uint32_t *implicit; /* places in ops of implicit ones, sorted */
    uint32_t nimplicit;
    uint8_t
        quick[PB_QUICK]; /* by tag: 1 + wire type of a field to which nothing is done and that needs no bit; else 0 */
    uint32_t words;      /* of 64 bits, for what was seen of it */
    const pb_op *value;  /* the entry of a map of messages: its value, which must be there; else NULL */
} pb_message;

typedef struct pb_program pb_program;
typedef struct pb_table { /* of a schema and its rules, for one direction */
    pb_message *v;
    uint32_t n;
    /* Of each message of the schema's own file, by number, NULL for those of other files. Where the message of a side
     * is given, only that one can run: others are there for their names. */
    pb_program **roots;
    uint32_t nroots;
} pb_table;

struct pb_program {
    rt_program base;
    const pb_table *table;
    uint32_t root; /* PB_NO_ROOT: only its name is known */
};

rt_code rt_proto_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
void rt_proto_print(const rt_program *p, fl_buf *out);
rt_code rt_proto_enter(const rt_program *p, const uint8_t *in, size_t n, size_t *used, const rt_program **out,
                       rt_error *err);

#endif
