// SPDX-License-Identifier: Apache-2.0
//
// Reads records, from partitions of one's own choice or as a member of a group. Layer: client (L3),
// on librdkafka.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/client_properties.h"
#include "client/record.h"

namespace leat::client {

struct TopicPartition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

/// Where reading starts. Negative values are Kafka's: -2 beginning, -1 end.
struct StartAt {
    TopicPartition where;
    Offset offset{-2};
};

struct Watermarks {
    Offset begin{};  ///< First offset that can be read.
    Offset end{};    ///< High watermark: one above the last.
};

/// Nothing came in time.
struct Nothing {};
/// A partition was read to its end (of what the isolation level shows).
struct ReachedEnd {
    TopicPartition where;
    Offset offset{};
};
/// Read on is possible: a broker is away, a fetch failed; told for the user.
struct Trouble {
    Errc code = Errc::kNone;
    std::string text;
};
/// Views are valid until the next poll().
using ConsumerEvent = std::variant<Nothing, ReceivedRecord, ReachedEnd, Trouble>;

/// Threading: not synchronised.
class Consumer {
  public:
    /// Assignment changes of a group, told inside poll() and close(). Partitions that are taken
    /// away are told while commit() still covers them.
    struct Rebalance {
        bool assigned = false;
        std::vector<TopicPartition> partitions;
    };
    using OnRebalance = std::function<void(const Rebalance&)>;

    /// Does not connect yet. ReachedEnd is always reported. Errors: kInvalidSetting.
    static Result<std::unique_ptr<Consumer>> open(const std::vector<Property>& properties,
                                                  OnRebalance on_rebalance = {});
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;
    ~Consumer();

    /// From the first time that `stopped` is true, all calls together wait kStopGrace at most for a
    /// cluster that does not answer, or kJoinGrace where a group is being joined: they fail with
    /// kCancelled, close() leaves without a goodbye and leaves librdkafka's threads behind. For
    /// programs that end then.
    void stop_when(std::function<bool()> stopped);
    static constexpr std::chrono::milliseconds kStopGrace{1500};
    /// Nobody can leave a group before joining is answered, which takes
    /// group.initial.rebalance.delay.ms (3 s unless set) at least.
    static constexpr std::chrono::milliseconds kJoinGrace{6000};

    /// Joins the group (property group.id). Errors: kUsage, kInvalidTopicException.
    Result<void> subscribe(std::span<const std::string> topics);
    /// Reads these partitions besides those that it reads already. Without a group (property
    /// group.id empty or absent): no coordinator is asked for. Errors: kUsage.
    Result<void> add(std::span<const StartAt> starts);

    /// One event, waiting up to `wait`. Errors: what reading cannot recover from (no such topic, no
    /// right, fatal client errors).
    Result<ConsumerEvent> poll(std::chrono::milliseconds wait);

    /// Commits behind what poll() returned so far, also of partitions whose end was returned and
    /// nothing else. Errors: what the coordinator says; kTimedOut after a
    /// minute without it.
    Result<void> commit();

    /// Partition ids of `topic`. Errors: kUnknownTopicOrPartition, kNetworkException, kTimedOut.
    Result<std::vector<std::int32_t>> partitions(std::string_view topic,
                                                 std::chrono::milliseconds wait);
    /// Those of them that no broker leads now. poll() does not tell: it waits for a leader.
    Result<std::vector<std::int32_t>> leaderless(std::string_view topic,
                                                 std::chrono::milliseconds wait);
    Result<Watermarks> watermarks(const TopicPartition& where, std::chrono::milliseconds wait);
    /// The first offset whose record is not older than `time`; the end when there is none.
    Result<std::vector<StartAt>> offsets_at(std::span<const TopicPartition> where, WallMs time,
                                            std::chrono::milliseconds wait);

    /// Leaves the group and stops; done by the destructor too, which waits kStopGrace at most for
    /// librdkafka's threads.
    Result<void> close();

    /// Makes `descriptor` readable (8 bytes are written) when an event waits for poll().
    void signal_on(int descriptor);

  private:
    struct State;
    explicit Consumer(std::unique_ptr<State> state);
    Result<std::vector<std::int32_t>> look_up(std::string_view topic,
                                              std::chrono::milliseconds wait, bool is_leaderless);
    std::unique_ptr<State> state_;
};

}  // namespace leat::client
