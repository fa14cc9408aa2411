// SPDX-License-Identifier: Apache-2.0
//
// Updates of a table that wait, in the order of their deadlines. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' InMemoryTimeOrderedKeyValueChangeBuffer: the changelog (format 3, header
// "v") is written at a commit only, one record for each key that was touched.
// Threading: a store belongs to its task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/task.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

/// An update as bytes, and where the record that made it came from.
struct BufferedChange {
    using Bytes = std::optional<std::string>;
    Bytes prior{};   ///< The value that was last handed on when the key came into the buffer.
    Bytes before{};  ///< The old value of the last update.
    Bytes now{};
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::string topic{};
    std::int32_t partition = -1;
    Headers headers{};
    /// The record as it was read, for dead letters. Not in the changelog, so gone after a restart.
    Bytes read_key{};
    Bytes read_value{};
};

/// A view of where the update came from; key and value as far as they were kept.
[[nodiscard]] inline SourceBytes source_of(const BufferedChange& change) {
    SourceBytes out{
        .topic = change.topic, .timestamp = change.timestamp, .headers = &change.headers};
    if (change.read_key) out.key = *change.read_key;
    if (change.read_value) out.value = *change.read_value;
    return out;
}
[[nodiscard]] inline Origin origin_of(const BufferedChange& change, const SourceBytes& bytes) {
    return {.topic = change.topic,
            .partition = change.partition,
            .offset = change.offset,
            .bytes = &bytes};
}

/// Kafka Streams' BufferValue, and behind it the deadline.
[[nodiscard]] std::string encode_buffered(const BufferedChange& change, std::int64_t deadline);
/// Errors: kInvalidRecord.
Result<std::pair<std::int64_t, BufferedChange>> decode_buffered(std::string_view bytes);

class SuppressBuffer final : public StateStore {
  public:
    SuppressBuffer(StoreSpec spec, std::unique_ptr<OrderedBytes> unused);
    Result<void> open(Task& task) override;
    Result<void> restore(std::span<const ChangelogRecord> records) override;
    /// Writes the changelog of the keys that were touched since the last commit.
    Result<void> save() override;

    /// A key that waits already keeps its deadline and its prior value; the rest is replaced.
    void put(std::int64_t deadline, std::string_view key, BufferedChange change);
    /// The update that waits under this key, or is being told; null when none does.
    [[nodiscard]] const BufferedChange* find(std::string_view key) const;
    /// The earliest deadline; the largest number when nothing waits.
    [[nodiscard]] std::int64_t first_deadline() const noexcept;
    using Update = std::pair<std::string, BufferedChange>;  ///< With its key.
    /// Takes out the update with the earliest deadline, of these the first key; find() knows of it
    /// until let_go(). Who is told of it may make others wait, and take them out meanwhile.
    /// Precondition: there is one.
    [[nodiscard]] const Update& take_first();
    void let_go() { in_hand_.pop_back(); }  ///< Of what was taken last.
    [[nodiscard]] std::int64_t records() const noexcept {
        return static_cast<std::int64_t>(waiting_.size());
    }
    /// As Kafka Streams estimates it.
    [[nodiscard]] std::int64_t bytes_held() const noexcept { return bytes_; }

  private:
    using Place = std::pair<std::int64_t, std::string>;  ///< (deadline, key)
    void touch(std::string_view key);
    void place(std::int64_t deadline, std::string_view key, BufferedChange change);

    std::map<Place, BufferedChange> waiting_;
    std::list<Update> in_hand_;
    std::map<std::string, std::int64_t, std::less<>> deadlines_;
    std::map<std::string, std::size_t, std::less<>> touched_;  ///< To the order of the touch.
    std::size_t buckets_ = 16;  ///< Of the hash set whose order the changelog has.
    std::int64_t bytes_ = 0;
};

}  // namespace leat::streams::detail
