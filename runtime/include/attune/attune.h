/* The interface between generated attention code, the attune runtime and the application.
 *
 * Plain C11 without dependencies. Every struct that an application fills starts with its own size,
 * so that fields can be added at the end without breaking compiled callers. Nothing here allocates
 * behind the caller's back except the context (its threads and its error text).
 */
#ifndef ATTUNE_ATTUNE_H
#define ATTUNE_ATTUNE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of everything in this header. A generated object records the version it was made for. */
#define ATTUNE_ABI_VERSION 3u
#define ATTUNE_MAX_RANK 6
/* Alignment in bytes that packed parameters and workspaces need. */
#define ATTUNE_ALIGNMENT 64

typedef enum attune_status {
  ATTUNE_OK = 0,
  ATTUNE_NULL_POINTER = 1,
  ATTUNE_WRONG_VERSION = 2,
  ATTUNE_WRONG_DTYPE = 3,
  ATTUNE_WRONG_RANK = 4,
  ATTUNE_WRONG_SIZE = 5,
  ATTUNE_WRONG_STRIDE = 6,
  ATTUNE_MISALIGNED = 7,
  ATTUNE_ALIASED = 8,
  ATTUNE_BUFFER_TOO_SMALL = 9,
  ATTUNE_WRONG_PACKED = 10,
  ATTUNE_UNSUITABLE_CPU = 11,
  ATTUNE_OUT_OF_MEMORY = 12,
  ATTUNE_NO_THREADS = 13,
  ATTUNE_IO_ERROR = 14,
  ATTUNE_BAD_FILE = 15,
  ATTUNE_NOT_FOUND = 16
} attune_status;

/* A short English text for a status; never null. */
const char *attune_status_text(attune_status status);

typedef enum attune_dtype {
  ATTUNE_FLOAT32 = 0,
  ATTUNE_FLOAT64 = 1,
  ATTUNE_BFLOAT16 = 2,
  ATTUNE_FLOAT16 = 3,
  ATTUNE_BOOL = 4, /* one byte an element, 0 or 1 */
  ATTUNE_UINT8 = 5,
  ATTUNE_INT8 = 6,
  ATTUNE_INT16 = 7,
  ATTUNE_INT32 = 8,
  ATTUNE_INT64 = 9
} attune_dtype;

/* Bytes of one element; 0 for an unknown dtype. */
size_t attune_dtype_size(attune_dtype dtype);
/* "float32" ...; "unknown" for an unknown dtype. */
const char *attune_dtype_name(attune_dtype dtype);

/* A view of a tensor that the application owns. Sizes and strides are in elements, outermost
 * dimension first. `data` may be null when any size is 0. */
typedef struct attune_tensor {
  void *data;
  attune_dtype dtype;
  int32_t rank;
  int64_t sizes[ATTUNE_MAX_RANK];
  int64_t strides[ATTUNE_MAX_RANK];
} attune_tensor;

/* Fills a tensor with dense row-major strides. rank must be at most ATTUNE_MAX_RANK. */
attune_tensor attune_dense_tensor(void *data, attune_dtype dtype, int32_t rank,
                                  const int64_t *sizes);

/* ---- Context: threads and the text of the last error ---------------------------------------- */

typedef struct attune_context attune_context;

/* Part of a parallel loop: iterations [begin, end), run as worker `worker`. */
typedef void (*attune_range_body)(void *closure, int64_t begin, int64_t end, int32_t worker);

/* An application's parallel loop. It calls `body` for ranges that partition [0, count), each at
 * most about `grain` iterations long, and returns when all are done. Worker numbers lie in [0,
 * workers); two calls that overlap in time must have different worker numbers. */
typedef void (*attune_parallel_for_function)(void *user, int64_t count, int64_t grain,
                                             attune_range_body body, void *closure);

typedef struct attune_context_options {
  size_t struct_size;
  int32_t
      threads; /* threads that work, the caller included; 0 = one per CPU this process may use */
  attune_parallel_for_function parallel_for; /* null = the runtime's own pool */
  void *user;                                /* handed to parallel_for */
} attune_context_options;

/* Makes a context; options may be null for the defaults. The pool's threads start at the first
 * parallel loop and again after fork() in the child. */
attune_status attune_context_create(const attune_context_options *options,
                                    attune_context **context);
void attune_context_destroy(attune_context *context);
/* Number of workers of a context: the largest worker number + 1. */
int32_t attune_context_workers(const attune_context *context);
/* What the last failed call of the calling thread said: which argument, what was expected, what was
 * found. "" when no call failed. Valid until the thread's next attune call. */
const char *attune_last_error(void);

/* ---- What a generated object says of itself -------------------------------------------------- */

typedef enum attune_symbol {
  ATTUNE_SIZE_FIXED = 0,
  ATTUNE_SIZE_BATCH = 1,
  ATTUNE_SIZE_TARGET = 2,
  ATTUNE_SIZE_SOURCE = 3
} attune_symbol;
#define ATTUNE_SYMBOLS 4

/* One dimension of an argument: the symbol's value times `factor`, plus `addend`; for a fixed size
 * factor alone, and addend is 0. */
typedef struct attune_size_spec {
  int32_t symbol;
  int32_t reserved;
  int64_t factor;
  int64_t addend;
} attune_size_spec;

enum {
  ATTUNE_ARGUMENT_OUTPUT = 1,
  /* All dimensions but the last must collapse into one with even spacing (query, key, value and out
   * of a module). */
  ATTUNE_ARGUMENT_EVEN_ROWS = 2
};

typedef struct attune_argument_spec {
  const char *name;
  uint32_t dtypes; /* bit (1 << attune_dtype) for every dtype accepted */
  uint32_t flags;
  int32_t rank;
  int32_t reserved;
  attune_size_spec sizes[ATTUNE_MAX_RANK];
} attune_argument_spec;

/* CPU features an object needs; the runtime checks them before it enters generated code. */
enum {
  ATTUNE_CPU_SSE41 = 1u << 0,
  ATTUNE_CPU_AVX = 1u << 1,
  ATTUNE_CPU_AVX2 = 1u << 2,
  ATTUNE_CPU_FMA = 1u << 3,
  ATTUNE_CPU_F16C = 1u << 4,
  ATTUNE_CPU_BMI2 = 1u << 5,
  ATTUNE_CPU_AVX512F = 1u << 6,
  ATTUNE_CPU_AVX512BW = 1u << 7,
  ATTUNE_CPU_AVX512DQ = 1u << 8,
  ATTUNE_CPU_AVX512VL = 1u << 9,
  ATTUNE_CPU_AVX512CD = 1u << 10,
  ATTUNE_CPU_AVX512BF16 = 1u << 11,
  ATTUNE_CPU_AVX512VNNI = 1u << 12,
  ATTUNE_CPU_AMX = 1u << 13,
  ATTUNE_CPU_SSE42 = 1u << 14,
  ATTUNE_CPU_LZCNT = 1u << 15,
  ATTUNE_CPU_MOVBE = 1u << 16,
  ATTUNE_CPU_AVXVNNI = 1u << 17
};

/* The features of the CPU this process runs on that the operating system has enabled. Linux enables
 * AMX for a process that asks, which this does, where the CPU has it. */
uint32_t attune_cpu_features(void);

/* Sizes bound from the arguments of a call, indexed by attune_symbol (entry 0 unused). */
typedef struct attune_call_sizes {
  int64_t value[ATTUNE_SYMBOLS];
} attune_call_sizes;

/* The descriptor of one generated module: constant data inside the object. */
typedef struct attune_module {
  size_t struct_size;
  uint32_t abi_version;
  uint32_t cpu_features;
  const char *name;
  uint64_t hash; /* of configuration, schedule and target; ties packed parameters to the code */
  int32_t argument_count;
  int32_t parameter_count;               /* 0: no packed parameters */
  const attune_argument_spec *arguments; /* inputs first, which bind the symbols; outputs last */
  const attune_argument_spec *parameters;
  int64_t packed_size; /* bytes, header included; 0 without parameters */
  int64_t (*workspace_size)(int64_t batch, int64_t target, int64_t source, int64_t workers);
  void (*forward)(attune_context *context, const attune_tensor *arguments, const void *packed,
                  void *workspace, const attune_call_sizes *sizes, int64_t workers);
  void (*pack)(attune_context *context, const attune_tensor *parameters, void *packed);
  /* Packed parameters that are part of the object, or null; then parameter_count is 0. */
  const void *baked;
  /* The same module for CPUs with fewer features, or null. Every function that takes a module uses
   * the first one of this list that the CPU can run. */
  const struct attune_module *fallback;
} attune_module;

/* What every NAME_arguments struct starts with; the argument tensors follow in the module's order.
 */
typedef struct attune_call {
  size_t struct_size;
  const void *packed;
  size_t packed_size;
  void *workspace;
  size_t workspace_size;
} attune_call;

/* Checks a call (`call` is a NAME_arguments) and runs the generated code. NAME_forward is this. */
attune_status attune_forward(attune_context *context, const attune_module *module,
                             const void *call);
/* What every NAME_parameters struct starts with; the parameter tensors follow in the module's
 * order. */
typedef struct attune_parameters {
  size_t struct_size;
} attune_parameters;

/* Checks parameters (a NAME_parameters) and packs them. NAME_pack is this. */
attune_status attune_pack(attune_context *context, const attune_module *module,
                          const void *parameters, void *packed, size_t packed_size);
/* Bytes of workspace for a call of these sizes with this context (a negative size: 0; sizes beyond
 * all bounds: SIZE_MAX). */
size_t attune_workspace_size(const attune_context *context, const attune_module *module,
                             int64_t batch, int64_t target, int64_t source);

/* The first ATTUNE_ALIGNMENT bytes of a packed-parameter block. */
typedef struct attune_packed_header {
  char magic[8]; /* "attunepk" */
  uint32_t abi_version;
  uint32_t dtype; /* attune_dtype of the packed parameters */
  uint64_t hash;
  uint64_t size; /* bytes of the whole block */
  uint8_t reserved[32];
} attune_packed_header;

/* Called by generated code: runs body over [0, count) on the context's workers. */
void attune_parallel_for(attune_context *context, int64_t count, int64_t grain,
                         attune_range_body body, void *closure);

#ifdef __cplusplus
}
#endif
#endif
