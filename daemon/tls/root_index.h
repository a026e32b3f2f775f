// Root certificates found on demand: a bundle's certificates as bytes, and which of them have which subject. Parsing
// all of a system's takes 40 ms and 1 MiB; a daemon needs a handful of them. Read before the sandbox, which lets no
// file be opened later; never changed afterwards, so every thread may look.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tls/openssl.h"

namespace waylay::tls {

class RootIndex {
 public:
  // A file of PEM certificates. Anything else in it is passed over.
  static Result<RootIndex> read(const std::string& path);

  // Puts all those of this subject into the store; false if there is none. Names are compared as OpenSSL does.
  bool add_to(X509_STORE* store, const X509_NAME* subject) const;

 private:
  struct Entry {
    unsigned long subject_hash;
    uint32_t begin, size;  // of its DER
  };
  Result<void> add(Bytes der);

  std::vector<std::byte> ders_;
  std::vector<Entry> entries_;  // by hash
};

// From here on the store knows the index's certificates as well: those of a subject are added as somebody asks for it,
// and those that share theirs with one that is there already at once, since a store that has an answer asks nobody.
bool provide_on_demand(X509_STORE* store, RootIndex index);

}  // namespace waylay::tls
