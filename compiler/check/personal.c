/* personal.c: fields that look personal and carry no tag. */
#include "compiler/check/check.h"

void chk_suspicious_untagged_field(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
