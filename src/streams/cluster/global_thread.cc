// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/global_thread.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "client/client_properties.h"
#include "leat/streams/detail/guarded.h"
#include "obs/log.h"
#include "streams/cluster/internal_topics.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kRetryPause{100};
/// Records of one partition before readers of the stores get their turn.
constexpr int kBatch = 500;
/// How often in a row damage may be met before the stores are complete.
constexpr int kDamagesMax = 4;

}  // namespace

GlobalThread::GlobalThread(const Environment& environment, GlobalEvents events)
    : settings_(*environment.settings),
      clock_(*environment.clock),
      state_(*environment.state),
      states_(environment.states),
      listener_(environment.listener),
      events_(std::move(events)) {}

GlobalThread::~GlobalThread() {
    stop();
}

void GlobalThread::start() {
    thread_ = rt::NamedThread{"stream-global", [this] {
                                  const Result<void> done =
                                      detail::guarded("global stores", [this] { return run(); });
                                  {
                                      const std::lock_guard lock{mutex_};
                                      waker_ = nullptr;
                                  }
                                  if (!done && !stopping_) events_.on_failure(done.error());
                                  reader_.reset();
                                  admin_.reset();
                              }};
}

void GlobalThread::stop() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    stopped_.notify_all();
    if (waker_ != nullptr) waker_->wake();
}

Result<void> GlobalThread::insist(const std::function<Result<void>()>& call) {
    Patience patience;
    for (;;) {
        Result<void> done = call();
        if (done || stopping_ || !may_pass(done.error().code()) ||
            !patience.lasts(clock_.now(), settings_.task_timeout))
            return done;
        kLog.warn("global topics not reached",
                  {{"code", done.error().code()}, {"why", done.error().detail()}});
        std::unique_lock lock{mutex_};
        stopped_.wait_for(lock, kRetryPause, [&] { return stopping_.load(); });
    }
}

Result<void> GlobalThread::connect() {
    const std::string name =
        (settings_.client_id.empty() ? settings_.application_id : settings_.client_id) +
        "-GlobalStreamThread";
    if (admin_ == nullptr) {
        std::vector<config::Property> properties = settings_.admin;
        client::set_property(properties, "client.id", name + "-admin");
        LEAT_TRY(admin_, client::Admin::connect(properties));
    }
    if (reader_ == nullptr) {
        std::vector<config::Property> properties = settings_.consumer;
        for (const auto& own : settings_.global_consumer)
            client::set_property(properties, own.name, own.value);
        client::set_property(properties, "client.id", name + "-consumer");
        LEAT_TRY(reader_, client::PartitionReader::open(properties));
    }
    const std::lock_guard lock{mutex_};
    waker_ = reader_.get();
    return {};
}

Result<void> GlobalThread::look_for_partitions() {
    look_at_ = clock_.now() + settings_.metadata_age;
    LEAT_TRY(const Layout::Counts counts, count_partitions(*admin_, state_.topics()));
    std::vector<client::TopicPartition> fresh;
    for (const auto& topic : state_.topics()) {
        const auto count = counts.find(topic);
        if (count == counts.end())
            return Error{Errc::kUnknownTopicOrPartition, "global topic '" + topic + "' is missing"};
        for (std::int32_t p = 0; p < count->second; ++p)
            if (const client::TopicPartition where{topic, p}; !places_.contains(where))
                fresh.push_back(where);
    }
    if (fresh.empty()) return {};
    if (places_.empty()) LEAT_TRY_VOID(bind_stores());
    std::map<client::TopicPartition, Place> found;
    LEAT_TRY_VOID(find_places(fresh, found));
    std::vector<client::StartAt> starts;
    starts.reserve(found.size());
    for (const auto& [where, place] : found) starts.push_back({where, Offset{place.next}});
    LEAT_TRY_VOID(reader_->add(starts));
    for (auto& [where, place] : found) {
        place.is_told = listener_ != nullptr && !is_complete_;
        if (place.is_told) listener_->on_restore_start(told_of(where), place.next, place.end);
        places_.emplace(where, place);
    }
    return {};
}

Result<void> GlobalThread::bind_stores() {
    LEAT_TRY(const auto known, admin_->describe_cluster(state_.topics()));
    const auto hold = state_.guard().write();
    for (const client::TopicInfo& topic : known.topics) {
        if (topic.code != Errc::kNone) return Error{topic.code, topic.name};
        LEAT_TRY_VOID(state_.bind(topic.name, topic.id.is_zero() ? "" : topic.id.text()));
    }
    return {};
}

Result<void> GlobalThread::find_places(const std::vector<client::TopicPartition>& fresh,
                                       std::map<client::TopicPartition, Place>& out) {
    LEAT_TRY(const auto begins, admin_->list_offsets(fresh, client::kEarliest));
    LEAT_TRY(const auto ends, admin_->list_offsets(fresh, client::kLatest, settings_.exactly_once));
    const auto hold = state_.guard().write();
    std::set<std::string> unfit;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        for (const auto* one : {&begins[i], &ends[i]})
            if (one->code != Errc::kNone) return Error{one->code, fresh[i].topic};
        const std::int64_t next = state_.next_offset(fresh[i]).value_or(begins[i].offset);
        out[fresh[i]] = {.next = next, .end = ends[i].offset};
        if (next < begins[i].offset || next > std::max(begins[i].offset, ends[i].offset))
            unfit.insert(fresh[i].topic);
    }
    for (const std::string& topic : unfit) {
        kLog.warn("the topic does not go on where the state ends: its store is restored whole",
                  {{"topic", topic}, {"store", state_.store_of(topic)}});
        LEAT_TRY_VOID(state_.wipe(topic));
    }
    for (std::size_t i = 0; i < fresh.size(); ++i)
        if (unfit.contains(fresh[i].topic)) out[fresh[i]].next = begins[i].offset;
    for (const auto& [where, place] : out) state_.note_place(where, place.next);
    return {};
}

RestoringStore GlobalThread::told_of(const client::TopicPartition& where) const {
    return {state_.store_of(where.topic), where.topic, where.partition};
}

void GlobalThread::tell_progress(const client::TopicPartition& where, Place& place,
                                 std::int64_t records) {
    if (!place.is_told) return;
    place.restored += records;
    if (records > 0) listener_->on_batch_restored(told_of(where), place.next, records);
    if (place.next < place.end) return;
    place.is_told = false;
    listener_->on_restore_end(told_of(where), place.restored);
}

Result<void> GlobalThread::keep() {
    std::map<client::TopicPartition, std::int64_t> next;
    for (const auto& [where, place] : places_) next[where] = place.next;
    const auto hold = state_.guard().write();
    is_changed_ = false;
    keep_at_ = clock_.now() + settings_.commit_interval;
    return state_.keep(next);
}

Result<void> GlobalThread::run() {
    LEAT_TRY_VOID(state_.open(states_));
    LEAT_TRY_VOID(insist([this]() -> Result<void> {
        LEAT_TRY_VOID(connect());
        return look_for_partitions();
    }));
    while (!stopping_) LEAT_TRY_VOID(turn());
    for (const auto& [where, place] : places_)
        if (place.is_told) listener_->on_restore_suspended(told_of(where), place.restored);
    // What is damaged is restored at the next start.
    return is_changed_ && !state_.is_damaged() ? keep() : Result<void>{};
}

Result<void> GlobalThread::turn() {
    bool any = false;
    state_.tell_time();
    Result<void> done = take_in(any);
    if (state_.is_damaged()) return heal(done);
    if (!done) return done;
    if (clock_.now() >= look_at_) {
        const Result<void> looked = look_for_partitions();
        if (state_.is_damaged()) return heal(looked);
        if (!looked)
            kLog.warn("global topics not looked at",
                      {{"code", looked.error().code()}, {"why", looked.error().detail()}});
    }
    return reader_->wait(any ? milliseconds{0} : settings_.poll);
}

Result<void> GlobalThread::take_in(bool& any) {
    {
        const auto hold = state_.guard().write();
        for (const auto& [where, place] : places_) LEAT_TRY_VOID(read(where, any));
        is_changed_ = is_changed_ || any;
    }
    const auto is_behind = [](const auto& one) { return one.second.next < one.second.end; };
    const bool completes = !is_complete_ && std::ranges::none_of(places_, is_behind);
    if (is_changed_ && (completes || state_.is_full() || clock_.now() >= keep_at_))
        LEAT_TRY_VOID(keep());
    if (!completes) return {};
    is_complete_ = true;
    damages_ = 0;
    state_.call_whole();
    kLog.info("global stores are complete", {{"partitions", places_.size()}});
    if (!std::exchange(is_ready_, true)) events_.on_ready();
    return {};
}

Result<void> GlobalThread::heal(const Result<void>& call) {
    const std::string why{call ? "met by who reads them" : call.error().detail()};
    if (++damages_ > kDamagesMax) return Error{call ? Errc::kMalformed : call.error().code(), why};
    kLog.error("global stores are damaged: they are restored from their topics", {{"why", why}});
    std::vector<client::TopicPartition> read;
    for (const auto& [where, place] : places_) {
        if (place.is_told) listener_->on_restore_suspended(told_of(where), place.restored);
        read.push_back(where);
    }
    LEAT_TRY_VOID(reader_->remove(read));
    places_.clear();
    is_complete_ = false;
    is_changed_ = false;
    {
        const auto hold = state_.guard().write();
        LEAT_TRY_VOID(state_.start_anew());
    }
    return insist([this] { return look_for_partitions(); });
}

Result<void> GlobalThread::read(const client::TopicPartition& where, bool& any) {
    Place& place = places_.at(where);
    std::int64_t records = 0;
    for (int i = 0; i < kBatch; ++i) {
        LEAT_TRY(client::PartitionEvent event, reader_->next(where));
        if (const auto* held = std::get_if<client::HeldRecord>(&event)) {
            LEAT_TRY_VOID(state_.apply(held->record));
            place.next = held->record.offset.value + 1;
            ++records;
        } else if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            place.next = std::max(place.next, end->offset.value);
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kOffsetOutOfRange)
                return Error{Errc::kOffsetOutOfRange, "global topic " + where.topic +
                                                          " no longer has offset " +
                                                          std::to_string(place.next)};
        } else {
            break;
        }
        any = true;
    }
    tell_progress(where, place, records);
    return {};
}

}  // namespace leat::streams
