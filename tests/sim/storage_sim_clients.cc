// SPDX-License-Identifier: Apache-2.0
//
// The clients of StorageSim.
#include <algorithm>
#include <utility>

#include "rt/task.h"
#include "storage_sim.h"
#include "storage_sim_parts.h"

namespace leat::sim {
namespace {

using storage::Appended;
using storage::ReadResult;

constexpr std::size_t kInFlightMax = 5;  // As many as a partition remembers.

}  // namespace

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
    firsts.reserve(producer.unacked.size());
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
                                 answer.error == Errc::kNotEnoughReplicasAfterAppend ||
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
        if (disk_.has_power() && !is_broken_ && !lacks_descriptors_)
            note(place.spec.folder() + ": read answered " + std::string{info(result.error).name});
        return;
    }
    if (result.size_bytes == 0) return;
    std::vector<std::byte> all;
    if (!collect(place, result, all)) return;
    note(place.model.read(from, all, next));
    done = next == from;
}

/// The bytes of all slices; false when they cannot be had.
bool StorageSim::collect(Place& place, const ReadResult& result, std::vector<std::byte>& all) {
    for (const storage::ReadSlice& slice : result.slices) {
        const std::size_t at = all.size();
        all.resize(at + slice.size_bytes);
        const MutableBytes to{all.data() + at, slice.size_bytes};
        if (!slice.file) {
            std::ranges::copy(slice.bytes, to.begin());
            continue;
        }
        const auto got = slice.file->read_at(slice.at, to);
        if (!got) return false;  // The power went.
        if (*got == to.size()) continue;
        note(place.spec.folder() + ": a slice beyond its file");
        return false;
    }
    return true;
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
            const auto answered = [&](const ReadResult& result) {
                is_back = true;
                took(place, request.from, result, done, at);
            };
            shards_[place.shard]->executor->here(
                [&] { rt::start(place.partition->read(request), answered); });
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
    for (const auto& place : places_) {
        if (!has_failed()) check_place(*place);
        if (!has_failed()) check_committed(*place);
    }
}

}  // namespace leat::sim
