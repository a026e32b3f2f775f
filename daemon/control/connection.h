// One client of the API, without I/O: bytes in, bytes out. Reads a request, answers it, then reads the next.
//
// A body that is made while it is sent (Source) is asked for only while little is waiting to be sent: a slow reader
// costs kMaximumWaiting bytes, and its subscription's bounded queue.
#pragma once

#include <optional>
#include <string>

#include "base/byte_queue.h"
#include "base/clock.h"
#include "control/api.h"
#include "http/h1.h"

namespace waylay::control {

class Connection {
 public:
  static constexpr size_t kMaximumRequest =
      1024 * 1024;  // head and body; a rule file of that size has thousands of rules
  static constexpr size_t kMaximumWaiting = 128 * 1024;         // of a body that is made while it is sent
  static constexpr int64_t kIdleLimit_ns = 60 * kSecond_ns;     // between requests, and for a reader that stands still
  static constexpr int64_t kRequestLimit_ns = 30 * kSecond_ns;  // from a request's first byte to its last

  // `peer` names the client in the log: "uid=0 pid=4711". The context outlives the connection.
  Connection(Context& context, std::string peer, Time now);

  void on_bytes(Bytes bytes, Time now);
  void on_eof(Time now);                // it may still read
  void on_sent(size_t size, Time now);  // these are gone from output()
  void on_events(Time now);             // Feed::deliver was called

  ByteQueue& output() { return output_; }
  bool wants_bytes() const { return state_ == State::Reading; }
  bool at_eof() const { return eof_; }
  bool finished() const { return state_ == State::Closing && output_.empty(); }
  // When on_time is due. A stream that follows has none while nothing waits to be sent.
  std::optional<int64_t> deadline_ns() const;
  void on_time(Time now);

 private:
  enum class State { Reading, Answering, Closing };

  void read(Time now);
  void read_head();
  uint64_t announced_size() const;
  void answer(Time now);
  void refuse(const Error& error, int status);
  void begin(Response response);
  void fill();
  void append_chunk(std::string_view piece);
  void end_answer();
  void log_change(const Route& route, const Response& response) const;

  Context& context_;
  std::string peer_;
  State state_ = State::Reading;
  http::H1Reader reader_;
  ByteQueue input_, output_;
  std::optional<http::Head> head_;  // of the request being read
  std::string body_;
  uint64_t announced_body_ = 0;  // its Content-Length
  bool head_only_ = false, keep_alive_ = true, chunked_ = true, eof_ = false;
  std::unique_ptr<Source> source_;
  int64_t active_ns_ = 0;  // steady clock; the last byte that came or went
  std::optional<int64_t> request_began_ns_;
};

}  // namespace waylay::control
