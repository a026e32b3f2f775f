// Something from a C library goes into a Handle on the line that creates it; file descriptors into an Fd.
#pragma once

#include <memory>
#include <utility>

namespace waylay {

template <auto free_function>
struct Freer {
  template <class T>
  void operator()(T* pointer) const noexcept {
    free_function(pointer);
  }
};

// using Ssl = Handle<SSL, SSL_free>;
template <class T, auto free_function>
using Handle = std::unique_ptr<T, Freer<free_function>>;

// Owns a file descriptor; -1 is none.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

}  // namespace waylay
