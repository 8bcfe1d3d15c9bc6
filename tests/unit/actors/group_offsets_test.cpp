// Braid, Apache-2.0.
//
// Committed offsets: the table, its records in the log, expiry, and which partition has a group.
#include <catch2/catch.hpp>
#include <set>

#include "actors/groups/coordinator_of.hpp"
#include "actors/groups/member_id.hpp"
#include "actors/groups/offset_table.hpp"

namespace braid::test {
namespace {

CommittedOffset committed(std::int64_t offset, std::int64_t at_ms = 1000) {
  CommittedOffset result;
  result.offset = Offset{offset};
  result.leader_epoch = LeaderEpoch{3};
  result.metadata = "note";
  result.committed = Timestamp{at_ms};
  result.topic_id.bytes.fill(7);
  return result;
}

std::int64_t offset_of(const OffsetTable& table, std::string_view group, std::string_view topic, int partition) {
  const CommittedOffset* found = table.find(group, topic, partition);
  return found ? found->offset.value : -1;
}

bool all_read(const std::string&, const std::string&) {
  return true;
}

bool apply_all(OffsetTable& table, const std::vector<StateChange>& changes) {
  bool good = true;
  for (const StateChange& change : changes) good = table.apply(change.key, change.value) && good;
  return good;
}

}  // namespace

TEST_CASE("a committed offset comes back from its record with everything in it") {
  OffsetTable table;
  CommittedOffset given = committed(1LL << 40);
  given.expires = Timestamp{123456789};
  REQUIRE(apply_all(table, {OffsetTable::offset_change("group", "topic", 12, given)}));
  const CommittedOffset* found = table.find("group", "topic", 12);
  REQUIRE(found);
  CHECK(found->offset == given.offset);
  CHECK(found->leader_epoch == given.leader_epoch);
  CHECK(found->metadata == given.metadata);
  CHECK(found->committed == given.committed);
  CHECK(found->expires == given.expires);
  CHECK(found->topic_id == given.topic_id);
  CHECK(table.find("group", "topic", 11) == nullptr);
  CHECK(table.find("group", "other", 12) == nullptr);
  CHECK(table.find("other", "topic", 12) == nullptr);
}

TEST_CASE("a later record replaces and a removal removes") {
  OffsetTable table;
  apply_all(table, {OffsetTable::offset_change("g", "t", 0, committed(1)),
                    OffsetTable::offset_change("g", "t", 0, committed(2)),
                    OffsetTable::offset_change("g", "t", 1, committed(3)), OffsetTable::offset_removal("g", "t", 1)});
  CHECK(offset_of(table, "g", "t", 0) == 2);
  CHECK(offset_of(table, "g", "t", 1) == -1);
  apply_all(table, {OffsetTable::offset_removal("g", "t", 0)});
  CHECK_FALSE(table.has_offsets("g"));
  CHECK(table.groups() == 0);
}

TEST_CASE("records that are not ours are refused and change nothing") {
  const StateChange good = OffsetTable::offset_change("g", "t", 0, committed(1));
  OffsetTable table;
  CHECK_FALSE(table.apply(Bytes{}, good.value));
  CHECK_FALSE(table.apply(good.key, Bytes{}));
  for (std::size_t cut = 1; cut < good.key.size(); ++cut) CHECK_FALSE(table.apply(good.key.slice(0, cut), good.value));
  for (std::size_t cut = 1; cut < good.value->size(); ++cut)
    CHECK_FALSE(table.apply(good.key, good.value->slice(0, cut)));
  Bytes newer = Bytes::copy(good.value->view());
  *newer.stamp() = 2;
  CHECK_FALSE(table.apply(good.key, newer));
  const StateChange occupation = OffsetTable::occupation_change("g", true, Timestamp{5}, "consumer");
  Bytes state = Bytes::copy(occupation.value->view());
  state.stamp()[1] = 2;
  CHECK_FALSE(table.apply(occupation.key, state));
  CHECK(table.groups() == 0);
}

TEST_CASE("a snapshot replays into the same table") {
  OffsetTable table;
  for (int group = 0; group < 5; ++group)
    for (int partition = 0; partition < 7; ++partition)
      table.commit("g" + std::to_string(group), "t" + std::to_string(partition % 3), partition,
                   committed(100 * group + partition));
  table.set_occupied("g1", true, Timestamp{10}, "consumer");
  table.set_occupied("g2", false, Timestamp{20}, "consumer");
  OffsetTable again;
  REQUIRE(apply_all(again, table.live()));
  CHECK(again.groups() == 5);
  for (int group = 0; group < 5; ++group)
    for (int partition = 0; partition < 7; ++partition)
      CHECK(offset_of(again, "g" + std::to_string(group), "t" + std::to_string(partition % 3), partition) ==
            100 * group + partition);
  CHECK(again.occupied("g0") == std::nullopt);
  CHECK(again.occupied("g1") == true);
  CHECK(again.occupied("g2") == false);
}

TEST_CASE("offsets of a group that never had members expire by their commit") {
  OffsetTable table;
  table.commit("g", "t", 0, committed(1, 1000));
  table.commit("g", "t", 1, committed(2, 5000));
  CHECK(table.expire(Timestamp{10999}, 10000, all_read).empty());
  CHECK(table.expire(Timestamp{11000}, 10000, all_read).size() == 1);
  CHECK(offset_of(table, "g", "t", 0) == -1);
  CHECK(offset_of(table, "g", "t", 1) == 2);
}

TEST_CASE("offsets of a group with members do not expire, and live on for a while when they have gone") {
  OffsetTable table;
  table.commit("g", "t", 0, committed(1, 1000));
  table.set_occupied("g", true, Timestamp{1000}, "consumer");
  CHECK(table.expire(Timestamp{1'000'000}, 10000, all_read).empty());
  table.set_occupied("g", false, Timestamp{1'000'000}, "consumer");
  CHECK(table.expire(Timestamp{1'009'999}, 10000, all_read).empty());
  const auto removals = table.expire(Timestamp{1'010'000}, 10000, all_read);
  CHECK(removals.size() == 2);  // the offset, and what was noted of the group
  CHECK(table.groups() == 0);
}

TEST_CASE("in a group with members only offsets of topics that nobody reads expire, by their commit") {
  OffsetTable table;
  table.commit("g", "read", 0, committed(1, 1000));
  table.commit("g", "left", 0, committed(2, 1000));
  table.commit("g", "left", 1, committed(3, 5000));
  table.set_occupied("g", true, Timestamp{4000}, "consumer");
  const auto reads = [](const std::string&, const std::string& topic) { return topic == "read"; };
  CHECK(table.expire(Timestamp{10999}, 10000, reads).empty());
  CHECK(table.expire(Timestamp{11000}, 10000, reads).size() == 1);
  CHECK(offset_of(table, "g", "left", 0) == -1);
  CHECK(offset_of(table, "g", "left", 1) == 3);
  CHECK(table.expire(Timestamp{15000}, 10000, reads).size() == 1);
  CHECK(offset_of(table, "g", "read", 0) == 1);
}

TEST_CASE("an offset whose client asked for its own time expires then") {
  OffsetTable table;
  CommittedOffset own = committed(1, 1000);
  own.expires = Timestamp{2000};
  table.commit("g", "t", 0, own);
  CHECK(table.expire(Timestamp{1999}, 10000, all_read).empty());
  CHECK(table.expire(Timestamp{2000}, 10000, all_read).size() == 1);
}

TEST_CASE("after a restart occupied groups are empty from now on, and only they") {
  OffsetTable table;
  table.commit("busy", "t", 0, committed(1));
  table.commit("left", "t", 0, committed(1));
  table.commit("simple", "t", 0, committed(1));
  table.set_occupied("busy", true, Timestamp{10}, "consumer");
  table.set_occupied("left", false, Timestamp{20}, "consumer");
  CHECK(table.nobody_is_here(Timestamp{5000}).size() == 1);
  CHECK(table.occupied("busy") == false);
  CHECK(table.expire(Timestamp{14999}, 10000, all_read).size() == 3);  // two offsets, and what was noted of "left"
  CHECK(table.has_offsets("busy"));
  CHECK(table.nobody_is_here(Timestamp{6000}).empty());
}

TEST_CASE("offsets of a topic that is gone are taken out with it") {
  OffsetTable table;
  CommittedOffset other = committed(2);
  other.topic_id.bytes.fill(8);
  table.commit("g", "t", 0, committed(1));
  table.commit("g", "u", 0, other);
  const auto removals = table.remove_offsets(
      [&](const std::string&, const CommittedOffset& offset) { return offset.topic_id == other.topic_id; });
  CHECK(removals.size() == 1);
  CHECK(offset_of(table, "g", "t", 0) == 1);
  CHECK(offset_of(table, "g", "u", 0) == -1);
}

TEST_CASE("strings hash as Java hashes them") {
  CHECK(java_string_hash("") == 0);
  CHECK(java_string_hash("a") == 97);
  CHECK(java_string_hash("hello") == 99162322);
  CHECK(java_string_hash("polygenelubricants") == INT32_MIN);
  CHECK(java_string_hash("Gr\xc3\xbc\xc3\x9f") == ((('G' * 31 + 'r') * 31 + 0xfc) * 31 + 0xdf));
  CHECK(java_string_hash("\xf0\x9f\x98\x80") == static_cast<std::int32_t>(0xd83d * 31 + 0xde00));
  CHECK(java_string_hash("\xff") == 0xfffd);
}

TEST_CASE("a group's partition is the absolute hash, and 0 where there is none") {
  CHECK(offsets_partition("hello", 50).value == 99162322 % 50);
  CHECK(offsets_partition("polygenelubricants", 50).value == 0);
  for (const char* name : {"orders", "billing-consumer", "x", "connect-cluster"}) {
    CHECK(offsets_partition(name, 8).value >= 0);
    CHECK(offsets_partition(name, 8).value < 8);
  }
}

TEST_CASE("member ids begin with the client's name and are UUIDs of version 4") {
  const std::string id = make_member_id("rdkafka", 0x0123456789abcdef, 0xfedcba9876543210);
  CHECK(id == "rdkafka-01234567-89ab-4def-bedc-ba9876543210");
  CHECK(make_member_id(std::string(40000, 'x'), 1, 2).size() == 255 + 37);
}

}  // namespace braid::test
