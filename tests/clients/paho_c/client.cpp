// Braid, Apache-2.0.
#include "client.hpp"

#include <atomic>
#include <stdexcept>

namespace braid::clients {

namespace {

std::string next_client_id() {
  static std::atomic<int> counter = 0;
  return "paho-c-" + std::to_string(++counter);
}

std::string string_of(const MQTTLenString& text) {
  return {text.data, static_cast<std::size_t>(text.len)};
}

void read_properties(const MQTTProperties& properties, Message& message) {
  for (int i = 0; i < properties.count; ++i) {
    const MQTTProperty& property = properties.array[i];
    switch (property.identifier) {
      case MQTTPROPERTY_CODE_USER_PROPERTY:
        message.user.emplace_back(string_of(property.value.data), string_of(property.value.value));
        break;
      case MQTTPROPERTY_CODE_CONTENT_TYPE:
        message.content_type = string_of(property.value.data);
        break;
      case MQTTPROPERTY_CODE_RESPONSE_TOPIC:
        message.response_topic = string_of(property.value.data);
        break;
      case MQTTPROPERTY_CODE_CORRELATION_DATA:
        message.correlation_data = string_of(property.value.data);
        break;
      case MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL:
        message.expiry_s = property.value.integer4;
        break;
      case MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER:
        message.subscriptions.push_back(property.value.integer4);
        break;
      default:
        break;
    }
  }
}

}  // namespace

Properties& Properties::number(MQTTPropertyCodes name, std::uint32_t value) {
  MQTTProperty property{};
  property.identifier = name;
  if (MQTTProperty_getType(name) == MQTTPROPERTY_TYPE_BYTE)
    property.value.byte = static_cast<unsigned char>(value);
  else if (MQTTProperty_getType(name) == MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER)
    property.value.integer2 = static_cast<unsigned short>(value);
  else
    property.value.integer4 = value;
  MQTTProperties_add(&properties_, &property);
  return *this;
}

Properties& Properties::text(MQTTPropertyCodes name, const std::string& value) {
  MQTTProperty property{};
  property.identifier = name;
  property.value.data = {static_cast<int>(value.size()), const_cast<char*>(value.data())};  // the library copies
  MQTTProperties_add(&properties_, &property);
  return *this;
}

Properties& Properties::user(const std::string& name, const std::string& value) {
  MQTTProperty property{};
  property.identifier = MQTTPROPERTY_CODE_USER_PROPERTY;
  property.value.data = {static_cast<int>(name.size()), const_cast<char*>(name.data())};
  property.value.value = {static_cast<int>(value.size()), const_cast<char*>(value.data())};
  MQTTProperties_add(&properties_, &property);
  return *this;
}

Client::Client(std::uint16_t port, const Options& options) : version_(options.version) {
  const std::string uri = "tcp://127.0.0.1:" + std::to_string(port);
  const std::string id = options.client_id.empty() ? next_client_id() : options.client_id;
  MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
  create.MQTTVersion = options.version;
  if (MQTTClient_createWithOptions(&client_, uri.c_str(), id.c_str(), MQTTCLIENT_PERSISTENCE_NONE, nullptr, &create) !=
      MQTTCLIENT_SUCCESS)
    throw std::runtime_error("Paho cannot create a client");

  MQTTClient_connectOptions connect = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions connect5 = MQTTClient_connectOptions_initializer5;
  if (version_ == MQTTVERSION_5) connect = connect5;
  connect.MQTTVersion = options.version;
  connect.keepAliveInterval = options.keep_alive_s;
  if (version_ == MQTTVERSION_5)
    connect.cleanstart = options.clean;
  else
    connect.cleansession = options.clean;
  MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
  if (!options.will_topic.empty()) {
    will.topicName = options.will_topic.c_str();
    will.message = options.will_payload.c_str();
    will.qos = options.will_qos;
    connect.will = &will;
  }
  int code = 0;
  if (version_ == MQTTVERSION_5) {
    Properties properties;
    if (options.session_expiry_s)
      properties.number(MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, *options.session_expiry_s);
    const MQTTResponse response = MQTTClient_connect5(client_, &connect, properties.get(), nullptr);
    code = response.reasonCode;
    MQTTResponse_free(response);
  } else {
    code = MQTTClient_connect(client_, &connect);
  }
  if (code != MQTTCLIENT_SUCCESS) {
    MQTTClient_destroy(&client_);
    throw std::runtime_error("refused with " + std::to_string(code));
  }
  session_present_ = connect.returned.sessionPresent != 0;
}

Client::~Client() {
  // Without DISCONNECT: what ends a connection in order says so.
  MQTTClient_destroy(&client_);
}

int Client::subscribe(const std::string& filter, int qos, Properties* properties) {
  if (version_ != MQTTVERSION_5) {
    // Paho answers with success or failure; the granted quality comes back through the array of subscribeMany.
    char* filters[] = {const_cast<char*>(filter.c_str())};
    int granted[] = {qos};
    const int code = MQTTClient_subscribeMany(client_, 1, filters, granted);
    return code == MQTTCLIENT_SUCCESS ? granted[0] : code;
  }
  MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
  const MQTTResponse response =
      MQTTClient_subscribe5(client_, filter.c_str(), qos, &options, properties ? properties->get() : nullptr);
  const int code = response.reasonCode;
  MQTTResponse_free(response);
  return code;
}

bool Client::publish(const std::string& topic, const std::string& payload, int qos, bool retained,
                     Properties* properties) {
  MQTTClient_deliveryToken token = 0;
  const int size = static_cast<int>(payload.size());
  if (version_ == MQTTVERSION_5) {
    const MQTTResponse response =
        MQTTClient_publish5(client_, topic.c_str(), size, payload.data(), qos, retained ? 1 : 0,
                            properties ? properties->get() : nullptr, &token);
    const int code = response.reasonCode;
    MQTTResponse_free(response);
    if (code != MQTTCLIENT_SUCCESS) return false;
  } else if (MQTTClient_publish(client_, topic.c_str(), size, payload.data(), qos, retained ? 1 : 0, &token) !=
             MQTTCLIENT_SUCCESS) {
    return false;
  }
  return MQTTClient_waitForCompletion(client_, token, 30000) == MQTTCLIENT_SUCCESS;
}

std::optional<Message> Client::receive(int timeout_ms) {
  char* topic = nullptr;
  int length = 0;
  MQTTClient_message* received = nullptr;
  MQTTClient_receive(client_, &topic, &length, &received, static_cast<unsigned long>(timeout_ms));
  if (!received) return std::nullopt;
  Message message;
  message.topic = topic;
  message.payload.assign(static_cast<const char*>(received->payload), static_cast<std::size_t>(received->payloadlen));
  message.qos = received->qos;
  message.retained = received->retained != 0;
  message.duplicate = received->dup != 0;
  read_properties(received->properties, message);
  MQTTClient_freeMessage(&received);
  MQTTClient_free(topic);
  return message;
}

void Client::disconnect() {
  if (version_ == MQTTVERSION_5)
    MQTTClient_disconnect5(client_, 1000, MQTTREASONCODE_SUCCESS, nullptr);
  else
    MQTTClient_disconnect(client_, 1000);
}

}  // namespace braid::clients
