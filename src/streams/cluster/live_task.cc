// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/live_task.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "streams/cluster/source_bytes.h"
#include "streams/failpoints.h"

namespace leat::streams {
namespace {

Error in_task(const TaskId& id, const Error& error) {
    return Error{error.code(), "task " + id.text() + ": " + std::string{error.detail()}};
}

/// Records of a changelog that are taken in before the thread looks after something else.
constexpr std::size_t kRestoreBatch = 2'000;
/// Of a task that holds too much, for acknowledgements; then it asks for a commit.
constexpr milliseconds kReliefWait{1'000};

}  // namespace

LiveTask::LiveTask(TaskId id, std::vector<client::TopicPartition> inputs,
                   TaskEnvironment environment)
    : id_(id),
      partitions_(std::move(inputs)),
      environment_(std::move(environment)),
      changelogs_(environment_.cluster, environment_.listener),
      inputs_(environment_),
      choice_(environment_.settings->idle_max),
      judge_(*environment_.handlers, *this) {
    identify({.application_id = environment_.settings->application_id,
              .task_id = id_.text(),
              .configs = &environment_.settings->given});
    for (const auto& [name, topic] : environment_.parts->repartition_topics())
        internal_names_.emplace(name, environment_.layout->cluster_name(name));
}

const Subtopology& LiveTask::subtopology() const {
    return environment_.layout->subtopologies().at(static_cast<std::size_t>(id_.subtopology));
}

LiveTask::~LiveTask() {
    close();
}

Result<void> LiveTask::open() {
    is_open_ = true;
    const bool on_disk = subtopology().keeps_state_on_disk();
    LEAT_TRY(open_state_, environment_.states->open_task(id_.text(), on_disk));
    detail::TaskIdentity self = identity();
    self.state_dir = open_state_.directory.path;
    identify(std::move(self));
    detail::TaskState& state = *open_state_.state;
    // Empty until it runs: a copy that is asked must not remember what the changelog then changes.
    // No bytes, no cache, as in Kafka Streams: one would not tell of deletions of nothing.
    if (environment_.settings->cache_bytes > 0) cache_ = std::make_shared<detail::CacheBudget>();
    state.cache_budget = cache_;
    const MetricSet::Tags tags{{"thread-id", environment_.thread}, {"task-id", id_.text()}};
    store_meters_ =
        std::make_unique<detail::StoreMeters>(environment_.metrics, tags, *environment_.clock);
    database_meter_ = std::make_unique<detail::DatabaseMeter>(environment_.metrics, tags, state);
    state.meters = [this](const detail::StoreSpec& spec) { return store_meters_->of(spec); };
    LEAT_TRY(graph_, detail::TaskGraph::make(*environment_.parts, subtopology().nodes, state));
    for (detail::StateStore* store : environment_.globals->stores()) graph_->give(*store);
    meters_ = std::make_unique<TaskMeters>(environment_.metrics, environment_.thread, id_.text(),
                                           *graph_, *environment_.clock);
    tell_time();
    LEAT_TRY_VOID(state.ready());
    LEAT_TRY_VOID(graph_->open_stores(*this));
    const ChangelogReader::Task of{.stores = subtopology().stores,
                                   .graph = *graph_,
                                   .state = state,
                                   .task = *this,
                                   .partition = id_.partition};
    written_changelogs_.clear();  // Of marks that are gone.
    LEAT_TRY_VOID(changelogs_.open(of, *environment_.layout));
    reach(FailStep::kRestoreOpened);
    return {};
}

Result<void> LiveTask::activate(std::vector<client::CommittedOffset> committed) {
    is_active_ = true;
    // A follower was made without inputs: they are not its own until now.
    partitions_.clear();
    for (const auto& one : committed) partitions_.push_back(one.where);
    start_at_ = std::move(committed);
    std::map<client::TopicPartition, std::int64_t> ends;
    for (const auto& one : start_at_)
        if (one.offset >= 0) ends[one.where] = one.offset;
    LEAT_TRY_VOID(changelogs_.set_ends(ends));
    reach(FailStep::kRestoreActivated);
    return {};
}

Result<bool> LiveTask::restore() {
    const std::int64_t before = changelogs_.restored();
    const std::int64_t taken = changelogs_.taken();
    LEAT_TRY(const bool done, changelogs_.restore(kRestoreBatch));
    if (changelogs_.taken() > taken) reach(FailStep::kRestoreBatch);
    tell_time();
    const std::int64_t came = changelogs_.restored() - before;
    if (is_active_)
        meters_->restored(came);
    else
        meters_->updated(came);
    meters_->remaining(changelogs_.remaining());
    if (!is_active_ || !done) return false;
    reach(FailStep::kRestoreDone);
    changelogs_.close();
    return true;
}

template <class Call>
std::invoke_result_t<Call> LiveTask::with_globals(Call call) {
    const GlobalState& globals = *environment_.globals;
    const auto hold = globals.is_empty() ? StateGuard::Reading{} : globals.guard().read();
    if (!globals.is_whole()) {
        has_lost_globals_ = true;
        return Error{Errc::kMalformed, "the global stores are being restored"};
    }
    auto done = call();
    has_lost_globals_ = !done && globals.is_damaged();
    return done;
}

Result<void> LiveTask::start() {
    // What nodes remember lies with the committed positions.
    LEAT_TRY_VOID(start_reading());
    if (cache_) cache_->shared = environment_.cache;
    Result<void> opened = with_globals([this] { return graph_->open_nodes(*this); });
    if (!opened) {
        // Nodes are opened anew at the next try, and plan their calls then.
        by_stream_time().clear();
        by_wall_time().clear();
        inputs_.stop();
        return opened;
    }
    is_running_ = true;
    reach(FailStep::kRestoreRunning);
    return {};
}

Result<void> LiveTask::start_reading() {
    LEAT_TRY(const TaskInputs::Remembered known, inputs_.open(partitions_, start_at_));
    for (const auto& [name, value] : known) {
        auto& mine = remembered_.emplace(name, value).first->second;
        mine = std::max(mine, value);
    }
    for (TaskInput& input : inputs_) {
        input.source = graph_->source_of(input.topic);
        LEAT_CHECK(input.source != nullptr);
        if (!environment_.layout->is_repartition(input.where.topic))
            input.source->set_default_time(environment_.settings->default_time);
        input.meter = meters_->consumed(input.source->name(), input.where.topic);
        stream_time_ = std::max(stream_time_, input.partition_time);
    }
    heads_.resize(inputs_.size());
    return inputs_.start();
}

Result<void> LiveTask::fill(TaskInput& input) {
    while (!input.has_head) {
        LEAT_TRY(const bool has_come, inputs_.fetch(input));
        if (!has_come) break;
        LEAT_TRY_VOID(stamp(input));
    }
    return {};
}

Error LiveTask::at(const TaskInput& input, std::int64_t offset, const Error& error) const {
    return Error{error.code(), "task " + id_.text() + ", " + input.where.topic + "-" +
                                   std::to_string(input.where.partition) + " offset " +
                                   std::to_string(offset) + ": " + std::string{error.detail()}};
}

Result<void> LiveTask::stamp(TaskInput& input) {
    const std::int64_t offset = input.head.record.offset.value;
    origin_ = {.topic = input.where.topic, .partition = input.where.partition, .offset = offset};
    const detail::SourceNode::Bytes bytes =
        source_bytes(input.head.record, input.topic, input.partition_time, headers_);
    Result<std::int64_t> time = input.source->stamp(bytes);
    if (time && *time >= 0) {
        input.head_time = *time;
        input.has_head = true;
        return {};
    }
    if (time) {
        drop(*input.source, "negative timestamp");
    } else {
        const Result<void> skipped = step_over(*input.source, bytes, std::move(time).error());
        if (!skipped) return at(input, offset, skipped.error());
    }
    input.position = offset + 1;
    needs_commit_ = true;
    return {};
}

Result<void> LiveTask::punctuate(detail::PunctuationQueue& queue, std::int64_t now) {
    if (!queue.due(now)) return {};
    const detail::Origin before = exchange_origin({});
    const Instant begin = environment_.clock->now();
    Result<void> done = queue.run(now);
    const auto took =
        std::chrono::duration_cast<std::chrono::nanoseconds>(environment_.clock->now() - begin);
    if (Sensor* sensor = meters_->punctuating()) sensor->record(took.count());
    if (environment_.on_punctuated) environment_.on_punctuated(took);
    exchange_origin(before);
    needs_commit_ = true;
    if (!done) return in_task(id_, done.error());
    return {};
}

Result<bool> LiveTask::process() {
    return with_globals([this] { return process_next(); });
}

Result<bool> LiveTask::process_next() {
    if (!by_wall_time().is_empty()) LEAT_TRY_VOID(punctuate(by_wall_time(), wall_time()));
    bool is_whole = true;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
        TaskInput& input = inputs_[i];
        if (!input.has_head) LEAT_TRY_VOID(fill(input));
        is_whole = is_whole && input.has_head;
        heads_[i] = {
            .present = input.has_head, .timestamp = input.head_time, .caught_up = input.at_end};
    }
    // Only a wait has to know the time.
    const auto next = choice_.next(heads_, is_whole ? Instant{} : environment_.clock->now());
    if (!next) return false;
    if (choice_.was_enforced()) meters_->enforced();
    LEAT_TRY_VOID(take(inputs_[*next]));
    return true;
}

Result<void> LiveTask::take(TaskInput& input) {
    input.has_head = false;
    const auto memory = std::move(input.head.memory);  // Until this is over.
    const client::ReceivedRecord& record = input.head.record;
    const std::int64_t offset = record.offset.value;
    detail::SourceNode::Bytes bytes =
        source_bytes(record, input.topic, input.partition_time, headers_);
    bytes.timestamp = input.head_time;
    origin_ = {.topic = input.where.topic,
               .partition = input.where.partition,
               .offset = offset,
               .bytes = &bytes};
    const auto times = std::pair{stream_time_, input.partition_time};  // for undecodable ones
    stream_time_ = std::max(stream_time_, input.head_time);
    input.partition_time = std::max(input.partition_time, input.head_time);
    needs_commit_ = true;
    if (input.meter.records != nullptr)
        input.meter.note(
            weight_of(input.where.topic, record.key, record.value, &headers_, kAbsentWeight));
    input.source->count({.timestamp = input.head_time});
    meters_->late(stream_time_ - input.head_time);
    const Stopwatch watch{meters_->processing(), *environment_.clock};
    Result<void> done = input.source->take(bytes);
    if (input.source->undecodable()) std::tie(stream_time_, input.partition_time) = times;
    if (!done) done = step_over(*input.source, bytes, std::move(done).error());
    origin_.bytes = nullptr;
    if (!done) return at(input, offset, done.error());
    input.position = offset + 1;
    return stream_time_ < 0 ? Result<void>{} : punctuate(by_stream_time(), stream_time_);
}

Result<void> LiveTask::flush() {
    const Result<void> done = with_globals([this] { return graph_->save(); });
    if (!done) return in_task(id_, done.error());
    return {};
}

std::optional<std::int64_t> LiveTask::remembered(std::string_view name) const {
    const auto found = remembered_.find(name);
    return found == remembered_.end() ? std::nullopt : std::optional{found->second};
}

void LiveTask::remember(std::string_view name, std::int64_t value) {
    remembered_.insert_or_assign(std::string{name}, value);
}

Result<void> LiveTask::committed() {
    inputs_.note_committed();
    detail::TaskState& state = *open_state_.state;
    if (!std::exchange(needs_commit_, false) && !state.is_overdue(graph_->stores())) return {};
    detail::TaskState::Offsets next;
    for (const auto& mark : changelogs_.marks()) {
        const TaskInput* input = mark->is_source ? inputs_.find(mark->where) : nullptr;
        const std::int64_t position = input != nullptr ? input->position : mark->acknowledged;
        if (position >= 0) next[mark->store->name()] = position;
    }
    return state.commit(graph_->stores(), next);
}

Result<bool> LiveTask::relieve() {
    tell_time();
    if (!is_full()) return false;
    LEAT_TRY(const bool is_written, write_early(kReliefWait));
    return !is_written;
}

Result<bool> LiveTask::write_early(milliseconds wait) {
    if (environment_.settings->exactly_once) return false;
    // Whoever is killed does the same records again, on the rows that are there by then. A store
    // that logs only where there was a row, or another one, logs nothing then: a change that was
    // not in the changelog yet, or is put off, would never come there.
    if (!put_off().is_empty() || !environment_.deliver(wait)) return false;
    LEAT_TRY_VOID(open_state_.state->write_early());
    return true;
}

void LiveTask::follow(const std::vector<client::PartitionOffset>& committed,
                      const std::map<client::TopicPartition, std::int64_t>& ends) {
    Position position;
    for (const auto& one : committed)
        if (one.where.partition == id_.partition && one.offset > 0 &&
            environment_.layout->reads(id_.subtopology, one.where.topic))
            position[one.where.topic][one.where.partition] = one.offset - 1;
    changelogs_.promise(position, ends);
}

void LiveTask::close() {
    if (!std::exchange(is_open_, false)) return;
    changelogs_.close();
    put_off().clear();
    inputs_.stop();
    is_running_ = false;
    if (graph_ && open_state_.state)
        ignore(open_state_.state->settle(graph_->stores()), "what is not kept is restored");
    graph_.reset();
    meters_.reset();
    store_meters_.reset();
    database_meter_.reset();
    environment_.states->close_task(id_.text(), std::move(open_state_));
}

std::int64_t LiveTask::wall_time() const {
    return environment_.clock->wall_now().value;
}

Result<void> LiveTask::survive(const detail::Node& node, const detail::Flow& flow, Error error) {
    return judge({.node = node, .flow = flow}, std::move(error));
}

Result<void> LiveTask::survive_unsent(const detail::Flow& flow, const detail::Outgoing& record,
                                      Error error) {
    detail::Outgoing named = record;
    named.topic = cluster_name(record.topic);
    return judge({.kind = detail::ErrorJudge::Kind::kProduction,
                  .node = *record.sender,
                  .flow = flow,
                  .output = &named},
                 std::move(error));
}

Result<void> LiveTask::judge(const detail::ErrorJudge::Failure& failure, Error error) {
    // Damaged state is no fault of the record that met it.
    const bool is_spoilt = is_damaged() || environment_.globals->is_damaged();
    if (failed_ || is_spoilt) {
        failed_ = true;
        return error;
    }
    Result<void> done = judge_.survive(failure, std::move(error));
    failed_ = !done;
    return done;
}

Result<void> LiveTask::step_over(const detail::SourceNode& source,
                                 const detail::SourceNode::Bytes& bytes, Error error) {
    if (failed_ || !source.undecodable()) return error;
    origin_.bytes = &bytes;
    const detail::Flow flow{.timestamp = bytes.timestamp};
    Result<void> done =
        judge({.kind = detail::ErrorJudge::Kind::kDeserialization, .node = source, .flow = flow},
              std::move(error));
    origin_.bytes = nullptr;
    return done;
}

}  // namespace leat::streams
