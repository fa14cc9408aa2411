// SPDX-License-Identifier: Apache-2.0
//
// Rows of windows and sessions, as window_store.cc and session_store.cc lay them out, in stores of
// the user's, which know keys and times. Segments are ours: the user's store hears of what is over.
#include <algorithm>
#include <limits>
#include <utility>

#include "leat/streams/detail/window_store.h"
#include "streams/state/own_rows.h"
#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kSegmentBytes = 8;
constexpr std::size_t kTimeBytes = 8;
/// Rows of a store that is read by time: what they are, behind the segment.
constexpr char kRow = '\0';
constexpr char kIndex = '\1';

/// Of a window: its start, and its number. Of a session: its end, and its start.
struct TimedKey {
    std::string_view key;
    std::int64_t time = 0;
    std::int64_t second = 0;
};

/// A row is `segment ‖ key ‖ time ‖ second`, or, read by time, `segment ‖ 0 ‖ time..` with an index
/// `segment ‖ 1 ‖ key ‖ time ‖ second`. What the user's store does is in the derived classes.
/// Threading: as OwnRows.
class OwnTimedRows : public OwnRows {
  public:
    OwnTimedRows(const StoreSpec& spec, OwnPlace place)
        : OwnRows(spec, std::move(place)), width_(SegmentedStore::width_of(spec)) {}

    Result<bool> get(std::string_view row, std::string& out) const override {
        if (is_beside(row)) return beside().get(row, out);
        LEAT_TRY(auto found, ask([&] { return find(key_of(row)); }));
        if (!found) return false;
        std::string scratch;
        out = with_time(*found, scratch);
        return true;
    }
    Result<void> put(std::string_view row, std::string_view value) override {
        return is_beside(row) ? beside().put(row, value) : set(row, value);
    }
    Result<void> erase(std::string_view row) override {
        return is_beside(row) ? beside().erase(row) : set(row, std::nullopt);
    }
    Result<void> drop(std::string_view /*from*/, std::string_view to) override {
        LEAT_TRY_VOID(let_out());
        LEAT_TRY_VOID(begin_change());
        const std::int64_t before = begin_of(read_be<std::int64_t>(to));
        return ask([&] { return expire(before); });
    }
    Result<void> scan_during(RowsVisit& during, const RowRange& range,
                             const Visit& visit) const override {
        const bool down = !during.is_forward();
        const auto& [from, to] = range;
        const std::int64_t first = begin_of(read_be<std::int64_t>(from));
        // From a segment to all that follow: only the first row is asked for.
        if (!to || to->size() < kSegmentBytes) return see_all(first, kForEver, down, visit);
        const std::int64_t last = end_of(read_be<std::int64_t>(from));
        if (from.size() <= prefix_size())
            return by_time() ? see_all(first, last, down, visit)
                             : see_sorted(first, last, down, visit);
        const TimedKey begin = split(from.substr(prefix_size()));
        const TimedKey end = split(to->substr(prefix_size(), from.size() - prefix_size()));
        std::string row;
        std::string scratch;
        const Each each = [&](const TimedKey& at, std::string_view value) {
            row_of(at, by_time() ? kIndex : kRow, row);
            return visit(row, by_time() ? std::string_view{} : with_time(value, scratch));
        };
        return ask([&] {
            return fetch(begin.key, std::max(first, begin.time), std::min(last, end.time), each,
                         down);
        });
    }

  protected:
    using Each = std::function<bool(const TimedKey& key, std::string_view value)>;
    using Found = std::optional<std::string>;
    [[nodiscard]] virtual Result<Found> find(const TimedKey& key) const = 0;
    virtual Result<void> set_at(const TimedKey& key, std::optional<std::string_view> value) = 0;
    virtual Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to,
                               const Each& each, bool down) const = 0;
    virtual Result<void> fetch_all(std::int64_t from, std::int64_t to, const Each& each,
                                   bool down) const = 0;
    virtual Result<void> expire(std::int64_t before) = 0;
    /// Behind the key in `key ‖ time ‖ second`.
    [[nodiscard]] virtual std::size_t second_bytes() const = 0;
    /// What follows the segment of a row that is read by time.
    virtual void append_time_first(std::string& out, const TimedKey& key) const = 0;
    [[nodiscard]] virtual TimedKey split_time_first(std::string_view bytes) const = 0;
    [[nodiscard]] TimedKey key_of(std::string_view row) const {
        const std::string_view inside = row.substr(std::min(prefix_size(), row.size()));
        return by_time() ? split_time_first(inside) : split(inside);
    }

  private:
    static bool is_beside(std::string_view row) {
        return static_cast<unsigned char>(row.front()) >= 0x80U;
    }
    [[nodiscard]] bool by_time() const { return spec().time_ordered; }
    [[nodiscard]] std::size_t prefix_size() const { return kSegmentBytes + (by_time() ? 1U : 0U); }
    [[nodiscard]] std::int64_t begin_of(std::int64_t segment) const {
        return segment > kForEver / width_ ? kForEver : segment * width_;
    }
    [[nodiscard]] std::int64_t end_of(std::int64_t segment) const {
        const std::int64_t next = begin_of(segment + 1);
        return next == kForEver ? kForEver : next - 1;
    }
    [[nodiscard]] TimedKey split(std::string_view inside) const {
        if (inside.size() < kTimeBytes + second_bytes()) return {};
        const std::size_t at = inside.size() - kTimeBytes - second_bytes();
        const std::string_view second = inside.substr(at + kTimeBytes);
        return {inside.substr(0, at), read_be<std::int64_t>(inside.substr(at)),
                second_bytes() == sizeof(std::uint32_t)
                    ? std::int64_t{read_be<std::uint32_t>(second)}
                    : read_be<std::int64_t>(second)};
    }
    void append_second(std::string& out, std::int64_t second) const {
        if (second_bytes() == sizeof(std::uint32_t))
            append_be(out, static_cast<std::uint32_t>(second));
        else
            append_be(out, second);
    }
    void row_of(const TimedKey& at, char what, std::string& out) const {
        out.clear();
        append_be(out, at.time / width_);
        if (by_time()) out.push_back(what);
        if (by_time() && what == kRow) return append_time_first(out, at);
        out.append(at.key);
        append_be(out, at.time);
        append_second(out, at.second);
    }
    Result<void> set(std::string_view row, std::optional<std::string_view> value) {
        // The user's store finds by key as it is.
        if (by_time() && row.size() > kSegmentBytes && row[kSegmentBytes] == kIndex) return {};
        const auto kept = without_time(value);
        return change(row, kept, [&] { return set_at(key_of(row), kept); });
    }
    Result<void> see_all(std::int64_t from, std::int64_t to, bool down, const Visit& visit) const {
        std::string row;
        std::string scratch;
        const Each each = [&](const TimedKey& at, std::string_view value) {
            row_of(at, kRow, row);
            return visit(row, with_time(value, scratch));
        };
        return ask([&] { return fetch_all(from, to, each, down); });
    }
    /// By key, as rows of a segment lie that are not read by time.
    Result<void> see_sorted(std::int64_t from, std::int64_t to, bool down,
                            const Visit& visit) const {
        std::vector<std::pair<std::string, std::string>> rows;
        LEAT_TRY_VOID(see_all(from, to, false, [&](std::string_view row, std::string_view value) {
            rows.emplace_back(row, value);
            return true;
        }));
        std::ranges::sort(rows);
        if (down) std::ranges::reverse(rows);
        for (const auto& [row, value] : rows)
            if (!visit(row, value)) break;
        return {};
    }

    std::int64_t width_;
};

/// Threading: as OwnRows.
class OwnWindowRows final : public OwnTimedRows {
  public:
    using OwnTimedRows::OwnTimedRows;

  private:
    static WindowBytesKey as_window(const TimedKey& key) {
        return {key.key, key.time, static_cast<std::uint32_t>(key.second)};
    }
    static WindowBytesStore::Visit shown_to(const Each& each) {
        return [&each](const WindowBytesKey& at, std::string_view value) {
            return each({at.key, at.start, at.number}, value);
        };
    }
    [[nodiscard]] WindowBytesStore& windows() const {
        return static_cast<WindowBytesStore&>(*store());
    }
    [[nodiscard]] std::unique_ptr<BytesStore> make() const override {
        return spec().own.as<WindowBytesStoreSupplier>()->get();
    }
    [[nodiscard]] Result<Found> find(const TimedKey& key) const override {
        return windows().get(as_window(key));
    }
    Result<void> set_at(const TimedKey& key, std::optional<std::string_view> value) override {
        return windows().put(as_window(key), value);
    }
    Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to, const Each& each,
                       bool down) const override {
        return windows().fetch(key, from, to, shown_to(each), down);
    }
    Result<void> fetch_all(std::int64_t from, std::int64_t to, const Each& each,
                           bool down) const override {
        return windows().fetch_all(from, to, shown_to(each), down);
    }
    Result<void> expire(std::int64_t before) override { return windows().expire(before); }
    [[nodiscard]] std::size_t second_bytes() const override { return sizeof(std::uint32_t); }
    void append_time_first(std::string& out, const TimedKey& key) const override {
        append_be(out, key.time);
        out.append(key.key);
        append_be(out, static_cast<std::uint32_t>(key.second));
    }
    [[nodiscard]] TimedKey split_time_first(std::string_view bytes) const override {
        if (bytes.size() < kTimeBytes + second_bytes()) return {};
        const std::size_t size = bytes.size() - kTimeBytes - second_bytes();
        return {bytes.substr(kTimeBytes, size), read_be<std::int64_t>(bytes),
                std::int64_t{read_be<std::uint32_t>(bytes.substr(kTimeBytes + size))}};
    }
    Result<void> take_in(const std::vector<HeldRow>& held) override {
        std::vector<WindowBytesStore::Change> changes;
        changes.reserve(held.size());
        for (const auto& [row, value] : held) changes.push_back({as_window(key_of(row)), value});
        return ask([&] { return windows().restore(changes); });
    }
};

/// Threading: as OwnRows.
class OwnSessionRows final : public OwnTimedRows {
  public:
    using OwnTimedRows::OwnTimedRows;

  private:
    static Window as_session(const TimedKey& key) { return {key.second, key.time}; }
    static SessionBytesStore::Visit shown_to(const Each& each) {
        return [&each](std::string_view key, Window session, std::string_view value) {
            return each({key, session.end, session.start}, value);
        };
    }
    [[nodiscard]] SessionBytesStore& sessions() const {
        return static_cast<SessionBytesStore&>(*store());
    }
    [[nodiscard]] std::unique_ptr<BytesStore> make() const override {
        return spec().own.as<SessionBytesStoreSupplier>()->get();
    }
    [[nodiscard]] Result<Found> find(const TimedKey& key) const override {
        return sessions().get(key.key, as_session(key));
    }
    Result<void> set_at(const TimedKey& key, std::optional<std::string_view> value) override {
        return sessions().put(key.key, as_session(key), value);
    }
    Result<void> fetch(std::string_view key, std::int64_t from, std::int64_t to, const Each& each,
                       bool down) const override {
        return sessions().find(key, from, to, shown_to(each), down);
    }
    Result<void> fetch_all(std::int64_t from, std::int64_t to, const Each& each,
                           bool down) const override {
        return sessions().find_ended(from, to, shown_to(each), down);
    }
    Result<void> expire(std::int64_t before) override { return sessions().expire(before); }
    [[nodiscard]] std::size_t second_bytes() const override { return sizeof(std::int64_t); }
    void append_time_first(std::string& out, const TimedKey& key) const override {
        append_be(out, key.time);
        append_be(out, key.second);
        out.append(key.key);
    }
    [[nodiscard]] TimedKey split_time_first(std::string_view bytes) const override {
        if (bytes.size() < kTimeBytes + second_bytes()) return {};
        return {bytes.substr(kTimeBytes + second_bytes()), read_be<std::int64_t>(bytes),
                read_be<std::int64_t>(bytes.substr(kTimeBytes))};
    }
    Result<void> take_in(const std::vector<HeldRow>& held) override {
        std::vector<SessionBytesStore::Change> changes;
        changes.reserve(held.size());
        for (const auto& [row, value] : held) {
            const TimedKey key = key_of(row);
            changes.push_back({key.key, as_session(key), value});
        }
        return ask([&] { return sessions().restore(changes); });
    }
};

}  // namespace

std::unique_ptr<OwnRows> make_own_windows(const StoreSpec& spec, OwnPlace place) {
    return std::make_unique<OwnWindowRows>(spec, std::move(place));
}

std::unique_ptr<OwnRows> make_own_sessions(const StoreSpec& spec, OwnPlace place) {
    return std::make_unique<OwnSessionRows>(spec, std::move(place));
}

}  // namespace leat::streams::detail
