/* forms.h: the statements of the language as data. One table a kind of block drives matching, did-you-mean, the
 * refusals of docs/language.md 4 and the reference.
 *
 * A pattern is a line of words:
 *   - `word`              a keyword
 *   - `<slot:TYPE>`       binds the next list, of one item, to a slot; `<slot:TYPE…>` a list of any number
 *   - `<slot:a|b>`        an enum; may be mixed with types, as `DURATION(d)|never`
 *   - `[ … ]`             optional
 *   - `( … | … )`         a choice
 *   - `<a:T> : <b:T>`     a pair
 *   - `word,<slot:TYPE…>` a list that begins with the word; the slot gets the others and is absent if there are none
 *   - `= <value:TYPE>`    the value of the statement
 *
 * Several forms may share a head and an id (`key avro "…"`, `key string`): the slots tell them apart. In a block of
 * free names (config, params, private, properties, ids, converters) the head binds to the slot `name`. Types:
 *   - NAME       word or string, not empty; LITERAL one without variables; TAG a LITERAL that is neither `clear` nor
 * `payload`
 *   - WORD       word only; TEXT "…" or '…', not empty; STRING "…" only; PLAIN a relative path without variables
 *   - PATH       field path: word or raw string
 *   - VERSION, DATE, INT (nine digits at most), DURATION (its unit in parentheses: DURATION(d))
 *   - PRINCIPAL  a pair
 *   - VALUE      any value but a pair or an object; SECRET secret("…") or one whole "${p:…}" reference
 *   - JSON       null, true, false, number, "…", list or object
 *   - EXPR       the condition of where / requires; lang_stmt.expr has it, the slot stays empty */
#ifndef FLEC_LANG_FORMS_H
#define FLEC_LANG_FORMS_H

#include "lang/lang.h"

typedef enum {
    LANG_NOBLOCK, /* the form has no block */
    LANG_TOP,
    LANG_PLATFORM,
    LANG_REGISTRY,
    LANG_KAFKA,
    LANG_CONVERTERS,
    LANG_IDS,
    LANG_KEK,
    LANG_PRIVATE,
    LANG_PROPERTIES,
    LANG_TOPIC,
    LANG_SIDE,
    LANG_ENCRYPT,
    LANG_RULE,
    LANG_PARAMS,
    LANG_SUBJECT,
    LANG_CONNECTOR,
    LANG_CONFIG,
    LANG_TEST,
    LANG_ENVIRONMENT,
    LANG_ENV_TOPIC,
    LANG_DEFAULTS_CONNECTOR,
    LANG_DEFAULTS_TOPIC,
    LANG_DEFAULTS_VALUE,
    LANG_DEFAULTS_ENCRYPT,
    LANG_GUARDRAIL,
    LANG_BKINDS
} lang_bkind;

enum {
    LANG_F_REQUIRED = 1,       /* must stand in its block */
    LANG_F_REPEAT = 2,         /* may stand more than once */
    LANG_F_BLOCK = 4,          /* may have a block */
    LANG_F_BLOCK_REQUIRED = 8, /* must have one */
    LANG_F_VALUE = 16,         /* NAME = VALUE */
    LANG_F_FIXED = 32,         /* the same in every environment: no overlay may hold it */
    LANG_F_ONE_OF = 64         /* exactly one of the forms of its block that have this flag must stand */
};

struct lang_form {
    const char *id; /* "kek.kms": block kind and head; what lang_is and lang_find take. Overlays and defaults have the
                     * id of what they stand for, so `connector.refresh` also names the line of `defaults connector` */
    const char *pattern; /* see above */
    unsigned flags;
    lang_bkind child;     /* kind of its block */
    const char *fallback; /* the default, as the reference prints it, or NULL */
    const char *doc;      /* meaning, one sentence */
    const char *becomes;  /* what it turns into, or NULL */
};

/* The table of one kind of block; *n entries. Free-name blocks have one entry, id "config.property" and the like. */
const lang_form *lang_forms(lang_bkind kind, size_t *n);
const char *lang_bkind_name(lang_bkind kind); /* "kek", "connector", … for messages */

#endif
