/* proto_options.h: the options of descriptor.proto that a .proto text can say, and when two descriptors are the same.
 */
#ifndef FLEC_SCHEMA_PROTO_OPTIONS_H
#define FLEC_SCHEMA_PROTO_OPTIONS_H

#include "schema/proto.h"

#define PROTO_META_NUMBER 1088 /* confluent's extension of each kind of options */

typedef enum { PROTO_OPTION_FLAG, PROTO_OPTION_TEXT, PROTO_OPTION_WORD } proto_option_type;

typedef struct proto_option {
    uint32_t number;
    const char *name;
    proto_option_type type;
    const char *const *words; /* WORD: by value; NULL: that value has none; ended by "" */
} proto_option;

typedef struct proto_options {
    const char *name, *meta;   /* "field"; confluent.field_meta. meta NULL: it has none */
    uint32_t skip;             /* said in another way: map_entry; 0: none */
    const proto_option *known; /* ended by an entry without a name; NULL: none */
} proto_options;

enum {
    PROTO_OF_FILE,
    PROTO_OF_MESSAGE,
    PROTO_OF_FIELD,
    PROTO_OF_ONEOF,
    PROTO_OF_ENUM,
    PROTO_OF_VALUE,
    PROTO_OF_SERVICE,
    PROTO_OF_METHOD,
    PROTO_NOPTIONS
};
extern const proto_options sch_proto_options[PROTO_NOPTIONS];

const proto_option *sch_proto_option(const proto_options *kind, uint32_t number); /* NULL: not known */
const char *sch_proto_option_word(const proto_option *o, uint64_t value);         /* NULL: none */
/* Is it the name that a field has in JSON where it says none? */
bool sch_proto_json_name_is(const char *name, const char *json);

#endif
