/*===- KernelABI.h - how the runtime calls generated code ------------------===//
//
// The contract between an image and the runtime that maps it. An image imports
// nothing: what it needs from outside comes through dsc_kernel_env. Any change
// here is a new DSC_KERNEL_ABI_VERSION, which the container records.
//
//===----------------------------------------------------------------------===*/
#ifndef DSC_FORMAT_KERNELABI_H
#define DSC_FORMAT_KERNELABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DSC_KERNEL_ABI_VERSION 1

/* Scalar functions that generated code calls for rare operators and for
 * float64, where no vector code is emitted. Entry i has the i-th name. */
#define DSC_KERNEL_MATH1(X)                                                                        \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos)    \
  X(atan) X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(erf) X(erfc) X(cbrt)
#define DSC_KERNEL_MATH2(X) X(pow) X(atan2) X(fmod)

typedef double (*dsc_math1_fn)(double);
typedef double (*dsc_math2_fn)(double, double);

enum dsc_math1 {
#define DSC_X(name) DSC_MATH_##name,
  DSC_KERNEL_MATH1(DSC_X)
#undef DSC_X
      DSC_MATH1_COUNT
};
enum dsc_math2 {
#define DSC_X(name) DSC_MATH_##name,
  DSC_KERNEL_MATH2(DSC_X)
#undef DSC_X
      DSC_MATH2_COUNT
};

typedef struct dsc_kernel_services {
  dsc_math1_fn math1[DSC_MATH1_COUNT];
  dsc_math2_fn math2[DSC_MATH2_COUNT];
} dsc_kernel_services;

/* One call computes part `part` of `parts`. */
typedef struct dsc_kernel_env {
  const dsc_kernel_services *services;
  void *scratch; /* this thread's, 64-byte aligned, as large as the launch asks */
  int64_t part;
  int64_t parts;
} dsc_kernel_env;

/* What a kernel returns. */
enum {
  DSC_KERNEL_OK = 0,
  DSC_KERNEL_INDEX_OUT_OF_RANGE = 1, /* an index in a tensor is outside its axis */
  DSC_KERNEL_BAD_VALUE = 2           /* a value is outside the operator's domain */
};

/* buffers[i], sizes[i]: as listed by the launch. Buffers are 64-byte aligned
 * unless they are the caller's or aliases. */
typedef int32_t (*dsc_kernel_fn)(const dsc_kernel_env *env, void *const *buffers,
                                 const int64_t *sizes);

#ifdef __cplusplus
}
#endif
#endif
