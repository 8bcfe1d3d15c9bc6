// Braid, Apache-2.0.
//
// Settings of a topic that Kafka has and that change nothing here, so that they have no place in TopicSettings. There
// are two kinds. Some say how Kafka lays a partition out in files; there are no such files here, so whatever they
// promise is kept, and clients that set them (Kafka Streams does) are served. The others ask for something that is not
// done here: they take the value that says so and no other.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/topic_settings.hpp"

namespace braid {

struct PlainTopicConfig {
  TopicConfigInfo info;
  std::string_view value;  ///< Kafka's default
  bool any = false;        ///< takes every value from `minimum` on; else only the default
  std::int64_t minimum = 0;
};
/// By name.
std::span<const PlainTopicConfig> plain_topic_config_table();
/// nullptr when there is none.
const PlainTopicConfig* find_plain_topic_config(std::string_view name);
bool takes(const PlainTopicConfig&, std::string_view text);

}  // namespace braid
