//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

// A cluster inside the process.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
