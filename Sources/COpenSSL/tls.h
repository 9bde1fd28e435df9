//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

#if __has_include(<openssl/ssl.h>)
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#else
#error "OpenSSL is missing. Debian, Ubuntu: apt-get install libssl-dev. Fedora: dnf install openssl-devel. macOS: brew install openssl."
#endif

// What OpenSSL has as macros, or with other types from version to version.

// A system whose openssl.cnf asks for more keeps that.
static inline int copenssl_set_versions(SSL_CTX *context) {
  return (SSL_CTX_get_min_proto_version(context) >= TLS1_2_VERSION ||
          SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)) &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
}

static inline void copenssl_set_options(SSL_CTX *context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
}

static inline int copenssl_set_server_name(SSL *connection, const char *name) {
  return (int)SSL_set_tlsext_host_name(connection, name);
}

static inline int copenssl_reason(unsigned long error) { return ERR_GET_REASON(error); }

static inline int copenssl_alert(int reason) {
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256 ? reason - SSL_AD_REASON_OFFSET : -1;
}

static inline int copenssl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline const GENERAL_NAME *copenssl_name(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}

static inline int copenssl_print_name(BIO *target, const X509_NAME *name) {
  return X509_NAME_print_ex(target, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

static inline long copenssl_contents(BIO *memory, char **start) { return BIO_get_mem_data(memory, start); }
