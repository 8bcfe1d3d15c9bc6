// Braid, Apache-2.0.
//
// Any bytes on any port: a protocol error or a closed connection and a line in the log, and other clients notice
// nothing.
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <random>

#include "e2e/support/broker.hpp"
#include "e2e/support/command.hpp"
#include "e2e/support/kafka.hpp"
#include "e2e/support/mqtt.hpp"
#include "e2e/support/raw.hpp"

using namespace braid::e2e;

namespace {

const std::string kMqttConnect("\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02hi", 17);
const std::string kKafkaApiVersions("\x00\x00\x00\x0b\x00\x12\x00\x00\x00\x00\x00\x01\x00\x01x", 15);
const std::string kAmqpHeader("AMQP\x00\x00\x09\x01", 8);
const std::string kTlsHello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
const std::string kHttpGet("GET / HTTP/1.1\r\nHost: x\r\n\r\n");

std::size_t resident_kib(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
  return 0;
}

}  // namespace

TEST_CASE("a client of another protocol is closed and the log names what it speaks") {
  Broker broker;
  const struct {
    std::uint16_t port;
    const std::string& bytes;
    std::string line;
  } cases[] = {
      {broker.mqtt(), kKafkaApiVersions, "this is the MQTT port; the client speaks Kafka"},
      {broker.mqtt(), kAmqpHeader, "this is the MQTT port; the client speaks AMQP"},
      {broker.mqtt(), kTlsHello, "this is the MQTT port; the client speaks TLS"},
      {broker.mqtt(), kHttpGet, "this is the MQTT port; the client speaks HTTP"},
      {broker.kafka(), kMqttConnect, "this is the Kafka port; the client speaks MQTT"},
      {broker.kafka(), kAmqpHeader, "this is the Kafka port; the client speaks AMQP"},
      {broker.kafka(), kTlsHello, "this is the Kafka port; the client speaks TLS"},
      {broker.kafka(), kHttpGet, "this is the Kafka port; the client speaks HTTP"},
      {broker.amqp(), kMqttConnect, "this is the AMQP port; the client speaks MQTT"},
      {broker.amqp(), kKafkaApiVersions, "this is the AMQP port; the client speaks Kafka"},
      {broker.amqp(), kTlsHello, "this is the AMQP port; the client speaks TLS"},
      {broker.amqp(), kHttpGet, "this is the AMQP port; the client speaks HTTP"},
  };
  for (const auto& one : cases) {
    INFO(one.line);
    RawConnection connection(one.port);
    connection.send(one.bytes);
    CHECK(connection.closed());
    CHECK(broker.logs(one.line));
  }
}

TEST_CASE("random bytes on every port never end the broker or another client, and leave no memory behind") {
  Broker broker;
  MqttClient bystander(broker.mqtt());
  bystander.subscribe("still/here");
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const std::string starts[] = {"", kMqttConnect, kKafkaApiVersions, kAmqpHeader, kHttpGet};
  const auto round = [&] {
    for (const auto port : {broker.mqtt(), broker.kafka(), broker.amqp(), broker.http()}) {
      for (int i = 0; i < 40; ++i) {
        RawConnection connection(port);
        std::string bytes = starts[random() % std::size(starts)];
        for (auto left = random() % 2000; left > 0; --left) bytes.push_back(static_cast<char>(random()));
        connection.send(bytes);
        connection.receive(1, static_cast<int>(random() % 5));
      }
    }
  };
  round();
  const auto before = resident_kib(broker.pid());
  for (int i = 0; i < 5; ++i) round();
  CHECK(broker.running());
  CHECK(resident_kib(broker.pid()) < before + 32 * 1024);
  MqttClient publisher(broker.mqtt());
  REQUIRE(publisher.publish_and_wait("still/here", "yes"));
  CHECK(bystander.wait_received(1));
  CHECK(broker.stop() == 0);
}

TEST_CASE("MQTT packets that break the protocol get its own error") {
  Broker broker({"mqtt.max_packet_bytes=4KiB"});
  const auto reply = [&](const std::string& bytes, std::size_t size) {
    RawConnection connection(broker.mqtt());
    connection.send(bytes);
    return connection.receive(size);
  };
  // Levels that we do not speak [MQTT-3.1.2-2].
  CHECK(reply(std::string("\x10\x0e\x00\x04MQTT\x63\x02\x00\x3c\x00\x02hi", 16), 5).substr(0, 4) ==
        std::string("\x20\x03\x00\x84", 4));
  // Not a CONNECT first [MQTT-3.1.0-1]: closed without a word.
  {
    RawConnection connection(broker.mqtt());
    connection.send(std::string("\xc0\x00", 2));
    CHECK(connection.closed());
  }
  // After a good CONNACK: DISCONNECT with the reason.
  const auto after_connect = [&](const std::string& bytes) {
    RawConnection connection(broker.mqtt());
    connection.send(kMqttConnect);
    const auto connack = connection.receive(2);
    REQUIRE(connack.size() >= 2);
    const auto rest = static_cast<std::size_t>(static_cast<unsigned char>(connack[1])) + 2 - connack.size();
    connection.receive(rest);
    connection.send(bytes);
    const auto answer = connection.receive(3);
    REQUIRE(answer.size() >= 3);
    CHECK(static_cast<unsigned char>(answer[0]) == 0xe0);
    CHECK(connection.closed());
    return static_cast<int>(static_cast<unsigned char>(answer[2]));
  };
  CHECK(after_connect(kMqttConnect) == 0x82);                                 // a second CONNECT
  CHECK(after_connect(std::string("\x36\x05\x00\x01t\x00\x01", 7)) == 0x81);  // QoS 3
  CHECK(after_connect(std::string("\x30\x05\x00\x02"
                                  "a#"
                                  "\x00",
                                  7)) >= 0x81);                                       // wildcard in a topic name
  CHECK(after_connect(std::string("\x82\x07\x00\x00\x00\x00\x01t\x00", 9)) >= 0x81);  // packet identifier 0
  CHECK(after_connect(std::string("\x30\xff\xff\x03", 4)) == 0x95);                   // larger than allowed
  CHECK(after_connect(std::string("\x30\xff\xff\xff\xff\x01", 6)) == 0x81);           // length of five bytes
  CHECK(after_connect(std::string("\x20\x03\x00\x00\x00", 5)) == 0x82);               // CONNACK from a client
}

TEST_CASE("connections that say nothing are closed after the handshake time, and the limit on connections holds") {
  Broker broker({"limits.handshake_timeout=300ms", "limits.max_connections=5"});
  {
    RawConnection silent(broker.mqtt()), kafka(broker.kafka());
    CHECK(silent.closed(3000));
    CHECK(kafka.closed(3000));
  }
  std::vector<std::unique_ptr<MqttClient>> clients;
  eventually([&] {
    try {
      while (clients.size() < 5) clients.push_back(std::make_unique<MqttClient>(broker.mqtt()));
    } catch (const std::exception&) {
    }
    return clients.size() == 5;
  });
  REQUIRE(clients.size() == 5);
  RawConnection sixth(broker.mqtt());
  CHECK(sixth.closed(3000));
  CHECK(broker.logs("limits.max_connections"));
}

TEST_CASE("wrong settings stop the start with what is wrong and what was expected") {
  const std::string binary = BRAID_BINARY;
  const auto unknown = run(binary + " serve --set listeners.mqtt.prot=1");
  CHECK(unknown.exit_code != 0);
  CHECK((unknown.out + unknown.err).find("did you mean") != std::string::npos);
  CHECK(run(binary + " serve --set listeners.mqtt.port=70000").exit_code != 0);
  CHECK(run(binary + " serve --set storage.file_bytes=banana").exit_code != 0);
  const std::string directory = temporary_directory();
  std::ofstream(directory + "/braid.yaml") << "listeners:\n  mqtt:\n    port: 1\n    port: 2\n  kafka:\n    prt: 3\n";
  const auto file = run(binary + " serve --config " + directory + "/braid.yaml");
  CHECK(file.exit_code != 0);
  CHECK((file.out + file.err).find("braid.yaml:6") != std::string::npos);
  const auto open = run(binary + " serve --set listeners.mqtt.bind=0.0.0.0");
  CHECK(open.exit_code != 0);
}

TEST_CASE("topics are created, listed, described and deleted from the command line, with the promised exit codes") {
  Broker broker;
  const std::string braid = std::string(BRAID_BINARY) + " topic ",
                    at = " --broker 127.0.0.1:" + std::to_string(broker.http());
  CHECK(run(braid + "create t1 --partitions 3 --config retention.ms=1000" + at).exit_code == 0);
  CHECK(run(braid + "create t1" + at).exit_code == 1);
  const auto list = run(braid + "list -o json" + at);
  CHECK(list.exit_code == 0);
  CHECK(list.out.find("\"t1\"") != std::string::npos);
  const auto described = run(braid + "describe t1 -o yaml" + at);
  CHECK(described.exit_code == 0);
  CHECK(described.out.find("retention.ms") != std::string::npos);
  CHECK(run(braid + "describe absent" + at).exit_code == 4);
  CHECK(run(braid + "create" + at).exit_code == 2);
  CHECK(run(braid + "create bad --config no.such.setting=1" + at).exit_code != 0);
  CHECK(run(braid + "delete t1" + at).exit_code == 0);
  CHECK(run(braid + "delete t1" + at).exit_code == 4);
  CHECK(run(braid + "list --broker 127.0.0.1:1").exit_code == 3);
}

TEST_CASE("a catalog that does not belong to the journals stops the start, and nothing is dropped") {
  Broker broker;
  broker.create_topic("kept");
  {
    MqttClient publisher(broker.mqtt());
    REQUIRE(publisher.publish_and_wait("kept/x", "precious"));
  }
  REQUIRE(broker.stop() == 0);
  const std::string data = broker.directory() + "/data/", aside = broker.directory() + "/aside";
  REQUIRE(run("mkdir " + aside + " && mv " + data + "catalog.db* " + aside).exit_code == 0);
  const auto refused = run(std::string(BRAID_BINARY) + " serve --set storage.path=" + data +
                           " --set listeners.mqtt.port=0 --set listeners.kafka.port=0 --set listeners.amqp.port=0" +
                           " --set listeners.http.port=0");
  CHECK(refused.exit_code == 1);
  CHECK((refused.out + refused.err).find("restore the whole data directory") != std::string::npos);
  REQUIRE(run("rm " + data + "catalog.db* ; mv " + aside + "/* " + data).exit_code == 0);
  broker.start();
  CHECK(read_all(broker.bootstrap(), "kept").size() == 1);
}
