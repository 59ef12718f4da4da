/* uses.h: who uses what: the KEKs of a connector, references in values. Asked by checks and by emission. */
#ifndef FLEC_COMPILER_CHECK_USES_H
#define FLEC_COMPILER_CHECK_USES_H

#include "compiler/catalog/catalog.h"
#include "compiler/estate.h"

typedef struct chk_keks {
    FL_VEC(const est_kek *) list; /* each once, in order of name */
} chk_keks;

/* The KEKs of the encrypt lines of a side; private_only: those whose credentials clients bring themselves. */
void chk_side_keks(const est_estate *e, const est_side *s, bool private_only, chk_keks *out);
/* Of all topics of a connector. */
void chk_connector_keks(const est_estate *e, const est_connector *c, bool private_only, chk_keks *out);

const est_prop *chk_config(const est_connector *c, const char *name);
/* The value of a property as the worker will have it: the one that is written (of a class the full name, where a short
 * one stands), else the catalogue's default, else "".
 * NULL: only the worker knows it (a reference to a provider stands in it). */
const char *chk_value(const est_connector *c, const char *name);
bool chk_is_on(const est_connector *c, const char *name); /* true, surely */
/* Where a property is written; the connector's own place if it is not. */
fl_span chk_value_at(const est_connector *c, const char *name);
/* Calls fn for each item of a list value ("a,b"), blanks around it taken off. */
void chk_each_item(const char *list, void (*fn)(const char *item, size_t n, void *ctx), void *ctx);

/* What stands behind a property of a connector's config: the catalogue's entry, or that of a transformation or
 * predicate. */
typedef enum {
    CHK_KNOWN,
    CHK_OPEN,  /* of a class the catalogue does not know: anything goes */
    CHK_ALIAS, /* of an alias that `transforms` or `predicates` does not list */
    CHK_UNKNOWN
} chk_known;
chk_known chk_property(const est_connector *c, const char *name, const cat_property **p);

/* Calls fn with the provider of each Connect reference ${provider:…} in a value. */
void chk_each_reference(const char *value, void (*fn)(const char *provider, size_t n, void *ctx), void *ctx);
/* Is the whole value one reference? Then what it will be is not known here. */
bool chk_is_reference(const char *value);
bool chk_has_reference(const char *value);

/* connector_values.c: the part of property-value that is about a connector's own statements. */
struct chk_row;
void chk_connector_values(const struct chk_row *row, const est_estate *e, fl_diags *diags, const est_connector *c);

/* converters.c: the parts of generated-property and of client-may-leave-clear that are about converter classes. */
void chk_converters_without_rules(const struct chk_row *row, const est_estate *e, fl_diags *diags);
void chk_unknown_converters(const struct chk_row *row, const est_estate *e, fl_diags *diags);
/* copies.c: the part of transform-may-copy that is about the transformations of sources. */
/* The name that a field of the value had before ReplaceField of the connector's transformations gave it this one. */
const char *chk_name_before_renames(const est_estate *e, const est_connector *c, const char *name, size_t n);
void chk_transforms_that_copy(const struct chk_row *row, const est_estate *e, fl_diags *diags);

/* Names that hold a secret where no catalogue says so: passwords, tokens, JAAS configurations. */
bool chk_looks_secret(const char *name);

#endif
