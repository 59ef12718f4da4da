/* jwt.h: JSON Web Tokens signed with RS256. */
#ifndef FLEC_RUNTIME_KMS_JWT_H
#define FLEC_RUNTIME_KMS_JWT_H

#include "base/base.h"

/* HEADER.CLAIMS.SIGNATURE of two JSON texts, under a private RSA key in PEM. false: the key cannot be read, or is no
 * RSA key. The caller frees. */
bool kms_jwt(const fl_secret *pem, const char *header, const char *claims, fl_secret *out);

#endif
