//===- Handles.h - what the pointers of the C API point to ----------------===//
#pragma once

#include "Context.h"

struct dsc_model {
  std::shared_ptr<const dsc::runtime::Model> model;
};

struct dsc_context {
  dsc::runtime::Context context;
};
