//===- Mapping.h - files and code in memory -------------------------------===//
#pragma once

#include "Error.h"
#include "dsc/Format/Container.h"

#include <span>

namespace dsc::runtime {

/// Pages of this process that are given back with the object.
class Pages {
public:
  Pages() = default;
  Pages(void *address, size_t bytes) : address(address), bytes(bytes) {}
  Pages(Pages &&other) noexcept;
  Pages &operator=(Pages &&other) noexcept;
  ~Pages();

  uint8_t *data() const { return static_cast<uint8_t *>(address); }
  size_t size() const { return bytes; }

private:
  void *address = nullptr;
  size_t bytes = 0;
};

/// An open file descriptor; -1 for none.
class FileDescriptor {
public:
  explicit FileDescriptor(int fd = -1) : fd(fd) {}
  FileDescriptor(FileDescriptor &&other) noexcept;
  FileDescriptor &operator=(FileDescriptor &&other) noexcept;
  ~FileDescriptor();
  int get() const { return fd; }

private:
  int fd;
};

/// Opens and maps a whole file, read-only.
Error mapFile(const char *path, FileDescriptor &file, Pages &pages);

/// Maps the segments of a code image with the protection they ask for.
/// `code` holds the image's bytes. With a file (`fd` not -1) its pages are mapped
/// from `codeOffset` on, where the system allows it; else they are copied. The
/// result is in order of addresses, its first byte the image's base.
Error mapImage(const format::Variant &variant, std::span<const uint8_t> code, int fd,
               uint64_t codeOffset, Pages &pages);

} // namespace dsc::runtime
