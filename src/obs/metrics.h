// SPDX-License-Identifier: Apache-2.0
//
// Counters, gauges and histograms declared in tables and summed at scrape. Layer: obs (L1).
// Spec:  Prometheus naming: base units, suffix of the unit, counters end in _total.
//
//     inline constexpr Metric kRequests{
//         .name = "leat_requests_total", .help = "...", .labels = {"api"}};
//     const Counter requests = registry.counter(kRequests, {"Produce"});  // Once.
//     requests.add();                                                     // On any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leat::obs {

enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };

/// Bucket bounds of times, in nanoseconds: 100 us doubled up to about 52 s.
inline constexpr std::array<std::int64_t, 20> kLatencyBounds = [] {
    std::array<std::int64_t, 20> bounds{};
    std::int64_t bound = 100'000;
    for (auto& b : bounds) {
        b = bound;
        bound *= 2;
    }
    return bounds;
}();
inline constexpr double kNanoseconds = 1e-9;

/// One row of a module's table.
struct Metric {
    std::string_view name = {};
    Kind kind = Kind::kCounter;
    std::string_view help = {};
    std::array<std::string_view, 3> labels = {};  ///< Unused ones are empty.
    /// Histograms: upper bounds, ascending, in the unit that is observed.
    std::span<const std::int64_t> bounds = {};
    /// What one observed unit is in the unit of the name (kNanoseconds for "_seconds").
    double scale = 1;
};
using Labels = std::initializer_list<std::string_view>;

/// Which slot this thread counts in. 0, the default, may be shared by threads; a shard has its own
/// from 1 on. Call when a shard's thread starts, and around what it does in another shard's place.
void set_thread_slot(std::size_t slot) noexcept;
[[nodiscard]] std::size_t thread_slot() noexcept;

class Registry;

namespace detail {
using Cell = std::atomic<std::uint64_t>;
inline constexpr std::size_t kPageCells = 512;
inline constexpr std::size_t kPages = 128;
struct Slot {
    std::array<std::atomic<Cell*>, kPages> pages{};
};
inline thread_local std::size_t thread_slot = 0;
void add(Slot* slots, std::uint32_t cell, std::uint64_t amount) noexcept;
void set(Slot* slots, std::uint32_t cell, std::uint64_t value) noexcept;
}  // namespace detail

/// Handles are small values and live as long as their registry.
/// Threading: thread-safe, no locks.
class Counter {
  public:
    void add(std::uint64_t amount = 1) const noexcept { detail::add(slots_, cell_, amount); }

  private:
    friend class Registry;
    Counter(detail::Slot* slots, std::uint32_t cell) noexcept : slots_(slots), cell_(cell) {}
    detail::Slot* slots_;
    std::uint32_t cell_;
};

/// The scrape shows the sum over the slots: each shard sets its own part.
/// Threading: thread-safe, no locks.
class Gauge {
  public:
    void set(std::int64_t value) const noexcept {
        detail::set(slots_, cell_, static_cast<std::uint64_t>(value));
    }
    void add(std::int64_t amount) const noexcept {
        detail::add(slots_, cell_, static_cast<std::uint64_t>(amount));
    }

  private:
    friend class Registry;
    Gauge(detail::Slot* slots, std::uint32_t cell) noexcept : slots_(slots), cell_(cell) {}
    detail::Slot* slots_;
    std::uint32_t cell_;
};

/// How often values fell into each bucket, and their sum.
/// Threading: thread-safe, no locks.
class Histogram {
  public:
    void observe(std::int64_t value) const noexcept;
    void observe(std::chrono::nanoseconds value) const noexcept { observe(value.count()); }

  private:
    friend class Registry;
    Histogram(detail::Slot* slots, std::uint32_t cell,
              std::span<const std::int64_t> bounds) noexcept
        : slots_(slots), cell_(cell), bounds_(bounds) {}
    detail::Slot* slots_;
    std::uint32_t cell_;  ///< One per bucket, one for what is above all, one for the sum.
    std::span<const std::int64_t> bounds_;
};

/// A value gathered at scrape time (log sizes, lag): what is too many to count as it happens.
struct Sample {
    const Metric* metric = nullptr;
    std::vector<std::string> labels;
    double value = 0;
};

/// All series of the process.
///
/// Threading: thread-safe; making a handle takes a lock, counting does not.
/// Memory:    8 bytes per cell and slot, in pages of 4 KiB a slot; at most 65,536 cells, then new
///            series share one that is shown with the labels "overflow".
class Registry {
  public:
    /// `slots`: 1 for unnamed threads plus one per shard.
    explicit Registry(std::size_t slots);
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// The series of `metric` with these label values, made at the first call. `metric` must live
    /// for ever. Precondition: the kind fits and there are as many values as labels.
    Counter counter(const Metric& metric, Labels values = {});
    Gauge gauge(const Metric& metric, Labels values = {});
    Histogram histogram(const Metric& metric, Labels values = {});

    /// Prometheus text format 0.0.4 of all series and `samples`, families in name order.
    [[nodiscard]] std::string exposition(std::span<const Sample> samples = {}) const;

    /// Sum over all slots of the first cell of a series, 0 when there is none: for tests and
    /// status.
    [[nodiscard]] std::int64_t value(const Metric& metric, Labels values = {}) const;

  private:
    struct Series {
        const Metric* metric;
        std::vector<std::string> labels;
        std::uint32_t cell;
    };
    std::uint32_t cells_of(const Metric& metric, Labels values);
    std::uint32_t allocate(std::size_t count);
    [[nodiscard]] std::uint64_t sum(std::uint32_t cell) const noexcept;
    void write_series(std::string& out, const Series& series) const;

    mutable std::mutex mutex_;
    std::size_t slot_count_;
    std::unique_ptr<detail::Slot[]> slots_;
    std::vector<Series> series_;
    std::uint32_t next_cell_ = 0;
};

}  // namespace leat::obs
