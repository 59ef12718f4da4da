/* store_proto.h: Protobuf schemas as descriptors, between store_judge.c and store_proto.c. */
#ifndef FLEC_RUNTIME_STORE_PROTO_H
#define FLEC_RUNTIME_STORE_PROTO_H

#include "runtime/store.h"
#include "schema/proto.h"

/* The texts that a schema refers to, referenced ones first, each once. 42201. */
rt_code rt_store_resolve(const rt_store *st, fl_arena *a, const rt_subject *s, const sch_ref **out, size_t *n,
                         rt_error *err);
/* Base64 of something, which no .proto text is. */
bool rt_store_is_descriptor(fl_arena *a, const char *text);
/* s->schema, a FileDescriptorProto in base64, becomes the text that is stored for it: that of a version of the subject
 * which says the same, or one written anew. 42201. */
rt_code rt_store_take_descriptor(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err);
/* The normal text of a Protobuf schema (schema/proto_normal.c), bare: without extensions; the text itself where there
 * is none, or where protoc does not read it as the same. RT_IO: protoc cannot be run. */
rt_code rt_store_normal_proto(const rt_store *st, fl_arena *a, const rt_subject *s, bool bare, const char **out,
                              rt_error *err);

#endif
