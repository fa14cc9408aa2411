// SPDX-License-Identifier: Apache-2.0
#include "obs/metrics.h"

#include <algorithm>

#include "base/check.h"
#include "obs/exposition.h"

namespace leat::obs {
namespace {

constexpr std::string_view kOverflow = "overflow";

std::size_t label_count(const Metric& metric) {
    return static_cast<std::size_t>(
        std::ranges::count_if(metric.labels, [](std::string_view l) { return !l.empty(); }));
}

std::size_t cell_count(const Metric& metric) {
    return metric.kind == Kind::kHistogram ? metric.bounds.size() + 2 : 1;
}

detail::Cell& cell_at(const detail::Slot& slot, std::uint32_t cell) noexcept {
    detail::Cell* page = slot.pages[cell / detail::kPageCells].load(std::memory_order_relaxed);
    return page[cell % detail::kPageCells];
}

}  // namespace

void set_thread_slot(std::size_t slot) noexcept {
    detail::thread_slot = slot;
}

std::size_t thread_slot() noexcept {
    return detail::thread_slot;
}

void detail::add(Slot* slots, std::uint32_t cell, std::uint64_t amount) noexcept {
    const std::size_t slot = thread_slot;
    Cell& to = cell_at(slots[slot], cell);
    if (slot == 0) {
        to.fetch_add(amount, std::memory_order_relaxed);
    } else {  // One writer: no need for a locked instruction.
        to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
}

void detail::set(Slot* slots, std::uint32_t cell, std::uint64_t value) noexcept {
    cell_at(slots[thread_slot], cell).store(value, std::memory_order_relaxed);
}

void Histogram::observe(std::int64_t value) const noexcept {
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    detail::add(slots_, cell_ + static_cast<std::uint32_t>(bucket), 1);
    const auto sum_cell = cell_ + static_cast<std::uint32_t>(bounds_.size()) + 1;
    detail::add(slots_, sum_cell, static_cast<std::uint64_t>(value));
}

Registry::Registry(std::size_t slots)
    : slot_count_(slots), slots_(std::make_unique<detail::Slot[]>(slots)) {
    LEAT_CHECK(slots > 0);
}

Registry::~Registry() {
    for (std::size_t s = 0; s < slot_count_; ++s)
        for (auto& page : slots_[s].pages) delete[] page.load(std::memory_order_relaxed);
}

Counter Registry::counter(const Metric& metric, Labels values) {
    LEAT_CHECK(metric.kind == Kind::kCounter);
    return {slots_.get(), cells_of(metric, values)};
}

Gauge Registry::gauge(const Metric& metric, Labels values) {
    LEAT_CHECK(metric.kind == Kind::kGauge);
    return {slots_.get(), cells_of(metric, values)};
}

Histogram Registry::histogram(const Metric& metric, Labels values) {
    LEAT_CHECK(metric.kind == Kind::kHistogram && !metric.bounds.empty());
    return {slots_.get(), cells_of(metric, values), metric.bounds};
}

std::uint32_t Registry::cells_of(const Metric& metric, Labels values) {
    LEAT_CHECK(values.size() == label_count(metric));
    const std::lock_guard lock{mutex_};
    const auto find = [&](const auto& labels) -> const Series* {
        for (const Series& series : series_)
            if (series.metric->name == metric.name && std::ranges::equal(series.labels, labels))
                return &series;
        return nullptr;
    };
    if (const Series* known = find(values)) return known->cell;
    std::vector<std::string> labels{values.begin(), values.end()};
    // Half of the last page is kept for the overflow series of every metric.
    const bool is_full = next_cell_ + cell_count(metric) + detail::kPageCells / 2 >
                         detail::kPageCells * detail::kPages;
    if (is_full) {
        labels.assign(values.size(), std::string{kOverflow});
        if (const Series* shared = find(labels)) return shared->cell;
    }
    series_.push_back({&metric, std::move(labels), allocate(cell_count(metric))});
    return series_.back().cell;
}

std::uint32_t Registry::allocate(std::size_t count) {
    // A series lies in one page.
    LEAT_CHECK(count <= detail::kPageCells);
    if (next_cell_ % detail::kPageCells + count > detail::kPageCells)
        next_cell_ = (next_cell_ / detail::kPageCells + 1) * detail::kPageCells;
    const std::uint32_t first = next_cell_;
    LEAT_CHECK(first + count <= detail::kPageCells * detail::kPages);
    for (std::size_t s = 0; s < slot_count_; ++s) {
        auto& page = slots_[s].pages[first / detail::kPageCells];
        if (page.load(std::memory_order_relaxed) == nullptr)
            // The handle that reaches other threads publishes the page with it.
            page.store(
                new detail::Cell[detail::kPageCells]{},  // tidy: right here, freed by ~Registry.
                std::memory_order_release);
    }
    next_cell_ += static_cast<std::uint32_t>(count);
    return first;
}

std::uint64_t Registry::sum(std::uint32_t cell) const noexcept {
    std::uint64_t total = 0;
    for (std::size_t s = 0; s < slot_count_; ++s)
        total += cell_at(slots_[s], cell).load(std::memory_order_relaxed);
    return total;
}

void Registry::write_series(std::string& out, const Series& series) const {
    const Metric& metric = *series.metric;
    const auto as_number = [&](std::uint32_t cell) {
        return static_cast<double>(static_cast<std::int64_t>(sum(cell)));
    };
    if (metric.kind != Kind::kHistogram)
        return append_sample(out, metric.name, metric, series.labels,
                             as_number(series.cell) * metric.scale);
    const std::string name{metric.name};
    double below = 0;
    for (std::size_t i = 0; i <= metric.bounds.size(); ++i) {
        below += as_number(series.cell + static_cast<std::uint32_t>(i));
        const std::string bound =
            i == metric.bounds.size()
                ? "+Inf"
                : number_text(static_cast<double>(metric.bounds[i]) * metric.scale);
        append_sample(out, name + "_bucket", metric, series.labels, below,
                      {.name = "le", .value = bound});
    }
    const auto sum_cell = series.cell + static_cast<std::uint32_t>(metric.bounds.size()) + 1;
    append_sample(out, name + "_sum", metric, series.labels, as_number(sum_cell) * metric.scale);
    append_sample(out, name + "_count", metric, series.labels, below);
}

std::string Registry::exposition(std::span<const Sample> samples) const {
    struct Line {
        const Metric* metric;
        const Series* series;
        const Sample* sample;
        std::size_t index;
    };
    const std::lock_guard lock{mutex_};
    std::vector<Line> lines;
    lines.reserve(series_.size() + samples.size());
    for (const Series& series : series_)
        lines.push_back({series.metric, &series, nullptr, lines.size()});
    for (const Sample& sample : samples)
        lines.push_back({sample.metric, nullptr, &sample, lines.size()});
    std::ranges::sort(lines, {}, [](const Line& line) {
        return std::pair{line.metric->name,
                         line.index};  // Series stay in the order they were made.
    });
    std::string out;
    std::string_view family;
    for (const Line& line : lines) {
        if (line.metric->name != family) append_family(out, *line.metric);
        family = line.metric->name;
        if (line.series != nullptr) {
            write_series(out, *line.series);
        } else {
            append_sample(out, family, *line.metric, line.sample->labels, line.sample->value);
        }
    }
    return out;
}

std::int64_t Registry::value(const Metric& metric, Labels values) const {
    const std::lock_guard lock{mutex_};
    for (const Series& series : series_)
        if (series.metric->name == metric.name && std::ranges::equal(series.labels, values))
            return static_cast<std::int64_t>(sum(series.cell));
    return 0;
}

}  // namespace leat::obs
