// SPDX-License-Identifier: Apache-2.0
//
// The topics a consumer says it wants when it joins. Layer: groups (L5).
// Spec:  Kafka's ConsumerProtocolSubscription; all versions start alike (version, topics), and that
//        start is all that is read here.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"

namespace leat::groups {

/// Topics of the blob, views into it. Errors: kTruncated, kMalformed (also a negative version).
[[nodiscard]] Result<std::vector<std::string_view>> subscribed_topics(Bytes subscription);

}  // namespace leat::groups
