// Braid, Apache-2.0.
#include "actors/mqtt/sys_topics.hpp"

#include "actors/mqtt/publisher.hpp"
#include "actors/mqtt/sys_values.hpp"
#include "runtime/pinned.hpp"

namespace braid::mqtt {

namespace {

class SysTopics : public Pinned<SysTopicsActor::base> {
 public:
  SysTopics(caf::actor_config& config, Loop& loop, std::vector<Services*> all)
      : Pinned(config, loop), all_(std::move(all)), publisher_(*all_.front(), 0) {}
  const char* name() const override { return "mqtt-sys"; }

 protected:
  behavior_type make_behavior() override {
    gather();
    return {[this](const RetainStored& message) { publisher_.stored(message, [](const auto&, ReasonCode) {}); }};
  }

 private:
  void gather() {
    next_ = after(all_.front()->settings.mqtt_protocol.sys_interval_ms, [this] { gather(); });
    if (missing_ != 0) return;  // a loop has not answered since the last time; it is asked once
    missing_ = all_.size();
    totals_ = {};
    const std::function<void(const LoopMetrics&)> add = guard([this](const LoopMetrics& metrics) {
      totals_ += metrics;
      if (--missing_ == 0) publish();
    });
    for (auto* services : all_)
      services->loop.post(
          [services, &home = loop(), add] { home.post([add, metrics = services->metrics] { add(metrics); }); });
  }

  void publish() {
    Acknowledger nobody;
    for (const auto& [topic, text] : values_.update(totals_, loop().now_ms())) {
      Publish publish;
      publish.payload = text;
      publish.qos = QoS::at_least_once;
      publish.retain = true;
      publisher_.add(topic, publish, nobody, Acknowledger::none, loop().wall_clock());
    }
    publisher_.flush(this, [](const auto&, ReasonCode) {});
  }

  const std::vector<Services*> all_;
  Publisher publisher_;
  SysValues values_;
  LoopMetrics totals_;
  std::size_t missing_ = 0;  ///< loops that have not answered yet
  Timer next_;
};

}  // namespace

SysTopicsActor spawn_sys_topics(std::vector<Services*> all) {
  auto& loop = all.front()->loop;
  return spawn_on<SysTopics>(loop, std::move(all));
}

}  // namespace braid::mqtt
