// SPDX-License-Identifier: Apache-2.0
//
// What an admin client is told of a group. Layer: client (L3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/errc.h"
#include "client/consumer.h"

namespace leat::client {

/// What became of one thing. kNone: done.
struct Outcome {
    std::string name;
    Errc code = Errc::kNone;
    std::string message;  ///< The broker's, may be empty.
};

struct GroupInfo {
    std::string id;
    std::string protocol_type;  ///< "consumer"; empty for groups that only commit.
    std::string state;
    std::string type;  ///< "classic", "consumer", "share" or "streams".
};

/// Which groups are listed; what is empty lets all through. Names are Kafka's: "Stable", "classic".
struct GroupFilter {
    std::vector<std::string> states;
    std::vector<std::string> types;
};

struct MemberInfo {
    std::string id;
    std::string instance_id;
    std::string client_id;
    std::string host;
    std::vector<TopicPartition> assigned;
    /// What the member and its leader wrote; of classic groups, while they are Stable.
    std::vector<std::byte> metadata{};
    std::vector<std::byte> assignment{};
};

struct GroupDetails {
    Outcome outcome;
    GroupInfo info;
    std::string assignor;
    std::int32_t coordinator = -1;
    std::vector<MemberInfo> members;
};

}  // namespace leat::client
