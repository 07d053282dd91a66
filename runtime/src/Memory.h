//===- Memory.h - memory of a context -------------------------------------===//
//
// Everything that depends on shapes comes from one allocator, the user's or the C
// library's, and is counted. A model on a GPU has a second one for the device.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/dsc.h"

#include <cstdint>
#include <vector>

namespace dsc::runtime {

class CudaQueue;

inline constexpr size_t kAlignment = 64;

class Allocator {
public:
  explicit Allocator(const dsc_context_options &options);
  /// Of a device's memory.
  explicit Allocator(CudaQueue &device);
  Allocator(const Allocator &) = delete;
  Allocator &operator=(const Allocator &) = delete;

  /// Memory aligned to kAlignment; null if there is none.
  void *allocate(size_t bytes);
  void deallocate(void *memory, size_t bytes);
  /// Bytes allocated and not given back.
  size_t heldBytes() const { return held; }

  /// Copies within this memory; the ranges may overlap.
  void copy(void *to, const void *from, size_t bytes);
  /// Between this memory and the host's.
  void write(void *to, const void *hostFrom, size_t bytes);
  void read(void *hostTo, const void *from, size_t bytes) const;

private:
  decltype(dsc_context_options::allocate) allocateFn;
  decltype(dsc_context_options::deallocate) deallocateFn;
  void *user;
  CudaQueue *device = nullptr;
  size_t held = 0;
};

/// A block of memory that grows and never shrinks but by release(), so that what
/// has fitted once needs no allocation again.
class Buffer {
public:
  explicit Buffer(Allocator &allocator) : allocator(&allocator) {}
  Buffer(Buffer &&other) noexcept;
  Buffer &operator=(Buffer &&other) noexcept;
  ~Buffer() { release(); }

  /// Never null, even before anything is reserved.
  void *data() const;
  size_t capacity() const { return bytes; }
  /// Makes room for `size` bytes; the contents are lost when it has to grow.
  [[nodiscard]] bool reserve(size_t size);
  /// Makes room for `size` bytes, at least doubling when it has to grow, and keeps
  /// the first `kept`.
  [[nodiscard]] bool grow(size_t size, size_t kept);
  void release();

private:
  Allocator *allocator;
  void *memory = nullptr;
  size_t bytes = 0;
};

/// The stack of frames. Frames never move. While a run needs more than there is,
/// more chunks are added; between runs all become one chunk that has room for the
/// deepest stack seen, so a run that is no deeper allocates nothing.
class Arena {
public:
  explicit Arena(Allocator &allocator) : allocator(allocator) {}

  struct Mark {
    size_t chunk, used, depth;
  };
  Mark mark() const { return top; }
  /// A frame on top of the others; null if memory is out.
  void *push(size_t bytes);
  /// Takes all frames off that were pushed after `mark`.
  void pop(Mark mark) { top = mark; }
  /// To be called when no frame is left.
  void consolidate();
  void release();

private:
  /// Moves `top` to a chunk with room for `bytes`.
  bool findRoom(size_t bytes);

  Allocator &allocator;
  std::vector<Buffer> chunks;
  Mark top = {0, 0, 0};
  size_t deepest = 0;
};

} // namespace dsc::runtime
