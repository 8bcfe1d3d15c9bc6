// Braid, Apache-2.0.
//
// What the command line tells scripts. Documented in docs/operations.md.
#pragma once

namespace braid::exit_code {

inline constexpr int ok = 0;
inline constexpr int error = 1;      ///< it was tried and failed, or the settings hold mistakes
inline constexpr int usage = 2;      ///< the command line makes no sense
inline constexpr int unhealthy = 3;  ///< no broker answers, or it says that it is not healthy
inline constexpr int not_found = 4;

}  // namespace braid::exit_code
