// SPDX-License-Identifier: Apache-2.0
#include "streams/error_judge.h"

#include <string>
#include <utility>

#include "obs/log.h"

namespace leat::streams::detail {

namespace {
constexpr obs::Logger kLog{"streams"};
using Plain = ErrorAnswer (*)(const ErrorContext&, const Error&);

std::string_view word_of(ErrorJudge::Kind kind) {
    switch (kind) {
        case ErrorJudge::Kind::kDeserialization:
            return "deserialization";
        case ErrorJudge::Kind::kProcessing:
            return "processing";
        case ErrorJudge::Kind::kProduction:
            return "production";
    }
    return "";
}

}  // namespace

Error with_cause(const Error& why, const Error& cause) {
    return {why.code(), std::string{why.detail()} + "; it was about " +
                            std::string{info(cause.code()).name} + ": " +
                            std::string{cause.detail()}};
}

void log_dropped(const Task& task, const Node& node, std::string_view why) {
    const Origin& from = task.origin();
    kLog.warn("record dropped", {{"why", why},
                                 {"task", task.identity().task_id},
                                 {"node", node.name()},
                                 {"topic", from.topic},
                                 {"partition", from.partition},
                                 {"offset", from.offset}});
}

ErrorContext ErrorJudge::context_of(const Node& node, std::int64_t timestamp) const {
    ErrorContext out{.node = node.name(), .task_id = task_->identity().task_id};
    out.timestamp = {timestamp};
    const Origin& origin = task_->origin();
    if (origin.topic.empty()) return out;
    out.origin = RecordMetadata{std::string{origin.topic}, origin.partition, origin.offset};
    if (origin.bytes == nullptr) return out;
    if (origin.bytes->key) out.key.emplace(*origin.bytes->key);
    if (origin.bytes->value) out.value.emplace(*origin.bytes->value);
    if (origin.bytes->headers != nullptr) out.headers = *origin.bytes->headers;
    return out;
}

Result<void> ErrorJudge::send(const DeadLetter& letter) {
    Outgoing out{
        .topic = letter.topic, .timestamp = letter.timestamp.ms, .headers = &letter.headers};
    if (out.timestamp < 0) out.timestamp = task_->wall_time();
    if (letter.key) out.key = *letter.key;
    if (letter.value) out.value = *letter.value;
    return task_->send(out);
}

ErrorHandlers ErrorJudge::complete(ErrorHandlers given, const Settings& settings) {
    const auto fill = [](ErrorHandler& handler, bool goes_on) {
        if (!handler) handler = goes_on ? continue_on_error : fail_on_error;
    };
    fill(given.deserialization, settings.continue_undecodable);
    fill(given.processing, settings.continue_processing);
    fill(given.production, settings.continue_production);
    if (given.dead_letter_topic.empty()) given.dead_letter_topic = settings.dead_letter_topic;
    return given;
}

bool ErrorJudge::asks_about_output(const ErrorHandlers& handlers) {
    const Plain* plain = handlers.production.target<Plain>();
    const bool fails = !handlers.production || (plain != nullptr && *plain == &fail_on_error);
    return !fails || !handlers.dead_letter_topic.empty();
}

bool ErrorJudge::looks_at_source(const ErrorHandlers& handlers) {
    const auto looks = [](const ErrorHandler& handler) {
        if (!handler) return false;
        const Plain* plain = handler.target<Plain>();
        return plain == nullptr || (*plain != &fail_on_error && *plain != &continue_on_error);
    };
    return !handlers.dead_letter_topic.empty() || looks(handlers.processing) ||
           looks(handlers.production);
}

Result<ErrorAnswer> ErrorJudge::ask(const ErrorHandlers& handlers, Kind kind,
                                    const ErrorContext& context, const Error& error) {
    const ErrorHandler& handler = kind == Kind::kDeserialization ? handlers.deserialization
                                  : kind == Kind::kProcessing    ? handlers.processing
                                                                 : handlers.production;
    const std::string who = "the " + std::string{word_of(kind)} + " exception handler failed";
    Result<ErrorAnswer> answer = guarded(who, [&]() -> Result<ErrorAnswer> {
        return handler ? handler(context, error) : fail_on_error(context, error);
    });
    if (!answer) {
        Error both = with_cause(answer.error(), error);
        kLog.error("an exception handler failed",
                   {{"why", both.detail()}, {"task", context.task_id}, {"node", context.node}});
        return both;
    }
    if (!answer->dead_letters && !handlers.dead_letter_topic.empty())
        answer->dead_letters = {{dead_letter(handlers.dead_letter_topic, context, error)}};
    return answer;
}

UnwrittenRecord ErrorJudge::unwritten(const Outgoing& record, std::string_view topic) {
    UnwrittenRecord out{.topic = std::string{topic},
                        .partition = record.partition,
                        .timestamp = {record.timestamp},
                        .unencodable = record.unencodable};
    if (record.key) out.key.emplace(*record.key);
    if (record.value) out.value.emplace(*record.value);
    if (record.headers != nullptr) out.headers = *record.headers;
    return out;
}

ErrorContext ErrorJudge::context_of(const Outgoing& record, std::string_view topic) const {
    ErrorContext out = context_of(*record.sender, record.timestamp);
    out.output = unwritten(record, topic);
    return out;
}

Result<void> ErrorJudge::survive(const Failure& failure, Error error) {
    const Node& node = failure.node;
    ErrorContext context = context_of(node, failure.flow.timestamp);
    // A punctuation has none.
    if (context.origin && failure.kind != Kind::kDeserialization)
        context.record = RecordAtNode{failure.flow, node.input()};
    if (failure.output != nullptr)
        context.output = unwritten(*failure.output, failure.output->topic);
    LEAT_TRY(const ErrorAnswer answer, ask(handlers_, failure.kind, context, error));
    if (answer.dead_letters) {
        for (const DeadLetter& letter : *answer.dead_letters)
            if (Result<void> sent = send(letter); !sent) return with_cause(sent.error(), error);
    }
    if (answer.choice == ErrorChoice::kFail) return error;
    task_->drop(node, "skipped by a handler: " + std::string{error.detail()});
    return {};
}

}  // namespace leat::streams::detail
