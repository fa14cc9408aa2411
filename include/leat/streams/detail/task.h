// SPDX-License-Identifier: Apache-2.0
//
// What a node may ask of the task that runs it. Layer: streams SDK, not for users.
// Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "leat/streams/detail/node.h"
#include "leat/streams/detail/punctuation.h"
#include "leat/streams/detail/put_off_changes.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

class StateStore;
struct SensorListing;
struct SensorOrder;

/// A record of an input topic, not decoded.
struct SourceBytes {
    std::string_view topic{};
    std::optional<std::string_view> key{};
    std::optional<std::string_view> value{};
    std::int64_t timestamp = -1;
    const Headers* headers = nullptr;
    std::int64_t partition_time = -1;
    TimestampType timestamp_type = TimestampType::kNone;
};

/// Where the record that is being processed came from.
struct Origin {
    std::string_view topic{};
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    /// As it was read, for handlers and dead letters; null: that is no longer known.
    const SourceBytes* bytes = nullptr;
};

/// A record on its way out; bytes are copied by send().
struct Outgoing {
    std::string_view topic{};
    std::optional<std::int32_t>
        partition{};  ///< Not given: murmur2 of the key's bytes, as Kafka's default.
    std::optional<std::string_view> key{};
    std::optional<std::string_view> value{};
    std::int64_t timestamp = -1;
    const Headers* headers = nullptr;
    const Node* sender = nullptr;  ///< Whose output it is; null: nobody is asked about it.
    std::optional<RecordPart> unencodable{};  ///< What could not become bytes.
    /// A change that follows from output: a task that runs at least once puts it off, see
    /// put_off().
    bool after_output = false;
};

struct TaskIdentity {
    std::string application_id{};
    std::string task_id{};    ///< "0_3": sub-topology and partition.
    std::string state_dir{};  ///< Empty: it has no state on disk.
    /// The application's settings as they were given; null: none.
    const std::map<std::string, std::string>* configs = nullptr;
    /// 3 of "0_3"; 0 of a task that has none.
    [[nodiscard]] std::int32_t partition() const;
};

/// What a partitioner chose. Errors: kInvalidRequest (the topic has no such partition).
Result<std::int32_t> checked_partition(std::int32_t chosen, std::int32_t partitions);

class Task {
  public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    virtual ~Task() = default;

    /// The store that was connected to the node under this name. A missing one is a programmer's
    /// error.
    virtual StateStore& store(std::string_view name) = 0;
    virtual Result<void> send(const Outgoing& record) = 0;
    /// How many partitions a topic has that send() takes. Errors: kUnknownTopicOrPartition, and
    /// what asking for it ends with.
    virtual Result<std::int32_t> partitions_of(std::string_view /*topic*/) { return 1; }
    /// To a store's changelog: the topic without the application's prefix, the partition the task's
    /// own.
    virtual Result<void> log_change(const Outgoing& record) = 0;
    /// Largest timestamp of what was processed; -1 before the first record.
    [[nodiscard]] virtual std::int64_t stream_time() const = 0;
    [[nodiscard]] virtual std::int64_t wall_time() const = 0;
    [[nodiscard]] virtual const Origin& origin() const = 0;
    /// An object of this task that several of its nodes share under a name.
    template <class T>
    std::shared_ptr<T> shared(const std::string& name) {
        auto& at = shared_[name];
        if (at == nullptr) at = std::make_shared<T>();
        return std::static_pointer_cast<T>(at);
    }
    /// While an update that was held back goes downstream: its record's origin. Returns the one
    /// before; what `next` points to stays until it is put back.
    virtual Origin exchange_origin(const Origin& next) { return next; }
    /// Whether somebody asks for key, value and headers, as they were read, of the record that made
    /// an update which is held back: caches copy them then.
    [[nodiscard]] virtual bool keeps_source_bytes() const { return false; }
    /// A number that lives with the committed offsets of the task's input, under a store's name.
    [[nodiscard]] virtual std::optional<std::int64_t> remembered(std::string_view /*name*/) const {
        return std::nullopt;
    }
    virtual void remember(std::string_view /*name*/, std::int64_t /*value*/) {}
    /// How long closed windows and unmatched records of joins may wait for the next look at them;
    /// wall time.
    [[nodiscard]] virtual std::int64_t emit_interval_ms() const { return 1000; }
    /// Results that Kafka Streams loses are lost here too.
    [[nodiscard]] virtual bool loses_as_kafka() const { return false; }
    /// A sensor of a processor's own, see streams_metrics.h. Null: it counts nothing.
    virtual Result<std::shared_ptr<SensorListing>> list_sensor(const SensorOrder& /*order*/) {
        return std::shared_ptr<SensorListing>{};
    }
    /// The record counts as dropped (metric dropped-records).
    virtual void drop(const Node& node, std::string_view reason) = 0;
    /// Asks the processing exception handler. Nothing: go on without the record. Errors: `error`,
    /// or that and what the handler threw.
    virtual Result<void> survive(const Node& node, const Flow& flow, Error error) = 0;
    /// As survive(), of the production exception handler about a record that cannot be encoded or
    /// sent, which `flow` was to become.
    virtual Result<void> survive_unsent(const Flow& /*flow*/, const Outgoing& /*record*/,
                                        Error error) {
        return error;
    }
    /// An error that the handler has judged already, or 0.
    [[nodiscard]] virtual bool failed() const = 0;

    /// Calls by stream time and by wall-clock time, for those who run the task: after each record,
    /// and when the clock has moved. origin() is without topic meanwhile.
    [[nodiscard]] PunctuationQueue& by_stream_time() noexcept { return by_stream_time_; }
    [[nodiscard]] PunctuationQueue& by_wall_time() noexcept { return by_wall_time_; }
    /// A processor asks for a commit soon; take_commit_request() answers once for each.
    void request_commit() noexcept { commit_requested_ = true; }
    bool take_commit_request() noexcept { return std::exchange(commit_requested_, false); }
    /// For those who run the task: to be logged when its output is acknowledged.
    [[nodiscard]] PutOffChanges& put_off() noexcept { return put_off_; }
    [[nodiscard]] const TaskIdentity& identity() const noexcept { return identity_; }
    /// Before any node is opened.
    void identify(TaskIdentity as) { identity_ = std::move(as); }

  private:
    PunctuationQueue by_stream_time_;
    PunctuationQueue by_wall_time_;
    PutOffChanges put_off_;
    bool commit_requested_ = false;
    TaskIdentity identity_;
    std::map<std::string, std::shared_ptr<void>> shared_;
};

/// Sends what `flow` became at a sink, and asks the production exception handler when that is not
/// taken. Precondition: `record` has a sender. Errors: those of send() and survive_unsent().
Result<void> deliver(Task& task, const Outgoing& record, const Flow& flow);

/// The origin of an update that was held back, while that goes downstream.
class OriginScope {
  public:
    OriginScope(Task& task, const Origin& origin)
        : task_(&task), before_(task.exchange_origin(origin)) {}
    OriginScope(const OriginScope&) = delete;
    OriginScope& operator=(const OriginScope&) = delete;
    ~OriginScope() { task_->exchange_origin(before_); }

  private:
    Task* task_;
    Origin before_;
};

}  // namespace leat::streams::detail
