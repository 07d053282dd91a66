//===- Link.cpp - object files put together -------------------------------===//
//
// lld reads and writes files: they are temporary ones.
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Artifact/Link.h"

#include "lld/Common/Driver.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Signals.h"

#include <list>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace dsc {

namespace {
/// A file that is removed with the object, or when a signal ends the process.
class TemporaryFile {
public:
  ~TemporaryFile() {
    if (path.empty())
      return;
    (void)llvm::sys::fs::remove(path); // it is only litter
    llvm::sys::DontRemoveFileOnSignal(path);
  }
  LogicalResult create(StringRef suffix, Location loc) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("dsc", suffix, path))
      return fail("make", error, loc);
    llvm::sys::RemoveFileOnSignal(path);
    return success();
  }
  LogicalResult write(ArrayRef<uint8_t> bytes, Location loc) {
    std::error_code error;
    llvm::raw_fd_ostream os(path, error);
    if (!error) {
      os.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
      os.flush();
    }
    error = error ? error : os.error();
    os.clear_error();
    return error ? fail("write", error, loc) : success();
  }
  const char *getPath() { return path.c_str(); }

private:
  LogicalResult fail(StringRef what, std::error_code error, Location loc) {
    InFlightDiagnostic diagnostic = emitError(loc) << "cannot " << what << " the temporary file '"
                                                   << path << "': " << error.message();
    // For tools: no fault of the model or the compiler.
    diagnostic.getUnderlyingDiagnostic()->getMetadata().emplace_back(StringRef("input/output"));
    return diagnostic;
  }

  SmallString<128> path;
};
} // namespace

static ObjectFile toBytes(StringRef text) { return {text.bytes_begin(), text.bytes_end()}; }

FailureOr<ObjectFile> linkObjects(ArrayRef<ObjectFile> objects, LinkKind kind, Location loc) {
  std::vector<const char *> arguments = {"ld.lld", "--build-id=none", "-znoexecstack"};
  if (kind == LinkKind::Relocatable)
    arguments.push_back("-r");
  else
    llvm::append_range(arguments,
                       std::vector<const char *>{"-shared", "-Bsymbolic", "--no-undefined",
                                                 "--hash-style=sysv",
                                                 // Segments have pages of their own, of the
                                                 // largest size that the architecture knows.
                                                 "-zseparate-loadable-segments"});
  std::list<TemporaryFile> inputs;
  for (const ObjectFile &object : objects) {
    TemporaryFile &input = inputs.emplace_back();
    if (failed(input.create("o", loc)) || failed(input.write(object, loc)))
      return failure();
    arguments.push_back(input.getPath());
  }
  TemporaryFile output;
  if (failed(output.create("so", loc)))
    return failure();
  llvm::append_range(arguments, std::vector<const char *>{"-o", output.getPath()});
  std::string messages;
  llvm::raw_string_ostream os(messages);
  lld::Result result = lld::lldMain(arguments, os, os, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return emitError(loc) << "the linker failed: " << messages;
  auto buffer = llvm::MemoryBuffer::getFile(output.getPath(), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return emitError(loc) << "cannot read what the linker wrote";
  return toBytes((*buffer)->getBuffer());
}

FailureOr<ObjectFile> makeArchive(const ObjectFile &object, StringRef member, Location loc) {
  StringRef bytes(reinterpret_cast<const char *>(object.data()), object.size());
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(llvm::MemoryBufferRef(bytes, member));
  // Deterministic: no time, no user.
  auto archive = llvm::writeArchiveToBuffer(members, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, /*Deterministic=*/true,
                                            /*Thin=*/false);
  if (!archive)
    return emitError(loc) << "cannot make a library: " << llvm::toString(archive.takeError());
  return toBytes((*archive)->getBuffer());
}

} // namespace dsc
