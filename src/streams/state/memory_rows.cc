// SPDX-License-Identifier: Apache-2.0
#include "streams/state/memory_rows.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include "base/check.h"
#include "streams/state/rows_visit.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kSlotsMax = 128;

std::size_t common(std::string_view a, std::string_view b) {
    const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

struct MemoryRows::Row {
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    [[nodiscard]] std::string_view key() noexcept { return {bytes(), key_size}; }
    [[nodiscard]] std::string_view value() noexcept { return {bytes() + key_size, value_size}; }
};

void MemoryRows::FreeRow::operator()(Row* row) const noexcept {
    ::operator delete(row);
}

MemoryRows::~MemoryRows() = default;

MemoryRows::RowPtr MemoryRows::make_row(std::string_view key, std::string_view value) {
    void* memory = ::operator new(sizeof(Row) + key.size() + value.size());
    RowPtr row{new (memory) Row{
        static_cast<std::uint32_t>(key.size()),  // tidy: right here, its bytes lie behind it
        static_cast<std::uint32_t>(value.size())}};
    std::copy(value.begin(), value.end(), std::copy(key.begin(), key.end(), row->bytes()));
    return row;
}

std::uint64_t MemoryRows::head_of(std::string_view key, std::size_t shared) {
    std::uint64_t out = 0;
    const std::string_view rest = key.substr(std::min(shared, key.size()));
    for (std::size_t i = 0; i < sizeof out; ++i)
        out = out << 8U | (i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U);
    return out;
}

std::size_t MemoryRows::find_slot(const Leaf& leaf, std::string_view key) {
    if (leaf.slots.empty()) return 0;
    if (const int order = key.substr(0, leaf.shared.size()).compare(leaf.shared); order != 0)
        return order < 0 ? 0 : leaf.slots.size();
    const std::uint64_t head = head_of(key, leaf.shared.size());
    // Equal heads are rare: bytes behind them, or a key that ends there.
    const auto at = std::lower_bound(
        leaf.slots.begin(), leaf.slots.end(), key, [&](const Slot& slot, std::string_view wanted) {
            return slot.head != head ? slot.head < head : slot.row->key() < wanted;
        });
    return static_cast<std::size_t>(at - leaf.slots.begin());
}

void MemoryRows::share(Leaf& leaf, std::string_view shared) {
    leaf.shared = shared;
    for (Slot& slot : leaf.slots) slot.head = head_of(slot.row->key(), shared.size());
}

MemoryRows::Leaves::iterator MemoryRows::leaf_of(std::string_view key) {
    const auto behind = leaves_.upper_bound(key);
    return behind == leaves_.begin() ? leaves_.end() : std::prev(behind);
}

std::optional<std::string_view> MemoryRows::find(std::string_view key) const {
    const auto behind = leaves_.upper_bound(key);
    if (behind == leaves_.begin()) return std::nullopt;
    const Leaf& leaf = std::prev(behind)->second;
    const std::size_t slot = find_slot(leaf, key);
    if (slot == leaf.slots.size() || leaf.slots[slot].row->key() != key) return std::nullopt;
    return leaf.slots[slot].row->value();
}

void MemoryRows::put(std::string_view key, std::string_view value) {
    LEAT_CHECK(key.size() <= UINT32_MAX && value.size() <= UINT32_MAX);
    auto leaf = leaf_of(key);
    if (leaf == leaves_.end()) leaf = leaves_.try_emplace(std::string{}).first;
    std::vector<Slot>& slots = leaf->second.slots;
    const std::size_t slot = find_slot(leaf->second, key);
    if (slot == slots.size() || slots[slot].row->key() != key)
        return insert(leaf, slot, make_row(key, value));
    Row& row = *slots[slot].row;
    if (RowsVisit::any()) {
        note(row);
        let_go(std::exchange(slots[slot].row, make_row(key, value)));
        ++stamp_;
    } else if (row.value_size == value.size()) {
        std::copy(value.begin(), value.end(), row.bytes() + row.key_size);
    } else {
        slots[slot].row = make_row(key, value);
    }
}

void MemoryRows::note(Row& row) const {
    RowsVisit::note(this, row.key(), [&] {
        return RowsVisit::Before{.was_there = true, .value = std::string{row.value()}};
    });
}

void MemoryRows::let_go(RowPtr row) const {
    Row* const gone = row.release();
    if (!RowsVisit::keeps(this, gone)) FreeRow{}(gone);
}

void MemoryRows::insert(Leaves::iterator at, std::size_t slot, RowPtr row) {
    Leaf& leaf = at->second;
    const std::string_view key = row->key();
    RowsVisit::note(this, key, [] { return RowsVisit::Before{}; });
    ++stamp_;
    if (leaf.slots.empty()) leaf.shared = key;
    const std::size_t shared = common(key, leaf.shared);
    if (shared != leaf.shared.size()) share(leaf, key.substr(0, shared));
    const std::uint64_t head = head_of(key, shared);
    leaf.slots.insert(leaf.slots.begin() + static_cast<std::ptrdiff_t>(slot),
                      Slot{head, std::move(row)});
    ++size_;
    if (leaf.slots.size() > kSlotsMax) split(at);
}

void MemoryRows::split(Leaves::iterator at) {
    std::vector<Slot>& slots = at->second.slots;
    // Rows that come in their order leave full leaves behind.
    const bool grows = std::next(at) == leaves_.end();
    const auto middle =
        slots.begin() + static_cast<std::ptrdiff_t>(grows ? kSlotsMax * 7 / 8 : kSlotsMax / 2);
    Leaf behind;
    behind.slots.reserve(kSlotsMax + 1);
    std::move(middle, slots.end(), std::back_inserter(behind.slots));
    slots.erase(middle, slots.end());
    for (Leaf* leaf : {&at->second, &behind}) {
        const std::string_view front = leaf->slots.front().row->key();
        share(*leaf, front.substr(0, common(front, leaf->slots.back().row->key())));
    }
    std::string first{behind.slots.front().row->key()};
    leaves_.emplace_hint(std::next(at), std::move(first), std::move(behind));
}

void MemoryRows::erase(std::string_view key) {
    const auto leaf = leaf_of(key);
    if (leaf == leaves_.end()) return;
    std::vector<Slot>& slots = leaf->second.slots;
    const std::size_t slot = find_slot(leaf->second, key);
    if (slot == slots.size() || slots[slot].row->key() != key) return;
    const auto at = slots.begin() + static_cast<std::ptrdiff_t>(slot);
    if (RowsVisit::any()) {
        note(*at->row);
        let_go(std::move(at->row));
    }
    slots.erase(at);
    ++stamp_;
    --size_;
    if (slots.empty()) leaves_.erase(leaf);
}

void MemoryRows::erase(std::string_view from, std::string_view to) {
    if (to <= from) return;
    ++stamp_;
    auto leaf = leaf_of(from);
    if (leaf == leaves_.end()) leaf = leaves_.begin();
    while (leaf != leaves_.end() && leaf->first < to) {
        std::vector<Slot>& slots = leaf->second.slots;
        const auto first = static_cast<std::ptrdiff_t>(find_slot(leaf->second, from));
        const auto last = static_cast<std::ptrdiff_t>(find_slot(leaf->second, to));
        if (RowsVisit::any())
            for (auto at = first; at != last; ++at) {
                Slot& slot = slots[static_cast<std::size_t>(at)];
                note(*slot.row);
                let_go(std::move(slot.row));
            }
        slots.erase(slots.begin() + first, slots.begin() + last);
        size_ -= static_cast<std::size_t>(last - first);
        leaf = slots.empty() ? leaves_.erase(leaf) : std::next(leaf);
    }
}

void MemoryRows::clear() {
    if (RowsVisit::any())
        for (auto& [first, leaf] : leaves_)
            for (Slot& slot : leaf.slots) {
                note(*slot.row);
                let_go(std::move(slot.row));
            }
    leaves_.clear();
    ++stamp_;
    size_ = 0;
}

MemoryRows::Place MemoryRows::lower_bound(std::string_view key) const {
    const auto behind = leaves_.upper_bound(key);
    if (behind == leaves_.begin()) return begin();
    const auto leaf = std::prev(behind);
    const std::size_t slot = find_slot(leaf->second, key);
    if (slot == leaf->second.slots.size()) return {behind, 0};
    return {leaf, slot};
}

MemoryRows::Place MemoryRows::begin() const {
    return {leaves_.begin(), 0};
}

MemoryRows::Place MemoryRows::end() const {
    return {leaves_.end(), 0};
}

std::string_view MemoryRows::key(const Place& at) const {
    return at.leaf->second.slots[at.slot].row->key();
}

std::string_view MemoryRows::value(const Place& at) const {
    return at.leaf->second.slots[at.slot].row->value();
}

void* MemoryRows::address(const Place& at) const {
    return at.leaf->second.slots[at.slot].row.get();
}

void MemoryRows::next(Place& at) const {
    if (++at.slot == at.leaf->second.slots.size()) at = {std::next(at.leaf), 0};
}

void MemoryRows::previous(Place& at) const {
    if (at.slot == 0) {
        --at.leaf;
        at.slot = at.leaf->second.slots.size();
    }
    --at.slot;
}

}  // namespace leat::streams::detail
