// Braid, Apache-2.0.
//
// Fetch sessions (KIP-227): the table of sessions as a plain class, and what a consumer of one sees.
#include <random>
#include <set>

#include "actors/kafka/fetch_sessions.hpp"
#include "support/seed.hpp"
#include "unit/actors/kafka_log.hpp"

namespace braid::test {

using namespace kafka;

namespace {

FetchRequest wanting(const std::string& topic, const std::vector<std::int32_t>& partitions) {
  std::vector<std::pair<std::int32_t, std::int64_t>> at;
  for (const std::int32_t partition : partitions) at.emplace_back(partition, 0);
  return fetch_from(topic, at);
}

/// A consumer that keeps a session as clients do.
struct SessionConsumer {
  KafkaClient& client;
  std::int16_t version = 12;
  std::int32_t id = 0, epoch = 0;

  /// `topics`: all of them in the first fetch, what changes in later ones.
  FetchRequest request(const FetchRequest& topics) const {
    FetchRequest request = topics;
    request.session_id = id;
    request.session_epoch = epoch;
    return request;
  }
  FetchResponse fetch(const FetchRequest& topics) {
    auto response = client.call<FetchResponse>(request(topics), version);
    CHECK(response.error_code == ErrorCode::none);
    id = response.session_id;
    epoch = id == 0 ? 0 : FetchSession::next_epoch(epoch);
    return response;
  }
};
FetchRequest nothing_new(std::int32_t max_wait_ms = 0) {
  FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = 1;
  return request;
}
/// "partition" of every place of the answer, in order.
std::vector<std::int32_t> named(const FetchResponse& response) {
  std::vector<std::int32_t> indexes;
  for (const auto& topic : response.responses)
    for (const auto& partition : topic.partitions) indexes.push_back(partition.partition_index);
  return indexes;
}
void put(KafkaClient& client, std::int32_t partition, const std::string& value = "v") {
  REQUIRE(produce_one(client, produce_to("t", partition, make_batch({value}))).error_code == ErrorCode::none);
}

}  // namespace

TEST_CASE("a session adds, changes and forgets partitions, and keeps their order") {
  FetchSession session(5, false);
  session.update(wanting("t", {0, 1, 2}));
  session.update(wanting("u", {0}));
  auto change = fetch_from("t", {{1, 77}});
  change.forgotten_topics_data.push_back({Text("t"), {}, {0, 9}});
  change.forgotten_topics_data.push_back({Text("unknown"), {}, {0}});
  session.update(change);
  REQUIRE(session.size() == 3);
  std::vector<std::pair<std::string, std::int32_t>> order;
  for (const auto& partition : session.partitions())
    order.emplace_back(partition.topic->name.str(), partition.wanted.partition);
  CHECK(order == std::vector<std::pair<std::string, std::int32_t>>{{"t", 1}, {"t", 2}, {"u", 0}});
  CHECK(session.partitions().front().wanted.fetch_offset == 77);
  session.move_to_end(session.partitions().front());
  CHECK(session.partitions().back().wanted.partition == 1);
  FetchRequest::Topic topic;
  topic.topic = Text("t");
  CHECK(session.find(topic, 1) == &session.partitions().back());
  CHECK(session.find(topic, 0) == nullptr);
  CHECK(FetchSession::next_epoch(1) == 2);
  CHECK(FetchSession::next_epoch(0x7fffffff) == 1);
}

TEST_CASE("slots and partitions of fetch sessions are bounded; idle sessions make room, busy ones do not") {
  std::uint64_t seed = 0;
  FetchSessions sessions({.slots = 3, .partitions = 10, .idle_ms = 1000, .loop = 1, .loops = 4},
                         [&seed] { return seed += 5; });
  std::set<std::int32_t> ids;
  for (int i = 0; i < 3; ++i) {
    const auto session = sessions.create(wanting("t", {0, 1}), false, i * 100);
    REQUIRE(session);
    CHECK(session->id % 4 == 1);
    ids.insert(session->id);
  }
  CHECK(ids.size() == 3);
  CHECK(sessions.partitions() == 6);
  CHECK_FALSE(sessions.create(wanting("t", {0}), false, 900));
  // The first has been idle for longer than it may be by now, the second was used.
  const auto by_age = std::vector<std::int32_t>(ids.begin(), ids.end());
  REQUIRE(sessions.create(wanting("t", {0}), false, 1050));
  CHECK(sessions.size() == 3);
  CHECK(sessions.partitions() == 5);
  // More partitions than are left are refused, and a session that grows beyond them is gone.
  sessions.remove(by_age[1]);
  CHECK_FALSE(sessions.create(wanting("t", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}), false, 1100));
  const auto grows = sessions.create(wanting("t", {0, 1}), false, 1100);
  REQUIRE(grows);
  REQUIRE(sessions.update(*grows, wanting("t", {2}), 1100));
  CHECK(grows->size() == 3);
  CHECK_FALSE(sessions.update(*grows, wanting("u", {0, 1, 2, 3, 4, 5, 6, 7, 8}), 1100));
  CHECK_FALSE(sessions.find(grows->id, 1100));
  // With its last partition a session ends.
  const auto ends = sessions.create(wanting("t", {0}), false, 1200);
  REQUIRE(ends);
  FetchRequest forget;
  forget.forgotten_topics_data.push_back({Text("t"), {}, {0}});
  CHECK_FALSE(sessions.update(*ends, forget, 1200));
  CHECK_FALSE(sessions.find(ends->id, 1200));
  CHECK_FALSE(sessions.create(FetchRequest{}, false, 1200));
}

TEST_CASE("a session's fetches name what changes and are told what changed, in every version that has them") {
  for (const std::int16_t version : {7, 11, 12, 13, 15, 18}) {
    CAPTURE(version);
    KafkaWorld world;
    world.create_topic("t", 3);
    auto& writer = world.client();
    put(writer, 0);
    SessionConsumer consumer{world.client(), version};
    auto all = wanting("t", {0, 1, 2});
    all.topics[0].topic_id = world.topic_id("t");
    const auto first = consumer.fetch(all);
    CHECK(first.session_id > 0);
    CHECK(named(first) == std::vector<std::int32_t>{0, 1, 2});
    // Behind the record that it has read; the others as before.
    auto next = fetch_from("t", {{0, 1}});
    next.topics[0].topic_id = all.topics[0].topic_id;
    CHECK(named(consumer.fetch(next)).empty());
    CHECK(named(consumer.fetch(nothing_new())).empty());
    put(writer, 2, "news");
    const auto news = consumer.fetch(nothing_new());
    REQUIRE(named(news) == std::vector<std::int32_t>{2});
    CHECK(values_of(news.responses[0].partitions[0]) == std::vector<std::string>{"news"});
    CHECK(news.responses[0].topic == (version < 13 ? "t" : ""));
    if (version >= 13) CHECK(news.responses[0].topic_id == all.topics[0].topic_id);
    // As long as the offset stays where it is, the record comes again.
    CHECK(named(consumer.fetch(nothing_new())) == std::vector<std::int32_t>{2});
    // Forgotten, and wanted again.
    FetchRequest forget = nothing_new();
    forget.forgotten_topics_data.push_back({Text("t"), all.topics[0].topic_id, {2}});
    CHECK(named(consumer.fetch(forget)).empty());
    auto again = fetch_from("t", {{2, 1}});
    again.topics[0].topic_id = all.topics[0].topic_id;
    CHECK(named(consumer.fetch(again)) == std::vector<std::int32_t>{2});
    CHECK(named(consumer.fetch(nothing_new())).empty());
  }
}

TEST_CASE("a session's fetch waits for records like any other, over quiet partitions that are not asked again") {
  KafkaWorld world;
  world.create_topic("t", 3);
  auto& writer = world.client();
  SessionConsumer consumer{world.client()};
  consumer.fetch(wanting("t", {0, 1, 2}));
  // Each fetch waits, so that reads stay parked from one to the next; one wait is longer than they are relied upon.
  FetchRequest request = nothing_new(60000);
  for (int round = 0; round < 7; ++round) {
    const std::int32_t partition = round % 3;
    const auto waiting = consumer.client.send(consumer.request(request), 12);
    world.world().run_for(round == 3 ? 20000 : 500);
    CHECK_FALSE(consumer.client.answered(waiting));
    put(writer, partition, "round " + std::to_string(round));
    REQUIRE(consumer.client.wait(waiting, 1000));
    const auto response = consumer.client.read<FetchResponse>(waiting, 12);
    ++consumer.epoch;
    REQUIRE(named(response) == std::vector<std::int32_t>{partition});
    CHECK(values_of(response.responses[0].partitions[0], round / 3) ==
          std::vector<std::string>{"round " + std::to_string(round)});
    request = fetch_from("t", {{partition, round / 3 + 1}}, 60000);
  }
  // A record that comes while no fetch is at work is in the next one's answer.
  put(writer, 2, "between");
  const auto between = consumer.fetch(request);
  REQUIRE(named(between) == std::vector<std::int32_t>{2});
  consumer.fetch(fetch_from("t", {{2, 3}}));
  // What was acknowledged before a fetch that does not wait is in its answer.
  put(writer, 1, "now");
  CHECK(named(consumer.fetch(nothing_new())) == std::vector<std::int32_t>{1});
}

TEST_CASE("a wait over nothing ends on time and tells of nothing") {
  KafkaWorld world;
  world.create_topic("t");
  SessionConsumer consumer{world.client()};
  consumer.fetch(wanting("t", {0}));
  for (int i = 0; i < 3; ++i) {
    const auto id = consumer.client.send(consumer.request(nothing_new(500)), 12);
    world.world().run_for(400);
    CHECK_FALSE(consumer.client.answered(id));
    REQUIRE(consumer.client.wait(id, 300));
    CHECK(named(consumer.client.read<FetchResponse>(id, 12)).empty());
    ++consumer.epoch;
  }
}

TEST_CASE("whatever comes between waits over nothing, the next record ends the wait that it comes in") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  KafkaWorld world;
  world.create_topic("t", 4);
  world.create_topic("other", 4);
  auto& writer = world.client();
  // Both on one connection: each has the other's reads unparked.
  SessionConsumer consumer{world.client()};
  SessionConsumer second{consumer.client};
  consumer.fetch(wanting("t", {0, 1, 2, 3}));
  second.fetch(wanting("other", {0, 1, 2, 3}));
  std::vector<std::int64_t> ends(4);
  FetchRequest request = nothing_new(2000);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    const auto partition = static_cast<std::int32_t>(random() % 4);
    switch (random() % 6) {
      case 0:
        CHECK(named(second.fetch(nothing_new(static_cast<std::int32_t>(random() % 3) * 500))).empty());
        break;
      case 1:
        world.create_topic("made-in-round-" + std::to_string(round));
        break;
      case 2:
        put(writer, partition, "before " + std::to_string(ends[static_cast<std::size_t>(partition)]));
        break;
      default:
        CHECK(named(consumer.fetch(request)).empty());
        request = nothing_new(2000);
        continue;
    }
    const auto waiting = consumer.client.send(consumer.request(request), 12);
    world.world().run_for(100 + static_cast<std::int64_t>(random() % 900));
    if (!consumer.client.answered(waiting)) put(writer, partition);
    REQUIRE(consumer.client.wait(waiting, 200));
    const auto response = consumer.client.read<FetchResponse>(waiting, 12);
    consumer.epoch = FetchSession::next_epoch(consumer.epoch);
    REQUIRE(named(response) == std::vector<std::int32_t>{partition});
    auto& end = ends[static_cast<std::size_t>(partition)];
    end += static_cast<std::int64_t>(values_of(response.responses[0].partitions[0], end).size());
    request = fetch_from("t", {{partition, end}}, 2000);
  }
}

TEST_CASE("what is wrong with a partition is told with every fetch, and at once, until it is right") {
  KafkaWorld world;
  world.create_topic("t");
  SessionConsumer consumer{world.client()};
  auto all = wanting("t", {0});
  all.topics.push_back(wanting("later", {0}).topics[0]);
  const auto first = consumer.fetch(all);
  CHECK(first.responses.at(1).partitions.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  for (int i = 0; i < 2; ++i) {
    const auto response = consumer.fetch(nothing_new(60000));
    REQUIRE(response.responses.size() == 1);
    CHECK(response.responses[0].topic == "later");
    CHECK(response.responses[0].partitions.at(0).error_code == ErrorCode::unknown_topic_or_partition);
  }
  world.create_topic("later");
  const auto right = consumer.fetch(nothing_new());
  REQUIRE(right.responses.size() == 1);
  CHECK(right.responses[0].partitions.at(0).error_code == ErrorCode::none);
  CHECK(right.responses[0].partitions.at(0).high_watermark == 0);
  CHECK(named(consumer.fetch(nothing_new())).empty());
}

TEST_CASE("a moved log start is told though no record came") {
  KafkaWorld world;
  world.create_topic("t");
  auto& writer = world.client();
  for (int i = 0; i < 3; ++i) put(writer, 0);
  SessionConsumer consumer{world.client()};
  consumer.fetch(fetch_from("t", {{0, 3}}));
  CHECK(named(consumer.fetch(nothing_new())).empty());
  DeleteRecordsRequest remove;
  remove.topics.push_back({Text("t"), {{0, 2}}});
  CHECK(writer.call<DeleteRecordsResponse>(remove, 2).topics.at(0).partitions.at(0).low_watermark == 2);
  const auto told = consumer.fetch(nothing_new());
  REQUIRE(named(told) == std::vector<std::int32_t>{0});
  CHECK(told.responses[0].partitions[0].log_start_offset == 2);
}

TEST_CASE("a session that is not there, a wrong epoch and another kind of topic names have their errors") {
  KafkaWorld world;
  world.create_topic("t", 2);
  SessionConsumer consumer{world.client()};
  consumer.fetch(wanting("t", {0, 1}));
  const auto error = [&](std::int32_t id, std::int32_t epoch, std::int16_t version = 12) {
    FetchRequest request = nothing_new(60000);
    request.session_id = id;
    request.session_epoch = epoch;
    const auto response = consumer.client.call<FetchResponse>(request, version);
    CHECK(response.session_id == 0);
    CHECK(response.responses.empty());
    return response.error_code;
  };
  CHECK(error(consumer.id + 1, 1) == ErrorCode::fetch_session_id_not_found);
  CHECK(error(0, 1) == ErrorCode::fetch_session_id_not_found);
  CHECK(error(consumer.id, 2) == ErrorCode::invalid_fetch_session_epoch);
  CHECK(error(consumer.id, 1, 13) == ErrorCode::fetch_session_topic_id_error);
  // None of these cost the session.
  CHECK(named(consumer.fetch(nothing_new())).empty());
  CHECK(error(consumer.id, consumer.epoch - 1) == ErrorCode::invalid_fetch_session_epoch);
  // A session is replaced by a new one, and closed by the last epoch.
  const std::int32_t old = consumer.id;
  consumer.epoch = 0;
  consumer.fetch(wanting("t", {1}));
  CHECK(consumer.id != 0);
  CHECK(consumer.id != old);
  CHECK(error(old, 2) == ErrorCode::fetch_session_id_not_found);
  FetchRequest close = wanting("t", {0});
  close.session_id = consumer.id;
  close.session_epoch = -1;
  CHECK(consumer.client.call<FetchResponse>(close, 12).session_id == 0);
  CHECK(error(consumer.id, 1) == ErrorCode::fetch_session_id_not_found);
}

TEST_CASE("who finds no slot fetches without a session, and a session left idle gives its slot away") {
  KafkaWorld world([](Settings& settings) {
    settings.kafka_protocol.fetch_session_slots = 2;  // one for each of the two loops
    settings.kafka_protocol.fetch_session_idle_ms = 10000;
  });
  world.create_topic("t");
  std::vector<SessionConsumer> consumers;
  int with = 0;
  for (int i = 0; i < 6; ++i) {
    consumers.push_back({world.client()});
    const auto response = consumers.back().fetch(wanting("t", {0}));
    CHECK(named(response) == std::vector<std::int32_t>{0});
    if (consumers.back().id != 0) ++with;
  }
  CHECK(with >= 1);
  CHECK(with <= 2);
  world.world().run_for(11000);
  for (auto& consumer : consumers) {
    if (consumer.id != 0) continue;
    consumer.fetch(wanting("t", {0}));
    CHECK(consumer.id != 0);
    break;
  }
}

TEST_CASE("of partitions that all have more than fits, each has its turn") {
  KafkaWorld world;
  world.create_topic("t", 4);
  auto& writer = world.client();
  for (std::int32_t partition = 0; partition < 4; ++partition)
    for (int i = 0; i < 8; ++i) put(writer, partition, std::string(1000, 'x'));
  SessionConsumer consumer{world.client()};
  auto request = wanting("t", {0, 1, 2, 3});
  request.max_bytes = 1500;
  std::map<std::int32_t, std::int64_t> next;
  std::multiset<std::int32_t> brought;
  for (int round = 0; round < 12; ++round) {
    const auto response = consumer.fetch(request);
    FetchRequest more = nothing_new();
    more.max_bytes = 1500;
    more.topics.resize(1);
    more.topics[0].topic = Text("t");
    for (const auto& topic : response.responses)
      for (const auto& partition : topic.partitions) {
        if (partition.records->empty()) continue;
        brought.insert(partition.partition_index);
        FetchRequest::Partition wanted;
        wanted.partition = partition.partition_index;
        wanted.fetch_offset = next[partition.partition_index] += 1;
        wanted.partition_max_bytes = 1 << 20;
        more.topics[0].partitions.push_back(wanted);
      }
    request = more;
  }
  for (std::int32_t partition = 0; partition < 4; ++partition) CHECK(brought.count(partition) == 3);
}

TEST_CASE("a session outlives its connection on the loop that has it, and is begun anew elsewhere") {
  KafkaWorld world;
  world.create_topic("t", 2);
  SessionConsumer consumer{world.client()};
  consumer.fetch(wanting("t", {0, 1}));
  const std::int32_t id = consumer.id;
  consumer.client.close();
  int found = 0, not_found = 0;
  for (int i = 0; i < 8 && found == 0; ++i) {
    FetchRequest request = nothing_new();
    request.session_id = id;
    request.session_epoch = 1;
    const auto response = world.client().call<FetchResponse>(request, 12);
    if (response.error_code == ErrorCode::none)
      ++found;
    else if (response.error_code == ErrorCode::fetch_session_id_not_found)
      ++not_found;
    CHECK(found + not_found == i + 1);
  }
  CHECK(found == 1);
}

}  // namespace braid::test
