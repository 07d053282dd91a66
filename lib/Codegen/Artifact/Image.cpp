//===- Image.cpp - linked code that the runtime maps ----------------------===//
//
// lld makes a shared object of the kernels; its loadable segments, and the
// addresses of the kernels, are all that the artifact keeps of it.
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Artifact/Image.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace mlir;

namespace dsc {

using ELF = llvm::object::ELF64LEFile;

/// Appends the segment's bytes to the variant at a page boundary.
static void addSegment(const ELF::Elf_Phdr &header, StringRef file, format::Variant &image) {
  image.code.resize(llvm::alignTo(image.code.size(), format::kPageSize));
  format::Segment segment;
  segment.address = llvm::alignDown(static_cast<uint64_t>(header.p_vaddr), format::kPageSize);
  uint64_t lead = header.p_vaddr - segment.address;
  segment.fileOffset = image.code.size();
  segment.fileBytes = lead + header.p_filesz;
  segment.memoryBytes = llvm::alignTo(lead + header.p_memsz, format::kPageSize);
  segment.readable = header.p_flags & llvm::ELF::PF_R;
  segment.writable = header.p_flags & llvm::ELF::PF_W;
  segment.executable = header.p_flags & llvm::ELF::PF_X;
  image.code.resize(image.code.size() + lead);
  StringRef bytes = file.substr(header.p_offset, header.p_filesz);
  image.code.insert(image.code.end(), bytes.bytes_begin(), bytes.bytes_end());
  image.segments.push_back(segment);
}

static llvm::Expected<format::Variant> readImage(StringRef file,
                                                 const std::vector<std::string> &kernels) {
  llvm::Expected<ELF> elf = ELF::create(file);
  if (!elf)
    return elf.takeError();
  auto headers = elf->program_headers();
  if (!headers)
    return headers.takeError();
  format::Variant image;
  for (const ELF::Elf_Phdr &header : *headers)
    if (header.p_type == llvm::ELF::PT_LOAD && header.p_memsz > 0)
      addSegment(header, file, image);
  auto sections = elf->sections();
  if (!sections)
    return sections.takeError();
  llvm::StringMap<uint64_t> symbols;
  for (const ELF::Elf_Shdr &section : *sections) {
    bool isRelocation =
        section.sh_type == llvm::ELF::SHT_RELA || section.sh_type == llvm::ELF::SHT_REL;
    if (isRelocation && section.sh_size > 0)
      return llvm::createStringError("the image needs relocations");
    if (section.sh_type != llvm::ELF::SHT_DYNSYM)
      continue;
    auto table = elf->symbols(&section);
    auto names = elf->getStringTableForSymtab(section);
    if (!table || !names)
      return llvm::joinErrors(table.takeError(), names.takeError());
    for (const ELF::Elf_Sym &symbol : *table)
      if (auto name = symbol.getName(*names))
        symbols[*name] = symbol.st_value;
  }
  for (const std::string &kernel : kernels) {
    auto it = symbols.find(kernel);
    if (it == symbols.end())
      return llvm::createStringError("the image lacks the kernel " + kernel);
    image.entries.push_back(it->second);
  }
  return image;
}

FailureOr<format::Variant> linkImage(ArrayRef<ObjectFile> objects,
                                     const std::vector<std::string> &kernels, const Target &target,
                                     Location loc) {
  FailureOr<ObjectFile> linked = linkObjects(objects, LinkKind::Shared, loc);
  if (failed(linked))
    return failure();
  StringRef file(reinterpret_cast<const char *>(linked->data()), linked->size());
  llvm::Expected<format::Variant> image = readImage(file, kernels);
  if (!image)
    return emitError(loc) << llvm::toString(image.takeError()), failure();
  image->target = target.name;
  image->architecture = target.architecture();
  image->features = target.features;
  return std::move(*image);
}

} // namespace dsc
