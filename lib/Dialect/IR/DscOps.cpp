//===- DscOps.cpp - generated definitions of all ops ----------------------===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Dialect/IR/ScalarFunctions.h"

#include "mlir/IR/OpImplementation.h"

using namespace mlir;

#define GET_OP_CLASSES
#include "dsc/Dialect/IR/DscOps.cpp.inc"

void dsc::DscDialect::registerOps() {
  addOperations<
#define GET_OP_LIST
#include "dsc/Dialect/IR/DscOps.cpp.inc"
      >();
}
