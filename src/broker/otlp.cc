// SPDX-License-Identifier: Apache-2.0
#include "broker/otlp.h"

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace leat::broker {
namespace {

using protozero::pbf_reader;

constexpr std::size_t kNameMax = 200;
constexpr std::size_t kAttributesMax = 400;

// Fields of the messages: number and form together. One of our numbers in another form is skipped
// like a field that we do not know; the library would only assert that it is not.
constexpr std::uint32_t fixed64(protozero::pbf_tag_type number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed64);
}
constexpr std::uint32_t varint(protozero::pbf_tag_type number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
constexpr std::uint32_t sized(protozero::pbf_tag_type number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}
namespace field {
constexpr std::uint32_t kResourceMetrics = sized(1);
constexpr std::uint32_t kResource = sized(1);
constexpr std::uint32_t kScopeMetrics = sized(2);
constexpr std::uint32_t kResourceAttributes = sized(1);
constexpr std::uint32_t kMetrics = sized(2);
constexpr std::uint32_t kName = sized(1);
constexpr std::uint32_t kGauge = sized(5);
constexpr std::uint32_t kSum = sized(7);
constexpr std::uint32_t kHistogram = sized(9);
constexpr std::uint32_t kDataPoints = sized(1);
constexpr std::uint32_t kTemporality = varint(2);
constexpr std::uint32_t kAsDouble = fixed64(4);
constexpr std::uint32_t kAsInt = fixed64(6);
constexpr std::uint32_t kPointAttributes = sized(7);
constexpr std::uint32_t kHistogramCount = fixed64(4);
constexpr std::uint32_t kHistogramSum = fixed64(5);
constexpr std::uint32_t kHistogramAttributes = sized(9);
constexpr std::uint32_t kKey = sized(1);
constexpr std::uint32_t kValue = sized(2);
constexpr std::uint32_t kString = sized(1);
constexpr std::uint32_t kBool = varint(2);
constexpr std::uint32_t kInt = varint(3);
constexpr std::uint32_t kDouble = fixed64(4);
}  // namespace field
constexpr std::int32_t kDelta = 1;

std::string_view text_of(pbf_reader& in) {
    const protozero::data_view view = in.get_view();
    return {view.data(), view.size()};
}

std::string cut(std::string_view text, std::size_t size_max) {
    return std::string{text.substr(0, size_max)};
}

std::string any_value(pbf_reader in) {
    while (in.next()) switch (in.tag_and_type()) {
            case field::kString:
                return cut(text_of(in), kNameMax);
            case field::kBool:
                return in.get_bool() ? "true" : "false";
            case field::kInt:
                return std::to_string(in.get_int64());
            case field::kDouble:
                return std::to_string(in.get_double());
            default:
                in.skip();
        }
    return {};
}

/// Adds "key=value".
void add_attribute(std::string& out, pbf_reader in) {
    std::string key;
    std::string value;
    while (in.next())
        if (in.tag_and_type() == field::kKey)
            key = cut(text_of(in), kNameMax);
        else if (in.tag_and_type() == field::kValue)
            value = any_value(in.get_message());
        else
            in.skip();
    if (out.size() + key.size() + value.size() + 2 > kAttributesMax) return;
    if (!out.empty()) out += ',';
    out.append(key).append("=").append(value);
}

class Decoder {
  public:
    explicit Decoder(std::size_t points_max) : points_max_(points_max) {}

    bool is_full() const noexcept { return is_full_; }
    std::vector<OtlpPoint> take() { return std::move(points_); }

    void resource_metrics(pbf_reader in) {
        resource_.clear();
        // The resource may stand behind its metrics.
        for (pbf_reader look = in; look.next();)
            if (look.tag_and_type() == field::kResource)
                resource(look.get_message());
            else
                look.skip();
        while (in.next())
            if (in.tag_and_type() == field::kScopeMetrics)
                scope_metrics(in.get_message());
            else
                in.skip();
    }

  private:
    void resource(pbf_reader in) {
        while (in.next())
            if (in.tag_and_type() == field::kResourceAttributes)
                add_attribute(resource_, in.get_message());
            else
                in.skip();
    }
    void scope_metrics(pbf_reader in) {
        while (in.next())
            if (in.tag_and_type() == field::kMetrics)
                metric(in.get_message());
            else
                in.skip();
    }
    void metric(pbf_reader in) {
        std::string name;
        for (pbf_reader look = in; look.next();)
            if (look.tag_and_type() == field::kName)
                name = cut(text_of(look), kNameMax);
            else
                look.skip();
        while (in.next()) switch (in.tag_and_type()) {
                case field::kGauge:
                    numbers(in.get_message(), name, false);
                    break;
                case field::kSum:
                    numbers(in.get_message(), name, true);
                    break;
                case field::kHistogram:
                    histogram(in.get_message(), name);
                    break;
                default:
                    in.skip();
            }
    }
    static bool is_delta(pbf_reader in) {
        while (in.next()) {
            if (in.tag_and_type() == field::kTemporality) return in.get_enum() == kDelta;
            in.skip();
        }
        return false;
    }
    void numbers(pbf_reader in, const std::string& name, bool is_sum) {
        const bool delta = is_sum && is_delta(in);
        while (in.next())
            if (in.tag_and_type() == field::kDataPoints)
                number(in.get_message(), name, delta);
            else
                in.skip();
    }
    void number(pbf_reader in, const std::string& name, bool delta) {
        OtlpPoint point{.name = name, .attributes = resource_, .is_delta = delta};
        while (in.next()) switch (in.tag_and_type()) {
                case field::kAsDouble:
                    point.value = in.get_double();
                    break;
                case field::kAsInt:
                    point.value = static_cast<double>(in.get_sfixed64());
                    break;
                case field::kPointAttributes:
                    add_attribute(point.attributes, in.get_message());
                    break;
                default:
                    in.skip();
            }
        add(std::move(point));
    }
    void histogram(pbf_reader in, const std::string& name) {
        const bool delta = is_delta(in);
        while (in.next()) {
            if (in.tag_and_type() != field::kDataPoints) {
                in.skip();
                continue;
            }
            OtlpPoint count{.name = name + ".count", .attributes = resource_, .is_delta = delta};
            OtlpPoint sum{.name = name + ".sum", .attributes = resource_, .is_delta = delta};
            for (pbf_reader point = in.get_message(); point.next();) switch (point.tag_and_type()) {
                    case field::kHistogramCount:
                        count.value = static_cast<double>(point.get_fixed64());
                        break;
                    case field::kHistogramSum:
                        sum.value = point.get_double();
                        break;
                    case field::kHistogramAttributes:
                        add_attribute(count.attributes, point.get_message());
                        break;
                    default:
                        point.skip();
                }
            sum.attributes = count.attributes;
            add(std::move(count));
            add(std::move(sum));
        }
    }
    void add(OtlpPoint point) {
        if (points_.size() >= points_max_)
            is_full_ = true;
        else
            points_.push_back(std::move(point));
    }

    std::size_t points_max_;
    std::vector<OtlpPoint> points_;
    std::string resource_;
    bool is_full_ = false;
};

}  // namespace

Result<std::vector<OtlpPoint>> decode_otlp(Bytes data, std::size_t points_max) {
    Decoder decoder{points_max};
    // The library tells of damage by an exception, which ends here.
    try {
        pbf_reader in{reinterpret_cast<const char*>(data.data()), data.size()};
        while (in.next())
            if (in.tag_and_type() == field::kResourceMetrics)
                decoder.resource_metrics(in.get_message());
            else
                in.skip();
    } catch (const std::exception& error) {
        return Error{Errc::kMalformed, error.what()};
    }
    if (decoder.is_full()) return Error{Errc::kLimitExceeded};
    return decoder.take();
}

}  // namespace leat::broker
