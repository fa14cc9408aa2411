// SPDX-License-Identifier: Apache-2.0
#include "streams/global_thread.h"

#include <algorithm>
#include <string>
#include <utility>

#include "client/client_properties.h"
#include "obs/log.h"
#include "streams/internal_topics.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};
constexpr milliseconds kRetryPause{100};
/// Records of one partition before readers of the stores get their turn.
constexpr int kBatch = 500;

}  // namespace

GlobalThread::GlobalThread(const Settings& settings, const rt::Clock& clock, GlobalState& state,
                           GlobalEvents events)
    : settings_(settings), clock_(clock), state_(state), events_(std::move(events)) {}

GlobalThread::~GlobalThread() {
    stop();
}

void GlobalThread::start() {
    thread_ = rt::NamedThread{"stream-global", [this] {
                                  const Result<void> done = run();
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
    LEAT_TRY(const auto begins, admin_->list_offsets(fresh, client::kEarliest));
    LEAT_TRY(const auto ends, admin_->list_offsets(fresh, client::kLatest, settings_.exactly_once));
    std::vector<client::StartAt> starts;
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        for (const auto* one : {&begins[i], &ends[i]})
            if (one->code != Errc::kNone) return Error{one->code, fresh[i].topic};
        starts.push_back({fresh[i], Offset{begins[i].offset}});
    }
    LEAT_TRY_VOID(reader_->add(starts));
    for (std::size_t i = 0; i < fresh.size(); ++i)
        places_[fresh[i]] = {.next = begins[i].offset, .end = ends[i].offset};
    return {};
}

Result<void> GlobalThread::run() {
    LEAT_TRY_VOID(state_.open());
    LEAT_TRY_VOID(insist([this]() -> Result<void> {
        LEAT_TRY_VOID(connect());
        return look_for_partitions();
    }));
    while (!stopping_) LEAT_TRY_VOID(turn());
    return {};
}

Result<void> GlobalThread::turn() {
    bool any = false;
    {
        const auto hold = state_.guard().write();
        for (const auto& [where, place] : places_) LEAT_TRY_VOID(read(where, any));
    }
    const auto is_behind = [](const auto& one) { return one.second.next < one.second.end; };
    if (!is_ready_ && std::ranges::none_of(places_, is_behind)) {
        is_ready_ = true;
        kLog.info("global stores are complete", {{"partitions", places_.size()}});
        events_.on_ready();
    }
    if (clock_.now() >= look_at_) {
        const Result<void> looked = look_for_partitions();
        if (!looked)
            kLog.warn("global topics not looked at",
                      {{"code", looked.error().code()}, {"why", looked.error().detail()}});
    }
    return reader_->wait(any ? milliseconds{0} : settings_.poll);
}

Result<void> GlobalThread::read(const client::TopicPartition& where, bool& any) {
    Place& place = places_.at(where);
    for (int i = 0; i < kBatch; ++i) {
        LEAT_TRY(client::PartitionEvent event, reader_->next(where));
        if (const auto* held = std::get_if<client::HeldRecord>(&event)) {
            LEAT_TRY_VOID(state_.apply(held->record));
            place.next = held->record.offset.value + 1;
        } else if (const auto* end = std::get_if<client::ReachedEnd>(&event)) {
            place.next = std::max(place.next, end->offset.value);
        } else if (const auto* trouble = std::get_if<client::Trouble>(&event)) {
            if (trouble->code == Errc::kOffsetOutOfRange)
                return Error{Errc::kOffsetOutOfRange, "global topic " + where.topic +
                                                          " no longer has offset " +
                                                          std::to_string(place.next)};
        } else {
            return {};
        }
        any = true;
    }
    return {};
}

}  // namespace leat::streams
