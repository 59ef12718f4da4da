/* walked.c: paths that no client walks. */
#include "compiler/check/check.h"

void chk_path_not_walked(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
