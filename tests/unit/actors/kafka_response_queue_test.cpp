// Braid, Apache-2.0.
#include "actors/kafka/response_queue.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "support/seed.hpp"

namespace braid::test {

using kafka::ResponseQueue;

namespace {
std::vector<Bytes> text(const std::string& string) {
  return {Bytes::copy(string)};
}
std::string flush(ResponseQueue& queue) {
  std::string out;
  queue.flush([&](std::vector<Bytes> chunks) {
    for (const Bytes& chunk : chunks) out += chunk.view();
  });
  return out;
}
}  // namespace

TEST_CASE("an answer waits for those before it") {
  ResponseQueue queue;
  const auto a = queue.open(1), b = queue.open(1), c = queue.open(1);
  queue.answer(c, text("c"));
  queue.answer(b, text("b"));
  CHECK(flush(queue).empty());
  queue.answer(a, text("a"));
  CHECK(flush(queue) == "abc");
  CHECK(queue.empty());
  CHECK(queue.bytes() == 0);
}

TEST_CASE("a request without an answer holds up nobody") {
  ResponseQueue queue;
  const auto a = queue.open(1), b = queue.open(1);
  queue.answer(b, text("b"));
  queue.answer(a, {});
  CHECK(flush(queue) == "b");
}

TEST_CASE("only the first answer to a request counts") {
  ResponseQueue queue;
  const auto a = queue.open(1), b = queue.open(1);
  queue.answer(b, text("first"));
  queue.answer(b, text("second"));
  queue.answer(a, {});
  CHECK(flush(queue) == "first");
  queue.answer(b, text("third"));
  queue.answer(1000, text("nobody"));
  CHECK(flush(queue).empty());
}

TEST_CASE("deadlines are taken once and not after an answer") {
  ResponseQueue queue;
  const auto a = queue.open(1), b = queue.open(1), c = queue.open(1);
  int expired = 0;
  queue.set_deadline(a, 100, [&] { expired += 1; });
  queue.set_deadline(b, 50, [&] { expired += 10; });
  queue.set_deadline(c, 50, [&] { expired += 100; });
  CHECK(queue.next_deadline_ms() == 50);
  queue.answer(c, {});
  CHECK(queue.take_expired(49) == nullptr);
  while (const auto next = queue.take_expired(50)) next();
  CHECK(expired == 10);
  CHECK(queue.next_deadline_ms() == 100);
  while (const auto next = queue.take_expired(200)) next();
  CHECK(expired == 11);
  CHECK(queue.next_deadline_ms() == ResponseQueue::kNever);
}

TEST_CASE("bytes of requests and of waiting answers are counted until they are gone") {
  const auto seed = test_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ResponseQueue queue;
  std::vector<std::uint64_t> open;
  std::string expected, written;
  std::map<std::uint64_t, std::string> answers;
  std::uint64_t next = 0;
  for (int i = 0; i < 5000; ++i) {
    if (random() % 2 || open.empty()) {
      open.push_back(queue.open(random() % 1000));
      CHECK(open.back() == next++);
    } else {
      const std::size_t which = random() % open.size();
      const std::string answer = std::to_string(open[which]) + ";";
      answers[open[which]] = answer;
      queue.answer(open[which], text(answer));
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (random() % 4 == 0) written += flush(queue);
    CHECK(queue.bytes() >= open.size() * ResponseQueue::kRequestOverheadBytes);
  }
  for (const std::uint64_t number : open) {
    answers[number] = std::to_string(number) + ";";
    queue.answer(number, text(answers[number]));
  }
  written += flush(queue);
  for (const auto& [number, answer] : answers) expected += answer;
  CHECK(written == expected);
  CHECK(queue.bytes() == 0);
}

TEST_CASE("only patient requests are left when the others are answered") {
  ResponseQueue queue;
  const auto a = queue.open(1), b = queue.open(1);
  queue.set_patient(a);
  CHECK_FALSE(queue.only_patient());
  queue.answer(b, text("b"));
  CHECK(queue.only_patient());
}

}  // namespace braid::test
