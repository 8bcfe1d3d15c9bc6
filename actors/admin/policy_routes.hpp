// Braid, Apache-2.0.
//
// Policies and operator policies over HTTP, in the paths, bodies and answers of RabbitMQ's management API, so that what
// operators have written for it (scripts, Terraform) goes on working. Its errors are {"error": ..., "reason": ...}.
#pragma once

#include <string_view>

#include "actors/admin/routes.hpp"

namespace braid {

inline constexpr std::string_view policies_path = "/api/policies", operator_policies_path = "/api/operator-policies";

bool is_policy_path(std::string_view path);
AdminResponse answer_policies(AdminApi& api, const AdminRequest& request);

}  // namespace braid
