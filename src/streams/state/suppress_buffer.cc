// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/suppress_buffer.h"

#include <algorithm>
#include <limits>
#include <ranges>

#include "base/check.h"
#include "streams/state/ordered_bytes.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_meter.h"

namespace leat::streams::detail {

namespace {

using Bytes = BufferedChange::Bytes;

constexpr std::int32_t kAbsent = -1;
constexpr std::int32_t kSameAsPrior = -2;
const Headers& format_headers() {
    static const Headers headers{{"v", std::string(1, '\x03')}};
    return headers;
}

std::int64_t length(const Bytes& bytes) {
    return bytes ? static_cast<std::int64_t>(bytes->size()) : 0;
}

std::int64_t estimate(std::string_view key, const BufferedChange& change) {
    constexpr std::int64_t kDeadline = 8;
    constexpr std::int64_t kTimestampOffsetPartition = 8 + 8 + 4;
    std::int64_t size = kDeadline + static_cast<std::int64_t>(key.size()) + length(change.prior) +
                        length(change.now) + kTimestampOffsetPartition +
                        static_cast<std::int64_t>(change.topic.size());
    if (change.before != change.prior) size += length(change.before);
    for (const Header& header : change.headers)
        size += static_cast<std::int64_t>(header.name.size()) + length(header.value);
    return size;
}

void append_sized(std::string& out, std::string_view bytes) {
    append_be(out, static_cast<std::int32_t>(bytes.size()));
    out.append(bytes);
}
void append_sized(std::string& out, const Bytes& bytes) {
    if (bytes)
        append_sized(out, std::string_view{*bytes});
    else
        append_be(out, kAbsent);
}

std::string encoded(const BufferedChange& change, std::int64_t deadline) {
    std::string out;
    append_be(out, change.timestamp);
    append_be(out, change.offset);
    append_sized(out, std::string_view{change.topic});
    append_be(out, change.partition);
    append_be(out, static_cast<std::int32_t>(change.headers.size()));
    for (const Header& header : change.headers) {
        append_sized(out, std::string_view{header.name});
        append_sized(out, header.value);
    }
    append_sized(out, change.prior);
    if (change.before && change.before == change.prior)
        append_be(out, kSameAsPrior);
    else
        append_sized(out, change.before);
    append_sized(out, change.now);
    append_be(out, deadline);
    return out;
}

/// Reads what encoded() wrote; stays at `good` = false after the first byte that is missing.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    template <class T>
    T number() {
        if (rest_.size() < sizeof(T)) good_ = false;
        if (!good_) return T{};
        const T value = read_be<T>(rest_);
        rest_.remove_prefix(sizeof(T));
        return value;
    }
    Bytes sized(std::int32_t size) {
        if (size == kAbsent) return std::nullopt;
        if (size < 0 || static_cast<std::size_t>(size) > rest_.size()) good_ = false;
        if (!good_) return std::nullopt;
        Bytes out{rest_.substr(0, static_cast<std::size_t>(size))};
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return out;
    }
    Bytes sized() { return sized(number<std::int32_t>()); }
    [[nodiscard]] bool good() const { return good_; }
    [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

Result<std::pair<std::int64_t, BufferedChange>> decoded(std::string_view bytes) {
    Reader in{bytes};
    BufferedChange out;
    out.timestamp = in.number<std::int64_t>();
    out.offset = in.number<std::int64_t>();
    out.topic = in.sized().value_or("");
    out.partition = in.number<std::int32_t>();
    const auto headers = in.number<std::int32_t>();
    constexpr std::size_t kHeaderMin = 8;
    if (headers > 0 && static_cast<std::size_t>(headers) > in.left() / kHeaderMin)
        return Error{Errc::kInvalidRecord, "a buffered update has more headers than bytes"};
    for (std::int32_t i = 0; i < headers && in.good(); ++i) {
        auto name = in.sized();
        out.headers.push_back({name.value_or(""), in.sized()});
    }
    out.prior = in.sized();
    const auto before = in.number<std::int32_t>();
    out.before = before == kSameAsPrior ? out.prior : in.sized(before);
    out.now = in.sized();
    const auto deadline = in.number<std::int64_t>();
    if (!in.at_end())
        return Error{Errc::kInvalidRecord, "a buffered update is cut short or too long"};
    return std::pair{deadline, std::move(out)};
}

/// Where Java's HashMap puts a byte array's hash.
std::uint32_t spread_hash(std::string_view key) {
    std::uint32_t hash = 1;
    for (const char c : key)
        hash = 31 * hash + static_cast<std::uint32_t>(static_cast<signed char>(c));
    return hash ^ (hash >> 16U);
}

}  // namespace

std::string encode_buffered(const BufferedChange& change, std::int64_t deadline) {
    return encoded(change, deadline);
}
Result<std::pair<std::int64_t, BufferedChange>> decode_buffered(std::string_view bytes) {
    return decoded(bytes);
}

SuppressBuffer::SuppressBuffer(StoreSpec spec, std::unique_ptr<OrderedBytes> unused)
    : StateStore(std::move(spec), std::move(unused)) {}

Result<void> SuppressBuffer::open(Task& task) {
    waiting_.clear();
    deadlines_.clear();
    touched_.clear();
    bytes_ = 0;
    return StateStore::open(task);
}

void SuppressBuffer::touch(std::string_view key) {
    if (touched_.contains(key)) return;
    touched_.emplace(key, touched_.size());
    // The set grows like Java's, and keeps its size when it is emptied.
    while (touched_.size() * 4 > buckets_ * 3) buckets_ *= 2;
}

void SuppressBuffer::place(std::int64_t deadline, std::string_view key, BufferedChange change) {
    const auto known = deadlines_.find(key);
    bytes_ += estimate(key, change);
    if (known == deadlines_.end()) {
        deadlines_.emplace(key, deadline);
        waiting_.emplace(Place{deadline, key}, std::move(change));
        return;
    }
    BufferedChange& held = waiting_.at(Place{known->second, std::string{key}});
    bytes_ -= estimate(key, held);
    held = std::move(change);
}

void SuppressBuffer::put(std::int64_t deadline, std::string_view key, BufferedChange change) {
    const auto known = deadlines_.find(key);
    change.prior = known == deadlines_.end()
                       ? change.before
                       : waiting_.at(Place{known->second, std::string{key}}).prior;
    place(deadline, key, std::move(change));
    touch(key);
    if (bytes().meter != nullptr) bytes().meter->waiting(records(), bytes_);
}

std::int64_t SuppressBuffer::first_deadline() const noexcept {
    return waiting_.empty() ? std::numeric_limits<std::int64_t>::max()
                            : waiting_.begin()->first.first;
}

const BufferedChange* SuppressBuffer::find(std::string_view key) const {
    const auto known = deadlines_.find(key);
    if (known != deadlines_.end()) return &waiting_.at(Place{known->second, std::string{key}});
    const auto told = std::ranges::find(in_hand_ | std::views::reverse, key, &Update::first);
    return told.base() == in_hand_.begin() ? nullptr : &told->second;
}

const SuppressBuffer::Update& SuppressBuffer::take_first() {
    LEAT_CHECK(!waiting_.empty());
    auto node = waiting_.extract(waiting_.begin());
    Update& taken = in_hand_.emplace_back(std::move(node.key().second), std::move(node.mapped()));
    bytes_ -= estimate(taken.first, taken.second);
    deadlines_.erase(deadlines_.find(taken.first));
    touch(taken.first);
    if (bytes().meter != nullptr) bytes().meter->waiting(records(), bytes_);
    return taken;
}

Result<void> SuppressBuffer::save() {
    // Bucket by bucket, and in a bucket in the order of the touches, as Java's HashSet is read.
    std::map<std::pair<std::uint32_t, std::size_t>, std::string_view> order;
    for (const auto& [key, touch] : touched_)
        order.emplace(
            std::pair{spread_hash(key) & (static_cast<std::uint32_t>(buckets_) - 1), touch}, key);
    for (const auto& [at, key] : order) {
        const auto known = deadlines_.find(key);
        if (known == deadlines_.end()) {
            LEAT_TRY_VOID(log(key, std::nullopt, -1, nullptr, true));
            continue;
        }
        const BufferedChange& change = waiting_.at(Place{known->second, std::string{key}});
        LEAT_TRY_VOID(log(key, encoded(change, known->second), -1, &format_headers()));
    }
    touched_.clear();
    return {};
}

Result<void> SuppressBuffer::restore(std::span<const ChangelogRecord> records) {
    for (const ChangelogRecord& record : records) {
        const auto known = deadlines_.find(record.key);
        if (!record.value) {
            if (known == deadlines_.end()) continue;
            const auto at = waiting_.find(Place{known->second, std::string{record.key}});
            bytes_ -= estimate(record.key, at->second);
            waiting_.erase(at);
            deadlines_.erase(known);
            continue;
        }
        LEAT_TRY(auto change, decoded(*record.value));
        place(change.first, record.key, std::move(change.second));
    }
    if (bytes().meter != nullptr) bytes().meter->waiting(this->records(), bytes_);
    return {};
}

}  // namespace leat::streams::detail
