/* forms_steps.c: the steps and expectations of `test`, as data. */
#include "lang/forms_tables.h"

#define WIRE   "expect on wire <side:key|value> "
#define READER "expect reader (with <with:NAME…> | without <without:NAME…> | <principal:PRINCIPAL>) "
#define STEP   LANG_F_REPEAT, LANG_NOBLOCK, NULL

const lang_form lang_forms_steps[] = {
    {"test.produce", "produce <topic:NAME> [key <key:JSON>] <value:JSON>", STEP,
     "encodes with the schema of the topic, encrypts by its rules, puts on the topic. `null` is a tombstone", NULL},
    {"test.produce-from", "produce <topic:NAME> from <file:TEXT>", STEP,
     "the same for each record of a file, one JSON value a line; `….envelope.jsonl` carries keys and headers", NULL},
    {"test.connector", "connector <connector:NAME> receives <topic:NAME> [key <key:JSON>] <value:JSON>", STEP,
     "a source: the record enters the emulated converter of the generated configuration and lands on the topic; a "
     "sink: "
     "it is produced on the topic, then read through the converter",
     NULL},
    {"test.connector-from", "connector <connector:NAME> receives <topic:NAME> from <file:TEXT>", STEP,
     "the same for each record of a file", NULL},
    {"test.replay", "replay <topic:NAME> from <file:TEXT> [registry <registry:TEXT>]", STEP,
     "records captured on the wire, one in hex a line; the registry is the directory of a saved one with their keys",
     NULL},
    {"test.tamper", "tamper <topic:NAME> <side:key|value> <path:PATH>", STEP,
     "flips one bit inside that ciphertext in every record", NULL},
    {"test.expect-wire-encrypted", WIRE "<paths:PATH…> encrypted [with <kek:NAME>]", STEP,
     "each path holds only nulls and ciphertexts that open (under a data key of that KEK) and give back what was "
     "produced; at least one is not null",
     NULL},
    {"test.expect-wire-body-encrypted", WIRE "encrypted [with <kek:NAME>]", STEP, "the same for the whole body", NULL},
    {"test.expect-wire-clear", WIRE "<paths:PATH…> clear", STEP, "the decoded value equals what was produced", NULL},
    {"test.expect-wire-deterministic", WIRE "<paths:PATH…> deterministic", STEP,
     "producing the same record again gives the same bytes there", NULL},
    {"test.expect-reader-sees", READER "sees [<side:key|value>] <path:PATH> = <value:JSON>",
     LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a reader holding just these keys (`with`), all others (`without`), or those that the grants give a principal, "
     "gets that value",
     NULL},
    {"test.expect-reader-sees-everything", READER "sees everything", STEP,
     "the reader gets what was produced, on both sides", NULL},
    {"test.expect-reader-fails", READER "fails", STEP, "the reader fails on the key or the value of every record",
     NULL},
    {"test.expect-reader-sees-encrypted", READER "sees [<side:key|value>] <paths:PATH…> encrypted", STEP,
     "the reader gets the ciphertext there", NULL},
    {"test.expect-leaks-nothing", "expect topic <topic:NAME> leaks nothing", STEP,
     "no record of the topic holds, as UTF-8, base64 or hex, a produced value of 4 bytes or more of an encrypted field",
     NULL},
    {"test.expect-delivered-equals", "expect delivered equals sent", STEP,
     "what the sink task gets (of a source: what a reader with all keys gets) is what was sent, in order", NULL},
    {"test.expect-delivered-encrypted", "expect delivered <paths:PATH…> encrypted", STEP,
     "the task gets ciphertext there", NULL},
    {"test.expect-delivered-nothing", "expect delivered nothing", STEP, "the task gets no record", NULL},
    {"test.expect-dead-letters", "expect dead-letters <count:INT>", STEP,
     "number of records on the connector's dead-letter topic", NULL},
    {"test.expect-refused", "expect refused", STEP, "every record was refused before anything was written", NULL},
};
const size_t lang_nforms_steps = LANG_COUNT(lang_forms_steps);
