// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/node.h"

#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

Result<void> Node::open(Task& task) {
    task_ = &task;
    return {};
}

Error Node::thrown_error(std::string_view what) const {
    return {Errc::kUnknownServerError, name_ + ": " + std::string{what}};
}

Result<void> Node::run(const Flow& flow) {
    auto done = guarded([&] { return process(flow); });
    // The node that failed has asked the handler already; those above it only pass the error on.
    if (done || task_->failed()) return done;
    if (task_->survives(*this, flow, done.error())) return {};
    return done;
}

}  // namespace leat::streams::detail
