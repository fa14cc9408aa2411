// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "leat/streams/detail/kstream_joins.h"

namespace leat::streams::detail {

StreamJoinNames stream_join_names(Graph& graph, Absent absent, const std::string& name,
                                  const std::string& store) {
    const bool outer_this = absent == Absent::kBoth;
    const bool outer_other = absent != Absent::kNone;
    const auto given = [&name](const std::string& suffix) {
        return name.empty() ? std::string{} : name + suffix;
    };
    // Numbers name the stores even where the nodes have names of their own.
    const auto numbered = [&](const char* prefix, const std::string& wanted) {
        const std::string generated = graph.name(prefix);
        return std::pair{wanted.empty() ? generated : wanted, generated};
    };
    const std::string this_suffix = outer_this ? "-outer-this-join" : "-this-join";
    const std::string other_suffix = outer_other ? "-outer-other-join" : "-other-join";
    StreamJoinNames out;
    out.this_windowed = graph.name("KSTREAM-WINDOWED-", given("-this-windowed"));
    out.other_windowed = graph.name("KSTREAM-WINDOWED-", given("-other-windowed"));
    const std::string this_prefix = outer_this ? "KSTREAM-OUTERTHIS-" : "KSTREAM-JOINTHIS-";
    const std::string other_prefix = outer_other ? "KSTREAM-OUTEROTHER-" : "KSTREAM-JOINOTHER-";
    const auto [this_join, this_generated] = numbered(this_prefix.c_str(), given(this_suffix));
    const auto [other_join, other_generated] = numbered(other_prefix.c_str(), given(other_suffix));
    out.this_join = this_join;
    out.other_join = other_join;
    out.merge = graph.name("KSTREAM-MERGE-", given("-merge"));
    out.this_store = (store.empty() ? this_generated : store + this_suffix) + "-store";
    out.other_store = (store.empty() ? other_generated : store + other_suffix) + "-store";
    if (absent == Absent::kNone) return out;
    const std::string number = this_generated.substr(this_prefix.size());
    const std::string shared = outer_this ? "-outer-shared-join" : "-left-shared-join";
    out.waiting = (store.empty() ? "KSTREAM-OUTERSHARED-" + number : store + shared) + "-store";
    return out;
}

}  // namespace leat::streams::detail
