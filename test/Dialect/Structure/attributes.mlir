// RUN: dsc-opt --allow-unregistered-dialect %s | dsc-opt --allow-unregistered-dialect | FileCheck %s

// Members that have their default value are left out, in any combination.
// CHECK: a = #dsc.storage<dense>, b = #dsc.storage<csr, nonzeros = 5>, c = #dsc.storage<block, a = 4, b = 1>
"test.attributes"() {a = #dsc.storage<dense>, b = #dsc.storage<csr, nonzeros = 5>,
                     c = #dsc.storage<block, b = 1, a = 4>} : () -> ()

// CHECK: a = #dsc.schedule<"loops">, b = #dsc.schedule<"loops", parallel = [1, 0]>, c = #dsc.schedule<"gemm-fma", tile = [6, 16], ksplit = 2, params = {unroll = 4 : i64}>
"test.attributes"() {a = #dsc.schedule<"loops">, b = #dsc.schedule<"loops", parallel = [1, 0]>,
                     c = #dsc.schedule<"gemm-fma", tile = [6, 16], ksplit = 2, params = {unroll = 4 : i64}>} : () -> ()

// CHECK: a = #dsc.tensor<dims = <N, 4>>, b = #dsc.tensor<dims = <N, 4>, storage = <csr, nonzeros = 9>>
"test.attributes"() {a = #dsc.tensor<dims = <N, 4>>,
                     b = #dsc.tensor<dims = <N, 4>, storage = <csr, nonzeros = 9>>} : () -> ()

// Sizes that do not fit 64 bits stay what they are, whatever is computed with them.
// CHECK: a = #dsc.dim<9223372036854775807>, b = #dsc.dim<9223372036854775807 * 2>, c = #dsc.dim<9223372036854775807 * 2>, d = #dsc.dim<9223372036854775807 * 2>
"test.attributes"() {a = #dsc.dim<4611686018427387904 + 4611686018427387903>,
                     b = #dsc.dim<4611686018427387904 + 4611686018427387904>,
                     c = #dsc.dim<(4611686018427387904 * 4) floordiv 4>,
                     d = #dsc.dim<N * 4611686018427387904 * 4611686018427387904 - 1>} : () -> ()

// Comparisons of numbers whose difference does not fit.
// CHECK: a = #dsc.dim<1>, b = #dsc.dim<0>, c = #dsc.dim<9223372036854775807>
"test.attributes"() {a = #dsc.dim<lt(-9223372036854775807, 9223372036854775807)>,
                     b = #dsc.dim<eq(-9223372036854775807, 9223372036854775807)>,
                     c = #dsc.dim<max(-9223372036854775807, 9223372036854775807)>} : () -> ()
