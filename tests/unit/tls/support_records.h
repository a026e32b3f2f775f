// Random conversations for the record layer, each of one seed: what our layer and OpenSSL make of the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace waylay::tls::testing {

// One twin: an OpenSSL endpoint after a real handshake, and our record layer with the same secrets. Both are told the
// same by a peer that is OpenSSL, and by records that nobody but a broken or malicious peer would send; both say the
// same. What they give out must be equal, and what they send equal to the byte. Empty: it was; else what differed.
std::string compare_with_openssl(uint64_t seed);

// A channel that changes to its own records in the midst of a conversation with a peer that is OpenSSL. What was said
// must be what is heard, however the bytes are cut. Empty: it was.
std::string talk_through_the_change(uint64_t seed);

// What happened in all conversations so far, by name: so that a test knows that it has seen what it is for.
const std::map<std::string, uint64_t>& happened();

}  // namespace waylay::tls::testing
