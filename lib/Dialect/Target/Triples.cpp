//===- Triples.cpp - systems that code is generated for -------------------===//
#include "dsc/Dialect/Target/Triples.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/TargetParser/Triple.h"

namespace dsc {

/// Their kernels are called alike; none of them matters to an image, which imports
/// nothing.
static bool isServed(llvm::Triple::EnvironmentType environment) {
  return llvm::is_contained({llvm::Triple::UnknownEnvironment, llvm::Triple::GNU,
                             llvm::Triple::Musl, llvm::Triple::Android},
                            environment);
}

llvm::Expected<std::string> resolveTriple(llvm::StringRef text) {
  std::string name = llvm::Triple::normalize(text);
  llvm::Triple triple(name);
  auto failure = [&](const llvm::Twine &reason) {
    return llvm::createStringError("no code can be generated for '" + text + "': " + reason);
  };
  if (triple.isNVPTX())
    return failure("GPUs have no triple of their own, they are targets");
  if (llvm::none_of(knownTargets(), [&](const Target &target) { return fits(target, name); }))
    return failure("there is no target of the architecture '" + triple.getArchName() + "'");
  if (!triple.isOSLinux() || !triple.isOSBinFormatELF())
    return failure("its operating system is not Linux");
  if (!isServed(triple.getEnvironment()))
    return failure("the ABI '" + triple.getEnvironmentName() + "' is not supported");
  return name;
}

bool fits(const Target &target, llvm::StringRef text) {
  llvm::Triple own(target.triple), triple(text);
  return own.getArch() == triple.getArch() && own.getSubArch() == triple.getSubArch();
}

const Target &leastTarget(llvm::StringRef triple) {
  const Target *least = nullptr;
  for (const Target &target : knownTargets())
    if (fits(target, triple) && (!least || target.features.size() < least->features.size()))
      least = &target;
  assert(least && "the triple is resolved");
  return *least;
}

} // namespace dsc
