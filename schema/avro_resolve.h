/* avro_resolve.h: a datum of the schema it was written in as one of the schema it is read by, as Avro's schema
 * resolution has it: fields by name or the reader's alias, the reader's defaults for what the writer had not, numbers
 * promoted, string and bytes for each other, enum symbols by name with the reader's default, unions branch by branch.
 * What a client with `use.latest.version` hands out. */
#ifndef FLEC_SCHEMA_AVRO_RESOLVE_H
#define FLEC_SCHEMA_AVRO_RESOLVE_H

#include "schema/value.h"

/* Appends the reader's datum. False where the body is no datum of the writer's schema, or cannot be read by the
 * reader's; out is then as long as it was. */
bool sch_avro_resolve(const sch_schema *writer, const sch_schema *reader, const uint8_t *body, size_t n, fl_buf *out,
                      sch_value_error *err);

#endif
