//===- Services.cpp - what generated code gets from the runtime -----------===//

#include "Services.h"

#include <cmath>

namespace dsc::runtime {

// The C functions, not the overloads of <cmath>.
const dsc_kernel_services kServices = {
#define DSC_X(name) ::name,
    {DSC_KERNEL_MATH1(DSC_X)},
    {DSC_KERNEL_MATH2(DSC_X)},
#undef DSC_X
};

} // namespace dsc::runtime
