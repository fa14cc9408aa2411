// SPDX-License-Identifier: Apache-2.0
//
// A key's rows are a chain from the newest to the oldest, found by a table of slots. A part of time
// is memory of its own and goes as a whole: links into it are known by their start to lead nowhere,
// so that nothing has to be looked for when it goes.
#include "streams/state/recent_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <new>
#include <ranges>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace leat::streams::detail {

namespace {

/// The budget is shared by threads: it is asked for so much at once.
constexpr std::size_t kTakenAtOnce = std::size_t{64} << 10U;
constexpr std::size_t kBlockBytes = std::size_t{32} << 10U;
/// Of the first block of a part, most of which are small where there is little to do.
constexpr std::size_t kFirstBlockBytes = std::size_t{2} << 10U;
constexpr std::size_t kSlotsMin = 16;
constexpr std::int64_t kParts = 16;

std::size_t hash_of(std::string_view key) {
    return std::hash<std::string_view>{}(key);
}

}  // namespace

/// Its key and value lie behind it. `jump` leads further back than `older`, so that an old row of a
/// key with many is found in steps that double; gaps are how many rows a jump passes.
struct RecentRows::Row {
    Link older{};
    Link jump{};
    std::int64_t start = 0;
    std::uint32_t gap = 0;
    std::uint32_t jump_gap = 0;  ///< That of the row which `jump` leads to.
    std::uint32_t number = 0;
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    bool is_alone = false;  ///< Not written.

    [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] std::string_view key() noexcept { return {bytes(), key_size}; }
    [[nodiscard]] std::string_view value() noexcept { return {bytes() + key_size, value_size}; }
    [[nodiscard]] Seen seen() noexcept { return {key(), start, number, value()}; }
    static std::size_t size_of(std::size_t key, std::size_t value) noexcept {
        return (sizeof(Row) + key + value + alignof(Row) - 1) / alignof(Row) * alignof(Row);
    }
};

/// While rows are fetched: the visitor may put more, and rows go for them.
/// Threading: belongs to the thread that made it, which alone changes the rows meanwhile.
class RecentRows::Fetching {
  public:
    explicit Fetching(const RecentRows& rows)
        : rows_(&rows), outer_(std::exchange(innermost, this)) {}
    Fetching(const Fetching&) = delete;
    Fetching& operator=(const Fetching&) = delete;
    ~Fetching() { innermost = outer_; }

    /// What goes stays until the outermost fetch of it is through.
    static void keep(const RecentRows& rows, std::vector<Block>& blocks) {
        Fetching* keeper = nullptr;
        for (Fetching* at = innermost; at != nullptr; at = at->outer_)
            if (at->rows_ == &rows) keeper = at;
        if (keeper != nullptr) std::ranges::move(blocks, std::back_inserter(keeper->gone_));
    }

  private:
    static thread_local constinit inline Fetching* innermost = nullptr;
    const RecentRows* rows_;
    Fetching* outer_;
    std::vector<Block> gone_;
};

RecentRows::RecentRows(std::shared_ptr<RowBudget> budget, std::int64_t span_ms, VisitRow on_leave)
    : budget_(std::move(budget)),
      on_leave_(std::move(on_leave)),
      part_ms_(std::max<std::int64_t>(span_ms / kParts, 1)) {}

RecentRows::~RecentRows() {
    forget();
}

void RecentRows::begin(std::int64_t from) {
    LEAT_CHECK(!has_begun_ && parts_.empty());
    budget_->join();
    has_begun_ = true;
    from_ = from;
}

void RecentRows::forget() {
    if (!std::exchange(has_begun_, false)) return;
    parts_.clear();
    slots_.clear();
    used_slots_ = 0;
    bytes_ = 0;
    oldest_ = committed_oldest_ = 0;
    has_lost_ = false;
    budget_->give_back(std::exchange(taken_, 0));
    budget_->leave();
}

RecentRows::Slot* RecentRows::find(std::string_view key, std::size_t hash) const {
    if (slots_.empty()) return nullptr;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at].newest.row != nullptr; at = (at + 1) & mask) {
        Slot& slot = slots_[at];
        if (slot.hash == hash && is_there(slot.newest) && slot.newest.row->key() == key)
            return &slot;
    }
    return nullptr;
}

RecentRows::Slot& RecentRows::slot_for(std::string_view key) {
    const std::size_t hash = hash_of(key);
    if (Slot* found = find(key, hash)) return *found;
    if ((used_slots_ + 1) * 4 > slots_.size() * 3) rebuild();
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash & mask;
    while (is_there(slots_[at].newest)) at = (at + 1) & mask;
    // One whose rows are gone serves again.
    if (slots_[at].newest.row == nullptr) ++used_slots_;
    slots_[at] = {.hash = hash};
    return slots_[at];
}

void RecentRows::rebuild() {
    const auto there = [&](const Slot& slot) { return is_there(slot.newest); };
    const auto count = static_cast<std::size_t>(std::ranges::count_if(slots_, there));
    std::vector<Slot> slots(std::bit_ceil(std::max(kSlotsMin, (count + 1) * 2)));
    const std::size_t mask = slots.size() - 1;
    for (const Slot& slot : slots_) {
        if (!there(slot)) continue;
        std::size_t at = slot.hash & mask;
        while (slots[at].newest.row != nullptr) at = (at + 1) & mask;
        slots[at] = slot;
    }
    bytes_ = bytes_ - slots_.size() * sizeof(Slot) + slots.size() * sizeof(Slot);
    slots_ = std::move(slots);
    used_slots_ = count;
}

RecentRows::Row* RecentRows::make_row(Part& part, const Seen& row, std::size_t& taken) {
    const std::size_t size = Row::size_of(row.key.size(), row.value.size());
    if (part.blocks.empty() || part.blocks.back().size - part.blocks.back().used < size) {
        const std::size_t usual = part.blocks.empty() ? kFirstBlockBytes : kBlockBytes;
        const std::size_t room = std::max(size, usual);
        part.blocks.push_back(
            {.bytes = std::make_unique_for_overwrite<std::byte[]>(room), .size = room});
        taken = room + sizeof(Block);
    }
    Block& block = part.blocks.back();
    Row* out = new (block.bytes.get() + block.used)
        Row{.start = row.start,
            .number = row.number,
            .key_size = static_cast<std::uint32_t>(row.key.size()),
            .value_size = static_cast<std::uint32_t>(row.value.size())};
    block.used += size;
    ++part.rows;
    std::copy(row.value.begin(), row.value.end(),
              std::copy(row.key.begin(), row.key.end(), out->bytes()));
    return out;
}

template <class Call>
void RecentRows::each_row(const Part& part, std::size_t count, Call call) {
    for (const Block& block : part.blocks)
        for (std::size_t at = 0; at < block.used && count > 0; --count) {
            Row& row = *reinterpret_cast<Row*>(block.bytes.get() + at);
            call(row);
            at += Row::size_of(row.key_size, row.value_size);
        }
}

/// Jumps are those of a skew binary number system: a row takes over the jump of what the row
/// behind it jumps to, where both passed equally many.
void RecentRows::set_older(Row& row, const Link& older) const {
    row.older = row.jump = {};
    row.gap = row.jump_gap = 0;
    if (!is_there(older)) return;
    row.older = older;
    const Row& behind = *older.row;
    if (behind.gap == behind.jump_gap && is_there(behind.jump)) {
        const Row& middle = *behind.jump.row;
        if (is_there(middle.jump)) {
            row.jump = middle.jump;
            row.gap = 1 + behind.gap + middle.gap;
            row.jump_gap = middle.jump.row->gap;
            return;
        }
    }
    row.jump = older;
    row.gap = 1;
    row.jump_gap = behind.gap;
}

RecentRows::Row* RecentRows::last_after(Row* at, std::int64_t start) const {
    const auto is_after = [&](const Link& to) { return is_there(to) && to.start > start; };
    for (;;) {
        if (is_after(at->jump))
            at = at->jump.row;
        else if (is_after(at->older))
            at = at->older.row;
        else
            return at;
    }
}

void RecentRows::link(Slot& slot, Row& row) const {
    if (!is_there(slot.newest) || slot.newest.start <= row.start) {
        set_older(row, slot.newest);
        slot.newest = {&row, row.start};
        return;
    }
    Row* newer = last_after(slot.newest.row, row.start);
    set_older(row, newer->older);
    newer->older = {&row, row.start};
}

void RecentRows::note_alone(Part& part, Row& row, std::int64_t logged_at) {
    row.is_alone = true;
    part.logged_at = part.alone == 0 ? logged_at : std::min(part.logged_at, logged_at);
    ++part.alone;
}

Result<void> RecentRows::put(const Seen& row, std::optional<std::int64_t> logged_at) {
    LEAT_CHECK(takes(row.start) && row.key.size() <= UINT32_MAX && row.value.size() <= UINT32_MAX);
    LEAT_CHECK(!logged_at || on_leave_);
    // Before there is a part that may have to go, and the slot with it.
    const std::size_t slots = slots_.size();
    Slot& slot = slot_for(row.key);
    std::size_t taken = 0;
    Part& part = parts_[row.start / part_ms_];
    Row* made = make_row(part, row, taken);
    if (logged_at) note_alone(part, *made, *logged_at);
    link(slot, *made);
    if (taken == 0 && slots == slots_.size()) return {};
    return take(taken);
}

Result<void> RecentRows::take(std::size_t bytes) {
    bytes_ += bytes;
    while (bytes_ > taken_ && !parts_.empty()) {
        if (budget_->take(taken_, kTakenAtOnce)) {
            taken_ += kTakenAtOnce;
            continue;
        }
        Part& first = parts_.begin()->second;
        LEAT_TRY_VOID(write(first, first.rows));
        drop_first();
    }
    return {};
}

Result<void> RecentRows::write(Part& part, std::size_t count) const {
    if (part.alone == 0) return {};
    std::vector<Row*> rows;
    rows.reserve(std::min(part.alone, count));
    each_row(part, count, [&](Row& row) {
        if (!std::exchange(row.is_alone, false)) return;
        --part.alone;
        if (row.start >= oldest_) rows.push_back(&row);
    });
    std::ranges::sort(rows, {},
                      [](Row* row) { return std::tuple{row->key(), row->start, row->number}; });
    for (Row* row : rows) LEAT_TRY_VOID(on_leave_(row->seen()));
    return {};
}

std::int64_t RecentRows::end_of(std::int64_t part) const noexcept {
    constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
    const std::int64_t begin = part * part_ms_;
    return begin > kForEver - part_ms_ ? kForEver : begin + part_ms_;
}

void RecentRows::drop_first() {
    const auto first = parts_.begin();
    has_lost_ = has_lost_ || first->second.alone_committed > 0;
    for (const Block& block : first->second.blocks) bytes_ -= block.size + sizeof(Block);
    from_ = std::max(from_, end_of(first->first));
    Fetching::keep(*this, first->second.blocks);
    parts_.erase(first);
    if (!parts_.empty()) return;
    slots_.clear();
    used_slots_ = 0;
    bytes_ = 0;
}

void RecentRows::expire(std::int64_t oldest) {
    oldest_ = std::max(oldest_, oldest);
    if (parts_.empty() || end_of(parts_.begin()->first) > oldest) return;
    while (!parts_.empty() && end_of(parts_.begin()->first) <= oldest) drop_first();
    if (taken_ < bytes_ + 2 * kTakenAtOnce) return;
    const std::size_t kept = bytes_ + kTakenAtOnce;
    budget_->give_back(taken_ - kept);
    taken_ = kept;
}

bool RecentRows::fetch(std::string_view key, std::int64_t from, std::int64_t to, const Visit& visit,
                       Direction direction) const {
    LEAT_CHECK(has_begun_ && from_ <= from);
    const Slot* slot = find(key, hash_of(key));
    if (slot == nullptr) return true;
    Link at = slot->newest;
    if (at.start > to) at = last_after(at.row, to)->older;
    const Fetching during{*this};
    // All of them first, of those that the visitor puts none; it may fetch itself.
    thread_local std::vector<Row*> spare;
    std::vector<Row*> found = std::exchange(spare, {});
    for (; is_there(at) && at.start >= from; at = at.row->older) found.push_back(at.row);
    Entry entry;
    const auto show = [&](Row* row) {
        entry.value.assign(row->value());
        return visit(row->start, entry);
    };
    const bool is_through = direction == Direction::kBackward
                                ? std::ranges::all_of(found, show)
                                : std::ranges::all_of(found | std::views::reverse, show);
    found.clear();
    spare = std::move(found);
    return is_through;
}

Result<void> RecentRows::each(std::int64_t from, std::int64_t to, const VisitRow& visit) const {
    Result<void> done;
    for (const auto& [number, part] : parts_) {
        if (end_of(number) <= from || number * part_ms_ > to) continue;
        each_row(part, part.rows, [&](Row& row) {
            if (done && row.start >= std::max(from, from_) && row.start <= to)
                done = visit(row.seen());
        });
    }
    return done;
}

Result<std::optional<std::int64_t>> RecentRows::note_commit(const Commit& commit) {
    has_lost_ = false;
    committed_oldest_ = oldest_;
    std::optional<std::int64_t> out = commit.next;
    for (auto& [number, part] : parts_) {
        if (part.alone_committed == 0) part.position = commit.before;
        if (part.logged_at < commit.relied_on_from) LEAT_TRY_VOID(write(part, part.rows));
        part.committed = part.rows;
        part.alone_committed = part.alone;
        if (part.alone > 0) out = std::min(out, part.position);  // None is before all.
    }
    return out;
}

bool RecentRows::has_alone_before(std::int64_t logged_at) const {
    return std::ranges::any_of(parts_, [&](const auto& one) {
        return one.second.alone > 0 && one.second.logged_at < logged_at;
    });
}

Result<bool> RecentRows::settle() {
    const bool can = has_begun_ && !has_lost_ && on_leave_;
    if (can) {
        // A record that is not committed made nothing too old.
        oldest_ = committed_oldest_;
        for (auto& [number, part] : parts_) LEAT_TRY_VOID(write(part, part.committed));
    }
    forget();
    return can;
}

Result<void> RecentRows::leave() {
    for (auto& [number, part] : parts_) LEAT_TRY_VOID(write(part, part.rows));
    forget();
    return {};
}

}  // namespace leat::streams::detail
