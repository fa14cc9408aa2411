// SPDX-License-Identifier: Apache-2.0
//
// Who writes batches, to brokers that keep account of it. Layer: client (L3).
#pragma once

#include <cstdint>

namespace leat::client {

struct ProducerIdentity {
    std::int64_t id = -1;  ///< -1: none.
    std::int16_t epoch = -1;

    friend bool operator==(const ProducerIdentity&, const ProducerIdentity&) = default;
};

}  // namespace leat::client
