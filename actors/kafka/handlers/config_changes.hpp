// Braid, Apache-2.0.
//
// AlterConfigs and IncrementalAlterConfigs say the same in two ways: which settings of which resources are to change.
// Here is what happens then: what belongs to topics becomes one command of the catalog, what belongs to the cluster
// another, everything else is refused. Resources succeed and fail one by one; the settings of a resource together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "actors/kafka/handlers/config_resources.hpp"
#include "persistence/catalog/commands.hpp"

namespace braid::kafka {

/// The changes of one resource, as they were asked for.
struct ConfigChange {
  std::int8_t resource_type = 0;
  std::string resource_name;
  ConfigRefusal refusal;          ///< what is wrong with it already
  std::vector<ConfigEdit> edits;  ///< under Kafka's names
  bool replace = false;           ///< what is not named goes back to its default
};

/// Calls `done` with a refusal, or none, for each change, in their order; at once or when the catalog has answered.
using ConfigsChanged = std::function<void(const std::vector<ConfigRefusal>&)>;
void change_configs(Session&, std::vector<ConfigChange>, bool validate_only, ConfigsChanged done);

/// Refuses resources that are named twice, and settings that are named twice within one.
void refuse_repeated(std::vector<ConfigChange>&);

}  // namespace braid::kafka
