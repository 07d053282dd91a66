//===- ConvolutionShape.cpp - convolutions as Specs describe them ---------===//
#include "ConvolutionShape.h"

#include "dsc/Codegen/Common/Anchor.h"

using namespace mlir;

namespace dsc {

int64_t ConvolutionShape::taps() const {
  int64_t count = 1;
  for (const Axis &axis : axes)
    count *= axis.kernel;
  return count;
}

std::pair<Value, Value> ConvolutionShape::channelsOf(KernelEmitter &emitter, Value depth,
                                                     Value count) const {
  Value perChannel = emitter.index(taps());
  auto divide = [&](Value value) -> Value {
    return arith::DivUIOp::create(emitter.builder, emitter.loc, value, perChannel);
  };
  return {isConstantIntValue(depth, 0) ? depth : divide(depth), divide(count)};
}

Dim ConvolutionShape::pixels() const {
  return product(op->getContext(),
                 llvm::map_to_vector(axes, [](const Axis &axis) { return axis.output; }));
}

Dim ConvolutionShape::inputPixels() const {
  return product(op->getContext(),
                 llvm::map_to_vector(axes, [](const Axis &axis) { return axis.input; }));
}

bool ConvolutionShape::isPointwise() const {
  return llvm::all_of(axes, [](const Axis &axis) {
    auto begin = dyn_cast<AffineConstantExpr>(axis.begin);
    return axis.kernel == 1 && axis.stride == 1 && axis.input == axis.output && begin &&
           begin.getValue() == 0;
  });
}

namespace {
/// A sum of loops times constants, and what does not move with loops.
struct LinearForm {
  llvm::SmallDenseMap<unsigned, int64_t> factors;
  AffineExpr rest;
};
} // namespace

static bool addLinear(AffineExpr expr, int64_t scale, LinearForm &form) {
  if (expr.isSymbolicOrConstant()) {
    form.rest = form.rest + expr * scale;
    return true;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    form.factors[dim.getPosition()] += scale;
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), scale, form) && addLinear(binary.getRHS(), scale, form);
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expr.getKind() == AffineExprKind::Mul && factor &&
         addLinear(binary.getLHS(), scale * factor.getValue(), form);
}

/// The loop that an expression is, if it is one.
static std::optional<unsigned> loopOf(AffineExpr expr) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dim.getPosition();
  return std::nullopt;
}

namespace {
class Finder {
public:
  explicit Finder(ConvolutionShape &found)
      : found(found), loops(*found.loops), x(*loops.accesses[found.x].map),
        w(*loops.accesses[found.w].map) {}
  Match find();

private:
  bool findChannels();
  bool findAxis(unsigned axis);
  std::optional<Dim> sizeOf(AffineExpr expr) const;

  ConvolutionShape &found;
  const LoopSpec &loops;
  AffineMap x, w;
  unsigned outChannel = 0, inChannel = 0;
};
} // namespace

std::optional<Dim> Finder::sizeOf(AffineExpr expr) const {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return loops.symbols[symbol.getPosition()];
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return Dim::constant(found.op->getContext(), number.getValue());
  return std::nullopt;
}

/// ci, co (depthwise), or co floordiv outputs * inputs + ci.
bool Finder::findChannels() {
  AffineExpr channel = x.getResult(1);
  found.groupInputs = loops.extents[inChannel];
  found.groupOutputs = found.outChannels;
  if (loopOf(channel) == inChannel)
    return true;
  if (loopOf(channel) == outChannel) {
    found.groupOutputs = Dim::constant(found.op->getContext(), 1);
    return found.groupInputs.isConstant(1);
  }
  auto sum = dyn_cast<AffineBinaryOpExpr>(channel);
  if (!sum || sum.getKind() != AffineExprKind::Add || loopOf(sum.getRHS()) != inChannel)
    return false;
  AffineExpr first = sum.getLHS();
  if (auto scaled = dyn_cast<AffineBinaryOpExpr>(first);
      scaled && scaled.getKind() == AffineExprKind::Mul)
    first = scaled.getLHS();
  auto group = dyn_cast<AffineBinaryOpExpr>(first);
  if (!group || group.getKind() != AffineExprKind::FloorDiv || loopOf(group.getLHS()) != outChannel)
    return false;
  std::optional<Dim> outputs = sizeOf(group.getRHS());
  if (!outputs)
    return false;
  found.groupOutputs = *outputs;
  return true;
}

bool Finder::findAxis(unsigned number) {
  std::optional<unsigned> tap = loopOf(w.getResult(2 + number));
  if (!tap || loops.iterators[*tap] != Iterator::Reduction || !loops.extents[*tap].isConstant())
    return false;
  LinearForm form;
  form.rest = getAffineConstantExpr(0, found.op->getContext());
  if (!addLinear(x.getResult(2 + number), 1, form))
    return false;
  unsigned position = 2 + number;
  for (auto [loop, factor] : form.factors)
    if (loop != position && loop != *tap)
      return false;
  ConvolutionShape::Axis axis;
  axis.input = getDims(found.input())[position];
  axis.output = loops.extents[position];
  axis.kernel = loops.extents[*tap].getConstant();
  axis.stride = form.factors.lookup(position);
  axis.dilation = form.factors.lookup(*tap);
  axis.begin = form.rest;
  found.axes.push_back(axis);
  return axis.stride > 0 && loops.iterators[position] == Iterator::Parallel;
}

Match Finder::find() {
  unsigned rank = getRank(found.op->getResult(0));
  Match no = Match::no("not a convolution over channels and windows");
  if (rank < 3 || x.getNumResults() != rank || w.getNumResults() != rank ||
      loops.numLoops() != 2 * rank - 1)
    return no;
  std::optional<unsigned> co = loopOf(w.getResult(0)), ci = loopOf(w.getResult(1));
  if (loopOf(x.getResult(0)) != 0u || co != 1u || !ci ||
      loops.iterators[*ci] != Iterator::Reduction)
    return no;
  outChannel = *co;
  inChannel = *ci;
  found.batch = loops.extents[0];
  found.outChannels = loops.extents[1];
  if (!findChannels())
    return no;
  for (unsigned axis = 0; axis + 2 < rank; ++axis)
    if (!findAxis(axis))
      return no;
  for (const Access &access : loops.accesses)
    if (llvm::is_contained(access.mayBroadcast, true))
      return no;
  return Match::yes();
}

Match findConvolution(const GroupInfo &group, ConvolutionShape &found, bool mayPair) {
  Operation *anchor = nullptr;
  if (Match match = findAnchor(group, {SpecKind::Window}, anchor, /*mayWiden=*/false, mayPair);
      !match)
    return match;
  found.op = anchor;
  found.loops = group.getSpec(anchor)->loops.get();
  return Finder(found).find();
}

Value ConvolutionShape::firstChannel(KernelEmitter &emitter, Value image, Value group) const {
  SmallVector<Value> corner(axes.size() + 2, emitter.index(0));
  corner[0] = image;
  corner[1] = emitter.mul(group, emitter.size(groupInputs));
  return emitter.address(emitter.view(input()), corner);
}

void forTasks(KernelEmitter &kernel, ArrayRef<Dim> tasks,
              function_ref<void(ArrayRef<Value>)> prepare,
              function_ref<void(ArrayRef<Value>)> body) {
  auto [first, end] = kernel.share(kernel.size(product(kernel.builder.getContext(), tasks)));
  Value begin = first;
  auto equals = [&](Value a, Value b) -> Value {
    return arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::eq, a, b);
  };
  kernel.loop(first, end, [&](Value number) {
    SmallVector<Value> task = kernel.delinearize(number, tasks);
    Value isNew = arith::OrIOp::create(kernel.builder, kernel.loc, equals(number, begin),
                                       equals(task[2], kernel.index(0)));
    kernel.branch(isNew, [&] { prepare(task); });
    body(task);
  });
}

} // namespace dsc
