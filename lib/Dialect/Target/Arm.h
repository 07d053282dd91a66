//===- Arm.h - the Arm kinds ----------------------------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

namespace dsc {

/// Every 64-bit Arm processor with floating point: NEON.
Target armV8();

} // namespace dsc
