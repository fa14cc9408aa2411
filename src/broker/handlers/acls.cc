// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/acls.h"

#include <optional>
#include <string_view>

#include "broker/access.h"
#include "broker/handlers/admin_change.h"

namespace leat::broker {
namespace {

/// Why the rules are not for the sender: an error and its text.
struct Refusal {
    Errc error = Errc::kNone;
    std::string_view text;
};

Refusal refusal(Request& request, auth::Operation operation) {
    if (!may_cluster(request, operation))
        return {Errc::kClusterAuthorizationFailed, kNotAuthorized};
    if (request.shard->broker().policy() == nullptr)
        return {Errc::kSecurityDisabled, "No Authorizer is configured."};
    return {};
}

template <class Message>
auto refused(Request& request, const Message& message, const Refusal& why) {
    return admin::refuse(message, why.error, why.text, request.arena);
}

}  // namespace

wire::DescribeAclsResponse handle_describe_acls(Request& request,
                                                const wire::DescribeAclsRequest& message) {
    const Refusal why = refusal(request, auth::Operation::kDescribe);
    if (why.error == Errc::kNone)
        return admin::describe_acls(message, request.shard->image(), request.arena);
    wire::DescribeAclsResponse response;
    response.error_code = wire_code(why.error);
    response.error_message = why.text;
    return response;
}

rt::Task<wire::CreateAclsResponse> handle_create_acls(Request* request,
                                                      const wire::CreateAclsRequest* message) {
    const Refusal why = refusal(*request, auth::Operation::kAlter);
    if (why.error != Errc::kNone) {
        count_error(*request, wire_code(why.error));
        co_return refused(*request, *message, why);
    }
    const auto make = [request, message](metadata::Controller& controller) {
        return admin::create_acls(*message, controller, request->arena);
    };
    co_return co_await change_metadata(request, &wire::CreateAclsResponse::results, make);
}

rt::Task<wire::DeleteAclsResponse> handle_delete_acls(Request* request,
                                                      const wire::DeleteAclsRequest* message) {
    const Refusal why = refusal(*request, auth::Operation::kAlter);
    if (why.error != Errc::kNone) {
        count_error(*request, wire_code(why.error));
        co_return refused(*request, *message, why);
    }
    const auto make = [request, message](metadata::Controller& controller) {
        return admin::delete_acls(*message, controller, request->arena);
    };
    co_return co_await change_metadata(request, &wire::DeleteAclsResponse::filter_results, make);
}

}  // namespace leat::broker
