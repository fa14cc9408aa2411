// SPDX-License-Identifier: Apache-2.0
//
// Pieces of Prometheus text format 0.0.4. Layer: obs (L1). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "obs/metrics.h"

namespace leat::obs {

/// "# HELP ..." and "# TYPE ..." lines.
void append_family(std::string& out, const Metric& metric);

/// One label of a sample; none when `name` is empty.
struct Label {
    std::string_view name, value;
};

/// name{a="x",le="0.1"} value
/// `extra` is one more label behind those of the metric.
void append_sample(std::string& out, std::string_view name, const Metric& metric,
                   std::span<const std::string> labels, double value, Label extra = {});

/// Shortest text that reads back the same; "+Inf", "NaN" as Prometheus spells them.
std::string number_text(double value);

/// docs/reference/metrics.md of these tables.
std::string metrics_reference(std::span<const std::span<const Metric>> tables);

}  // namespace leat::obs
