// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/thread_output.h"

#include <algorithm>
#include <iterator>

#include "obs/log.h"
#include "streams/cluster/output_tag.h"
#include "streams/cluster/trouble.h"
#include "streams/error_judge.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kInitSlice{1'000};
constexpr milliseconds kFullPause{100};
constexpr milliseconds kLastWords{5'000};
/// Between two steps while the cluster is waited for: that is no thread that hangs.
constexpr milliseconds kSlice{1'000};

}  // namespace

ThreadOutput::ThreadOutput(Environment environment)
    : environment_(std::move(environment)), settings_(*environment_.settings) {}

ThreadOutput::~ThreadOutput() = default;

Result<void> ThreadOutput::open() {
    std::vector<config::Property> properties = settings_.producer;
    client::set_property(properties, "client.id", environment_.client_id);
    if (settings_.exactly_once)
        client::set_property(properties, "transactional.id", environment_.transactional_id);
    close();
    // Of what was acknowledged only changelogs are told, and who keeps what output came from.
    const bool asks_for_all = environment_.has_changelogs ||
                              detail::ErrorJudge::asks_about_output(*environment_.handlers);
    using Reports = client::RecordWriter::Reports;
    LEAT_TRY(writer_, environment_.open_writer(
                          properties, [this](const client::Delivery& d) { note_delivery(d); },
                          asks_for_all ? Reports::kAll : Reports::kFailures));
    if (!settings_.exactly_once) return {};
    Patience patience;
    for (;;) {
        environment_.on_step();  // In slices, so that closing does not wait for an absent broker.
        Result<void> done =
            writer_->init_transactions(std::min(kInitSlice, settings_.task_timeout));
        if (done || environment_.is_stopping() || writer_->is_fatal() ||
            !may_pass(done.error().code()) ||
            !patience.lasts(environment_.clock->now(), settings_.task_timeout))
            return done;
    }
}

void ThreadOutput::close() {
    writer_.reset();
    sources_.clear();
    letters_.clear();
    failure_.reset();
    in_transaction_ = false;
}

Result<void> ThreadOutput::send(std::string_view topic, const client::OutgoingRecord& record) {
    Result<void> done = hand_over(topic, record);
    // Of what is not taken no delivery tells.
    if (!done && (record.tag & kSourceTag) != 0) sources_.erase(record.tag);
    return done;
}

Result<void> ThreadOutput::hand_over(std::string_view topic, const client::OutgoingRecord& record) {
    if (settings_.exactly_once) LEAT_TRY_VOID(begin());
    for (;;) {
        Result<bool> taken = writer_->send(topic, record);
        if (!taken) {
            // A transaction that failed takes nothing more; why comes with the deliveries.
            if (settings_.exactly_once) writer_->poll(milliseconds{0});
            return std::move(taken).error();
        }
        if (*taken) return {};
        environment_.on_step();
        writer_->poll(kFullPause);
    }
}

Result<std::int32_t> ThreadOutput::partitions_of(std::string_view topic) {
    const Instant now = environment_.clock->now();
    const auto known = partition_counts_.find(topic);
    if (known != partition_counts_.end() && now - known->second.asked < settings_.metadata_age)
        return known->second.count;
    std::int32_t count = 0;
    LEAT_TRY_VOID(in_slices([&](milliseconds wait) -> Result<void> {
        LEAT_TRY(count, writer_->partition_count(topic, wait));
        return {};
    }));
    partition_counts_.insert_or_assign(std::string{topic}, PartitionCount{count, now});
    return count;
}

std::uint64_t ThreadOutput::keep_source(ErrorContext source) {
    const std::uint64_t tag = (++last_source_ << 1U) | kSourceTag;
    sources_.emplace(tag, std::move(source));
    return tag;
}

Result<void> ThreadOutput::in_slices(const std::function<Result<void>(milliseconds)>& call) {
    const Instant end = environment_.clock->now() + settings_.task_timeout;
    for (;;) {
        environment_.on_step();
        const auto left = std::chrono::duration_cast<milliseconds>(end - environment_.clock->now());
        Result<void> done = call(std::clamp(left, milliseconds{0}, kSlice));
        const bool goes_on = !done && done.error().code() == Errc::kTimedOut && left > kSlice;
        if (!goes_on || is_broken()) return done;
    }
}

Result<void> ThreadOutput::flush() {
    return in_slices([this](milliseconds wait) { return writer_->flush(wait); });
}

bool ThreadOutput::deliver(milliseconds wait) {
    environment_.on_step();
    if (!is_delivered()) ignore(writer_->flush(wait), "what is left is seen below");
    return is_delivered() && !has_failed() && !has_letters();
}

Result<void> ThreadOutput::send_letters() {
    // Sending may report more of them.
    while (!letters_.empty())
        for (const DeadLetter& letter : std::exchange(letters_, {})) {
            std::vector<client::Header> headers;
            headers.reserve(letter.headers.size());
            for (const Header& header : letter.headers)
                headers.push_back({header.name, header.value});
            client::OutgoingRecord out{
                .key = letter.key, .value = letter.value, .headers = &headers};
            out.timestamp_ms = std::max<std::int64_t>(letter.timestamp.ms, -1);
            LEAT_TRY_VOID(send(letter.topic, out));
        }
    return {};
}

Result<void> ThreadOutput::send_last_words() {
    if (writer_ == nullptr) return {};
    if (settings_.exactly_once) {
        // Readers and who takes over would wait for a transaction until its time is over.
        if (!std::exchange(in_transaction_, false) || writer_->is_fatal()) return {};
        return writer_->abort(kSlice);
    }
    // Output is repeated by who takes over, but a dead letter about what ended this thread is not.
    LEAT_TRY_VOID(send_letters());
    return writer_->flush(kLastWords);
}

Result<void> ThreadOutput::survive_refusal(std::uint64_t tag, Error error) {
    const auto found = sources_.find(tag);
    // A transaction does not outlive a record that was refused.
    if (found == sources_.end() || settings_.exactly_once || !is_fault_of_record(error.code()))
        return error;
    const ErrorContext& source = found->second;
    LEAT_TRY(ErrorAnswer answer,
             detail::ErrorJudge::ask(*environment_.handlers, detail::ErrorJudge::Kind::kProduction,
                                     source, error));
    if (answer.dead_letters)
        letters_.insert(letters_.end(), std::make_move_iterator(answer.dead_letters->begin()),
                        std::make_move_iterator(answer.dead_letters->end()));
    if (answer.choice != ErrorChoice::kContinue) return error;
    const RecordMetadata from = source.origin.value_or(RecordMetadata{});
    kLog.warn("output left out", {{"to", source.output ? source.output->topic : ""},
                                  {"why", error.detail()},
                                  {"task", source.task_id},
                                  {"node", source.node},
                                  {"topic", from.topic},
                                  {"partition", from.partition},
                                  {"offset", from.offset}});
    environment_.on_dropped(source);
    return {};
}

Error ThreadOutput::refusal_of(const client::Delivery& delivery) const {
    std::string sender;
    if (const auto id = task_of(delivery.tag)) sender = id->text();
    if (const auto source = sources_.find(delivery.tag); source != sources_.end())
        sender = source->second.task_id;
    if (const ChangelogMark* mark = mark_of(delivery.tag))
        sender = environment_.task_of_change(*mark);
    return Error{delivery.code, (sender.empty() ? "" : "task " + sender + ": ") + "output to " +
                                    place_of(delivery.topic, delivery.partition) +
                                    " was not acknowledged: " + std::string{delivery.reason}};
}

void ThreadOutput::note_delivery(const client::Delivery& delivery) {
    if (delivery.code != Errc::kNone) {
        Result<void> done = survive_refusal(delivery.tag, refusal_of(delivery));
        // Records that were dropped because of another one do not say why.
        if (!done && (!failure_ || failure_->code() == Errc::kCancelled))
            failure_ = std::move(done).error();
    }
    if ((delivery.tag & kSourceTag) != 0) sources_.erase(delivery.tag);
    ChangelogMark* mark = mark_of(delivery.tag);
    if (delivery.code == Errc::kNone && mark != nullptr)
        mark->acknowledged = std::max(mark->acknowledged, delivery.offset.value + 1);
}

Result<void> ThreadOutput::begin() {
    if (in_transaction_) return {};
    LEAT_TRY_VOID(writer_->begin());
    in_transaction_ = true;
    return {};
}

Result<void> ThreadOutput::send_offsets(const client::GroupIdentity& as,
                                        const std::vector<client::CommittedOffset>& positions) {
    const auto call = [&](milliseconds wait) { return writer_->send_offsets(as, positions, wait); };
    return writer_->resumes_offsets() ? in_slices(call) : call(settings_.task_timeout);
}

Result<void> ThreadOutput::commit() {
    LEAT_TRY_VOID(in_slices([this](milliseconds wait) { return writer_->commit(wait); }));
    in_transaction_ = false;
    return {};
}

Result<void> ThreadOutput::abort() {
    in_transaction_ = false;
    const bool aborted = !writer_->is_fatal() && writer_->abort(settings_.task_timeout).has_value();
    // A fenced or broken producer is of no more use.
    if (!aborted) LEAT_TRY_VOID(open());
    failure_.reset();  // Of what was just dropped.
    return {};
}

}  // namespace leat::streams
