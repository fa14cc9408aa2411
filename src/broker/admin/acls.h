// SPDX-License-Identifier: Apache-2.0
//
// DescribeAcls, CreateAcls, DeleteAcls: messages to and from the rules. Layer: broker (L6). Pure.
#pragma once

#include <cstdint>

#include "base/arena.h"
#include "broker/admin/change.h"
#include "metadata/controller.h"
#include "metadata/image.h"
#include "wire/messages/create_acls_request.h"
#include "wire/messages/create_acls_response.h"
#include "wire/messages/delete_acls_request.h"
#include "wire/messages/delete_acls_response.h"
#include "wire/messages/describe_acls_request.h"
#include "wire/messages/describe_acls_response.h"

namespace leat::broker::admin {

// Views in an answer live as long as request and arena.

/// Runs on any shard, with its image.
wire::DescribeAclsResponse describe_acls(const wire::DescribeAclsRequest& request,
                                         const metadata::Image& image, Arena& arena);

/// Run on the controller's shard.
Change<wire::CreateAclsResponse> create_acls(const wire::CreateAclsRequest& request,
                                             metadata::Controller& controller, Arena& arena);
Change<wire::DeleteAclsResponse> delete_acls(const wire::DeleteAclsRequest& request,
                                             metadata::Controller& controller, Arena& arena);

// The same refused as a whole.
wire::CreateAclsResponse refuse(const wire::CreateAclsRequest& request, Errc error,
                                std::string_view text, Arena& arena);
wire::DeleteAclsResponse refuse(const wire::DeleteAclsRequest& request, Errc error,
                                std::string_view text, Arena& arena);

}  // namespace leat::broker::admin
