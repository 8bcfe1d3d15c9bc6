// Braid, Apache-2.0.
#include "actors/amqp/session/server_properties.hpp"

#include <string>

#include "config/version.hpp"

namespace braid::amqp {

namespace {

/// Whose behaviour clients find here, told to those that look for RabbitMQ: our own version would be one that they call
/// too old.
constexpr std::string_view rabbitmq = "RabbitMQ", rabbitmq_version = "4.1.0";

}  // namespace

TableWriter server_properties(std::string_view product, std::string_view cluster_name) {
  TableWriter properties;
  properties.open_table("capabilities")
      .put("publisher_confirms", true)
      .put("exchange_exchange_bindings", true)
      .put("basic.nack", true)
      .put("consumer_cancel_notify", true)
      .put("connection.blocked", true)
      .put("consumer_priorities", true)
      .put("authentication_failure_close", true)
      .put("per_consumer_qos", true)
      .put("direct_reply_to", true)
      .close();
  properties.put("cluster_name", cluster_name)
      .put("information", "Braid " + std::string(version) + ", licensed under the Apache License 2.0")
      .put("platform", "C++")
      .put("product", product)
      .put("version", product == rabbitmq ? rabbitmq_version : std::string_view(version));
  return properties;
}

}  // namespace braid::amqp
