// SPDX-License-Identifier: Apache-2.0
//
// What members and leaders of the group write, and what lies with committed offsets. Properties:
// no crash; what was read and is written again reads as the same.
#include "streams/cluster/group_data.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "streams/cluster/commit_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace streams = leat::streams;
    const leat::Bytes bytes = std::as_bytes(std::span{data, size});
    if (const auto member = streams::decode_member(bytes)) {
        const auto again = streams::decode_member(
            streams::encode_member(member->data, {}, member->wants_shutdown));
        if (!again || again->data.state.active != member->data.state.active ||
            again->data.state.lags != member->data.state.lags ||
            again->data.state.tags != member->data.state.tags ||
            again->data.state.rack != member->data.state.rack)
            std::abort();
    }
    if (const auto orders = streams::decode_orders(bytes)) {
        const auto again = streams::decode_orders(streams::encode_orders(*orders, {}));
        if (!again || again->share != orders->share || again->others != orders->others ||
            again->topology != orders->topology || again->task_counts != orders->task_counts)
            std::abort();
    }
    if (const auto topology = streams::unpack_topology(bytes)) {
        const auto again = streams::unpack_topology(streams::pack_topology(*topology, SIZE_MAX));
        if (!again || *again != *topology) std::abort();
    }
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto metadata = streams::decode_commit_metadata(text);
    if (streams::decode_commit_metadata(streams::encode_commit_metadata(metadata)) != metadata)
        std::abort();
    return 0;
}
