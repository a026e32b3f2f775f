#include "tls/root_index.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>

namespace waylay::tls {
namespace {

using FileBio = Handle<BIO, BIO_free_all>;
using Name = Handle<X509_NAME, X509_NAME_free>;

void free_text(char* text) {
  OPENSSL_free(text);
}
void free_bytes(unsigned char* bytes) {
  OPENSSL_free(bytes);
}
using OpensslText = Handle<char, free_text>;
using OpensslBytes = Handle<unsigned char, free_bytes>;

// Steps through DER without making anything of it.
class Der {
 public:
  explicit Der(Bytes der) : at_(as_u8(der)), end_(at_ + der.size()) {}

  // What comes next is a universal one of this tag: into it, or behind it.
  bool enter(int tag) { return open(tag, V_ASN1_UNIVERSAL); }
  bool pass(int tag) { return open(tag, V_ASN1_UNIVERSAL) && leave(); }
  // The same of an optional [tag].
  bool pass_optional(int tag) {
    const unsigned char* before = at_;
    if (open(tag, V_ASN1_CONTEXT_SPECIFIC)) return leave();
    at_ = before;
    return true;
  }
  Name name() { return Name(d2i_X509_NAME(nullptr, &at_, end_ - at_)); }

 private:
  bool open(int wanted_tag, int wanted_class) {
    long size = 0;
    int tag = 0, tag_class = 0;
    constexpr int kWrong = 0x80, kIndefinite = 0x01;
    int outcome = ASN1_get_object(&at_, &size, &tag, &tag_class, end_ - at_);
    size_ = size;
    return (outcome & (kWrong | kIndefinite)) == 0 && tag == wanted_tag && tag_class == wanted_class;
  }
  bool leave() {
    at_ += size_;
    return true;
  }

  const unsigned char *at_, *end_;
  long size_ = 0;
};

// RFC 5280 section 4.1: Certificate, TBSCertificate, and what comes in there before the subject.
Name subject_of(Bytes der) {
  Der at(der);
  bool found = at.enter(V_ASN1_SEQUENCE) && at.enter(V_ASN1_SEQUENCE) && at.pass_optional(0) &&
               at.pass(V_ASN1_INTEGER) && at.pass(V_ASN1_SEQUENCE) && at.pass(V_ASN1_SEQUENCE) &&
               at.pass(V_ASN1_SEQUENCE);
  return found ? at.name() : nullptr;
}

// Called without the store's lock. As of OpenSSL's own directories of certificates, the object found is the store's,
// and the caller counts its own reference.
int find_by_subject(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name, X509_OBJECT* found) {
  if (type != X509_LU_X509) return 0;
  X509_STORE* store = X509_LOOKUP_get_store(lookup);
  if (!static_cast<const RootIndex*>(X509_LOOKUP_get_method_data(lookup))->add_to(store, name)) return 0;
  X509_STORE_lock(store);
  X509_OBJECT* there = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), type, name);
  X509* root = there == nullptr ? nullptr : X509_OBJECT_get0_X509(there);
  bool set = root != nullptr && X509_OBJECT_set1_X509(found, root) == 1;
  if (set) X509_free(root);
  X509_STORE_unlock(store);
  return set ? 1 : 0;
}

void free_index(X509_LOOKUP* lookup) {
  delete static_cast<RootIndex*>(X509_LOOKUP_get_method_data(lookup));
}

X509_LOOKUP_METHOD* method() {
  static X509_LOOKUP_METHOD* const made = [] {
    X509_LOOKUP_METHOD* on_demand = X509_LOOKUP_meth_new("roots on demand");  // for the life of the process
    if (on_demand == nullptr) return on_demand;
    X509_LOOKUP_meth_set_get_by_subject(on_demand, find_by_subject);
    X509_LOOKUP_meth_set_free(on_demand, free_index);
    return on_demand;
  }();
  return made;
}

std::vector<Certificate> certificates_in(X509_STORE* store) {
  std::vector<Certificate> all;
  STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i)
    if (X509* each = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i))) all.push_back(share(each));
  return all;
}

}  // namespace

Result<RootIndex> RootIndex::read(const std::string& path) {
  FileBio file(BIO_new_file(path.c_str(), "r"));
  if (!file) return fail(openssl_error(ErrorKind::NotFound, "opening " + path));
  RootIndex index;
  char *name = nullptr, *header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  while (PEM_read_bio(file.get(), &name, &header, &der, &size) == 1) {
    OpensslText owned_name(name), owned_header(header);
    OpensslBytes owned_der(der);
    std::string_view kind = name;
    if (kind != PEM_STRING_X509 && kind != PEM_STRING_X509_OLD) continue;
    if (Result<void> added = index.add(as_bytes(der, static_cast<size_t>(size))); !added) return fail(added);
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return fail(openssl_error(ErrorKind::Invalid, "reading PEM"));
  ERR_clear_error();
  if (index.entries_.empty()) return fail(Error::local(ErrorKind::Invalid, "no certificate in it"));
  index.ders_.shrink_to_fit();
  index.entries_.shrink_to_fit();
  std::ranges::sort(index.entries_, {}, &Entry::subject_hash);
  return index;
}

Result<void> RootIndex::add(Bytes der) {
  Name subject = subject_of(der);
  int hashed = 0;
  unsigned long hash = subject ? X509_NAME_hash_ex(subject.get(), nullptr, nullptr, &hashed) : 0;
  if (hashed == 0) return fail(openssl_error(ErrorKind::Invalid, "reading a certificate's subject"));
  entries_.push_back({hash, static_cast<uint32_t>(ders_.size()), static_cast<uint32_t>(der.size())});
  ders_.insert(ders_.end(), der.begin(), der.end());
  return {};
}

bool RootIndex::add_to(X509_STORE* store, const X509_NAME* subject) const {
  int hashed = 0;
  unsigned long hash = X509_NAME_hash_ex(subject, nullptr, nullptr, &hashed);
  if (hashed == 0) return false;
  bool added = false;
  for (const Entry& entry : std::ranges::equal_range(entries_, hash, {}, &Entry::subject_hash)) {
    const unsigned char* at = as_u8(Bytes(ders_)) + entry.begin;
    Certificate root(d2i_X509(nullptr, &at, entry.size));
    bool is_it = root && X509_NAME_cmp(X509_get_subject_name(root.get()), subject) == 0;
    if (is_it && X509_STORE_add_cert(store, root.get()) == 1) added = true;
  }
  return added;
}

bool provide_on_demand(X509_STORE* store, RootIndex index) {
  for (const Certificate& present : certificates_in(store)) index.add_to(store, X509_get_subject_name(present.get()));
  X509_LOOKUP* lookup = method() == nullptr ? nullptr : X509_STORE_add_lookup(store, method());
  if (lookup == nullptr) return false;
  return X509_LOOKUP_set_method_data(lookup, std::make_unique<RootIndex>(std::move(index)).release()) == 1;
}

}  // namespace waylay::tls
