// Braid, Apache-2.0.
//
// Is this text? Every string of an MQTT packet has to be asked, so the answer has to be quick: nearly all of them are
// ASCII and are judged eight bytes at a time.
#pragma once

#include <string_view>

namespace braid {

/// Well-formed UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

/// A UTF-8 encoded string as MQTT wants it: well-formed [MQTT-1.5.4-1] and without U+0000 [MQTT-1.5.4-2].
bool is_mqtt_utf8(std::string_view text);

}  // namespace braid
