// RUN: dsc-opt %s --dsc-print-specs -o /dev/null | FileCheck %s

// CHECK: dsc.topk sort
// CHECK-NEXT: axis 1, the smallest K of 5
func.func @topk(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %y:2 = dsc.topk %a {k = #dsc.dims<K>, largest = 0} : f32[N,5] -> f32[N,K], i64[N,K]
  return
}
