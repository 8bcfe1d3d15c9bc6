// Braid, Apache-2.0.
//
// The catalog's file: what it must look like before anything is read from it, and how older versions become the
// current one.
#pragma once

#include <optional>
#include <string>

#include "persistence/catalog/results.hpp"
#include "persistence/catalog/sqlite.hpp"

namespace braid {

inline constexpr int kCatalogSchemaVersion = 3;

/// Opens or creates the file, owner-only (0600), and locks it against other processes. Refuses what is damaged, not a
/// catalog, or written by a newer version.
std::optional<CatalogError> open_catalog_file(sqlite::Database& database, const std::string& path, const char* vfs);

/// A failure of SQLite as the catalog reports it.
CatalogError catalog_error(const sqlite::Error& error, const std::string& path);

}  // namespace braid
