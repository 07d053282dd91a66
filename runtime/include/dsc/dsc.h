/*===- dsc.h - running compiled models --------------------------------------===*
 *
 * The C API of the runtime. Open a model once; make a context for each thread
 * that runs it. Objects of one model may be used from many threads at a time,
 * one context from one thread at a time. No function aborts, prints, throws or
 * changes the process's signal handlers.
 *
 *   dsc_model *model;
 *   dsc_context *context;
 *   dsc_tensor y;
 *   int64_t dims[] = {1, 3, 224, 224};
 *   if (dsc_model_open("model.dsc", &model) != DSC_OK)
 *     fprintf(stderr, "%s\n", dsc_last_error());
 *   dsc_context_create(model, NULL, &context);
 *   dsc_context_set_input(context, 0, pixels, DSC_FLOAT32, 4, dims, sizeof(pixels));
 *   dsc_context_run(context);
 *   dsc_context_get_output(context, 0, &y);
 *
 *===----------------------------------------------------------------------===*/
#ifndef DSC_DSC_H
#define DSC_DSC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define DSC_API __attribute__((visibility("default")))
#else
#define DSC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a function returns. dsc_last_error has the details as text. */
typedef enum dsc_status {
  DSC_OK = 0,
  DSC_INVALID_ARGUMENT = 1, /* wrong use, or an input that does not fit the model */
  DSC_IO = 2,               /* the operating system refused; the text says why */
  DSC_CORRUPT = 3,          /* not an artifact, damaged, or of another version */
  DSC_UNSUPPORTED_CPU = 4,  /* the artifact has no code for this machine */
  DSC_OUT_OF_MEMORY = 5,
  DSC_RUNTIME_VALUE = 6, /* an index out of range, a value outside an operator's domain */
  DSC_INTERNAL = 7       /* a bug in dsc */
} dsc_status;

/* "out of memory": a status in words. */
DSC_API const char *dsc_status_text(dsc_status status);
/* What the last function of this thread that failed had to say; "" if none has.
 * Valid until the thread's next call that fails. */
DSC_API const char *dsc_last_error(void);
/* The version of the library, "0.1.0". */
DSC_API const char *dsc_version(void);

/* Element types; the numbers are those of ONNX. */
typedef enum dsc_dtype {
  DSC_UNDEFINED = 0,
  DSC_FLOAT32 = 1,
  DSC_UINT8 = 2,
  DSC_INT8 = 3,
  DSC_UINT16 = 4,
  DSC_INT16 = 5,
  DSC_INT32 = 6,
  DSC_INT64 = 7,
  DSC_BOOL = 9,
  DSC_FLOAT16 = 10,
  DSC_FLOAT64 = 11,
  DSC_UINT32 = 12,
  DSC_UINT64 = 13,
  DSC_COMPLEX64 = 14,
  DSC_COMPLEX128 = 15,
  DSC_BFLOAT16 = 16
} dsc_dtype;

/* Bytes of one element, 0 if unknown; and "f32", "i64", ... */
DSC_API size_t dsc_dtype_size(dsc_dtype dtype);
DSC_API const char *dsc_dtype_name(dsc_dtype dtype);

/*--- Models -----------------------------------------------------------------*/

/* Code and weights of a compiled model, shared by its contexts. */
typedef struct dsc_model dsc_model;

/* Maps an artifact. An artifact is a program: open only those you would run.
 * The hashes of header, program and code are checked; see
 * dsc_model_check_weights for the weights. */
DSC_API dsc_status dsc_model_open(const char *path, dsc_model **model);
/* The same from memory, which must stay unchanged until dsc_model_close.
 * `bytes` must be 64-byte aligned for the weights to be used in place; they are
 * copied otherwise. */
DSC_API dsc_status dsc_model_open_memory(const void *bytes, size_t size, dsc_model **model);
/* Contexts keep what they need of a model: closing order does not matter. */
DSC_API void dsc_model_close(dsc_model *model);

/* Reads all weights and compares them with the hashes of the artifact. */
DSC_API dsc_status dsc_model_check_weights(const dsc_model *model);

/* What is known of an input or output before a run. Pointers live as long as
 * the model. */
typedef struct dsc_tensor_info {
  const char *name;
  dsc_dtype dtype;
  size_t rank;
  const int64_t *dims;          /* -1: depends on the inputs */
  const char *const *dim_texts; /* "224", "batch", "(H - 1) floordiv 2 + 1" */
} dsc_tensor_info;

DSC_API size_t dsc_model_input_count(const dsc_model *model);
DSC_API size_t dsc_model_output_count(const dsc_model *model);
DSC_API dsc_status dsc_model_input_info(const dsc_model *model, size_t index,
                                        dsc_tensor_info *info);
DSC_API dsc_status dsc_model_output_info(const dsc_model *model, size_t index,
                                         dsc_tensor_info *info);

/* The compiler's report as JSON, NUL-terminated; `size` (may be NULL) excludes the NUL. */
DSC_API const char *dsc_model_manifest(const dsc_model *model, size_t *size);
/* The target whose code runs on this machine: "x86-64-v3". */
DSC_API const char *dsc_model_target(const dsc_model *model);
/* Bytes of weights. */
DSC_API size_t dsc_model_weight_bytes(const dsc_model *model);

/*--- Contexts ---------------------------------------------------------------*/

/* One run at a time: inputs, outputs, intermediate values and threads. */
typedef struct dsc_context dsc_context;

/* Runs task(argument, i) for each i in [0, count), in any order, on any threads,
 * even one after another; returns when all are done. */
typedef void (*dsc_parallel_for_fn)(void *user, size_t count,
                                    void (*task)(void *argument, size_t index), void *argument);

typedef struct dsc_context_options {
  size_t struct_size; /* sizeof(dsc_context_options), for later versions */
  /* Threads of a run, the caller's included. 0: as many as the process may use
   * (its affinity and its cgroup's CPU quota). Results do not depend on it. */
  size_t threads;
  /* Memory for intermediate values and for outputs that the context owns, aligned
   * to `alignment`. NULL: the C library's. */
  void *(*allocate)(void *user, size_t bytes, size_t alignment);
  void (*deallocate)(void *user, void *memory, size_t bytes);
  void *allocator_user;
  /* Replaces the context's own threads. It is asked for `threads` tasks. */
  dsc_parallel_for_fn parallel_for;
  void *parallel_user;
} dsc_context_options;

/* `options` may be NULL. */
DSC_API dsc_status dsc_context_create(dsc_model *model, const dsc_context_options *options,
                                      dsc_context **context);
DSC_API void dsc_context_destroy(dsc_context *context);

/* Gives an input. `data` is not copied: it must stay valid and unchanged until
 * the runs that use it are done, and be aligned as its elements need. Shape and
 * type are checked against the model by the run. */
DSC_API dsc_status dsc_context_set_input(dsc_context *context, size_t index, const void *data,
                                         dsc_dtype dtype, size_t rank, const int64_t *dims,
                                         size_t bytes);
/* Has an output written to the caller's memory, which must not overlap inputs or
 * other outputs. The run fails if `capacity` bytes are too few. NULL: the context
 * owns the output again. */
DSC_API dsc_status dsc_context_set_output(dsc_context *context, size_t index, void *data,
                                          size_t capacity);

/* Runs the model on the inputs that were set. After a failure, outputs are
 * undefined and the context can be used again. */
DSC_API dsc_status dsc_context_run(dsc_context *context);

/* A result: valid until the next run of the context. */
typedef struct dsc_tensor {
  void *data;
  dsc_dtype dtype;
  size_t rank;
  const int64_t *dims;
  size_t bytes;
} dsc_tensor;

DSC_API dsc_status dsc_context_get_output(const dsc_context *context, size_t index,
                                          dsc_tensor *tensor);

/* Bytes that the context holds for intermediate values, outputs and scratch. */
DSC_API size_t dsc_context_arena_bytes(const dsc_context *context);
/* Threads that a run uses, the caller's included. */
DSC_API size_t dsc_context_threads(const dsc_context *context);
/* Gives memory back that the next run would have to ask for again. */
DSC_API void dsc_context_trim(dsc_context *context);

#ifdef __cplusplus
}
#endif
#endif
