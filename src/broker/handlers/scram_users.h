// SPDX-License-Identifier: Apache-2.0
//
// DescribeUserScramCredentials, AlterUserScramCredentials. Layer: broker (L6).
// Spec:  KIP-554.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/alter_user_scram_credentials_request.h"
#include "wire/messages/alter_user_scram_credentials_response.h"
#include "wire/messages/describe_user_scram_credentials_request.h"
#include "wire/messages/describe_user_scram_credentials_response.h"

namespace leat::broker {

wire::DescribeUserScramCredentialsResponse handle_describe_scram_users(
    Request& request, const wire::DescribeUserScramCredentialsRequest& message);
rt::Task<wire::AlterUserScramCredentialsResponse> handle_alter_scram_users(
    Request* request, const wire::AlterUserScramCredentialsRequest* message);

}  // namespace leat::broker
