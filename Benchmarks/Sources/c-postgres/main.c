//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What PostgreSQL gives a program that does nothing else: one connection publishes, with BATCH messages in a transaction
// and one transaction under way, and one listens. Each message has a number and the time of its sending in front.
// With --round-trip the next transaction begins when the messages have come.
//
// usage: c-postgres URL BATCH MESSAGES [--round-trip]      Prints JSON.

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "../c-measure/measure.h"

static PGconn *publishing, *listening;
static char *query;

static PGconn *open_connection(const char *url) {
  PGconn *connection = PQconnectdb(url);
  if (PQstatus(connection) != CONNECTION_OK) fail(PQerrorMessage(connection));
  return connection;
}

static void execute(PGconn *connection, const char *statement) {
  PGresult *result = PQexec(connection, statement);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
  PQclear(result);
}

static char *append_statement(char *end, long number) {
  static const char filler[TEXT_LENGTH] = {[0 ... TEXT_LENGTH - 2] = 'x'};
  char stamp[64];
  int length = snprintf(stamp, sizeof stamp, "%ld %.7f ", number, seconds());
  return end + sprintf(end, "NOTIFY bench, '%s%s';", stamp, filler + length - 1);
}

static void send_query(long first, long batch) {
  char *end = query;
  if (batch > 1) end = stpcpy(end, "BEGIN;");
  for (long index = 0; index < batch; index++) end = append_statement(end, first + index);
  if (batch > 1) stpcpy(end, "COMMIT;");
  if (!PQsendQuery(publishing, query)) fail(PQerrorMessage(publishing));
  PQflush(publishing);
}

// Returns true when the last result of the transaction has come.
static bool read_results(void) {
  if (!PQconsumeInput(publishing)) fail(PQerrorMessage(publishing));
  while (!PQisBusy(publishing)) {
    PGresult *result = PQgetResult(publishing);
    if (!result) return true;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQresultErrorMessage(result));
    PQclear(result);
  }
  return false;
}

// Returns how many messages came, each checked for being the one that is due. Their latencies are kept, if wanted.
static long read_messages(long due, double *latencies) {
  if (!PQconsumeInput(listening)) fail(PQerrorMessage(listening));
  long count = 0;
  for (PGnotify *message; (message = PQnotifies(listening)); count++) {
    long number;
    double sent;
    if (sscanf(message->extra, "%ld %lf", &number, &sent) != 2 || number != due + count) fail_order();
    if (latencies) latencies[count] = seconds() - sent;
    PQfreemem(message);
  }
  return count;
}

// Publishes the messages from number `first` on, and returns when all are committed and delivered.
static void publish(long first, long messages, long batch, bool is_round_trip, double *latencies) {
  long committed = 0, delivered = 0;
  bool is_busy = false;
  double start = 0;
  struct pollfd polled[] = {
      {.fd = PQsocket(publishing), .events = POLLIN}, {.fd = PQsocket(listening), .events = POLLIN}};
  while (committed < messages || delivered < messages) {
    if (!is_busy && committed < messages && (!is_round_trip || delivered == committed)) {
      if (is_round_trip && latencies && committed > 0) latencies[committed - 1] = seconds() - start;
      if (is_round_trip) start = seconds();
      send_query(first + committed, batch);
      is_busy = true;
    }
    if (poll(polled, 2, 10000) <= 0) fail("a message did not arrive within 10 s");
    if (polled[0].revents && is_busy && read_results()) {
      is_busy = false;
      committed += batch;
    }
    if (polled[1].revents) {
      delivered += read_messages(first + delivered, latencies ? latencies + delivered : NULL);
    }
  }
  // A round trip lasts until the commit is known too.
  if (is_round_trip && latencies) latencies[messages - 1] = seconds() - start;
}

int main(int count, char **arguments) {
  bool is_round_trip = count == 5 && !strcmp(arguments[4], "--round-trip");
  if (count != 4 && !is_round_trip) fail("usage: c-postgres URL BATCH MESSAGES [--round-trip]");
  long batch = atol(arguments[2]), messages = atol(arguments[3]);
  if (batch <= 0 || messages < batch || (is_round_trip && batch > 1)) fail("c-postgres: the numbers don't fit");
  messages -= messages % batch;

  publishing = open_connection(arguments[1]);
  listening = open_connection(arguments[1]);
  execute(listening, "LISTEN bench");
  query = calloc(batch, 2 * TEXT_LENGTH + 64);

  // The first part warms up.
  long warm = messages / 10 / batch * batch;
  publish(0, warm, batch, is_round_trip, NULL);
  double *latencies = calloc(messages, sizeof *latencies);
  struct moment start = now();
  publish(warm, messages, batch, is_round_trip, latencies);
  print_measured(start, messages, latencies);
}
