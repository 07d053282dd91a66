//===- MappedFile.cpp - read-only view of a file ----------------------------===//
//
// open, fstat and mmap; all facts come from the opened descriptor, so that a file
// swapped in between cannot be mistaken for the one that was checked.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace dsc::import {

MappedFile::MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(data, other.data);
  std::swap(length, other.length);
  std::swap(links, other.links);
  return *this;
}

MappedFile::~MappedFile() {
  if (data)
    munmap(const_cast<uint8_t *>(data), length);
}

static MappedFile::Error classifyOpenError(int error) {
  if (error == ENOENT || error == ENOTDIR)
    return MappedFile::Error::Missing;
  if (error == ELOOP)
    return MappedFile::Error::Symlink;
  return MappedFile::Error::Unreadable;
}

MappedFile::Error MappedFile::open(const std::string &path, bool followSymlink,
                                   std::string &reason) {
  // Without O_NONBLOCK a named pipe would block until somebody writes to it.
  int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followSymlink ? 0 : O_NOFOLLOW);
  int descriptor = ::open(path.c_str(), flags);
  if (descriptor < 0) {
    int error = errno;
    reason = std::strerror(error);
    return classifyOpenError(error);
  }
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    reason = S_ISDIR(info.st_mode) ? "it is a directory" : "it is not a regular file";
    close(descriptor);
    return Error::NotRegular;
  }
  void *mapping = nullptr;
  if (info.st_size > 0) {
    mapping = mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (mapping == MAP_FAILED) {
      int error = errno;
      reason = std::strerror(error);
      close(descriptor);
      return error == ENOMEM ? Error::NoMemory : Error::Unreadable;
    }
  }
  close(descriptor);
  if (data)
    munmap(const_cast<uint8_t *>(data), length);
  data = static_cast<const uint8_t *>(mapping);
  length = info.st_size;
  links = info.st_nlink;
  return Error::None;
}

} // namespace dsc::import
