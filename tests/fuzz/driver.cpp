// Braid, Apache-2.0.
//
// Runs a libFuzzer target without libFuzzer, so that every ordinary build tests every decoder: replays the corpus, then
// mutates it for a fixed number of rounds, or for two seconds if they take longer. Each round depends on the seed and
// its own number only, so BRAID_FUZZ_SEED replays a run; the input that brought the target down is written to
// `crash-TARGET` in the working directory, and `TARGET crash-TARGET` runs it again. Long runs belong to the preset
// "fuzz" (./dev fuzz).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t max_input_bytes = 1u << 16;

// What the handlers below can reach: the input that runs, and where to write it.
Input current;
std::string crash_path;
bool running = false;

void save_current() {
  if (!running) return;
  running = false;
  const int file = ::open(crash_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) return;
  [[maybe_unused]] const auto written = ::write(file, current.data(), current.size());
  ::close(file);
  constexpr char text[] = "the input that failed was written to ";
  [[maybe_unused]] auto said = ::write(STDERR_FILENO, text, sizeof text - 1);
  said = ::write(STDERR_FILENO, crash_path.data(), crash_path.size());
  said = ::write(STDERR_FILENO, "\n", 1);
}

void on_signal(int signal) {
  save_current();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const Input& input) {
  // Of exact size, so that a sanitizer sees the first byte read past the end.
  current = Input(input.begin(), input.end());
  running = true;
  LLVMFuzzerTestOneInput(current.data(), current.size());
  running = false;
}

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Input(std::istreambuf_iterator<char>(file), {});
}

/// Sorted by name, so that a seed means the same on every machine.
std::vector<Input> read_corpus(const std::vector<std::string>& arguments) {
  std::vector<std::filesystem::path> paths;
  for (const auto& argument : arguments) {
    if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argument))
        if (entry.is_regular_file()) paths.push_back(entry.path());
    } else if (std::filesystem::exists(argument)) {
      paths.emplace_back(argument);
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read_file(path));
  return corpus;
}

/// One to eight changes of the kinds that find the most: flipped bits, values at the edge of a length field, pieces
/// repeated, removed, or taken from another input.
Input mutate(Input input, const std::vector<Input>& corpus, std::mt19937_64& random) {
  constexpr std::array<std::uint8_t, 8> edges{0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x10, 0x40};
  auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  for (auto changes = 1 + below(8); changes > 0; --changes) {
    if (input.empty()) input.push_back(static_cast<std::uint8_t>(random()));
    const auto at = below(input.size());
    const auto length = 1 + below(std::min<std::size_t>(input.size() - at, 32));
    switch (below(8)) {
      case 0:
        input[at] ^= static_cast<std::uint8_t>(1u << below(8));
        break;
      case 1:
        input[at] = edges[below(edges.size())];
        break;
      case 2:
        input[at] = static_cast<std::uint8_t>(random());
        break;
      case 3:
        std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(length, 4),
                    edges[below(edges.size())]);
        break;
      case 4:
        input.erase(input.begin() + static_cast<std::ptrdiff_t>(at),
                    input.begin() + static_cast<std::ptrdiff_t>(at + length));
        break;
      case 5: {
        const Input piece(input.begin() + static_cast<std::ptrdiff_t>(at),
                          input.begin() + static_cast<std::ptrdiff_t>(at + length));
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size())), piece.begin(), piece.end());
        break;
      }
      case 6:
        input.resize(at);
        break;
      default: {
        if (corpus.empty()) break;
        const auto& other = corpus[below(corpus.size())];
        if (other.empty()) break;
        const auto from = below(other.size());
        const auto count = 1 + below(other.size() - from);
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), other.begin() + static_cast<std::ptrdiff_t>(from),
                     other.begin() + static_cast<std::ptrdiff_t>(from + count));
      }
    }
    if (input.size() > max_input_bytes) input.resize(max_input_bytes);
  }
  return input;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  crash_path = "crash-" + std::filesystem::path(argv[0]).filename().string();
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(save_current);
  for (int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGILL, SIGBUS}) {
    if (!__sanitizer_set_death_callback || signal == SIGABRT) std::signal(signal, on_signal);
  }

  const auto seed = from_environment("BRAID_FUZZ_SEED", std::random_device{}());
  const auto rounds = from_environment("BRAID_FUZZ_ROUNDS", 20000);
  const auto limit = std::chrono::milliseconds(from_environment("BRAID_FUZZ_MS", 2000));
  const auto corpus = read_corpus(arguments);
  std::printf("corpus of %zu, %llu rounds, BRAID_FUZZ_SEED=%llu\n", corpus.size(),
              static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(seed));
  std::fflush(stdout);

  run({});
  for (const auto& input : corpus) run(input);
  const bool replay_only = arguments.size() == 1 && std::filesystem::is_regular_file(arguments[0]);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (std::uint64_t round = 0; !replay_only && round < rounds; ++round) {
    if (round % 64 == 0 && std::chrono::steady_clock::now() >= deadline) {
      std::printf("stopped after %llu rounds, BRAID_FUZZ_MS gives more time\n", static_cast<unsigned long long>(round));
      break;
    }
    std::seed_seq sequence{seed, round};
    std::mt19937_64 random(sequence);
    run(mutate(corpus.empty() ? Input{} : corpus[random() % corpus.size()], corpus, random));
  }
  return 0;
}
