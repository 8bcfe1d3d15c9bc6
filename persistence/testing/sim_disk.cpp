// Braid, Apache-2.0.
//
// The platter, the page cache and the faults of the simulated disk. Its views are in sim_view.cpp.
#include "persistence/testing/sim_disk.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace braid {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

SimDisk::SimDisk(std::uint64_t seed) : random_(seed) {}
SimDisk::~SimDisk() = default;

void SimDisk::kill() {
  ++epoch_;
}

void SimDisk::crash() {
  ++epoch_;
  // Names: file systems keep their order, so some prefix of the changes is there.
  const std::uint64_t kept = below(name_changes_.size() + 1);
  for (std::uint64_t i = 0; i < kept; ++i) {
    const NameChange& change = name_changes_[i];
    if (change.node)
      durable_names_[change.path] = change.node;
    else
      durable_names_.erase(change.path);
  }
  name_changes_.clear();
  names_ = durable_names_;
  // Contents: of each change nothing, everything, or any of its sectors. Whole crashes lean one way, so that all
  // shapes of loss come up.
  const std::uint64_t lean = below(4);
  for (auto& [path, node] : names_) {
    for (const Change& change : node->changes) {
      const std::uint64_t fate = lean == 3 ? below(3) : lean;
      if (fate == 0) continue;
      if (fate == 1 || change.truncation) {
        apply(node->durable, change);
        continue;
      }
      std::uint64_t position = change.position;
      const std::uint64_t end = change.position + change.bytes.size();
      while (position < end) {
        const std::uint64_t next = std::min(end, (position / kSectorBytes + 1) * kSectorBytes);
        if (below(2))
          apply(node->durable, {false, position, change.bytes.substr(position - change.position, next - position)});
        position = next;
      }
    }
    node->settled = node->changes_so_far();
    node->changes.clear();
    node->cached = node->durable;
  }
}

void SimDisk::fail(Operation operation, std::uint64_t nth, std::uint64_t count) {
  Fault& fault = faults_[static_cast<std::size_t>(operation)];
  fault.nth = nth;
  fault.count = count;
}
void SimDisk::fail_any(std::uint64_t nth, std::uint64_t count) {
  any_fault_.nth = nth;
  any_fault_.count = count;
}
void SimDisk::fail_by_chance(Operation operation, std::uint32_t per_million) {
  faults_[static_cast<std::size_t>(operation)].per_million = per_million;
}
void SimDisk::heal() {
  faults_ = {};
  any_fault_ = {};
  limit_bytes_ = UINT64_MAX;
}

bool SimDisk::fails(Operation operation) {
  ++counts_[static_cast<std::size_t>(operation)];
  const auto strikes = [](Fault& fault) {
    if (fault.nth == 0) return false;
    if (fault.nth > 1) return --fault.nth, false;
    if (--fault.count == 0) fault.nth = 0;
    return true;
  };
  Fault& fault = faults_[static_cast<std::size_t>(operation)];
  const bool planned = strikes(fault), any = strikes(any_fault_);
  return planned || any || (fault.per_million != 0 && below(1'000'000) < fault.per_million);
}

std::uint64_t SimDisk::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->cached.size();
  return used;
}

std::uint64_t SimDisk::room_for(const Node& node, std::uint64_t position, std::uint64_t length) const {
  if (limit_bytes_ == UINT64_MAX) return length;
  const std::uint64_t used = used_bytes();
  const std::uint64_t room = node.cached.size() + (limit_bytes_ > used ? limit_bytes_ - used : 0);
  return room > position ? std::min(length, room - position) : 0;
}

void SimDisk::apply(std::string& content, const Change& change) {
  if (change.truncation) return content.resize(change.position);
  if (content.size() < change.position + change.bytes.size()) content.resize(change.position + change.bytes.size());
  content.replace(change.position, change.bytes.size(), change.bytes);
}

void SimDisk::apply(Node& node, Change change) {
  apply(node.cached, change);
  node.changes.push_back(std::move(change));
}

void SimDisk::change_name(const std::string& path, NodeRef node) {
  name_changes_.push_back({path, node});
  if (node)
    names_[path] = std::move(node);
  else
    names_.erase(path);
}

void SimDisk::sync_names(const std::string& directory) {
  std::erase_if(name_changes_, [&](const NameChange& change) {
    if (!change.path.starts_with(directory + "/")) return false;
    if (change.node)
      durable_names_[change.path] = change.node;
    else
      durable_names_.erase(change.path);
    return true;
  });
}

void SimDisk::sync_node(Node& node, std::uint64_t changes_so_far) {
  if (changes_so_far <= node.settled) return;
  const auto end = node.changes.begin() + static_cast<std::ptrdiff_t>(changes_so_far - node.settled);
  for (auto change = node.changes.begin(); change != end; ++change) apply(node.durable, *change);
  node.changes.erase(node.changes.begin(), end);
  node.settled = changes_so_far;
}

void SimDisk::lose_pages(Node& node, std::uint64_t changes_so_far) {
  if (changes_so_far <= node.settled) return;
  // The kernel marks the pages clean: what has not reached the platter by now never will.
  const auto end = node.changes.begin() + static_cast<std::ptrdiff_t>(changes_so_far - node.settled);
  for (auto change = node.changes.begin(); change != end; ++change)
    if (change->truncation || below(2)) apply(node.durable, *change);
  node.changes.erase(node.changes.begin(), end);
  node.settled = changes_so_far;
  if (!evict_lost_pages_) return;
  node.cached = node.durable;
  for (const Change& change : node.changes) apply(node.cached, change);
}

std::string SimDisk::content(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? std::string() : found->second->cached;
}
void SimDisk::put(const std::string& path, std::string content) {
  NodeRef& node = names_[path];
  if (!node) node = std::make_shared<Node>();
  node->settled = node->changes_so_far();
  node->changes.clear();
  node->durable = content;
  node->cached = std::move(content);
  std::erase_if(name_changes_, [&](const NameChange& change) { return change.path == path; });
  durable_names_[path] = node;
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    directories_.insert(path.substr(0, slash));
}
void SimDisk::flip_bit(const std::string& path, std::uint64_t position, int bit) {
  Node& node = *names_.at(path);
  const auto flip = [&](std::string& content) {
    if (position < content.size()) content[position] = static_cast<char>(content[position] ^ (1 << (bit & 7)));
  };
  flip(node.cached);
  flip(node.durable);
  for (Change& change : node.changes)
    if (!change.truncation && position >= change.position && position - change.position < change.bytes.size())
      change.bytes[position - change.position] =
          static_cast<char>(change.bytes[position - change.position] ^ (1 << (bit & 7)));
}
void SimDisk::erase(const std::string& path) {
  names_.erase(path);
  durable_names_.erase(path);
  std::erase_if(name_changes_, [&](const NameChange& change) { return change.path == path; });
}
std::vector<std::string> SimDisk::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, node] : names_) paths.push_back(path);
  return paths;
}

}  // namespace braid
