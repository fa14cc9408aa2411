// SPDX-License-Identifier: Apache-2.0
#include "metadata/committer.h"

#include <utility>

#include "base/check.h"

namespace leat::metadata {

void Committer::commit(std::vector<Delta> deltas, Done done) {
    LEAT_CHECK(!deltas.empty());
    waiting_.push_back({std::move(deltas), std::move(done)});
    if (running_.empty()) start_next();
}

void Committer::start_next() {
    if (waiting_.empty()) return;
    running_ = std::exchange(waiting_, {});
    struct Job {
        std::vector<Delta> deltas;
        Result<void> result;
    };
    auto job = std::make_shared<Job>();
    for (const Call& call : running_)
        job->deltas.insert(job->deltas.end(), call.deltas.begin(), call.deltas.end());
    pool_.submit(
        home_, [this, job] { job->result = store_.commit(job->deltas); },
        [this, job] { finish(job->result); });
}

void Committer::finish(const Result<void>& result) {
    ++transactions_;
    std::vector<Call> calls = std::exchange(running_, {});
    // What waits was validated against changes that are not there now: it fails with them.
    if (!result.has_value())
        for (Call& call : std::exchange(waiting_, {})) calls.push_back(std::move(call));
    for (Call& call : calls) call.done(result);
    if (running_.empty()) start_next();
}

}  // namespace leat::metadata
