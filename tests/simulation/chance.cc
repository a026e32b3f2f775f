#include "simulation/chance.h"

#include <openssl/rand.h>

#include "base/check.h"

namespace waylay::simulation {
namespace {

Chance drawn_by_openssl{0};

int draw_bytes(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(drawn_by_openssl.next());
  return 1;
}
int status() {
  return 1;
}

// Deprecated for products, where nobody wants predictable keys. Here they are what makes a run repeat.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void take_over() {
  static const RAND_METHOD method = {nullptr, draw_bytes, nullptr, nullptr, draw_bytes, status};
  CHECK(RAND_set_rand_method(&method) == 1);
}
#pragma GCC diagnostic pop

}  // namespace

void seed_openssl(uint64_t seed) {
  static const bool done = (take_over(), true);
  CHECK(done);
  drawn_by_openssl = Chance(seed);
}

}  // namespace waylay::simulation
