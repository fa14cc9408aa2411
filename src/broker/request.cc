// SPDX-License-Identifier: Apache-2.0
#include "broker/request.h"

#include "base/check.h"

namespace leat::broker {

MutableBytes Request::mutable_bytes(Bytes view) const {
    if (view.empty()) return {};
    LEAT_CHECK(view.data() >= frame.data() &&
               view.data() + view.size() <= frame.data() + frame.capacity());
    return {frame.data() + (view.data() - frame.data()), view.size()};
}

void Request::when_hurried(rt::Fn fn) {
    if (is_hurried_) {
        fn();
        return;
    }
    hurry_ = std::move(fn);
}

void Request::hurry() {
    is_hurried_ = true;
    if (hurry_) std::exchange(hurry_, nullptr)();
}

}  // namespace leat::broker
