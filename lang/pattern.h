/* pattern.h: reading the patterns of forms.h and holding statements against them; internal to lang/. */
#ifndef FLEC_LANG_PATTERN_H
#define FLEC_LANG_PATTERN_H

#include "lang/forms.h"

enum { LANG_MAX_SLOTS = 8, LANG_MAX_WANTED = 16, LANG_MAX_FORMS = 64 /* of a kind of block */ };

typedef enum {
    LANG_P_END,
    LANG_P_WORD,
    LANG_P_REST,
    LANG_P_SLOT,
    LANG_P_COLON,
    LANG_P_EQUALS,
    LANG_P_OPEN,
    LANG_P_CHOICE,
    LANG_P_BAR,
    LANG_P_CLOSE
} lang_pkind;

/* One element of a pattern. WORD: text. SLOT: slot, type, many. REST (`word,<slot:TYPE…>`): all of them. */
typedef struct lang_element {
    lang_pkind kind;
    bool many;
    const char *text, *slot, *type;
    size_t ntext, nslot, ntype;
    const char *next; /* behind the element */
    /* set in a lang_pattern: numbers of its slot and its keyword, by the first of that name; of `[`, `(`: the element
     * behind the group */
    int slot_at, word_at;
    const struct lang_element *behind;
} lang_element;

lang_element lang_pattern_next(const char *p);

/* A form's pattern, read once. */
typedef struct lang_pattern {
    const lang_element *v; /* the last is LANG_P_END */
    size_t nslots;
} lang_pattern;
const lang_pattern *lang_pattern_of(const lang_form *form);

/* Why a value does not fit a slot. */
typedef struct lang_misfit {
    const char *want;    /* "a version such as 7.6.1" */
    const char *message; /* the whole message instead of "expected … here", or NULL */
    const char *help;    /* or NULL */
    bool secret;         /* the value may be a secret: it is not shown */
    fl_span span;        /* of the part that does not fit; src NULL: the value */
} lang_misfit;

/* Does the value fit the type (`NAME`, `aws|azure`, `DURATION(d)|never`)? */
bool lang_type_fits(fl_arena *a, const char *type, size_t ntype, const lang_value *v, lang_misfit *why);
/* Calls fn for each plain word of a type's enum. */
void lang_type_words(const char *type, size_t ntype, void (*fn)(void *ctx, const char *word, size_t n), void *ctx);

/* One try of a statement against a pattern: what it got to, and what it wanted there. */
typedef struct lang_try {
    fl_arena *a;
    const lang_stmt *stmt;
    bool quiet;    /* nothing is said of failures: most statements fit, and then nobody asks */
    size_t nlists; /* of the statement's phrase, without an empty block */
    const lang_list *slots[LANG_MAX_SLOTS];
    unsigned keywords;
    /* the furthest failure */
    size_t fail_list, fail_item;
    bool failed;
    fl_span fail_at;
    bool fail_end;                       /* the statement ends there */
    const lang_value *fail_value;        /* or NULL */
    const char *wanted[LANG_MAX_WANTED]; /* in words: "`with`", "a name" */
    size_t nwanted;
    const char *words[LANG_MAX_WANTED * 2]; /* plain words that would fit, for near misses */
    size_t nwords;
    const lang_misfit *misfit; /* of the first value that did not fit there, if it explains itself */
} lang_try;

/* Holds the statement against the form's pattern; *t keeps earlier failures, so that several forms can be tried in a
 * row. */
bool lang_pattern_match(lang_try *t, const lang_form *form);
/* Adds the words of a type's enum to what the try wants. */
void lang_try_words(lang_try *t, const char *type, size_t ntype);
/* The pattern as people read it: `kms aws|azure|gcp|vault|local "TEXT"`. */
const char *lang_form_text(fl_arena *a, const lang_form *form);

#endif
