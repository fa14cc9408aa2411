// SPDX-License-Identifier: Apache-2.0
//
// Changelogs as a broker has them, in memory. Layer: streams (L6), tests only.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "client/admin.h"
#include "streams/cluster/changelog_reader.h"

namespace leat::streams::testing_logs {

/// Threading: thread-safe.
class FakeLogs {
  public:
    using Where = client::TopicPartition;

    /// A time that is not given is 1000 and the offset.
    void append(const Where& where, std::string key, std::optional<std::string> value,
                std::optional<std::int64_t> timestamp = std::nullopt) {
        const std::lock_guard lock{mutex_};
        logs_[where].rows.push_back({std::move(key), std::move(value), false, timestamp});
    }
    /// An offset that no reader gets, as of a transaction's end.
    void append_marker(const Where& where) {
        const std::lock_guard lock{mutex_};
        logs_[where].rows.push_back({.is_marker = true});
    }
    /// What is before `begin` is gone; a reader that is there loses its place.
    void trim(const Where& where, std::int64_t begin) {
        const std::lock_guard lock{mutex_};
        logs_[where].begin = begin;
    }
    /// The reader that is there hears that its place is gone, and it is not.
    void tell_old_news(const Where& where) {
        const std::lock_guard lock{mutex_};
        readers_.at(where).has_old_news = true;
    }
    /// Empty, and another topic by its id.
    void make_anew(const Where& where, std::string id) {
        const std::lock_guard lock{mutex_};
        logs_.erase(where);
        ids_[where.topic] = std::move(id);
    }
    /// The next questions about offsets end with it.
    void refuse(Errc code, int times) {
        const std::lock_guard lock{mutex_};
        refusal_ = code;
        refusals_ = times;
    }
    /// Behind so many records that are read the next look for one ends with it, once.
    void break_off(Errc code, int after) {
        const std::lock_guard lock{mutex_};
        break_ = code;
        left_until_break_ = after;
    }
    /// Says that changelogs are kept so long. That they are is up to trim().
    void keep(std::int64_t kept_ms) {
        const std::lock_guard lock{mutex_};
        kept_ms_ = kept_ms;
    }
    [[nodiscard]] bool is_read(const Where& where) {
        const std::lock_guard lock{mutex_};
        return readers_.contains(where);
    }

    ChangelogReader::Cluster cluster() {
        return {
            .offsets_of = [this](std::span<const Where> where,
                                 std::int64_t timestamp) { return offsets_of(where, timestamp); },
            .ids_of = [this](std::span<const std::string> topics) { return ids_of(topics); },
            .kept_ms_of = [this](const std::string&,
                                 const detail::StoreSpec&) -> Result<std::int64_t> {
                const std::lock_guard lock{mutex_};
                return kept_ms_;
            },
            .add = [this](std::span<const client::StartAt> starts) { return add(starts); },
            .remove = [this](std::span<const Where> where) { return remove(where); },
            .next = [this](const Where& where) { return next(where); }};
    }

  private:
    struct Row {
        std::string key{};
        std::optional<std::string> value{};
        bool is_marker = false;
        std::optional<std::int64_t> timestamp{};
    };
    struct Log {
        std::int64_t begin = 0;
        std::deque<Row> rows;  ///< By offset; those before `begin` are not told.
        [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(rows.size()); }
    };
    struct Reader {
        std::int64_t position = 0;
        bool knows_end = false;
        bool has_old_news = false;
    };

    Result<std::vector<std::int64_t>> offsets_of(std::span<const Where> where,
                                                 std::int64_t timestamp) {
        const std::lock_guard lock{mutex_};
        if (refusals_ > 0) {
            --refusals_;
            return Error{refusal_, "refused"};
        }
        std::vector<std::int64_t> out;
        out.reserve(where.size());
        for (const Where& one : where)
            out.push_back(timestamp == client::kEarliest ? logs_[one].begin : logs_[one].end());
        return out;
    }
    Result<std::vector<std::string>> ids_of(std::span<const std::string> topics) {
        const std::lock_guard lock{mutex_};
        std::vector<std::string> out;
        out.reserve(topics.size());
        for (const std::string& topic : topics)
            out.push_back(ids_.try_emplace(topic, "1").first->second);
        return out;
    }
    Result<void> add(std::span<const client::StartAt> starts) {
        const std::lock_guard lock{mutex_};
        for (const auto& start : starts)
            if (!readers_.emplace(start.where, Reader{start.offset.value}).second)
                return Error{Errc::kUsage, "it is read already"};
        return {};
    }
    Result<void> remove(std::span<const Where> where) {
        const std::lock_guard lock{mutex_};
        for (const Where& one : where) readers_.erase(one);
        return {};
    }
    Result<client::PartitionEvent> next(const Where& where) {
        const std::lock_guard lock{mutex_};
        const auto found = readers_.find(where);
        if (found == readers_.end()) return Error{Errc::kNotFound, where.topic};
        Reader& reader = found->second;
        const auto log = logs_.try_emplace(where).first;
        auto& rows = log->second.rows;
        if (std::exchange(reader.has_old_news, false) || reader.position < log->second.begin ||
            reader.position > log->second.end())
            return client::PartitionEvent{client::Trouble{Errc::kOffsetOutOfRange, "gone"}};
        while (reader.position < log->second.end() &&
               rows[static_cast<std::size_t>(reader.position)].is_marker) {
            ++reader.position;
            reader.knows_end = false;
        }
        if (reader.position == log->second.end()) {
            if (std::exchange(reader.knows_end, true))
                return client::PartitionEvent{client::Nothing{}};
            return client::PartitionEvent{client::ReachedEnd{where, Offset{reader.position}}};
        }
        reader.knows_end = false;
        const Row& row = rows[static_cast<std::size_t>(reader.position)];
        client::HeldRecord held;
        held.record.topic = log->first.topic;
        held.record.partition = where.partition;
        if (left_until_break_ && (*left_until_break_)-- == 0) {
            left_until_break_.reset();
            return Error{break_, "broken off"};
        }
        held.record.offset = Offset{reader.position++};
        held.record.timestamp = WallMs{row.timestamp.value_or(1'000 + held.record.offset.value)};
        held.record.key = row.key;
        if (row.value) held.record.value = *row.value;
        return client::PartitionEvent{std::move(held)};
    }

    std::mutex mutex_;
    std::map<Where, Log> logs_;
    std::map<std::string, std::string> ids_;
    std::map<Where, Reader> readers_;
    std::int64_t kept_ms_ = std::numeric_limits<std::int64_t>::max();
    Errc refusal_ = Errc::kNone;
    int refusals_ = 0;
    Errc break_ = Errc::kNone;
    std::optional<int> left_until_break_;
};

}  // namespace leat::streams::testing_logs
