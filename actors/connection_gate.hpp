// Braid, Apache-2.0.
//
// Who may connect: limits on connections of the node and of one address. Asked once per connection, from any loop.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace braid {

class ConnectionGate {
 public:
  /// A limit of 0 is none.
  ConnectionGate(std::uint32_t limit, std::uint32_t limit_per_address)
      : limit_(limit), limit_per_address_(limit_per_address) {}

  enum class Verdict : std::uint8_t { admitted, node_full, address_full };
  Verdict admit(const std::string& ip) {
    const std::lock_guard lock(mutex_);
    if (limit_ != 0 && connections_ >= limit_) return Verdict::node_full;
    if (limit_per_address_ != 0) {
      auto& count = by_address_[ip];
      if (count >= limit_per_address_) return Verdict::address_full;
      ++count;
    }
    ++connections_;
    return Verdict::admitted;
  }
  /// Once for every connection that was admitted.
  void release(const std::string& ip) {
    const std::lock_guard lock(mutex_);
    --connections_;
    if (auto at = by_address_.find(ip); at != by_address_.end() && --at->second == 0) by_address_.erase(at);
  }
  std::uint64_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  mutable std::mutex mutex_;
  const std::uint32_t limit_, limit_per_address_;
  std::uint64_t connections_ = 0;
  std::unordered_map<std::string, std::uint32_t> by_address_;
};

/// A place behind the gate, given back when it is destroyed. Every session holds one as long as its connection lives.
class Admission {
 public:
  Admission() = default;
  Admission(ConnectionGate& gate, std::string ip) : gate_(&gate), ip_(std::move(ip)) {}
  Admission(Admission&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)), ip_(std::move(other.ip_)) {}
  Admission& operator=(Admission&& other) noexcept {
    std::swap(gate_, other.gate_);
    std::swap(ip_, other.ip_);
    return *this;
  }
  ~Admission() {
    if (gate_) gate_->release(ip_);
  }

 private:
  ConnectionGate* gate_ = nullptr;
  std::string ip_;
};

}  // namespace braid
