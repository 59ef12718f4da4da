/* sources.c: what a source makes of its records before they are encrypted. */
#include "compiler/check/check.h"

void chk_type_changing_mode(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_nested_base64_decimal(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_opaque_json(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_ciphertext_to_source(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_derived_schema(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
