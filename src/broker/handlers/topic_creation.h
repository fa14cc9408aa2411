// SPDX-License-Identifier: Apache-2.0
//
// Topics that are made because somebody needs them. Layer: broker (L6).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/request.h"
#include "metadata/controller.h"
#include "rt/task.h"

namespace leat::broker {

/// `name` as it is made when somebody needs it: a coordinator's topic as coordinators have it, any
/// other with the broker's defaults.
[[nodiscard]] metadata::NewTopic topic_on_demand(const std::string& name,
                                                 const config::BrokerConfig& config);

/// Makes the topics in `names`, with the broker's defaults, those of coordinators as they must be.
/// An outcome each, in their order; without an error where the topic exists afterwards.
rt::Task<std::vector<metadata::Outcome>> auto_create(Request* request,
                                                     std::vector<std::string> names);

/// Makes __consumer_offsets or __transaction_state unless it exists; `name` lives for ever.
/// Errors: kCoordinatorNotAvailable.
rt::Task<Errc> ensure_topic_of_coordinator(Request* request, std::string_view name);

/// Whether a client may have `name` made by asking for its metadata.
[[nodiscard]] bool may_auto_create(const Request& request, bool client_allows);

}  // namespace leat::broker
