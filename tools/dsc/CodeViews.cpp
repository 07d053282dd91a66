//===- CodeViews.cpp - what to show of a kernel's code --------------------===//
#include "CodeViews.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

namespace dsc::cli {

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

namespace {
/// Counts the operations of consecutive lines.
class OperationCount {
public:
  void add(StringRef line) {
    if (counts.empty())
      indent = line.take_while(llvm::isSpace).size();
    StringRef code = line.trim();
    // "%0:2 = vector.load ..."
    if (code.starts_with("%"))
      code = code.split(" = ").second;
    ++counts[code.take_until([](char c) { return c == ' ' || c == '('; })];
  }

  /// "  // 14 vector.fma, 2 vector.load, 9 others", and starts again.
  std::string take() {
    constexpr size_t kMost = 5;
    auto sorted = counts.takeVector();
    llvm::sort(sorted, [](const auto &a, const auto &b) {
      return std::pair(b.second, a.first) < std::pair(a.second, b.first);
    });
    SmallVector<std::string> parts;
    unsigned others = 0;
    for (auto &[name, count] : sorted) {
      if (parts.size() < kMost)
        parts.push_back(fmt::format("{} {}", count, name.str()));
      else
        others += count;
    }
    if (others)
      parts.push_back(fmt::format("{} others", others));
    return parts.empty() ? "" : fmt::format("{:{}}// {}\n", "", indent, fmt::join(parts, ", "));
  }

private:
  llvm::MapVector<StringRef, unsigned> counts;
  size_t indent = 0;
};
} // namespace

/// A loop that carries many values has a long head.
static std::string shortened(StringRef line) {
  constexpr size_t kMostColumns = 120;
  return line.size() <= kMostColumns ? line.str()
                                     : line.take_front(kMostColumns - 6).str() + " ... {";
}

std::string loopOutline(const std::string &function) {
  SmallVector<StringRef> lines;
  StringRef(function).split(lines, '\n', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  OperationCount count;
  std::string text;
  for (StringRef line : lines) {
    StringRef code = line.trim();
    if (code.ends_with("{") || code.starts_with("}"))
      text += count.take() + shortened(line) + "\n";
    else
      count.add(line);
  }
  return text + count.take();
}

//===----------------------------------------------------------------------===//
// Assembly
//===----------------------------------------------------------------------===//

namespace {
/// A jump back to a label, with all lines between them.
struct Loop {
  size_t begin, end; ///< lines, both included
};

/// What a loop's instructions do.
struct Work {
  unsigned instructions = 0, multiplyAdds = 0, vectors = 0, memory = 0;

  explicit Work(ArrayRef<StringRef> lines) {
    for (StringRef line : lines) {
      StringRef code = line.trim();
      if (code.empty() || code.starts_with("#") || code.starts_with(".") || code.ends_with(":"))
        continue;
      ++instructions;
      StringRef name = code.take_until(llvm::isSpace);
      multiplyAdds += name.contains("fmadd") || name.contains("fnmadd") || name.starts_with("fmla");
      vectors += name.starts_with("v");
      memory += code.contains('(') || code.contains('[');
    }
  }
};
} // namespace

static SmallVector<StringRef> linesOf(const std::string &assembly, const std::string &function) {
  SmallVector<StringRef> all, lines;
  StringRef(assembly).split(all, '\n');
  std::string label = function + ":";
  bool inside = false;
  for (StringRef line : all) {
    inside |= line.starts_with(label);
    if (inside && (line.contains(".Lfunc_end") || line.contains(".cfi_endproc")))
      break;
    if (inside)
      lines.push_back(line);
  }
  return lines;
}

static SmallVector<Loop> loopsOf(ArrayRef<StringRef> lines) {
  llvm::StringMap<size_t> labels;
  SmallVector<Loop> loops;
  for (auto [number, line] : llvm::enumerate(lines)) {
    StringRef code = line.split('#').first.trim();
    if (line.starts_with(".L") && code.ends_with(":")) {
      labels[code.drop_back()] = number;
      continue;
    }
    StringRef target = code.rsplit(' ').second.rsplit('\t').second;
    if (target.empty())
      target = code.rsplit('\t').second;
    if (auto it = labels.find(target); it != labels.end())
      loops.push_back({it->second, number});
  }
  return loops;
}

static bool isInnermost(Loop loop, ArrayRef<Loop> loops) {
  return llvm::none_of(loops, [&](Loop other) {
    bool isSame = other.begin == loop.begin && other.end == loop.end;
    return !isSame && other.begin >= loop.begin && other.end <= loop.end;
  });
}

std::string innerLoop(const std::string &assembly, const std::string &function) {
  SmallVector<StringRef> lines = linesOf(assembly, function);
  SmallVector<Loop> loops = loopsOf(lines);
  auto linesIn = [&](Loop loop) {
    return ArrayRef<StringRef>(lines).slice(loop.begin, loop.end - loop.begin + 1);
  };
  const Loop *best = nullptr;
  auto weight = [&](Loop loop) {
    Work work(linesIn(loop));
    return std::pair(work.multiplyAdds, work.vectors);
  };
  for (const Loop &loop : loops)
    if (isInnermost(loop, loops) && (!best || weight(loop) > weight(*best)))
      best = &loop;
  if (!best)
    return lines.empty() ? "" : fmt::format("# no loop\n{}\n", fmt::join(lines, "\n"));
  Work work(linesIn(*best));
  return fmt::format("# {} instructions: {} fused multiply-adds, {} with vectors, {} with memory\n"
                     "{}\n",
                     work.instructions, work.multiplyAdds, work.vectors, work.memory,
                     fmt::join(linesIn(*best), "\n"));
}

} // namespace dsc::cli
