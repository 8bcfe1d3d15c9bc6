// Braid, Apache-2.0.
//
// What there is of RabbitMQ's management API, in its paths, bodies and answers, so that what operators have written for
// it (scripts, Terraform) goes on working: virtual hosts, policies and operator policies. Its errors are
// {"error": ..., "reason": ...}.
#pragma once

#include <string_view>

#include "actors/admin/routes.hpp"

namespace braid {

inline constexpr std::string_view vhosts_path = "/api/vhosts", policies_path = "/api/policies",
                                  operator_policies_path = "/api/operator-policies";

bool is_rabbitmq_path(std::string_view path);
/// Virtual hosts are made without a body as well.
bool may_lack_body(std::string_view path);
AdminResponse answer_as_rabbitmq(AdminApi& api, const AdminRequest& request);

}  // namespace braid
