/* json.h: the field program of JSON Schema: a table of states. Each place of a document is read in one state, which
 * says what becomes of a value of each kind there, and in which states its members and elements are read. Several
 * schemas that may describe one place (anyOf, allOf, references that recurse) are one state. State 0 is the place of
 * which no schema says anything that matters: all is copied. Not for the rest of runtime/. */
#ifndef FLEC_RUNTIME_JSON_H
#define FLEC_RUNTIME_JSON_H

#include "runtime/format/format.h"

typedef enum { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_BOOLEAN, JSON_NULL, JSON_KINDS } json_kind;

typedef enum {
    JSON_COPY, /* as it is; an object or array: with what its members and elements need */
    JSON_SEAL, /* a string that the rules of the chain seal, or open */
    JSON_FAIL, /* the rules of the chain fail here: a value they cannot encrypt */
    JSON_ODD   /* sealing: no schema has a value of this kind here, and tagged fields might hide in it */
} json_act;

/* As texts have it most often, behind another member: `,"name":`. */
enum { JSON_HEAD = 16, JSON_HEAD_NAME = JSON_HEAD - 4 };

typedef struct json_member {
    const char *name; /* decoded */
    uint32_t len, state;
    uint32_t mask;  /* a bit for each byte of head that counts. One that no byte stands for: the name has a character
                       that  JSON escapes, and is not looked for so */
    uint32_t nhead; /* bytes of head that count, 0: as above */
    char head[JSON_HEAD + 1]; /* and one that is read along */
} json_member;

/* What a key of metadata.tags has where the name of a member stands, if that is a pattern which some names match and
 * some do not (`ad*`, `s?n`; not `*`). */
typedef enum { JSON_CHAR, JSON_ANY, JSON_STAR, JSON_DEEP } json_token_kind; /* c, `?`, `*`, `**` */

typedef struct json_token {
    uint8_t kind;
    char c;
} json_token;

typedef struct json_glob {
    const json_token *v;
    size_t n;
    uint32_t state; /* of a member that matches it alone */
} json_glob;

typedef struct json_state {
    uint8_t act[JSON_KINDS];
    uint16_t chain;
    uint32_t first, n;              /* its members, in the order of the schema; by_name has them sorted */
    uint32_t other;                 /* state of members without a name of their own, */
    uint32_t glob, nglobs, several; /* but of those that match one of these patterns, or several */
    uint32_t items;                 /* of elements */
} json_state;

typedef struct json_program {
    rt_program base; /* where: by state */
    json_state *states;
    uint32_t nstates, root;
    json_member *members; /* behind those of each state, and at 0, one that no text has: of length UINT32_MAX */
    json_glob *globs;
    uint32_t *by_name; /* numbers of members, each state's range sorted by json_name_cmp */
} json_program;

/* Shorter names first: most comparisons end there. */
static inline int json_name_cmp(const char *a, size_t na, const char *b, size_t nb)
{
    return na != nb ? (na < nb ? -1 : 1) : __builtin_memcmp(a, b, na);
}

/* json_replace.c. decode: the n bytes between the quotes of a well-formed string, into b; *half: it holds half a
 * surrogate, which no UTF-8 can hold. false: the walk has failed. */
bool rt_json_decode(rt_walk *w, uint32_t pc, const uint8_t *p, size_t n, fl_buf *b, bool *half);
bool rt_json_replace(rt_walk *w, const rt_edit *e);

rt_code rt_json_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err);
void rt_json_print(const rt_program *p, fl_buf *out);

/* ---- json_names.c: metadata.tags along the way into a document ---- */

/* How far each key has matched the name of a place, as clients spell it: `$.a.b`; below an array some write an index
 * (`$.a[0].b`), so each of these spellings is followed. Keys that can match no more are dropped. `at` is the name so
 * far; `next` the same with the indexes of the elements since, which only a further name makes part of it. */
enum { JSON_SPELLINGS = 3 }; /* without an index, [0], [17]: as sch_client_names */

typedef struct json_reached { /* sorted: key << 32 | place in the key */
    uint64_t *v;
    size_t n;
} json_reached;

typedef struct json_names {
    json_reached at[JSON_SPELLINGS], next[JSON_SPELLINGS];
} json_names;

typedef struct json_keys json_keys;
json_keys *rt_json_keys_new(fl_arena *a, const rt_rules *rules);
json_names rt_json_names_root(json_keys *k);
json_names rt_json_names_member(json_keys *k, const json_names *n, const char *name);
/* A member whose name nobody knows yet: keys with a wildcard in its place go on as if it matched; those that spell a
 * name there are not counted, see rt_json_names_spelled. */
json_names rt_json_names_other(json_keys *k, const json_names *n);
/* The patterns that stand in the place of the next name; each once, without a state. */
size_t rt_json_names_globs(json_keys *k, const json_names *n, json_glob **out);
/* A member that matches that pattern and no other; NULL: none but those that any name matches. */
json_names rt_json_names_unknown(json_keys *k, const json_names *n, const json_glob *match);
bool rt_json_glob_matches(const json_glob *g, const char *name, size_t n);
json_names rt_json_names_element(json_keys *k, const json_names *n);
/* Can a key match the place, or one below it? */
bool rt_json_names_live(const json_names *n);
/* Can one match a place below it? */
bool rt_json_names_go_on(const json_keys *k, const json_names *n);
/* The names that keys spell out for the next member; each once. */
size_t rt_json_names_spelled(json_keys *k, const json_names *n, const char *const **out);
/* Does a key whose tags the rule has match the place? */
bool rt_json_names_hit(const json_keys *k, const json_names *n, const rt_rule *r);
/* Adds what tells these names from others. */
void rt_json_names_identity(const json_names *n, fl_buf *out);
/* Work done so far, to be bounded. */
size_t rt_json_keys_work(const json_keys *k);

#endif
