// SPDX-License-Identifier: Apache-2.0
#include "storage_sim_model.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/endian.h"
#include "wire/batch_builder.h"
#include "wire/record_reader.h"

namespace leat::sim {
namespace {

constexpr std::size_t kInflatedMax = std::size_t{1} << 24;

std::string text(Token token) {
    return std::to_string(token >> kTokenShift) + ":" +
           std::to_string(token & ((Token{1} << kTokenShift) - 1));
}

}  // namespace

std::vector<std::byte> make_batch(const BatchPlan& plan) {
    wire::BatchOptions options;
    options.producer_id = plan.producer_id;
    options.producer_epoch = plan.epoch;
    if (plan.producer_id >= 0)
        options.base_sequence =
            plan.sequence >= 0 ? plan.sequence : static_cast<std::int32_t>(plan.first);
    options.transactional = plan.transactional;
    wire::BatchBuilder builder{options};
    std::vector<std::byte> value(static_cast<std::size_t>(std::max(plan.value_bytes, 8)));
    for (std::int32_t i = 0; i < plan.count; ++i) {
        store_be(value.data(), token(plan.producer, plan.first + static_cast<std::uint32_t>(i)));
        wire::NewRecord record;
        record.timestamp = plan.now;
        record.value = value;
        builder.add(record);
    }
    return *builder.finish();
}

std::string PartitionModel::acked(const BatchPlan& batch, Offset base) {
    if (batch.producer == kEvilProducer) return wrong("a damaged batch was taken");
    for (std::int32_t i = 0; i < batch.count; ++i) {
        const Token one = token(batch.producer, batch.first + static_cast<std::uint32_t>(i));
        const auto [at, is_new] = acked_.try_emplace(base.value + i, one);
        if (!is_new && at->second != one)
            return wrong("offset " + std::to_string(base.value + i) + " acknowledged for " +
                         text(at->second) + " and for " + text(one));
        if (const auto seen = seen_.find(base.value + i);
            seen != seen_.end() && seen->second != one)
            return wrong("offset " + std::to_string(base.value + i) + " acknowledged for " +
                         text(one) + ", a reader saw " + text(seen->second));
    }
    return {};
}

std::string PartitionModel::see(std::int64_t offset, Token one) {
    if ((one >> kTokenShift) == kEvilProducer) return wrong("a damaged record was read");
    const auto [at, is_new] = seen_.try_emplace(offset, one);
    if (!is_new && at->second != one)
        return wrong("offset " + std::to_string(offset) + " was " + text(at->second) +
                     " and is now " + text(one));
    if (const auto acked = acked_.find(offset); acked != acked_.end() && acked->second != one)
        return wrong("offset " + std::to_string(offset) + " was acknowledged for " +
                     text(acked->second) + " and has " + text(one));
    return {};
}

std::string PartitionModel::read(Offset from, Bytes batches, Offset& next) {
    wire::BatchCursor cursor{batches};
    next = from;
    while (true) {
        const auto batch = cursor.next();
        if (!batch) return wrong("a read gave what is no batch");
        if (!*batch) break;
        const wire::BatchHeader& header = (*batch)->header;
        if (!wire::check_crc((*batch)->bytes)) return wrong("a read gave a batch with a bad CRC");
        const bool is_first = next == from;
        const bool fits = is_first ? header.base_offset <= from && header.last_offset() >= from
                                   : header.base_offset == next;
        if (!fits)
            return wrong("batch at " + std::to_string(header.base_offset.value) + " where " +
                         std::to_string(next.value) + " was due");
        auto records = wire::RecordReader::open(**batch, kInflatedMax);
        if (!records) return wrong("records that cannot be read");
        if (header.is_control()) {
            const auto number = static_cast<std::uint64_t>(header.producer_id << 16U) |
                                static_cast<std::uint16_t>(header.producer_epoch);
            auto bad = see(header.base_offset.value, token(kMarkerProducer, number & 0xFFFFFFFFU));
            if (!bad.empty()) return bad;
        }
        for (auto record = records->next(); !header.is_control() && record && *record;
             record = records->next()) {
            if (!(*record)->value) return wrong("a record without value");
            auto bad = see(header.base_offset.value + (*record)->offset_delta,
                           load_be<Token>((*record)->value->data()));
            if (!bad.empty()) return bad;
        }
        next = Offset{header.last_offset().value + 1};
    }
    if (cursor.left_bytes() != 0) return wrong("a read gave half a batch");
    return {};
}

void PartitionModel::began(const BatchPlan& batch) {
    for (std::int32_t i = 0; i < batch.count; ++i)
        fates_[token(batch.producer, batch.first + static_cast<std::uint32_t>(i))] = Fate::kOpen;
}

void PartitionModel::decided(Token first, Token end, bool committed) {
    for (Token one = first; one < end; ++one)
        fates_[one] = committed ? Fate::kCommitted : Fate::kAborted;
}

std::string PartitionModel::judge(std::int64_t offset, Token one, bool is_hidden) {
    const auto fate = fates_.find(one);
    const bool is_good = fate == fates_.end() || fate->second == Fate::kCommitted;
    if (is_good && is_hidden) return wrong("committed record " + text(one) + " is hidden");
    if (is_hidden) return {};
    if (!is_good)
        return wrong("record " + text(one) + " of " +
                     (fate->second == Fate::kOpen ? "an open" : "an aborted") +
                     " transaction was read as committed");
    visible_[offset] = one;
    return {};
}

std::string PartitionModel::read_committed(Offset from, const storage::ReadResult& result,
                                           Bytes batches, Offset& next) {
    if (auto bad = read(from, batches, next); !bad.empty()) return bad;
    // What a consumer does with the list: it is sorted by where each transaction began.
    std::set<std::int64_t> aborting;
    auto due = result.aborted.begin();
    wire::BatchCursor cursor{batches};
    for (auto batch = cursor.next(); batch && *batch; batch = cursor.next()) {
        const wire::BatchHeader& header = (*batch)->header;
        for (; due != result.aborted.end() && due->first_offset <= header.last_offset(); ++due)
            aborting.insert(due->producer_id);
        if (header.is_control()) {
            aborting.erase(header.producer_id);
            continue;
        }
        const bool is_hidden = header.is_transactional() && aborting.contains(header.producer_id);
        auto records = wire::RecordReader::open(**batch, kInflatedMax);
        for (auto record = records->next(); record && *record; record = records->next()) {
            auto bad = judge(header.base_offset.value + (*record)->offset_delta,
                             load_be<Token>((*record)->value->data()), is_hidden);
            if (!bad.empty()) return bad;
        }
    }
    return {};
}

std::string PartitionModel::complete_committed(Offset log_start, Offset last_stable) const {
    for (auto at = acked_.lower_bound(log_start.value); at != acked_.end(); ++at) {
        const auto fate = fates_.find(at->second);
        if (fate == fates_.end() || fate->second != Fate::kCommitted) continue;
        if (at->first >= last_stable.value) break;
        if (!visible_.contains(at->first))
            return wrong("committed record " + text(at->second) + " is not to be read");
    }
    return {};
}

std::string PartitionModel::watermarks(Offset log_start, Offset high_watermark) {
    if (high_watermark < high_watermark_)
        return wrong("high watermark went back from " + std::to_string(high_watermark_.value) +
                     " to " + std::to_string(high_watermark.value));
    if (log_start < log_start_)
        return wrong("log start went back from " + std::to_string(log_start_.value) + " to " +
                     std::to_string(log_start.value));
    if (log_start > may_start_)
        return wrong("log start is " + std::to_string(log_start.value) + ", nobody asked for it");
    high_watermark_ = high_watermark;
    log_start_ = log_start;
    return {};
}

void PartitionModel::restarted() {
    if (is_durable_) return;
    acked_.clear();
    seen_.clear();
    high_watermark_ = Offset{0};
}

std::string PartitionModel::complete(Offset log_start, Offset high_watermark) const {
    const auto check = [&](const std::map<std::int64_t, Token>& what,
                           const std::string& name) -> std::string {
        for (const auto& [offset, one] : what)
            if (offset >= log_start.value && offset >= high_watermark.value)
                return wrong(name + " record " + text(one) + " at offset " +
                             std::to_string(offset) + " is lost; the log ends at " +
                             std::to_string(high_watermark.value));
        return {};
    };
    if (auto bad = check(acked_, "acknowledged"); !bad.empty()) return bad;
    if (auto bad = check(seen_, "read"); !bad.empty()) return bad;
    for (auto offset = log_start.value; offset < high_watermark.value; ++offset)
        if (!seen_.contains(offset)) return wrong("nothing at offset " + std::to_string(offset));
    std::map<std::uint64_t, Token> last;
    // What was deleted need not have been read before.
    for (auto record = seen_.lower_bound(log_start.value); record != seen_.end(); ++record) {
        const Token one = record->second;
        const std::uint64_t producer = one >> kTokenShift;
        if (producer == kMarkerProducer) continue;
        const auto [at, is_new] = last.try_emplace(producer, one);
        const Token before = std::exchange(at->second, one);
        if (is_new) continue;
        if (one <= before)
            return wrong("record " + text(one) + " follows " + text(before) +
                         (one == before ? ": twice" : ": out of order"));
        if (idempotent_.contains(producer) && one != before + 1)
            return wrong("record " + text(one) + " follows " + text(before) + ": a gap");
    }
    return {};
}

}  // namespace leat::sim
