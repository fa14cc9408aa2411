// SPDX-License-Identifier: Apache-2.0
//
// Method: messages written with the library's writer, read back; then each of them cut at every
// byte.
#include "broker/otlp.h"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include <string>

#include "testkit/result_matchers.h"

namespace leat::broker {
namespace {

using protozero::pbf_writer;

Bytes bytes_of(const std::string& text) {
    return std::as_bytes(std::span{text});
}

void attribute(pbf_writer& to, protozero::pbf_tag_type tag, const std::string& key,
               const std::string& value) {
    pbf_writer pair{to, tag};
    pair.add_string(1, key);
    pbf_writer any{pair, 2};
    any.add_string(1, value);
}

/// A gauge of 1.5, a delta sum of 7 and a histogram, of one resource.
std::string message() {
    std::string out;
    pbf_writer root{out};
    pbf_writer resource_metrics{root, 1};
    {
        pbf_writer scope{resource_metrics, 2};
        {
            pbf_writer metric{scope, 2};
            metric.add_string(1, "a.gauge");
            pbf_writer gauge{metric, 5};
            pbf_writer point{gauge, 1};
            attribute(point, 7, "topic", "t");
            point.add_double(4, 1.5);
        }
        {
            pbf_writer metric{scope, 2};
            pbf_writer sum{metric, 7};
            {
                pbf_writer point{sum, 1};
                point.add_sfixed64(6, 7);
            }
            sum.add_enum(2, 1);
            sum.add_bool(3, true);
        }
        {
            pbf_writer metric{scope, 2};
            metric.add_string(1, "h");
            pbf_writer histogram{metric, 9};
            pbf_writer point{histogram, 1};
            point.add_fixed64(4, 3);
            point.add_double(5, 30);
        }
    }
    {
        pbf_writer resource{resource_metrics, 1};
        attribute(resource, 1, "rack", "r1");
    }
    return out;
}

TEST(Otlp, GivesEachNumberWithItsAttributes) {
    const auto points = decode_otlp(bytes_of(message()), 100);
    ASSERT_OK(points);
    ASSERT_EQ(points->size(), 4U);
    EXPECT_EQ((*points)[0].name, "a.gauge");
    EXPECT_EQ((*points)[0].attributes, "rack=r1,topic=t");
    EXPECT_EQ((*points)[0].value, 1.5);
    EXPECT_FALSE((*points)[0].is_delta);
    EXPECT_EQ((*points)[1].value, 7);
    EXPECT_TRUE((*points)[1].is_delta);
    EXPECT_EQ((*points)[2].name, "h.count");
    EXPECT_EQ((*points)[2].value, 3);
    EXPECT_EQ((*points)[3].value, 30);
}

TEST(Otlp, RefusesMoreThanItsLimit) {
    EXPECT_ERRC(decode_otlp(bytes_of(message()), 3), Errc::kLimitExceeded);
}

TEST(Otlp, CutMessageIsRefusedOrShorter) {
    const std::string whole = message();
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const auto points = decode_otlp(bytes_of(whole.substr(0, size)), 100);
        if (!points.has_value()) EXPECT_ERRC(points, Errc::kMalformed);
    }
    EXPECT_TRUE(decode_otlp({}, 1)->empty());
}

TEST(Otlp, FieldsInOtherFormsAreSkipped) {
    std::string out;
    {
        pbf_writer root{out};
        root.add_fixed64(1, 1);
        pbf_writer resource_metrics{root, 1};
        resource_metrics.add_uint32(1, 1);
        resource_metrics.add_fixed32(2, 1);
        pbf_writer scope{resource_metrics, 2};
        scope.add_uint32(2, 1);
        pbf_writer metric{scope, 2};
        metric.add_uint32(1, 1);
        metric.add_string(1, "m");
        pbf_writer sum{metric, 7};
        sum.add_string(2, "delta");
        pbf_writer point{sum, 1};
        point.add_uint32(4, 1);
        point.add_sfixed64(6, 7);
        point.add_string(6, "eight");
        point.add_fixed64(7, 1);
    }
    const auto points = decode_otlp(bytes_of(out), 10);
    ASSERT_OK(points);
    ASSERT_EQ(points->size(), 1U);
    EXPECT_EQ((*points)[0].name, "m");
    EXPECT_EQ((*points)[0].value, 7);
    EXPECT_FALSE((*points)[0].is_delta);
    EXPECT_EQ((*points)[0].attributes, "");
}

TEST(Otlp, LongTextsAreCut) {
    std::string out;
    {
        pbf_writer root{out};
        pbf_writer resource_metrics{root, 1};
        pbf_writer scope{resource_metrics, 2};
        pbf_writer metric{scope, 2};
        metric.add_string(1, std::string(5'000, 'n'));
        pbf_writer gauge{metric, 5};
        pbf_writer point{gauge, 1};
        attribute(point, 7, "key", std::string(5'000, 'v'));
    }
    const auto points = decode_otlp(bytes_of(out), 10);
    ASSERT_OK(points);
    EXPECT_LE((*points)[0].name.size(), 200U);
    EXPECT_LE((*points)[0].attributes.size(), 400U);
}

}  // namespace
}  // namespace leat::broker
