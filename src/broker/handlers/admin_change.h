// SPDX-License-Identifier: Apache-2.0
//
// The way of an administrative change from a handler to every shard and back. Layer: broker (L6).
#pragma once

#include <utility>
#include <vector>

#include "broker/admin/change.h"
#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/request.h"
#include "obs/log.h"

namespace leat::broker {

namespace detail {

template <class Response, class Make>
struct AdminMake {
    Make make;
    admin::Change<Response> operator()(metadata::Controller& controller,
                                       std::vector<metadata::Delta>& deltas) const {
        admin::Change<Response> change = make(controller);
        deltas = std::move(change.deltas);
        return change;
    }
};

}  // namespace detail

/// Executes `make(controller)`, a plain function object that gives an admin::Change<Response>, and
/// waits until its changes are durable and known everywhere. `results` is the member of Response
/// that holds an error code for each item. Counts their errors.
template <class Response, class Results, class Make>
rt::Task<Response> change_metadata(Request* request, Results Response::* results, Make make) {
    Shard& shard = *request->shard;
    detail::AdminMake<Response, Make> call{std::move(make)};
    auto changed = co_await shard.broker().authority().change(&shard.executor(), std::move(call));
    admin::Change<Response>& change = changed.result;
    if (!changed.durable.has_value())
        admin::revoke(change.response.*results, changed.durable.error().code());
    else
        for (const admin::LogLevelChange& one : change.log_levels) one.set();
    for (const auto& result : change.response.*results) count_error(*request, result.error_code);
    co_return std::move(change.response);
}

}  // namespace leat::broker
