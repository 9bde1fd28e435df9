//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// Threads and locks of C11 by those of POSIX, for the thread sanitizer. It knows the latter alone, and crashes on a thread
// that it has not seen begin. librdkafka uses the former where the C library has them, as glibc does: its calls come here,
// since the program's own functions go before those of the libraries.

#include "CThreads.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) && defined(__linux__)
#define REPLACES_THREADS
#endif
#endif

#ifdef REPLACES_THREADS

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

// What is of one kind is held in the other.
_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex of POSIX has no room in one of C");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition of POSIX has no room in one of C");
_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "threads of POSIX are not those of C");

static int result(int status) {
  switch (status) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
  }
}

// MARK: Threads

struct beginning {
  thrd_start_t function;
  void *argument;
};

static void *run(void *context) {
  struct beginning beginning = *(struct beginning *)context;
  free(context);
  return (void *)(intptr_t)beginning.function(beginning.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
  struct beginning *beginning = malloc(sizeof *beginning);
  if (beginning == NULL) return thrd_nomem;
  beginning->function = function;
  beginning->argument = argument;
  int status = pthread_create((pthread_t *)thread, NULL, run, beginning);
  if (status != 0) free(beginning);
  return result(status);
}

int thrd_join(thrd_t thread, int *code) {
  void *value = NULL;
  int status = pthread_join((pthread_t)thread, &value);
  if (code != NULL) *code = (int)(intptr_t)value;
  return result(status);
}

// MARK: Mutexes

int mtx_init(mtx_t *mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if (type & mtx_recursive) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  int status = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result(status);
}

int mtx_lock(mtx_t *mutex) { return result(pthread_mutex_lock((pthread_mutex_t *)mutex)); }
int mtx_trylock(mtx_t *mutex) { return result(pthread_mutex_trylock((pthread_mutex_t *)mutex)); }
int mtx_unlock(mtx_t *mutex) { return result(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }
void mtx_destroy(mtx_t *mutex) { pthread_mutex_destroy((pthread_mutex_t *)mutex); }

// MARK: Conditions

int cnd_init(cnd_t *condition) { return result(pthread_cond_init((pthread_cond_t *)condition, NULL)); }
int cnd_signal(cnd_t *condition) { return result(pthread_cond_signal((pthread_cond_t *)condition)); }
int cnd_broadcast(cnd_t *condition) { return result(pthread_cond_broadcast((pthread_cond_t *)condition)); }
void cnd_destroy(cnd_t *condition) { pthread_cond_destroy((pthread_cond_t *)condition); }

int cnd_wait(cnd_t *condition, mtx_t *mutex) {
  return result(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}

int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
  return result(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}

#endif
