// SPDX-License-Identifier: Apache-2.0
//
// Which of some keys were used last. Layer: streams (L6). Pure.
// Spec:  the map behind Kafka Streams' Stores.lruMap().
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace leat::streams::detail {

/// Threading: not synchronised.
class UseOrder {
  public:
    explicit UseOrder(std::size_t keys_max) : keys_max_(keys_max) {}
    /// Now; a key that is not known is added.
    void use(std::string_view key);
    void forget(std::string_view key);
    void clear();
    /// While there are too many: the one whose use is longest ago, which is forgotten.
    std::optional<std::string> take_excess();

  private:
    std::size_t keys_max_;
    std::list<std::string> keys_;  ///< The last one used is first.
    std::map<std::string_view, std::list<std::string>::iterator> places_;
};

}  // namespace leat::streams::detail
