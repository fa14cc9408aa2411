// SPDX-License-Identifier: Apache-2.0
//
// Records of a stream that wait until the table that they meet has caught up. Layer: streams SDK,
// not for users.
// Spec:  Kafka Streams' RocksDBTimeOrderedKeyValueBuffer (KIP-923): rows are a 0 byte, time, key
// and a number; stream time is that of the buffered records alone. The numbers go on behind what
// is still there after a restart.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/detail/suppress_buffer.h"

namespace leat::streams::detail {

class JoinBuffer {
  public:
    using Visit = std::function<Result<void>(std::string_view key, const BufferedChange& record)>;

    JoinBuffer(std::string store, std::int64_t grace_ms)
        : name_(std::move(store)), grace_ms_(grace_ms) {}
    Result<void> open(Task& task);
    /// False: the record is late, nothing was put. Errors: kIoError.
    Result<bool> put(std::string_view key, const BufferedChange& record);
    /// Takes out all that waited long enough, by time, key and order of arrival; the changelog
    /// hears of it behind what `visit` sends. Errors: kIoError, kInvalidRecord, and what `visit`
    /// ends with.
    Result<void> take_due(const Visit& visit);

  private:
    Result<void> recover();

    std::string name_;
    std::int64_t grace_ms_;
    KeyValueStore* store_ = nullptr;
    bool recovered_ = false;
    std::int64_t observed_ = -1;  ///< Largest time that was put.
    std::uint32_t sequence_ = 0;
};

}  // namespace leat::streams::detail
