// Braid, Apache-2.0.
//
// How a connection begins (2.2.4, 4.2.2): the protocol header, who the client is, the limits both keep to, the virtual
// host. What a client says of itself decides only which of RabbitMQ's extensions it is told of.
#include <fmt/format.h>

#include "actors/amqp/session/credentials.hpp"
#include "actors/amqp/session/server_properties.hpp"
#include "actors/amqp/session/session.hpp"
#include "codecs/protocol_guess.hpp"
#include "runtime/log.hpp"

namespace braid::amqp {

namespace {
/// RabbitMQ's, 4.1 and later.
constexpr std::uint32_t kMinFrameMax = 8192;

bool capability(const Table& client_properties, std::string_view name) {
  const auto capabilities = client_properties.find("capabilities");
  if (!capabilities || capabilities->type() != FieldType::table) return false;
  const auto value = capabilities->as_table().find(name);
  return value && value->type() == FieldType::boolean && value->as_bool();
}

std::string text_property(const Table& client_properties, std::string_view name) {
  const auto value = client_properties.find(name);
  return value && value->is_text() ? std::string(value->as_text().substr(0, 128)) : std::string();
}
}  // namespace

void Session::handle_wrong_protocol(ReceiveBuffer& buffer) {
  ++services_.metrics.protocol_errors;
  const auto guess = guess_protocol(buffer.readable());
  if (guess != WireProtocol::unknown && guess != WireProtocol::amqp_0_9_1)
    BRAID_LOG_LIMITED(warning, "amqp", {{"peer", peer_}}, "closed: this is the AMQP port; the client speaks {}",
                      to_string(guess));
  else
    BRAID_LOG_LIMITED(warning, "amqp", {{"peer", peer_}}, "closed: not the protocol header of AMQP 0-9-1");
  out().bytes().raw(protocol_header);
  flush();
  phase_ = Phase::ended;
  buffer.clear();
  stream().close();
}

void Session::say_start() {
  const TableWriter properties = server_properties(settings().product, services_.cluster_id);
  ConnectionStart start;
  start.server_properties = properties.table();
  start.mechanisms = {"PLAIN AMQPLAIN"};
  write(0, start);
  phase_ = Phase::start;
}

void Session::handle(const ConnectionStartOk& method) {
  wants_login_failure_ = capability(method.client_properties, "authentication_failure_close");
  wants_cancel_notice_ = capability(method.client_properties, "consumer_cancel_notify");
  wants_blocked_notice_ = capability(method.client_properties, "connection.blocked");
  client_name_ = text_property(method.client_properties, "connection_name");
  if (client_name_.empty()) client_name_ = text_property(method.client_properties, "product");
  mechanism_ = method.mechanism;
  if (mechanism_ != "PLAIN" && mechanism_ != "AMQPLAIN") return refuse_login(mechanism_);
  if (method.response.text.empty()) {
    // The client did not begin with its response: it is asked for it.
    write(0, ConnectionSecure{});
    phase_ = Phase::secure;
    return;
  }
  log_in(mechanism_, method.response.text);
}

void Session::handle(const ConnectionSecureOk& method) {
  log_in(mechanism_, method.response.text);
}

void Session::log_in(std::string_view mechanism, std::string_view response) {
  const auto credentials = read_credentials(mechanism, response, content_limits_.table);
  if (!credentials || !known_user(*credentials)) return refuse_login(mechanism);
  user_ = credentials->user;
  say_tune();
}

void Session::refuse_login(std::string_view mechanism) {
  BRAID_LOG_LIMITED(warning, "amqp", {{"peer", peer_}, {"client", client_name_}},
                    "refused: login was refused using mechanism {}", mechanism);
  if (wants_login_failure_)
    return fail_connection(ReplyCode::access_refused,
                           fmt::format("Login was refused using authentication mechanism {}. For details see the "
                                       "broker logfile.",
                                       mechanism));
  // Clients without the capability take the closed socket for the answer (RabbitMQ's authentication_failure_close).
  end();
}

void Session::say_tune() {
  ConnectionTune tune;
  tune.channel_max = settings().max_channels;
  tune.frame_max = settings().max_frame_bytes;
  tune.heartbeat = settings().heartbeat_s;
  write(0, tune);
  phase_ = Phase::tune;
}

void Session::handle(const ConnectionTuneOk& method) {
  const auto refuse = [&](std::string_view what, std::uint64_t wanted, std::string_view is, std::uint64_t allowed) {
    fail_connection(ReplyCode::not_allowed,
                    fmt::format("negotiated {} = {}{} is {} allowed value ({})", what, wanted,
                                wanted == 0 ? " (no limit)" : "", is, allowed),
                    ConnectionTune::info.id);
  };
  const auto& own = settings();
  const auto above = [](std::uint64_t wanted, std::uint64_t allowed) {
    return allowed != 0 && (wanted == 0 || wanted > allowed);
  };
  if (above(method.channel_max, own.max_channels))
    return refuse("channel_max", method.channel_max, "higher than the maximum", own.max_channels);
  if (method.frame_max != 0 && method.frame_max < kMinFrameMax)
    return refuse("frame_max", method.frame_max, "lower than the minimum", kMinFrameMax);
  if (above(method.frame_max, own.max_frame_bytes))
    return refuse("frame_max", method.frame_max, "higher than the maximum", own.max_frame_bytes);
  channel_max_ = method.channel_max;
  frame_max_ = method.frame_max;
  heartbeat_s_ = method.heartbeat;
  decoder_.set_frame_max(frame_max_);
  phase_ = Phase::open;
}

void Session::handle(const ConnectionOpen& method) {
  phase_ = Phase::opening;
  paused_ = true;
  stream().pause_reading();
  ask(
      this, services_.amqp_definitions, OpenVhost{std::string(method.virtual_host)},
      [this, name = std::string(method.virtual_host)](const Defined& reply) { turn([&] { opened(name, reply); }); },
      [this](caf::error) {
        turn([&] { fail_connection(ReplyCode::internal_error, "the node stops", ConnectionOpen::info.id); });
      });
}

void Session::opened(const std::string& name, const Defined& reply) {
  if (phase_ != Phase::opening) return;
  paused_ = false;
  stream().resume_reading();
  if (reply.refusal) return fail_connection(reply.refusal->code, reply.refusal->text, ConnectionOpen::info.id);
  vhost_ = services_.amqp.find(name);
  if (!vhost_)
    return fail_connection(ReplyCode::not_allowed, fmt::format("vhost {} not found", name), ConnectionOpen::info.id);
  write(0, ConnectionOpenOk{});
  phase_ = Phase::running;
  counted_ = true;
  ++services_.metrics.amqp_connections;
  log::debug("amqp", {{"peer", peer_}, {"client", client_name_}, {"vhost", vhost_->name()}}, "connection opened");
  watch();
}

}  // namespace braid::amqp
