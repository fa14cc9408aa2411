// SPDX-License-Identifier: Apache-2.0
//
// How many partitions repartition topics get from those who write them. Layer: streams (L6).
// Spec:  Kafka Streams' RepartitionTopics: the widest source of the writers of which the width is
//        known when the topic's turn comes. Whose turn comes first is a matter of Java's hashes:
//        topics that an application there made must fit.
// Threading: pure functions.
#pragma once

#include "streams/cluster/layout.h"

namespace leat::streams {

/// `counts` has the input topics, and the repartition topics that say how many they have; gets the
/// others, as far as somebody feeds them.
void add_widths(const Layout& layout, Layout::Counts& counts);

}  // namespace leat::streams
