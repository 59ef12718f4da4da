/* constraints.c: constraints between the properties of a connector, as the catalogue has them. */
#include "compiler/check/check.h"

void chk_property_constraint(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
