//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What the C programs share: messages with numbers in them, the time, and the line of JSON.

#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// A message is TEXT_LENGTH bytes of text, on Redis with a number of NUMBER_LENGTH digits in front.
enum { TEXT_LENGTH = 120, NUMBER_LENGTH = 10 };

static inline void fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static inline void fail_order(void) { fail("a message was lost, doubled or out of order"); }

static inline void write_number(char *text, long number) {
  for (int index = NUMBER_LENGTH - 1; index >= 0; index--, number /= 10) text[index] = '0' + number % 10;
}

static inline void check_text(const char *text, long due) {
  long number = 0;
  for (int index = 0; index < NUMBER_LENGTH; index++) number = number * 10 + (text[index] - '0');
  if (number != due) fail_order();
}

static inline double clock_seconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static inline double seconds(void) { return clock_seconds(CLOCK_MONOTONIC); }

struct moment {
  double wall;
  // Of this process, in user and system mode together.
  double cpu;
};

static inline struct moment now(void) {
  return (struct moment){.wall = seconds(), .cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static inline int compare_numbers(const void *left, const void *right) {
  double difference = *(const double *)left - *(const double *)right;
  return (difference > 0) - (difference < 0);
}

// `latencies` is NULL, or holds one for each message.
static inline void print_measured(struct moment start, long messages, double *latencies) {
  struct moment end = now();
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"cpuSeconds\":%.6f", messages, end.wall - start.wall, end.cpu - start.cpu);
  if (latencies) {
    qsort(latencies, messages, sizeof *latencies, compare_numbers);
    printf(",\"p50\":%.2f,\"p99\":%.2f", latencies[messages / 2] * 1e6, latencies[messages * 99 / 100] * 1e6);
  }
  printf("}\n");
}
