/* base.h: what both halves of flec stand on. Includes nothing of ours but base/. */
#ifndef FLEC_BASE_H
#define FLEC_BASE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/parallel.h"
#include "base/secret.h"
#include "base/source.h"
#include "base/status.h"
#include "base/text.h"

#endif
