//===- ArtifactReport.cpp - what an artifact holds, as JSON ---------------===//
#include "ArtifactReport.h"

#include "Diagnostics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dsc::cli {

using Json = nlohmann::ordered_json;

static const char *nameOf(format::Variant::Kind kind) {
  return kind == format::Variant::Nvptx ? "nvptx" : "cpu";
}

/// Of each kernel: blocks of how many threads it is launched in, with how much shared
/// memory.
static Json describeBlocks(const format::Variant &variant) {
  Json blocks = Json::array();
  for (size_t i = 0; i < variant.blocks.size(); ++i)
    blocks.push_back({{"kernel", variant.program.kernels[i]},
                      {"threads", variant.blocks[i].threads},
                      {"shared_bytes", variant.blocks[i].sharedBytes}});
  return blocks;
}

static Json describe(const format::Variant &variant, size_t codeBytes) {
  Json facts = {{"target", variant.target},
                {"kind", nameOf(variant.kind)},
                {"architecture", variant.architecture},
                {"kernels", variant.program.kernels.size()},
                {"code_bytes", codeBytes},
                {"program_bytes", format::serialize(variant.program).size()},
                {"features", variant.features}};
  if (variant.kind == format::Variant::Nvptx) {
    size_t ptxBytes = variant.cubinOffset ? variant.cubinOffset : codeBytes;
    facts["ptx_bytes"] = ptxBytes;
    facts["cubin_bytes"] = codeBytes - ptxBytes;
    facts["blocks"] = describeBlocks(variant);
  }
  return facts;
}

static Json makeReport(const format::Variant &chosen, Json variants, uint64_t weightBytes) {
  Json report = Json::parse(chosen.manifestJson, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object())
    fail(Code::BadArtifact, fmt::format("the report on {} is no JSON object", chosen.target));
  // Of all variants together; that of the report is its own.
  report["artifact"] = {{"weight_bytes", weightBytes}};
  report["variants"] = std::move(variants);
  return report;
}

Json reportOf(const Compilation &compilation) {
  const std::vector<format::Variant> &variants = compilation.getArtifact().variants;
  Json list = Json::array();
  for (const format::Variant &variant : variants)
    list.push_back(describe(variant, variant.code.size()));
  return makeReport(variants.front(), std::move(list), compilation.getWeightBytes());
}

Json reportOf(const format::ContainerView &view, const std::string &target) {
  const std::vector<format::Variant> &variants = view.artifact.variants;
  Json list = Json::array();
  std::vector<std::string> names;
  const format::Variant *chosen = target.empty() ? &variants.front() : nullptr;
  for (size_t i = 0; i < variants.size(); ++i) {
    list.push_back(describe(variants[i], view.code[i].size()));
    names.push_back(variants[i].target);
    if (!chosen && variants[i].target == target)
      chosen = &variants[i];
  }
  if (!chosen)
    fail(Code::Usage, fmt::format("the artifact holds nothing for target '{}'", target),
         fmt::format("it has {}", fmt::join(names, ", ")));
  return makeReport(*chosen, std::move(list), view.weightsBytes);
}

} // namespace dsc::cli
