#include "tls/span_bio.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/check.h"

namespace waylay::tls {
namespace {

int read_span(BIO* bio, char* buffer, size_t size, size_t* done) {
  auto* notes = static_cast<ConnectionNotes*>(BIO_get_data(bio));
  Bytes& input = notes->input;
  BIO_clear_retry_flags(bio);
  *done = std::min(size, input.size());
  if (*done == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(buffer, input.data(), *done);
  notes->count_received(input.first(*done));
  input = input.subspan(*done);
  return 1;
}

int append_output(BIO* bio, const char* data, size_t size, size_t* done) {
  BIO_clear_retry_flags(bio);
  auto* notes = static_cast<ConnectionNotes*>(BIO_get_data(bio));
  notes->count_sent(as_bytes(data, size));
  notes->output->append(as_bytes(data, size));
  *done = size;
  return 1;
}

long control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

using Method = Handle<BIO_METHOD, BIO_meth_free>;

const BIO_METHOD* span_method() {
  static const Method method = [] {
    Method made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "span and queue"));
    CHECK(made != nullptr);
    BIO_meth_set_read_ex(made.get(), read_span);
    BIO_meth_set_write_ex(made.get(), append_output);
    BIO_meth_set_ctrl(made.get(), control);
    return made;
  }();
  return method.get();
}

}  // namespace

bool set_span_bio(SSL* ssl, ConnectionNotes* notes) {
  BIO* bio = BIO_new(span_method());
  if (bio == nullptr) return false;
  BIO_set_data(bio, notes);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);  // takes the reference
  return true;
}

}  // namespace waylay::tls
