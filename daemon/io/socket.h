// Small questions to and settings of a socket, with errno translated.
#pragma once

#include "base/address.h"
#include "base/result.h"

namespace waylay::io {

Result<Address> peer_address(int fd);
Result<Address> own_address(int fd);
void set_no_delay(int fd);  // a proxy's small writes must not wait for acknowledgements; no effect on other than TCP
void set_reset_on_close(int fd);  // close(2) will send RST instead of FIN (SO_LINGER with 0 s)

// io_uring waits for a blocking descriptor itself, but hands -EAGAIN of a non-blocking one to the caller.
void set_blocking(int fd);

}  // namespace waylay::io
