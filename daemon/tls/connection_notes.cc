#include "tls/connection_notes.h"

#include <openssl/ssl.h>

#include "base/check.h"

namespace waylay::tls {
namespace {

void free_notes(void*, void* notes, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<ConnectionNotes*>(notes);
}

int notes_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_notes);
  return index;
}

}  // namespace

ConnectionNotes* attach_notes(SSL* ssl) {
  auto notes = std::make_unique<ConnectionNotes>();
  if (SSL_set_ex_data(ssl, notes_index(), notes.get()) != 1) return nullptr;
  return notes.release();
}

std::unique_ptr<ConnectionNotes> detach_notes(SSL* ssl) {
  std::unique_ptr<ConnectionNotes> notes(&notes_of(ssl));
  SSL_set_ex_data(ssl, notes_index(), nullptr);
  return notes;
}

ConnectionNotes& notes_of(const SSL* ssl) {
  auto* notes = static_cast<ConnectionNotes*>(SSL_get_ex_data(ssl, notes_index()));
  CHECK(notes != nullptr);
  return *notes;
}

}  // namespace waylay::tls
