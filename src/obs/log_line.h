// SPDX-License-Identifier: Apache-2.0
//
// Text of a log line in both forms. Layer: obs (L1). Pure.
#pragma once

#include <string>
#include <string_view>

#include "obs/log.h"

namespace leat::obs {

std::string_view name_of(Level level);

/// component=storage event="segment rolled" topic=orders base=17
/// A value is quoted when it is empty or holds a blank, quote, '=' or control character. Controls
/// are escaped in both forms, those of Unicode too: what is logged may come from anybody.
void append_logfmt(std::string& out, std::string_view component, std::string_view event,
                   Fields fields, std::uint64_t suppressed);

/// "component":"storage","event":"segment rolled","topic":"orders","base":17   (no braces)
/// Bytes that are not UTF-8 are replaced, so that the line is always valid JSON.
void append_json(std::string& out, std::string_view component, std::string_view event,
                 Fields fields, std::uint64_t suppressed);

}  // namespace leat::obs
