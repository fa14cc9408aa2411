// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/node.h"

#include "leat/streams/detail/task.h"

namespace leat::streams::detail {

Result<void> Node::open(Task& task) {
    task_ = &task;
    return {};
}

Result<void> Node::run(const Flow& flow) {
    const auto guarded = [&]() -> Result<void> {
        try {
            return process(flow);
        } catch (const std::exception& thrown) {
            return Error{Errc::kUnknownServerError, name_ + ": " + thrown.what()};
        } catch (...) {  // tidy: right here, a user's function may throw anything.
            return Error{Errc::kUnknownServerError,
                         name_ + ": an exception that is no std::exception"};
        }
    };
    auto done = guarded();
    // The node that failed has asked the handler already; those above it only pass the error on.
    if (done || task_->failed()) return done;
    if (task_->survives(*this, flow, done.error())) return {};
    return done;
}

}  // namespace leat::streams::detail
