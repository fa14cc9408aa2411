// SPDX-License-Identifier: Apache-2.0
//
// What time a record of an input topic has. Layer: streams SDK.
// Spec:  Kafka Streams' TimestampExtractor and the four that come with it.
// Threading: an extractor is shared by all tasks and must be safe to call from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// A record as an extractor sees it; null pointers are Kafka's null.
template <class K, class V>
struct Arrived {
    std::string_view topic{};
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    const K* key = nullptr;
    const V* value = nullptr;
    Timestamp timestamp{};  ///< As it is in the topic.
    TimestampType timestamp_type = TimestampType::kNone;
    Timestamp partition_time{};  ///< Largest that its partition has had so far; negative: none.
    const Headers* headers = nullptr;
};

/// Yields a record's time; a negative one drops the record. Made of a function of Arrived, of
/// (key, value) or of (value), by const reference; it answers a Timestamp or a Result of one. A
/// record whose value such a function cannot be shown, because it is null, has its own time.
template <class K, class V>
class TimestampExtractor {
  public:
    using Function = std::function<Result<Timestamp>(const Arrived<K, V>&)>;
    TimestampExtractor() = default;
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, TimestampExtractor>)
    TimestampExtractor(F function)  // NOLINT(google-explicit-constructor): an option's value.
        : function_(adapt(std::move(function))) {}
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(function_); }
    Result<Timestamp> operator()(const Arrived<K, V>& arrived) const { return function_(arrived); }

  private:
    template <class F>
    static Function adapt(F function) {
        if constexpr (std::is_invocable_v<F&, const Arrived<K, V>&>) {
            return [function](const Arrived<K, V>& a) mutable -> Result<Timestamp> {
                return function(a);
            };
        } else if constexpr (std::is_invocable_v<F&, const K&, const V&>) {
            return [function](const Arrived<K, V>& a) mutable -> Result<Timestamp> {
                if (a.key == nullptr || a.value == nullptr) return a.timestamp;
                return function(*a.key, *a.value);
            };
        } else {
            static_assert(std::is_invocable_v<F&, const V&>,
                          "an extractor takes an Arrived, (key, value) or (value)");
            return [function](const Arrived<K, V>& a) mutable -> Result<Timestamp> {
                if (a.value == nullptr) return a.timestamp;
                return function(*a.value);
            };
        }
    }
    Function function_;
};

/// The record's own time; an error when it is negative. What a source does that names none.
struct FailOnInvalidTimestamp {
    template <class K, class V>
    Result<Timestamp> operator()(const Arrived<K, V>& arrived) const {
        if (arrived.timestamp.ms >= 0) return arrived.timestamp;
        return Error{Errc::kInvalidTimestamp,
                     "a record of " + std::string{arrived.topic} + " has a negative timestamp"};
    }
};
/// Drops records with a negative time; they count as dropped.
struct LogAndSkipOnInvalidTimestamp {
    template <class K, class V>
    Timestamp operator()(const Arrived<K, V>& arrived) const {
        return arrived.timestamp;
    }
};
/// The partition's time when the record has none of its own; an error when the partition has none.
struct UsePartitionTimeOnInvalidTimestamp {
    template <class K, class V>
    Result<Timestamp> operator()(const Arrived<K, V>& arrived) const {
        if (arrived.timestamp.ms >= 0) return arrived.timestamp;
        if (arrived.partition_time.ms >= 0) return arrived.partition_time;
        return Error{Errc::kInvalidTimestamp, "the first record of a partition of " +
                                                  std::string{arrived.topic} +
                                                  " has a negative timestamp"};
    }
};
/// The time at which the record is read.
struct WallclockTimestampExtractor {
    /// Milliseconds since 1970; a test gives its own clock.
    std::function<std::int64_t()> now = &system_now;
    template <class K, class V>
    Timestamp operator()(const Arrived<K, V>&) const {
        return {now()};
    }
    static std::int64_t system_now();
};

}  // namespace leat::streams
