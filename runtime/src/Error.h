//===- Error.h - what failed, as status and text --------------------------===//
#pragma once

#include "dsc/dsc.h"

#include <string>
#include <utility>

namespace dsc::runtime {

/// The result of an operation that can fail. Converts to true if it did:
/// `if (Error error = f()) return error;`
struct [[nodiscard]] Error {
  dsc_status status = DSC_OK;
  std::string text;

  explicit operator bool() const { return status != DSC_OK; }
  static Error success() { return {}; }
};

inline Error invalidArgument(std::string text) { return {DSC_INVALID_ARGUMENT, std::move(text)}; }
inline Error runtimeValue(std::string text) { return {DSC_RUNTIME_VALUE, std::move(text)}; }
inline Error internalError(std::string text) { return {DSC_INTERNAL, std::move(text)}; }
inline Error corrupt(std::string text) { return {DSC_CORRUPT, std::move(text)}; }
inline Error outOfMemory(size_t bytes) {
  return {DSC_OUT_OF_MEMORY, "out of memory: " + std::to_string(bytes) + " bytes were needed"};
}
/// `what`, with what the operating system says about `errorNumber`.
Error systemError(std::string what, int errorNumber);

} // namespace dsc::runtime
