/* Prints the read bandwidth of THREADS threads together, in GB/s: each sums its own block of BYTES
 * bytes, which should be several times the last-level cache; the best of RUNS passes.
 *
 *   cc -O3 -march=native read_bandwidth.c -lpthread -o read_bandwidth
 *   read_bandwidth THREADS BYTES RUNS
 */
#define _POSIX_C_SOURCE 200112L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
  LANES = 64
}; /* 64-bit sums that are independent of each other: eight or sixteen registers */

typedef struct Reader {
  const uint64_t *data;
  size_t count, runs;
  pthread_barrier_t *barrier; /* of all readers */
  double *start, *end;        /* of each pass, in seconds */
  uint64_t sum;
} Reader;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t sum_all(const uint64_t *data, size_t count) {
  uint64_t sums[LANES] = {0}, total = 0;
  for (size_t k = 0; k + LANES <= count; k += LANES)
    for (size_t lane = 0; lane < LANES; ++lane)
      sums[lane] += data[k + lane];
  for (size_t lane = 0; lane < LANES; ++lane)
    total += sums[lane];
  return total;
}

/* Every pass starts at a barrier. The threads take the times themselves: a thread that only waits
 * may be woken late. */
static void *read_block(void *argument) {
  Reader *reader = argument;
  for (size_t run = 0; run < reader->runs; ++run) {
    pthread_barrier_wait(reader->barrier);
    reader->start[run] = seconds();
    reader->sum += sum_all(reader->data, reader->count);
    reader->end[run] = seconds();
  }
  return NULL;
}

static void *allocate(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, (size_t)2 << 20, bytes) != 0) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  memset(memory, 1, bytes);
  return memory;
}

/* Bytes a second of one pass, from the first start to the last end, in GB/s. */
static double pass_rate(const Reader *readers, size_t threads, size_t bytes, size_t run) {
  double start = readers[0].start[run], end = readers[0].end[run];
  for (size_t k = 1; k < threads; ++k) {
    start = readers[k].start[run] < start ? readers[k].start[run] : start;
    end = readers[k].end[run] > end ? readers[k].end[run] : end;
  }
  return (double)(threads * bytes) / (end - start) / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: read_bandwidth THREADS BYTES RUNS\n");
    return 2;
  }
  const size_t threads = strtoul(argv[1], NULL, 10), bytes = strtoul(argv[2], NULL, 10);
  const size_t runs = strtoul(argv[3], NULL, 10);
  pthread_barrier_t barrier;
  Reader *readers = calloc(threads, sizeof *readers);
  pthread_t *handles = calloc(threads, sizeof *handles);
  if (readers == NULL || handles == NULL ||
      pthread_barrier_init(&barrier, NULL, (unsigned)threads) != 0)
    return 1;
  for (size_t k = 0; k < threads; ++k)
    readers[k] = (Reader){.data = allocate(bytes),
                          .count = bytes / sizeof(uint64_t),
                          .runs = runs,
                          .barrier = &barrier,
                          .start = allocate(runs * sizeof(double)),
                          .end = allocate(runs * sizeof(double))};
  for (size_t k = 0; k < threads; ++k)
    if (pthread_create(&handles[k], NULL, read_block, &readers[k]) != 0)
      return 1;
  uint64_t sum = 0;
  for (size_t k = 0; k < threads; ++k) {
    pthread_join(handles[k], NULL);
    sum += readers[k].sum;
  }
  double best = 0;
  for (size_t run = 0; run < runs; ++run) {
    const double rate = pass_rate(readers, threads, bytes, run);
    best = rate > best ? rate : best;
  }
  /* The sum is printed so that no pass can be left out. */
  printf("%.3f %llu\n", best, (unsigned long long)sum);
  return 0;
}
