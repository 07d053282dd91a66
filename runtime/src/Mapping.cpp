//===- Mapping.cpp - files and code in memory -----------------------------===//

#include "Mapping.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dsc::runtime {

Error systemError(std::string what, int errorNumber) {
  char buffer[256];
  // GNU's variant returns the text, which need not be in the buffer.
  return {errorNumber == ENOMEM ? DSC_OUT_OF_MEMORY : DSC_IO,
          std::move(what) + ": " + strerror_r(errorNumber, buffer, sizeof(buffer))};
}

Pages::Pages(Pages &&other) noexcept
    : address(std::exchange(other.address, nullptr)), bytes(std::exchange(other.bytes, 0)) {}

Pages &Pages::operator=(Pages &&other) noexcept {
  std::swap(address, other.address);
  std::swap(bytes, other.bytes);
  return *this;
}

Pages::~Pages() {
  if (address)
    munmap(address, bytes);
}

FileDescriptor::FileDescriptor(FileDescriptor &&other) noexcept : fd(std::exchange(other.fd, -1)) {}

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept {
  std::swap(fd, other.fd);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd >= 0)
    close(fd);
}

Error mapFile(const char *path, FileDescriptor &file, Pages &pages) {
  auto failure = [&](int errorNumber) {
    return systemError(std::string("cannot open '") + path + "'", errorNumber);
  };
  // O_NONBLOCK: a pipe without a writer must not stop the program.
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return failure(errno);
  FileDescriptor opened(fd);
  struct stat info;
  if (fstat(fd, &info) != 0)
    return failure(errno);
  if (S_ISDIR(info.st_mode))
    return failure(EISDIR);
  if (!S_ISREG(info.st_mode))
    return {DSC_IO, std::string("cannot open '") + path + "': not a regular file"};
  if (info.st_size == 0)
    return corrupt(std::string("'") + path + "': the file is empty");
  void *address = mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address == MAP_FAILED)
    return failure(errno);
  pages = Pages(address, info.st_size);
  file = std::move(opened);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

static int protectionOf(const format::Segment &segment) {
  return (segment.readable ? PROT_READ : 0) | (segment.writable ? PROT_WRITE : 0) |
         (segment.executable ? PROT_EXEC : 0);
}

static uint64_t pageEnd(uint64_t bytes) {
  return (bytes + format::kPageSize - 1) / format::kPageSize * format::kPageSize;
}

/// Maps a segment's bytes at `address`, where pages that read as zeros are already.
static bool mapSegment(const format::Segment &segment, uint8_t *address, int fd,
                       uint64_t codeOffset) {
  // Bytes after the segment's, to the end of the page, belong to nobody and are
  // zeros in the file; a writable page is cleared all the same.
  int protection = protectionOf(segment);
  void *mapped = mmap(address, segment.fileBytes, protection, MAP_PRIVATE | MAP_FIXED, fd,
                      static_cast<off_t>(codeOffset + segment.fileOffset));
  if (mapped == MAP_FAILED)
    return false;
  if (segment.writable)
    std::memset(address + segment.fileBytes, 0, pageEnd(segment.fileBytes) - segment.fileBytes);
  uint64_t filePages = pageEnd(segment.fileBytes), allPages = pageEnd(segment.memoryBytes);
  return allPages == filePages ||
         mprotect(address + filePages, allPages - filePages, protection) == 0;
}

static bool copySegment(const format::Segment &segment, uint8_t *address,
                        std::span<const uint8_t> code) {
  uint64_t size = pageEnd(segment.memoryBytes);
  if (mmap(address, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
      MAP_FAILED)
    return false;
  std::memcpy(address, code.data() + segment.fileOffset, segment.fileBytes);
  auto *begin = reinterpret_cast<char *>(address);
  if (segment.executable) // processors other than x86 may have old code in their cache
    __builtin___clear_cache(begin, begin + segment.fileBytes);
  return mprotect(address, size, protectionOf(segment)) == 0;
}

Error mapImage(const format::Variant &variant, std::span<const uint8_t> code, int fd,
               uint64_t codeOffset, Pages &pages) {
  uint64_t bytes = 0;
  for (const format::Segment &segment : variant.segments)
    bytes = std::max(bytes, pageEnd(segment.address + segment.memoryBytes));
  void *base = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return systemError("cannot map code", errno);
  pages = Pages(base, bytes);
  for (const format::Segment &segment : variant.segments) {
    uint8_t *address = pages.data() + segment.address;
    if (segment.memoryBytes == 0)
      continue;
    // A file system may forbid execution (noexec), and pages may be larger than the
    // format's: then the code is copied.
    bool mapped = fd >= 0 && segment.fileBytes != 0 && mapSegment(segment, address, fd, codeOffset);
    if (!mapped && !copySegment(segment, address, code))
      return systemError("the system does not let this process run code of an artifact", errno);
  }
  return Error::success();
}

} // namespace dsc::runtime
