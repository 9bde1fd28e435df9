//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// What librdkafka gives a program that does nothing else: one handle publishes, one reads a topic of one partition, and one
// thread serves both. Never more than IN_FLIGHT messages are unanswered or undelivered; with one it is a round trip, and its
// latency is kept.
//
// usage: c-kafka BROKERS TOPIC IN_FLIGHT MESSAGES      The topic is there already. Prints JSON.

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "../c-measure/measure.h"

enum { batch_length = 256, patience = 10000 };

// What the library's backend sets too, as far as it matters here.
static const char *const both[][2] = {
    {"socket.nagle.disable", "true"}, {"allow.auto.create.topics", "false"}, {NULL}};
static const char *const producing[][2] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"linger.ms", "0"},
    {"batch.size", "1000000"},
    {"queue.buffering.max.messages", "200000"},
    {"queue.buffering.max.kbytes", "262144"},
    {"partitioner", "murmur2_random"},
    {NULL}};
static const char *const reading[][2] = {
    {"fetch.wait.max.ms", "100"},
    {"auto.offset.reset", "error"},
    {"enable.auto.commit", "false"},
    {"enable.partition.eof", "true"},
    {NULL}};

static rd_kafka_t *producer;
static rd_kafka_topic_t *published;
static rd_kafka_queue_t *records;
static int waking[2];
static long answered = 0;

static void count_answer(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque) {
  if (message->err) fail(rd_kafka_err2str(message->err));
  answered++;
}

static void set(rd_kafka_conf_t *properties, const char *const pairs[][2]) {
  char why[512];
  for (; pairs[0][0]; pairs++) {
    if (rd_kafka_conf_set(properties, pairs[0][0], pairs[0][1], why, sizeof why)) fail(why);
  }
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *brokers, const char *const own[][2]) {
  char why[512];
  const char *const where[][2] = {{"bootstrap.servers", brokers}, {NULL}};
  rd_kafka_conf_t *properties = rd_kafka_conf_new();
  set(properties, where);
  set(properties, both);
  set(properties, own);
  // It would tell standard error of each try.
  rd_kafka_conf_set_log_cb(properties, NULL);
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(properties, count_answer);
  rd_kafka_t *handle = rd_kafka_new(type, properties, why, sizeof why);
  if (!handle) fail(why);
  return handle;
}

// Reads from the end on.
static void start_reading(const char *brokers, const char *topic) {
  rd_kafka_t *consumer = make(RD_KAFKA_CONSUMER, brokers, reading);
  int64_t start, end;
  rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(producer, topic, 0, &start, &end, patience);
  if (error) fail(rd_kafka_err2str(error));
  records = rd_kafka_queue_new(consumer);
  rd_kafka_topic_t *subscribed = rd_kafka_topic_new(consumer, topic, NULL);
  if (!subscribed || rd_kafka_consume_start_queue(subscribed, 0, end, records)) fail("can't read the topic");
}

// Whatever comes into an empty queue is told by a byte, so that one call waits for both.
static void start_waking(void) {
  if (pipe(waking) || fcntl(waking[0], F_SETFL, O_NONBLOCK) || fcntl(waking[1], F_SETFL, O_NONBLOCK)) {
    fail("can't make a pipe");
  }
  rd_kafka_queue_t *answers = rd_kafka_queue_get_main(producer);
  rd_kafka_queue_io_event_enable(answers, waking[1], "", 1);
  rd_kafka_queue_io_event_enable(records, waking[1], "", 1);
  rd_kafka_queue_destroy(answers);
}

static void await_anything(void) {
  char bytes[64];
  struct pollfd polled = {.fd = waking[0], .events = POLLIN};
  if (poll(&polled, 1, patience) <= 0) fail("a message did not arrive within 10 s");
  while (read(waking[0], bytes, sizeof bytes) > 0) continue;
}

// Returns how many messages came, each checked for being the one that is due.
static long read_messages(long due) {
  static rd_kafka_message_t *batch[batch_length];
  long count = 0;
  ssize_t length = rd_kafka_consume_batch_queue(records, 0, batch, batch_length);
  for (ssize_t index = 0; index < length; index++) {
    rd_kafka_message_t *message = batch[index];
    if (!message->err) {
      if (message->len != TEXT_LENGTH) fail("a message was damaged");
      check_text(message->payload, due + count++);
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      fail(rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
  }
  return count;
}

// Publishes the messages from number `first` on, and returns when all are answered and delivered.
static void publish(long first, long messages, long in_flight, const char *key, double *latencies) {
  char text[TEXT_LENGTH];
  memset(text, 'x', sizeof text);
  long sent = 0, delivered = 0;
  double start = 0;
  answered = 0;
  while (answered < messages || delivered < messages) {
    long finished = answered < delivered ? answered : delivered;
    if (latencies && sent < messages && sent == finished) {
      if (sent > 0) latencies[sent - 1] = seconds() - start;
      start = seconds();
    }
    for (; sent < messages && sent - finished < in_flight; sent++) {
      write_number(text, first + sent);
      if (rd_kafka_produce(
              published, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, text, sizeof text, key, strlen(key), NULL)) {
        fail(rd_kafka_err2str(rd_kafka_last_error()));
      }
    }
    long before = answered + delivered;
    rd_kafka_poll(producer, 0);
    delivered += read_messages(first + delivered);
    if (answered + delivered == before) await_anything();
  }
  if (latencies) latencies[messages - 1] = seconds() - start;
}

int main(int count, char **arguments) {
  if (count != 5) fail("usage: c-kafka BROKERS TOPIC IN_FLIGHT MESSAGES");
  const char *brokers = arguments[1], *topic = arguments[2];
  long in_flight = atol(arguments[3]), messages = atol(arguments[4]);
  if (in_flight <= 0 || messages <= 0) fail("IN_FLIGHT and MESSAGES are numbers above 0");

  producer = make(RD_KAFKA_PRODUCER, brokers, producing);
  published = rd_kafka_topic_new(producer, topic, NULL);
  if (!published) fail("can't publish to the topic");
  start_reading(brokers, topic);
  start_waking();

  // The first part warms up.
  long warm = messages / 10;
  publish(0, warm, in_flight, topic, NULL);
  double *latencies = in_flight == 1 ? calloc(messages, sizeof *latencies) : NULL;
  struct moment start = now();
  publish(warm, messages, in_flight, topic, latencies);
  print_measured(start, messages, latencies);
}
