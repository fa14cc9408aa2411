// SPDX-License-Identifier: Apache-2.0
#include "storage_sim.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "rt/task.h"
#include "storage/directory_health.h"
#include "storage_sim_parts.h"

namespace leat::sim {
namespace {

using storage::Partition;
using namespace std::chrono_literals;

constexpr const char* kFolder = "/data";

}  // namespace

void StorageSim::Ear::on_advanced(Partition& partition) {
    sim_.note(place_.model.watermarks(partition.log_start(), partition.high_watermark()));
}

StorageSim::StorageSim(std::uint64_t seed, storage::Faults faults)
    : random_(seed),
      openings_(~seed),
      world_(random_.next()),
      disk_(random_.next(), {.sync_commits_names = random_.percent(50), .cold_percent = 10}),
      faults_(faults),
      broker_(std::make_shared<config::BrokerConfig>()),
      pool_(world_.add_pool()) {
    broker_->tail_buffer_bytes = random_.percent(50) ? 4096 : 0;
    broker_->retention_check_interval_ms = 5'000;
    broker_->producer_id_expiration_check_ms = 5'000;
    // A scrub that waits for its share would outlive a life that ends without a stop.
    broker_->scrub_interval_ms = 0;
    for (std::uint64_t i = 0, count = 1 + random_.below(2); i < count; ++i)
        executors_.push_back(&world_.add_executor());
    const std::array durabilities{config::Durability::kSync, config::Durability::kSync,
                                  config::Durability::kInterval, config::Durability::kOs};
    const bool all_sync = random_.percent(40);
    for (std::uint64_t i = 0, count = 2 + random_.below(7); i < count; ++i) {
        auto topic = std::make_shared<config::TopicConfig>();
        topic->durability =
            i == 0 || all_sync ? config::Durability::kSync : durabilities.at(random_.below(4));
        topic->segment_bytes = static_cast<std::int32_t>(random_.between(4'000, 40'000));
        topic->index_interval_bytes = static_cast<std::int32_t>(random_.between(200, 4'000));
        topic->file_delete_delay_ms = 1'000;
        storage::PartitionSpec spec;
        spec.topic = "topic-" + std::to_string(i);
        spec.id = {.topic = Uuid::from_random(i + 1, 1), .index = static_cast<std::int32_t>(i)};
        spec.config = topic;
        const bool is_durable = topic->durability == config::Durability::kSync;
        places_.push_back(
            std::unique_ptr<Place>{new Place{.spec = spec,
                                             .shard = i % executors_.size(),
                                             .model = PartitionModel{spec.folder(), is_durable},
                                             .partition = nullptr,
                                             .ear = nullptr}});
    }
    for (std::uint64_t i = 0, count = 2 + random_.below(8); i < count; ++i) {
        auto producer = std::make_unique<Producer>();
        producer->number = i + 1;
        producer->place = places_[random_.below(places_.size())].get();
        // One whose batches may be lost with a promise kept has no use for sequences.
        producer->is_idempotent = producer->place->model.is_durable() && random_.percent(70);
        if (producer->is_idempotent) producer->place->model.add_idempotent(producer->number);
        producers_.push_back(std::move(producer));
    }
    add_transactors();
}

StorageSim::~StorageSim() = default;

void StorageSim::note(std::string wrong) {
    if (!wrong.empty() && outcome_.wrong.empty()) outcome_.wrong = std::move(wrong);
}

Outcome StorageSim::run() {
    const std::uint64_t lives = 2 + random_.below(5);
    for (std::uint64_t i = 0; i < lives && !has_failed(); ++i) {
        open();
        check_all();
        live();
        end_life();
        ++outcome_.restarts;
    }
    if (has_failed()) return outcome_;
    open();
    check_all();
    // Without faults everything must get through in the end.
    world_.run_until(
        [&] {
            if (!end_transactions()) return has_failed();
            for (const auto& producer : producers_)
                if (producer->must_resend && calls_ == 0) resend(*producer);
            return has_failed() || std::ranges::all_of(producers_, [](const auto& producer) {
                       return producer->unacked.empty();
                   });
        },
        10s);
    for (const auto& producer : producers_)
        if (!producer->unacked.empty())
            note("producer " + std::to_string(producer->number) + " cannot go on");
    if (!end_transactions()) note("a transaction cannot be ended");
    check_all();
    for (const auto& place : places_)
        if (place->partition->last_stable() != place->partition->high_watermark())
            note(place->spec.folder() + ": nothing is open, and readers are held back at " +
                 std::to_string(place->partition->last_stable().value));
    stop_clean();
    return outcome_;
}

void StorageSim::open() {
    registry_ = std::make_unique<obs::Registry>(1);
    metrics_ = std::make_unique<storage::Metrics>(*registry_);
    files_ = std::make_unique<storage::FileCache>(disk_, 4 + random_.below(40));
    auto directory = storage::DataDirectory::open(disk_, kFolder, 1);
    if (!directory) return note("directory: " + std::string{directory.error().detail()});
    directory_ = *std::move(directory);
    if (directory_->was_clean() != was_clean_ && !may_be_clean_)
        note("a stop was taken for another kind of stop");
    was_clean_ = false;
    may_be_clean_ = false;
    is_broken_ = lacks_descriptors_ = false;
    std::vector<storage::PartitionSpec> known;
    known.reserve(places_.size());
    for (const auto& place : places_) known.push_back(place->spec);
    const auto stray = directory_->reconcile(known);
    if (!stray || !stray->empty()) return note("a partition's folder was put aside");
    directory_->marks().start(*executors_[0], pool_, 100ms);
    for (testkit::SimExecutor* executor : executors_) {
        auto shard = std::make_unique<Shard>();
        shard->executor = executor;
        shard->flusher = std::make_unique<storage::Flusher>(
            storage::Flusher::Parts{.disk = &disk_,
                                    .executor = executor,
                                    .pool = &pool_,
                                    .marks = &directory_->marks(),
                                    .health = &directory_->health(),
                                    .metrics = metrics_.get(),
                                    .data_directory = kFolder},
            storage::Flusher::Options{.syncfs_threshold = 3, .parallel_max = 2, .faults = faults_});
        shard->context = std::make_unique<storage::ShardContext>(
            storage::ShardContext{.disk = disk_,
                                  .executor = *executor,
                                  .pool = pool_,
                                  .files = *files_,
                                  .flusher = *shard->flusher,
                                  .marks = directory_->marks(),
                                  .metrics = *metrics_,
                                  .data_directory = kFolder,
                                  .broker = broker_,
                                  .was_clean = directory_->was_clean(),
                                  .faults = faults_});
        shards_.push_back(std::move(shard));
    }
    const auto syncs =
        openings_.percent(50) ? storage::SyncOfNew::kByCaller : storage::SyncOfNew::kByOpen;
    for (const auto& place : places_) {
        auto opened = Partition::open(*shards_[place->shard]->context, place->spec, syncs);
        if (!opened)
            return note(place->spec.folder() + ": " + std::string{opened.error().detail()});
        place->partition = *std::move(opened);
        place->ear = std::make_unique<Ear>(*this, *place);
    }
    if (syncs == storage::SyncOfNew::kByCaller && !faults_.skip_sync)
        if (const auto done = disk_.sync_file_system(kFolder); !done)
            return note("new folders: " + std::string{done.error().detail()});
    world_.settle();
    for (const auto& place : places_) {
        if (place->partition->is_offline()) return note(place->spec.folder() + " is offline");
        shards_[place->shard]->executor->here([&] { place->partition->watch(*place->ear); });
        note(place->model.watermarks(place->partition->log_start(),
                                     place->partition->high_watermark()));
    }
    check_ends();
}

void StorageSim::live() {
    const std::uint64_t actions = random_.below(400);
    if (random_.percent(60)) disk_.cut_power_after(1 + random_.below(600));
    for (std::uint64_t i = 0; i < actions && disk_.has_power() && !has_failed(); ++i) {
        act();
        switch (random_.below(4)) {
            case 0:
                break;
            case 1:
                world_.run_for(std::chrono::microseconds{random_.below(300)});
                break;
            case 2:
                for (std::uint64_t n = random_.below(20); n > 0; --n) world_.step();
                break;
            default:
                world_.run_for(std::chrono::milliseconds{random_.below(30)});
        }
    }
}

void StorageSim::act() {
    Place& place = *places_[random_.below(places_.size())];
    const std::uint64_t dice = random_.below(100);
    if (dice < 15) return transact(*transactors_[random_.below(transactors_.size())]);
    if (dice < 60) return produce(*producers_[random_.below(producers_.size())]);
    if (dice < 85) return read_some(place);
    if (dice < 90) return send_damaged(place);
    if (dice < 93) return delete_some(place);
    if (dice < 95) break_something();
}

void StorageSim::break_something() {
    const std::uint64_t nth = 1 + random_.below(20);
    switch (random_.below(12)) {
        case 0:
            is_broken_ = true;
            return disk_.fail(testkit::DiskCall::kSync, nth);
        case 1:
            is_broken_ = true;
            return disk_.fail(testkit::DiskCall::kWrite, nth);
        case 2:
        case 3:
        case 4:
            return disk_.fail(testkit::DiskCall::kWrite, nth, Errc::kNoSpace, random_.percent(50));
        case 5:
        case 6:
            lacks_descriptors_ = true;
            return disk_.fail(testkit::DiskCall::kOpen, nth, Errc::kTooManyOpenFiles,
                              random_.percent(50));
        default:
            return disk_.heal();
    }
}

/// Lets everything that is under way come to its end, without power if it is gone.
void StorageSim::drain() {
    const bool is_quiet = world_.run_until(
        [&] {
            return calls_ == 0 && pool_.unfinished() == 0 &&
                   std::ranges::all_of(shards_,
                                       [](const auto& shard) { return shard->flusher->is_idle(); });
        },
        60s);
    if (!is_quiet && !has_failed()) note("an answer never came");
}

void StorageSim::end_life() {
    if (has_failed()) return drain();
    const std::uint64_t dice = random_.below(100);
    if (disk_.has_power() && !is_broken_ && dice < 25) {
        stop_clean();
        if (was_clean_ || has_failed()) return;
    }
    // What a failed sync left in doubt is written again only where a promise depends on it.
    const bool all_durable =
        std::ranges::all_of(places_, [](const auto& place) { return place->model.is_durable(); });
    const bool is_kill = disk_.has_power() && dice < 50 && (!is_broken_ || all_durable);
    if (disk_.has_power()) disk_.cut_power_after(1 + random_.below(3));
    drain();
    forget_process();
    if (is_kill)
        disk_.restart_process();
    else
        disk_.crash();
    for (const auto& place : places_) {
        place->model.restarted();
        if (!place->model.is_durable()) place->position = Offset{0};
    }
}

/// Sets was_clean_, unless the power goes first.
void StorageSim::stop_clean() {
    disk_.heal();
    drain();
    bool is_clean = true;
    for (const auto& place : places_) {
        bool is_down = false;
        shards_[place->shard]->executor->here([&] {
            place->partition->unwatch(*place->ear);
            place->partition->close();
            rt::start(place->partition->shut_down(), [&](const Result<void>& result) {
                is_down = true;
                is_clean = is_clean && result;
            });
        });
        if (!world_.run_until([&] { return is_down; }))
            return note(place->spec.folder() + ": does not shut down");
    }
    may_be_clean_ = is_clean;
    is_clean = is_clean && directory_->mark_clean();
    if (!disk_.has_power()) return;
    if (!is_clean) return note("cannot be stopped cleanly");
    was_clean_ = true;
    drain();
    forget_process();
    // A clean stop leaves nothing to lose.
    if (random_.percent(50))
        disk_.crash(testkit::Survival::kNothing);
    else
        disk_.restart_process();
}

void StorageSim::forget_process() {
    for (const auto& place : places_) {
        if (place->partition) {
            shards_[place->shard]->executor->here([&] {
                place->partition->unwatch(*place->ear);
                place->partition.reset();
            });
        }
        place->ear.reset();
        place->is_reading = false;
    }
    world_.settle();
    shards_.clear();
    directory_.reset();
    files_.reset();
    for (const auto& producer : producers_) {
        for (Sending& sending : producer->unacked) sending.in_flight = 0;
        if (!producer->unacked.empty()) producer->must_resend = true;
    }
    for (const auto& who : transactors_) {
        LEAT_CHECK(who->in_flight == 0 || has_failed());
        who->is_end_in_flight = false;
    }
}

}  // namespace leat::sim
