// SPDX-License-Identifier: Apache-2.0
//
// The library of functions that cases name. tests/streams/oracle/Oracle.java has the same, name by
// name. Layer: tests/streams.
// Threading: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "leat/streams/partitioner.h"
#include "value.h"

namespace leat::streams::cases {

/// What "boom" throws.
struct Mistake : std::exception {
    [[nodiscard]] const char* what() const noexcept override { return "boom"; }
};

// Keys come as text, with null as "null"; a function that may yield null yields an empty optional.
Maybe mapped(const std::string& name, const std::string& key, const Maybe& value);
bool holds(const std::string& name, bool has_key, const std::string& key, const Maybe& value);
Maybe key_of(const std::string& name, const Maybe& key, const Maybe& value);
std::vector<Maybe> list_of(const std::string& name, const Maybe& value);
Maybe reduced(const std::string& name, const Value& a, const Maybe& b);
Value initial(const std::string& name);
Maybe added(const std::string& name, const Maybe& value, const Value& sum);
Maybe subtracted(const std::string& name, const Maybe& value, const Value& sum);
Value united(const std::string& name, const Value& a, const Value& b);
Maybe joined(const std::string& name, const std::string& key, const Maybe& left,
             const Maybe& right);
/// The time of a record of a source. `partition`: that of its partition, negative: none.
std::int64_t time_of(const std::string& name, const Maybe& value, std::int64_t own,
                     std::int64_t partition);
/// Which of `count` partitions; text of the key with its window.
Partitions chosen(const std::string& name, const std::string& key, const Maybe& value,
                  std::int32_t count);

}  // namespace leat::streams::cases
