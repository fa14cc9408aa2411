// SPDX-License-Identifier: Apache-2.0
#include "wire/api.h"

#include <algorithm>

#include "wire/reader.h"
#include "wire/writer.h"

namespace leat::wire {
namespace {

static_assert(std::ranges::is_sorted(kApis, {}, &ApiInfo::key));

template <class Out>
void write(Out& out, const RequestHeader& header) {
    out.i16(static_cast<std::int16_t>(header.api->key));
    out.i16(header.version);
    out.i32(header.correlation_id);
    out.nullable_string(header.client_id, false);  // Classic form in header 2 too.
    if (header.api->request_header(header.version) >= 2) out.uvarint(0);
}

}  // namespace

const ApiInfo* find_api(std::int16_t key) noexcept {
    const auto row = std::ranges::lower_bound(kApis, static_cast<ApiKey>(key), {}, &ApiInfo::key);
    return row != kApis.end() && static_cast<std::int16_t>(row->key) == key ? &*row : nullptr;
}

const ApiInfo& api_info(ApiKey key) noexcept {
    const ApiInfo* row = find_api(static_cast<std::int16_t>(key));
    LEAT_CHECK(row != nullptr);
    return *row;
}

Result<RequestHeader> decode_request_header(Reader& in) {
    RequestHeader header;
    const std::int16_t key = in.i16();
    header.version = in.i16();
    header.correlation_id = in.i32();
    LEAT_TRY_VOID(in.finish());
    header.api = find_api(key);
    if (header.api == nullptr)
        return Error{Errc::kUnsupportedVersion, "no API has the key " + std::to_string(key)};
    header.client_id = in.nullable_string(false);
    if (header.api->request_header(header.version) >= 2) in.skip_tags();
    LEAT_TRY_VOID(in.finish());
    return header;
}

EncodedSize encoded_size(const RequestHeader& header) {
    Sizer out;
    write(out, header);
    return out.size();
}

void encode(const RequestHeader& header, Writer& out) {
    write(out, header);
}

Result<std::int32_t> decode_response_header(const ApiInfo& api, std::int16_t version, Reader& in) {
    const std::int32_t correlation_id = in.i32();
    if (api.response_header(version) >= 1) in.skip_tags();
    LEAT_TRY_VOID(in.finish());
    return correlation_id;
}

std::size_t response_header_bytes(const ApiInfo& api, std::int16_t version) {
    return api.response_header(version) >= 1 ? 5 : 4;
}

void encode_response_header(const ApiInfo& api, std::int16_t version, std::int32_t correlation_id,
                            Writer& out) {
    out.i32(correlation_id);
    if (api.response_header(version) >= 1) out.uvarint(0);
}

}  // namespace leat::wire
