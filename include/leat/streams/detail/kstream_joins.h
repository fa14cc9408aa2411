// SPDX-License-Identifier: Apache-2.0
//
// KStream joined with a KStream in a window of time. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' KStream-KStream joins.
// Threading: one thread declares a topology.
#pragma once

#include "leat/streams/kstream.h"

namespace leat::streams {}  // namespace leat::streams
