/* avro.h: the field program of Avro: a flat list of instructions that walks an encoded datum once: skip, take the
 * branch, loop over blocks, call a recursive record, seal (or open) here. Not for the rest of runtime/. */
#ifndef FLEC_RUNTIME_AVRO_H
#define FLEC_RUNTIME_AVRO_H

#include "runtime/format/format.h"

typedef enum {
    AVRO_SKIP,   /* n bytes */
    AVRO_INT,    /* a varint of at most 5 bytes */
    AVRO_LONG,   /* a varint of at most 10 bytes */
    AVRO_ENUM,   /* a varint below n */
    AVRO_LENGTH, /* a length and that many bytes; n of them follow each other, this one included */
    AVRO_STRING, /* the same, sealed by the rules of chain: base64 text; n of STRING and BYTES follow each other */
    AVRO_BYTES,  /* the same, sealed by the rules of chain: raw */
    AVRO_BARE,   /* the whole datum, bytes: clients put them on the wire without their length */
    AVRO_FAIL,   /* the rules of chain fail here: a value they cannot encrypt */
    AVRO_UNION,  /* a varint below n, then on at targets[to + branch] */
    AVRO_JUMP,   /* on at `to` */
    AVRO_BLOCKS, /* array or map: items follow until a block count 0, then on at `to`; seals: sizes of blocks change;
                    n: an item is n times a length and its bytes, and nothing else (0: run the code that follows for
                    each) */
    AVRO_NEXT,   /* end of an item; on at `to` for the next one */
    AVRO_EMPTY,  /* array of items that take no bytes */
    AVRO_CALL,   /* a record's own code at `to` */
    AVRO_RETURN,
    AVRO_END
} avro_opcode;

typedef struct avro_op {
    uint8_t code;
    bool seals;
    uint16_t chain;
    uint32_t to;
    size_t n;
} avro_op;

typedef struct avro_program {
    rt_program base;
    avro_op *ops;
    uint32_t nops;
    uint32_t *targets;
} avro_program;

rt_code rt_avro_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
void rt_avro_print(const rt_program *p, fl_buf *out);

#endif
