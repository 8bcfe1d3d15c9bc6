// Braid, Apache-2.0.
//
// Signals on libuv.
#include "runtime/signals.hpp"

#include <unistd.h>
#include <uv.h>

#include <array>
#include <csignal>
#include <utility>

#include "runtime/uv/uv_connection.hpp"
#include "runtime/uv/uv_loop.hpp"

namespace braid {
namespace {

class UvSignals;

/// Lives until libuv has closed the handle.
struct Watch final : UvHandleOwner {
  uv_signal_t uv{};
  UvSignals* owner = nullptr;
  void abandon() override;
  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&uv),
             [](uv_handle_t* handle) { delete static_cast<Watch*>(static_cast<UvHandleOwner*>(handle->data)); });
  }
};

class UvSignals final : public Signals {
 public:
  UvSignals(UvLoop& loop, std::function<void(int)> first) : first_(std::move(first)) {
    constexpr std::array kSignals{SIGTERM, SIGINT};
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      auto* const watch = watches_[i] = new Watch;
      watch->owner = this;
      uv_signal_init(loop.uv(), &watch->uv);
      watch->uv.data = static_cast<UvHandleOwner*>(watch);
      uv_signal_start(
          &watch->uv,
          [](uv_signal_t* uv, int number) {
            auto* const found = static_cast<Watch*>(static_cast<UvHandleOwner*>(uv->data));
            if (found->owner) found->owner->received(number);
          },
          kSignals[i]);
    }
  }
  ~UvSignals() override {
    for (Watch* const watch : watches_)
      if (watch) {
        watch->owner = nullptr;
        watch->close();
      }
  }
  void received(int number) {
    if (!first_) _exit(1);
    std::exchange(first_, nullptr)(number);
  }
  void forget(const Watch* which) {
    for (Watch*& watch : watches_)
      if (watch == which) watch = nullptr;
  }

 private:
  std::function<void(int)> first_;
  std::array<Watch*, 2> watches_{};
};

void Watch::abandon() {
  if (owner) std::exchange(owner, nullptr)->forget(this);
  close();
}

}  // namespace

std::unique_ptr<Signals> watch_signals(Loop& loop, std::function<void(int signal)> first) {
  return std::make_unique<UvSignals>(static_cast<UvLoop&>(loop), std::move(first));
}

}  // namespace braid
