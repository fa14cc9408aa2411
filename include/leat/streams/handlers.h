// SPDX-License-Identifier: Apache-2.0
//
// What happens to a record that cannot be decoded, processed or written. Layer: streams SDK.
// Spec:  Kafka Streams' deserialization, processing and production exception handlers and its dead
// letter topic (KIP-1033, KIP-1034); the names of the dead letters' headers are the same.
// Threading: handlers may be called by several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <typeinfo>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/context.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// The record as the node took it that failed, with its types. Where those are not known (of
/// sources, joins, aggregates, tables and punctuations) there is none.
/// Memory: it points to the record, which lives while the handler runs.
class RecordAtNode {
  public:
    RecordAtNode() = default;
    RecordAtNode(const detail::Flow& flow, const std::type_info* type) : flow_(flow), type_(type) {}
    /// Nothing: there is none, or it is of other types.
    template <class K, class V>
    [[nodiscard]] std::optional<Record<K, V>> as() const {
        if (type_ == nullptr || *type_ != typeid(Record<K, V>)) return std::nullopt;
        return detail::record_of<K, V>(flow_);
    }

  private:
    detail::Flow flow_{};
    const std::type_info* type_ = nullptr;
};

/// A record that could not be written, as bytes as far as it has some.
struct UnwrittenRecord {
    std::string topic{};
    std::optional<std::int32_t> partition{};  ///< As a partitioner of its own chose.
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    Headers headers{};
    Timestamp timestamp{};
    std::optional<RecordPart> unencodable{};  ///< Absent: it is the client or the broker.
};

/// Where an error came up. Key, value and headers are those of the record that was read, as bytes;
/// all of it is absent in a punctuation. Behind a suppression, a cache or a wait for a table it is
/// the record that made the update; key and value are absent where only its origin was kept: behind
/// such a wait, and in what a suppression held back before a restart.
struct ErrorContext {
    std::string node{};
    std::string task_id{};
    std::optional<RecordMetadata> origin{};
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    Headers headers{};
    Timestamp timestamp{};
    std::optional<UnwrittenRecord> output{};  ///< For the production handler.
    RecordAtNode record{};  ///< For the processing handler, and of what cannot be encoded.
};

/// A record for a topic of dead letters. Without a timestamp it gets the clock's.
struct DeadLetter {
    std::string topic{};
    std::optional<std::string> key{};
    std::optional<std::string> value{};
    Headers headers{};
    Timestamp timestamp{};
};

enum class ErrorChoice : std::uint8_t {
    kFail,      ///< The task ends with the error.
    kContinue,  ///< The record goes no further here; what it has brought about stays.
};

struct ErrorAnswer {
    ErrorChoice choice = ErrorChoice::kFail;
    /// Not given: one to `dead_letter_topic`, if there is such a topic.
    std::optional<std::vector<DeadLetter>> dead_letters{};
};

/// What it throws ends the task, also where kContinue was to be said; its text and that of `error`
/// are in the error that the task ends with, and no dead letter is sent.
using ErrorHandler = std::function<ErrorAnswer(const ErrorContext& context, const Error& error)>;

/// The two that come with it: LogAndFail and LogAndContinue.
ErrorAnswer fail_on_error(const ErrorContext& context, const Error& error);
ErrorAnswer continue_on_error(const ErrorContext& context, const Error& error);

/// What is not given is as the application's settings say (deserialization.exception.handler and
/// so on); in a TestDriver, which has none, fail_on_error and no topic.
struct ErrorHandlers {
    ErrorHandler deserialization{};
    ErrorHandler processing{};        ///< Also of punctuations.
    ErrorHandler production{};        ///< Of what cannot be encoded or is not taken.
    std::string dead_letter_topic{};  ///< As errors.dead.letter.queue.topic.name.
};

/// The dead letter that Kafka Streams' own handlers write: the record that was read, with headers
/// that say what was wrong and where (`__streams.errors.exception`, ...).
DeadLetter dead_letter(const std::string& topic, const ErrorContext& context, const Error& error);

}  // namespace leat::streams
