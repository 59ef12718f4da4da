/* primitive.h: sides of a topic without a schema: what Kafka's own serializers write (string, bytes, short, integer,
 * long, float, double), and their JSON. */
#ifndef FLEC_RUNTIME_PRIMITIVE_H
#define FLEC_RUNTIME_PRIMITIVE_H

#include "runtime/error.h"
#include "schema/avro_value.h"

/* Appends to out. RT_BAD_INPUT says what was expected. */
rt_code rt_primitive_from_json(const char *format, const fl_json *value, sch_bytes_mode mode, fl_buf *out,
                               rt_error *err);
rt_code rt_primitive_to_json(const char *format, const uint8_t *p, size_t n, sch_bytes_mode mode, fl_buf *out,
                             rt_error *err);

#endif
