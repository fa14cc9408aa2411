// SPDX-License-Identifier: Apache-2.0
#include "client/fetched.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/endian.h"
#include "codec/compression.h"
#include "wire/batch_builder.h"
#include "wire/control_record.h"
#include "wire/legacy_messages.h"

namespace leat::client {
namespace {

/// offset i64 | size i32 of a message of magic 0 or 1.
constexpr std::size_t kLegacyPrefixBytes = 12;

using Data = wire::FetchResponse::PartitionData;

/// Which batches belong to transactions that were aborted.
class AbortedTransactions {
  public:
    explicit AbortedTransactions(const Data& data) {
        if (!data.aborted_transactions) return;
        const auto& all = *data.aborted_transactions;
        begins_.assign(all.begin(), all.end());
        std::ranges::sort(begins_, {}, &wire::FetchResponse::AbortedTransaction::first_offset);
    }
    /// Precondition: in order of offsets, each batch once.
    Result<bool> covers(const wire::BatchView& batch) {
        for (; next_ < begins_.size() &&
               begins_[next_].first_offset <= batch.header.last_offset().value;
             ++next_)
            open_.push_back(begins_[next_].producer_id);
        const auto found = std::ranges::find(open_, batch.header.producer_id);
        if (!batch.header.is_transactional() || found == open_.end()) return false;
        if (!batch.header.is_control()) return true;
        LEAT_TRY(const auto marker, wire::read_end_marker(batch));
        if (marker && !marker->committed) open_.erase(found);
        return true;
    }

  private:
    std::vector<wire::FetchResponse::AbortedTransaction> begins_;
    std::size_t next_ = 0;
    std::vector<std::int64_t> open_;  ///< Producers. Few at a time.
};

/// Messages of before record batches as batches of one record each, and what follows them as it is:
/// there are few such logs left. Stops in front of what is cut off, and when it has made so much:
/// the next fetch goes on there.
Result<void> upgrade(Bytes range, std::size_t inflated_bytes_max, std::vector<std::byte>& into) {
    while (wire::is_legacy_set(range)) {
        if (range.size() < kLegacyPrefixBytes || into.size() >= inflated_bytes_max) return {};
        const auto size = load_be<std::int32_t>(range.data() + 8);
        if (size < 0) return Error{Errc::kCorruptMessage, "a message of impossible size"};
        const std::size_t whole = kLegacyPrefixBytes + static_cast<std::size_t>(size);
        if (whole > range.size()) return {};
        const wire::LegacyLimits limits{.inflated_bytes_max = inflated_bytes_max};
        LEAT_TRY(const wire::LegacySet set, wire::LegacySet::parse(range.first(whole), limits));
        for (const wire::LegacyMessage& one : set.messages()) {
            wire::BatchBuilder builder{{.base_offset = one.offset}};
            builder.add({.timestamp = one.timestamp, .key = one.key, .value = one.value});
            LEAT_TRY(const std::vector<std::byte> built, builder.finish());
            into.insert(into.end(), built.begin(), built.end());
        }
        range = range.subspan(whole);
    }
    into.insert(into.end(), range.begin(), range.end());
    return {};
}

class Walk {
  public:
    Walk(const Data& data, const FetchRules& rules, Fetched& out)
        : rules_(rules), aborted_(data), out_(out) {}

    Result<void> all(Bytes range) {
        wire::BatchCursor cursor{range};
        while (true) {
            LEAT_TRY(const auto batch, cursor.next());
            if (!batch) return {};
            LEAT_TRY_VOID(one(*batch));
        }
    }

  private:
    Result<void> one(const wire::BatchView& batch) {
        const wire::BatchHeader& header = batch.header;
        if (header.last_offset_delta < 0 || header.record_count < 0 ||
            header.base_offset.value < 0 ||
            header.base_offset.value > INT64_MAX - header.last_offset_delta - 1)
            return corrupt_batch(header.base_offset, "its offsets or counts are impossible");
        if (rules_.checks_crc && !wire::check_crc(batch.bytes))
            return corrupt_batch(header.base_offset, "its checksum is not that of its bytes");
        bool is_aborted = false;
        if (rules_.committed_only) {
            LEAT_TRY(is_aborted, aborted_.covers(batch));
        }
        const Offset behind{header.last_offset().value + 1};
        if (behind <= out_.next) return {};  // Brokers give whole batches, from an older one on.
        out_.next = behind;
        if (is_aborted || header.is_control() || header.record_count == 0) return {};
        out_.batches.push_back(batch);
        out_.records += static_cast<std::size_t>(header.record_count);
        out_.bytes += batch.bytes.size();
        return {};
    }

    const FetchRules& rules_;
    AbortedTransactions aborted_;
    Fetched& out_;
};

/// The batches in memory of their own.
KeptRef copy_of(std::span<wire::BatchView> batches, std::size_t bytes) {
    std::vector<std::byte> copy;
    copy.reserve(bytes);  // Views into it are taken.
    for (wire::BatchView& batch : batches) {
        const std::size_t at = copy.size();
        copy.insert(copy.end(), batch.bytes.begin(), batch.bytes.end());
        batch.bytes = {copy.data() + at, batch.bytes.size()};
    }
    return KeptRef::of(std::move(copy));
}

}  // namespace

Error corrupt_batch(Offset base, std::string_view why) {
    return Error{Errc::kCorruptMessage, "the batch at offset " + std::to_string(base.value) +
                                            " is broken: " + std::string{why}};
}

Fetched read_fetched(const Data& data, KeptRef memory, Offset from, const FetchRules& rules) {
    Fetched out;
    out.from = out.next = from;
    Bytes range = data.records.bytes();
    Result<void> upgraded;
    if (wire::is_legacy_set(range)) {
        std::vector<std::byte> modern;
        upgraded = upgrade(range, rules.inflated_bytes_max, modern);
        memory = KeptRef::of(std::move(modern));
        range = memory.view();
    }
    Result<void> walked = Walk{data, rules, out}.all(range);
    if (walked) walked = std::move(upgraded);
    if (!walked)
        out.failure = Error{walked.error().code(), "offset " + std::to_string(out.next.value) +
                                                       ": " + std::string{walked.error().detail()}};
    if (out.batches.empty()) return out;
    // A partition that is read slowly would keep many answers for a few records in each.
    const bool is_small_part = out.bytes < memory.view().size() / 2;
    out.memory = is_small_part ? copy_of(out.batches, out.bytes) : std::move(memory);
    return out;
}

Result<void> RecordCursor::open(const wire::BatchView& batch, const KeptRef& memory,
                                std::size_t bytes_max) {
    close();
    const std::optional<codec::Codec> codec = batch.header.codec();
    if (!codec) return Error{Errc::kUnsupportedCompressionType, "a codec that does not exist"};
    if (*codec == codec::Codec::kNone) {
        memory_ = memory;
        rest_ = batch.records();
    } else {
        LEAT_TRY(std::vector<std::byte> inflated,
                 codec::decompress(*codec, batch.records(), bytes_max));
        memory_ = KeptRef::of(std::move(inflated));
        rest_ = memory_.view();
    }
    header_ = batch.header;
    left_ = header_.record_count;
    return {};
}

void RecordCursor::close() noexcept {
    left_ = 0;
    rest_ = {};
    memory_ = {};
}

const char* RecordCursor::take(wire::RecordView& out) noexcept {
    if (const char* why = wire::take_record(rest_, out)) return why;
    if (out.offset_delta < 0 || out.offset_delta > header_.last_offset_delta)
        return "a record lies outside of it";
    if (--left_ == 0 && !rest_.empty()) return "it holds more records than it says";
    return nullptr;
}

}  // namespace leat::client
