/* aws_profile.h: AWS's profile files: ~/.aws/credentials and ~/.aws/config, or the files that
 * AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name. */
#ifndef FLEC_RUNTIME_KMS_AWS_PROFILE_H
#define FLEC_RUNTIME_KMS_AWS_PROFILE_H

#include "runtime/kms/aws_sign.h"
#include "runtime/kms/remote.h"

typedef struct aws_profile {
    aws_credentials keys; /* its own, or those of its source_profile */
    fl_secret role_arn, session_name, external_id, token_file;
} aws_profile;

/* RT_NO_KEY: no such profile, a file that cannot be read, one whose credentials come from a program or a sign-on, which
 * flec does not run. The caller frees. */
rt_code aws_profile_read(const kms_remote *r, const char *name, aws_profile *out, rt_error *err);
/* Does it say as whom AWS is called? One with a region alone does not. */
bool aws_profile_has_identity(const kms_remote *r, const char *name);
void aws_profile_free(aws_profile *p);

#endif
