// Braid, Apache-2.0.
//
// A generation as a record: it comes back whole, and what is damaged or does not hang together is refused.
#include <random>

#include "actors/groups/group_snapshot.hpp"
#include "actors/groups/offset_table.hpp"
#include "support/seed.hpp"
#include "unit/actors/group_harness.hpp"

namespace braid::test {

namespace {

GroupSnapshot example() {
  GroupSnapshot snapshot;
  snapshot.generation = 7;
  snapshot.protocol_type = "consumer";
  snapshot.protocol = "range";
  snapshot.leader = "b";
  for (const char* id : {"a", "b", "c"}) {
    GroupSnapshot::Member member;
    member.id = id;
    if (*id == 'b') member.instance = "instance";
    member.client_id = "client";
    member.client_host = "/10.0.0.1";
    member.session_timeout_ms = 10000;
    member.rebalance_timeout_ms = 60000;
    member.protocols = {{"range", Bytes::copy(std::string("topics of ") + id)}, {"sticky", Bytes()}};
    member.assignment = Bytes::copy(std::string("part of ") + id);
    snapshot.members.push_back(member);
  }
  return snapshot;
}

}  // namespace

TEST_CASE("a generation comes back from its record with everything in it") {
  const auto back = decode_group(encode_group(example()));
  REQUIRE(back);
  CHECK(encode_group(*back).view() == encode_group(example()).view());
  REQUIRE(back->members.size() == 3);
  CHECK(back->members[1].instance == "instance");
  CHECK(back->members[2].assignment.view() == "part of c");
  CHECK(back->members[0].protocols[0].metadata.view() == "topics of a");
}

TEST_CASE("a generation that does not hang together is refused") {
  const auto refused = [](const std::function<void(GroupSnapshot&)>& change) {
    GroupSnapshot snapshot = example();
    change(snapshot);
    return !decode_group(encode_group(snapshot));
  };
  CHECK(refused([](GroupSnapshot& s) { s.leader = "stranger"; }));
  CHECK(refused([](GroupSnapshot& s) { s.members[1].id = "a"; }));
  CHECK(refused([](GroupSnapshot& s) { s.members[0].instance = "instance"; }));
  CHECK(refused([](GroupSnapshot& s) { s.protocol = "unknown"; }));
  CHECK(refused([](GroupSnapshot& s) { s.members[2].protocols.erase(s.members[2].protocols.begin()); }));
  CHECK(refused([](GroupSnapshot& s) { s.members[2].protocols[1].name = "range"; }));
  CHECK(refused([](GroupSnapshot& s) { s.members[0].session_timeout_ms = 0; }));
  CHECK(refused([](GroupSnapshot& s) { s.members.clear(); }));
  CHECK(refused([](GroupSnapshot& s) { s.generation = 0; }));
}

TEST_CASE("damaged bytes are refused or are another sound generation, and never more") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::string whole = encode_group(example()).str();
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(decode_group(Bytes::copy(whole.substr(0, length))));
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto decoded = decode_group(Bytes::copy(damaged));
    if (!decoded) continue;
    Group group(GroupLimits{});
    group.restore(*decoded, 0);
    group.check_invariants();
  }
}

TEST_CASE("a restored group goes on: its members beat, commit and rebalance, and who is silent goes") {
  GroupHarness harness;
  harness.group.restore(example(), harness.now_ms);
  harness.group.check_invariants();
  CHECK(harness.group.state() == GroupState::stable);
  CHECK(harness.group.generation() == 7);
  const auto snapshot = harness.group.snapshot();
  REQUIRE(snapshot);
  CHECK(encode_group(*snapshot).view() == encode_group(example()).view());
  CHECK(harness.commit("a", 7) == ErrorCode::none);
  harness.pass(9000);
  CHECK(harness.heartbeat("a", 7) == ErrorCode::none);
  CHECK(harness.heartbeat("b", 7, "instance") == ErrorCode::none);
  harness.pass(2000);  // "c" has not said anything
  CHECK(harness.group.members() == 2);
  CHECK(harness.group.state() == GroupState::preparing_rebalance);
  CHECK_FALSE(harness.group.snapshot());
  CHECK(harness.heartbeat("a", 7) == ErrorCode::rebalance_in_progress);
}

TEST_CASE("what has to be kept changes with each new assignment, with a returning instance, and with the end") {
  GroupHarness harness;
  CHECK(harness.group.kept_version() == 0);
  const auto ids = harness.stable_group(2);
  const std::uint64_t first = harness.group.kept_version();
  CHECK(first > 0);
  CHECK(harness.heartbeat(ids[0], harness.group.generation()) == ErrorCode::none);
  CHECK(harness.group.kept_version() == first);
  const GroupTicket instance = harness.join({.member = "", .instance = "i"});
  for (const std::string& id : ids) harness.join({.member = id});
  harness.sync(harness.group.leader(), harness.group.generation(), {});
  const std::uint64_t second = harness.group.kept_version();
  CHECK(second > first);
  const GroupTicket back = harness.join({.member = "", .instance = "i"});
  CHECK(harness.joined(back).member != harness.joined(instance).member);
  CHECK(harness.group.kept_version() > second);
  const std::uint64_t third = harness.group.kept_version();
  for (const std::string& id : ids) harness.leave(id);
  harness.leave({{"", "i", {}}});
  CHECK(harness.group.state() == GroupState::empty);
  CHECK(harness.group.kept_version() > third);
}

TEST_CASE("generations are in the table of offsets, and in its snapshots") {
  OffsetTable table;
  const StateChange change = OffsetTable::group_change("g", encode_group(example()));
  CHECK(table.apply(change.key, change.value));
  CHECK(table.kept_groups().count("g") == 1);
  CHECK_FALSE(table.apply(change.key, Bytes::copy("garbage")));
  REQUIRE(table.live().size() == 1);
  CHECK(table.live()[0].value->view() == encode_group(example()).view());
  const StateChange removal = OffsetTable::group_removal("g");
  CHECK(table.apply(removal.key, removal.value));
  CHECK(table.live().empty());
}

}  // namespace braid::test
