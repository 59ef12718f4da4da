/* aws_machine.h: credentials that a container's or a machine's own service gives: ECS and EKS pod identity
 * (AWS_CONTAINER_CREDENTIALS_…), the metadata service of EC2 in its version 2. Asked last of all, with short time
 * limits, never through a proxy; over plain HTTP only on loopback and on the addresses that AWS gave these services. */
#ifndef FLEC_RUNTIME_KMS_AWS_MACHINE_H
#define FLEC_RUNTIME_KMS_AWS_MACHINE_H

#include "runtime/kms/aws_identity.h"

/* RT_NOT_FOUND, with err untouched: the environment names no service of a container, and the metadata service is turned
 * off (AWS_EC2_METADATA_DISABLED). */
rt_code aws_machine_find(kms_remote *r, aws_identity *out, rt_error *err);

#endif
