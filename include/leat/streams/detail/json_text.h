// SPDX-License-Identifier: Apache-2.0
//
// JSON texts without the types that they become. Layer: streams SDK, not for users.
// Spec:  RFC 8259. Of members of one name the last counts, as with most readers.
// Threading: immutable once parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace leat::streams::detail {

enum class JsonKind : std::uint8_t { kNull, kTruth, kNumber, kText, kArray, kObject };

/// A value of a document and, behind it, those in it. Views point into the document.
struct JsonNode {
    JsonKind kind = JsonKind::kNull;
    bool truth = false;
    std::size_t span = 1;     ///< Nodes from this one to the next beside it.
    std::size_t count = 0;    ///< Elements or members.
    std::string_view name{};  ///< In an object.
    std::string_view text{};  ///< Without escapes; of a number its digits.
};

/// A value; it lives as long as its document. What it is asked for and is not is an error of
/// kInvalidRecord, ": " and what was expected in its detail.
class JsonValue {
  public:
    explicit JsonValue(const JsonNode& node) : node_(&node) {}
    [[nodiscard]] bool is_null() const noexcept { return node_->kind == JsonKind::kNull; }
    [[nodiscard]] Result<bool> truth() const;
    /// Within the bounds, both included; 5.0 is whole.
    [[nodiscard]] Result<std::int64_t> whole(std::int64_t least, std::int64_t most) const;
    [[nodiscard]] Result<std::uint64_t> whole_up_to(std::uint64_t most) const;
    [[nodiscard]] Result<double> number() const;
    [[nodiscard]] Result<std::string_view> text() const;
    [[nodiscard]] Result<std::vector<JsonValue>> elements() const;
    [[nodiscard]] Result<std::vector<JsonValue>> members() const;
    [[nodiscard]] std::string_view name() const noexcept { return node_->name; }
    /// The same place of the same document.
    [[nodiscard]] bool is(const JsonValue& other) const noexcept { return node_ == other.node_; }

  private:
    [[nodiscard]] Result<std::vector<JsonValue>> children(JsonKind kind) const;
    [[nodiscard]] Error unexpected(JsonKind expected) const;
    const JsonNode* node_;
};

class JsonDocument {
  public:
    /// Errors: kInvalidRecord (no JSON, deeper than that); its detail begins with ": ".
    static Result<JsonDocument> parse(std::string_view text, std::size_t depth_max);
    [[nodiscard]] JsonValue root() const { return JsonValue{nodes_.front()}; }

  private:
    friend class JsonNodes;
    std::vector<JsonNode> nodes_;
    std::vector<char> texts_;  ///< What the nodes' views point into.
};

/// The member of that name; of several the last.
[[nodiscard]] std::optional<JsonValue> find_member(const std::vector<JsonValue>& members,
                                                   std::string_view name);

/// Errors: kInvalidRecord (no UTF-8).
Result<void> append_json_text(std::string& out, std::string_view text);
/// The shortest digits that read as the same. Errors: kInvalidRecord (not finite).
Result<void> append_json_number(std::string& out, double number);
Result<void> append_json_number(std::string& out, float number);

/// The error of what is in a member or an element, with its path in front.
[[nodiscard]] Error in_member(const Error& error, std::string_view name);
[[nodiscard]] Error in_element(const Error& error, std::size_t index);
/// ": expected ...".
[[nodiscard]] Error json_error(std::string_view what);

}  // namespace leat::streams::detail
