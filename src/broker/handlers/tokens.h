// SPDX-License-Identifier: Apache-2.0
//
// CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken, DescribeDelegationToken.
// Layer: broker (L6).
// Spec:  KIP-48, KIP-373.
#pragma once

#include "broker/request.h"
#include "rt/task.h"
#include "wire/messages/create_delegation_token_request.h"
#include "wire/messages/create_delegation_token_response.h"
#include "wire/messages/describe_delegation_token_request.h"
#include "wire/messages/describe_delegation_token_response.h"
#include "wire/messages/expire_delegation_token_request.h"
#include "wire/messages/expire_delegation_token_response.h"
#include "wire/messages/renew_delegation_token_request.h"
#include "wire/messages/renew_delegation_token_response.h"

namespace leat::broker {

rt::Task<wire::CreateDelegationTokenResponse> handle_create_token(
    Request* request, const wire::CreateDelegationTokenRequest* message);
rt::Task<wire::RenewDelegationTokenResponse> handle_renew_token(
    Request* request, const wire::RenewDelegationTokenRequest* message);
rt::Task<wire::ExpireDelegationTokenResponse> handle_expire_token(
    Request* request, const wire::ExpireDelegationTokenRequest* message);
wire::DescribeDelegationTokenResponse handle_describe_tokens(
    Request& request, const wire::DescribeDelegationTokenRequest& message);

}  // namespace leat::broker
