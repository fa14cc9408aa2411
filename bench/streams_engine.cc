// SPDX-License-Identifier: Apache-2.0
//
// What StreamThread does between its clients, over clients that are played: LiveTask and
// ThreadOutput are its own.
#include "streams_engine.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "client/partition_reader.h"
#include "client/record_writer.h"
#include "leat/streams/partitioner.h"
#include "rt/clock.h"
#include "rt/posix_disk.h"
#include "streams/cluster/live_task.h"
#include "streams/cluster/thread_output.h"
#include "streams/cluster/thread_watch.h"
#include "streams/state/query_gate.h"
#include "streams_records.h"

namespace leat::bench {
namespace {

using namespace leat::streams;  // NOLINT(google-build-using-namespace): a program.
using client::TopicPartition;
using std::string;
using std::string_view;

/// As the topics of `bench/run`.
constexpr std::int32_t kPartitions = 4;
/// Records of one task before the next one's turn, as StreamThread's.
constexpr int kTurnRecords = 256;
/// Records of a topic that are made at a time: some megabytes.
constexpr std::int64_t kPiece = 50'000;
constexpr string_view kOut = "out";

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Records as they lie in what a broker answered: one behind the other.
/// Threading: one thread.
class PlayedInput final : public client::PartitionReader {
  public:
    /// Behind what is there. Precondition: nothing of it has been taken, or all.
    void give(const TopicPartition& where, string_view key, string_view value, std::int64_t time) {
        PlayedLane& lane = *lanes_.at(where);
        if (lane.taken > 0) {
            lane.bytes.clear();
            lane.rows.clear();
            lane.taken = 0;
        }
        lane.rows.push_back({.begin = lane.bytes.size(),
                             .key_size = key.size(),
                             .value_size = value.size(),
                             .time = time});
        lane.bytes.append(key).append(value);
        lane.tells_end = true;
    }
    [[nodiscard]] bool is_empty() const {
        return std::ranges::all_of(
            lanes_, [](const auto& one) { return one.second->taken == one.second->rows.size(); });
    }

    Result<void> add(std::span<const client::StartAt> starts) override {
        for (const client::StartAt& start : starts)
            lanes_.emplace(start.where, std::make_unique<PlayedLane>(start.where));
        return {};
    }
    Result<void> remove(std::span<const TopicPartition> where) override {
        for (const TopicPartition& one : where) lanes_.erase(one);
        return {};
    }
    [[nodiscard]] Lane* lane(const TopicPartition& where) const override {
        const auto found = lanes_.find(where);
        return found == lanes_.end() ? nullptr : found->second.get();
    }
    bool take(Lane& from, client::HeldRecord& into) override {
        auto& lane = static_cast<PlayedLane&>(from);
        if (lane.taken == lane.rows.size()) return false;
        const Row& row = lane.rows[lane.taken++];
        const string_view bytes{lane.bytes};
        client::ReceivedRecord& out = into.record;
        out.topic = lane.where.topic;
        out.partition = lane.where.partition;
        out.offset = Offset{lane.next++};
        out.timestamp = WallMs{row.time};
        out.timestamp_type = client::TimestampType::kCreateTime;
        out.key = bytes.substr(row.begin, row.key_size);
        out.value = bytes.substr(row.begin + row.key_size, row.value_size);
        out.headers.clear();
        return true;
    }
    [[nodiscard]] std::int64_t end(const TopicPartition& where) const override {
        const auto found = lanes_.find(where);
        if (found == lanes_.end()) return -1;
        const PlayedLane& lane = *found->second;
        return lane.next + static_cast<std::int64_t>(lane.rows.size() - lane.taken);
    }
    Result<client::PartitionEvent> next(Lane& from) override {
        if (client::HeldRecord held; take(from, held))
            return client::PartitionEvent{std::move(held)};
        auto& lane = static_cast<PlayedLane&>(from);
        if (std::exchange(lane.tells_end, false))
            return client::PartitionEvent{client::ReachedEnd{lane.where, Offset{lane.next}}};
        return client::PartitionEvent{client::Nothing{}};
    }
    [[nodiscard]] std::size_t waiting(const TopicPartition& where) const override {
        const auto found = lanes_.find(where);
        return found == lanes_.end() ? 0 : found->second->rows.size() - found->second->taken;
    }
    Result<void> wait(std::chrono::milliseconds /*wait*/) override { return {}; }
    void wake() override {}

  private:
    struct Row {
        std::size_t begin = 0;
        std::size_t key_size = 0;
        std::size_t value_size = 0;
        std::int64_t time = -1;
    };
    struct PlayedLane final : Lane {
        explicit PlayedLane(TopicPartition of) : where(std::move(of)) {}
        TopicPartition where;
        string bytes;
        std::vector<Row> rows;
        std::size_t taken = 0;
        std::int64_t next = 0;   ///< Offset of the next one.
        bool tells_end = false;  ///< When all is taken.
    };
    std::map<TopicPartition, std::unique_ptr<PlayedLane>> lanes_;
};

/// Output that is to be checked, one record behind the other, as a producer copies it. Changes of
/// stores are for nobody.
/// Threading: one thread.
class Collected {
  public:
    void take(const client::OutgoingRecord& record) {
        const string_view key = record.key.value_or("");
        const string_view value = record.value.value_or("");
        sizes_.emplace_back(key.size(), value.size());
        bytes_.append(key).append(value);
    }
    /// How many there were.
    std::int64_t check(Checker& checker) {
        string_view rest{bytes_};
        for (const auto& [key_size, value_size] : sizes_) {
            checker.take(rest.substr(0, key_size), rest.substr(key_size, value_size));
            rest.remove_prefix(key_size + value_size);
        }
        const auto count = static_cast<std::int64_t>(sizes_.size());
        sizes_.clear();
        bytes_.clear();
        return count;
    }

  private:
    string bytes_;
    std::vector<std::pair<std::size_t, std::size_t>> sizes_;
};

/// Acknowledges everything at the next poll.
/// Threading: one thread.
class PlayedWriter final : public client::RecordWriter {
  public:
    PlayedWriter(Collected& collected, OnDelivery on_delivery, Reports reports)
        : collected_(collected),
          on_delivery_(std::move(on_delivery)),
          reports_all_(reports == Reports::kAll) {}

    Result<bool> send(string_view topic, const client::OutgoingRecord& record) override {
        if (topic == kOut) collected_.take(record);
        if (reports_all_) tags_.push_back(record.tag);
        return true;
    }
    Result<std::int32_t> partition_count(string_view /*topic*/, milliseconds /*wait*/) override {
        return kPartitions;
    }
    void poll(milliseconds /*wait*/) override {
        client::Delivery delivery;
        for (const std::uint64_t tag : tags_) {
            delivery.tag = tag;
            delivery.offset = Offset{offset_++};
            on_delivery_(delivery);
        }
        tags_.clear();
    }
    [[nodiscard]] std::size_t in_flight() const override { return tags_.size(); }
    Result<void> flush(milliseconds wait) override {
        poll(wait);
        return {};
    }
    Result<void> init_transactions(milliseconds /*wait*/) override { return {}; }
    Result<void> begin() override { return {}; }
    [[nodiscard]] bool resumes_offsets() const override { return true; }
    Result<void> send_offsets(const client::GroupIdentity& /*as*/,
                              std::span<const client::CommittedOffset> /*offsets*/,
                              milliseconds /*wait*/) override {
        return {};
    }
    Result<void> commit(milliseconds /*wait*/) override { return {}; }
    Result<void> abort(milliseconds /*wait*/) override { return {}; }
    [[nodiscard]] bool must_abort() const override { return false; }
    [[nodiscard]] bool is_fatal() const override { return false; }

  private:
    Collected& collected_;
    OnDelivery on_delivery_;
    bool reports_all_;
    std::vector<std::uint64_t> tags_;
    std::int64_t offset_ = 0;
};

/// Changelogs that are empty.
ChangelogReader::Cluster no_changelogs() {
    return {.offsets_of = [](std::span<const TopicPartition> where,
                             std::int64_t /*timestamp*/) -> Result<std::vector<std::int64_t>> {
                return std::vector<std::int64_t>(where.size());
            },
            .ids_of = [](std::span<const string> topics) -> Result<std::vector<string>> {
                return std::vector<string>(topics.size());
            },
            .kept_ms_of = [](const string&, const detail::StoreSpec&) -> Result<std::int64_t> {
                return std::numeric_limits<std::int64_t>::max();
            },
            .add = [](std::span<const client::StartAt>) -> Result<void> { return {}; },
            .remove = [](std::span<const TopicPartition>) -> Result<void> { return {}; },
            .next = [](const TopicPartition&) -> Result<client::PartitionEvent> {
                return client::PartitionEvent{client::Nothing{}};
            }};
}

/// A thread's tasks, its output and its commits.
/// Threading: one thread.
class Engine {
  public:
    Engine(const Topology& topology, Settings settings)
        : settings_(std::move(settings)),
          topology_(topology.placed({}, settings_.dsl_store)),
          layout_(topology_.parts(), settings_.application_id),
          handlers_(detail::ErrorJudge::complete({}, settings_)),
          globals_(topology_.parts(), settings_.application_id, handlers_, clock_),
          room_(settings_.recording, settings_.samples),
          output_(output_environment()) {}
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Tasks run then, and read the partitions of these topics.
    Result<void> open(const Layout::Counts& topics) {
        LEAT_TRY(states_,
                 detail::StateHome::open(disk_, clock_,
                                         {.application_id = settings_.application_id,
                                          .fresh_id = "00000000-0000-0000-0000-000000000000",
                                          .persistent = layout_.keeps_state_on_disk()}));
        LEAT_TRY_VOID(output_.open());
        cache_->bytes_max = static_cast<std::size_t>(settings_.cache_bytes);
        for (const auto& [id, inputs] : layout_.tasks(topics)) {
            auto task = std::make_unique<LiveTask>(id, inputs, task_environment());
            LEAT_TRY_VOID(task->open());
            std::vector<client::CommittedOffset> starts;
            starts.reserve(inputs.size());
            for (const TopicPartition& where : inputs) starts.push_back({where, 0});
            LEAT_TRY_VOID(task->activate(std::move(starts)));
            LEAT_TRY(const bool is_whole, task->restore());
            if (!is_whole) return Error{Errc::kUsage, "there was something to restore"};
            LEAT_TRY_VOID(task->start());
            tasks_.emplace(id, std::move(task));
        }
        resume();
        return {};
    }

    [[nodiscard]] PlayedInput& input() noexcept { return input_; }
    [[nodiscard]] Collected& collected() noexcept { return collected_; }

    /// Around what is no work of the thread: its next commit waits as long.
    void pause() { left_ = next_commit_ - clock_.now(); }
    void resume() { next_commit_ = clock_.now() + left_; }

    /// Until the input that was given is processed.
    Result<void> work() {
        for (bool worked = true; worked;) {
            worked = false;
            LEAT_TRY_VOID(turn(worked));
        }
        if (input_.is_empty()) return {};
        return Error{Errc::kUsage, "tasks leave input behind"};
    }
    Result<void> commit() {
        for (const auto& [id, task] : tasks_) LEAT_TRY_VOID(task->flush());
        for (const auto& [id, task] : tasks_) positions_ += task->positions().size();
        for (bool has_logged = true; has_logged;) {
            LEAT_TRY_VOID(flush_output());
            has_logged = false;
            for (const auto& [id, task] : tasks_) {
                LEAT_TRY(const bool had_any, task->put_off().log(*task));
                has_logged = has_logged || had_any;
            }
        }
        for (const auto& [id, task] : tasks_) LEAT_TRY_VOID(task->committed());
        commit_asked_ = false;
        next_commit_ = clock_.now() + settings_.commit_interval;
        return {};
    }

  private:
    void step() { steps_.fetch_add(1, std::memory_order_relaxed); }
    Result<void> flush_output() {
        const detail::WorkOutside outside{gate_};
        return output_.flush();
    }
    Result<void> turn(bool& worked) {
        step();
        const detail::WorkInside inside{gate_};
        gate_.breathe();
        for (const auto& [id, task] : tasks_) LEAT_TRY_VOID(process_some(*task, worked));
        output_.poll();
        if (output_.has_failed()) return *output_.take_failure();
        if (commit_asked_ || clock_.now() >= next_commit_) return commit();
        return {};
    }
    Result<void> process_some(LiveTask& task, bool& worked) {
        const Instant begin = clock_.now();
        for (int i = 0; i < kTurnRecords; ++i) {
            gate_.breathe();
            step();
            LEAT_TRY(const bool any, task.process());
            if (!any) break;
            worked = true;
        }
        task.meters().took(clock_.now() - begin);
        LEAT_TRY(const bool is_full, task.relieve());
        if (task.take_commit_request() || is_full) commit_asked_ = true;
        return {};
    }

    ThreadOutput::Environment output_environment() {
        return {.settings = &settings_,
                .handlers = &handlers_,
                .clock = &clock_,
                .client_id = "engine",
                .has_changelogs =
                    std::ranges::any_of(layout_.subtopologies(), &Subtopology::is_stateful),
                .on_step = [this] { step(); },
                .is_stopping = [] { return false; },
                .task_of_change = [](const ChangelogMark&) { return string{}; },
                .on_dropped = [](const ErrorContext&) {},
                .open_writer = [this](const std::vector<client::Property>& /*properties*/,
                                      client::RecordWriter::OnDelivery on_delivery,
                                      client::RecordWriter::Reports reports)
                    -> Result<std::unique_ptr<client::RecordWriter>> {
                    return std::unique_ptr<client::RecordWriter>{std::make_unique<PlayedWriter>(
                        collected_, std::move(on_delivery), reports)};
                }};
    }
    TaskEnvironment task_environment() {
        return {.settings = &settings_,
                .parts = &topology_.parts(),
                .layout = &layout_,
                .reader = &input_,
                .clock = &clock_,
                .handlers = &handlers_,
                .globals = &globals_,
                .send =
                    [this](string_view topic, const client::OutgoingRecord& record) {
                        return output_.send(topic, record);
                    },
                .deliver = [](std::chrono::milliseconds) { return true; },
                .partitions_of = [this](string_view topic) { return output_.partitions_of(topic); },
                .cluster = no_changelogs(),
                .states = states_.get(),
                .cache = cache_,
                .metrics = &room_,
                .thread = "engine",
                .offset_at = [](const TopicPartition&, std::int64_t) -> Result<std::int64_t> {
                    return 0;
                }};
    }

    Settings settings_;
    const rt::Clock& clock_ = rt::system_time();
    Topology topology_;
    Layout layout_;
    ErrorHandlers handlers_;
    rt::PosixDisk disk_;
    std::unique_ptr<detail::StateHome> states_;
    GlobalState globals_;
    MetricRoom room_;
    std::shared_ptr<detail::CacheBudget> cache_ = std::make_shared<detail::CacheBudget>();
    detail::QueryGate gate_;
    ThreadWatch::Steps steps_ = 0;
    Collected collected_;
    PlayedInput input_;
    ThreadOutput output_;
    Instant next_commit_{};
    std::chrono::nanoseconds left_{settings_.commit_interval};
    bool commit_asked_ = false;
    std::size_t positions_ = 0;
    std::map<TaskId, std::unique_ptr<LiveTask>> tasks_;
};

/// Records of the input that are there at once.
class Pieces {
  public:
    Pieces(Engine& engine, const Given& given, bool is_joined)
        : engine_(engine), given_(given), is_joined_(is_joined) {}

    /// How many there are.
    std::int64_t give(std::int64_t first, std::int64_t end) {
        for (std::int64_t i = first; i < end; ++i) {
            give("in", i, Stream::kLeft);
            if (is_joined_) give("right", i, Stream::kRight);
        }
        return (end - first) * (is_joined_ ? 2 : 1);
    }

  private:
    void give(const char* topic, std::int64_t number, Stream stream) {
        const string key = key_text(key_number(number, given_.keys, stream));
        engine_.input().give({topic, partition_for_key(key, kPartitions)}, key, value_text(number),
                             time_of(number, given_.base_ms));
    }

    Engine& engine_;
    const Given& given_;
    bool is_joined_;
};

}  // namespace

Result<EngineRun> run_engine(const Topology& topology, const string& name, const Given& given,
                             const std::vector<config::Property>& settings) {
    LEAT_TRY(Settings read, read_settings(settings));
    Engine engine{topology, std::move(read)};
    LEAT_TRY_VOID(engine.open({{"in", kPartitions}, {"right", kPartitions}}));
    const auto checker = make_checker(name, given);
    Pieces pieces{engine, given, name == "join"};
    EngineRun out;
    for (std::int64_t first = 0; first < given.records; first += kPiece) {
        const std::int64_t end = std::min(first + kPiece, given.records);
        engine.pause();
        const std::int64_t count = pieces.give(first, end);
        engine.resume();
        const double begin = cpu_seconds();
        LEAT_TRY_VOID(engine.work());
        if (end == given.records) LEAT_TRY_VOID(engine.commit());
        // The first part warms caches, as the application's warm-up does.
        if (first >= given.records * 2 / 5) {
            out.cpu_seconds += cpu_seconds() - begin;
            out.records += count;
        }
        engine.pause();
        out.outputs += engine.collected().check(*checker);
        engine.resume();
    }
    out.expected = checker->expected();
    out.wrong = checker->wrong();
    return out;
}

}  // namespace leat::bench
