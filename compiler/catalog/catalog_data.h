/* catalog_data.h: the tables that catalog_tool.c makes out of the JSON files beside it. Only catalog.c reads them. */
#ifndef FLEC_COMPILER_CATALOG_DATA_H
#define FLEC_COMPILER_CATALOG_DATA_H

#include "compiler/catalog/catalog.h"

typedef struct cat_short { /* one short name of a class */
    const char *connector; /* id, or "*" */
    const char *property, *name, *cls;
} cat_short;

typedef struct cat_owned { /* a property that no policy may write */
    const char *pattern;
    cat_owner owner;
    const char *why;
} cat_owned;

typedef struct cat_converter {
    const char *format, *cls;
} cat_converter;

extern const cat_connector cat_data_connectors[];
extern const size_t cat_data_nconnectors;
extern const cat_kms_param cat_data_kms[];
extern const size_t cat_data_nkms;
extern const cat_transform cat_data_transforms[];
extern const size_t cat_data_ntransforms;
extern const cat_short cat_data_shorts[];
extern const size_t cat_data_nshorts;
extern const cat_owned cat_data_owned[]; /* the first that matches counts */
extern const size_t cat_data_nowned;
extern const cat_converter cat_data_converters[];
extern const size_t cat_data_nconverters;

/* Does a name match a pattern? A `*` stands for one part between dots; one that ends the pattern for one part or more.
 */
bool cat_matches(const char *pattern, const char *name);

#endif
