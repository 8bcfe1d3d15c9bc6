// Braid, Apache-2.0.
//
// Any bytes to the MQTT decoder, at every level and from both sides. What it takes, the encoder must write so that it
// is taken again and comes out the same; walking what a packet holds must stay within the packet.
#include <algorithm>
#include <cstddef>

#include "mqtt_fuzz.hpp"

using namespace braid;
using namespace braid::mqtt;
using namespace braid::mqtt::fuzzing;

namespace {

std::size_t walk(const Properties& properties) {
  std::size_t bytes = 0;
  std::size_t users = 0;
  std::size_t block = 0;
  for (PropertyIterator at(properties.block); at != std::default_sentinel; ++at) {
    require(properties.has(at->id));
    bytes += at->name.size() + at->text.size();
    users += at->id == PropertyId::user_property ? 1 : 0;
    block = properties.block.size() - at.rest().size();
  }
  require(block == properties.block.size());  // a checked block is walked to its end
  require(users == properties.user_property_count);
  for (int id = 0; id < 64; ++id) {
    const auto type = type_of(static_cast<PropertyId>(id));
    if (type == PropertyType::text || type == PropertyType::binary)
      require(properties.text(static_cast<PropertyId>(id)).has_value() == properties.has(static_cast<PropertyId>(id)));
  }
  ByteWriter application;
  append_application_properties(application, properties);
  require(application.size() <= properties.block.size());
  return bytes;
}

template <class Requests>
void walk_requests(const Requests& requests) {
  std::uint32_t count = 0;
  for (const auto& request : requests) {
    require(check_topic_filter(request.filter, 16) == request.fault);
    ++count;
  }
  require(count == requests.size());
}

void inspect(const Packet& packet) {
  std::visit(
      [](const auto& what) {
        if constexpr (requires { what.properties; }) walk(what.properties);
        if constexpr (requires { what.requests; }) walk_requests(what.requests);
        if constexpr (requires { what.will; }) {
          if (what.will) walk(what.will->properties);
        }
      },
      packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Setup setup = Setup::from(data[0]);
  Decoder decoder = setup.decoder();
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (;;) {
    Decoder before = decoder;
    Packet packet;
    const auto step = decoder.next(stream, packet);
    if (step.status == Decoder::Status::failed) {
      require(is_failure(decoder.error().reason) && !decoder.error().sentence.empty());
      require(!describe(decoder.error()).empty());
      break;
    }
    if (step.status == Decoder::Status::need_more) {
      require(step.bytes > stream.size());
      break;
    }
    require(step.bytes <= stream.size());
    inspect(packet);
    const auto level = level_of(decoder);
    const auto once = encoded(level, packet);
    require(once.size() <= step.bytes);  // the encoder uses the shortest form
    Packet again;
    const auto second = before.next(once, again);
    require(second.status == Decoder::Status::packet && second.bytes == once.size());
    require(again.index() == packet.index());
    require(encoded(level, again) == once);
    stream.remove_prefix(step.bytes);
  }
  return 0;
}
