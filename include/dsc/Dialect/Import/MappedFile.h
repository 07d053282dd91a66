//===- MappedFile.h - read-only view of a file ------------------------------===//
//
// A regular file mapped into memory; pages are read when they are touched.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dsc::import {

/// Owns the mapping. Movable; spans of bytes() live as long as the mapping, which
/// a move does not change.
class MappedFile {
public:
  enum class Error { None, Missing, Unreadable, NotRegular, Symlink, NoMemory };

  MappedFile() = default;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  ~MappedFile();

  /// Maps `path`. With `followSymlink` false a symbolic link as the last
  /// component is an error. On failure `reason` holds the system's text.
  Error open(const std::string &path, bool followSymlink, std::string &reason);

  std::span<const uint8_t> bytes() const { return {data, static_cast<size_t>(length)}; }
  uint64_t size() const { return length; }

  /// Number of hard links of the file when it was opened.
  uint64_t linkCount() const { return links; }

private:
  const uint8_t *data = nullptr;
  uint64_t length = 0;
  uint64_t links = 0;
};

} // namespace dsc::import
