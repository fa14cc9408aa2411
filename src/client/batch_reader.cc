// SPDX-License-Identifier: Apache-2.0
#include "client/batch_reader.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <iterator>
#include <string>
#include <utility>

#include "client/fetcher.h"
#include "client/leader_finder.h"

namespace leat::client {
namespace {

std::optional<std::string_view> text_of(const std::optional<Bytes>& bytes) {
    if (!bytes) return std::nullopt;
    return std::string_view{reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

void read_headers(const wire::RecordHeaders& encoded, std::vector<Header>& into) {
    into.clear();
    if (encoded.count == 0) return;
    wire::HeaderReader reader{encoded};
    while (const auto header = reader.next()) {
        Header& out = into.emplace_back();
        out.name = header->key;
        if (const auto value = text_of(header->value)) out.value = *value;
    }
}

}  // namespace

struct BatchReader::BatchLane final : Lane {
    explicit BatchLane(std::shared_ptr<FetchPartition> from) : partition(std::move(from)) {}

    std::shared_ptr<FetchPartition> partition;
    std::deque<Fetched> here;  ///< Taken from the board; the first is being read.
    std::size_t batch = 0;     ///< Of the first: the next to be opened.
    RecordCursor cursor;
    std::size_t given = 0;        ///< Of the first.
    std::optional<Error> broken;  ///< Nothing comes any more.

    bool break_at(const Error& why) {
        const TopicPartition& where = partition->where;
        broken = Error{why.code(), where.topic + "-" + std::to_string(where.partition) + ": " +
                                       std::string{why.detail()}};
        cursor.close();
        return false;
    }
};

BatchReader::BatchReader(FetchSettings settings, rt::Descriptor stop)
    : settings_(std::move(settings)), stop_(std::move(stop)), board_(settings_) {
    settings_.cluster.connection.stop = stop_.get();
    finder_ = rt::NamedThread{
        "fetch-leaders", [this] {
            const auto fetch = [this](std::int32_t node) {
                Fetcher{board_, settings_, node}.run();
            };
            LeaderFinder{
                board_,
                {.cluster = settings_.cluster, .pauses = settings_.pauses, .purpose = "fetch"},
                fetch}
                .run();
        }};
}

Result<std::unique_ptr<PartitionReader>> BatchReader::open(FetchSettings settings) {
    rt::Descriptor stop{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    if (!stop.is_open()) return Error{Errc::kIoError, "no event descriptor is left"};
    return std::unique_ptr<PartitionReader>{
        std::make_unique<BatchReader>(std::move(settings), std::move(stop))};
}

BatchReader::~BatchReader() {
    board_.stop();
    constexpr std::uint64_t kOne = 1;
    static_cast<void>(::write(stop_.get(), &kOne, sizeof kOne));
    finder_ = {};  // Waits for it, before anything that it uses goes.
}

Result<void> BatchReader::add(std::span<const StartAt> starts) {
    for (const StartAt& start : starts) {
        if (start.offset.value < 0) return Error{Errc::kUsage, "an offset is wanted"};
        if (lanes_.contains(start.where))
            return Error{Errc::kUsage, start.where.topic + " is read already"};
    }
    std::vector<std::shared_ptr<FetchPartition>> added;
    for (const StartAt& start : starts) {
        auto partition = std::make_shared<FetchPartition>(start);
        lanes_.insert_or_assign(start.where, std::make_unique<BatchLane>(partition));
        added.push_back(std::move(partition));
    }
    if (!added.empty()) board_.reader_add(std::move(added));
    return {};
}

Result<void> BatchReader::remove(std::span<const TopicPartition> where) {
    for (const TopicPartition& one : where) {
        const auto found = lanes_.find(one);
        if (found == lanes_.end()) continue;
        board_.reader_remove(*found->second->partition);
        lanes_.erase(found);
    }
    return {};
}

PartitionReader::Lane* BatchReader::lane(const TopicPartition& where) const {
    const auto found = lanes_.find(where);
    return found == lanes_.end() ? nullptr : found->second.get();
}

/// Opens the next batch; false: something else is to be told before, or nothing is there.
bool BatchReader::advance(BatchLane& lane) {
    while (!lane.broken) {
        if (lane.here.empty()) {
            std::vector<Fetched> came;
            board_.reader_take(*lane.partition, came);
            if (came.empty()) return false;
            std::ranges::move(came, std::back_inserter(lane.here));
        }
        Fetched& first = lane.here.front();
        if (lane.batch < first.batches.size()) {
            const wire::BatchView& batch = first.batches[lane.batch++];
            if (const Result<void> opened =
                    lane.cursor.open(batch, first.memory, settings_.rules.inflated_bytes_max);
                !opened)
                return lane.break_at(opened.error());
            if (lane.cursor.left() > 0) return true;
            continue;
        }
        if (!first.batches.empty()) {
            board_.reader_done(*lane.partition, first.bytes, first.records);
            first.batches.clear();
            first.memory = {};
            lane.cursor.close();
            lane.given = 0;
        }
        if (first.end || first.trouble || first.failure) return false;
        lane.batch = 0;
        lane.here.pop_front();
    }
    return false;
}

bool BatchReader::take(Lane& from, HeldRecord& into) {
    auto& lane = static_cast<BatchLane&>(from);
    wire::RecordView view;
    while (lane.cursor.left() > 0 || advance(lane)) {
        const wire::BatchHeader& header = lane.cursor.header();
        if (const char* why = lane.cursor.take(view))
            return lane.break_at(corrupt_batch(header.base_offset, why));
        ++lane.given;
        const Offset offset = header.offset(view.offset_delta);
        if (offset < lane.here.front().from) continue;
        ReceivedRecord& out = into.record;
        out.topic = lane.partition->where.topic;
        out.partition = lane.partition->where.partition;
        out.offset = offset;
        out.timestamp = header.timestamp(view.timestamp_delta);
        out.timestamp_type = header.timestamp_type() == wire::TimestampType::kLogAppendTime
                                 ? TimestampType::kLogAppendTime
                                 : TimestampType::kCreateTime;
        out.key = text_of(view.key);
        out.value = text_of(view.value);
        read_headers(view.headers, out.headers);
        KeptBytes& memory = lane.cursor.memory();
        memory.keep();
        into.memory = {&memory, KeptBytes::drop};
        return true;
    }
    return false;
}

Result<PartitionEvent> BatchReader::next(Lane& from) {
    auto& lane = static_cast<BatchLane&>(from);
    if (HeldRecord held; take(lane, held)) return PartitionEvent{std::move(held)};
    if (lane.broken) return Error{lane.broken->code(), lane.broken->detail()};
    if (lane.here.empty()) return PartitionEvent{Nothing{}};
    Fetched& first = lane.here.front();
    if (first.end)
        return PartitionEvent{ReachedEnd{lane.partition->where, *std::exchange(first.end, {})}};
    if (first.trouble)
        return PartitionEvent{Trouble{
            *std::exchange(first.trouble, {}),
            "what was to be read is gone, or was never there, at " + lane.partition->where.topic}};
    return *std::exchange(first.failure, {});
}

std::size_t BatchReader::waiting(const TopicPartition& where) const {
    const auto* found = static_cast<const BatchLane*>(lane(where));
    if (found == nullptr) return 0;
    const std::size_t all = board_.reader_waiting(*found->partition);
    return all - std::min(all, found->given);
}

std::int64_t BatchReader::end(const TopicPartition& where) const {
    const auto* found = static_cast<const BatchLane*>(lane(where));
    return found == nullptr ? -1 : board_.reader_end(*found->partition).value;
}

Result<void> BatchReader::wait(std::chrono::milliseconds wait) {
    return board_.reader_wait(wait);
}

void BatchReader::wake() {
    board_.wake();
}

}  // namespace leat::client
