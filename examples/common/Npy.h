//===- Npy.h - writing NumPy's .npy files -----------------------------------===//
#ifndef DSC_EXAMPLES_NPY_H
#define DSC_EXAMPLES_NPY_H

#include <cstdint>
#include <string>
#include <vector>

#include "dsc/dsc.h"

namespace examples {

/// Writes a dense row-major tensor; throws std::runtime_error.
void writeNpy(const std::string &path, const void *data, dsc_dtype dtype,
              const std::vector<int64_t> &dims);

} // namespace examples

#endif
