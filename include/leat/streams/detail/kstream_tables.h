// SPDX-License-Identifier: Apache-2.0
//
// KStream joined with a KTable or a GlobalKTable, and to_table(). Layer: streams SDK, not for
// users. Spec:  Kafka Streams' KStream-KTable and KStream-GlobalKTable joins, toTable. Threading:
// one thread declares a topology.
#pragma once

#include "leat/streams/kstream.h"

namespace leat::streams {}  // namespace leat::streams
