// SPDX-License-Identifier: Apache-2.0
#include "storage/aborted_repair.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "wire/control_record.h"

namespace leat::storage {
namespace {

constexpr std::int64_t kListFileMax = std::int64_t{64} << 20U;

/// A marker in the log and what was known when it was met.
struct Marker {
    std::int64_t producer_id = -1;
    Offset at;
    bool aborts = false;
    std::optional<Offset> first;     ///< Of its transaction's data, as far as it was walked.
    std::optional<Offset> previous;  ///< The producer's marker before.
    Offset stable;                   ///< Without this transaction.

    [[nodiscard]] TxnEntry entry() const {
        return {.producer_id = producer_id, .first = *first, .last = at, .last_stable = stable};
    }
};

/// The transactions of batches that are shown in order. As ProducerState, without what only
/// appends need.
/// Memory: about 100 bytes a producer with transactions.
class Transactions {
  public:
    void see_data(const wire::BatchHeader& header) {
        // Compaction leaves a header where all records went.
        if (!header.is_transactional() || header.record_count == 0) return;
        if (open_.try_emplace(header.producer_id, header.base_offset).second)
            firsts_.insert(header.base_offset);
    }
    Marker see_marker(const wire::BatchHeader& header, bool aborts) {
        Marker marker{.producer_id = header.producer_id,
                      .at = header.last_offset(),
                      .aborts = aborts,
                      .first = {},
                      .previous = {},
                      .stable = {}};
        if (const auto open = open_.find(header.producer_id); open != open_.end()) {
            marker.first = open->second;
            firsts_.erase(open->second);
            open_.erase(open);
        }
        const auto [ended, is_new] = ended_.try_emplace(header.producer_id, marker.at);
        if (!is_new) marker.previous = std::exchange(ended->second, marker.at);
        marker.stable = firsts_.empty() ? Offset{marker.at.value + 1} : *firsts_.begin();
        return marker;
    }

  private:
    std::unordered_map<std::int64_t, Offset> open_;
    std::set<Offset> firsts_;
    std::unordered_map<std::int64_t, Offset> ended_;
};

/// Calls `on_marker` for each of the segment.
template <class OnMarker>
Result<void> walk(Segment& segment, Transactions& transactions, OnMarker on_marker) {
    const auto named = [&segment](const Error& error) {
        return Error{error.code(), segment.path() + ": " + std::string{error.detail()}};
    };
    LEAT_TRY(const auto file, segment.file());
    LEAT_TRY(BatchScan scan, segment.scan(FilePos{0}, BatchScan::Depth::kHeaders));
    std::vector<std::byte> raw;
    for (;;) {
        const auto found = scan.next();
        if (!found) return named(found.error());
        if (!*found) return {};
        const wire::BatchHeader& header = (*found)->header;
        if (!header.is_control()) {
            transactions.see_data(header);
            continue;
        }
        raw.resize(header.size_bytes());
        LEAT_TRY(const std::size_t got, file->read_at((*found)->at, raw));
        if (got < raw.size()) return named(Error{Errc::kCorruptMessage, "it ends too early"});
        if (const auto good = wire::check_crc(raw); !good) return named(good.error());
        const auto marker = wire::read_end_marker({.header = header, .bytes = raw});
        if (marker && *marker)
            LEAT_TRY_VOID(on_marker(transactions.see_marker(header, !(*marker)->committed)));
    }
}

std::vector<TxnEntry> entries_of(Bytes raw, Offset base) {
    std::vector<TxnEntry> entries(TxnIndex::valid_entries(raw, base));
    for (std::size_t i = 0; i < entries.size(); ++i)
        entries[i] = TxnEntry::get(raw.data() + i * TxnEntry::kBytes);
    return entries;
}

class Repair {
  public:
    Repair(LogState& state, const AbortedRepair& how) : state_(state), how_(how) {}

    Result<void> run() {
        for (const auto& segment : state_.segments)
            how_.has_transactions = how_.has_transactions || segment->has_aborted();
        if (!how_.has_list && !how_.has_transactions) return {};
        LEAT_TRY_VOID(load_list());
        AbortedList list;
        for (std::size_t i = 0; i < state_.segments.size(); ++i) {
            LEAT_TRY_VOID(look(i));
            LEAT_TRY_VOID(note(i, list));
        }
        const bool is_news = list != state_.aborted_list || is_list_corrupt_;
        state_.aborted_list = std::move(list);
        // Without it the next start reads more.
        if (is_news) ignore(state_.store_aborted_list(), "it says no more than the files do");
        return {};
    }

  private:
    enum class Verdict : std::uint8_t {
        kRight,
        kWrong,
        kUnknown,  ///< The walk began behind what would tell.
    };

    Result<void> load_list() {
        if (!how_.has_list) return {};
        const auto raw = rt::read_file(state_.disk, state_.path_of(kAbortedListName), kListFileMax);
        if (!raw && raw.error().code() != Errc::kLimitExceeded)
            return Error{raw.error().code(), raw.error().detail()};
        auto list =
            raw ? AbortedList::decode({reinterpret_cast<const char*>(raw->data()), raw->size()})
                : Result<AbortedList>{Error{Errc::kMalformed}};
        is_list_corrupt_ = !list;
        if (list) state_.aborted_list = *std::move(list);
        return {};
    }

    [[nodiscard]] bool is_active(std::size_t index) const {
        return index + 1 == state_.segments.size();
    }
    /// What the list says stands: more may have come to a segment that was written to since.
    [[nodiscard]] bool is_closed(std::size_t index) const {
        return state_.options.clean || !is_active(index);
    }

    Result<std::vector<std::byte>> raw_of(Segment& segment) {
        if (!segment.has_aborted()) return std::vector<std::byte>{};
        return segment.aborted().entries().raw();
    }

    Result<void> note(std::size_t index, AbortedList& list) {
        if (!is_closed(index)) return {};
        Segment& segment = *state_.segments[index];
        LEAT_TRY(const auto raw, raw_of(segment));
        list.note(segment.base(), raw);
        segment.close_indexes();
        return {};
    }

    Result<void> look(std::size_t index) {
        Segment& segment = *state_.segments[index];
        const Offset base = segment.base();
        LEAT_TRY(const auto raw, raw_of(segment));
        const bool is_torn = segment.has_aborted() && segment.aborted().entries().is_torn();
        const bool is_listed = state_.aborted_list.has(base);
        if (is_closed(index) && !is_torn && state_.aborted_list.fits(base, raw)) return {};
        if (!segment.has_aborted() && !is_listed && !is_list_corrupt_ && is_closed(index))
            return {};
        std::vector<TxnEntry> entries = entries_of(raw, base);
        std::size_t from = index;
        for (const TxnEntry& entry : entries) from = std::min(from, state_.segment_of(entry.first));
        LEAT_TRY(Verdict verdict, judge(index, from, entries));
        if (verdict == Verdict::kUnknown && from > 0) {
            LEAT_TRY(verdict, judge(index, 0, entries));
        }
        if (verdict == Verdict::kWrong) return make_anew(index);
        const bool has_more = entries.size() * TxnEntry::kBytes != raw.size() || is_torn;
        if (!has_more) return {};
        // Of a write that a crash interrupted: the entry is made again with its marker.
        LEAT_TRY(const auto file, segment.aborted().entries().truncate(entries.size()));
        return file ? file->sync() : Result<void>{};
    }

    /// No record lies there: compaction or the log's start took it.
    Result<bool> is_gone(Offset offset) {
        if (offset < state_.segments.front()->base()) return true;
        Segment& segment = *state_.segments[state_.segment_of(offset)];
        LEAT_TRY(const FilePos at, segment.find(offset));
        if (at >= segment.size()) return true;
        LEAT_TRY(const auto header, segment.header_at(at));
        return header.base_offset > offset || header.record_count == 0;
    }

    Result<Verdict> judge(const TxnEntry& entry, const Marker& marker, bool is_whole) {
        if (!marker.aborts || marker.producer_id != entry.producer_id) return Verdict::kWrong;
        if (entry.last_stable > marker.stable) return Verdict::kWrong;
        if (marker.first == entry.first) return Verdict::kRight;
        // Otherwise its first data must be gone, and no other transaction have come in between.
        if (marker.first && entry.first > *marker.first) return Verdict::kWrong;
        if (marker.previous && *marker.previous >= entry.first) return Verdict::kWrong;
        LEAT_TRY(const bool is_gone_now, is_gone(entry.first));
        if (!is_gone_now) return Verdict::kWrong;
        return is_whole ? Verdict::kRight : Verdict::kUnknown;
    }

    /// Walks the segments from `from` to `index`. Takes off the end of `entries` those that may
    /// come again.
    Result<Verdict> judge(std::size_t index, std::size_t from, std::vector<TxnEntry>& entries) {
        Transactions transactions;
        for (std::size_t i = from; i < index; ++i)
            LEAT_TRY_VOID(walk(*state_.segments[i], transactions,
                               [](const Marker&) { return Result<void>{}; }));
        std::size_t next = 0;
        std::size_t good = entries.size();  // Before the first that is wrong.
        bool lacks = false;
        bool is_unknown = false;
        const auto note_wrong = [&](std::size_t at) { good = std::min(good, at); };
        const auto pass = [&](Offset below) -> Result<void> {
            for (; next < entries.size() && entries[next].last < below; ++next) {
                LEAT_TRY(const bool is_gone_now, is_gone(entries[next].last));
                if (!is_gone_now) note_wrong(next);
            }
            return {};
        };
        const auto see = [&](const Marker& marker) -> Result<void> {
            LEAT_TRY_VOID(pass(marker.at));
            if (next < entries.size() && entries[next].last == marker.at) {
                LEAT_TRY(const Verdict one, judge(entries[next], marker, from == 0));
                if (one == Verdict::kWrong) note_wrong(next);
                is_unknown = is_unknown || one == Verdict::kUnknown;
                ++next;
            } else if (marker.aborts && marker.at < how_.complete_below) {
                lacks = lacks || marker.first;
                is_unknown = is_unknown || (!marker.first && !marker.previous && from > 0);
            }
            return {};
        };
        LEAT_TRY_VOID(walk(*state_.segments[index], transactions, see));
        const Offset end = state_.segments[index]->end();
        LEAT_TRY_VOID(pass(end));
        note_wrong(next);
        const bool is_wrong = good < entries.size() && entries[good].last < how_.complete_below;
        if (lacks || is_wrong) return Verdict::kWrong;
        entries.resize(good);
        return is_unknown ? Verdict::kUnknown : Verdict::kRight;
    }

    /// From the markers, with all that came before: a transaction may have begun in any segment.
    Result<void> make_anew(std::size_t index) {
        Segment& segment = *state_.segments[index];
        const auto make = [&]() -> Result<void> {
            Transactions transactions;
            std::vector<TxnEntry> entries;
            for (std::size_t i = 0; i <= index; ++i)
                LEAT_TRY_VOID(walk(*state_.segments[i], transactions, [&](const Marker& marker) {
                    if (i == index && marker.aborts && marker.first)
                        entries.push_back(marker.entry());
                    return Result<void>{};
                }));
            return segment.aborted().replace(entries);
        };
        auto made = make();
        if (made) ++state_.recovered.rebuilt_indexes;
        // A clean stop would vouch for it otherwise.
        else
            ignore(segment.aborted().spoil(), "the file is as it was, or the disk has failed");
        return made;
    }

    LogState& state_;
    AbortedRepair how_;
    bool is_list_corrupt_ = false;
};

}  // namespace

Result<void> repair_aborted(LogState& state, const AbortedRepair& how) {
    return Repair{state, how}.run();
}

}  // namespace leat::storage
