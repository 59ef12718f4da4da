/* call.h: one call of the API on its way through a handler: what the files of rest/ share. */
#ifndef FLEC_RUNTIME_REST_CALL_H
#define FLEC_RUNTIME_REST_CALL_H

#include "runtime/rest/rest.h"

enum { REST_MOST_SEGMENTS = 16, REST_MOST_PARAMS = 64 };

typedef struct rest_param {
    const char *name, *value;
} rest_param;

typedef struct rest_call {
    rt_store *st;
    const rt_access *access; /* NULL: may do everything */
    fl_arena *a;
    const char *segment[REST_MOST_SEGMENTS]; /* of the path, decoded */
    size_t nsegments;
    const char *arg[REST_MOST_SEGMENTS]; /* those that the route leaves open */
    const char *context;                 /* of /contexts/X/…; "." without */
    rest_param param[REST_MOST_PARAMS];
    size_t nparams;
    const char *body;    /* of the request */
    const fl_json *json; /* the same, if it has one */
    const char *subject; /* whose versions its answer tells of; NULL: more than those */
    bool wide;           /* others' versions as well: it has references */
    bool descriptor;     /* it brought its schema as a Protobuf descriptor, and is answered with one */
    fl_jw w;             /* writes the answer */
    rt_rest_reply *out;
    rt_error err;
} rest_call;

/* Writes the answer, or returns why not (err is filled). */
typedef rt_code rest_handler(rest_call *c);

/* NULL: not there. The last of several counts. */
const char *rest_text(const rest_call *c, const char *param);
bool rest_flag(const rest_call *c, const char *param);
/* A path argument, as a subject in the context of the call, in normal form; aliases are followed. 42208. */
rt_code rest_subject(rest_call *c, const char *name, const char **out);
/* The same without aliases: what config and mode are set for. "" for all of the context. */
rt_code rest_scope(rest_call *c, const char *name, const char **out);
/* "latest" and "-1" are -1. 42202. */
rt_code rest_version(rest_call *c, const char *text, int *out);
/* The JSON of a member of the body as text; NULL: absent or null. */
const char *rest_raw(const rest_call *c, const char *member);
/* A member that is a text; NULL if it is absent or null. RT_BAD_INPUT (number) if it is anything else. */
rt_code rest_string(rest_call *c, const char *member, int number, const char **out);
/* A member that is true or false; where it is absent or null, *out stays. RT_BAD_INPUT (number) if it is anything else.
 */
rt_code rest_bool(rest_call *c, const char *member, int number, bool *out);
/* Digits alone, from 1 on. */
bool rest_positive(const char *text, int *out);
/* A member that is a number from -1 on; 0 if it is absent or null. 42202. */
rt_code rest_number(rest_call *c, const char *member, int *out);
rt_code rest_no_body(rest_call *c); /* 422: a body is needed and there is none */
/* The answer is this text, not JSON (204: no answer). */
void rest_plain(rest_call *c, const char *text);
void rest_nothing(rest_call *c);

/* What of a list is asked for by offset and limit. */
typedef struct rest_page {
    size_t from, to;
} rest_page;
rest_page rest_paging(const rest_call *c, size_t n);
typedef FL_VEC(const char *) rest_strings;
void rest_sort(rest_strings *s);
void rest_list(rest_call *c, const rest_strings *s); /* as a JSON array, paged */

/* subjectPrefix, with the call's context; without one, or with ":*:", any context. */
const char *rest_prefix(rest_call *c, bool *any_context);
bool rest_prefixed(const char *subject, const char *prefix, bool any_context);

/* RT_OK, or RT_REFUSED with 40301. */
rt_code rest_may_read(rest_call *c, const char *subject);
/* May the caller see that there is this subject? And what to answer where they may not. */
bool rest_visible(const rest_call *c, const char *subject);
rt_code rest_denied_schema(rest_call *c);

/* A version as JSON members of the object that is open. */
enum {
    REST_NUMBERS = 1 /* subject, version, id */,
    REST_STATE = 2 /* ts, deleted */,
    REST_AS_IT_IS = 4 /* whatever `format` */
};
rt_code rest_print_version(rest_call *c, const rt_subject *s, const rt_version *v, int parts);
/* The schema's text in the `format` that is asked for. */
rt_code rest_in_format(rest_call *c, const rt_subject *s, const char **text);
/* What carries the tags that `findTags` names; nothing, where it is not asked for. */
rt_code rest_print_tags(rest_call *c, const rt_subject *s);

/* The version that the first two arguments of the path name. 40401, 40402, 42202. */
rt_code rest_find_version(rest_call *c, bool deleted, rt_subject *out, const rt_version **found);
/* Registers, and answers as a registration does. */
rt_code rest_register_it(rest_call *c, rt_subject *s, const rt_register *how);
/* Of a list of {"schemaEntity":…,"tags":…} those of records, into the schema or out of it. 42201. */
rt_code rest_tag_records(rest_call *c, rt_subject *s, const fl_json *list, bool add);
bool rest_names_record(const fl_json *entity);
/* schemaTagsToAdd, schemaTagsToRemove and propagateSchemaTags of a registration, written into its schema. */
rt_code rest_tag_request(rest_call *c, rt_subject *s, rt_register *how);

rest_handler rest_root, rest_contexts, rest_delete_context, rest_id, rest_release, rest_types, rest_schemas, rest_by_id,
    rest_by_id_text, rest_id_subjects, rest_id_versions, rest_by_guid, rest_guid_ids, rest_no_association;
rest_handler rest_subjects, rest_lookup, rest_delete_subject, rest_versions, rest_register, rest_get_version,
    rest_get_text, rest_delete_version, rest_referenced_by, rest_with_metadata, rest_compatible, rest_tag_version;
rest_handler rest_get_config, rest_set_config, rest_delete_config, rest_get_mode, rest_set_mode, rest_delete_mode;
rest_handler rest_keks, rest_create_kek, rest_get_kek, rest_update_kek, rest_delete_kek, rest_undelete_kek,
    rest_test_kek;
rest_handler rest_deks, rest_create_dek, rest_get_dek, rest_delete_dek, rest_undelete_dek, rest_dek_versions;

#endif
