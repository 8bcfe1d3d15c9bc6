// Braid, Apache-2.0.
#include "actors/broker.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <future>

#include "actors/admin/http_server.hpp"
#include "actors/admin/node_admin.hpp"
#include "actors/node.hpp"
#include "runtime/log.hpp"
#include "runtime/node_runtime.hpp"
#include "runtime/signals.hpp"

namespace braid {

namespace {

int failed(std::string_view what, const std::string& why) {
  log::error("broker", "cannot {}: {}", what, why);
  return 1;
}

void configure_log(const Settings& settings) {
  auto level = log::Level::info;
  auto format = log::Format::text;
  log::parse_level(settings.log_level, level);
  log::parse_format(settings.log_format, format);
  log::configure(level, format);
}

}  // namespace

int run_broker(const Settings& settings) {
  configure_log(settings);
  // Whatever is created is the owner's alone.
  ::umask(077);

  NodeRuntime runtime({.loops = settings.loops});
  std::vector<Loop*> loops;
  for (std::size_t i = 0; i < runtime.loops(); ++i) loops.push_back(&runtime.loop(i));

  if (auto made = loops.front()->disk().make_directories(settings.storage.path); !made)
    return failed("make the data directory", made.error().what);
  auto catalog =
      CatalogStore::open({.path = settings.storage.path + "/catalog.db", .defaults = settings.topic_defaults});
  if (!catalog) return failed("open the catalog", catalog.error().what);

  Node node(settings, loops, std::move(*catalog));
  // Actors must not outlive the node, on whatever way out.
  struct StopFirst {
    NodeRuntime& runtime;
    ~StopFirst() { runtime.stop(); }
  } const stop_first{runtime};
  node.on_broken([](const std::string&) { std::_Exit(1); });
  if (auto opened = node.open(); !opened) return failed("start", opened.error());
  runtime.start();

  std::promise<bool> stopped;
  std::unique_ptr<Signals> signals;
  runtime.run_on(0, [&] {
    signals = watch_signals(*loops.front(), [&](int signal) {
      log::info("broker", "signal {}: stopping; a second one ends at once", signal);
      node.stop([&](bool in_time) { stopped.set_value(in_time); });
    });
  });

  auto addresses =
      node.listen([&runtime](std::size_t loop, const std::function<void()>& work) { runtime.run_on(loop, work); });
  if (!addresses) {
    runtime.run_on(0, [&] { signals.reset(); });
    return failed("listen", addresses.error());
  }
  NodeAdmin admin(node.services(0));
  std::unique_ptr<HttpServer> http;
  if (settings.http.enabled) {
    HttpServerOptions options;
    options.bind = settings.http.bind;
    options.port = settings.http.port;
    options.on_refused = [](const std::string& peer, const std::string& reason) {
      BRAID_LOG_LIMITED(warning, "http", {{"peer", peer}}, "refused: {}", reason);
    };
    if (settings.mqtt.enabled)
      options.take_mqtt = [&node](OwnedSocket socket, std::string received) {
        node.take_websocket(std::move(socket), std::move(received));
      };
    auto started = HttpServer::start(admin, std::move(options));
    if (!started) {
      runtime.run_on(0, [&] { signals.reset(); });
      return failed("listen", "http: " + started.error());
    }
    http = std::move(*started);
    addresses->listeners.emplace_back("http", Address{settings.http.bind, http->port()});
  }
  for (const auto& [protocol, address] : addresses->listeners)
    log::info("broker", "{} on {}", protocol, address.text());
  log::info("broker", "data in {}; ready", settings.storage.path);

  const bool in_time = stopped.get_future().get();
  http.reset();
  runtime.run_on(0, [&] { signals.reset(); });
  runtime.stop();
  log::info("broker", "{}", in_time ? "stopped" : "stopped; not everything was finished in time");
  return in_time ? 0 : 1;
}

}  // namespace braid
