//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What Redis gives a program that does nothing else: one connection publishes, one subscribes, and both are read as bytes
// whose lengths are known beforehand. Never more than DEPTH messages are unanswered or undelivered.
//
// usage: c-redis PORT DEPTH MESSAGES      on 127.0.0.1. Prints JSON.

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../c-measure/measure.h"

#define CHANNEL "bench"
#define PUBLISH "*3\r\n$7\r\nPUBLISH\r\n$5\r\n" CHANNEL "\r\n$120\r\n"
#define PUSHED "*3\r\n$7\r\nmessage\r\n$5\r\n" CHANNEL "\r\n$120\r\n"
#define SUBSCRIBE "*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\n" CHANNEL "\r\n"
#define SUBSCRIBED "*3\r\n$9\r\nsubscribe\r\n$5\r\n" CHANNEL "\r\n:1\r\n"

enum {
  command_length = sizeof PUBLISH - 1 + TEXT_LENGTH + 2,
  pushed_length = sizeof PUSHED - 1 + TEXT_LENGTH + 2,
  buffer_length = 1 << 18,
};

static int open_connection(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int connection = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) < 0) fail("can't connect");
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

static void write_all(int connection, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(connection, bytes, length);
    if (written < 0) fail("can't write");
    bytes += written;
    length -= written;
  }
}

static int publishing, listening;
// All DEPTH commands in a row; only the numbers in them change.
static char *commands;

// Answers are ":1\r\n".
static long read_answers(void) {
  static char buffer[buffer_length];
  ssize_t length = recv(publishing, buffer, sizeof buffer, MSG_DONTWAIT);
  if (length <= 0) fail("Redis closed the publishing connection");
  long count = 0;
  for (ssize_t at = 0; at < length; at++) {
    if (buffer[at] == '-') fail("Redis refused a message");
    if (buffer[at] == '\n') count++;
  }
  return count;
}

// Returns how many messages came, each checked for being the one that is due.
static long read_messages(long due) {
  static char buffer[buffer_length];
  static size_t held = 0;
  ssize_t length = recv(listening, buffer + held, sizeof buffer - held, MSG_DONTWAIT);
  if (length <= 0) fail("Redis closed the listening connection");
  held += length;
  long count = 0;
  for (; (size_t)(count + 1) * pushed_length <= held; count++) {
    check_text(buffer + count * pushed_length + sizeof PUSHED - 1, due + count);
  }
  held -= count * pushed_length;
  memmove(buffer, buffer + count * pushed_length, held);
  return count;
}

// Publishes the messages from number `first` on, and returns when all are answered and delivered.
static void publish(long first, long messages, long depth, double *latencies) {
  long sent = 0, answered = 0, delivered = 0;
  double start = 0;
  struct pollfd polled[] = {{.fd = publishing, .events = POLLIN}, {.fd = listening, .events = POLLIN}};
  while (answered < messages || delivered < messages) {
    long finished = answered < delivered ? answered : delivered;
    long count = depth - (sent - finished);
    if (count > messages - sent) count = messages - sent;
    if (count > 0) {
      for (long index = 0; index < count; index++) {
        write_number(commands + index * command_length + sizeof PUBLISH - 1, first + sent + index);
      }
      if (latencies && sent > 0) latencies[sent - 1] = seconds() - start;
      if (latencies) start = seconds();
      write_all(publishing, commands, count * command_length);
      sent += count;
    }
    if (poll(polled, 2, 10000) <= 0) fail("a message did not arrive within 10 s");
    if (polled[0].revents) answered += read_answers();
    if (polled[1].revents) delivered += read_messages(first + delivered);
  }
  if (latencies) latencies[messages - 1] = seconds() - start;
}

int main(int count, char **arguments) {
  if (count != 4) fail("usage: c-redis PORT DEPTH MESSAGES");
  int port = atoi(arguments[1]);
  long depth = atol(arguments[2]), messages = atol(arguments[3]);
  if (port <= 0 || depth <= 0 || messages <= 0) fail("each argument is a number above 0");

  publishing = open_connection(port);
  listening = open_connection(port);
  char answer[sizeof SUBSCRIBED - 1];
  write_all(listening, SUBSCRIBE, sizeof SUBSCRIBE - 1);
  if (recv(listening, answer, sizeof answer, MSG_WAITALL) != sizeof answer || memcmp(answer, SUBSCRIBED, sizeof answer))
    fail("Redis did not confirm the subscription");
  commands = malloc(depth * command_length);
  for (long index = 0; index < depth; index++) {
    char *command = commands + index * command_length;
    memcpy(command, PUBLISH, sizeof PUBLISH - 1);
    memset(command + sizeof PUBLISH - 1, 'x', TEXT_LENGTH);
    memcpy(command + command_length - 2, "\r\n", 2);
  }

  // The first part warms up.
  long warm = messages / 10;
  publish(0, warm, depth, NULL);
  double *latencies = depth == 1 ? calloc(messages, sizeof *latencies) : NULL;
  struct moment start = now();
  publish(warm, messages, depth, latencies);
  print_measured(start, messages, latencies);
}
