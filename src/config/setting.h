// SPDX-License-Identifier: Apache-2.0
//
// One row of a settings table: name, type, bounds, default, documentation and the field it fills.
// Layer: config (L1). Pure.
// Spec:  Kafka's topic and broker configuration reference; docs/reference/settings.md is printed
//        from the tables.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace leat::config {

/// Numbers are those of DescribeConfigs v3+.
enum class Type : std::int8_t {
    kUnknown = 0,
    kBoolean = 1,
    kString = 2,
    kInt = 3,
    kShort = 4,
    kLong = 5,
    kDouble = 6,
    kList = 7,
    kClass = 8,
    kPassword = 9,
};

/// Where a value comes from; numbers are those of DescribeConfigs v1+.
enum class Source : std::int8_t {
    kTopic = 1,
    kDynamicBroker = 2,
    kDynamicDefault = 3,
    kStatic = 4,  ///< Command line or file.
    kDefault = 5,
    kClientMetrics = 7,
    kGroup = 8,
};

enum class Update : std::uint8_t {
    kReadOnly,     ///< Needs a restart.
    kPerBroker,    ///< Dynamic, for one broker only.
    kClusterWide,  ///< Dynamic, for one broker or as the default of all.
};

/// A parsed value; monostate is "null", a setting without a value.
using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct BrokerConfig;
struct TopicConfig;

inline constexpr double kNoMin = -std::numeric_limits<double>::infinity();
inline constexpr double kNoMax = std::numeric_limits<double>::infinity();

/// Threading: immutable.
struct Setting {
    std::string_view name = {};
    Type type = Type::kString;
    /// Text of the default; nullopt is "null".
    std::optional<std::string_view> fallback = std::nullopt;
    double min = kNoMin;  ///< Numbers only; inclusive.
    double max = kNoMax;
    std::string_view choices =
        {};  ///< Strings, and each element of a list: "a,b,c"; empty allows all.
    std::string_view doc = {};
    Update update = Update::kReadOnly;
    bool effective = true;   ///< False: known and validated, and nothing changes by it.
    bool sensitive = false;  ///< The value is never shown.
    bool hidden = false;     ///< Not listed by DescribeConfigs.
    std::string_view since = "0.1";
    /// Topic settings: the broker setting that gives the default for all topics.
    std::string_view synonym = {};
    /// The broker setting's own default is null (another setting is asked next).
    bool synonym_null = false;
    /// Broker settings that give a topic setting's default in another unit ("log.retention.hours").
    std::string_view unit_of = {};
    std::int64_t unit_factor = 1;
    /// Extra rule after type, bounds and choices; the text of what is wrong, or "".
    std::string_view (*check)(const Value&) = nullptr;
    void (*into_topic)(TopicConfig&, const Value&) = nullptr;
    void (*into_broker)(BrokerConfig&, const Value&) = nullptr;
};

/// Parses and validates `text` as Kafka does: blanks around numbers, booleans and list elements are
/// dropped, numbers are decimal.
/// Errors: kInvalidConfig with a detail that names the setting and what is allowed.
Result<Value> parse(const Setting& setting, std::string_view text);

/// The canonical text of a value, as DescribeConfigs shows it; nullopt for null.
std::optional<std::string> text_of(const Value& value);

/// Elements of a comma-separated list, blanks around each dropped; "" is the empty list.
std::vector<std::string> split_list(std::string_view text);

/// "BOOLEAN", "INT"...
std::string_view name_of(Type type);

}  // namespace leat::config
