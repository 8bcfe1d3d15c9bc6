// Braid, Apache-2.0.
#include "actors/disk_space.hpp"

#include "actors/services.hpp"
#include "persistence/disk.hpp"
#include "runtime/log.hpp"
#include "runtime/pinned.hpp"

namespace braid {

namespace {
constexpr std::int64_t kMeasureDiskMs = 1000;
}  // namespace

class DiskWatch : public Pinned<DiskWatchActor::base> {
 public:
  DiskWatch(caf::actor_config& config, Loop& loop, Services& services) : Pinned(config, loop), services_(services) {}
  const char* name() const override { return "disk-watch"; }

 protected:
  behavior_type make_behavior() override {
    measure();
    return {[this](const MeasureDisk&) { measure(); }};
  }

 private:
  void measure() {
    loop().disk().measure_volume(services_.settings.storage.path, guard([this](IoResult<VolumeSize> volume) {
                                   next_ = after(kMeasureDiskMs, [this] { measure(); });
                                   measured(volume);
                                 }));
  }

  void measured(const IoResult<VolumeSize>& volume) {
    if (!volume) {
      BRAID_LOG_LIMITED(warning, "disk", {}, "the space that is left cannot be told: {}", volume.error().what);
      return;
    }
    const std::uint64_t left = volume->usable_bytes, limit = services_.settings.limits.disk_free_bytes;
    const bool low = left < limit;
    if (low == services_.disk_space->low()) return;
    services_.disk_space->low_.store(low, std::memory_order_relaxed);
    if (low)
      log::warning("disk", "{} bytes are left, less than limits.disk_free_bytes ({}): AMQP's publishers wait", left,
                   limit);
    else
      log::info("disk", "{} bytes are left: AMQP's publishers go on", left);
  }

  Services& services_;
  Timer next_;
};

DiskWatchActor spawn_disk_watch(Services& services) {
  return spawn_on<DiskWatch>(services.loop, services);
}

}  // namespace braid
