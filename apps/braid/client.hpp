// Braid, Apache-2.0.
//
// Asks a running broker over its admin port. The library that speaks HTTP stays in one source file.
#pragma once

#include <string>

#include "actors/admin/json.hpp"
#include "model/result.hpp"

namespace braid {

struct ClientError {
  int exit_code;
  std::string text;
};

class AdminClient {
 public:
  /// `broker` is "host:port"; the error is for the user.
  static Result<AdminClient, ClientError> to(const std::string& broker);

  /// The body of a 2xx answer. `path` begins with '/'; `body` is sent when `method` is POST or PUT.
  Result<Json, ClientError> request(const std::string& method, const std::string& path,
                                    const std::string& body = {}) const;

 private:
  AdminClient(std::string host, int port) : host_(std::move(host)), port_(port) {}
  std::string host_;
  int port_;
};

/// A name as part of a path: everything but letters, digits, '.', '_' and '-' in percent form.
std::string escape_path(const std::string& name);

}  // namespace braid
