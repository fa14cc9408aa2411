// SPDX-License-Identifier: Apache-2.0
#include "streams_check.h"

#include <algorithm>
#include <vector>

#include "streams_records.h"

namespace leat::bench {
namespace {

/// Big-endian, -1 when it is no 8 bytes.
std::int64_t number_of(std::string_view bytes) {
    if (bytes.size() != 8) return -1;
    std::uint64_t out = 0;
    for (const char c : bytes) out = out << 8U | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(out);
}

class MapFilter final : public Checker {
  public:
    explicit MapFilter(const Given& given)
        : given_(given), seen_(static_cast<std::size_t>(given.records)) {}
    void take(std::string_view key, std::string_view value) override {
        const std::int64_t record = number_in(key.data(), key.size());
        const bool is_one = key.size() == kNumberBytes && record >= 0 && record < given_.records &&
                            record % 16 != 0;
        const std::string wanted = is_one
                                       ? key_text(key_number(record, given_.keys, Stream::kLeft)) +
                                             value_text(record).substr(kNumberBytes)
                                       : std::string{};
        if (!is_one || value != wanted || seen_[static_cast<std::size_t>(record)] != 0) {
            ++wrong_;
            return;
        }
        seen_[static_cast<std::size_t>(record)] = 1;
        ++right_;
    }
    [[nodiscard]] std::int64_t wrong() const override { return wrong_ + expected() - right_; }
    [[nodiscard]] std::int64_t expected() const override {
        return given_.records - (given_.records + 15) / 16;
    }

  private:
    Given given_;
    std::vector<char> seen_;
    std::int64_t right_ = 0;
    std::int64_t wrong_ = 0;
};

/// The last count of each key, or of each key in each window.
class Counts final : public Checker {
  public:
    Counts(const Given& given, bool windowed) : given_(given), windowed_(windowed) {
        const std::int64_t last = std::max<std::int64_t>(given.records - 1, 0);
        const std::int64_t windows = windowed ? last / kRecordsPerMs / kWindowMs + 1 : 1;
        wanted_.resize(static_cast<std::size_t>(windows * given.keys));
        found_.resize(wanted_.size());
        for (std::int64_t i = 0; i < given.records; ++i)
            ++wanted_[static_cast<std::size_t>(
                (windowed ? i / kRecordsPerMs / kWindowMs * given.keys : 0) +
                key_number(i, given.keys, Stream::kLeft))];
    }
    void take(std::string_view key, std::string_view value) override {
        std::int64_t at = 0;
        if (windowed_ && key.size() > 8) {
            const std::int64_t start = number_of(key.substr(key.size() - 8)) - given_.base_ms;
            at = start % kWindowMs == 0 ? start / kWindowMs * given_.keys : -1;
            key.remove_suffix(8);
        }
        const std::int64_t number = key_in(key.data(), key.size());
        if (at < 0 || number < 0 || number >= given_.keys ||
            at + number >= static_cast<std::int64_t>(found_.size())) {
            ++stray_;
            return;
        }
        found_[static_cast<std::size_t>(at + number)] = number_of(value);
    }
    [[nodiscard]] std::int64_t wrong() const override {
        std::int64_t out = stray_;
        for (std::size_t i = 0; i < wanted_.size(); ++i) out += wanted_[i] != found_[i] ? 1 : 0;
        return out;
    }
    [[nodiscard]] std::int64_t expected() const override {
        return std::ranges::count_if(wanted_, [](std::int64_t count) { return count > 0; });
    }

  private:
    Given given_;
    bool windowed_;
    std::vector<std::int64_t> wanted_;
    std::vector<std::int64_t> found_;
    std::int64_t stray_ = 0;
};

/// How many pairs there are, and their sum in a form that no other set of pairs is likely to have.
class Joined final : public Checker {
  public:
    explicit Joined(const Given& given) {
        using Times = std::vector<std::vector<std::int64_t>>;
        Times left(static_cast<std::size_t>(given.keys));
        Times right(static_cast<std::size_t>(given.keys));
        for (std::int64_t i = 0; i < given.records; ++i) {
            left[static_cast<std::size_t>(key_number(i, given.keys, Stream::kLeft))].push_back(i);
            right[static_cast<std::size_t>(key_number(i, given.keys, Stream::kRight))].push_back(i);
        }
        for (std::size_t key = 0; key < left.size(); ++key)
            for (const std::int64_t mine : left[key])
                for (const std::int64_t theirs : right[key])
                    if (std::abs(time_of(mine, 0) - time_of(theirs, 0)) <= kApartMs) {
                        ++expected_;
                        sum_wanted_ += mixed(mine, theirs);
                    }
    }
    void take(std::string_view /*key*/, std::string_view value) override {
        ++found_;
        if (value.size() != 2 * kNumberBytes) {
            ++stray_;
            return;
        }
        sum_ += mixed(number_in(value.data(), kNumberBytes),
                      number_in(value.data() + kNumberBytes, kNumberBytes));
    }
    [[nodiscard]] std::int64_t wrong() const override {
        const std::int64_t missing = std::abs(expected_ - found_) + stray_;
        return missing == 0 && sum_ != sum_wanted_ ? 1 : missing;
    }
    [[nodiscard]] std::int64_t expected() const override { return expected_; }

  private:
    static std::uint64_t mixed(std::int64_t left, std::int64_t right) {
        std::uint64_t out =
            static_cast<std::uint64_t>(left) << 32U ^ static_cast<std::uint64_t>(right);
        out = (out ^ out >> 31U) * 0x9E3779B97F4A7C15U;
        return out ^ out >> 29U;
    }

    std::int64_t expected_ = 0;
    std::int64_t found_ = 0;
    std::int64_t stray_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t sum_wanted_ = 0;
};

}  // namespace

std::unique_ptr<Checker> make_checker(const std::string& topology, const Given& given) {
    if (topology == "map-filter") return std::make_unique<MapFilter>(given);
    if (topology == "count") return std::make_unique<Counts>(given, false);
    if (topology == "tumbling") return std::make_unique<Counts>(given, true);
    if (topology == "join") return std::make_unique<Joined>(given);
    return nullptr;
}

}  // namespace leat::bench
