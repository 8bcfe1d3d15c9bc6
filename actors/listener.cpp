// Braid, Apache-2.0.
#include "actors/listener.hpp"

#include "runtime/log.hpp"

namespace braid {

Result<Address, std::string> ProtocolListener::bind(const std::string& address, std::uint16_t port) {
  auto listener = loop().network().listen(
      address, port, guard([this](std::unique_ptr<Stream> stream) { accepted(std::move(stream)); }));
  if (!listener) return Unexpected{listener.error()};
  listener_ = std::move(*listener);
  return listener_->address();
}

void ProtocolListener::accepted(std::unique_ptr<Stream> stream) {
  const auto& peer = stream->peer();
  switch (gate_.admit(peer.ip)) {
    case ConnectionGate::Verdict::admitted: {
      Admission admission(gate_, peer.ip);
      return factory_(std::move(stream), std::move(admission));
    }
    case ConnectionGate::Verdict::node_full:
      BRAID_LOG_LIMITED(warning, protocol_, {{"peer", peer.text()}},
                        "refused: the node has as many connections as limits.max_connections allows");
      break;
    case ConnectionGate::Verdict::address_full:
      BRAID_LOG_LIMITED(warning, protocol_, {{"peer", peer.text()}},
                        "refused: the address has as many connections as limits.max_connections_per_address allows");
      break;
  }
}

}  // namespace braid
