// Braid, Apache-2.0.
//
// What a client may do to a resource, as a set of bits (KIP-430). Everybody may do everything until there are rules, so
// these are all operations that make sense for the kind of resource.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace braid::kafka {

/// Kafka's numbers of operations.
enum class AclOperation : int {
  read = 3,
  write = 4,
  create = 5,
  remove = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12
};

constexpr std::int32_t operation_bits(std::initializer_list<AclOperation> operations) {
  std::int32_t bits = 0;
  for (const AclOperation operation : operations) bits |= 1 << static_cast<int>(operation);
  return bits;
}

constexpr std::int32_t kTopicOperations = operation_bits(
    {AclOperation::read, AclOperation::write, AclOperation::create, AclOperation::remove, AclOperation::alter,
     AclOperation::describe, AclOperation::describe_configs, AclOperation::alter_configs});
constexpr std::int32_t kClusterOperations =
    operation_bits({AclOperation::create, AclOperation::alter, AclOperation::describe, AclOperation::cluster_action,
                    AclOperation::describe_configs, AclOperation::alter_configs, AclOperation::idempotent_write});
constexpr std::int32_t kGroupOperations =
    operation_bits({AclOperation::read, AclOperation::remove, AclOperation::describe, AclOperation::describe_configs,
                    AclOperation::alter_configs});

}  // namespace braid::kafka
