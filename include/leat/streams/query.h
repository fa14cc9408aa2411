// SPDX-License-Identifier: Apache-2.0
//
// Asks the stores of a running application. Layer: streams SDK.
// Spec:  Kafka Streams' interactive queries, version 2: one answer a partition that is here, each
//        with its position.
// Threading: on any thread but those of the application: not inside a processor or a listener. A
// query waits for the record that is being processed, for `wait_max` at most.
//
//     const auto counts = query(*app, "counts", KeyQuery<std::string, std::int64_t>{"hello"});
//     for (const auto& one : counts->partitions)
//         if (one.value && *one.value) use((*one.value)->value);
//
// A query of one's own says what it reads and what it finds: one of read_only_stores.h, or a class
// of store that is one's own (it then sees what is below the cache). A store of another kind does
// not know it: kUnknownQueryType. What it answers or throws as an error is kStoreException.
//
//     struct Largest {
//         using Store = ReadOnlyKeyValueStore<std::string, std::int64_t>;
//         using Value = std::int64_t;
//         Result<Value> run(const Store& store) const;
//     };
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/own_query.h"
#include "leat/streams/detail/run_query.h"
#include "leat/streams/detail/run_window_query.h"
#include "leat/streams/queries.h"
#include "leat/streams/read_only_stores.h"

namespace leat::streams {

/// `where`: an Application or a TestDriver. Errors: kNotFound (no store of that name), kUsage (it
/// does not run), kTimedOut (a thread lets no query in), kInvalidRequest (no serde), kInvalidRecord
/// (what is stored is of other types), kUnknownServerError (a serde threw); what is wrong with one
/// partition is in its answer.
template <class Where, class Query>
Result<Answer<typename Query::Value>> query(Where& where, std::string_view store,
                                            const Query& query, const QueryOptions& options = {}) {
    return detail::guarded(store, [&]() -> Result<Answer<typename Query::Value>> {
        LEAT_TRY(const detail::RawQuery raw, detail::to_raw(store, query));
        LEAT_TRY(const std::vector<detail::RawAnswer> answers, where.ask(store, raw, options));
        Answer<typename Query::Value> out;
        for (const detail::RawAnswer& one : answers) {
            PartitionAnswer<typename Query::Value> next{.partition = one.partition,
                                                        .failure = one.failure,
                                                        .reason = one.reason,
                                                        .position = one.position,
                                                        .owner = one.owner,
                                                        .standbys = one.standbys};
            if (!one.failure) {
                LEAT_TRY(next.value, detail::from_raw(store, query, one));
            }
            out.partitions.push_back(std::move(next));
        }
        return out;
    });
}

}  // namespace leat::streams
