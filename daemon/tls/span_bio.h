// A BIO over the notes of a connection: reads from the span just received, appends to the output queue. Memory BIOs
// would copy everything once more and keep buffers for idle connections (12 % of CPU, 18 KiB each).
#pragma once

#include "tls/connection_notes.h"

namespace waylay::tls {

bool set_span_bio(SSL* ssl, ConnectionNotes* notes);

}  // namespace waylay::tls
