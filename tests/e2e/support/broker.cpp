// Braid, Apache-2.0.
#include "e2e/support/broker.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "e2e/support/command.hpp"

namespace braid::e2e {

Broker::Broker(std::vector<std::string> settings)
    : settings_(std::move(settings)),
      directory_(temporary_directory()),
      mqtt_(ports_[0]),
      kafka_(ports_[1]),
      amqp_(ports_[2]),
      http_(ports_[3]) {
  start();
}

Broker::~Broker() {
  if (running()) kill();
}

std::string Broker::log() const {
  std::ifstream file(directory_ + "/log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool Broker::logs(const std::string& text, int timeout_ms) const {
  return eventually([&] { return log().find(text) != std::string::npos; }, timeout_ms);
}

void Broker::start() {
  std::vector<std::string> arguments = {BRAID_BINARY, "serve"};
  const auto set = [&](const std::string& setting) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  };
  set("storage.path=" + directory_ + "/data");
  set("listeners.mqtt.port=" + std::to_string(mqtt_));
  set("listeners.kafka.port=" + std::to_string(kafka_));
  set("listeners.amqp.port=" + std::to_string(amqp_));
  set("listeners.http.port=" + std::to_string(http_));
  // Kafka waits three seconds for more members before a group's first rebalance; tests do not.
  set("kafka.group_initial_rebalance_delay=0ms");
  for (const auto& setting : settings_) set(setting);

  const std::size_t logged = log().size();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    const int fd = ::open((directory_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  const bool ready =
      eventually([&] { return log().find("; ready", logged) != std::string::npos || !running(); }, 60000);
  if (!ready || !running()) throw std::runtime_error("the broker did not start:\n" + log());
  read_ports();
}

std::uint16_t Broker::port_of(const std::string& listener) const {
  const std::string text = log();
  const std::regex line(" " + listener + " on 127\\.0\\.0\\.1:(\\d+)");
  std::uint16_t last = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at)
    last = static_cast<std::uint16_t>(std::stoi((*at)[1]));
  return last;
}

void Broker::read_ports() {
  mqtt_ = port_of("mqtt");
  kafka_ = port_of("kafka");
  amqp_ = port_of("amqp");
  http_ = port_of("http");
}

bool Broker::running() const {
  return pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0;
}

int Broker::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }, 60000)) {
    kill();
    throw std::runtime_error("the broker did not stop:\n" + log());
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Broker::kill() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

void Broker::create_topic(const std::string& name, int partitions, const std::vector<std::string>& config) {
  std::string command = std::string(BRAID_BINARY) + " topic create " + name + " --partitions " +
                        std::to_string(partitions) + " --broker 127.0.0.1:" + std::to_string(http_);
  for (const auto& entry : config) command += " --config " + entry;
  const auto result = run(command);
  if (result.exit_code != 0) throw std::runtime_error(command + ": " + result.out + result.err);
}

}  // namespace braid::e2e
