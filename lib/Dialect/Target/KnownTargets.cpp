//===- KnownTargets.cpp - the table of targets ----------------------------===//
#include "dsc/Dialect/Target/KnownTargets.h"

#include "Arm.h"
#include "X86.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

namespace dsc {

std::string Target::architecture() const {
  return llvm::Triple::getArchTypeName(llvm::Triple(triple).getArch()).str();
}

bool Target::has(llvm::StringRef feature) const { return llvm::is_contained(features, feature); }

llvm::ArrayRef<Target> knownTargets() {
  static const Target targets[] = {nvptxSm80(), x86V4(), x86V3(), x86V4Emulated(), armV8()};
  return targets;
}

/// Whether this machine has all that `target` uses. The CPU's name is no guide on
/// virtual machines; its features are.
static bool canExecute(const Target &target) {
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(target.features,
                      [&](const std::string &feature) { return host.lookup(feature); });
}

const Target *findTarget(llvm::StringRef name) {
  for (const Target &target : knownTargets())
    if (name == "native" ? canExecute(target) : target.name == name)
      return &target;
  return nullptr;
}

std::vector<const Target *> findTargets(llvm::ArrayRef<std::string> names) {
  std::vector<const Target *> found;
  for (const Target &target : knownTargets())
    if (llvm::any_of(names, [&](const std::string &name) { return findTarget(name) == &target; }))
      found.push_back(&target);
  return found;
}

} // namespace dsc
