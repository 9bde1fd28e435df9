//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

// Nothing to call: what is here takes the place of functions of the C library, and only under the thread sanitizer.
