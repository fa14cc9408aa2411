// SPDX-License-Identifier: Apache-2.0
#include "apps/reference.h"

#include <array>

#include "apps/help.h"
#include "base/check.h"
#include "base/errc.h"
#include "broker/api_rights.h"
#include "broker/apis.h"
#include "broker/metrics.h"
#include "config/describe.h"
#include "obs/exposition.h"
#include "storage/check/finding.h"
#include "storage/metrics.h"
#include "streams/metrics.h"
#include "wire/api.h"

namespace leat::apps {
namespace {

constexpr auto kErrors = std::to_array<Errc>({
#define LEAT_ERRC(enumerator, code, name, retriable, http, doc) Errc::enumerator,
#include "base/errc.def"
#undef LEAT_ERRC
});

std::string errors_page() {
    std::string out =
        "# Errors\n\n"
        "Printed by `leat reference --print errors` from `src/base/errc.def`; do not edit.\n\n"
        "Codes below 1000 are Kafka's and travel on the wire; those from 1000 on are Leat's own "
        "and reach\n"
        "a Kafka client as the code in the last column. Retriable: the same request may succeed "
        "later.\n\n"
        "| code | name | retriable | HTTP | meaning | on the wire |\n|---|---|---|---|---|---|\n";
    for (const Errc code : kErrors) {
        const ErrcInfo& row = info(code);
        out += "| " + std::to_string(static_cast<int>(code)) + " | " + std::string{row.name} +
               " | " + (row.retriable ? "yes" : "no") + " | " + std::to_string(row.http_status) +
               " | " + std::string{row.doc} + " | " + std::to_string(wire_code(code)) + " |\n";
    }
    return out;
}

std::string apis_page() {
    std::string out =
        "# APIs\n\n"
        "Printed by `leat reference --print apis` from `schemas/`; do not edit.\n\n"
        "Requests of Kafka's protocol that the broker serves. Versions from the flexible one on "
        "carry\n"
        "tagged fields (KIP-482).\n\n"
        "| key | API | versions | flexible from |\n|---|---|---|---|\n";
    for (const wire::ApiInfo& api : wire::kApis) {
        if (broker::find_served(api.key) == nullptr) continue;
        const bool is_flexible = api.flexible_from != wire::kNeverFlexible;
        out += "| " + std::to_string(static_cast<int>(api.key)) + " | " + std::string{api.name} +
               " | " + std::to_string(api.min) + "–" + std::to_string(api.max) + " | " +
               (is_flexible ? std::to_string(api.flexible_from) : "never") + " |\n";
    }
    return out;
}

std::string metrics_page() {
    const std::array tables{broker::metrics_table(), storage::metrics_table()};
    return obs::metrics_reference(tables);
}

}  // namespace

std::string reference_page(std::string_view name) {
    if (name == "cli") return reference_markdown();
    if (name == "settings") return config::settings_reference();
    if (name == "rights") return broker::rights_as_page();
    if (name == "apis") return apis_page();
    if (name == "metrics") return metrics_page();
    if (name == "log-findings") return storage::findings_reference();
    if (name == "streams-metrics") return streams::metrics_page();
    LEAT_CHECK(name == "errors");
    return errors_page();
}

}  // namespace leat::apps
