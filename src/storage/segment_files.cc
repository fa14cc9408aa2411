// SPDX-License-Identifier: Apache-2.0
#include "storage/segment_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace leat::storage {
namespace {

constexpr std::size_t kDigits = 20;

constexpr std::array<std::pair<std::string_view, FileKind>, 5> kKinds{{
    {".log", FileKind::kLog},
    {".index", FileKind::kIndex},
    {".timeindex", FileKind::kTimeIndex},
    {".txnindex", FileKind::kTxnIndex},
    {".snapshot", FileKind::kSnapshot},
}};
constexpr std::array<std::pair<std::string_view, FileStage>, 4> kStages{{
    {"", FileStage::kPlain},
    {".cleaned", FileStage::kCleaned},
    {".swap", FileStage::kSwap},
    {".deleted", FileStage::kDeleted},
}};

std::string twenty_digits(std::int64_t number) {
    std::string digits = std::to_string(number);
    return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

}  // namespace

std::string to_string(const FileName& name) {
    std::string text = twenty_digits(name.base.value);
    text += kKinds.at(static_cast<std::size_t>(name.kind)).first;
    text += kStages.at(static_cast<std::size_t>(name.stage)).first;
    return text;
}

std::optional<FileName> parse_file_name(std::string_view text) {
    if (text.size() < kDigits) return std::nullopt;
    std::int64_t base = 0;
    const std::string_view digits = text.substr(0, kDigits);
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), base);
    if (error != std::errc{} || at != digits.data() + digits.size() || base < 0)
        return std::nullopt;
    text.remove_prefix(kDigits);
    for (const auto& [suffix, kind] : kKinds) {
        if (!text.starts_with(suffix)) continue;
        const std::string_view rest = text.substr(suffix.size());
        for (const auto& [word, stage] : kStages)
            if (rest == word) return FileName{.base = {base}, .kind = kind, .stage = stage};
    }
    return std::nullopt;
}

std::string cut_file_name(Offset base, FilePos at) {
    return twenty_digits(base.value) + "." + std::to_string(at.value) + ".cut";
}

}  // namespace leat::storage
