// SPDX-License-Identifier: Apache-2.0
#include "storage_sim.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "rt/task.h"
#include "storage/directory_health.h"

namespace leat::sim {
namespace {

using storage::Appended;
using storage::Partition;
using storage::ReadResult;
using namespace std::chrono_literals;

constexpr std::size_t kInFlightMax = 5;  // As many as a partition remembers.
constexpr const char* kFolder = "/data";

}  // namespace

struct StorageSim::Shard {
    testkit::SimExecutor* executor = nullptr;
    std::unique_ptr<storage::Flusher> flusher;
    std::unique_ptr<storage::ShardContext> context;
};

/// Hears of every move of one partition.
class StorageSim::Ear final : public storage::Watcher {
  public:
    Ear(StorageSim& sim, Place& place) : sim_(sim), place_(place) {}
    void on_advanced(Partition& partition) override;
    void on_closed(Partition& /*partition*/) override {}

  private:
    StorageSim& sim_;
    Place& place_;
};

/// One partition over all lives.
struct StorageSim::Place {
    storage::PartitionSpec spec;
    std::size_t shard = 0;
    PartitionModel model;
    std::shared_ptr<Partition> partition;
    std::unique_ptr<Ear> ear;
    Offset position{0};
    bool is_reading = false;
};

/// A batch that is not acknowledged.
struct StorageSim::Sending {
    BatchPlan plan;
    std::size_t in_flight = 0;  ///< Copies of it under way.
    bool is_acked = false;
};

struct StorageSim::Producer {
    std::uint64_t number = 0;
    bool is_idempotent = false;
    Place* place = nullptr;
    std::uint32_t next = 0;
    std::deque<Sending> unacked;
    bool must_resend = false;
};

void StorageSim::Ear::on_advanced(Partition& partition) {
    sim_.note(place_.model.watermarks(partition.log_start(), partition.high_watermark()));
}

StorageSim::StorageSim(std::uint64_t seed, storage::Faults faults)
    : random_(seed),
      world_(random_.next()),
      disk_(random_.next(), {.sync_commits_names = random_.percent(50), .cold_percent = 10}),
      faults_(faults),
      broker_(std::make_shared<config::BrokerConfig>()),
      pool_(world_.add_pool()) {
    broker_->tail_buffer_bytes = random_.percent(50) ? 4096 : 0;
    broker_->retention_check_interval_ms = 5'000;
    broker_->producer_id_expiration_check_ms = 5'000;
    for (std::uint64_t i = 0, count = 1 + random_.below(2); i < count; ++i)
        executors_.push_back(&world_.add_executor());
    const std::array durabilities{config::Durability::kSync, config::Durability::kSync,
                                  config::Durability::kInterval, config::Durability::kOs};
    for (std::uint64_t i = 0, count = 2 + random_.below(7); i < count; ++i) {
        auto topic = std::make_shared<config::TopicConfig>();
        topic->durability = i == 0 ? config::Durability::kSync : durabilities.at(random_.below(4));
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
    check_all();
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
    if (directory_->was_clean() != was_clean_) note("a stop was taken for another kind of stop");
    was_clean_ = false;
    is_broken_ = false;
    std::vector<storage::PartitionSpec> known;
    for (const auto& place : places_) known.push_back(place->spec);
    const auto stray = directory_->reconcile(known);
    if (!stray || !stray->empty()) return note("a partition's folder was set aside");
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
    for (const auto& place : places_) {
        auto opened = Partition::open(*shards_[place->shard]->context, place->spec);
        if (!opened)
            return note(place->spec.folder() + ": " + std::string{opened.error().detail()});
        place->partition = *std::move(opened);
        place->ear = std::make_unique<Ear>(*this, *place);
    }
    world_.settle();
    for (const auto& place : places_) {
        if (place->partition->is_offline()) return note(place->spec.folder() + " is offline");
        shards_[place->shard]->executor->here([&] { place->partition->watch(*place->ear); });
        note(place->model.watermarks(place->partition->log_start(),
                                     place->partition->high_watermark()));
    }
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
        default:
            return disk_.heal();
    }
}

void StorageSim::produce(Producer& producer) {
    if (producer.must_resend) {
        const bool is_quiet = std::ranges::all_of(
            producer.unacked, [](const Sending& sending) { return sending.in_flight == 0; });
        if (is_quiet) resend(producer);
        return;
    }
    // The connection broke before the answer came: the same batch once more.
    if (producer.is_idempotent && !producer.unacked.empty() && random_.percent(15))
        return send(producer, random_.below(producer.unacked.size()));
    if (producer.unacked.size() >= kInFlightMax) return;
    Sending sending;
    sending.plan = {.producer = producer.number,
                    .first = producer.next,
                    .count = static_cast<std::int32_t>(random_.between(1, 4)),
                    .value_bytes = static_cast<std::int32_t>(random_.between(8, 700)),
                    .producer_id = producer.is_idempotent
                                       ? static_cast<std::int64_t>(producer.number)
                                       : wire::kNoProducerId,
                    .epoch = producer.is_idempotent ? std::int16_t{0} : wire::kNoProducerEpoch,
                    .now = world_.wall_now()};
    producer.next += static_cast<std::uint32_t>(sending.plan.count);
    producer.unacked.push_back(sending);
    send(producer, producer.unacked.size() - 1);
}

void StorageSim::resend(Producer& producer) {
    producer.must_resend = false;
    if (!producer.is_idempotent) return producer.unacked.clear();
    // One that is answered at once may leave the list.
    std::vector<std::uint32_t> firsts;
    for (const Sending& sending : producer.unacked) firsts.push_back(sending.plan.first);
    for (const std::uint32_t first : firsts) {
        const auto at = std::ranges::find(producer.unacked, first,
                                          [](const Sending& one) { return one.plan.first; });
        if (at != producer.unacked.end())
            send(producer, static_cast<std::size_t>(at - producer.unacked.begin()));
    }
}

void StorageSim::send(Producer& producer, std::size_t index) {
    Sending& sending = producer.unacked[index];
    ++sending.in_flight;
    ++calls_;
    const std::uint32_t first = sending.plan.first;
    auto bytes = std::make_shared<std::vector<std::byte>>(make_batch(sending.plan));
    auto partition = producer.place->partition;
    const std::int16_t acks = random_.percent(50) ? 1 : -1;
    shards_[producer.place->shard]->executor->here([&] {
        rt::start(partition->append(*bytes, storage::Origin::kClient, acks),
                  [this, &producer, first, bytes, partition](const Appended& answer) {
                      --calls_;
                      answered(producer, first, answer);
                  });
    });
}

void StorageSim::answered(Producer& producer, std::uint32_t first, const Appended& answer) {
    const auto at = std::ranges::find(producer.unacked, first,
                                      [](const Sending& sending) { return sending.plan.first; });
    if (at == producer.unacked.end()) return;  // Its other copy was answered, and it is gone.
    --at->in_flight;
    if (answer.error == Errc::kNone) {
        ++outcome_.acked;
        note(producer.place->model.acked(at->plan, answer.base_offset));
        at->is_acked = true;
    } else if (!at->is_acked) {
        producer.must_resend = true;
        const bool is_expected = answer.error == Errc::kKafkaStorageError ||
                                 answer.error == Errc::kUnknownTopicOrPartition ||
                                 answer.error == Errc::kOutOfOrderSequenceNumber;
        if (!is_expected)
            note("producer " + std::to_string(producer.number) + " was answered " +
                 std::string{info(answer.error).name} + " " + answer.message);
    }
    // Those before a batch that is acknowledged are there too, though their answers are on the way.
    while (!producer.unacked.empty() && producer.unacked.front().is_acked &&
           producer.unacked.front().in_flight == 0)
        producer.unacked.pop_front();
}

void StorageSim::send_damaged(Place& place) {
    const BatchPlan plan{.producer = kEvilProducer, .value_bytes = 40, .now = world_.wall_now()};
    auto bytes = std::make_shared<std::vector<std::byte>>(make_batch(plan));
    bytes->back() ^= std::byte{1};
    (*bytes)[bytes->size() - 20] ^= std::byte{0x40};
    ++calls_;
    shards_[place.shard]->executor->here([&] {
        rt::start(place.partition->append(*bytes, storage::Origin::kClient, 1),
                  [this, &place, plan, bytes](const Appended& answer) {
                      --calls_;
                      if (answer.error == Errc::kNone)
                          note(place.model.acked(plan, answer.base_offset));
                  });
    });
}

void StorageSim::took(Place& place, Offset from, const ReadResult& result, bool& done,
                      Offset& next) {
    done = true;
    next = from;
    if (result.error == Errc::kOffsetOutOfRange && from < result.log_start) {
        next = result.log_start;
        done = false;
        return;
    }
    if (result.error != Errc::kNone) {
        if (disk_.has_power() && !is_broken_)
            note(place.spec.folder() + ": read answered " + std::string{info(result.error).name});
        return;
    }
    if (result.size_bytes == 0) return;
    std::vector<std::byte> all;
    for (const storage::ReadSlice& slice : result.slices) {
        const std::size_t at = all.size();
        all.resize(at + slice.size_bytes);
        const MutableBytes to{all.data() + at, slice.size_bytes};
        if (!slice.file) {
            std::ranges::copy(slice.bytes, to.begin());
            continue;
        }
        const auto got = slice.file->read_at(slice.at, to);
        if (!got) return;  // The power went.
        if (*got != to.size()) return note(place.spec.folder() + ": a slice beyond its file");
    }
    note(place.model.read(from, all, next));
    done = next == from;
}

void StorageSim::read_some(Place& place) {
    if (std::exchange(place.is_reading, true)) return;
    ++calls_;
    storage::ReadRequest request;
    request.from = place.position;
    request.bytes_max = random_.below(5'000);
    request.at_least_one = random_.percent(80);
    auto partition = place.partition;
    shards_[place.shard]->executor->here([&] {
        rt::start(partition->read(request),
                  [this, &place, partition, from = request.from](const ReadResult& result) {
                      --calls_;
                      place.is_reading = false;
                      bool done = false;
                      took(place, from, result, done, place.position);
                  });
    });
}

void StorageSim::delete_some(Place& place) {
    auto partition = place.partition;
    const Offset before{random_.between(0, partition->high_watermark().value)};
    place.model.deleting(before);
    ++calls_;
    shards_[place.shard]->executor->here([&] {
        rt::start(partition->delete_records(before),
                  [this, partition](const Result<Offset>&) { --calls_; });
    });
}

/// Reads a partition from its start to its high watermark.
void StorageSim::check_place(Place& place) {
    bool is_complete = false;
    while (!is_complete && !has_failed()) {
        is_complete = true;
        Offset at = place.partition->log_start();
        const Offset end = place.partition->high_watermark();
        while (at < end && !has_failed()) {
            storage::ReadRequest request;
            request.from = at;
            request.bytes_max = 1 + random_.below(20'000);
            request.at_least_one = true;
            bool is_back = false;
            bool done = false;
            shards_[place.shard]->executor->here([&] {
                rt::start(place.partition->read(request), [&](const ReadResult& result) {
                    is_back = true;
                    took(place, request.from, result, done, at);
                });
            });
            if (!world_.run_until([&] { return is_back; }))
                return note(place.spec.folder() + ": a read does not come back");
            if (done && !has_failed())
                return note(place.spec.folder() + ": nothing to read at " +
                            std::to_string(at.value) + " below " + std::to_string(end.value));
        }
        if (at > end && at > place.partition->high_watermark())
            return note(place.spec.folder() + ": read above the high watermark");
    }
    note(place.model.complete(place.partition->log_start(), place.partition->high_watermark()));
}

void StorageSim::check_all() {
    for (const auto& place : places_)
        if (!has_failed()) check_place(*place);
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
    const bool is_kill = disk_.has_power() && dice < 50;
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
}

}  // namespace leat::sim
