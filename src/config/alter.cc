// SPDX-License-Identifier: Apache-2.0
#include "config/alter.h"

#include <algorithm>
#include <set>

#include "config/security.h"

namespace leat::config {
namespace {

/// The list after adding or taking away the elements of `operand`. An unset list starts from the
/// setting's default.
std::string altered_list(const Setting& row, const Values& values, const Alteration& change) {
    const auto current = values.find(row.name);
    std::vector<std::string> items = split_list(
        current != values.end() ? std::string_view{current->second} : row.fallback.value_or(""));
    for (const std::string& item : split_list(*change.value)) {
        const bool is_there = std::ranges::find(items, item) != items.end();
        if (change.op == AlterOp::kSubtract) {
            std::erase(items, item);
        } else if (!is_there) {
            items.push_back(item);
        }
    }
    return *text_of(Value{std::move(items)});
}

}  // namespace

Result<void> check_alterations(std::span<const Alteration> alterations) {
    std::set<std::string_view> names;
    for (const Alteration& change : alterations) {
        if (!names.insert(change.name).second)
            return Error{Errc::kInvalidRequest, "Error due to duplicate config keys"};
        if (change.op < AlterOp::kSet || change.op > AlterOp::kSubtract)
            return Error{Errc::kInvalidRequest, "Unknown operation for " + change.name};
        if (change.op != AlterOp::kDelete && !change.value)
            return Error{Errc::kInvalidRequest, "Null value not supported for : " + change.name};
    }
    return {};
}

Result<void> alter_topic(Values& values, const Alteration& change) {
    if (change.op == AlterOp::kDelete) {
        values.erase(change.name);
        return {};
    }
    const Setting* row = find_topic_setting(change.name);
    const bool is_list_op = change.op != AlterOp::kSet;
    if (row == nullptr && !is_list_op)
        return Error{Errc::kInvalidConfig, "Unknown topic config name: " + change.name};
    if (!is_list_op) {
        values[change.name] = *change.value;
        return {};
    }
    if (row == nullptr || row->type != Type::kList)
        return Error{Errc::kInvalidConfig,
                     std::string{"Can't "} +
                         (change.op == AlterOp::kAppend ? "APPEND" : "SUBTRACT") + " to key " +
                         change.name + " because its type is not LIST."};
    values[change.name] = altered_list(*row, values, change);
    return {};
}

Result<void> alter_broker(Values& values, const Alteration& change, bool is_default) {
    const Setting* row = find_broker_setting(change.name);
    const bool is_list_op = change.op == AlterOp::kAppend || change.op == AlterOp::kSubtract;
    if (is_list_op && (row == nullptr || row->type != Type::kList))
        return Error{Errc::kInvalidConfig,
                     std::string{"Config value "} +
                         (change.op == AlterOp::kAppend ? "append" : "subtract") +
                         " is not allowed for config key: " + change.name};
    if (row != nullptr && row->update == Update::kReadOnly)
        return Error{Errc::kInvalidRequest,
                     "Cannot update these configs dynamically: [" + change.name + "]"};
    // Those that an older version let in can be taken away.
    if (change.op != AlterOp::kDelete && is_listener_security(change.name))
        return Error{Errc::kInvalidRequest,
                     "Cannot update these configs dynamically: [" + change.name + "]"};
    if (row != nullptr && is_default && row->update == Update::kPerBroker)
        return Error{Errc::kInvalidRequest,
                     "Cannot update these configs at default cluster level: [" + change.name + "]"};
    if (change.op == AlterOp::kDelete) {
        values.erase(change.name);
        return {};
    }
    // A name that is no setting is kept, as Kafka keeps it.
    std::string text = is_list_op ? altered_list(*row, values, change) : *change.value;
    if (row != nullptr)
        if (const auto parsed = parse(*row, text); !parsed.has_value())
            return Error{Errc::kInvalidRequest, parsed.error().detail()};
    values[change.name] = std::move(text);
    return {};
}

}  // namespace leat::config
