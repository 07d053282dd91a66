//===- ReduceModel.h - a small part of a model that still fails -------------===//
#pragma once

#include <functional>
#include <string>

namespace dsc::import {

/// Looks for a short run of consecutive nodes of the model's graph for which `fails`
/// holds; it is called with the bytes of ONNX models. A value that the run takes from
/// other nodes is an input of its model. Returns the bytes of the shortest one found;
/// empty if the whole model does not fail in this form, or cannot be taken apart.
/// Stops looking for shorter ones when `isTimeUp` says so. Never throws.
std::string reduceModel(const std::string &path,
                        const std::function<bool(const std::string &bytes)> &fails,
                        const std::function<bool()> &isTimeUp);

} // namespace dsc::import
