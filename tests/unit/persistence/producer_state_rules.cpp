// Braid, Apache-2.0.
//
// Idempotent producers: the rules, and that they survive what the log survives.
#include "journal_fixture.hpp"
#include "model/record_batch.hpp"
#include "persistence/journal/producer_codec.hpp"

using namespace braid;

namespace {

constexpr ProducerId kProducer(7);
constexpr ProducerEpoch kEpoch(0);

ProducerBatch batch_at(std::int32_t sequence, std::int64_t offset, std::int32_t records = 1) {
  return {sequence, sequence + records - 1, Offset(offset), Offset(offset + records - 1), Timestamp(1)};
}

/// A whole batch with a producer in its header; its records are not looked at.
Bytes produced(std::int64_t offset, ProducerId producer, ProducerEpoch epoch, std::int32_t sequence,
               std::int32_t records) {
  BatchHeader header;
  header.base_offset = Offset(offset);
  header.batch_length = static_cast<std::int32_t>(kBatchHeaderBytes - kBatchPrefixBytes) + 40;
  header.last_offset_delta = records - 1;
  header.record_count = records;
  header.producer_id = producer;
  header.producer_epoch = epoch;
  header.base_sequence = sequence;
  header.base_timestamp = header.max_timestamp = Timestamp(1000);
  std::string bytes(header.size(), 'r');
  write_batch_header(reinterpret_cast<std::uint8_t*>(bytes.data()), header);
  return Bytes::copy(bytes);
}

}  // namespace

TEST_CASE("A producer that is not known may begin anywhere, and goes on in order") {
  ProducerStates states;
  CHECK(states.check(kProducer, kEpoch, 41, 42).error == Errc::none);
  states.appended(kProducer, kEpoch, batch_at(41, 100, 2), Timestamp(1));
  CHECK(states.check(kProducer, kEpoch, 43, 43).error == Errc::none);
  CHECK(states.check(kProducer, kEpoch, 44, 44).error == Errc::out_of_order_sequence);
  CHECK(states.check(kProducer, kEpoch, 40, 40).error == Errc::out_of_order_sequence);
}

TEST_CASE("The last five batches are recognised when they come again, older ones are out of order") {
  ProducerStates states;
  for (int i = 0; i < 8; ++i) states.appended(kProducer, kEpoch, batch_at(i, 100 + i), Timestamp(i));
  for (int i = 3; i < 8; ++i) {
    const auto verdict = states.check(kProducer, kEpoch, i, i);
    CHECK(verdict.error == Errc::none);
    CHECK(verdict.duplicate);
    CHECK(verdict.original.base_offset == Offset(100 + i));
  }
  CHECK(states.check(kProducer, kEpoch, 2, 2).error == Errc::out_of_order_sequence);
  CHECK_FALSE(states.check(kProducer, kEpoch, 8, 8).duplicate);
  CHECK(states.check(kProducer, kEpoch, 6, 7).error == Errc::out_of_order_sequence);
}

TEST_CASE("Sequences wrap") {
  ProducerStates states;
  states.appended(kProducer, kEpoch, {INT32_MAX - 1, INT32_MAX, Offset(0), Offset(1), Timestamp(0)}, Timestamp(0));
  CHECK(states.check(kProducer, kEpoch, 0, 0).error == Errc::none);
  CHECK(states.check(kProducer, kEpoch, 1, 1).error == Errc::out_of_order_sequence);
}

TEST_CASE("A new epoch begins at sequence 0, an old epoch is fenced") {
  ProducerStates states;
  states.appended(kProducer, ProducerEpoch(3), batch_at(5, 0), Timestamp(0));
  CHECK(states.check(kProducer, ProducerEpoch(2), 6, 6).error == Errc::invalid_producer_epoch);
  CHECK(states.check(kProducer, ProducerEpoch(4), 6, 6).error == Errc::out_of_order_sequence);
  CHECK(states.check(kProducer, ProducerEpoch(4), 0, 0).error == Errc::none);
  states.appended(kProducer, ProducerEpoch(4), batch_at(0, 1), Timestamp(0));
  CHECK_FALSE(states.check(kProducer, ProducerEpoch(4), 5, 5).duplicate);
}

TEST_CASE("What was truncated is forgotten, and may come again") {
  ProducerStates states;
  for (int i = 0; i < 5; ++i) states.appended(kProducer, kEpoch, batch_at(i, 100 + i), Timestamp(i));
  states.truncate(Offset(103));
  CHECK(states.check(kProducer, kEpoch, 2, 2).duplicate);
  CHECK_FALSE(states.check(kProducer, kEpoch, 3, 3).duplicate);
  CHECK(states.check(kProducer, kEpoch, 3, 3).error == Errc::none);
  states.truncate(Offset(0));
  CHECK(states.check(kProducer, kEpoch, 77, 77).error == Errc::none);
  CHECK(states.check(kProducer, ProducerEpoch(-1), 0, 0).error == Errc::invalid_producer_epoch);
}

TEST_CASE("Noting a batch twice changes nothing but the time") {
  ProducerStates states;
  states.appended(kProducer, kEpoch, batch_at(0, 0), Timestamp(5));
  states.appended(kProducer, kEpoch, batch_at(0, 0), Timestamp(9));
  CHECK(states.all().at(kProducer).count == 1);
  states.expire(Timestamp(109), 100);
  CHECK_FALSE(states.empty());
  states.expire(Timestamp(110), 100);
  CHECK(states.empty());
}

TEST_CASE("A producer of which it is not known when it was used gets its whole time from the first look on") {
  ProducerStates states;
  states.appended(kProducer, kEpoch, batch_at(0, 0), Timestamp(-1));
  states.expire(Timestamp(1'700'000'000'000), 1000);
  REQUIRE_FALSE(states.empty());
  states.expire(Timestamp(1'700'000'001'000), 1000);
  REQUIRE_FALSE(states.empty());
  states.expire(Timestamp(1'700'000'001'001), 1000);
  CHECK(states.empty());
}

TEST_CASE("Of too many producers the ones idle longest are forgotten") {
  ProducerStates states;
  for (int i = 0; i < 1000; ++i) {
    states.appended(ProducerId(i), kEpoch, batch_at(0, i), Timestamp(i));
    states.keep_at_most(100);
    REQUIRE(states.all().size() <= 100);
    REQUIRE(states.all().count(ProducerId(i)) == 1);
  }
  CHECK(states.all().size() > 50);
  for (int i = 960; i < 1000; ++i) CHECK(states.all().count(ProducerId(i)) == 1);
}

TEST_CASE("Producer states survive their encoding, without what lies behind the end") {
  ProducerStates states;
  for (int producer = 0; producer < 20; ++producer)
    for (int i = 0; i < producer; ++i)
      states.appended(ProducerId(producer), ProducerEpoch(static_cast<std::int16_t>(producer % 3)),
                      batch_at(i * 3, producer * 100 + i * 3, 3), Timestamp(producer * i));
  ByteWriter out;
  journal::encode_producers(states, Offset(1930), out);
  const Bytes bytes = out.finish();
  ByteReader in(bytes);
  ProducerStates read;
  REQUIRE(journal::decode_producers(in, read));
  CHECK(in.remaining() == 0);
  states.truncate(Offset(1930));
  REQUIRE(read.all().size() == states.all().size());
  for (const auto& [id, producer] : states.all()) {
    const auto& other = read.all().at(id);
    CHECK(other.epoch == producer.epoch);
    CHECK(other.last_used == producer.last_used);
    REQUIRE(other.count == producer.count);
    for (std::uint8_t i = 0; i < producer.count; ++i)
      CHECK(other.batches[i].last_offset == producer.batches[i].last_offset);
  }
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ByteReader shorter(bytes.slice(0, length));
    ProducerStates unused;
    CHECK_FALSE(journal::decode_producers(shorter, unused));
  }
}

TEST_CASE("A restart knows the producers, from entries, footers and checkpoints alike") {
  enum class From { entries, footers, checkpoint };
  for (const From from : {From::entries, From::footers, From::checkpoint}) {
    JournalFixture fixture(1, {.file_bytes = from == From::entries ? 1u << 20 : 4096u});
    fixture.open();
    const PartitionId partition(3);
    for (int i = 0; i < 100; ++i) {
      const ProducerId producer(i % 4);
      const std::int32_t sequence = i / 4 * 2;
      const std::int64_t base = fixture.journal->state(partition).end.value;
      CHECK_FALSE(fixture.journal->producers(partition).check(producer, kEpoch, sequence, sequence + 1).duplicate);
      std::optional<Errc> result;
      REQUIRE(fixture.submit(partition, produced(base, producer, kEpoch, sequence, 2), 2,
                             [&](Errc error) { result = error; }) == Errc::none);
      fixture.journal->producers(partition).appended(producer, kEpoch, batch_at(sequence, base, 2), Timestamp(1));
      fixture.loop.run();
      REQUIRE(result == Errc::none);
      if (i == 60 && from == From::checkpoint) REQUIRE(fixture.checkpoint() == Errc::none);
    }
    fixture.crash();
    CHECK(fixture.open().damages.empty());
    ProducerStates& states = fixture.journal->producers(partition);
    for (int i = 80; i < 100; ++i) {
      const auto verdict = states.check(ProducerId(i % 4), kEpoch, i / 4 * 2, i / 4 * 2 + 1);
      CHECK(verdict.duplicate);
      CHECK(verdict.original.base_offset == Offset(i * 2));
    }
    CHECK(states.check(ProducerId(0), kEpoch, 50, 50).error == Errc::none);
    CHECK(states.check(ProducerId(0), kEpoch, 52, 52).error == Errc::out_of_order_sequence);
  }
}

TEST_CASE("A batch that failed to be written is no duplicate when it comes again") {
  for (const auto operation : {SimDisk::Operation::write, SimDisk::Operation::sync}) {
    JournalFixture fixture;
    fixture.open();
    const PartitionId partition(3);
    const auto append = [&](std::int32_t sequence) {
      const std::int64_t base = fixture.journal->state(partition).end.value;
      std::optional<Errc> result;
      REQUIRE(fixture.submit(partition, produced(base, kProducer, kEpoch, sequence, 1), 1,
                             [&](Errc error) { result = error; }) == Errc::none);
      fixture.journal->producers(partition).appended(kProducer, kEpoch, batch_at(sequence, base), Timestamp(1));
      fixture.loop.run();
      return *result;
    };
    REQUIRE(append(0) == Errc::none);
    fixture.disk.fail(operation);
    REQUIRE(append(1) == (operation == SimDisk::Operation::write ? Errc::storage_failed : Errc::unknown_outcome));
    CHECK(fixture.journal->state(partition).end == Offset(1));
    CHECK(fixture.journal->producers(partition).check(kProducer, kEpoch, 0, 0).duplicate);
    const auto verdict = fixture.journal->producers(partition).check(kProducer, kEpoch, 1, 1);
    CHECK(verdict.error == Errc::none);
    CHECK_FALSE(verdict.duplicate);
    REQUIRE(append(1) == Errc::none);
    fixture.crash();
    fixture.open();
    CHECK(fixture.journal->producers(partition).check(kProducer, kEpoch, 1, 1).original.base_offset == Offset(1));
  }
}
