//===- DscDialect.h - the dsc dialect, its attributes and ops -------------===//
#pragma once

#include "dsc/Dialect/IR/Dim.h"
#include "dsc/Dialect/IR/Spec.h"
#include "dsc/Dialect/IR/TypeInference.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dsc/Dialect/IR/DscDialect.h.inc"
#include "dsc/Dialect/IR/DscEnums.h.inc"
#include "dsc/Dialect/IR/DscInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dsc/Dialect/IR/DscAttrs.h.inc"

#include "dsc/Dialect/IR/Reduction.h"
#include "dsc/Dialect/IR/ShortForm.h"

#define GET_OP_CLASSES
#include "dsc/Dialect/IR/DscOps.h.inc"
