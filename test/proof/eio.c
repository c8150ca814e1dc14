// Preloaded into a server: while the file named by EIO_ORDER exists, the calls that it names fail with EIO on files whose
// path has `conduct.db` in it. It holds one word: `read`, `write`, `sync` or `lock`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int fd, const char *call) {
  const char *order = getenv("EIO_ORDER");
  char link[64], path[4096], word[16] = "";
  FILE *file;
  if (!order || access(order, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (!strstr(path, "conduct.db")) return 0;
  file = fopen(order, "r");
  if (!file) return 0;
  if (fscanf(file, "%15s", word) != 1) word[0] = 0;
  fclose(file);
  return strcmp(word, call) == 0;
}

#define FAIL(call) if (fails(fd, call)) { errno = EIO; return -1; }
#define REAL(type, name, ...) type (*real)(__VA_ARGS__) = dlsym(RTLD_NEXT, name)

ssize_t pread64(int fd, void *to, size_t n, off_t at) {
  FAIL("read") REAL(ssize_t, "pread64", int, void *, size_t, off_t);
  return real(fd, to, n, at);
}
ssize_t pread(int fd, void *to, size_t n, off_t at) {
  FAIL("read") REAL(ssize_t, "pread", int, void *, size_t, off_t);
  return real(fd, to, n, at);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off_t at) {
  FAIL("write") REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  return real(fd, from, n, at);
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
  FAIL("write") REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  return real(fd, from, n, at);
}
int fdatasync(int fd) {
  FAIL("sync") REAL(int, "fdatasync", int);
  return real(fd);
}
int fsync(int fd) {
  FAIL("sync") REAL(int, "fsync", int);
  return real(fd);
}
static int locks(int command) { return command == F_SETLK || command == F_SETLKW; }
#define LOCK(name) \
  va_list rest; \
  void *argument; \
  va_start(rest, command); \
  argument = va_arg(rest, void *); \
  va_end(rest); \
  if (locks(command)) { FAIL("lock") } \
  REAL(int, name, int, int, ...); \
  return real(fd, command, argument);
int fcntl64(int fd, int command, ...) { LOCK("fcntl64") }
int fcntl(int fd, int command, ...) { LOCK("fcntl") }
