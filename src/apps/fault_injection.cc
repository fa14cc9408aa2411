// SPDX-License-Identifier: Apache-2.0
#include "apps/fault_injection.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <span>
#include <string>
#include <utility>

namespace leat::apps {
namespace {

using Setter = bool& (*)(FaultInjection&);

constexpr std::array<std::pair<std::string_view, Setter>, 19> kFaults{{
    {"ack_before_sync", [](FaultInjection& f) -> bool& { return f.storage.ack_before_sync; }},
    {"skip_sync", [](FaultInjection& f) -> bool& { return f.storage.skip_sync; }},
    {"sync_wrong_file", [](FaultInjection& f) -> bool& { return f.storage.sync_wrong_file; }},
    {"skip_crc_check", [](FaultInjection& f) -> bool& { return f.storage.skip_crc_check; }},
    {"skip_dedupe", [](FaultInjection& f) -> bool& { return f.storage.skip_dedupe; }},
    {"ack_duplicate_early",
     [](FaultInjection& f) -> bool& { return f.storage.ack_duplicate_early; }},
    {"mark_ahead", [](FaultInjection& f) -> bool& { return f.storage.mark_ahead; }},
    {"read_above_synced", [](FaultInjection& f) -> bool& { return f.storage.read_above_synced; }},
    {"lso_too_high", [](FaultInjection& f) -> bool& { return f.storage.lso_too_high; }},
    {"no_abort_filter", [](FaultInjection& f) -> bool& { return f.storage.no_abort_filter; }},
    {"skip_scrub", [](FaultInjection& f) -> bool& { return f.storage.skip_scrub; }},
    {"trust_sync", [](FaultInjection& f) -> bool& { return f.trust_sync; }},
    {"metadata.behind", [](FaultInjection& f) -> bool& { return f.metadata_behind; }},
    {"groups.offsets_outside_transaction",
     [](FaultInjection& f) -> bool& { return f.groups.offsets_outside_transaction; }},
    {"transactions.no_fencing",
     [](FaultInjection& f) -> bool& { return f.transactions.no_fencing; }},
    {"transactions.not_reconciled",
     [](FaultInjection& f) -> bool& { return f.transactions.not_reconciled; }},
    {"transactions.answer_before_durable",
     [](FaultInjection& f) -> bool& { return f.transactions.answer_before_durable; }},
    {"transactions.marker_before_log",
     [](FaultInjection& f) -> bool& { return f.transactions.marker_before_log; }},
    {"transactions.marker_lost",
     [](FaultInjection& f) -> bool& { return f.transactions.marker_lost; }},
}};

class BehindBySome final : public metadata::MetadataStore {
  public:
    explicit BehindBySome(std::unique_ptr<metadata::MetadataStore> under)
        : under_(std::move(under)) {}

    Result<metadata::State> load() override { return under_->load(); }

    Result<void> commit(std::span<const metadata::Delta> deltas) override {
        behind_.emplace_back(deltas.begin(), deltas.end());
        if (behind_.size() <= kBehind) return {};
        const auto before = std::exchange(behind_.front(), {});
        behind_.pop_front();
        return under_->commit(before);
    }

  private:
    static constexpr std::size_t kBehind = 8;
    std::unique_ptr<metadata::MetadataStore> under_;
    std::deque<std::vector<metadata::Delta>> behind_;
};

#ifdef LEAT_FAULT_INJECTION
std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}
#endif

}  // namespace

std::unique_ptr<metadata::MetadataStore> behind_by_some(
    std::unique_ptr<metadata::MetadataStore> under) {
    return std::make_unique<BehindBySome>(std::move(under));
}

Result<FaultInjection> parse_faults(std::string_view disk, std::string_view faults) {
    FaultInjection out;
    LEAT_TRY(out.disk, rt::parse_fault_points(disk));
    while (!faults.empty()) {
        const std::size_t comma = std::min(faults.find(','), faults.size());
        const std::string_view name = faults.substr(0, comma);
        faults.remove_prefix(std::min(comma + 1, faults.size()));
        const auto* row = std::ranges::find(kFaults, name, [](const auto& f) { return f.first; });
        if (row == kFaults.end())
            return Error{Errc::kInvalidSetting,
                         "LEAT_FAULTS: there is no fault '" + std::string{name} + "'"};
        row->second(out) = true;
    }
    return out;
}

Result<FaultInjection> faults_from_environment() {
#ifdef LEAT_FAULT_INJECTION
    return parse_faults(environment("LEAT_FAULT_DISK"), environment("LEAT_FAULTS"));
#else
    return FaultInjection{};
#endif
}

}  // namespace leat::apps
