/* Reading tensor files (.safetensors, .npy, .npz, and .pt as torch.save writes a state_dict) and
 * writing .safetensors. Files are untrusted input: a malformed file gives a status and a text
 * (attune_last_error), never a crash. Nothing that a file holds is run. Reading takes at most four
 * times the file's size plus 64 MB of memory. */
#ifndef ATTUNE_TENSOR_FILE_H
#define ATTUNE_TENSOR_FILE_H

#include "attune/attune.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attune_tensor_file attune_tensor_file;

/* Reads a whole file into memory of its own and checks it strictly. The first bytes decide the
 * format, not the name. ATTUNE_IO_ERROR for what cannot be opened or read, ATTUNE_BAD_FILE for what
 * is malformed or not supported. An open file never changes: any number of threads may use it. */
attune_status attune_tensor_file_open(const char *path, attune_tensor_file **file);
/* The same for bytes in memory (copied); `name` stands in messages. */
attune_status attune_tensor_file_parse(const void *bytes, size_t size, const char *name,
                                       attune_tensor_file **file);
void attune_tensor_file_close(attune_tensor_file *file);

size_t attune_tensor_file_count(const attune_tensor_file *file);
/* Name of tensor `index` in the file's order; null when out of range. Names in .npz lack .npy,
 * those in nested dicts of .pt are joined by periods; a tensor alone, as in .npy, is called like
 * the file, without folders and extension. */
const char *attune_tensor_file_name(const attune_tensor_file *file, size_t index);
/* Finds a tensor. It is dense and row-major; its data stays valid, and 64-byte aligned, until the
 * file is closed. ATTUNE_NOT_FOUND names the file's nearest tensors. */
attune_status attune_tensor_file_get(const attune_tensor_file *file, const char *name,
                                     attune_tensor *tensor);

/* Writes dense tensors as .safetensors: to a temporary file first, then renamed over `path`. */
attune_status attune_tensor_file_write(const char *path, size_t count, const char *const *names,
                                       const attune_tensor *tensors);

#ifdef __cplusplus
}
#endif
#endif
