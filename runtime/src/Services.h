//===- Services.h - what generated code gets from the runtime -------------===//
#pragma once

#include "dsc/Format/KernelABI.h"

namespace dsc::runtime {

extern const dsc_kernel_services kServices;

} // namespace dsc::runtime
