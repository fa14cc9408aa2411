// SPDX-License-Identifier: Apache-2.0
#include "apps/fault_injection.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <utility>

namespace leat::apps {
namespace {

using storage::Faults;

constexpr std::array<std::pair<std::string_view, bool Faults::*>, 8> kFaults{{
    {"ack_before_sync", &Faults::ack_before_sync},
    {"skip_sync", &Faults::skip_sync},
    {"sync_wrong_file", &Faults::sync_wrong_file},
    {"skip_crc_check", &Faults::skip_crc_check},
    {"skip_dedupe", &Faults::skip_dedupe},
    {"ack_duplicate_early", &Faults::ack_duplicate_early},
    {"mark_ahead", &Faults::mark_ahead},
    {"read_above_synced", &Faults::read_above_synced},
}};

#ifdef LEAT_FAULT_INJECTION
std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}
#endif

}  // namespace

Result<FaultInjection> parse_faults(std::string_view disk, std::string_view storage) {
    FaultInjection out;
    LEAT_TRY(out.disk, rt::parse_fault_points(disk));
    while (!storage.empty()) {
        const std::size_t comma = std::min(storage.find(','), storage.size());
        const std::string_view name = storage.substr(0, comma);
        storage.remove_prefix(std::min(comma + 1, storage.size()));
        if (name == "trust_sync") {
            out.trust_sync = true;
            continue;
        }
        const auto* row = std::ranges::find(kFaults, name, [](const auto& f) { return f.first; });
        if (row == kFaults.end())
            return Error{Errc::kInvalidSetting,
                         "LEAT_FAULTS: there is no fault '" + std::string{name} + "'"};
        out.storage.*(row->second) = true;
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
