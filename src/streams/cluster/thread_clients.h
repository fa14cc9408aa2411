// SPDX-License-Identifier: Apache-2.0
//
// What one thread reads, commits and asks with. Layer: streams (L6).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "client/admin.h"
#include "client/group_offsets.h"
#include "client/partition_reader.h"
#include "streams/settings.h"

namespace leat::streams {

/// Threading: belongs to the thread.
struct ThreadClients {
    std::unique_ptr<client::PartitionReader> reader;
    std::unique_ptr<client::GroupOffsets> offsets;
    std::unique_ptr<client::Admin> admin;

    /// Makes those that are not there yet, as clients of the thread's name. Errors: of a setting,
    /// of the cluster.
    Result<void> open(const Settings& settings, const std::string& thread);
    void close();
};

}  // namespace leat::streams
