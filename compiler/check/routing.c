/* routing.c: where records of a connector really go: topics that its configuration and transformations produce, and side topics. */
#include "compiler/check/check.h"

void chk_topic_mismatch(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}

void chk_side_topic_undefined(const chk_row *row, const est_estate *e, fl_diags *diags)
{
}
