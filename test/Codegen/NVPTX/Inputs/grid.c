/* A grid of GPU threads on the CPU: a POSIX thread each, warps in step at shuffles.
 * Kernels are LLVM IR whose intrinsics simulate.py has renamed to the functions here. */
#include <pthread.h>
#include <stdint.h>

enum { WARP = 32, BLOCKS = 2, BLOCK_SIZE = 64, THREADS = BLOCKS * BLOCK_SIZE };

typedef void (*kernel_fn)(void *, void *, void *, void *, void *, void *, void *, void *);

static struct {
  pthread_barrier_t barrier;
  int32_t values[WARP];
} warps[THREADS / WARP];

static __thread int number;
static kernel_fn kernel;
static void **arguments;

int32_t grid_ctaid(void) { return number / BLOCK_SIZE; }
int32_t grid_tid(void) { return number % BLOCK_SIZE; }
int32_t grid_ntid(void) { return BLOCK_SIZE; }
int32_t grid_nctaid(void) { return BLOCKS; }

int32_t grid_shfl_i32(int32_t mask, int32_t value, int32_t distance, int32_t clamp) {
  (void)mask, (void)clamp;
  int warp = number / WARP, lane = number % WARP;
  warps[warp].values[lane] = value;
  pthread_barrier_wait(&warps[warp].barrier);
  int32_t other = warps[warp].values[lane ^ distance];
  pthread_barrier_wait(&warps[warp].barrier);
  return other;
}

float grid_shfl_f32(int32_t mask, float value, int32_t distance, int32_t clamp) {
  union {
    float f;
    int32_t i;
  } bits = {value};
  bits.i = grid_shfl_i32(mask, bits.i, distance, clamp);
  return bits.f;
}

static void *run_thread(void *argument) {
  number = (int)(intptr_t)argument;
  void **a = arguments;
  kernel(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
  return 0;
}

/* Runs the kernel with 8 arguments, of which it may use fewer. */
void grid_run(kernel_fn function, void **eight) {
  pthread_t threads[THREADS];
  kernel = function;
  arguments = eight;
  for (int i = 0; i < THREADS / WARP; ++i)
    pthread_barrier_init(&warps[i].barrier, 0, WARP);
  for (intptr_t i = 0; i < THREADS; ++i)
    pthread_create(&threads[i], 0, run_thread, (void *)i);
  for (int i = 0; i < THREADS; ++i)
    pthread_join(threads[i], 0);
}
