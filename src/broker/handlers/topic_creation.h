// SPDX-License-Identifier: Apache-2.0
//
// Topics that are made because somebody needs them. Layer: broker (L6).
#pragma once

#include <string>
#include <vector>

#include "broker/request.h"
#include "metadata/controller.h"
#include "rt/task.h"

namespace leat::broker {

/// Makes the topics in `names`, with the broker's defaults; __consumer_offsets as it must be. An
/// outcome each, in their order; without an error where the topic exists afterwards.
rt::Task<std::vector<metadata::Outcome>> auto_create(Request& request,
                                                     std::vector<std::string> names);

/// Makes __consumer_offsets unless it exists. Errors: kCoordinatorNotAvailable.
rt::Task<Errc> ensure_offsets_topic(Request& request);

/// Whether a client may have `name` made by asking for its metadata.
[[nodiscard]] bool may_auto_create(const Request& request, bool client_allows);

}  // namespace leat::broker
