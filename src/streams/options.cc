// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/options.h"

#include <algorithm>
#include <string>

namespace leat::streams {

Result<Optimization> Optimization::parse(std::string_view text) {
    if (text == "all") return all();
    if (text == "none" || text.empty()) return Optimization{};
    Optimization out;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        auto name = text.substr(at, end - at);
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        if (name == "reuse.ktable.source.topics") {
            out.reuse_ktable_source_topics = true;
        } else if (name == "merge.repartition.topics") {
            out.merge_repartition_topics = true;
        } else if (name == "single.store.self.join") {
            out.single_store_self_join = true;
        } else {
            return Error{Errc::kInvalidConfig,
                         "topology.optimization: \"" + std::string{name} +
                             "\" is none of none, all, reuse.ktable.source.topics, "
                             "merge.repartition.topics, single.store.self.join"};
        }
        at = end + 1;
    }
    return out;
}

}  // namespace leat::streams
