//===- Memory.cpp - memory of a context -----------------------------------===//

#include "Memory.h"

#include "CudaModel.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace dsc::runtime {

/// Larger requests are errors of size computations; rounding up cannot overflow.
static constexpr size_t kMaxBytes = size_t(1) << 47;

static size_t roundUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

//===----------------------------------------------------------------------===//
// Allocator
//===----------------------------------------------------------------------===//

static void *allocateDefault(void *, size_t bytes, size_t alignment) {
  return std::aligned_alloc(alignment, bytes);
}

static void deallocateDefault(void *, void *memory, size_t) { std::free(memory); }

Allocator::Allocator(const dsc_context_options &options)
    : allocateFn(options.allocate ? options.allocate : allocateDefault),
      deallocateFn(options.allocate ? options.deallocate : deallocateDefault),
      user(options.allocator_user) {}

Allocator::Allocator(CudaQueue &device)
    : allocateFn([](void *queue, size_t bytes, size_t) {
        return static_cast<CudaQueue *>(queue)->allocate(bytes);
      }),
      deallocateFn([](void *queue, void *memory, size_t) {
        static_cast<CudaQueue *>(queue)->deallocate(memory);
      }),
      user(&device), device(&device) {}

void Allocator::copy(void *to, const void *from, size_t bytes) {
  if (device)
    return device->copy(to, from, bytes);
  std::memmove(to, from, bytes);
}

void Allocator::write(void *to, const void *hostFrom, size_t bytes) {
  if (device)
    return device->write(to, hostFrom, bytes);
  std::memcpy(to, hostFrom, bytes);
}

void Allocator::read(void *hostTo, const void *from, size_t bytes) const {
  if (device)
    return device->read(hostTo, from, bytes);
  std::memcpy(hostTo, from, bytes);
}

void *Allocator::allocate(size_t bytes) {
  if (bytes > kMaxBytes)
    return nullptr;
  void *memory = allocateFn(user, roundUp(bytes), kAlignment);
  if (memory)
    held += roundUp(bytes);
  return memory;
}

void Allocator::deallocate(void *memory, size_t bytes) {
  held -= roundUp(bytes);
  deallocateFn(user, memory, roundUp(bytes));
}

//===----------------------------------------------------------------------===//
// Buffer
//===----------------------------------------------------------------------===//

/// Where empty tensors are.
alignas(kAlignment) static char nothing[kAlignment];

Buffer::Buffer(Buffer &&other) noexcept
    : allocator(other.allocator), memory(std::exchange(other.memory, nullptr)),
      bytes(std::exchange(other.bytes, 0)) {}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
  std::swap(allocator, other.allocator);
  std::swap(memory, other.memory);
  std::swap(bytes, other.bytes);
  return *this;
}

void *Buffer::data() const { return memory ? memory : nothing; }

bool Buffer::reserve(size_t size) {
  if (size <= bytes)
    return true;
  release();
  memory = allocator->allocate(size);
  bytes = memory ? size : 0;
  return memory != nullptr;
}

bool Buffer::grow(size_t size, size_t kept) {
  if (size <= bytes)
    return true;
  Buffer larger(*allocator);
  if (!larger.reserve(std::max(size, std::min(2 * bytes, kMaxBytes))) && !larger.reserve(size))
    return false;
  allocator->copy(larger.data(), data(), kept);
  *this = std::move(larger);
  return true;
}

void Buffer::release() {
  if (memory)
    allocator->deallocate(memory, bytes);
  memory = nullptr;
  bytes = 0;
}

//===----------------------------------------------------------------------===//
// Arena
//===----------------------------------------------------------------------===//

bool Arena::findRoom(size_t bytes) {
  for (; top.chunk < chunks.size(); top = {top.chunk + 1, 0, top.depth})
    if (bytes <= chunks[top.chunk].capacity() - top.used)
      return true;
  size_t size = bytes;
  if (top.depth == 0) { // nothing is in use: do not hold the old memory beside the new
    size = std::max(bytes, deepest);
    release();
  }
  Buffer chunk(allocator);
  if (!chunk.reserve(size))
    return false;
  chunks.push_back(std::move(chunk));
  top.chunk = chunks.size() - 1;
  top.used = 0;
  return true;
}

void *Arena::push(size_t bytes) {
  if (bytes > kMaxBytes)
    return nullptr;
  bytes = roundUp(bytes);
  if (bytes == 0)
    return nothing;
  Mark before = top;
  if (!findRoom(bytes)) {
    top = before;
    return nullptr;
  }
  void *frame = static_cast<char *>(chunks[top.chunk].data()) + top.used;
  top.used += bytes;
  top.depth += bytes;
  deepest = std::max(deepest, top.depth);
  return frame;
}

void Arena::consolidate() {
  if (chunks.size() <= 1)
    return;
  release();
  Buffer chunk(allocator);
  if (chunk.reserve(deepest)) // if not, the next run tries again
    chunks.push_back(std::move(chunk));
}

void Arena::release() {
  chunks.clear();
  top = {0, 0, 0};
}

} // namespace dsc::runtime
